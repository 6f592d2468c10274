//! `andon program check`: every fault of every program, with line and column.

use std::io::Write;

use clap::Args;
use lake_program::{Bundled, Program, ProgramErrors};
use serde::Serialize;

use super::Text;
use crate::failure::Failure;

/// Check programs; every fault is named with line and column
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Programs: files NAME.vrl with NAME.json beside them, or names of those that come along; all of these if none is given
    #[arg(value_name = "PROGRAM")]
    programs: Vec<String>,
    /// Print one JSON object a program
    #[arg(long)]
    json: bool,
}

/// One program's result as JSON.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    program: &'a str,
    description: Option<&'a str>,
    partition_keys: &'a [String],
    /// Whether it can drop a record; null for a faulty program.
    drops: Option<bool>,
    faults: Vec<Fault<'a>>,
}

#[derive(Debug, Serialize)]
struct Fault<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    notes: &'a [String],
}

impl Check {
    /// Checks every program, then fails if one is faulty; `notes` takes the faults unless they are JSON.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let mut programs = self.programs;
        if programs.is_empty() {
            programs.extend(Bundled::all().iter().map(|one| one.name().to_owned()));
        }
        let mut faulty = 0;
        for named in &programs {
            let compiled = Text::read(named)?.compile();
            faulty += usize::from(compiled.is_err());
            match (&compiled, self.json) {
                (compiled, true) => {
                    serde_json::to_writer(&mut *out, &finding(named, compiled))
                        .map_err(std::io::Error::from)?;
                    writeln!(out)?;
                }
                (Ok(program), false) => {
                    let keys = match program.partition_keys() {
                        [] => "no partition key".to_owned(),
                        keys => format!("partitioned by {}", keys.join(", ")),
                    };
                    let drops = if program.can_drop() {
                        "can drop records"
                    } else {
                        "drops no record"
                    };
                    writeln!(
                        out,
                        "{named}: in order, {keys}, {drops}\n  {}",
                        program.description()
                    )?;
                }
                (Err(errors), false) => writeln!(notes, "{errors}\n")?,
            }
        }
        match faulty {
            0 => Ok(()),
            faulty => Err(Failure::check(format_args!(
                "{faulty} of {} programs not in order",
                programs.len()
            ))),
        }
    }
}

fn finding<'a>(program: &'a str, compiled: &'a Result<Program, ProgramErrors>) -> Finding<'a> {
    let fault = |fault: &'a lake_program::ProgramFault| Fault {
        file: &fault.file,
        line: fault.line,
        column: fault.column,
        message: &fault.message,
        notes: &fault.notes,
    };
    let sound = compiled.as_ref().ok();
    Finding {
        program,
        description: sound.map(Program::description),
        partition_keys: sound.map(Program::partition_keys).unwrap_or_default(),
        drops: sound.map(Program::can_drop),
        faults: compiled
            .as_ref()
            .err()
            .into_iter()
            .flat_map(|errors| errors.faults().iter().map(fault))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const DECLARED: &str = r#"{"partition_keys": [], "input": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}"#;

    fn run(source: &str, json: bool) -> (Result<(), Failure>, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.vrl");
        std::fs::write(&path, source).unwrap();
        std::fs::write(path.with_extension("json"), DECLARED).unwrap();
        check(&[&path.display().to_string()], json)
    }

    fn check(programs: &[&str], json: bool) -> (Result<(), Failure>, String, String) {
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let done = Check {
            programs: programs.iter().map(|one| (*one).to_owned()).collect(),
            json,
        }
        .run(&mut out, &mut notes);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (done, text(out), text(notes))
    }

    #[test]
    fn those_that_come_along_are_in_order() {
        let (done, out, notes) = check(&[], false);
        done.unwrap();
        assert_eq!(notes, "");
        assert!(
            out.contains("game-activity: in order, no partition key, can drop records"),
            "{out}"
        );
        assert!(
            out.contains("press-readings: in order, partitioned by line, day, drops no record"),
            "{out}"
        );
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        let (done, out, notes) = run(".n = upcase(.n)", false);
        let failure = done.unwrap_err();
        assert_eq!((failure.exit_code(), out.as_str()), (1, ""));
        assert!(
            notes.contains("p.vrl:1:13: ") && notes.contains("^^"),
            "{notes}"
        );
    }

    #[test]
    fn json_says_the_same() {
        let (done, out, notes) = run(".n = upcase(.n)", true);
        assert_eq!((done.unwrap_err().exit_code(), notes.as_str()), (1, ""));
        let finding: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(finding["faults"][0]["line"], 1);
        assert_eq!(finding["faults"][0]["column"], 13);
        assert_eq!(finding["drops"], Value::Null);
        let (done, out, _) = run(".n = .n + 1", true);
        done.unwrap();
        let finding: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(finding["faults"], serde_json::json!([]));
        assert_eq!(finding["drops"], false);
    }

    #[test]
    fn what_is_no_program_is_bad_input() {
        for (named, said) in [
            ("press", "clickstream, game-activity"),
            ("no/such.vrl", "cannot read no/such.vrl"),
        ] {
            let (done, _, _) = check(&[named], false);
            let failure = done.unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().contains(said), "{failure}");
        }
    }
}
