//! What a pipeline costs in a month of 730 hours, item by item.

use crate::answer::Cost;
use crate::function::{CLAIM_UNITS, alerts, stored};
use crate::prices::Prices;
use crate::size::Pipeline;
use crate::stream::Stream;

const HOURS: f64 = 730.0;
const SECONDS: f64 = HOURS * 3600.0;
const GB: f64 = 1_073_741_824.0;
const DAYS_OF_EVENTS: f64 = 90.0;

struct Bill<'p> {
    prices: &'p Prices,
    costs: Vec<Cost>,
}

impl Bill<'_> {
    fn add(&mut self, name: &str, quantity: f64, price_key: &str, formula: &str) {
        let (price, unit, page) = self.prices.of(price_key);
        if quantity > 0.0 {
            self.costs.push(Cost {
                name: name.to_owned(),
                quantity,
                unit: unit.to_owned(),
                price,
                price_key: price_key.to_owned(),
                page: page.to_owned(),
                per_month: quantity * price,
                formula: formula.to_owned(),
            });
        }
    }
}

/// Every item that costs something.
pub(crate) fn costs(pipeline: &Pipeline<'_>, prices: &Prices) -> Vec<Cost> {
    let load = pipeline.load;
    let mut bill = Bill {
        prices,
        costs: Vec::new(),
    };
    for (name, stream, shards, pushed) in [
        (
            "readings stream",
            &pipeline.readings,
            pipeline.reading_shards,
            load.fan_out,
        ),
        (
            "quality-events stream",
            &pipeline.events,
            pipeline.event_shards,
            load.fan_out,
        ),
    ] {
        match load.provisioned > 0.0 {
            true => provisioned(
                &mut bill,
                name,
                stream,
                shards,
                pushed,
                load.retention_hours,
            ),
            false => on_demand(&mut bill, name, stream, pushed, load.retention_hours),
        }
    }
    let mut invocations = 0.0;
    for placed in &pipeline.functions {
        let role = placed.function.role;
        let count = placed.invocations() * SECONDS;
        invocations += count;
        bill.add(
            &format!("{}: requests", role.name()),
            count / 1e6,
            "lambda_million_requests",
            "invocations",
        );
        let gb = role.memory_mb(load) / 1024.0;
        bill.add(
            &format!("{}: time", role.name()),
            count * (placed.mean.duration_s * 1000.0).ceil() / 1000.0 * gb,
            "lambda_gb_second",
            "invocations · duration, rounded up to 1 ms · memory",
        );
    }
    if load.lake > 0.0 {
        let count = pipeline.transformations() * SECONDS;
        invocations += count;
        bill.add(
            "transformers: requests",
            count / 1e6,
            "lambda_million_requests",
            "transformations",
        );
        bill.add(
            "transformers: time",
            count * (pipeline.transformation_s() * 1000.0).ceil() / 1000.0
                * load.transformer_memory_mb
                / 1024.0,
            "lambda_gb_second",
            "transformations · duration · memory",
        );
    }
    tables(&mut bill, pipeline);
    let messages = alerts(load) * SECONDS;
    bill.add(
        "alert and line-stop topics",
        messages * (1.0 + load.line_stop_share) / 1e6,
        "sns_million_publishes",
        "alerts + line stops",
    );
    bill.add(
        "e-mails",
        messages * load.emails_per_alert / 1e3,
        "sns_thousand_emails",
        "alerts · emails_per_alert",
    );
    // Sent by the topic, taken by the gateway, deleted; and an empty poll of 20 s all the time.
    bill.add(
        "line-stop queue",
        (messages * load.line_stop_share * 3.0 + SECONDS / 20.0) / 1e6,
        "sqs_million_requests",
        "3 · line stops, and a long poll every 20 s",
    );
    if load.lake > 0.0 {
        lake(&mut bill, pipeline);
    }
    bill.add(
        "endpoint",
        pipeline.instances() * HOURS,
        "sagemaker_instance_hour",
        "instances of the busiest minute · hours",
    );
    bill.add(
        "logs",
        invocations * load.log_bytes / GB,
        "cloudwatch_gb_logs",
        "invocations · log_bytes",
    );
    bill.add(
        "traces",
        (invocations * 0.05 + SECONDS).min(invocations) / 1e6,
        "xray_million_traces",
        "one a second, and 5 % of invocations",
    );
    bill.add(
        "metrics",
        load.custom_metrics,
        "cloudwatch_metric",
        "custom_metrics",
    );
    bill.add("alarms", load.alarms, "cloudwatch_alarm", "alarms");
    bill.add("dashboard", 1.0, "cloudwatch_dashboard", "one");
    bill.add("key", 1.0, "kms_key", "one; its requests are left out");
    bill.costs
}

