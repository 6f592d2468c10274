//! A load and prices become an answer.

use std::collections::BTreeMap;

use crate::answer::{PriceList, Sizing};
use crate::consumer::{Consumer, Prediction};
use crate::cost;
use crate::function::{Function, Role, events};
use crate::load::{INPUTS, Load};
use crate::prices::Prices;
use crate::stream::Stream;
use crate::{limit, parts};

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
        parts: parts::parts(&pipeline),
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

    /// Machine states that are loaded a second, on average: a machine of a batch each.
    pub(crate) fn states(&self) -> f64 {
        self.function(Role::Evaluator).map_or(0.0, |it| {
            it.invocations() * it.function.machines(it.mean.batch, it.shards)
        })
    }

    /// Of those, the ones that are written.
    pub(crate) fn commits(&self) -> f64 {
        self.states() * self.load.states_changed
    }

    /// Invocations of the lake's transformers a second, at most 1 MiB or a minute of each shard.
    pub(crate) fn transformations(&self) -> f64 {
        let of = |stream: &Stream, shards: f64| {
            let bytes = stream.records * stream.record_bytes * self.load.lake;
            let by_time = (shards / 60.0).min(stream.records);
            (bytes / 1_048_576.0).max(self.load.lake * by_time)
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
            (partitions / load.lake_buffer_s).max(bytes / load.lake_buffer_mib / 1_048_576.0)
                * load.lake
        };
        of(
            load.lines
                .min(load.readings_per_second * load.lake_buffer_s),
            load.readings_per_second * load.row_bytes,
        ) + of(1.0 + load.model, self.events.records * load.bytes_per_event)
    }
}
