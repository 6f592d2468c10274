//! What a person wants to know after a run, and the same as JSON. Pure.

pub mod lines;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use quality_event::{Severity, Transition};
use serde::Serialize;

use super::checks::{Check, Outcome, alert_outcomes, line_stop_outcomes};
use super::lake::Delivered;
use super::mapping::lag::Behind;
use super::observe::{Observed, Received};
use super::predictions::{Predictions, predictions};

const STEPS: [Transition; 3] = [Transition::Opened, Transition::Ongoing, Transition::Cleared];

/// The end of a run. Its JSON is what `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Readings on the stream, those within aggregates counted one by one.
    pub readings: u64,
    /// The records that carry them.
    pub records: u64,
    /// Distinct events of rules, by rule and transition.
    pub events: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// What the model said, if one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predictions: Option<Predictions>,
    /// Items in the table of events.
    pub stored: u64,
    /// Alerts by severity.
    pub alerts: BTreeMap<Severity, Outcomes>,
    /// Line stops that were delivered.
    pub line_stops: u64,
    /// Line stops that were held back, by reason.
    pub line_stops_suppressed: BTreeMap<String, u64>,
    /// Readings and events that no retry cures, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// Readings of machines that were held too long, by reason.
    pub parked: BTreeMap<String, u64>,
    /// What the delivery streams have made of their records, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lake: BTreeMap<String, Delivered>,
    /// Records that were given up, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub given_up: BTreeMap<String, u64>,
    /// Processes that were killed on purpose, by function.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub killed: BTreeMap<String, u64>,
    /// Calls and invocations that were made to go wrong, by fault.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// Alerts and line stops that a subscriber got once more, because a process was killed after publishing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated: Option<u64>,
    /// From the record's arrival until the writer's answer to the invocation that stored its event; none if nothing was
    /// stored.
    pub latency_ms: Option<Percentiles>,
    /// How far each function is behind at the end, by shard.
    pub lag: BTreeMap<String, BTreeMap<String, ShardLag>>,
    /// Whether the counts agree, each by distinct id.
    pub checks: BTreeMap<&'static str, bool>,
    /// The whole run.
    pub duration_s: f64,
    /// From the first reading put until the last one was done with.
    pub pipeline_s: f64,
}

/// Alerts of one severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Delivered.
    pub sent: u64,
    /// Held back, by reason.
    pub suppressed: BTreeMap<String, u64>,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half took no longer.
    pub p50: i64,
    /// 99 % took no longer.
    pub p99: i64,
}

/// A shard's lag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShardLag {
    /// Records behind.
    pub records: u64,
    /// The age of the oldest of them, in ms.
    pub ms: i64,
    /// The oldest that a record was when it was done, in ms.
    pub most_ms: i64,
}

