//! What a command is given: an object's key, or a file.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::bucket::failed_batch;
use super::held::Held;
use super::invocation_record::InvocationRecord;
use super::kind::Kind;
use super::lines;
use crate::failure::Failure;
use crate::input::unreadable;

/// A key or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Keys begin like the prefixes under which things are set aside.
    Key(String),
    /// Everything else.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match Kind::of(text) {
            Some(_) => Self::Key(text.to_owned()),
            None => Self::File(text.into()),
        })
    }
}

/// The records of a file: lines as `show` prints them, an object of the bucket as it was downloaded, or one of Lambda's
/// records of a failed batch.
pub fn read_file(path: &Path) -> Result<Vec<Held>, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        unreadable(path, error)
            .cure("give a file, or a key that begins with quarantine/, parked/ or aws/lambda/")
    })?;
    match InvocationRecord::read(&bytes) {
        Ok(_) => failed_batch(&name, &bytes),
        Err(_) => lines::read(&name, &bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redrive::held::tests::parked;
    use crate::redrive::invocation_record::tests::documented;

    #[test]
    fn a_key_is_told_from_a_file() {
        for (text, expected) in [
            ("parked/f/x.ndjson", Source::Key("parked/f/x.ndjson".into())),
            ("aws/lambda/m/x", Source::Key("aws/lambda/m/x".into())),
            (
                "./parked/f/x.ndjson",
                Source::File("./parked/f/x.ndjson".into()),
            ),
            ("fixed.ndjson", Source::File("fixed.ndjson".into())),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
    }

    #[test]
    fn a_file_may_hold_lines_or_a_failed_batch() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, set_aside::encode(&[parked(1).record]).unwrap()).unwrap();
        let held = read_file(&path).unwrap();
        assert_eq!((held.len(), &held[0].function), (1, &None));
        let mut batch = documented();
        batch["payload"] = serde_json::json!("{\"Records\":[7,8]}");
        std::fs::write(&path, batch.to_string()).unwrap();
        let held = read_file(&path).unwrap();
        assert_eq!(held.len(), 2);
        assert_eq!(held[1].function.as_deref(), Some("andon-quality-evaluator"));
        let failure = read_file(&folder.path().join("none")).unwrap_err();
        assert!(failure.to_string().contains("quarantine/"), "{failure}");
        assert_eq!(failure.exit_code(), 2);
    }
}
