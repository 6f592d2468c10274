//! What a person wants to know after a run that judges nothing, and the same as JSON. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::super::checks::Check;
use super::super::lake::Delivered;
use super::super::summary::lines::{check_lines, counted, lag_lines, lake_lines, time_line};
use super::super::summary::{ShardLag, by_shard, tenths};
use super::ObservedRows;

/// The end of a run. Its JSON is what `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Records that the stream accepted.
    pub records: u64,
    /// What the delivery streams have made of them, by name.
    pub lake: BTreeMap<String, Delivered>,
    /// Processes that were killed on purpose, by function.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub killed: BTreeMap<String, u64>,
    /// How far each delivery stream is behind at the end, by shard.
    pub lag: BTreeMap<String, BTreeMap<String, ShardLag>>,
    /// Whether the counts agree.
    pub checks: BTreeMap<&'static str, bool>,
    /// The whole run.
    pub duration_s: f64,
    /// From the first record put until the last one was done with.
    pub pipeline_s: f64,
}

impl Summary {
    /// Of what was observed.
    pub fn of(
        observed: &ObservedRows,
        checks: &[Check],
        whole: Duration,
        pipeline: Duration,
    ) -> Self {
        let lake = observed.lake.iter();
        let damage = observed.damage.clone().unwrap_or_default();
        Self {
            records: observed.put.records,
            lake: lake.map(|one| (one.stream.clone(), one.clone())).collect(),
            killed: damage.killed,
            lag: by_shard(&observed.lag),
            checks: checks
                .iter()
                .map(|check| (check.name, check.holds()))
                .collect(),
            duration_s: tenths(whole),
            pipeline_s: tenths(pipeline),
        }
    }
}

/// For a person.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![("records", self.records.to_string())];
        lines.extend(lake_lines(&self.lake));
        if !self.killed.is_empty() {
            lines.push(("killed", counted(&self.killed)));
        }
        lines.extend(lag_lines(&self.lag));
        lines.extend(check_lines(&self.checks));
        lines.push(time_line(self.duration_s, self.pipeline_s));
        for (name, text) in lines {
            writeln!(f, "{name:<12} {text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks;
    use super::super::tests::sound;
    use super::*;

    fn summary() -> Summary {
        let observed = sound();
        let checks = checks(&observed);
        let (whole, pipeline) = (Duration::from_millis(9_040), Duration::from_millis(1_310));
        Summary::of(&observed, &checks, whole, pipeline)
    }

    #[test]
    fn json_has_every_count() {
        assert_eq!(
            serde_json::to_value(summary()).unwrap(),
            serde_json::json!({
                "records": 3,
                "lake": {"andon-game": {"records": 3, "delivered": 2, "dropped": 1, "failed": 0, "objects": 1, "bytes": 120}},
                "lag": {"lake andon-game": {"shardId-000000000000": {"records": 0, "ms": 0, "most_ms": 40}}},
                "checks": {"records_in_the_lake": true, "rows_hold_what_they_may": true, "nothing_left_behind": true},
                "duration_s": 9.0,
                "pipeline_s": 1.3,
            })
        );
    }

    #[test]
    fn a_person_reads_the_same() {
        let text = summary().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[..3],
            [
                "records      3",
                "lake         1 objects, 120 bytes",
                "             andon-game             3 in: 2 delivered, 1 dropped, 0 failed",
            ]
        );
    }
}
