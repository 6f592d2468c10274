//! `andon plan check`: every fault of every plan, with line and column.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use control_plan::{ControlPlan, PlanErrors};
use serde::Serialize;

use super::source;
use crate::failure::Failure;

/// Check control plans; every fault is named with line and column
///
/// Of a plan that is in order: its rules by kind, what judging one reading costs at most (in steps of about one simple
/// operation on a number), and how large the stored state of one machine can become.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// Control plans
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print one JSON object a plan
    #[arg(long)]
    json: bool,
}

/// One plan's result as JSON.
#[derive(Debug, Serialize)]
struct Finding<'a> {
    file: &'a str,
    /// The plan's hash, as quality events carry it; null for a faulty plan.
    hash: Option<&'a str>,
    rules: Vec<&'a str>,
    /// How many rules there are of each kind.
    kinds: BTreeMap<&'static str, usize>,
    /// What judging one reading costs at most; null for a faulty plan.
    steps: Option<usize>,
    /// How large one machine's state becomes at most; null for a faulty plan.
    state_bytes: Option<usize>,
    faults: Vec<Fault<'a>>,
}

#[derive(Debug, Serialize)]
struct Fault<'a> {
    line: usize,
    column: usize,
    message: &'a str,
}

impl Check {
    /// Checks every file, then fails if one is faulty; `notes` takes the faults unless they are JSON.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let mut faulty = 0;
        for path in &self.files {
            let file = path.display().to_string();
            let parsed = ControlPlan::parse(&file, &source(path)?);
            faulty += usize::from(parsed.is_err());
            match (&parsed, self.json) {
                (parsed, true) => {
                    serde_json::to_writer(&mut *out, &finding(&file, parsed))
                        .map_err(std::io::Error::from)?;
                    writeln!(out)?;
                }
                (Ok(plan), false) => {
                    let kinds: Vec<String> = kinds(plan)
                        .into_iter()
                        .map(|(kind, rules)| format!("{rules} {kind}"))
                        .collect();
                    writeln!(
                        out,
                        "{file}: in order, {} rules, {}\n  {}; a reading takes at most {} steps, a machine's state at most {} bytes",
                        plan.rules().len(),
                        plan.hash(),
                        kinds.join(", "),
                        plan.steps(),
                        plan.state_bytes()
                    )?;
                }
                (Err(errors), false) => writeln!(notes, "{errors}\n")?,
            }
        }
        match faulty {
            0 => Ok(()),
            faulty => Err(Failure::check(format_args!(
                "{faulty} of {} plans not in order",
                self.files.len()
            ))),
        }
    }
}

/// How many rules there are of each kind.
fn kinds(plan: &ControlPlan) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for rule in plan.rules() {
        *kinds.entry(rule.kind().as_str()).or_default() += 1;
    }
    kinds
}

fn finding<'a>(file: &'a str, parsed: &'a Result<ControlPlan, PlanErrors>) -> Finding<'a> {
    let fault = |fault: &'a control_plan::PlanFault| Fault {
        line: fault.line,
        column: fault.column,
        message: &fault.message,
    };
    match parsed {
        Ok(plan) => Finding {
            file,
            hash: Some(plan.hash()),
            rules: plan.rules().map(|rule| rule.id()).collect(),
            kinds: kinds(plan),
            steps: Some(plan.steps()),
            state_bytes: Some(plan.state_bytes()),
            faults: Vec::new(),
        },
        Err(errors) => Finding {
            file,
            hash: None,
            rules: Vec::new(),
            kinds: BTreeMap::new(),
            steps: None,
            state_bytes: None,
            faults: errors.faults().iter().map(fault).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SOUND: &str = "version: 1
reading: {machine: /machine, time: /time}
characteristics:
  torque: {at: /torque, unit: Nm}
rules:
  - id: too-tight
    when: torque > 60.0
";

    fn run(plans: &[&str], json: bool) -> (Result<(), Failure>, String, String) {
        let dir = tempfile::tempdir().unwrap();
        let write = |(n, plan): (usize, &&str)| {
            let path = dir.path().join(format!("plan-{n}.yaml"));
            std::fs::write(&path, plan).unwrap();
            path
        };
        let files = plans.iter().enumerate().map(write).collect();
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let done = Check { files, json }.run(&mut out, &mut notes);
        (
            done,
            String::from_utf8(out).unwrap(),
            String::from_utf8(notes).unwrap(),
        )
    }

    #[test]
    fn a_sound_plan_is_named_with_its_hash() {
        let (done, out, notes) = run(&[SOUND], false);
        done.unwrap();
        assert!(
            out.contains("plan-0.yaml: in order, 1 rules, sha256:"),
            "{out}"
        );
        assert!(
            out.contains("\n  1 when; a reading takes at most "),
            "{out}"
        );
        assert_eq!(notes, "");
    }

    #[test]
    fn a_faulty_plan_fails_the_check_and_shows_the_spot() {
        let (done, out, notes) = run(&[SOUND, &SOUND.replace("torque >", "torqe >")], false);
        let failure = done.unwrap_err();
        assert_eq!(
            (failure.exit_code(), failure.to_string()),
            (1, "1 of 2 plans not in order".into())
        );
        assert_eq!(out.lines().count(), 2);
        assert!(
            notes.contains("plan-1.yaml:7:11: ") && notes.contains("torqe") && notes.contains('^'),
            "{notes}"
        );
    }

    #[test]
    fn json_says_the_same() {
        let (done, out, notes) = run(&[SOUND, &SOUND.replace("torque >", "torqe >")], true);
        assert_eq!(done.unwrap_err().exit_code(), 1);
        assert_eq!(notes, "");
        let findings: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(findings[0]["rules"], serde_json::json!(["too-tight"]));
        assert!(findings[0]["hash"].as_str().unwrap().starts_with("sha256:"));
        assert_eq!(findings[0]["faults"], serde_json::json!([]));
        assert_eq!(findings[0]["kinds"], serde_json::json!({"when": 1}));
        assert!(findings[0]["steps"].as_u64().is_some_and(|steps| steps > 0));
        assert!(
            findings[0]["state_bytes"]
                .as_u64()
                .is_some_and(|bytes| bytes > 0)
        );
        assert_eq!(findings[1]["steps"], Value::Null);
        assert_eq!(findings[1]["hash"], Value::Null);
        assert_eq!(
            (
                &findings[1]["faults"][0]["line"],
                &findings[1]["faults"][0]["column"]
            ),
            (&7.into(), &11.into())
        );
    }

    #[test]
    fn a_missing_file_is_bad_input() {
        let check = Check {
            files: vec!["no/such/plan.yaml".into()],
            json: false,
        };
        let failure = check.run(&mut Vec::new(), &mut Vec::new()).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(
            failure.to_string().contains("no/such/plan.yaml"),
            "{failure}"
        );
    }
}
