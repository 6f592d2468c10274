//! A function behind its event source mapping, with the environments that serve it.

use std::sync::Arc;

use event_source_mapping::{
    Destination, Mapping, Read, Settings, ShardInfo, Source, SourceRecord, StartingPosition,
};

use super::function::Function;
use super::limits::Limits;
use super::world::{Environment, Plant, SET_ASIDE_BUCKET};

/// A function behind its mapping.
pub struct Line {
    /// The function.
    pub function: Function,
    /// Its mapping.
    pub mapping: Mapping,
    /// Environments that serve nobody, the one that was used last at the end.
    pub idle: Vec<Environment>,
    /// Reads that wait for records.
    pub reads: Vec<Waiting>,
}

/// A read that is answered as soon as there is something: what polling would find, without the polls that find nothing.
pub struct Waiting {
    /// The read.
    pub read: Read,
    /// When the poll comes that finds something; none while there is nothing.
    pub due_ms: Option<i64>,
}

impl Line {
    /// The function as deployed, with cold environments only.
    pub fn new(function: Function, plant: &Plant, limits: Limits) -> Self {
        let source = Source {
            mapping_id: format!("mapping-of-{function}"),
            event_source_arn: plant.source_arn(function).to_owned(),
            function_arn: format!("arn:aws:lambda:eu-central-1:111122223333:function:{function}"),
            role_arn: "arn:aws:iam::111122223333:role/andon".to_owned(),
            retention_ms: None,
        };
        Self {
            function,
            mapping: Mapping::new(settings(function, limits), source).unwrap(),
            idle: Vec::new(),
            reads: Vec::new(),
        }
    }

    /// Tells the mapping of its stream's shards.
    pub fn tell_of_shards(&mut self, plant: &Plant) {
        let now_ms = plant.world.now_ms();
        for shard in plant.world.shards(self.function.stream()) {
            let parents = [shard.parent, shard.adjacent_parent];
            let info = ShardInfo {
                id: shard.id,
                parents: parents.into_iter().flatten().collect(),
            };
            self.mapping.shard_found(info, now_ms);
        }
    }
}

/// The mapping's settings, as `infra/functions.yaml` has them, but for the run's limits.
fn settings(function: Function, limits: Limits) -> Settings {
    let (batch_size, batching_window_s) = match function {
        Function::Evaluator | Function::Writer => (500, 1),
        Function::Alerter => (100, 0),
    };
    Settings {
        batch_size,
        batching_window_s,
        starting_position: StartingPosition::TrimHorizon,
        maximum_retry_attempts: limits.retries(function),
        maximum_record_age_s: limits.age_s(function).or(Some(21_600)),
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        on_failure: Some(Destination::Bucket(SET_ASIDE_BUCKET.to_owned())),
        ..Settings::default()
    }
}

/// A batch on its way.
pub struct UnderWay {
    /// Which line, by its place.
    pub line: usize,
    /// The mapping's id of it.
    pub id: event_source_mapping::InvocationId,
    /// The request id.
    pub request_id: String,
    /// The shard.
    pub shard: Arc<str>,
    /// What is delivered.
    pub records: Vec<Arc<SourceRecord>>,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// Whether its answer will not arrive.
    pub answer_lost: bool,
}
