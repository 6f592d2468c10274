//! When a reading was taken: RFC 3339 text, or a number of seconds or milliseconds since the epoch.

use quality_event::{BadTimestamp, Timestamp};

/// From here on a number counts milliseconds: as seconds it would lie beyond the year 5138, as milliseconds
/// it is 1973-03-03.
const FIRST_MILLIS: f64 = 1e11;

/// A number below 1e11 (in magnitude) counts seconds, any other milliseconds; rounded to the millisecond.
pub(super) fn from_number(number: f64) -> Result<Timestamp, BadTimestamp> {
    let ms = if number.abs() < FIRST_MILLIS {
        number * 1_000.0
    } else {
        number
    };
    // The cast saturates, far outside what a timestamp admits.
    Timestamp::from_millis(ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, expected: Option<&str>) {
        assert_eq!(
            from_number(number)
                .ok()
                .map(|time| time.to_string())
                .as_deref(),
            expected,
            "{number}"
        );
    }

    #[test]
    fn tells_seconds_from_milliseconds() {
        check(1_795_136_523.0, Some("2026-11-20T01:02:03.000Z"));
        check(1_795_136_523.456, Some("2026-11-20T01:02:03.456Z"));
        check(1_795_136_523_456.0, Some("2026-11-20T01:02:03.456Z"));
        check(0.0, Some("1970-01-01T00:00:00.000Z"));
        check(-1.5, Some("1969-12-31T23:59:58.500Z"));
        check(99_999_999_999.0, Some("5138-11-16T09:46:39.000Z"));
        check(100_000_000_000.0, Some("1973-03-03T09:46:40.000Z"));
        check(1e300, None);
    }
}
