//! `andon program run`: what a program makes of records.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use lake_program::{About, Failed, Program, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Text;
use crate::failure::Failure;
use crate::input::Input;

/// Run a program on records, as the function would
///
/// Each line of the file is a record as it is on the stream. Its rows go to stdout; what is dropped or fails is
/// counted, and what fails is named, on stderr.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// The program: a file NAME.vrl with NAME.json beside it, or the name of one that comes along
    #[arg(value_name = "PROGRAM")]
    program: String,
    /// Records, one a line; `-` reads stdin
    #[arg(value_name = "FILE|-")]
    records: Input,
    /// Print one JSON object a record instead: its line, result, partition keys and rows, or the reason
    #[arg(long)]
    json: bool,
    /// Exit with 1 if a record fails
    #[arg(long)]
    strict: bool,
}

/// One record's result as JSON.
#[derive(Serialize)]
struct Finding<'a> {
    line: u64,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_keys: Option<BTreeMap<&'a str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<&'a RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Default)]
struct Counts {
    ok: u64,
    rows: usize,
    dropped: u64,
    failed: u64,
}

impl Run {
    /// Writes the rows; `notes` takes what failed, and the sum.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let program = Text::read(&self.program)?.compile().map_err(|errors| {
            Failure::input(format_args!("the program is not in order\n{errors}"))
        })?;
        let mut runner = program.runner();
        let mut counts = Counts::default();
        let mut rows = Vec::new();
        for line in self.records.lines()? {
            let line = line?;
            rows.clear();
            let verdict = runner.run(&line.bytes, &About::default(), &mut rows);
            counts.add(&verdict, &rows);
            if self.json {
                let finding = finding(&program, line.number, &verdict, &rows)?;
                serde_json::to_writer(&mut *out, &finding).map_err(std::io::Error::from)?;
                writeln!(out)?;
                continue;
            }
            match verdict {
                Ok(Verdict::Kept { .. }) => out.write_all(&rows)?,
                Ok(Verdict::Dropped) => {}
                Err(failed) => writeln!(
                    notes,
                    "{}:{}: {}",
                    self.records.name(),
                    line.number,
                    causes(&failed)
                )?,
            }
        }
        let Counts {
            ok,
            rows,
            dropped,
            failed,
        } = counts;
        if !self.json {
            writeln!(
                notes,
                "{ok} records kept as {rows} rows, {dropped} dropped, {failed} failed"
            )?;
        }
        match self.strict && failed > 0 {
            true => Err(Failure::check(format_args!("{failed} records failed"))),
            false => Ok(()),
        }
    }
}

impl Counts {
    fn add(&mut self, verdict: &Result<Verdict, Failed>, rows: &[u8]) {
        match verdict {
            Ok(Verdict::Kept { .. }) => {
                self.ok += 1;
                self.rows += rows.iter().filter(|byte| **byte == b'\n').count();
            }
            Ok(Verdict::Dropped) => self.dropped += 1,
            Err(_) => self.failed += 1,
        }
    }
}

fn finding<'a>(
    program: &'a Program,
    line: u64,
    verdict: &Result<Verdict, Failed>,
    rows: &'a [u8],
) -> Result<Finding<'a>, Failure> {
    let mut finding = Finding {
        line,
        result: "Ok",
        partition_keys: None,
        rows: None,
        reason: None,
        message: None,
    };
    match verdict {
        Ok(Verdict::Kept { partition }) => {
            let keys = program.partition_keys().iter().map(String::as_str);
            finding.partition_keys = Some(keys.zip(partition.iter().cloned()).collect());
            let rows = rows
                .split(|byte| *byte == b'\n')
                .filter(|row| !row.is_empty());
            let rows: Result<_, _> = rows.map(serde_json::from_slice).collect();
            finding.rows = Some(rows.map_err(std::io::Error::from)?);
        }
        Ok(Verdict::Dropped) => finding.result = "Dropped",
        Err(failed) => {
            finding.result = "ProcessingFailed";
            finding.reason = Some(failed.as_str());
            finding.message = Some(causes(failed));
        }
    }
    Ok(finding)
}

fn causes(failed: &Failed) -> String {
    match std::error::Error::source(failed) {
        None => failed.to_string(),
        Some(cause) => format!("{failed}: {cause}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const USERS: &str = "{\"premium\":false,\"playing_time\":83,\"age\":16,\"user_id\":\"u-1\"}\n{\"premium\":true,\"playing_time\":1}\nplain\n{\"premium\":1,\"playing_time\":1}\n";

    fn run(json: bool, strict: bool) -> (Result<(), Failure>, String, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), USERS).unwrap();
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let done = Run {
            program: "game-activity".into(),
            records: file.path().to_path_buf().into(),
            json,
            strict,
        }
        .run(&mut out, &mut notes);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (done, text(out), text(notes))
    }

    #[test]
    fn rows_go_out_and_the_rest_is_told() {
        let (done, out, notes) = run(false, false);
        done.unwrap();
        assert_eq!(
            out,
            "{\"activity\":null,\"age\":16,\"location\":null,\"playing_time\":\"83\"}\n"
        );
        assert!(notes.contains(":3: the payload is not JSON"), "{notes}");
        assert!(
            notes.contains(":4: the payload is not as declared: .premium is integer"),
            "{notes}"
        );
        assert!(
            notes.ends_with("1 records kept as 1 rows, 1 dropped, 2 failed\n"),
            "{notes}"
        );
    }

    #[test]
    fn json_says_the_same_a_record_a_line() {
        let (done, out, notes) = run(true, false);
        done.unwrap();
        assert_eq!(notes, "");
        let findings: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            findings[0],
            json!({"line": 1, "result": "Ok", "partition_keys": {},
                "rows": [{"activity": null, "age": 16, "location": null, "playing_time": "83"}]})
        );
        assert_eq!(findings[1], json!({"line": 2, "result": "Dropped"}));
        assert_eq!(findings[2]["reason"], "not-json");
        assert_eq!(findings[3]["reason"], "not-as-declared");
    }

    #[test]
    fn strict_fails_where_a_record_does() {
        let (done, _, _) = run(false, true);
        let failure = done.unwrap_err();
        assert_eq!(
            (failure.exit_code(), failure.to_string()),
            (1, "2 records failed".into())
        );
    }
}
