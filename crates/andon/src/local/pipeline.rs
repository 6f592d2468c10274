//! Which line of work a run is of: what is deployed, what is fed, what is judged.
//!
//! A production line's readings are judged, and go to the lake. A game's users are judged by nobody: one program makes rows
//! of them. A web shop has both: what its servers count in ten seconds is judged, what its visitors click goes to the lake.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use super::feed;
use super::model;
use super::plan::Plan;
use super::setup::STACK;
use super::worn::{self, Truth};
use crate::failure::Failure;
use crate::input::{Input, unreadable};
use crate::produce::Keying;

/// Which line of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// A production line's readings: judged, stored, alerted, and delivered to the lake
    #[default]
    Press,
    /// A game's users: those who pay nothing to the lake, for a marketing model
    Game,
    /// A web shop: what its servers count is judged and stored, its visitors' clicks go to the lake
    Clickstream,
}

/// What the user says about it.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Readings, if not the recorded ones.
    pub readings: Option<Input>,
    /// Records, if not the recorded ones.
    pub records: Option<Input>,
    /// The control plan, if not the pipeline's.
    pub plan: Option<PathBuf>,
    /// When machines failed, of readings that are not the recorded ones.
    pub truth: Option<PathBuf>,
    /// The model, if not the example's.
    pub model: Option<PathBuf>,
    /// Whether some readings end the evaluator's process.
    pub poisons: bool,
    /// Whether presses that wear come after the recorded shift.
    pub wears: bool,
}

/// What a run works on.
#[derive(Clone, Debug)]
pub struct Work {
    /// Readings to be judged.
    pub quality: Option<Quality>,
    /// Records that one program makes into rows.
    pub rows: Option<Rows>,
}

/// Readings and what judges them: a stack of `template.yaml`.
#[derive(Clone, Debug)]
pub struct Quality {
    /// The control plan.
    pub plan: Arc<Plan>,
    /// The readings.
    pub readings: Fed,
    /// Whether readings and events go to the lake: its programs know a press line's readings.
    pub lake: bool,
    /// Where the model lies that the plan asks, if it asks one.
    pub model: Option<PathBuf>,
    /// When machines failed, if that is known.
    pub truth: Option<Truth>,
}

/// Records and the program that makes rows of them: a stack of `delivery.yaml`.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The program.
    pub program: &'static str,
    /// The stack's name, and its stream's.
    pub stack: String,
    /// The records.
    pub records: Fed,
    /// Where a record names its partition key.
    pub keying: Keying,
}

/// What is put on a stream.
#[derive(Clone, Debug)]
pub struct Fed {
    /// Where it comes from, a line each.
    pub input: Input,
    /// How many there are, if that is known.
    pub lines: Option<u64>,
}

impl Fed {
    /// Looked at before anything is started: a file that is missing or empty is told at once. `what` is the option that
    /// names it.
    fn of(input: Input, what: &str) -> Result<Self, Failure> {
        match feed::count(&input)? {
            Some(0) => Err(feed::nothing(&input, what)),
            lines => Ok(Self { input, lines }),
        }
    }
}

/// Where the readings are written that a press line's run is fed with.
const FED: &str = "target/andon/readings.ndjson";

