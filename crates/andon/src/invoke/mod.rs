//! `andon invoke`: one function on one event, against a world in memory.
//!
//! The function is the deployed one, from its configuration to its SDK clients; only what answers them is in
//! memory and empty at the start. The time of day is a moment after the last record's arrival.

mod bench;
mod effects;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kinesis_batch::Batch;
use lake_program::Bundled;
use lambda_function::deadline::Deadline;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::input::Input;
use crate::plan;
use crate::program::bundled_names;

pub use bench::{Bench, FUNCTION_TIMEOUT, StartError};
pub use effects::effects;

/// The plan that is judged by unless another is given.
pub const EXAMPLE_PLAN: &str = include_str!("../../../../infra/plans/press-line.yaml");

/// How long after the last record's arrival the function runs.
const DELAY_MS: i64 = 250;

/// One function on one event, against a world in memory; prints the answer and the effects
///
/// The world starts empty, and the time of day is a moment after the last record's arrival. What is printed is one
/// JSON object: the function's `answer` to Lambda and its `effects`.
#[derive(Args, Clone, Debug)]
pub struct Invoke {
    /// The function
    #[arg(value_enum)]
    function: Function,
    /// The event as Lambda hands it to the function; `-` reads stdin
    #[arg(value_name = "FILE|-")]
    file: Input,
    /// The control plan that the evaluator judges by [default: the press line's]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The program that the transformer runs, one of those that come along [default: press-readings]
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
}

/// The functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Function {
    /// Judges readings
    QualityEvaluator,
    /// Stores quality events
    DynamodbWriter,
    /// Alerts people and stops lines
    SnsAlerter,
    /// Makes the lake's rows; takes a Firehose event
    FirehoseTransformer,
}

impl Invoke {
    /// Runs the function and writes what it answered and did.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        self.is_heard()?;
        let body = self.file.bytes()?;
        let program = self.program.as_deref().unwrap_or(Bench::PROGRAM);
        let plan = match &self.plan {
            None => EXAMPLE_PLAN.to_owned(),
            Some(path) => {
                let text = plan::source(path)?;
                // What is wrong with it is told of it, not of the event.
                plan::parsed(path, &text)?;
                text
            }
        };
        known(program)?;
        let bench = Bench::new(&plan).with_program(program.to_owned());
        let answer = invoke(&bench, self.function, &body)
            .await
            .map_err(|error| Failure::input(self.file.name()).caused_by(error))?;
        let result = json!({"answer": answer, "effects": effects(&bench)});
        serde_json::to_writer_pretty(&mut *out, &result).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }

    /// Whether the function heeds the options that are given.
    fn is_heard(&self) -> Result<(), Failure> {
        let name = self.function.to_possible_value();
        let name = name
            .as_ref()
            .map_or("this function", |name| name.get_name());
        for (option, given, heeds) in [
            ("--plan", self.plan.is_some(), Function::QualityEvaluator),
            (
                "--program",
                self.program.is_some(),
                Function::FirehoseTransformer,
            ),
        ] {
            if given && self.function != heeds {
                let message = format_args!("{option} means nothing to {name}");
                return Err(Failure::input(message).cure(format_args!("leave {option} out")));
            }
        }
        Ok(())
    }
}

/// A program that comes along.
fn known(program: &str) -> Result<(), Failure> {
    if Bundled::named(program).is_some() {
        return Ok(());
    }
    let cure = format!(
        "--program takes one of {}; `andon program run` takes files",
        bundled_names()
    );
    Err(Failure::input(format_args!("no program `{program}`")).cure(cure))
}

