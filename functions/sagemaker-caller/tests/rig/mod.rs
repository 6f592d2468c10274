//! The caller against an endpoint on loopback and a stream in memory.

pub mod server;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::{BehaviorVersion, Region};
use control_plan::ControlPlan;
use function_ports::{Entry, Outbox, PortError};
use kinesis_batch::Batch;
use kinesis_batch::envelope::{Event, Record};
use lambda_function::CallLimits;
use lambda_function::clock::FixedClock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Captured, Metrics};
use quality_event::{Finding, Prediction, QualityEvent, Source};
use sagemaker_caller::config::{Policy, Target, WhenOpen};
use sagemaker_caller::{Breaker, Ports, SageMakerEndpoint, handle};

use server::Server;

pub const NOW_MS: i64 = 1_795_136_523_000;

pub const PLAN: &str = r#"
version: 1
reading: {machine: /machine, time: /time}
characteristics: {torque: {at: /torque, unit: Nm}}
rules: [{id: high, when: torque > 9000.0}]
model:
  id: wear
  features: [torque]
  thresholds: [{score: 0.5}, {score: 0.9, severity: critical, reaction: stop-line}]
"#;

pub const POLICY: Policy = Policy {
    limits: CallLimits {
        entries: 8,
        bytes: 4_500_000,
    },
    concurrent_calls: 2,
    call_timeout: Duration::from_millis(300),
    attempts: 3,
    breaker_failures: 100,
    breaker_pause: Duration::from_secs(30),
    when_open: WhenOpen::Pass,
    max_age: Duration::from_secs(900),
};

/// The quality-events stream: what was put, by id.
#[derive(Clone, Default)]
pub struct Stream(pub Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Outbox for Stream {
    async fn put(&self, entries: &[&Entry]) -> Result<Vec<usize>, PortError> {
        let mut stream = self.0.lock().unwrap();
        for entry in entries {
            stream.insert(entry.id.to_string(), entry.json.clone());
        }
        Ok(Vec::new())
    }
}

pub struct Rig {
    pub server: Server,
    pub stream: Stream,
    pub clock: Arc<FixedClock>,
    pub captured: Arc<Captured>,
    pub plan: ControlPlan,
    pub policy: Policy,
    ports: Ports<SageMakerEndpoint, Stream, Arc<FixedClock>>,
}

impl Rig {
    pub fn new(server: Server, policy: Policy) -> Self {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let config = aws_sdk_sagemakerruntime::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(format!("http://{}", server.address))
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .build();
        let target = Target {
            endpoint: "press-model".into(),
            model: None,
            variant: None,
            component: None,
        };
        let (metrics, captured) = Metrics::captured();
        let (stream, clock) = (Stream::default(), Arc::new(FixedClock::at(NOW_MS)));
        let client = aws_sdk_sagemakerruntime::Client::from_conf(config);
        Self {
            server,
            plan: ControlPlan::parse("plan.yaml", PLAN).unwrap(),
            ports: Ports {
                endpoint: SageMakerEndpoint::new(client, target),
                outbox: stream.clone(),
                clock: Arc::clone(&clock),
                breaker: Mutex::new(Breaker::new(policy.breaker_failures, policy.breaker_pause)),
                metrics,
            },
            stream,
            clock,
            captured,
            policy,
        }
    }

    /// Scores readings of these torques, arrived just now, and tells what became of each: its score, with `!` for each
    /// threshold's reaction; the reason why it has none; or `held`.
    pub async fn score(&self, torques: &[f64], most: Duration) -> Vec<String> {
        let payloads: Vec<String> = torques
            .iter()
            .enumerate()
            .map(|(n, torque)| {
                format!(r#"{{"machine":"press-{n:02}","time":{n},"torque":{torque}}}"#)
            })
            .collect();
        let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
        self.deliver(&payloads, false, most).await
    }

    pub async fn deliver(&self, payloads: &[&str], redrive: bool, most: Duration) -> Vec<String> {
        self.stream.0.lock().unwrap().clear();
        let mut event = if redrive {
            Event::redrive()
        } else {
            Event::new()
        };
        for (n, payload) in payloads.iter().enumerate() {
            event.push(&Record {
                source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
                region: "eu-central-1",
                role_arn: "",
                shard: "shardId-000000000000",
                sequence_number: &format!("{}", 100 + n),
                partition_key: "a",
                data: payload.as_bytes(),
                arrived_ms: NOW_MS,
            });
        }
        let (body, mut buffer) = (event.finish(), Vec::new());
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        let deadline = Deadline::after(most);
        let outcomes = handle(&self.plan, &self.policy, &self.ports, &batch, deadline).await;
        self.ports.metrics.flush();
        let events = self.events();
        let told = (0..payloads.len()).map(|n| {
            let number = format!("{}", 100 + n);
            let own: Vec<&QualityEvent> = events
                .iter()
                .filter(|event| number_of(&event.source) == number)
                .collect();
            match (own.as_slice(), outcomes.is_done(n)) {
                ([], false) => "held".to_owned(),
                ([], true) => "skipped".to_owned(),
                ([event], true) => told(event),
                (own, done) => panic!("{n}: done is {done}, events are {own:?}"),
            }
        });
        told.collect()
    }

    pub fn events(&self) -> Vec<QualityEvent> {
        let stream = self.stream.0.lock().unwrap();
        stream
            .values()
            .map(|json| QualityEvent::from_json(json).unwrap())
            .collect()
    }

    pub fn metric(&self, name: &str, dimensions: &[(&str, &str)]) -> f64 {
        self.captured.total(name, dimensions)
    }
}

fn number_of(source: &Source) -> &str {
    match source {
        Source::Stream {
            sequence_number, ..
        } => sequence_number,
        Source::File { .. } => "",
    }
}

fn told(event: &QualityEvent) -> String {
    let Finding::Prediction(Prediction {
        score,
        flagged,
        unscored,
        ..
    }) = &event.finding
    else {
        panic!("{event:?}");
    };
    match (score, unscored) {
        (Some(score), None) => format!("{score}{}", if *flagged { "!" } else { "" }),
        (None, Some(reason)) => reason.clone(),
        _ => panic!("{event:?}"),
    }
}
