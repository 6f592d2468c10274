//! Amazon Data Firehose, as deployed: the state machines of `firehose-delivery` with the real transformer, streams, clock
//! and bucket.
//!
//! Each delivery stream follows its source from the oldest record on: the emulator's streams are new, so that Firehose's
//! own beginning, `LATEST`, is the same. Buffers are those that are deployed. A run that comes to its end waits for none of
//! them ([`Delivery::drain`]), which Firehose does not do. The objects are the emulator's: nothing fails there on purpose.
//!
//! What lies in the bucket is held against what an independent pass of the program makes of the stream's records
//! ([`ledger`]).

mod bucket;
mod copy;
mod driver;
mod ledger;
mod pulse;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aws_config::SdkConfig;
use firehose_delivery::{Counts, Delivery, Source};
use lake_program::{Bundled, Program};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::hosts::{Hosted, Hosts};
use super::mapping::Follower;
use super::python::Progress;
use super::stack::DeployedDelivery;
use crate::failure::Failure;
use crate::record::StreamRecord;
pub use bucket::objects;
pub use copy::empty;
use driver::Driver;
pub use ledger::Delivered;
use pulse::Pulse;

/// All delivery streams of a run.
pub struct Lake(Vec<AtWork>);

struct AtWork {
    delivery: DeployedDelivery,
    program: Option<Bundled>,
    drain: UnboundedSender<oneshot::Sender<Counts>>,
    pulse: Arc<Pulse>,
}

/// A delivery stream once all that it took is done with.
pub struct Drained {
    delivery: DeployedDelivery,
    program: Option<Bundled>,
    counts: Counts,
}

impl Drained {
    /// The stream that it read.
    pub fn source_arn(&self) -> &str {
        &self.delivery.source_arn
    }

    /// Whether this program makes its rows.
    pub fn is_made_by(&self, program: &str) -> bool {
        self.program.is_some_and(|one| one.name() == program)
    }
}

impl Lake {
    /// Every delivery stream with what follows its source.
    pub fn new(
        deliveries: &[DeployedDelivery],
        hosts: &Hosts,
        sdk: &SdkConfig,
        progress: &Arc<dyn Progress + Send>,
    ) -> Result<(Self, Vec<Follower>), Failure> {
        let (mut at_work, mut followers) = (Vec::new(), Vec::new());
        for delivery in deliveries {
            let transformer = transformer(delivery, hosts)?;
            let program = transformer.map(program).transpose()?;
            let machine = Delivery::new(delivery.settings.clone(), source(delivery));
            let ((found, shards), (drain, drains)) = (unbounded_channel(), unbounded_channel());
            let driver = Driver::new(
                delivery,
                machine,
                transformer.map(|hosted| Arc::clone(&hosted.host)),
                crate::aws::s3(sdk),
                Arc::clone(progress),
                shards,
                drains,
            );
            let pulse = driver.pulse();
            followers.push(Follower {
                name: format!("lake {}", delivery.label),
                stream_arn: delivery.source_arn.clone(),
                found,
                work: Box::pin(driver.run()),
            });
            at_work.push(AtWork {
                delivery: delivery.clone(),
                program,
                drain,
                pulse,
            });
        }
        Ok((Self(at_work), followers))
    }

    /// Copies every object into `folder`, and tells how many there are.
    pub async fn copy(&self, sdk: &SdkConfig, folder: &Path) -> Result<usize, Failure> {
        let buckets: BTreeSet<&str> = self
            .0
            .iter()
            .map(|one| one.delivery.bucket.as_str())
            .collect();
        let client = crate::aws::s3(sdk);
        let mut copied = 0;
        for bucket in buckets {
            let objects = bucket::objects(&client, bucket).await?;
            copied += objects.len();
            copy::write(folder, &objects)?;
        }
        Ok(copied)
    }

    /// How often any delivery stream has moved on: while this grows, waiting is worth while.
    pub fn moves(&self) -> u64 {
        self.0.iter().map(|one| one.pulse.moves()).sum()
    }

    /// The delivery streams that still have records, and how many.
    pub fn held(&self) -> Vec<(String, u64)> {
        let all = self.0.iter();
        all.map(|one| (one.delivery.name.clone(), one.pulse.held()))
            .filter(|(_, records)| *records > 0)
            .collect()
    }

    /// Waits until all that was taken is in the bucket.
    pub async fn drained(&self) -> Vec<Drained> {
        let asked = self.0.iter().map(|at_work| {
            let (sender, counts) = oneshot::channel();
            // A delivery that has ended has told of its failure: the run ends with it.
            let _ = at_work.drain.send(sender);
            async move {
                Drained {
                    delivery: at_work.delivery.clone(),
                    program: at_work.program,
                    counts: counts.await.unwrap_or_default(),
                }
            }
        });
        futures_util::future::join_all(asked).await
    }
}

/// What a delivery stream has made of its source's records, by what lies in the bucket.
pub async fn delivered(
    sdk: &SdkConfig,
    drained: &Drained,
    shards: &[(String, Vec<StreamRecord>)],
    damaged: bool,
) -> Result<Delivered, Failure> {
    let delivery = &drained.delivery;
    let found = bucket::read(&crate::aws::s3(sdk), delivery).await?;
    let program = drained.program.map(compiled).transpose()?;
    Ok(ledger::settle(ledger::Account {
        stream: &delivery.name,
        program: program.as_ref(),
        shards,
        counts: drained.counts,
        found,
        damaged,
    }))
}

/// The rows that lie in the bucket.
pub async fn rows(sdk: &SdkConfig, drained: &Drained) -> Result<Vec<Value>, Failure> {
    let found = bucket::read(&crate::aws::s3(sdk), &drained.delivery).await?;
    Ok(found.rows)
}

fn transformer<'a>(
    delivery: &DeployedDelivery,
    hosts: &'a Hosts,
) -> Result<Option<&'a Hosted>, Failure> {
    let Some(transformation) = &delivery.settings.transformation else {
        return Ok(None);
    };
    let arn = &transformation.function_arn;
    hosts.by_arn(arn).map(Some).ok_or_else(|| {
        Failure::check(format_args!(
            "{} invokes {arn}, which is not deployed",
            delivery.name
        ))
        .cure("let the delivery streams in infra/ refer to functions of the same template")
    })
}

/// The program that a transformer runs.
fn program(transformer: &Hosted) -> Result<Bundled, Failure> {
    let function = &transformer.function;
    let program = function.environment.get("PROGRAM");
    program
        .and_then(|name| Bundled::named(name))
        .ok_or_else(|| {
            Failure::check(format_args!(
                "{} is deployed without a known PROGRAM",
                function.name
            ))
            .cure("`andon program check` tells the programs that come along")
        })
}

fn compiled(program: Bundled) -> Result<Program, Failure> {
    program.compile().map_err(|errors| {
        Failure::check(format_args!(
            "the program {} is not in order",
            program.name()
        ))
        .caused_by(errors)
    })
}

fn source(delivery: &DeployedDelivery) -> Source {
    Source {
        stream_arn: delivery.arn.clone(),
        version: delivery.version.clone(),
        region: delivery.region().to_owned(),
        kinesis_stream_arn: Some(delivery.source_arn.clone()),
    }
}
