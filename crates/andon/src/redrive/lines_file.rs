//! A new file of records' lines: for a person to put right, and for `run` to take back.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::held::Held;
use super::lines;
use super::report::plural;
use crate::failure::Failure;

/// The file.
#[derive(Debug)]
pub struct LinesFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    records: usize,
}

impl LinesFile {
    /// Creates the file. One that is there may have been edited: it stays as it is.
    ///
    /// # Errors
    /// If there is a file of this name, or none can be written.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let created = OpenOptions::new().append(true).create_new(true).open(path);
        let file = created.map_err(|error| unwritable(path, error))?;
        let created = Self {
            path: path.to_owned(),
            file,
            bytes: 0,
            records: 0,
        };
        match sync_name(path) {
            Ok(()) => Ok(created),
            Err(error) => {
                created.finish();
                Err(unwritable(path, error))
            }
        }
    }

    /// Adds records, all or none. Once it returns they are on the disk.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn add(&mut self, held: &[Held]) -> Result<(), Failure> {
        if held.is_empty() {
            return Ok(());
        }
        let lines = lines::write(held).map_err(std::io::Error::from)?;
        let written = self.file.write_all(&lines);
        if let Err(error) = written.and_then(|()| self.file.sync_all()) {
            // Half a line would spoil those before it.
            let _ = self.file.set_len(self.bytes);
            return Err(unwritable(&self.path, error));
        }
        self.bytes += lines.len() as u64;
        self.records += held.len();
        Ok(())
    }

    /// What is in it, and what can be done with it.
    pub fn summary(&self) -> String {
        let Self { path, records, .. } = self;
        let (path, word) = (path.display(), plural(*records, "record"));
        format!(
            "{records} {word} in {path}; to bring them back, edited or not: andon redrive run {path}"
        )
    }

    /// Ends it, and tells what is in it. A file without records is removed.
    pub fn finish(self) -> Option<String> {
        if self.records > 0 {
            return Some(self.summary());
        }
        // Left behind, it is in nobody's way but its own name's.
        let _ = std::fs::remove_file(&self.path);
        None
    }
}

/// The name must outlive a power cut too, where a folder can be synced, and by whoever may write to it.
fn sync_name(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let synced = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    let cannot = [
        ErrorKind::PermissionDenied,
        ErrorKind::InvalidInput,
        ErrorKind::Unsupported,
    ];
    synced.or_else(|error| match cannot.contains(&error.kind()) {
        true => Ok(()),
        false => Err(error),
    })
}

fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    let cannot = format_args!("cannot write {}", path.display());
    match error.kind() == ErrorKind::AlreadyExists {
        true => Failure::input(cannot).cure("give --out another name, or delete that file"),
        false => Failure::check(cannot),
    }
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redrive::held::tests::parked;
    use crate::redrive::source::read_file;

    #[test]
    fn records_are_added_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixed.ndjson");
        let mut file = LinesFile::create(&path).unwrap();
        file.add(&[parked(1)]).unwrap();
        file.add(&[]).unwrap();
        file.add(&[parked(2), parked(3)]).unwrap();
        let records = read_file(&path).unwrap().into_iter().map(|one| one.record);
        assert!(records.eq([1, 2, 3].map(|line| parked(line).record)));
        let told = file.finish().unwrap();
        assert!(told.starts_with("3 records in "), "{told}");
        let refused = LinesFile::create(&path).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{refused}");
        assert_eq!(read_file(&path).unwrap().len(), 3);
    }

    #[test]
    fn a_file_without_records_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixed.ndjson");
        assert_eq!(LinesFile::create(&path).unwrap().finish(), None);
        assert!(!path.exists());
        let nowhere = folder.path().join("none/fixed.ndjson");
        assert_eq!(LinesFile::create(&nowhere).unwrap_err().exit_code(), 1);
    }
}
