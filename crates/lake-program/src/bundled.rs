//! The programs that come along.

use std::fmt;
use std::str::FromStr;

use crate::{Program, ProgramErrors};

/// A program that comes along: one file each in `programs/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundled {
    name: &'static str,
    source: &'static str,
    declared: &'static str,
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        const BUNDLED: &[Bundled] = &[$(Bundled {
            name: $name,
            source: include_str!(concat!("../programs/", $name, ".vrl")),
            declared: include_str!(concat!("../programs/", $name, ".json")),
        }),*];
    };
}

bundled![
    "clickstream",
    "game-activity",
    "press-readings",
    "quality-events",
];

impl Bundled {
    /// All of them, by name.
    pub fn all() -> &'static [Self] {
        BUNDLED
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        BUNDLED.iter().find(|bundled| bundled.name == name).copied()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Its text.
    pub fn source(self) -> &'static str {
        self.source
    }

    /// What is declared beside it.
    pub fn declared(self) -> &'static str {
        self.declared
    }

    /// Compiles it.
    ///
    /// # Errors
    /// With its faults. A test holds that those that come along have none.
    pub fn compile(self) -> Result<Program, ProgramErrors> {
        Program::compile(self.name, self.source, self.declared)
    }
}

/// No program of that name comes along.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such program; there are {}", Names)]
pub struct Unknown;

struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, bundled) in BUNDLED.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{}", bundled.name)?;
        }
        Ok(())
    }
}

impl FromStr for Bundled {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        Self::named(name).ok_or(Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_compiles() {
        for bundled in Bundled::all() {
            let program = bundled
                .compile()
                .unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(program.name(), bundled.name());
            assert!(!program.description().is_empty());
        }
    }

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        let fault = "press".parse::<Bundled>().unwrap_err().to_string();
        assert!(fault.contains("press-readings, quality-events"), "{fault}");
    }
}
