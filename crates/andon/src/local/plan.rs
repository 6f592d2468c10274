//! The control plan of a run, and how a line finds its machine by it.

use std::path::Path;

use control_plan::ControlPlan;

use crate::failure::Failure;
use crate::plan::push::{self, Place};
use crate::produce::{Keyed, Keying};

/// A plan that has passed its check.
#[derive(Debug)]
pub struct Plan {
    name: String,
    source: String,
    /// The plan itself.
    pub rules: ControlPlan,
}

impl Plan {
    /// Reads and checks it.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let source = crate::plan::source(path)?;
        let rules = ControlPlan::parse(&name, &source)
            .map_err(|errors| Failure::input(format_args!("the plan is not in order\n{errors}")))?;
        Ok(Self {
            name,
            source,
            rules,
        })
    }

    /// Puts it into service at `uri`, as `andon plan push` does.
    pub async fn push(&self, client: aws_sdk_s3::Client, uri: &str) -> Result<(), Failure> {
        let place: Place = uri.parse().map_err(|error| {
            Failure::check(error).cure("the template's output PlanUri is at fault")
        })?;
        push::push(client, place, &self.name, &self.source, &mut Vec::new()).await
    }
}

/// Keys a line by the machine that the plan reads in it; what is no reading by this plan goes by its hash.
pub fn key(plan: &ControlPlan, fallback: &Keying, line: Vec<u8>) -> Keyed {
    match plan.read(&line) {
        Ok(reading) => Keyed {
            partition_key: reading.machine,
            named: true,
            data: line,
        },
        Err(_) => fallback.key(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = "version: 1
reading: {machine: /asset/name, time: /at}
characteristics:
  torque: {at: /torque, unit: Nm}
rules:
  - id: too-tight
    when: torque > 60.0
";

    #[test]
    fn a_line_goes_under_the_machine_that_the_plan_reads() {
        let plan = ControlPlan::parse("plan.yaml", PLAN).unwrap();
        let fallback: Keying = "/machine".parse().unwrap();
        let key = |line: &str| key(&plan, &fallback, line.into());
        let keyed = key(r#"{"asset":{"name":"press-07"},"at":"2026-11-20T00:00:00Z"}"#);
        assert_eq!(
            (keyed.partition_key.as_str(), keyed.named),
            ("press-07", true)
        );
        assert!(!key("not a reading").named);
    }
}
