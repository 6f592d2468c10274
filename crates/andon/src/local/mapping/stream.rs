//! The shards of a stream, those that come with resharding among them: found, read, and made known to every mapping.
//!
//! Promise: when a shard has ended, the shards that come after it are known already, so that nobody takes the end of one
//! for the end of all.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_kinesis::Client;
use event_source_mapping::ShardInfo;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::lag::Lag;
use super::tail::{Reader, Tail};
use crate::failure::Failure;
use crate::record::list_shard_infos;

/// The lags of all mappings on all shards that were found so far.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<Vec<Arc<Lag>>>>);

impl Registry {
    /// Those known now.
    pub fn lags(&self) -> Vec<Arc<Lag>> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Lag>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shard, as one mapping is told of it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The shard.
    pub info: ShardInfo,
    /// What is read of it.
    pub tail: Arc<Tail>,
    /// How far the mapping is behind on it.
    pub lag: Arc<Lag>,
    /// The listener's number at the tail.
    pub number: usize,
}

/// Who is told of shards.
#[derive(Debug)]
pub struct Listener {
    /// What reads: the mapping's function, or a delivery stream.
    pub name: String,
    /// Takes the shards of a listing together: a shard waits for its parents only if they are known.
    pub found: UnboundedSender<Vec<Found>>,
}

/// A stream that is read.
#[derive(Debug)]
pub struct Stream {
    client: Client,
    arn: String,
    listeners: Vec<Listener>,
    registry: Registry,
    known: BTreeSet<String>,
    readers: JoinSet<Result<Arc<Tail>, Failure>>,
}

impl Stream {
    /// Finds the shards that there are; a listener's place is its mapping's number at the tails.
    pub async fn open(
        client: Client,
        arn: String,
        listeners: Vec<Listener>,
        registry: Registry,
    ) -> Result<Self, Failure> {
        let mut stream = Self {
            client,
            arn,
            listeners,
            registry,
            known: BTreeSet::new(),
            readers: JoinSet::new(),
        };
        stream.find().await?;
        Ok(stream)
    }

    /// Reads on and on; ends with the last shard, or with a failure.
    pub async fn run(mut self) -> Result<(), Failure> {
        while let Some(ended) = self.readers.join_next().await {
            let tail = ended
                .map_err(|error| Failure::check("a shard's reader broke off").caused_by(error))??;
            self.find().await?;
            tail.end();
        }
        Ok(())
    }

    /// Lists the shards and begins to read those that are new.
    async fn find(&mut self) -> Result<(), Failure> {
        let shards = list_shard_infos(&self.client, &self.arn).await?;
        let mut found = vec![Vec::new(); self.listeners.len()];
        for info in shards {
            if !self.known.insert(info.id.clone()) {
                continue;
            }
            let lag = |listener: &Listener| Arc::new(Lag::new(&listener.name, &self.arn, &info.id));
            let lags: Vec<_> = self.listeners.iter().map(lag).collect();
            self.registry.list().extend(lags.iter().cloned());
            let tail = Arc::new(Tail::new(lags.clone()));
            for (number, (found, lag)) in found.iter_mut().zip(lags).enumerate() {
                found.push(Found {
                    info: info.clone(),
                    tail: Arc::clone(&tail),
                    lag,
                    number,
                });
            }
            let reader = Reader {
                client: self.client.clone(),
                stream_arn: self.arn.clone(),
                shard: info.id,
                tail: Arc::clone(&tail),
            };
            self.readers
                .spawn(async move { reader.run().await.map(|()| tail) });
        }
        for (listener, found) in self.listeners.iter().zip(found) {
            if !found.is_empty() {
                // A mapping that has ended takes the run with it: nobody waits for its shards.
                let _ = listener.found.send(found);
            }
        }
        Ok(())
    }
}
