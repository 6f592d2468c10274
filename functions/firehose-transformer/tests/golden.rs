//! Each batch under `events/firehose/` through the program that its folder names: every record's outcome and rows are as
//! they were recorded in `tests/golden/`. A new file is a test case of its own; `UPDATE_GOLDEN=1` writes what it gives, to
//! be read before it is committed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod batch;

use std::path::{Path, PathBuf};

use firehose_transformer::{MAX_RESPONSE_BYTES, Outcome, transform};
use lake_program::Bundled;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

use crate::batch::answers;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for bundled in Bundled::all() {
        let folder = events().join(bundled.name());
        let cases = files(&folder);
        let enough = cases.len() >= 2;
        trials.push(Trial::test(
            format!("{}/has_cases", bundled.name()),
            move || enough.then_some(()).ok_or("fewer than 2 cases".into()),
        ));
        for case in cases {
            let name = format!("{}/{}", bundled.name(), stem(&case));
            trials.push(Trial::test(name, move || check(*bundled, &case)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(bundled: Bundled, case: &Path) -> Result<(), Failed> {
    let program = bundled.compile()?;
    let transformed = transform(&program, &std::fs::read(case)?, MAX_RESPONSE_BYTES)?;
    let given: Vec<Value> = answers(&transformed)
        .into_iter()
        .zip(&transformed.outcomes)
        .map(|(answer, outcome)| match outcome {
            Outcome::Ok => {
                let rows: Vec<Value> = answer
                    .rows
                    .lines()
                    .map(|row| serde_json::from_str(row).unwrap())
                    .collect();
                json!({"recordId": answer.id, "result": answer.result, "partitionKeys": answer.partition, "rows": rows})
            }
            Outcome::Dropped => json!({"recordId": answer.id, "result": answer.result}),
            Outcome::Failed { reason, message } => {
                json!({"recordId": answer.id, "result": answer.result, "reason": reason, "message": message})
            }
        })
        .collect();
    let given = serde_json::to_string_pretty(&given)? + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(bundled.name())
        .join(case.file_name().unwrap());
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test, not of the product"
    )]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap())?;
        std::fs::write(&path, &given)?;
    }
    let expected = std::fs::read_to_string(&path).map_err(|error| {
        format!(
            "{}: {error}; run with UPDATE_GOLDEN=1 and read what it writes",
            path.display()
        )
    })?;
    if given == expected {
        return Ok(());
    }
    let differing = given
        .lines()
        .zip(expected.lines())
        .enumerate()
        .find(|(_, (given, expected))| given != expected);
    let (line, (given, expected)) = differing.unwrap_or_default();
    Err(format!(
        "{}:{}\n  expected {expected}\n  given    {given}",
        path.display(),
        line + 1
    )
    .into())
}

/// The JSON files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

fn stem(case: &Path) -> String {
    case.file_stem().unwrap().to_string_lossy().into_owned()
}

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/firehose")
}