/// Runs `function` on `body` in a fresh environment on `bench` and gives its answer to Lambda.
///
/// # Errors
/// If the function does not start or `body` is no event of its source.
pub async fn invoke(
    bench: &Bench,
    function: Function,
    body: &[u8],
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    if function == Function::FirehoseTransformer {
        let answer = bench.transformer()?.invoke(body)?;
        return Ok(serde_json::from_str(answer.get())?);
    }
    let mut buffer = Vec::new();
    let batch = Batch::decode(body, &mut buffer)?;
    if let Some(last_ms) = batch.user_records().map(|record| record.arrived_ms).max() {
        bench
            .clock
            .advance(last_ms + DELAY_MS - bench.world.now_ms());
    }
    let deadline = Deadline::after(FUNCTION_TIMEOUT - Duration::from_secs(2));
    Ok(match function {
        Function::QualityEvaluator => {
            let evaluator = bench.evaluator().await?;
            serde_json::to_value(evaluator.invoke(body, "local", deadline).await?)?
        }
        Function::DynamodbWriter => {
            serde_json::to_value(bench.writer(&[])?.invoke(body, deadline).await?)?
        }
        Function::SnsAlerter => {
            serde_json::to_value(bench.alerter()?.invoke(body, "local", deadline).await?)?
        }
        // Answered above: its event is none of Kinesis.
        Function::FirehoseTransformer => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(function: Function, event: &str) -> Result<Value, Failure> {
        run_with(Bench::PROGRAM, function, &format!("kinesis/{event}")).await
    }

    async fn run_with(program: &str, function: Function, event: &str) -> Result<Value, Failure> {
        let events = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
        let mut out = Vec::new();
        Invoke {
            function,
            file: format!("{events}/{event}").into(),
            plan: None,
            program: (function == Function::FirehoseTransformer).then(|| program.to_owned()),
        }
        .run(&mut out)
        .await?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    #[tokio::test]
    async fn the_answer_and_the_effects_are_printed() {
        let judged = run(
            Function::QualityEvaluator,
            "readings/malformed-in-the-middle.json",
        )
        .await
        .unwrap();
        assert_eq!(judged["answer"], json!({"batchItemFailures": []}));
        assert_eq!(judged["effects"]["quarantine"][0]["reason"], "not-json");
        let stored = run(Function::DynamodbWriter, "quality-events/single.json")
            .await
            .unwrap();
        assert_eq!(stored["effects"]["items"].as_array().unwrap().len(), 1);
        let alerted = run(Function::SnsAlerter, "quality-events/single.json")
            .await
            .unwrap();
        assert_eq!(alerted["effects"]["claims"][0]["status"], "sent");
    }

    #[tokio::test]
    async fn the_transformer_answers_firehose_by_the_program() {
        for (program, results) in [
            ("press-readings", ["Ok"; 3]),
            ("game-activity", ["Ok", "Dropped", "Ok"]),
        ] {
            let event = format!("firehose/{program}/from-a-stream.json");
            let answered = run_with(program, Function::FirehoseTransformer, &event)
                .await
                .unwrap();
            let records = answered["answer"]["records"].as_array().unwrap();
            let found: Vec<_> = records
                .iter()
                .filter_map(|one| one["result"].as_str())
                .collect();
            assert_eq!(found[..3], results, "{program}");
            assert_eq!(answered["effects"], json!({}), "{program}");
        }
        let kinesis = run(Function::FirehoseTransformer, "readings/single.json")
            .await
            .unwrap_err();
        assert_eq!(kinesis.exit_code(), 2);
    }

    #[tokio::test]
    async fn what_is_wrong_is_named_and_not_the_event() {
        let dir = tempfile::tempdir().unwrap();
        let plan = dir.path().join("bad.yaml");
        std::fs::write(&plan, "version: 1\n").unwrap();
        let invoke = |function, plan: Option<PathBuf>, program: Option<&str>| Invoke {
            function,
            file: concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../events/kinesis/readings/single.json"
            )
            .to_owned()
            .into(),
            plan,
            program: program.map(str::to_owned),
        };
        for (invoke, word) in [
            (
                invoke(Function::QualityEvaluator, Some(plan.clone()), None),
                "bad.yaml",
            ),
            (
                invoke(Function::FirehoseTransformer, None, Some("mine")),
                "no program `mine`",
            ),
            (
                invoke(Function::SnsAlerter, Some(plan), None),
                "--plan means nothing to sns-alerter",
            ),
            (
                invoke(Function::QualityEvaluator, None, Some("mine")),
                "--program means nothing to quality-evaluator",
            ),
        ] {
            let failure = invoke.run(&mut Vec::new()).await.unwrap_err();
            let told = failure.to_string();
            assert!(
                told.contains(word) && !told.contains("single.json"),
                "{told}"
            );
            assert_eq!(failure.exit_code(), 2);
        }
    }

    #[tokio::test]
    async fn a_missing_file_and_a_file_that_is_no_event_are_input_failures() {
        let missing = run(Function::SnsAlerter, "quality-events/none.json")
            .await
            .unwrap_err();
        assert_eq!(missing.exit_code(), 2);
        let no_event = run(Function::SnsAlerter, "../readings/korean.ndjson")
            .await
            .unwrap_err();
        assert_eq!(no_event.exit_code(), 2);
    }
}