impl Pipeline {
    /// Reads what is needed; what the pipeline does not take is refused. Blocks until all is read.
    pub fn work(self, root: &Path, choice: Choice) -> Result<Work, Failure> {
        let Choice {
            readings,
            records,
            plan,
            truth,
            model,
            poisons,
            wears,
        } = choice;
        let needless = match self {
            Self::Press => records.is_some().then_some("--records"),
            Self::Clickstream => None,
            Self::Game if readings.is_some() => Some("--readings"),
            Self::Game if truth.is_some() => Some("--truth"),
            Self::Game if model.is_some() => Some("--model"),
            Self::Game if poisons => Some("--poison"),
            Self::Game => plan.is_some().then_some("--plan"),
        };
        if let Some(option) = needless {
            return Err(
                Failure::input(format_args!("{option} is not for this pipeline"))
                    .cure("see `andon local --help`"),
            );
        }
        if let (Some(readings), Some(records)) = (&readings, &records) {
            both_can_be_read(readings, records)?;
        }
        let quality = |path: &str, recorded: &str, lake| {
            let plan = plan.clone().unwrap_or_else(|| root.join(path));
            let plan = Plan::load(&plan)?;
            if plan.rules.model().is_none() {
                let needless = [("--model", model.is_some()), ("--truth", truth.is_some())];
                if let Some((option, _)) = needless.into_iter().find(|(_, given)| *given) {
                    let message = format_args!("{option}: the control plan asks no model");
                    return Err(Failure::input(message)
                        .cure("give a plan with a section `model`, or leave the option out"));
                }
            }
            let example = model::folder(root);
            let model = match plan.rules.model() {
                Some(_) => Some(model_folder(model.as_ref().unwrap_or(&example))?),
                None => None,
            };
            // By their one true path each: however the user names the example's folder, it is the example.
            let is_example = model.is_some() && model == std::fs::canonicalize(example).ok();
            let mut truth = truth.as_deref().map(Truth::read).transpose()?;
            let readings = match &readings {
                Some(readings) => readings.clone(),
                // A shift in which nothing fails tells nothing of what a model is worth.
                None if lake && is_example && wears => {
                    let path = root.join(FED);
                    truth = Some(worn::after(&Input::from(root.join(recorded)), &path)?);
                    Input::from(path)
                }
                None => Input::from(root.join(recorded)),
            };
            Ok::<_, Failure>(Quality {
                plan: Arc::new(plan),
                readings: Fed::of(readings, "readings")?,
                lake,
                model,
                truth,
            })
        };
        let rows = |program, label, recorded: &str, key: &str| {
            let recorded = || Input::from(root.join(recorded));
            Ok::<_, Failure>(Rows {
                program,
                stack: format!("{STACK}-{label}"),
                records: Fed::of(records.clone().unwrap_or_else(recorded), "records")?,
                keying: key.parse().map_err(Failure::check)?,
            })
        };
        let (quality, rows) = match self {
            Self::Press => (
                Some(quality(
                    "infra/plans/press-line.yaml",
                    "events/readings/shift.ndjson",
                    true,
                )?),
                None,
            ),
            Self::Game => (
                None,
                Some(rows(
                    "game-activity",
                    "game",
                    "events/game/users.ndjson",
                    "/user_id",
                )?),
            ),
            Self::Clickstream => (
                Some(quality(
                    "infra/plans/clickstream.yaml",
                    "events/clickstream/windows.ndjson",
                    false,
                )?),
                Some(rows(
                    "clickstream",
                    "clicks",
                    "events/clickstream/clicks.ndjson",
                    "/session",
                )?),
            ),
        };
        Ok(Work { quality, rows })
    }
}

/// Two streams cannot be fed from one that can be read once only: each would get some of its lines.
fn both_can_be_read(readings: &Input, records: &Input) -> Result<(), Failure> {
    let is_one = readings == records
        || matches!((identity(readings), identity(records)), (Some(a), Some(b)) if a == b);
    if !is_one || readings.can_be_reread()? {
        return Ok(());
    }
    Err(
        Failure::input(format_args!("{} can be read once", readings.called()))
            .cure("give --readings or --records a file"),
    )
}

/// What the system knows a stream by, whatever its name; a file is read from its start by each who opens it.
fn identity(input: &Input) -> Option<(u64, u64)> {
    let name = match input.is_stdin() {
        true => "/dev/stdin".to_owned(),
        false => input.name(),
    };
    let found = std::fs::metadata(name).ok()?;
    (!found.is_file()).then(|| (found.dev(), found.ino()))
}

