//! What lies in the local AWS after a run: streams, tables, the set-aside bucket, and what subscribers were sent.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_function::clock::{Clock, SystemClock};
use quality_event::QualityEvent;

use super::chaos::{Damage, Poison};
use super::expected::expected;
pub use super::expected::{Expected, Place};
use super::figures::Figures;
use super::hosts::Hosts;
use super::lake::{self, Delivered, Drained};
use super::mapping::lag::Behind;
use super::model::ModelServer;
use super::plan::Plan;
use super::predictions::{Model, expected_events};
use super::rows;
use super::stack::Deployed;
use super::worn::Truth;
use crate::aws::{failed, s3};
use crate::failure::Failure;
use crate::record::{StreamRecord, list_shards, read_shard};
use crate::redrive::{Held, InvocationRecord};

/// Everything that the summary and the checks rest on.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The readings stream's ARN.
    pub readings_stream: String,
    /// What the producer was told.
    pub put: Put,
    /// What should have come of the readings on the stream.
    pub expected: Expected,
    /// The model that was asked about them, if one was.
    pub model: Option<Model>,
    /// The distinct events on the quality-events stream, by id: the first of each.
    pub events: BTreeMap<String, QualityEvent>,
    /// Later ones of an id that do not equal its first.
    pub unequal: Vec<QualityEvent>,
    /// The ids in the table of events.
    pub stored: BTreeSet<String>,
    /// The alerter's claims, by key.
    pub claims: BTreeMap<String, Claim>,
    /// Alerts as a subscriber got them.
    pub alerts: Vec<Received>,
    /// Line stops as a line's gateway got them.
    pub line_stops: Vec<Received>,
    /// Records that the functions set aside.
    pub set_aside: Vec<Aside>,
    /// Batches on the failure destination.
    pub given_up: Vec<GivenUp>,
    /// How far each function is behind on each shard.
    pub lag: Vec<Behind>,
    /// What the delivery streams have made of their records.
    pub lake: Vec<Delivered>,
    /// What was made to go wrong.
    pub damage: Option<Damage>,
    /// What the functions were configured with.
    pub policy: Policy,
    /// When this was seen, in ms since the epoch.
    pub now_ms: i64,
}

/// What the producer was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// Readings that the stream accepted.
    pub readings: u64,
    /// The records that carry them.
    pub records: u64,
    /// Records that were put again.
    pub put_again: u64,
}

/// A claim in the alerter's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `claimed`, `sent` or `suppressed`.
    pub status: String,
    /// Why it is suppressed.
    pub reason: Option<String>,
    /// When the table may forget it, in seconds since the epoch.
    pub expires_at: i64,
}

/// A message that a subscriber got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The id of its event, or what stands for it in a message that names none.
    pub id: String,
}

/// A record that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// `quarantine` or `parked`.
    pub fate: String,
    /// Why.
    pub reason: String,
    /// The stream's ARN.
    pub stream: Option<String>,
    /// Where it lies there.
    pub place: Place,
}

/// A batch that a mapping gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// The object's key.
    pub key: String,
    /// Lambda's word for why.
    pub condition: String,
    /// The stream's ARN.
    pub stream: String,
    /// Where its records lie there.
    pub records: Vec<Place>,
}

/// What of the functions' configuration decides which effects are to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `STORE=all`.
    pub store_all: bool,
    /// `MAX_ALERT_AGE`, in ms.
    pub max_alert_age_ms: i64,
    /// `LINE_STOP_EXPIRY`, in ms.
    pub line_stop_expiry_ms: i64,
    /// `CLAIM_TTL`, in seconds.
    pub claim_ttl_s: i64,
    /// `COOL_DOWN`, in ms of reading time.
    pub cool_down_ms: i64,
}

impl Policy {
    /// As deployed.
    pub fn of(hosts: &Hosts) -> Result<Self, Failure> {
        let text = |package: &str, name: &str| {
            hosts
                .by_package(package)
                .and_then(|hosted| hosted.function.environment.get(name))
                .ok_or_else(|| {
                    Failure::check(format_args!("{package} is deployed without {name}"))
                        .cure("set it in infra/functions.yaml: the checks need to know it")
                })
        };
        let seconds = |name: &str| {
            let text = text("sns-alerter", name)?;
            text.parse::<i64>().map_err(|error| {
                Failure::check(format_args!("{name}={text} is no number of seconds"))
                    .caused_by(error)
            })
        };
        Ok(Self {
            store_all: text("dynamodb-writer", "STORE")? == "all",
            max_alert_age_ms: seconds("MAX_ALERT_AGE")? * 1_000,
            line_stop_expiry_ms: seconds("LINE_STOP_EXPIRY")? * 1_000,
            claim_ttl_s: seconds("CLAIM_TTL")?,
            cool_down_ms: seconds("COOL_DOWN")? * 1_000,
        })
    }
}

/// The streams of a deployment, by ARN.
#[derive(Clone, Debug)]
pub struct Streams {
    /// Where readings are put.
    pub readings: String,
    /// Where events are published.
    pub events: String,
}

