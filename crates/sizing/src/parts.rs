//! The answer's figures, part by part.

use crate::answer::{Figure, Part};
use crate::function::{CLAIM_UNITS, alerts, stored};
use crate::load::Load;
use crate::size::{Pipeline, Placed};
use crate::stream::Stream;

/// Every part that the load has.
pub(crate) fn parts(pipeline: &Pipeline<'_>) -> Vec<Part> {
    let load = pipeline.load;
    let mut parts = vec![
        stream_part(
            "readings stream",
            &pipeline.readings,
            pipeline.reading_shards,
            load,
            "readings_per_second / readings_per_record",
        ),
        stream_part(
            "quality-events stream",
            &pipeline.events,
            pipeline.event_shards,
            load,
            "readings_per_second · events_per_reading, and a prediction each with a model",
        ),
    ];
    parts.extend(pipeline.functions.iter().map(|it| function_part(it, load)));
    parts.push(tables(pipeline));
    parts.push(Part {
        name: "topics".to_owned(),
        figures: vec![
            figure(
                "alerts",
                alerts(load),
                "messages/s",
                "events · alerts_per_event, at most machines · notifying_rules · 2 / cool_down_s",
                Some("an opening and a clearing for each cool-down"),
            ),
            figure(
                "line stops",
                alerts(load) * load.line_stop_share,
                "messages/s",
                "alerts · line_stop_share",
                None,
            ),
        ],
    });
    if load.lake > 0.0 {
        parts.push(lake(pipeline));
    }
    if load.model > 0.0 {
        parts.push(Part {
            name: "endpoint".to_owned(),
            figures: vec![figure(
                "instances",
                pipeline.instances(),
                "instances",
                "calls a minute of the busiest minute / instance_calls_per_minute",
                Some(
                    "an instance takes as many calls as InvocationsPerInstance says; measure yours",
                ),
            )],
        });
    }
    parts
}

fn stream_part(name: &str, stream: &Stream, shards: f64, load: &Load, records: &str) -> Part {
    let provisioned = load.provisioned > 0.0;
    Part {
        name: name.to_owned(),
        figures: vec![
            figure("records", stream.records, "records/s", records, None),
            figure(
                "bytes",
                stream.records * stream.record_bytes,
                "bytes/s",
                "records · bytes of one",
                None,
            ),
            figure(
                "shards provisioned",
                match provisioned {
                    true => shards,
                    false => stream.provisioned(|_| true),
                },
                "shards",
                "records / 1,000, bytes / 1 MiB, bytes · polling consumers / 2 MiB, what the functions take: the largest, times peak / headroom",
                (!provisioned).then_some("what the functions take is left out on demand"),
            ),
            figure(
                "shards on demand",
                stream.on_demand(),
                "shards",
                "twice the peak, at least 4",
                Some("a stream on demand grows to twice the highest peak of the last 30 days"),
            ),
        ],
    }
}

