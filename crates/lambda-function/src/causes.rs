//! An error in one line: its message and those of its causes.

use std::error::Error;
use std::fmt;

/// Displays an error followed by its causes, parted by colons, for logs.
#[derive(Clone, Copy)]
pub struct Causes<'e>(pub &'e dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot start")]
    struct Outer(#[source] std::num::ParseIntError);

    #[test]
    fn names_every_cause() {
        let error = Outer("x".parse::<u8>().unwrap_err());
        assert_eq!(
            Causes(&error).to_string(),
            "cannot start: invalid digit found in string"
        );
    }
}
