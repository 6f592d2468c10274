//! Instants with millisecond resolution, written as UTC RFC 3339 with exactly three decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since 1970-01-01T00:00:00Z, within the years -9999 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text or number is not an instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time between the years -9999 and 9999: {0}")]
pub struct BadTimestamp(String);

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    pub fn from_millis(ms: i64) -> Result<Self, BadTimestamp> {
        match jiff::Timestamp::from_millisecond(ms) {
            Ok(_) => Ok(Self(ms)),
            Err(_) => Err(BadTimestamp(format!("{ms} ms"))),
        }
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; negative if `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

/// Reads RFC 3339 with any offset and any number of decimals; what is finer than a millisecond is cut off.
impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        let instant = text
            .parse::<jiff::Timestamp>()
            .map_err(|_| BadTimestamp(format!("{:?}", crate::truncated(text, 64))))?;
        let ns = instant.as_nanosecond();
        i64::try_from(ns.div_euclid(1_000_000))
            .map_err(|_| BadTimestamp(text.to_owned()))
            .map(Self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The constructors admit only instants that jiff can represent.
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        write!(f, "{instant:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "UTC, RFC 3339, exactly three decimals.",
            "type": "string",
            "format": "date-time",
            "pattern": r"^-?\d{4,6}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(input.parse::<Timestamp>().unwrap().to_string(), expected);
    }

    #[test]
    fn normalises_to_utc_with_three_decimals() {
        check("2026-11-20T01:02:03.456Z", "2026-11-20T01:02:03.456Z");
        check("2026-11-20T10:02:03+09:00", "2026-11-20T01:02:03.000Z");
        check("2026-11-20T01:02:03.4569999Z", "2026-11-20T01:02:03.456Z");
        check("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn refuses_what_is_not_an_instant() {
        for text in [
            "",
            "yesterday",
            "2026-11-20",
            "2026-11-20T01:02:03",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert!(Timestamp::from_millis(i64::MAX).is_err());
    }
}
