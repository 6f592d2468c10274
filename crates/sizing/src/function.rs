//! The functions of the pipeline: how long a batch takes, and what its mapping makes of that.

use crate::consumer::{Consumer, Prediction};
use crate::load::Load;

/// The memory in MB that buys a whole core (Lambda, "Configure Lambda function memory").
const CORE_MB: f64 = 1769.0;
/// Bytes of an event's record beside its data (Lambda's Kinesis event; the ARNs' lengths vary).
const ENVELOPE_BYTES: f64 = 540.0;
/// Bytes that an event may have (Lambda, "Lambda quotas": 6 MB).
const EVENT_BYTES: f64 = 6_291_456.0;
/// Machines whose states the evaluator loads by one call.
const MACHINES_A_CALL: f64 = 100.0;
/// States that the evaluator commits side by side.
const COMMITS_AT_ONCE: f64 = 16.0;
/// Records of one PutRecords.
const RECORDS_A_CALL: f64 = 500.0;
/// Items of one BatchWriteItem, and calls that the writer makes side by side.
const ITEMS_A_CALL: f64 = 25.0;
const WRITES_AT_ONCE: f64 = 4.0;
/// Messages of one PublishBatch, and calls of the model side by side.
const MESSAGES_A_CALL: f64 = 10.0;
const CALLS_AT_ONCE: f64 = 4.0;

/// Write units of an alert's claim.
pub(crate) const CLAIM_UNITS: f64 = 5.0;

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Evaluator,
    Caller,
    Writer,
    Alerter,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Evaluator => "quality-evaluator",
            Self::Caller => "sagemaker-caller",
            Self::Writer => "dynamodb-writer",
            Self::Alerter => "sns-alerter",
        }
    }

    /// How its duration is worked out, for people.
    pub(crate) fn formula(self, load: &Load) -> &'static str {
        if self.measured_ms(load) > 0.0 {
            return "as measured, for a batch of any size";
        }
        match self {
            Self::Evaluator => {
                "fixed_ms + readings · (reading_us + rules · rule_ns) / core + loads (100 machines each) and commits (16 at once) · table_call_ms + PutRecords · stream_call_ms"
            }
            Self::Caller => {
                "fixed_ms + readings · reading_us / core + calls (call_rows each, 4 at once) · (model_call_ms + rows · model_row_us) + PutRecords · stream_call_ms"
            }
            Self::Writer => {
                "fixed_ms + events · event_us / core + BatchWriteItem (25 items, 4 at once) · table_call_ms"
            }
            Self::Alerter => {
                "fixed_ms + events · event_us / core + claim and mark (10 at once) · 2 · table_call_ms + PublishBatch (10 messages) · topic_call_ms"
            }
        }
    }

    pub(crate) fn memory_mb(self, load: &Load) -> f64 {
        match self {
            Self::Evaluator => load.evaluator_memory_mb,
            Self::Caller => load.caller_memory_mb,
            Self::Writer => load.writer_memory_mb,
            Self::Alerter => load.alerter_memory_mb,
        }
    }

    fn measured_ms(self, load: &Load) -> f64 {
        match self {
            Self::Evaluator => load.evaluator_duration_ms,
            Self::Caller => load.caller_duration_ms,
            Self::Writer => load.writer_duration_ms,
            Self::Alerter => load.alerter_duration_ms,
        }
    }

    /// `BatchSize`, window in seconds, `ParallelizationFactor`, and whether it is pushed to.
    fn mapping(self, load: &Load) -> (f64, f64, f64, bool) {
        let pushed = load.fan_out > 0.0;
        match self {
            Self::Evaluator => (
                load.evaluator_batch_size,
                load.evaluator_window_s,
                1.0,
                pushed,
            ),
            Self::Caller => (
                load.caller_batch_size,
                load.caller_window_s,
                load.caller_parallelization,
                false,
            ),
            Self::Writer => (load.writer_batch_size, load.writer_window_s, 1.0, false),
            Self::Alerter => (load.alerter_batch_size, load.alerter_window_s, 1.0, pushed),
        }
    }
}

/// A function on a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Function<'l> {
    pub role: Role,
    pub load: &'l Load,
    /// Records a second of its stream, on average.
    pub records: f64,
    /// Bytes of one.
    pub record_bytes: f64,
}

