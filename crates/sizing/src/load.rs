//! What a pipeline is sized for: every number with its unit, its range, its default and where that comes from.

macro_rules! inputs {
    ($($key:ident: $default:expr, $least:expr, $most:expr, $unit:literal, $about:literal;)*) => {
        /// A load, and how the pipeline is set.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Load {
            $(#[doc = $about] pub $key: f64,)*
        }

        impl Default for Load {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        /// Every number of a [`Load`].
        pub const INPUTS: &[Input] = &[
            $(Input {
                key: stringify!($key),
                least: $least,
                most: $most,
                unit: $unit,
                about: $about,
                of: |load| &load.$key,
                of_mut: |load| &mut load.$key,
            },)*
        ];
    };
}

/// One number of a load.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Its name.
    pub key: &'static str,
    /// The least that it may be.
    pub least: f64,
    /// The most that it may be.
    pub most: f64,
    /// Its unit; `yes or no` takes `true` and `false` too.
    pub unit: &'static str,
    /// What it is, and where its default comes from.
    pub about: &'static str,
    /// Its value in a load.
    pub of: fn(&Load) -> &f64,
    /// The same, to be set.
    pub of_mut: fn(&mut Load) -> &mut f64,
}

/// What a record may have, in bytes.
const RECORD_BYTES: f64 = 1_048_576.0;
/// What an aggregate has beside its readings, about: for each, and once, with the key.
const MEMBER_BYTES: f64 = 10.0;
const FRAME_BYTES: f64 = 100.0;