fn function_part(placed: &Placed<'_>, load: &Load) -> Part {
    let Placed {
        function,
        shards,
        mean,
        peak,
        mapping,
    } = placed;
    let lag = match peak.lag_growth > 0.0 {
        true => Some("in the busiest minute it grows: see what breaks first"),
        false => None,
    };
    Part {
        name: function.role.name().to_owned(),
        figures: vec![
            figure(
                "batch size",
                mapping.batch_size,
                "records",
                "BatchSize, at most what 6 MB of event hold",
                None,
            ),
            figure(
                "window",
                mapping.window_s,
                "s",
                "MaximumBatchingWindowInSeconds",
                None,
            ),
            figure(
                "batch",
                mean.batch,
                "records",
                "records of a shard · (window + duration), at most BatchSize",
                None,
            ),
            figure(
                "batch at the peak",
                peak.batch,
                "records",
                "the same, times peak",
                None,
            ),
            figure(
                "duration",
                mean.duration_s * 1000.0,
                "ms",
                function.role.formula(load),
                Some("calls take what the inputs say; measure yours"),
            ),
            figure(
                "duration at the peak",
                peak.duration_s * 1000.0,
                "ms",
                "the same, of the batch at the peak",
                None,
            ),
            figure(
                "invocations",
                placed.invocations(),
                "1/s",
                "shards · records of a shard / batch",
                None,
            ),
            figure(
                "concurrency",
                mean.concurrency * shards,
                "invocations",
                "invocations · duration (Little's law)",
                None,
            ),
            figure(
                "concurrency at most",
                mapping.lanes * shards,
                "invocations",
                "shards · ParallelizationFactor",
                None,
            ),
            figure(
                "iterator age",
                mean.iterator_age_s * 1000.0,
                "ms",
                "read + wait of a batch's last record + duration",
                Some("records arrive at random"),
            ),
            figure(
                "latency",
                mean.latency_s * 1000.0,
                "ms",
                "read + wait of an average record + duration",
                None,
            ),
            figure(
                "capacity used at the peak",
                peak.utilization(mapping),
                "of capacity",
                "records of a shard / (BatchSize / duration of a full batch)",
                None,
            ),
            figure(
                "lag growth at the peak",
                peak.lag_growth,
                "s/s",
                "1 - capacity / records",
                lag,
            ),
        ],
    }
}

fn tables(pipeline: &Pipeline<'_>) -> Part {
    let load = pipeline.load;
    let commits = pipeline.commits();
    let reads = (load.state_bytes / 4096.0).ceil();
    let writes = (load.state_bytes / 1024.0).ceil();
    let items = (load.bytes_per_event / 1024.0).ceil() * 2.0;
    Part {
        name: "tables".to_owned(),
        figures: vec![
            figure(
                "state reads",
                pipeline.states() * reads,
                "units/s",
                "machines of a batch · invocations · state_bytes / 4 KB",
                Some("each machine once a batch, consistently"),
            ),
            figure(
                "state writes",
                commits * writes,
                "units/s",
                "machines of a batch · invocations · states_changed · state_bytes / 1 KB",
                None,
            ),
            figure(
                "state size",
                load.machines * load.state_bytes,
                "bytes",
                "machines · state_bytes",
                None,
            ),
            figure(
                "event writes",
                stored(load) * items,
                "units/s",
                "events · stored_share · bytes_per_event / 1 KB · 2",
                Some("the index by line is written too"),
            ),
            figure(
                "claim writes",
                alerts(load) * CLAIM_UNITS,
                "units/s",
                "alerts · 5",
                Some(
                    "a claim and a cool-down in one transaction (4), and the mark that it was sent (1)",
                ),
            ),
        ],
    }
}

fn lake(pipeline: &Pipeline<'_>) -> Part {
    let load = pipeline.load;
    let rows =
        load.readings_per_second * load.row_bytes + pipeline.events.records * load.bytes_per_event;
    let month = rows * load.compressed_share * 730.0 * 3600.0;
    Part {
        name: "lake".to_owned(),
        figures: vec![
            figure(
                "transformations",
                pipeline.transformations(),
                "1/s",
                "bytes of the streams / 1 MiB, at least one a minute and shard",
                None,
            ),
            figure(
                "transformation",
                pipeline.transformation_s() * 1000.0,
                "ms",
                "fixed_ms + rows · row_us / core",
                None,
            ),
            figure(
                "concurrency",
                pipeline.transformations() * pipeline.transformation_s(),
                "invocations",
                "transformations · duration (Little's law)",
                None,
            ),
            figure(
                "rows",
                rows,
                "bytes/s",
                "readings · row_bytes + events · bytes_per_event",
                None,
            ),
            figure(
                "objects",
                pipeline.objects() * 3600.0,
                "1/h",
                "a partition each lake_buffer_s, or each lake_buffer_mib",
                None,
            ),
            figure(
                "stored in a month",
                month,
                "bytes",
                "rows · compressed_share",
                None,
            ),
        ],
    }
}

fn figure(name: &str, value: f64, unit: &str, formula: &str, assumption: Option<&str>) -> Figure {
    Figure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        formula: formula.to_owned(),
        assumption: assumption.map(str::to_owned),
    }
}
