//! Lines of bytes from a file or stdin, numbered; a payload need not be text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Where input comes from: a file, or stdin for `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input(PathBuf);

impl From<String> for Input {
    fn from(path: String) -> Self {
        Self(path.into())
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Input {
    /// The name as it was given.
    pub fn name(&self) -> String {
        self.0.display().to_string()
    }

    /// What a message calls it.
    pub fn called(&self) -> String {
        match self.is_stdin() {
            true => "stdin".to_owned(),
            false => self.name(),
        }
    }

    /// Whether it can be read a second time: stdin, a pipe or a device cannot. A folder counts as one that can, so that
    /// whoever reads it is told each time that it is one.
    pub fn can_be_reread(&self) -> Result<bool, Failure> {
        if self.is_stdin() {
            return Ok(false);
        }
        let found = std::fs::metadata(&self.0).map_err(|error| unreadable(&self.0, error))?;
        Ok(found.is_file() || found.is_dir())
    }

    /// The file's size in bytes; none for stdin.
    pub fn size(&self) -> Option<u64> {
        (!self.is_stdin())
            .then(|| std::fs::metadata(&self.0).ok().map(|meta| meta.len()))
            .flatten()
    }

    /// Opens it.
    pub fn reader(&self) -> Result<Reader, Failure> {
        let reader: Box<dyn Read + Send> = match self.is_stdin() {
            true => Box::new(io::stdin()),
            false => Box::new(File::open(&self.0).map_err(|error| unreadable(&self.0, error))?),
        };
        Ok(BufReader::with_capacity(1 << 16, reader))
    }

    /// Opens it for reading line by line.
    pub fn lines(&self) -> Result<Lines, Failure> {
        Ok(Lines {
            name: self.name(),
            reader: self.reader()?,
            number: 0,
            broken: false,
        })
    }

    /// Whether the file's name ends so, in whatever case.
    pub fn has_extension(&self, extension: &str) -> bool {
        let found = self.0.extension();
        found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
    }

    /// All of it.
    pub fn bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        match self.is_stdin() {
            true => io::stdin().read_to_end(&mut bytes).map(|_| bytes),
            false => std::fs::read(&self.0),
        }
        .map_err(|error| unreadable(&self.0, error))
    }

    /// Whether it is stdin, by its name `-`.
    pub fn is_stdin(&self) -> bool {
        self.0.as_os_str() == "-"
    }
}

/// What is read, buffered.
pub type Reader = BufReader<Box<dyn Read + Send>>;

/// Why a file cannot be read, by name.
pub fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::input(format_args!("cannot read {}", path.display())).caused_by(error)
}

/// The lines, one at a time; none after one that cannot be read, which a folder would give without end.
pub struct Lines {
    name: String,
    reader: Reader,
    number: u64,
    broken: bool,
}

/// One line without its line feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// What stands in it; an empty line is an empty payload.
    pub bytes: Vec<u8>,
    /// Bytes read for it, line feed included.
    pub read: u64,
}

impl Iterator for Lines {
    type Item = Result<Line, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let mut bytes = Vec::new();
        match self.reader.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(read) => {
                self.number += 1;
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                }
                Some(Ok(Line {
                    number: self.number,
                    bytes,
                    read: read as u64,
                }))
            }
            Err(error) => {
                self.broken = true;
                Some(Err(unreadable(Path::new(&self.name), error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], expected: &[&[u8]]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let input = Input::from(file.path().to_path_buf());
        let lines: Vec<Line> = input.lines().unwrap().map(Result::unwrap).collect();
        assert_eq!(
            lines
                .iter()
                .map(|line| line.bytes.as_slice())
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(
            lines.iter().map(|line| line.read).sum::<u64>(),
            input.size().unwrap()
        );
        assert!(
            lines
                .iter()
                .zip(1..)
                .all(|(line, number)| line.number == number)
        );
    }

    #[test]
    fn lines_are_bytes() {
        check(b"", &[]);
        check(b"a\nb\n", &[b"a", b"b"]);
        check(b"a\n\nb", &[b"a", b"", b"b"]);
        check(b"\xff\xfe\n\n", &[b"\xff\xfe", b""]);
    }

    #[test]
    fn a_folder_is_refused_by_name_and_gives_no_line_after_that() {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = Input::from(folder.path().to_path_buf()).lines().unwrap();
        let failure = lines.next().unwrap().unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        let name = folder.path().display();
        assert!(
            failure
                .to_string()
                .starts_with(&format!("cannot read {name}: ")),
            "{failure}"
        );
        assert!(lines.next().is_none());
    }

    #[test]
    fn a_file_can_be_read_again_and_a_stream_cannot() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let can = |path: &str| Input::from(path.to_owned()).can_be_reread();
        assert!(can(file.path().to_str().unwrap()).unwrap());
        for stream in ["-", "/dev/null"] {
            assert!(!can(stream).unwrap(), "{stream}");
        }
        let failure = can("no/such/file").unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{failure}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = Input::from("no/such/file".to_owned())
            .lines()
            .err()
            .unwrap();
        assert!(
            failure
                .to_string()
                .starts_with("cannot read no/such/file: "),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
    }
}