inputs! {
    readings_per_second: 1000.0, 0.01, 1e8, "readings/s", "readings of all machines, on average";
    peak: 1.5, 1.0, 100.0, "times", "the busiest minute against the average: capacity follows it, what is billed by use the average";
    bytes_per_reading: 222.0, 1.0, 1_048_576.0, "bytes", "a reading as JSON; default: the recorded shift's";
    readings_per_record: 1.0, 1.0, 5000.0, "readings", "1: each a record; more: `andon produce --aggregate` packs so many readings of a machine into one";
    machines: 100.0, 1.0, 1e7, "machines", "machines that send";
    lines: 2.0, 1.0, 100_000.0, "lines", "production lines: a partition of the lake each";
    rules: 11.0, 1.0, 1000.0, "rules", "rules of the control plan; default: the press line's";
    rule_ns: 20.0, 1.0, 1e6, "ns", "one rule on one reading, on a whole core (README, What judging costs)";
    events_per_reading: 0.001, 0.0, 100.0, "events", "quality events for each reading; a default without a source, `andon plan backtest` tells yours";
    bytes_per_event: 700.0, 100.0, 262_144.0, "bytes", "a quality event as JSON; default: the recorded shift's";
    stored_share: 0.5, 0.0, 1.0, "of events", "openings and clearings (Store=alerting); 1 with Store=all; default: the recorded shift's";
    alerts_per_event: 0.27, 0.0, 2.0, "alerts", "before the cool-down; default: the recorded shift's";
    notifying_rules: 6.0, 0.0, 1000.0, "rules", "rules that tell somebody: with the cool-down the most that a machine can alert";
    cool_down_s: 300.0, 0.0, 86_400.0, "s", "CoolDownSeconds of the template";
    line_stop_share: 0.25, 0.0, 1.0, "of alerts", "alerts that stop a line too";
    emails_per_alert: 1.0, 0.0, 100.0, "messages", "confirmed e-mail subscriptions of the alert topic";
    provisioned: 0.0, 0.0, 1.0, "yes or no", "StreamMode=PROVISIONED instead of ON_DEMAND";
    reading_shards: 0.0, 0.0, 100_000.0, "shards", "shards of the readings stream; 0: as many as it takes";
    event_shards: 0.0, 0.0, 100_000.0, "shards", "shards of the quality-events stream; 0: as many as it takes";
    headroom: 0.8, 0.1, 1.0, "of capacity", "the share of a shard's or a function's capacity that the peak may use";
    retention_hours: 72.0, 24.0, 144.0, "h", "RetentionHours of the template";
    fan_out: 0.0, 0.0, 1.0, "yes or no", "EnhancedFanOut: evaluator and alerter are pushed to";
    evaluator_batch_size: 500.0, 1.0, 10_000.0, "records", "BatchSize of the evaluator's mapping";
    evaluator_window_s: 1.0, 0.0, 300.0, "s", "MaximumBatchingWindowInSeconds of it";
    evaluator_memory_mb: 512.0, 128.0, 10_240.0, "MB", "its memory; 1,769 MB buy a whole core";
    evaluator_duration_ms: 0.0, 0.0, 900_000.0, "ms", "a batch's duration, if you have measured it; 0: by formula";
    reading_us: 4.7, 0.1, 1e6, "us", "decoding and judging one reading on a whole core without its rules (README, What delivery costs: 2,000 in 9.9 ms)";
    writer_batch_size: 500.0, 1.0, 10_000.0, "records", "BatchSize of the writer's mapping";
    writer_window_s: 1.0, 0.0, 300.0, "s", "MaximumBatchingWindowInSeconds of it";
    writer_memory_mb: 256.0, 128.0, 10_240.0, "MB", "its memory";
    writer_duration_ms: 0.0, 0.0, 900_000.0, "ms", "a batch's duration, if you have measured it; 0: by formula";
    alerter_batch_size: 100.0, 1.0, 10_000.0, "records", "BatchSize of the alerter's mapping";
    alerter_window_s: 0.0, 0.0, 300.0, "s", "MaximumBatchingWindowInSeconds of it";
    alerter_memory_mb: 256.0, 128.0, 10_240.0, "MB", "its memory";
    alerter_duration_ms: 0.0, 0.0, 900_000.0, "ms", "a batch's duration, if you have measured it; 0: by formula";
    event_us: 10.0, 0.1, 1e6, "us", "decoding and weighing one quality event on a whole core; a default without a measurement";
    fixed_ms: 3.0, 0.0, 60_000.0, "ms", "an invocation without any record; a default without a measurement";
    table_call_ms: 6.0, 0.1, 60_000.0, "ms", "one call of DynamoDB; a default without a measurement";
    stream_call_ms: 15.0, 0.1, 60_000.0, "ms", "one PutRecords; a default without a measurement";
    topic_call_ms: 25.0, 0.1, 60_000.0, "ms", "one PublishBatch; a default without a measurement";
    state_bytes: 1500.0, 100.0, 409_600.0, "bytes", "a machine's state; default: eleven rules, four of them with memory";
    states_changed: 1.0, 0.0, 1.0, "of machines", "machines of a batch whose state is written: all with rules that remember (charts, sustained rules); few with conditions alone, whose quiet machines cost no write";
    model: 0.0, 0.0, 1.0, "yes or no", "whether a model is asked about every reading (inference.yaml)";
    caller_batch_size: 500.0, 1.0, 10_000.0, "records", "BatchSize of the caller's mapping";
    caller_window_s: 1.0, 0.0, 300.0, "s", "MaximumBatchingWindowInSeconds of it";
    caller_parallelization: 2.0, 1.0, 10.0, "batches", "ParallelizationFactor of it: readings may be asked about in any order";
    caller_memory_mb: 512.0, 128.0, 10_240.0, "MB", "its memory";
    caller_duration_ms: 0.0, 0.0, 900_000.0, "ms", "a batch's duration, if you have measured it; 0: by formula";
    call_rows: 500.0, 1.0, 10_000.0, "readings", "CallRows of the template";
    model_call_ms: 20.0, 0.1, 60_000.0, "ms", "one call of the endpoint without its rows; a default without a measurement";
    model_row_us: 20.0, 0.0, 1e6, "us", "each row of a call; a default without a measurement";
    instance_calls_per_minute: 600.0, 1.0, 1e6, "calls", "InvocationsPerInstance of the template";
    flagged_share: 0.01, 0.0, 1.0, "of readings", "predictions that are stored";
    lake: 1.0, 0.0, 1.0, "yes or no", "Lake of the template";
    parquet: 1.0, 0.0, 1.0, "yes or no", "ConvertToParquet of the template";
    lake_buffer_s: 300.0, 1.0, 900.0, "s", "LakeBufferSeconds of the template";
    lake_buffer_mib: 128.0, 64.0, 128.0, "MiB", "BufferMiB of lake.yaml";
    transformer_memory_mb: 512.0, 128.0, 10_240.0, "MB", "memory of the transformers";
    row_us: 5.0, 0.1, 1e6, "us", "one row on a whole core; a default without a measurement";
    row_bytes: 440.0, 10.0, 1_048_576.0, "bytes", "a reading's row as JSON; default: the recorded shift's";
    compressed_share: 0.15, 0.01, 1.0, "of bytes", "what Parquet or gzip leaves of rows; a default without a measurement";
    lake_months: 12.0, 0.0, 1200.0, "months", "how far back the stored lake goes whose price is told";
    concurrency_quota: 1000.0, 10.0, 1e6, "invocations", "the account's concurrent executions in Lambda (new accounts: 10)";
    on_demand_mb_quota: 200.0, 1.0, 1e6, "MB/s", "write throughput of a stream on demand; 10,000 in us-east-1, us-west-2 and eu-west-1";
    table_write_quota: 40_000.0, 1.0, 1e9, "units/s", "write units of a table on demand";
    publish_quota: 300.0, 1.0, 1e6, "messages/s", "messages of SNS in the account and region: 300 to 30,000 by region";
    partition_quota: 500.0, 1.0, 1e6, "partitions", "active partitions of a delivery stream";
    custom_metrics: 120.0, 0.0, 1e6, "metrics", "metrics that the functions count, each with its reasons and rules";
    alarms: 56.0, 0.0, 10_000.0, "alarms", "alarms of the templates, about; default: with the lake in Parquet, on demand, without a model";
    log_bytes: 1500.0, 0.0, 1e7, "bytes", "log and metrics of an invocation";
}

