//! What bounds a pipeline, and how far the load may grow until it is reached.

use crate::answer::{Bound, Limit};
use crate::function::{CLAIM_UNITS, Role, alerts, events, stored};
use crate::size::Pipeline;
use crate::stream::{SHARD_BYTES, SHARD_READ_BYTES, SHARD_RECORDS, Stream};

/// Write units of one item's partition in a second (DynamoDB, "Best practices for partition keys").
const PARTITION_WRITES: f64 = 1000.0;
/// E-mails that SNS sends in a second, whatever is asked for ("Amazon SNS endpoints and quotas").
const EMAILS: f64 = 10.0;

/// Every limit, the nearest first.
pub(crate) fn limits(pipeline: &Pipeline<'_>) -> Vec<Limit> {
    let load = pipeline.load;
    let peak = load.peak;
    let mut limits = Vec::new();
    let mut add = |name: String, used: f64, limit: f64, unit: &str, bound: Bound, cure: &str| {
        limits.push(Limit {
            name,
            used,
            limit,
            unit: unit.to_owned(),
            growth: limit / used.max(1e-12),
            bound,
            cure: cure.to_owned(),
        });
    };
    for (name, stream, shards) in [
        (
            "readings stream",
            &pipeline.readings,
            pipeline.reading_shards,
        ),
        (
            "quality-events stream",
            &pipeline.events,
            pipeline.event_shards,
        ),
    ] {
        let records = stream.records * peak;
        let bytes = records * stream.record_bytes;
        let megabytes = (bytes / 1e6).max(records / 1000.0);
        if load.provisioned > 0.0 {
            let shard = "more shards (ShardCount), or larger records: readings_per_record";
            add(
                format!("{name}: records written"),
                records,
                shards * SHARD_RECORDS,
                "records/s",
                Bound::Setting,
                shard,
            );
            add(
                format!("{name}: bytes written"),
                bytes,
                shards * SHARD_BYTES,
                "bytes/s",
                Bound::Setting,
                "more shards (ShardCount)",
            );
        } else {
            add(
                format!("{name}: throughput on demand"),
                megabytes,
                load.on_demand_mb_quota,
                "MB/s or 1,000 records/s",
                Bound::Quota,
                "raise the write throughput of streams on demand by a support request, or use provisioned shards",
            );
        }
        if stream.polling > 0.0 {
            add(
                format!("{name}: bytes read by polling"),
                bytes * stream.polling,
                read_capacity(stream, shards, load.provisioned > 0.0),
                "bytes/s",
                Bound::Setting,
                "more shards, or EnhancedFanOut=true",
            );
        }
    }
    for placed in &pipeline.functions {
        let role = placed.function.role;
        let cure = match role {
            Role::Evaluator => {
                "more shards, a larger BatchSize, or more memory; its ParallelizationFactor stays 1"
            }
            _ => "ParallelizationFactor up to 10, more shards, or more memory",
        };
        let capacity = placed.peak.capacity * placed.shards;
        add(
            format!("{}: records it can finish", role.name()),
            placed.mapping.records_per_second * placed.shards,
            capacity,
            "records/s",
            Bound::Setting,
            cure,
        );
    }
    let transformers = (pipeline.transformations() * pipeline.transformation_s() * peak).ceil();
    let at_once: f64 = pipeline
        .functions
        .iter()
        .map(|it| it.mapping.lanes * it.shards)
        .sum();
    add(
        "Lambda: concurrent executions".to_owned(),
        at_once + transformers,
        load.concurrency_quota,
        "invocations",
        Bound::Quota,
        "raise `Concurrent executions`: every shard and lane may run at once, as it does after an outage",
    );
    let state = (load.state_bytes / 1024.0).ceil();
    let event = (load.bytes_per_event / 1024.0).ceil() * 2.0;
    for (table, units) in [
        ("state", pipeline.commits() * state),
        ("events", stored(load) * event / 2.0),
        ("claims", alerts(load) * CLAIM_UNITS),
    ] {
        add(
            format!("{table} table: write units"),
            units * peak,
            load.table_write_quota,
            "units/s",
            Bound::Quota,
            "raise `Table-level write throughput limit`",
        );
    }
    let machine = load.readings_per_second / load.machines * peak;
    add(
        "one machine: records on its shard".to_owned(),
        machine / load.readings_per_record,
        SHARD_RECORDS,
        "records/s",
        Bound::Service,
        "aggregate (readings_per_record), or let it send under two names",
    );
    add(
        "one machine: bytes on its shard".to_owned(),
        machine * load.bytes_per_reading,
        SHARD_BYTES,
        "bytes/s",
        Bound::Service,
        "let it send under two names, or less in a reading",
    );
    // Events are records of their own, under their machine's key too.
    let told = events(load) / load.machines * peak;
    for (what, used, limit, unit) in [
        ("events", told, SHARD_RECORDS, "records/s"),
        (
            "events' bytes",
            told * load.bytes_per_event,
            SHARD_BYTES,
            "bytes/s",
        ),
    ] {
        add(
            format!("one machine: {what} on its shard"),
            used,
            limit,
            unit,
            Bound::Service,
            "rules that fire less often, a model that is asked less, or let it send under two names",
        );
    }
    let writes = stored(load) / load.machines * event / 2.0 * peak;
    add(
        "one machine: items under its key".to_owned(),
        writes,
        PARTITION_WRITES,
        "units/s",
        Bound::Service,
        "Store=alerting",
    );
    add(
        "one line: items under its key".to_owned(),
        stored(load) / load.lines * event / 2.0 * peak,
        PARTITION_WRITES,
        "units/s",
        Bound::Service,
        "more lines in the readings, or none: events without a line are not in the index",
    );
    add(
        "SNS: messages".to_owned(),
        alerts(load) * (1.0 + load.line_stop_share) * peak,
        load.publish_quota,
        "messages/s",
        Bound::Quota,
        "raise `Messages published per second`, a longer cool-down, fewer rules that notify",
    );
    add(
        "SNS: e-mails".to_owned(),
        alerts(load) * load.emails_per_alert * peak,
        EMAILS,
        "e-mails/s",
        Bound::Service,
        "let e-mail subscribers filter by severity and line, or use a chat channel",
    );
    if load.lake > 0.0 {
        // About midnight two days are written.
        add(
            "lake: active partitions".to_owned(),
            load.lines * 2.0,
            load.partition_quota,
            "partitions",
            Bound::Quota,
            "raise `Dynamic partitions` of the delivery stream",
        );
    }
    limits.sort_by(|left, right| left.growth.total_cmp(&right.growth));
    limits
}

/// On demand shards come with the load until the quota.
fn read_capacity(stream: &Stream, shards: f64, provisioned: bool) -> f64 {
    let now = shards * SHARD_READ_BYTES;
    match provisioned {
        true => now,
        false => now.max(stream.needed().ceil() * SHARD_READ_BYTES),
    }
}
