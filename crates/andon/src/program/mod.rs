//! `andon program`: the programs of the lake, checked and tried.

pub mod check;
pub mod run;

use std::io::Write;
use std::path::Path;

use clap::Subcommand;
use lake_program::{Bundled, Program};

use crate::failure::Failure;
use crate::input::unreadable;

/// The programs that make the rows of the lake: check them, try them on records
#[derive(Debug, Subcommand)]
pub enum Programs {
    /// Check programs; every fault is named with line and column
    Check(check::Check),
    /// Run a program on records, as the function would
    Run(run::Run),
}

impl Programs {
    /// Runs the sub-command.
    pub fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(out, &mut std::io::stderr()),
            Self::Run(run) => run.run(out, &mut std::io::stderr()),
        }
    }
}

/// The programs that come along.
pub(crate) fn bundled_names() -> String {
    let names: Vec<_> = Bundled::all().iter().map(|one| one.name()).collect();
    names.join(", ")
}

/// A program's two files: those of a bundled one, or `NAME.vrl` and `NAME.json` beside it.
struct Text {
    /// What faults are told by, without the ending.
    name: String,
    source: String,
    declared: String,
}

impl Text {
    /// Reads the program that `named` names: one that comes along, or a file.
    fn read(named: &str) -> Result<Self, Failure> {
        if let Some(bundled) = Bundled::named(named) {
            return Ok(Self {
                name: named.to_owned(),
                source: bundled.source().to_owned(),
                declared: bundled.declared().to_owned(),
            });
        }
        let path = Path::new(named);
        if path.extension().is_none_or(|ending| ending != "vrl") {
            return Err(
                Failure::input(format_args!("no program `{named}`")).cure(format_args!(
                    "give a file NAME.vrl with NAME.json beside it, or one of {}",
                    bundled_names()
                )),
            );
        }
        let stem = path.with_extension("");
        Ok(Self {
            name: stem.display().to_string(),
            source: text(path)?,
            declared: text(&path.with_extension("json"))?,
        })
    }

    fn compile(&self) -> Result<Program, lake_program::ProgramErrors> {
        Program::compile(&self.name, &self.source, &self.declared)
    }
}

fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unreadable(path, error))
}
