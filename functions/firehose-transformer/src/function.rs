//! The transformer on AWS: what `main.rs`, local invocations and tests run alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use lake_program::Program;
use lambda_function::metrics::Metrics;
use serde_json::value::RawValue;

use crate::event::EventError;
use crate::metric;
use crate::response::MAX_RESPONSE_BYTES;
use crate::transform::{Outcome, Transformed, transform};

/// The function, with its program.
pub struct Transformer {
    program: Program,
    metrics: Arc<Metrics>,
}

impl Transformer {
    /// Transforms by `program`.
    pub fn new(program: Program, metrics: Arc<Metrics>) -> Self {
        Self { program, metrics }
    }

    /// Transforms one batch.
    ///
    /// # Errors
    /// If `body` is no Firehose event. Firehose tries such a batch again, and keeps it at last.
    pub fn invoke(&self, body: &[u8]) -> Result<Box<RawValue>, EventError> {
        let Transformed { response, outcomes } =
            transform(&self.program, body, MAX_RESPONSE_BYTES)?;
        let mut failed: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let (mut ok, mut dropped) = (0, 0);
        for outcome in &outcomes {
            match outcome {
                Outcome::Ok => ok += 1,
                Outcome::Dropped => dropped += 1,
                Outcome::Failed { reason, message } => {
                    failed.entry(reason).or_insert((0, message)).0 += 1;
                }
            }
        }
        self.metrics.add(&metric::OK, &[], ok);
        self.metrics.add(&metric::DROPPED, &[], dropped);
        for (reason, (records, first)) in failed {
            self.metrics.add(&metric::FAILED, &[reason], records);
            tracing::warn!(reason, records, first, "records kept as they came");
        }
        tracing::info!(
            records = outcomes.len(),
            ok,
            dropped,
            bytes = response.get().len(),
            "batch transformed"
        );
        Ok(response)
    }
}
