//! A batch judged, and the same batch once more: in the environment that judged it, and in another one, which finds the
//! readings under their machines' watermarks. From the raw body to the answer, with tables and streams in memory.
//!
//! `cargo bench -p quality-evaluator`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has to say why"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;

use control_plan::ControlPlan;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kinesis_batch::Batch;
use kinesis_batch::envelope::{Event, Record};
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use quality_evaluator::{
    Commit, Committed, Entry, Finished, Hold, Limits, Loaded, Mark, Outbox, Pending, Place,
    PortError, Ports, Restarts, StateStore, StoredState, handle,
};
use set_aside::MemoryShelf;

criterion_group!(benches, replay);
criterion_main!(benches);

const PLAN: &str = include_str!("../../../infra/plans/press-line.yaml");
const RECORDS: u64 = 2_000;
const MACHINES: u64 = 50;
const ARRIVED_MS: i64 = 1_795_136_400_000;

fn replay(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let plan = ControlPlan::parse("press-line.yaml", PLAN).expect("a good plan");
    let body = event();
    let judged = || {
        let ports = ports();
        runtime.block_on(invoke(&plan, &ports, &body));
        ports
    };
    let mut group = criterion.benchmark_group("batch of 2,000 readings");
    group.throughput(Throughput::Elements(RECORDS));
    group.bench_function("judged", |bencher| {
        bencher.iter_batched(
            ports,
            |ports| runtime.block_on(invoke(&plan, &ports, &body)),
            BatchSize::LargeInput,
        );
    });
    let same = judged();
    group.bench_function("replayed in the same environment", |bencher| {
        bencher.iter(|| runtime.block_on(invoke(&plan, &same, black_box(&body))));
    });
    group.bench_function("replayed in another environment", |bencher| {
        bencher.iter_batched(
            || Ports {
                finished: Finished::default(),
                ..judged()
            },
            |ports| runtime.block_on(invoke(&plan, &ports, &body)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

async fn invoke(
    plan: &ControlPlan,
    ports: &Ports<Table, Stream, MemoryShelf, NoNotes>,
    body: &[u8],
) {
    let mut buffer = Vec::new();
    let batch = Batch::decode(body, &mut buffer).expect("an event");
    let limits = Limits {
        state_ttl: Duration::from_secs(604_800),
        hold: Hold::new(Duration::from_secs(300), ARRIVED_MS),
    };
    let deadline = Deadline::after(Duration::from_secs(60));
    let response = handle(plan, ports, limits, &batch, "request", deadline).await;
    assert_eq!(response.checkpoint(), None);
}

fn event() -> Vec<u8> {
    let mut event = Event::new();
    for n in 0..RECORDS {
        let machine = format!("press-{:02}", n % MACHINES);
        let noise = (n * 7_919 % 1_000) as f64 / 100.0;
        let data = format!(
            r#"{{"machine":"{machine}","line":"L2","time":"2026-11-20T01:{:02}:{:02}Z","product":"M14860","grade":"M","measurements":{{"air_temperature":298.1,"process_temperature":308.6,"rotational_speed":1551,"torque":{},"tool_wear":{}}}}}"#,
            n / MACHINES / 60,
            n / MACHINES % 60,
            35.0 + noise,
            n % 150
        );
        event.push(&Record {
            source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
            region: "eu-central-1",
            role_arn: "arn:aws:iam::123456789012:role/andon",
            shard: "shardId-000000000000",
            sequence_number: &format!("49590338271490256608559692538361571095921575989{n:09}"),
            partition_key: &machine,
            data: data.as_bytes(),
            arrived_ms: ARRIVED_MS,
        });
    }
    event.finish()
}

fn ports() -> Ports<Table, Stream, MemoryShelf, NoNotes> {
    Ports {
        states: Table::default(),
        outbox: Stream,
        shelf: MemoryShelf::default(),
        restarts: NoNotes,
        metrics: Metrics::captured().0,
        finished: Finished::default(),
    }
}

/// States in memory, encoded as in the table.
#[derive(Default)]
struct Table(Mutex<HashMap<String, StoredState>>);

impl StateStore for Table {
    async fn load(&self, machines: &[&str]) -> Result<Loaded, PortError> {
        let states = self.0.lock().expect("a lock");
        let found = machines
            .iter()
            .filter_map(|machine| Some(((*machine).to_owned(), states.get(*machine)?.clone())));
        Ok(Loaded {
            states: found.collect(),
            unprocessed: Vec::new(),
        })
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<Committed, PortError> {
        let marks = commit.record.watermarks.to_texts();
        let state = StoredState {
            version: commit.loaded + 1,
            state: commit.record.state.encode(),
            watermarks: marks
                .map(|(shard, mark)| (shard.to_owned(), mark))
                .collect(),
        };
        self.0
            .lock()
            .expect("a lock")
            .insert(commit.machine.to_owned(), state);
        Ok(Committed::Done)
    }
}

/// A stream that takes everything.
struct Stream;

impl Outbox for Stream {
    async fn put(&self, _: &[&Entry]) -> Result<Vec<usize>, PortError> {
        Ok(Vec::new())
    }
}

/// Nothing was parked.
struct NoNotes;

impl Restarts for NoNotes {
    async fn pending(&self, _: &mut Pending) -> Result<(), PortError> {
        Ok(())
    }

    async fn leave(&self, _: &Place, _: &Mark) -> Result<(), PortError> {
        Ok(())
    }

    async fn settle(&self, _: &Place, _: &Mark) -> Result<(), PortError> {
        Ok(())
    }
}