impl Load {
    /// The input of this name.
    pub fn input(key: &str) -> Option<&'static Input> {
        INPUTS.iter().find(|input| input.key == key)
    }

    /// Sets one number, or tells what is wrong with it.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), BadInput> {
        let input = Self::input(key).ok_or_else(|| unknown(key))?;
        let value = match (input.unit, text) {
            ("yes or no", "true" | "yes") => 1.0,
            ("yes or no", "false" | "no") => 0.0,
            _ => text.replace('_', "").parse().map_err(|_| BadInput {
                problem: format!("{key} is a number of {}, not `{text}`", input.unit),
                cure: range(input),
            })?,
        };
        let whole = input.unit != "yes or no" || value == 0.0 || value == 1.0;
        if !(input.least..=input.most).contains(&value) || !whole {
            return Err(BadInput {
                problem: format!("{key}: {text} is out of range"),
                cure: range(input),
            });
        }
        *(input.of_mut)(self) = value;
        Ok(())
    }

    /// Tells what is wrong with numbers that are each in its range.
    ///
    /// # Errors
    /// If a record would be larger than Kinesis takes unless a stream is set to take more (API reference, "PutRecords").
    pub fn check(&self) -> Result<(), BadInput> {
        let packed = self.readings_per_record > 1.0;
        let each = self.bytes_per_reading + if packed { MEMBER_BYTES } else { 0.0 };
        let frame = if packed { FRAME_BYTES } else { 0.0 };
        let record = each * self.readings_per_record + frame;
        if record <= RECORD_BYTES {
            return Ok(());
        }
        Err(BadInput {
            problem: format!(
                "{} readings of {} bytes make a record of {record} bytes; it may have {RECORD_BYTES}",
                self.readings_per_record, self.bytes_per_reading
            ),
            cure: format!(
                "readings_per_record: {} at most",
                ((RECORD_BYTES - frame) / each).floor().max(1.0)
            ),
        })
    }
}

/// A number that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BadInput {
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

fn unknown(key: &str) -> BadInput {
    let nearest = INPUTS
        .iter()
        .map(|input| (strsim::damerau_levenshtein(key, input.key), input.key))
        .min();
    BadInput {
        problem: format!("unknown input `{key}`"),
        cure: match nearest {
            Some((distance, near)) if distance <= 4 => format!("did you mean `{near}`?"),
            _ => "`andon size --inputs` lists them".to_owned(),
        },
    }
}

fn range(input: &Input) -> String {
    match input.unit {
        "yes or no" => "true or false".to_owned(),
        unit => format!("{} to {} {unit}", input.least, input.most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_in_its_range_and_every_name_is_there_once() {
        let load = Load::default();
        for (number, input) in INPUTS.iter().enumerate() {
            let default = *(input.of)(&load);
            assert!(
                (input.least..=input.most).contains(&default),
                "{}",
                input.key
            );
            assert!(INPUTS[..number].iter().all(|other| other.key != input.key));
        }
    }

    #[test]
    fn what_cannot_be_taken_says_why_and_what_can() {
        for (key, text, problem, cure) in [
            (
                "machins",
                "3",
                "unknown input `machins`",
                "did you mean `machines`?",
            ),
            (
                "machines",
                "many",
                "machines is a number of machines, not `many`",
                "1 to 10000000 machines",
            ),
            (
                "machines",
                "0",
                "machines: 0 is out of range",
                "1 to 10000000 machines",
            ),
            (
                "machines",
                "NaN",
                "machines: NaN is out of range",
                "1 to 10000000 machines",
            ),
            (
                "fan_out",
                "0.5",
                "fan_out: 0.5 is out of range",
                "true or false",
            ),
        ] {
            let bad = Load::default().set(key, text).unwrap_err();
            assert_eq!((bad.problem.as_str(), bad.cure.as_str()), (problem, cure));
        }
        let packed = Load {
            readings_per_record: 5000.0,
            ..Load::default()
        };
        let bad = packed.check().unwrap_err();
        assert_eq!(
            (bad.problem.as_str(), bad.cure.as_str()),
            (
                "5000 readings of 222 bytes make a record of 1160100 bytes; it may have 1048576",
                "readings_per_record: 4519 at most"
            )
        );
        Load {
            readings_per_record: 4519.0,
            ..packed
        }
        .check()
        .unwrap();
        let mut load = Load::default();
        load.set("machines", "1_000").unwrap();
        load.set("fan_out", "true").unwrap();
        assert_eq!((load.machines, load.fan_out), (1000.0, 1.0));
    }
}
