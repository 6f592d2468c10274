//! What is predicted for an event source mapping, held against its state machine on a virtual clock.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::LazyLock;

use event_source_mapping::{
    Action, Answer, InvocationId, Mapping, Settings, ShardInfo, Source, SourceRecord,
};
use sizing::consumer::{Consumer, Prediction};

/// A load, and how long the function takes for a batch: a fixed part and a part for each record.
#[derive(Clone, Copy, Debug)]
struct Load {
    name: &'static str,
    shards: usize,
    /// Records a second on each shard.
    rate: f64,
    batch_size: u32,
    window_s: u32,
    factor: u32,
    fan_out: bool,
    fixed_ms: f64,
    each_ms: f64,
}

impl Load {
    fn duration_s(&self, records: f64) -> f64 {
        (self.fixed_ms + self.each_ms * records) / 1000.0
    }

    fn predict(&self) -> Prediction {
        let consumer = Consumer {
            records_per_second: self.rate,
            batch_size: f64::from(self.batch_size),
            window_s: f64::from(self.window_s),
            lanes: f64::from(self.factor),
            fan_out: self.fan_out,
        };
        consumer.predict(|records| self.duration_s(records))
    }
}

/// What was seen between the end of the first tenth and the end.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Invocations at once, on average, over all shards.
    concurrency: f64,
    invocations_per_second: f64,
    /// The mean of Lambda's iterator age.
    iterator_age_s: f64,
    /// The last one.
    last_age_s: f64,
    /// From arrival to answer, the mean of what was answered.
    latency_s: f64,
    /// Records that had arrived and were not answered, on average.
    waiting: f64,
    arrivals_per_second: f64,
}

const STREAM: &str = "arn:aws:kinesis:us-east-2:123456789012:stream/readings";

/// One shard's records, as they have arrived.
struct Arrivals {
    random: fastrand::Rng,
    rate: f64,
    next_s: f64,
    number: u64,
    waiting: Vec<SourceRecord>,
    arrived: u64,
}

impl Arrivals {
    /// Takes in what has arrived by now.
    fn until(&mut self, now_ms: i64) {
        while self.next_s * 1000.0 <= now_ms as f64 {
            self.number += 1;
            self.arrived += 1;
            self.waiting.push(SourceRecord {
                sequence_number: self.number.to_string().parse().unwrap(),
                partition_key: format!("press-{}", self.random.u32(0..1000)),
                data: b"{}".to_vec(),
                arrived_ms: (self.next_s * 1000.0).ceil() as i64,
            });
            self.next_s += -(1.0 - self.random.f64()).ln() / self.rate;
        }
    }
}