impl Streams {
    /// As the mappings name them: the evaluator's source, and the writer's.
    pub fn of(deployed: &Deployed) -> Result<Self, Failure> {
        let arn = |name: &str| {
            let end = format!(":stream/{name}");
            let mut sources = deployed
                .mappings
                .iter()
                .map(|mapping| mapping.event_source_arn.split("/consumer/").next());
            let found = sources.find_map(|arn| arn.filter(|arn| arn.ends_with(&end)));
            found.map(str::to_owned).ok_or_else(|| {
                Failure::check(format_args!("no mapping reads the stream {name}"))
                    .cure("every stream needs a mapping in infra/functions.yaml")
            })
        };
        Ok(Self {
            readings: arn(output(deployed, "ReadingsStreamName")?)?,
            events: arn(output(deployed, "QualityEventsStreamName")?)?,
        })
    }
}

/// An output of the root stack.
pub fn output<'a>(deployed: &'a Deployed, name: &'static str) -> Result<&'a str, Failure> {
    deployed.output(name).map_err(|error| {
        let cure = error.cure();
        Failure::check(error).cure(cure)
    })
}

/// Reads streams, tables and the bucket; what came through queues and mappings is given.
pub async fn observe(
    sdk: &SdkConfig,
    deployed: &Deployed,
    hosts: &Hosts,
    plan: &Plan,
    server: Option<&ModelServer>,
    given: Given,
) -> Result<Observed, Failure> {
    let kinesis = aws_sdk_kinesis::Client::new(sdk);
    let readings = read_stream(&kinesis, &given.streams.readings).await?;
    let poison = given.poison.as_ref();
    let (mut expected, questions) =
        expected(&plan.rules, &given.streams.readings, &readings, poison);
    let published = read_stream(&kinesis, &given.streams.events).await?;
    let (events, unequal) = distinct(&published)?;
    let model = match (plan.rules.model(), server) {
        (Some(model), Some(server)) => {
            let (mut questions, rows): (Vec<_>, Vec<_>) = questions.into_iter().unzip();
            let scores = server.scores(&plan.rules, &rows).await?;
            for (question, score) in questions.iter_mut().zip(scores) {
                question.asked.score = score;
            }
            expected.predictions = expected_events(&plan.rules, &questions, &events);
            let asked = questions.into_iter().map(|question| question.asked);
            let thresholds = model.thresholds().iter();
            Some(Model {
                id: model.id().to_owned(),
                thresholds: thresholds
                    .map(|it| (it.reaction.to_string(), it.score))
                    .collect(),
                asked: asked.collect(),
                truth: given.truth,
                figures: Figures::of_card()?,
            })
        }
        _ => None,
    };
    let mut lake = Vec::new();
    for drained in &given.lake {
        let (source, damaged) = (drained.source_arn(), given.damage.is_some());
        let shards = match source {
            _ if source == given.streams.readings => &readings,
            _ if source == given.streams.events => &published,
            _ => {
                let settled = rows::settle(sdk, drained, given.records, damaged).await?;
                lake.push(settled.delivered);
                continue;
            }
        };
        lake.push(lake::delivered(sdk, drained, shards, damaged).await?);
    }
    let bucket = output(deployed, "SetAsideBucketName")?;
    let (set_aside, given_up) = set_aside(sdk, bucket).await?;
    let stored = scan(sdk, output(deployed, "EventsTableName")?).await?;
    let claims = scan(sdk, output(deployed, "ClaimsTableName")?).await?;
    Ok(Observed {
        readings_stream: given.streams.readings,
        put: given.put,
        expected,
        model,
        events,
        unequal,
        stored: stored.iter().filter_map(|item| text(item, "id")).collect(),
        claims: claims
            .iter()
            .filter_map(|item| Some((text(item, "claim")?, claim(item)?)))
            .collect(),
        alerts: given.alerts,
        line_stops: given.line_stops,
        set_aside,
        given_up,
        lag: given.lag,
        lake,
        damage: given.damage,
        policy: Policy::of(hosts)?,
        now_ms: SystemClock.now_ms(),
    })
}

/// What was gathered while the run was going on.
pub struct Given {
    /// The streams.
    pub streams: Streams,
    /// What the producer was told of the readings.
    pub put: Put,
    /// What it was told of records that are made into rows.
    pub records: Put,
    /// Alerts.
    pub alerts: Vec<Received>,
    /// Line stops.
    pub line_stops: Vec<Received>,
    /// The lags at the end.
    pub lag: Vec<Behind>,
    /// The delivery streams, all of them done.
    pub lake: Vec<Drained>,
    /// What was made to go wrong.
    pub damage: Option<Damage>,
    /// What no function survived.
    pub poison: Option<Poison>,
    /// When machines failed, if that is known.
    pub truth: Option<Truth>,
}

/// Every record of a stream, by shard.
pub async fn read_stream(
    client: &aws_sdk_kinesis::Client,
    arn: &str,
) -> Result<Vec<(String, Vec<StreamRecord>)>, Failure> {
    let mut shards = Vec::new();
    for shard in list_shards(client, arn).await? {
        let records = read_shard(client, arn, &shard).await?;
        shards.push((shard, records));
    }
    Ok(shards)
}

