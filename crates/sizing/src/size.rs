//! A load and prices become an answer.

use std::collections::BTreeMap;

use crate::answer::{Figure, Part, PriceList, Sizing};
use crate::consumer::{Consumer, Prediction};
use crate::cost;
use crate::function::{Function, Role, alerts, events, stored};
use crate::limit;
use crate::load::{INPUTS, Load};
use crate::prices::Prices;
use crate::stream::Stream;

/// What everything else is worked out from.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline<'l> {
    pub load: &'l Load,
    pub readings: Stream,
    pub events: Stream,
    pub reading_shards: f64,
    pub event_shards: f64,
    pub functions: Vec<Placed<'l>>,
}

/// A function on its stream's shards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'l> {
    pub function: Function<'l>,
    pub shards: f64,
    /// On average.
    pub mean: Prediction,
    /// In the busiest minute.
    pub peak: Prediction,
    pub mapping: Consumer,
}

impl Placed<'_> {
    /// Invocations a second on all shards, on average.
    pub(crate) fn invocations(&self) -> f64 {
        self.mean.invocations_per_second * self.shards
    }
}

/// Sizes a pipeline.
pub fn size(load: &Load, prices: &Prices) -> Sizing {
    let pipeline = Pipeline::new(load);
    let costs = cost::costs(&pipeline, prices);
    let values = INPUTS.iter().map(|it| (it.key.to_owned(), *(it.of)(load)));
    Sizing {
        version: 1,
        load: values.collect::<BTreeMap<_, _>>(),
        prices: PriceList {
            region: prices.region.clone(),
            currency: prices.currency.clone(),
            date: prices.date.clone(),
            note: prices.note.clone(),
        },
        parts: parts(&pipeline),
        limits: limit::limits(&pipeline),
        cost_per_month: costs.iter().map(|cost| cost.per_month).sum(),
        costs,
    }
}

impl<'l> Pipeline<'l> {
    fn new(load: &'l Load) -> Self {
        let on = |yes: f64| yes > 0.0;
        let pushed = f64::from(u8::from(on(load.fan_out)));
        let stream = |records: f64, record_bytes: f64, polling: f64| Stream {
            records,
            record_bytes,
            peak: load.peak,
            polling,
            headroom: load.headroom,
        };
        // Evaluator, caller and lake; writer, alerter and lake.
        let readings = stream(
            load.readings_per_second / load.readings_per_record,
            load.bytes_per_reading * load.readings_per_record,
            1.0 - pushed + load.model + load.lake,
        );
        let quality = stream(events(load), load.bytes_per_event, 2.0 - pushed + load.lake);
        let of = |role: Role| Function {
            role,
            load,
            records: match role {
                Role::Evaluator | Role::Caller => readings.records,
                Role::Writer | Role::Alerter => quality.records,
            },
            record_bytes: match role {
                Role::Evaluator | Role::Caller => readings.record_bytes,
                Role::Writer | Role::Alerter => quality.record_bytes,
            },
        };
        let mut readers = vec![of(Role::Evaluator)];
        if on(load.model) {
            readers.push(of(Role::Caller));
        }
        let tellers = vec![of(Role::Writer), of(Role::Alerter)];
        let shards = |stream: &Stream, given: f64, functions: &[Function<'_>]| {
            if given > 0.0 {
                return given;
            }
            match on(load.provisioned) {
                true => stream.provisioned(|shards| {
                    functions.iter().all(|function| {
                        let (consumer, peak) = function.predict(shards, load.peak);
                        peak.utilization(&consumer) <= load.headroom
                    })
                }),
                false => stream.on_demand(),
            }
        };
        let reading_shards = shards(&readings, load.reading_shards, &readers);
        let event_shards = shards(&quality, load.event_shards, &tellers);
        let placed = |function: Function<'l>, shards: f64| {
            let (mapping, peak) = function.predict(shards, load.peak);
            Placed {
                function,
                shards,
                mean: function.predict(shards, 1.0).1,
                peak,
                mapping,
            }
        };
        let functions = readers
            .into_iter()
            .map(|function| placed(function, reading_shards))
            .chain(
                tellers
                    .into_iter()
                    .map(|function| placed(function, event_shards)),
            )
            .collect();
        Self {
            load,
            readings,
            events: quality,
            reading_shards,
            event_shards,
            functions,
        }
    }

    pub(crate) fn function(&self, role: Role) -> Option<&Placed<'l>> {
        self.functions.iter().find(|it| it.function.role == role)
    }

    /// Writes of machine states a second, on average: a machine of a batch each.
    pub(crate) fn commits(&self) -> f64 {
        self.function(Role::Evaluator).map_or(0.0, |it| {
            it.invocations() * it.function.machines(it.mean.batch, it.shards)
        })
    }

    /// Invocations of the lake's transformers a second, at most 1 MiB or a minute of each shard.
    pub(crate) fn transformations(&self) -> f64 {
        let of = |stream: &Stream, shards: f64| {
            let bytes = stream.records * stream.record_bytes * self.load.lake;
            (bytes / 1_048_576.0).max(self.load.lake * shards.min(stream.records) / 60.0)
        };
        of(&self.readings, self.reading_shards) + of(&self.events, self.event_shards)
    }

    /// One of them, in seconds.
    pub(crate) fn transformation_s(&self) -> f64 {
        let rows = (self.load.readings_per_second + self.events.records)
            / self.transformations().max(1e-9);
        let core = (self.load.transformer_memory_mb / 1769.0).min(1.0);
        (self.load.fixed_ms + rows * self.load.row_us / 1000.0 / core) / 1000.0
    }

    /// Instances of the model's endpoint.
    pub(crate) fn instances(&self) -> f64 {
        let load = self.load;
        match self.function(Role::Caller) {
            None => 0.0,
            Some(caller) => {
                let rows = caller.peak.batch * load.readings_per_record;
                let calls = caller.peak.invocations_per_second
                    * caller.shards
                    * (rows / load.call_rows).max(1.0);
                (calls * 60.0 / load.instance_calls_per_minute)
                    .ceil()
                    .max(1.0)
            }
        }
    }

    /// Objects that the lake gets in a second: by time for each line and kind, or by size.
    pub(crate) fn objects(&self) -> f64 {
        let load = self.load;
        let of = |partitions: f64, bytes: f64| {
            (partitions / load.lake_buffer_s.max(1.0))
                .max(bytes / load.lake_buffer_mib / 1_048_576.0)
                * load.lake
        };
        of(
            load.lines
                .min(load.readings_per_second * load.lake_buffer_s.max(1.0)),
            load.readings_per_second * load.row_bytes,
        ) + of(1.0 + load.model, self.events.records * load.bytes_per_event)
    }
}

fn parts(pipeline: &Pipeline<'_>) -> Vec<Part> {
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
                commits * reads,
                "units/s",
                "machines of a batch · invocations · state_bytes / 4 KB",
                Some("each machine once a batch, consistently"),
            ),
            figure(
                "state writes",
                commits * writes,
                "units/s",
                "machines of a batch · invocations · state_bytes / 1 KB",
                Some("rules with memory change every state"),
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
                "alerts · 6",
                Some(
                    "a claim and a cool-down in one transaction (4), and the mark that it was sent (2)",
                ),
            ),
        ],
    }
}

/// Write units of an alert's claim.
pub(crate) const CLAIM_UNITS: f64 = 6.0;

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