fn simulate(load: &Load, seconds: i64) -> Seen {
    let settings = Settings::from_json(&format!(
        r#"{{"StartingPosition": "TRIM_HORIZON", "BatchSize": {}, "MaximumBatchingWindowInSeconds": {}, "ParallelizationFactor": {}}}"#,
        load.batch_size, load.window_s, load.factor
    ))
    .unwrap();
    let source = Source {
        mapping_id: "f89f8514".into(),
        event_source_arn: match load.fan_out {
            true => format!("{STREAM}/consumer/evaluator:1545084650"),
            false => STREAM.into(),
        },
        function_arn: "arn:aws:lambda:us-east-2:123456789012:function:evaluator".into(),
        role_arn: "arn:aws:iam::123456789012:role/evaluator".into(),
        retention_ms: None,
    };
    let mut mapping = Mapping::new(settings, source).unwrap();
    let mut shards = Vec::new();
    for shard in 0..load.shards {
        let info = ShardInfo {
            id: shard_id(shard),
            parents: vec![],
        };
        mapping.shard_found(info, 0);
        shards.push(Arrivals {
            random: fastrand::Rng::with_seed(shard as u64),
            rate: load.rate,
            next_s: shard as f64 / 1000.0,
            number: 0,
            waiting: Vec::new(),
            arrived: 0,
        });
    }
    let end_ms = seconds * 1000;
    let begin_ms = end_ms / 10;
    let mut answers: BinaryHeap<Reverse<(i64, InvocationId)>> = BinaryHeap::new();
    let mut under_way = std::collections::BTreeMap::new();
    let mut now_ms = 0;
    let (mut busy_ms, mut invocations, mut ages, mut answered, mut last) = (0, 0.0, 0.0, 0.0, 0.0);
    let (mut latency_ms, mut done, mut waited_ms) = (0.0, 0.0, 0.0);
    while now_ms < end_ms {
        while let Some(Reverse((at_ms, id))) = answers.peek().copied() {
            if at_ms > now_ms {
                break;
            }
            answers.pop();
            let invocation: event_source_mapping::Invocation = under_way.remove(&id).unwrap();
            mapping
                .answered(id, &Answer::Returned(b"null".to_vec()), now_ms)
                .unwrap();
            let age_ms = mapping.shard(&invocation.shard).unwrap().iterator_age_ms;
            last = age_ms.unwrap() as f64;
            if now_ms >= begin_ms {
                ages += last;
                answered += 1.0;
                for record in &invocation.records {
                    latency_ms += (now_ms - record.arrived_ms) as f64;
                    done += 1.0;
                }
            }
            for record in &invocation.records {
                waited_ms += (now_ms - record.arrived_ms.max(begin_ms)).max(0) as f64;
            }
        }
        match mapping.next(now_ms) {
            Action::Read(read) => {
                let shard = shards
                    .iter_mut()
                    .enumerate()
                    .find(|(number, _)| shard_id(*number) == *read.shard)
                    .unwrap()
                    .1;
                shard.until(now_ms);
                let taken = shard.waiting.len().min(read.limit as usize);
                let records: Vec<_> = shard.waiting.drain(..taken).collect();
                mapping
                    .records(&read.shard, records, false, now_ms)
                    .unwrap();
            }
            Action::Invoke(invocation) => {
                let duration_s = load.duration_s(invocation.records.len() as f64);
                let until_ms = now_ms + (duration_s * 1000.0).round() as i64;
                busy_ms += (until_ms.min(end_ms) - now_ms.max(begin_ms)).max(0);
                if now_ms >= begin_ms {
                    invocations += 1.0;
                }
                answers.push(Reverse((until_ms, invocation.id)));
                under_way.insert(invocation.id, invocation);
            }
            Action::SendFailure(_) => unreachable!("nothing fails"),
            action => {
                let until_ms = match action {
                    Action::Wait { until_ms } => until_ms,
                    _ => end_ms,
                };
                let next_ms = answers.peek().map_or(end_ms, |Reverse((at_ms, _))| *at_ms);
                now_ms = until_ms.min(next_ms).min(end_ms);
            }
        }
    }
    let seen_s = (end_ms - begin_ms) as f64 / 1000.0;
    // What was never answered has waited too.
    let mut arrived = 0;
    for shard in &mut shards {
        shard.until(end_ms);
        arrived += shard.arrived;
        for record in &shard.waiting {
            waited_ms += (end_ms - record.arrived_ms.max(begin_ms)) as f64;
        }
    }
    for record in under_way.values().flat_map(|it| &it.records) {
        waited_ms += (end_ms - record.arrived_ms.max(begin_ms)) as f64;
    }
    Seen {
        concurrency: busy_ms as f64 / 1000.0 / seen_s,
        invocations_per_second: invocations / seen_s,
        iterator_age_s: ages / answered / 1000.0,
        last_age_s: last / 1000.0,
        latency_s: latency_ms / done / 1000.0,
        waiting: waited_ms / 1000.0 / seen_s,
        arrivals_per_second: arrived as f64 / seconds as f64,
    }
}

fn shard_id(number: usize) -> String {
    format!("shardId-{number:012}")
}

/// One shard, one lane, polled.
const fn load(
    name: &'static str,
    rate: f64,
    (batch_size, window_s): (u32, u32),
    (fixed_ms, each_ms): (f64, f64),
) -> Load {
    Load {
        name,
        shards: 1,
        rate,
        batch_size,
        window_s,
        factor: 1,
        fan_out: false,
        fixed_ms,
        each_ms,
    }
}