type ById = BTreeMap<String, QualityEvent>;

/// The first event of each id, and those later ones that do not equal it.
fn distinct(
    published: &[(String, Vec<StreamRecord>)],
) -> Result<(ById, Vec<QualityEvent>), Failure> {
    let (mut events, mut unequal) = (ById::new(), Vec::new());
    for record in published.iter().flat_map(|(_, records)| records) {
        let event = QualityEvent::from_json(&record.data).map_err(|error| {
            Failure::check(format_args!(
                "record {} of the quality-events stream cannot be read",
                record.sequence_number
            ))
            .caused_by(error)
            .cure("who but the functions puts records there?")
        })?;
        match events.entry(event.id.to_string()) {
            Entry::Vacant(first) => {
                first.insert(event);
            }
            Entry::Occupied(first) if *first.get() != event => unequal.push(event),
            Entry::Occupied(_) => {}
        }
    }
    Ok((events, unequal))
}

type Item = std::collections::HashMap<String, AttributeValue>;

async fn scan(sdk: &SdkConfig, table: &str) -> Result<Vec<Item>, Failure> {
    let client = aws_sdk_dynamodb::Client::new(sdk);
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page = client
            .scan()
            .table_name(table)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| failed(format_args!("cannot read the table {table}"), &error))?;
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

/// Markers and cool-downs share the table; they have no status.
fn claim(item: &Item) -> Option<Claim> {
    Some(Claim {
        status: text(item, "status")?,
        reason: text(item, "reason"),
        expires_at: item.get("expires_at")?.as_n().ok()?.parse().ok()?,
    })
}

/// Where Lambda puts given-up batches.
const GIVEN_UP: &str = "aws/lambda/";

async fn set_aside(sdk: &SdkConfig, bucket: &str) -> Result<(Vec<Aside>, Vec<GivenUp>), Failure> {
    let (mut aside, mut given_up) = (Vec::new(), Vec::new());
    for (key, bytes) in lake::objects(&s3(sdk), bucket).await? {
        if key.starts_with(GIVEN_UP) {
            given_up.push(batch(&key, &bytes)?);
            continue;
        }
        let records =
            set_aside::decode(&bytes).map_err(|error| Failure::check(&key).caused_by(error))?;
        let fate = key.split('/').next().unwrap_or_default();
        aside.extend(records.into_iter().map(|record| Aside {
            fate: fate.to_owned(),
            reason: record.reason,
            stream: record.stream,
            place: Place {
                shard: record.shard.unwrap_or_default(),
                sequence_number: record.sequence_number.unwrap_or_default(),
                sub_sequence_number: record.sub_sequence_number,
            },
        }));
    }
    Ok((aside, given_up))
}

fn batch(key: &str, bytes: &[u8]) -> Result<GivenUp, Failure> {
    let unreadable = |error| Failure::check(key).caused_by(error);
    let record = InvocationRecord::read(bytes).map_err(unreadable)?;
    let held = record.held(key).map_err(unreadable)?.unwrap_or_default();
    let place = |held: Held| Place {
        shard: held.record.shard.unwrap_or_default(),
        sequence_number: held.record.sequence_number.unwrap_or_default(),
        sub_sequence_number: None,
    };
    Ok(GivenUp {
        key: key.to_owned(),
        condition: record.condition,
        stream: record
            .batch
            .map(|batch| batch.stream_arn)
            .unwrap_or_default(),
        records: held.into_iter().map(place).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::checks::tests::event;

    #[test]
    fn an_event_that_says_something_else_the_second_time_is_kept_beside_the_first() {
        let (first, other) = (event(1, "opened", "notify"), event(1, "ongoing", "notify"));
        let records = [&first, &other, &first].map(|event| StreamRecord {
            sequence_number: "1".into(),
            partition_key: event.machine.clone(),
            data: event.to_json(),
            arrived_ms: 0,
        });
        let (events, unequal) = distinct(&[("shard".into(), records.into())]).unwrap();
        assert_eq!(events.into_values().collect::<Vec<_>>(), [first]);
        assert_eq!(unequal, [other]);
    }

    #[test]
    fn claims_are_told_from_what_lies_beside_them() {
        let item = |fields: &[(&str, AttributeValue)]| -> Item {
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        };
        let expires = ("expires_at", AttributeValue::N("1795741323".into()));
        let suppressed = item(&[
            ("claim", AttributeValue::S("alert#5f1c".into())),
            ("status", AttributeValue::S("suppressed".into())),
            ("reason", AttributeValue::S("cool-down".into())),
            expires.clone(),
        ]);
        assert_eq!(
            claim(&suppressed),
            Some(Claim {
                status: "suppressed".into(),
                reason: Some("cool-down".into()),
                expires_at: 1_795_741_323,
            })
        );
        let cool_down = item(&[
            ("claim", AttributeValue::S("cool-down#r#m".into())),
            ("at", AttributeValue::N("1".into())),
            expires,
        ]);
        assert_eq!(claim(&cool_down), None);
    }
}
