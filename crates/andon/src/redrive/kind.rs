//! How a record came to lie in the bucket: the first part of its object's key says it.

use clap::ValueEnum;
use serde::Serialize;

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Data that no retry cures
    Quarantine,
    /// Readings of a machine that was held too long
    Parked,
    /// A batch that Lambda gave up
    Failed,
}

impl Kind {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::Quarantine, Self::Parked, Self::Failed];

    /// What the keys of this kind begin with. Lambda fixes that of its failure destination.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine/",
            Self::Parked => "parked/",
            Self::Failed => "aws/lambda/",
        }
    }

    /// The kind of the object with this key; none if nothing is set aside under such a key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| key.starts_with(kind.prefix()))
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Parked => "parked",
            Self::Failed => "failed",
        }
    }
}

/// The function that a key names. Lambda's keys name the mapping instead; there the object itself tells.
pub fn function_of(key: &str) -> Option<&str> {
    let rest = match Kind::of(key)? {
        Kind::Failed => return None,
        kind => key.strip_prefix(kind.prefix())?,
    };
    rest.split_once('/').map(|(function, _)| function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, kind: Option<Kind>, function: Option<&str>) {
        assert_eq!((Kind::of(key), function_of(key)), (kind, function), "{key}");
    }

    #[test]
    fn a_key_tells_kind_and_function() {
        let evaluator = Some("andon-quality-evaluator");
        check(
            "quarantine/andon-quality-evaluator/2026/11/20/s-1-0.ndjson",
            Some(Kind::Quarantine),
            evaluator,
        );
        check(
            "parked/andon-quality-evaluator/2026/11/20/s-1-0.ndjson",
            Some(Kind::Parked),
            evaluator,
        );
        check(
            "aws/lambda/50f67ad3/s/2026/11/20/x",
            Some(Kind::Failed),
            None,
        );
        check("restarts/andon-quality-evaluator/x/y", None, None);
        check("redriven/parked/f/x.json", None, None);
        check("parked/", Some(Kind::Parked), None);
    }

    #[test]
    fn the_words_are_those_of_the_command_line() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_str(kind.as_str(), false), Ok(kind));
        }
    }
}
