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

    fn is_stdin(&self) -> bool {
        self.0.as_os_str() == "-"
    }
}

/// What is read, buffered.
pub type Reader = BufReader<Box<dyn Read + Send>>;

/// Why a file cannot be read, by name.
pub fn unreadable(path: &Path, error: io::Error) -> Failure {
    Failure::input(format_args!("cannot read {}", path.display())).caused_by(error)
}

/// The lines, one at a time.
pub struct Lines {
    name: String,
    reader: Reader,
    number: u64,
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
            Err(error) => Some(Err(unreadable(Path::new(&self.name), error))),
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