/// The one true path of a folder in which the model server finds its model: `model.onnx`, or the only ONNX file.
fn model_folder(given: &Path) -> Result<PathBuf, Failure> {
    let cure = "give --model the folder that holds the model.onnx, or one ONNX file";
    let cannot = |error| unreadable(given, error).cure(cure);
    let folder = std::fs::canonicalize(given).map_err(cannot)?;
    let mut models = 0;
    for entry in std::fs::read_dir(&folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        models += usize::from(path.extension().is_some_and(|end| end == "onnx"));
    }
    let given = given.display();
    match models {
        1 => Ok(folder),
        _ if folder.join("model.onnx").is_file() => Ok(folder),
        0 => Err(Failure::input(format_args!("{given} holds no ONNX file")).cure(cure)),
        _ => Err(Failure::input(format_args!(
            "{given} holds {models} ONNX files, and none of them is model.onnx"
        ))
        .cure(cure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_pipeline_has_what_it_works_on() {
        // As a user would type it in the folder in which tests are run.
        let example = Some(PathBuf::from("../../infra/model"));
        for (pipeline, wears, model, readings, records) in [
            (Pipeline::Press, true, None, Some(12_000), None),
            (Pipeline::Press, true, example, Some(12_000), None),
            (Pipeline::Press, false, None, Some(6_000), None),
            (Pipeline::Game, true, None, None, Some(400)),
            (Pipeline::Clickstream, true, None, Some(3_596), Some(600)),
        ] {
            let choice = Choice {
                wears,
                model,
                ..Choice::default()
            };
            let work = pipeline.work(&root(), choice).unwrap();
            let lines = (
                work.quality.and_then(|quality| quality.readings.lines),
                work.rows.and_then(|rows| rows.records.lines),
            );
            assert_eq!(lines, (readings, records), "{pipeline:?}");
        }
    }

    #[test]
    fn what_a_pipeline_does_not_take_is_refused() {
        let input = || Some(Input::from("x.ndjson".to_owned()));
        for (pipeline, choice, option) in [
            (
                Pipeline::Press,
                Choice {
                    records: input(),
                    ..Choice::default()
                },
                "--records",
            ),
            (
                Pipeline::Game,
                Choice {
                    readings: input(),
                    ..Choice::default()
                },
                "--readings",
            ),
            (
                Pipeline::Game,
                Choice {
                    plan: Some("plan.yaml".into()),
                    ..Choice::default()
                },
                "--plan",
            ),
            (
                Pipeline::Game,
                Choice {
                    poisons: true,
                    ..Choice::default()
                },
                "--poison",
            ),
            (
                Pipeline::Clickstream,
                Choice {
                    model: Some("infra/model".into()),
                    ..Choice::default()
                },
                "--model",
            ),
            (
                Pipeline::Clickstream,
                Choice {
                    truth: Some("truth.ndjson".into()),
                    ..Choice::default()
                },
                "--truth",
            ),
        ] {
            let failure = pipeline.work(&root(), choice).unwrap_err();
            assert!(failure.to_string().starts_with(option), "{failure}");
        }
    }

    /// Refused before anything is started.
    #[track_caller]
    fn refused(pipeline: Pipeline, choice: Choice, message: &str) {
        let failure = pipeline.work(&root(), choice).unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{failure}");
        assert!(failure.to_string().contains(message), "{failure}");
    }

    #[test]
    fn readings_that_are_a_folder_or_empty_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.ndjson");
        std::fs::write(&empty, "").unwrap();
        for (path, message) in [
            (folder.path().to_path_buf(), "cannot read "),
            (empty, "empty.ndjson holds no readings"),
        ] {
            let choice = Choice {
                readings: Some(Input::from(path)),
                ..Choice::default()
            };
            refused(Pipeline::Press, choice, message);
        }
    }

    #[test]
    fn one_stream_does_not_feed_two() {
        for (stream, message) in [
            ("-", "stdin can be read once"),
            ("/dev/null", "/dev/null can be read once"),
        ] {
            let input = || Some(Input::from(stream.to_owned()));
            let choice = Choice {
                readings: input(),
                records: input(),
                ..Choice::default()
            };
            refused(Pipeline::Clickstream, choice, message);
        }
        let file = Input::from(root().join("events/clickstream/windows.ndjson"));
        both_can_be_read(&file, &file).unwrap();
        let stdin = Input::from("-".to_owned());
        both_can_be_read(&stdin, &file).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let other_name = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &other_name).unwrap();
        let null = Input::from("/dev/null".to_owned());
        both_can_be_read(&null, &Input::from(other_name)).unwrap_err();
    }

    #[test]
    fn a_folder_without_a_model_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let choice = || Choice {
            model: Some(folder.path().to_path_buf()),
            ..Choice::default()
        };
        refused(Pipeline::Press, choice(), "holds no ONNX file");
        for (file, is_one) in [("a.onnx", true), ("b.onnx", false), ("model.onnx", true)] {
            let path = folder.path().join(file);
            std::fs::write(&path, "").unwrap();
            assert_eq!(model_folder(folder.path()).is_ok(), is_one, "{file}");
            let failure = model_folder(&path).unwrap_err();
            assert!(failure.to_string().starts_with("cannot read "), "{failure}");
            if !is_one {
                refused(Pipeline::Press, choice(), "holds 2 ONNX files");
            }
        }
    }
}
