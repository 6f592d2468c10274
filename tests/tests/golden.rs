//! Each recorded event through the function that it is for: the answer and every effect are as they were recorded
//! in `tests/golden/`. A new file under `events/kinesis/` is a test case of its own; `UPDATE_GOLDEN=1` writes what it
//! gives, to be read before it is committed.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};

use andon::invoke::{Bench, EXAMPLE_PLAN, Function, effects, invoke};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};

/// The functions, and the folder of `events/kinesis/` that each is fed from.
const FUNCTIONS: [(Function, &str, &str); 3] = [
    (Function::QualityEvaluator, "quality-evaluator", "readings"),
    (
        Function::DynamodbWriter,
        "dynamodb-writer",
        "quality-events",
    ),
    (Function::SnsAlerter, "sns-alerter", "quality-events"),
];

fn main() {
    let arguments = Arguments::from_args();
    let trials = FUNCTIONS.into_iter().flat_map(|(function, name, folder)| {
        let cases = files(&root().join("events/kinesis").join(folder));
        cases.into_iter().map(move |case| {
            let trial = format!("{name}/{}", case.file_stem().unwrap().to_string_lossy());
            Trial::test(trial, move || check(function, name, &case))
        })
    });
    let mut trials: Vec<_> = trials.collect();
    trials.push(Trial::test("every_function_has_cases", || {
        for (_, _, folder) in FUNCTIONS {
            if files(&root().join("events/kinesis").join(folder)).len() < 3 {
                return Err(format!("events/kinesis/{folder} has fewer than 3 cases").into());
            }
        }
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(function: Function, name: &str, case: &Path) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    let given = runtime.block_on(run(function, &std::fs::read(case)?))?;
    let given = serde_json::to_string_pretty(&given)? + "\n";
    let path = root()
        .join("tests/golden")
        .join(name)
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
    let (line, (given_line, expected_line)) = given
        .lines()
        .zip(expected.lines())
        .enumerate()
        .find(|(_, (given, expected))| given != expected)
        .unwrap_or_default();
    Err(format!(
        "{}:{}\n  expected {expected_line}\n  given    {given_line}",
        path.display(),
        line + 1
    )
    .into())
}

/// What `andon invoke` prints.
async fn run(function: Function, body: &[u8]) -> Result<Value, Failed> {
    let bench = Bench::new(EXAMPLE_PLAN);
    let answer = invoke(&bench, function, body)
        .await
        .map_err(|error| error.to_string())?;
    Ok(json!({"answer": answer, "effects": effects(&bench)}))
}

/// The JSON files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
