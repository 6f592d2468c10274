//! The objects of a lake as files: a folder for each part of their keys.

use std::io;
use std::path::{Component, Path};

use super::bucket::Stored;
use crate::failure::Failure;

/// Makes sure that nothing is in the folder, so that whoever reads it reads this run's objects alone.
pub fn empty(folder: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(
                Failure::input(format_args!("{} is not empty", folder.display()))
                    .cure("name a new folder, or an empty one"),
            ),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(refused(folder, error)),
    }
}

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

fn refused(path: &Path, error: io::Error) -> Failure {
    Failure::check(format_args!("cannot write {}", path.display()))
        .caused_by(error)
        .cure("name a folder that can be written")
}

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
    fn no_key_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        for key in ["../a", "/a", "a/../../b"] {
            let objects = [(key.to_owned(), Bytes::new())];
            assert!(write(folder.path(), &objects).is_err(), "{key}");
        }
    }
}