/// Rate, `BatchSize` and window, and duration differ, and so do shards, factor and the way of reading.
const LOADS: &[Load] = &[
    load("the window ends batches", 100.0, (500, 1), (60.0, 0.2)),
    load("a long window", 50.0, (1000, 5), (100.0, 0.5)),
    load("batches fill up", 600.0, (100, 5), (40.0, 0.3)),
    load("somebody waits", 40.0, (100, 0), (35.0, 1.0)),
    load("a read brings several batches", 60.0, (10, 0), (20.0, 0.5)),
    load("longer than a read", 60.0, (100, 0), (510.0, 2.0)),
    load("few records", 0.5, (100, 0), (50.0, 0.0)),
    load("few records and a window", 0.5, (500, 1), (120.0, 0.0)),
    load(
        "now and then a read finds nothing",
        4.0,
        (100, 0),
        (150.0, 1.0),
    ),
    load("at nine tenths", 90.0, (100, 1), (500.0, 5.0)),
    load("half as much again", 150.0, (100, 1), (500.0, 5.0)),
    load("four times too much", 400.0, (100, 0), (1000.0, 0.0)),
    load("too much for the reads", 200.0, (10, 0), (5.0, 0.1)),
    Load {
        shards: 6,
        ..load("six shards", 80.0, (500, 1), (60.0, 0.2))
    },
    Load {
        fan_out: true,
        ..load("pushed", 100.0, (100, 0), (30.0, 0.5))
    },
    Load {
        fan_out: true,
        ..load("pushed with a window", 100.0, (500, 2), (80.0, 0.2))
    },
    Load {
        fan_out: true,
        ..load("pushed too much", 300.0, (100, 0), (500.0, 0.0))
    },
    Load {
        factor: 4,
        ..load("four lanes", 120.0, (100, 0), (330.0, 1.0))
    },
    Load {
        factor: 10,
        ..load("ten lanes and a window", 200.0, (500, 1), (90.0, 0.5))
    },
    Load {
        factor: 2,
        ..load("too much for two lanes", 100.0, (20, 0), (700.0, 0.0))
    },
];

#[track_caller]
fn within(what: &str, load: &Load, predicted: f64, seen: f64, share: f64) {
    assert!(
        (predicted - seen).abs() <= share * seen,
        "{what} of `{}`: predicted {predicted:.4}, seen {seen:.4}",
        load.name
    );
}

fn seconds(load: &Load) -> i64 {
    match load.rate {
        rate if rate < 1.0 => 8000,
        rate if rate < 10.0 => 2000,
        _ => 400,
    }
}

/// Each load simulated once, for every test that asks.
static SEEN: LazyLock<Vec<(&Load, Seen)>> = LazyLock::new(|| {
    LOADS
        .iter()
        .map(|load| (load, simulate(load, seconds(load))))
        .collect()
});

#[test]
fn lag_and_concurrency_are_those_of_the_state_machine() {
    for (load, seen) in SEEN.iter() {
        let predicted = load.predict();
        let shards = load.shards as f64;
        within(
            "concurrency",
            load,
            predicted.concurrency * shards,
            seen.concurrency,
            0.1,
        );
        within(
            "invocations",
            load,
            predicted.invocations_per_second * shards,
            seen.invocations_per_second,
            0.1,
        );
        if predicted.lag_growth > 0.0 {
            let age_s = predicted.iterator_age_after(seconds(load) as f64);
            within("lag", load, age_s, seen.last_age_s, 0.1);
        } else {
            within(
                "iterator age",
                load,
                predicted.iterator_age_s,
                seen.iterator_age_s,
                0.1,
            );
            within("latency", load, predicted.latency_s, seen.latency_s, 0.15);
        }
    }
}

/// What waits is what arrives in the time that it waits, of the machine itself: nothing is lost or counted twice here.
#[test]
fn littles_law_holds() {
    for (load, seen) in SEEN.iter() {
        let predicted = load.predict();
        if predicted.lag_growth > 0.0 {
            continue;
        }
        let arrivals = seen.arrivals_per_second;
        within(
            "waiting",
            load,
            arrivals * seen.latency_s,
            seen.waiting,
            0.03,
        );
        let waiting = load.rate * load.shards as f64 * predicted.latency_s;
        within("waiting as predicted", load, waiting, seen.waiting, 0.15);
    }
}

/// Half of the loads are below, at least five above what a shard can take.
#[test]
fn loads_lie_on_both_sides_of_the_capacity() {
    let above = LOADS
        .iter()
        .filter(|load| load.predict().lag_growth > 0.0)
        .count();
    assert!((5..LOADS.len() / 2).contains(&above), "{above} above");
}