impl Summary {
    /// Of what was observed; `latencies_ms` in any order.
    pub fn of(
        observed: &Observed,
        checks: &[Check],
        latencies_ms: Vec<i64>,
        whole: Duration,
        pipeline: Duration,
    ) -> Self {
        let damage = observed.damage.clone().unwrap_or_default();
        let mut summary = Self {
            readings: observed.expected.readings,
            records: observed.expected.records,
            events: BTreeMap::new(),
            predictions: observed
                .model
                .as_ref()
                .map(|model| predictions(model, &observed.events)),
            stored: observed.stored.len() as u64,
            alerts: BTreeMap::new(),
            line_stops: 0,
            line_stops_suppressed: BTreeMap::new(),
            quarantined: BTreeMap::new(),
            parked: BTreeMap::new(),
            lake: observed
                .lake
                .iter()
                .map(|delivered| (delivered.stream.clone(), delivered.clone()))
                .collect(),
            given_up: BTreeMap::new(),
            killed: damage.killed,
            faults: damage.faults,
            repeated: observed
                .damage
                .as_ref()
                .map(|_| repeated(&observed.alerts) + repeated(&observed.line_stops)),
            latency_ms: Percentiles::of(latencies_ms),
            lag: by_shard(&observed.lag),
            checks: checks
                .iter()
                .map(|check| (check.name, check.holds()))
                .collect(),
            duration_s: tenths(whole),
            pipeline_s: tenths(pipeline),
        };
        let violations = observed.events.values();
        for event in violations.filter(|event| event.violation().is_some()) {
            let rule = summary
                .events
                .entry(event.subject().to_owned())
                .or_default();
            STEPS.iter().for_each(|step| {
                rule.entry(step.as_str()).or_default();
            });
            // A late finding has no episode.
            let step = event.transition().map_or("single", Transition::as_str);
            *rule.entry(step).or_default() += 1;
        }
        for (event, outcome) in alert_outcomes(observed) {
            let outcomes = summary.alerts.entry(event.severity).or_default();
            match outcome {
                Outcome::Sent => outcomes.sent += 1,
                Outcome::Suppressed(reason) => {
                    *outcomes.suppressed.entry(reason).or_default() += 1;
                }
                // The checks name it.
                Outcome::Wrong(_) => {}
            }
        }
        for (_, outcome) in line_stop_outcomes(observed) {
            match outcome {
                Outcome::Sent => summary.line_stops += 1,
                Outcome::Suppressed(reason) => {
                    *summary.line_stops_suppressed.entry(reason).or_default() += 1;
                }
                Outcome::Wrong(_) => {}
            }
        }
        // By distinct place: an invocation that is repeated sets aside once more.
        let aside: BTreeMap<_, _> = observed
            .set_aside
            .iter()
            .map(|aside| ((&aside.fate, &aside.stream, &aside.place), aside))
            .collect();
        for aside in aside.values() {
            let by_reason = match aside.fate.as_str() {
                "parked" => &mut summary.parked,
                _ => &mut summary.quarantined,
            };
            *by_reason.entry(aside.reason.clone()).or_default() += 1;
        }
        for batch in &observed.given_up {
            *summary.given_up.entry(batch.condition.clone()).or_default() +=
                batch.records.len() as u64;
        }
        summary
    }
}

/// How many messages a subscriber got beyond the first of their event.
fn repeated(received: &[Received]) -> u64 {
    let distinct: BTreeSet<_> = received.iter().map(|message| &message.id).collect();
    (received.len() - distinct.len()) as u64
}

impl Percentiles {
    /// By nearest rank.
    fn of(mut values: Vec<i64>) -> Option<Self> {
        values.sort_unstable();
        let at = |percent: usize| {
            values
                .get((values.len() * percent).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Some(Self {
            p50: at(50)?,
            p99: at(99)?,
        })
    }
}

/// Seconds with one decimal.
pub fn tenths(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10.0).round() / 10.0
}

/// The lag of each function or delivery stream, by shard.
pub fn by_shard(lag: &[Behind]) -> BTreeMap<String, BTreeMap<String, ShardLag>> {
    let mut functions: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for behind in lag {
        let shards = functions.entry(behind.function.clone()).or_default();
        let lag = ShardLag {
            records: behind.records as u64,
            ms: behind.ms,
            most_ms: behind.most_ms,
        };
        shards.insert(behind.shard.clone(), lag);
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::super::checks::{checks, tests::sound};
    use super::super::predictions::{Confusion, OfThreshold, Worth};
    use super::*;

    fn summary() -> Summary {
        let observed = sound();
        let checks = checks(&observed);
        Summary::of(
            &observed,
            &checks,
            (1..=200).rev().collect(),
            Duration::from_millis(12_345),
            Duration::from_millis(6_100),
        )
    }

    #[test]
    fn json_has_every_count() {
        let json = serde_json::to_value(summary()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "readings": 6,
                "records": 6,
                "events": {"power-out-of-range": {"opened": 3, "ongoing": 1, "cleared": 1}},
                "stored": 4,
                "alerts": {"critical": {"sent": 2, "suppressed": {"cool-down": 1}}},
                "line_stops": 1,
                "line_stops_suppressed": {},
                "lake": {"andon-readings": {"records": 6, "delivered": 4, "dropped": 1, "failed": 1, "objects": 2, "bytes": 345}},
                "quarantined": {"not-json": 1},
                "parked": {},
                "latency_ms": {"p50": 100, "p99": 198},
                "lag": {"sns-alerter": {"shardId-000000000000": {"records": 0, "ms": 0, "most_ms": 40}}},
                "checks": {
                    "readings_on_the_stream": true,
                    "records_in_the_lake": true,
                    "readings_judged_or_set_aside": true,
                    "events_stored": true,
                    "alerts_sent_or_suppressed": true,
                    "line_stops_sent_or_suppressed": true,
                    "nothing_left_behind": true,
                },
                "duration_s": 12.3,
                "pipeline_s": 6.1,
            })
        );
    }

