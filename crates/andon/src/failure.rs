//! How a command ends when it does not end well: a message that names the spot, the cure where there is one,
//! and the exit code.

use std::error::Error;
use std::{fmt, io};

/// A command's bad end.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    cure: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Check,
    Input,
    Interrupted,
    Pipe,
}

impl Failure {
    /// What was checked is not in order, or the work could not be done.
    pub fn check(message: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Check,
            message: message.to_string(),
            cure: None,
            source: None,
        }
    }

    /// Usage or input is not what the command takes.
    pub fn input(message: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Input,
            ..Self::check(message)
        }
    }

    /// The user has broken it off.
    pub fn interrupted() -> Self {
        Self {
            kind: Kind::Interrupted,
            ..Self::check("interrupted")
        }
    }

    /// Adds what the user can do about it.
    pub fn cure(self, cure: impl fmt::Display) -> Self {
        Self {
            cure: Some(cure.to_string()),
            ..self
        }
    }

    /// Adds what caused it.
    pub fn caused_by(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// Whether it is usage or input that is at fault.
    pub fn is_input(&self) -> bool {
        self.kind == Kind::Input
    }

    /// 1 where a check failed or the work could not be done, 2 for bad usage or input, 130 (128 + SIGINT) where the user
    /// broke it off. A reader that had enough of
    /// the output is no failure: 0.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Pipe => 0,
            Kind::Check => 1,
            Kind::Input => 2,
            Kind::Interrupted => 130,
        }
    }
}

/// What the user reads on stderr.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        match &self.cure {
            Some(cure) => write!(f, "\n  {cure}"),
            None => Ok(()),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Only writing to stdout gives a bare I/O error: whatever concerns a file is given its name first.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let kind = if broken_pipe { Kind::Pipe } else { Kind::Check };
        Self {
            kind,
            ..Self::check("cannot write the output").caused_by(error)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A reader that has enough after so many bytes.
    pub(crate) struct Head(pub(crate) usize);

    impl io::Write for Head {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.checked_sub(bytes.len());
            self.0 = left.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn says_the_spot_the_causes_and_the_cure() {
        let missing = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let failure = Failure::input("plan.yaml")
            .caused_by(missing)
            .cure("give --plan a file");
        assert_eq!(
            failure.to_string(),
            "plan.yaml: no such file\n  give --plan a file"
        );
        assert_eq!(failure.exit_code(), 2);
        assert_eq!(Failure::check("two rules fired").exit_code(), 1);
    }

    #[test]
    fn a_reader_that_had_enough_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
        assert_eq!(Failure::from(io::Error::other("disk full")).exit_code(), 1);
    }
}