impl Function<'_> {
    /// What the mapping does on each of so many shards, the load being so many times the average.
    pub(crate) fn predict(&self, shards: f64, times: f64) -> (Consumer, Prediction) {
        let (batch_size, window_s, lanes, fan_out) = self.role.mapping(self.load);
        let consumer = Consumer {
            records_per_second: (self.records * times / shards).max(1e-6),
            batch_size: batch_size.min(self.records_an_event()),
            window_s,
            lanes,
            fan_out,
        };
        (
            consumer,
            consumer.predict(|records| self.duration_s(records, shards)),
        )
    }

    /// Records that fit into an event.
    fn records_an_event(&self) -> f64 {
        (EVENT_BYTES / (self.record_bytes * 4.0 / 3.0 + ENVELOPE_BYTES))
            .floor()
            .max(1.0)
    }

    /// One invocation with so many records. Calls are counted in parts: this is an average over batches.
    pub(crate) fn duration_s(&self, records: f64, shards: f64) -> f64 {
        let load = self.load;
        let measured_ms = self.role.measured_ms(load);
        if measured_ms > 0.0 {
            return measured_ms / 1000.0;
        }
        let core = (self.role.memory_mb(load) / CORE_MB).min(1.0);
        let readings = records * load.readings_per_record;
        let ms = match self.role {
            Role::Evaluator => {
                let machines = self.machines(records, shards);
                let chunks = at_least_one(machines / MACHINES_A_CALL);
                let commits = (machines / COMMITS_AT_ONCE).max(1.0) * load.states_changed;
                let events = readings * load.events_per_reading;
                let puts = (events / RECORDS_A_CALL).max(chunks.min(events));
                readings * (load.reading_us + load.rules * load.rule_ns / 1000.0) / 1000.0 / core
                    + (chunks + commits) * load.table_call_ms
                    + puts * load.stream_call_ms
            }
            Role::Caller => {
                let calls = at_least_one(readings / load.call_rows);
                let rows = readings.min(load.call_rows);
                readings * load.reading_us / 1000.0 / core
                    + at_least_one(calls / CALLS_AT_ONCE)
                        * (load.model_call_ms + rows * load.model_row_us / 1000.0)
                    + at_least_one(readings / RECORDS_A_CALL) * load.stream_call_ms
            }
            Role::Writer => {
                let items = records * self.stored_share();
                let calls = items / ITEMS_A_CALL / WRITES_AT_ONCE;
                records * load.event_us / 1000.0 / core
                    + calls.max(items.min(1.0)) * load.table_call_ms
            }
            Role::Alerter => {
                let alerts = records * alerts(load) / self.records.max(1e-9);
                let turns = (alerts / MESSAGES_A_CALL).max(alerts.min(1.0));
                records * load.event_us / 1000.0 / core
                    + turns * (2.0 * load.table_call_ms + load.topic_call_ms)
            }
        };
        (load.fixed_ms + ms) / 1000.0
    }

    /// Different machines among the records of a batch, each as likely as any other.
    pub(crate) fn machines(&self, records: f64, shards: f64) -> f64 {
        let machines = (self.load.machines / shards).max(1.0);
        // An aggregate holds readings of one machine.
        machines * (1.0 - (1.0 - 1.0 / machines).powf(records))
    }

    /// Of the records of the quality-events stream, those that are stored.
    fn stored_share(&self) -> f64 {
        (stored(self.load) / self.records.max(1e-9)).min(1.0)
    }
}

/// Violations a second.
pub(crate) fn violations(load: &Load) -> f64 {
    load.readings_per_second * load.events_per_reading
}

/// Records of the quality-events stream a second: violations, and a prediction for each reading if a model is asked.
pub(crate) fn events(load: &Load) -> f64 {
    violations(load) + load.readings_per_second * load.model
}

/// Items stored a second.
pub(crate) fn stored(load: &Load) -> f64 {
    violations(load) * load.stored_share
        + load.readings_per_second * load.model * load.flagged_share
}

/// Alerts a second: what events call for, and no more than the cool-down lets through (an opening and its clearing).
pub(crate) fn alerts(load: &Load) -> f64 {
    let wanted = violations(load) * load.alerts_per_event
        + load.readings_per_second * load.model * load.flagged_share;
    match load.cool_down_s > 0.0 {
        true => wanted.min(load.machines * load.notifying_rules * 2.0 / load.cool_down_s),
        false => wanted,
    }
}

fn at_least_one(count: f64) -> f64 {
    count.max(1.0)
}