fn on_demand(bill: &mut Bill<'_>, name: &str, stream: &Stream, pushed: f64, retention_hours: f64) {
    let rounded = stream.records * (stream.record_bytes / 1024.0).ceil() * 1024.0;
    let bytes = stream.records * stream.record_bytes;
    bill.add(
        &format!("{name}: hours"),
        HOURS,
        "kinesis_stream_hour",
        "hours",
    );
    bill.add(
        &format!("{name}: written"),
        rounded * SECONDS / GB,
        "kinesis_gb_in",
        "records, each rounded up to 1 KB",
    );
    bill.add(
        &format!("{name}: read"),
        bytes * stream.polling * SECONDS / GB,
        "kinesis_gb_out",
        "bytes · polling consumers",
    );
    bill.add(
        &format!("{name}: pushed"),
        bytes * pushed * SECONDS / GB,
        "kinesis_gb_out_fan_out",
        "bytes · consumers with fan-out",
    );
    bill.add(
        &format!("{name}: kept"),
        rounded * (retention_hours - 24.0) * 3600.0 / GB,
        "kinesis_gb_month_retained",
        "bytes of the hours beyond 24",
    );
}

fn provisioned(
    bill: &mut Bill<'_>,
    name: &str,
    stream: &Stream,
    shards: f64,
    pushed: f64,
    retention_hours: f64,
) {
    let units = stream.records * (stream.record_bytes / 25_600.0).ceil();
    bill.add(
        &format!("{name}: shards"),
        shards * HOURS,
        "kinesis_shard_hour",
        "shards · hours",
    );
    bill.add(
        &format!("{name}: written"),
        units * SECONDS / 1e6,
        "kinesis_million_put_units",
        "records, in units of 25 KB",
    );
    if retention_hours > 24.0 {
        bill.add(
            &format!("{name}: kept"),
            shards * HOURS,
            "kinesis_shard_hour_retained",
            "shards · hours, for more than 24 hours",
        );
    }
    bill.add(
        &format!("{name}: consumer"),
        shards * pushed * HOURS,
        "kinesis_consumer_shard_hour",
        "shards · consumers with fan-out · hours",
    );
    bill.add(
        &format!("{name}: pushed"),
        stream.records * stream.record_bytes * pushed * SECONDS / GB,
        "kinesis_gb_pushed",
        "bytes · consumers with fan-out",
    );
}

fn tables(bill: &mut Bill<'_>, pipeline: &Pipeline<'_>) {
    let load = pipeline.load;
    let states = pipeline.states() * SECONDS;
    let commits = pipeline.commits() * SECONDS;
    let item_bytes = (load.bytes_per_event / 1024.0).ceil();
    let stored = stored(load);
    bill.add(
        "state table: reads",
        states * (load.state_bytes / 4096.0).ceil() / 1e6,
        "dynamodb_million_reads",
        "machines of a batch · invocations · units",
    );
    bill.add(
        "state table: writes",
        commits * (load.state_bytes / 1024.0).ceil() / 1e6,
        "dynamodb_million_writes",
        "machines of a batch · invocations · units",
    );
    bill.add(
        "events table: writes",
        stored * item_bytes * 2.0 * SECONDS / 1e6,
        "dynamodb_million_writes",
        "stored events · units, table and index",
    );
    bill.add(
        "claims table: writes",
        alerts(load) * CLAIM_UNITS * SECONDS / 1e6,
        "dynamodb_million_writes",
        "alerts · 5 units",
    );
    let events_gb = stored * load.bytes_per_event * DAYS_OF_EVENTS * 86_400.0 / GB;
    let state_gb = load.machines * load.state_bytes / GB;
    bill.add(
        "tables: kept",
        events_gb * 2.0 + state_gb,
        "dynamodb_gb_month",
        "90 days of stored events, table and index, and the states",
    );
    bill.add(
        "tables: recovery",
        events_gb + state_gb,
        "dynamodb_gb_month_recovery",
        "the tables without the index",
    );
}

fn lake(bill: &mut Bill<'_>, pipeline: &Pipeline<'_>) {
    let load = pipeline.load;
    let rounded = |stream: &Stream| stream.records * (stream.record_bytes / 5120.0).ceil() * 5120.0;
    let taken = (rounded(&pipeline.readings) + rounded(&pipeline.events)) * SECONDS / GB;
    let rows = (load.readings_per_second * load.row_bytes
        + pipeline.events.records * load.bytes_per_event)
        * SECONDS
        / GB;
    let objects = pipeline.objects() * SECONDS / 1e3;
    bill.add(
        "lake: taken in",
        taken,
        "firehose_gb",
        "records of both streams, each rounded up to 5 KB",
    );
    if load.parquet > 0.0 {
        bill.add(
            "lake: converted",
            taken,
            "firehose_gb_converted",
            "the same",
        );
    }
    bill.add(
        "lake: partitioned",
        rows,
        "firehose_gb_partitioned",
        "bytes of the rows",
    );
    bill.add(
        "lake: partitions' objects",
        objects,
        "firehose_thousand_objects",
        "objects",
    );
    bill.add("lake: objects put", objects, "s3_thousand_puts", "objects");
    bill.add(
        "lake: kept",
        rows * load.compressed_share * load.lake_months,
        "s3_gb_month",
        "rows · compressed_share · lake_months",
    );
}
