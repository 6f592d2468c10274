//! The objects of a lake as files: a folder for each part of their keys.

use std::io;
use std::path::{Component, Path};

use super::bucket::Stored;
use crate::failure::Failure;

/// Makes sure that the folder is there and can be written, and that nothing is in it, so that whoever reads it reads this
/// run's objects alone. A run takes long: what is wrong with the folder is told before.
pub fn empty(folder: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(
                    Failure::input(format_args!("{} is not empty", folder.display()))
                        .cure("name a new folder, or an empty one"),
                );
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).map_err(|error| unusable(folder, error))?;
        }
        Err(error) => return Err(unusable(folder, error)),
    }
    let probe = folder.join(PROBE);
    std::fs::write(&probe, PROBE)
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| unusable(folder, error))
}

/// Written into the folder and removed again: some are there and take no file.
const PROBE: &str = ".andon";

/// Writes each object under its key.
pub fn write(folder: &Path, objects: &[Stored]) -> Result<(), Failure> {
    for (key, bytes) in objects {
        let is_plain = |part| matches!(part, Component::Normal(_));
        if !Path::new(key).components().all(is_plain) {
            return Err(Failure::check(format_args!(
                "the object {key} is no path within a folder"
            )));
        }
        let path = folder.join(key);
        let home = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(home).map_err(|error| refused(home, error))?;
        std::fs::write(&path, bytes).map_err(|error| refused(&path, error))?;
    }
    Ok(())
}

/// The folder cannot be used from the start.
fn unusable(folder: &Path, error: io::Error) -> Failure {
    Failure::input(format_args!("cannot write {}", folder.display()))
        .caused_by(error)
        .cure(CURE)
}

/// The folder could be written when the run began.
fn refused(path: &Path, error: io::Error) -> Failure {
    Failure::check(format_args!("cannot write {}", path.display()))
        .caused_by(error)
        .cure(CURE)
}

const CURE: &str = "name a folder that can be written";

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn an_object_lies_under_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        empty(&lake).unwrap();
        let key = "readings/partition_line=L1/day=2026-11-20/a.gz";
        write(&lake, &[(key.to_owned(), Bytes::from_static(b"x"))]).unwrap();
        assert_eq!(std::fs::read(lake.join(key)).unwrap(), b"x");
        let failure = empty(&lake).unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{failure}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        for lake in [file.clone(), file.join("lake")] {
            let failure = empty(&lake).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{failure}");
            let start = format!("cannot write {}: ", lake.display());
            assert!(failure.to_string().starts_with(&start), "{failure}");
        }
        let objects = [("a".to_owned(), Bytes::new())];
        assert_eq!(write(&file, &objects).unwrap_err().exit_code(), 1);
    }

    #[test]
    fn a_new_folder_is_made_and_left_empty() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("new/lake");
        for _ in 0..2 {
            empty(&lake).unwrap();
            assert_eq!(std::fs::read_dir(&lake).unwrap().count(), 0);
        }
    }

    #[test]
    fn no_key_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for key in ["../a", "/a", "a/../../b"] {
            let objects = [(key.to_owned(), Bytes::new())];
            assert!(write(folder.path(), &objects).is_err(), "{key}");
        }
    }
}