    #[test]
    fn a_person_reads_the_same() {
        assert_eq!(
            summary().to_string(),
            "\
readings     6 in 6 records
quarantined  1: 1 not-json
events       5
             power-out-of-range      3 opened      1 ongoing      1 cleared
stored       4 items
alerts       2 sent
             critical      2 sent, suppressed 1: 1 cool-down
line stops   1 sent
lake         2 objects, 345 bytes
             andon-readings         6 in: 4 delivered, 1 dropped, 1 failed
latency      p50 100 ms, p99 198 ms from put to stored
lag          0 records, at most 40 ms on the way
             sns-alerter         shard 0: 0
check        ok     alerts sent or suppressed
check        ok     events stored
check        ok     line stops sent or suppressed
check        ok     nothing left behind
check        ok     readings judged or set aside
check        ok     readings on the stream
check        ok     records in the lake
time         12.3 s, of which 6.1 s in the pipeline
"
        );
    }

    #[test]
    fn what_a_model_was_worth_is_told_beside_what_it_said() {
        let predictions = Predictions {
            model: "bearing-wear".into(),
            scored: 5_998,
            unscored: [("missing-feature".to_owned(), 2)].into(),
            flagged: [(Severity::Warning, 9)].into(),
            worth: Some(Worth {
                machines: 8,
                readings: 5_998,
                horizon: 100,
                thresholds: vec![OfThreshold {
                    reaction: "notify".into(),
                    score: 0.82,
                    confusion: Confusion {
                        true_positive: 8,
                        false_positive: 1,
                        false_negative: 3,
                        true_negative: 5_986,
                    },
                    failures: 6,
                    failures_told: 5,
                    median_lead_min: Some(52.8),
                    median_lead_parts: Some(88.0),
                    alarms: 4,
                    false_alarms: 1,
                    false_alarms_per_shift: 1.1,
                }],
            }),
        };
        let mut summary = summary();
        summary.predictions = Some(predictions);
        let text = summary.to_string();
        let told = "\
predictions  bearing-wear: 5998 scored, unscored 2: 2 missing-feature
             warning       9 flagged
model        8 machines of which is known when they failed, 5998 readings
             notify     from 0.82: 5 of 6 failures told, 53 min ahead; 1 of 4 alarms false, 1.1 a shift
                        readings: 8 flagged rightly, 1 wrongly; 3 missed, 5986 left alone
stored ";
        assert!(text.contains(told), "{text}");
        let json = serde_json::to_value(&summary).unwrap();
        let threshold = &json["predictions"]["worth"]["thresholds"][0];
        assert_eq!(threshold["confusion"]["false_negative"], 3);
        assert_eq!(threshold["median_lead_min"], 52.8);
    }

    #[test]
    fn a_failed_check_stands_out() {
        let mut observed = sound();
        observed.stored.clear();
        let checks = checks(&observed);
        let summary = Summary::of(&observed, &checks, vec![], Duration::ZERO, Duration::ZERO);
        assert!(!summary.checks["events_stored"]);
        let text = summary.to_string();
        assert!(text.contains("FAILED events stored"), "{text}");
        assert!(text.contains("latency      nothing stored"), "{text}");
    }

    #[test]
    fn percentiles_go_by_nearest_rank() {
        for (values, expected) in [
            (vec![], None),
            (vec![7], Some((7, 7))),
            (vec![3, 1, 2], Some((2, 3))),
            ((1..=1_000).collect(), Some((500, 990))),
        ] {
            let found = Percentiles::of(values).map(|found| (found.p50, found.p99));
            assert_eq!(found, expected);
        }
    }
}
