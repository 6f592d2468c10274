//! Where a machine's rules must begin anew: readings of it were parked, so its state will never hold them.
//!
//! The note lies in S3 beside the parked readings and not in the table, which may be what failed. It is an empty
//! object whose key says everything, so that one listing per invocation finds all notes; there are none as a rule.
//!
//! ```text
//! restarts/<function>/<digest of the machine>/<sequence number>:<sub-sequence number>:<arrival>/<stream>/<shard>
//! ```

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use lambda_function::aws::classify;
use sha2::{Digest, Sha256};

use crate::PortError;
use crate::watermark::Mark;

/// The most pages of notes that one invocation reads: 100,000 notes. More machines than that are parked only where
/// nothing works any more.
const MAX_PAGES: usize = 100;
/// A bucket that hangs must not hold up judging: what it would have said is rarely anything.
const PAGE_TIME: Duration = Duration::from_millis(500);

/// Where notes are kept.
pub trait Restarts {
    /// Adds every note that was left and not yet settled to `found`; after an error, as many as could be read.
    fn pending(&self, found: &mut Pending) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Notes that the readings of `shard` up to `mark` will never be part of the machine's state. Leaving a note
    /// again changes nothing.
    fn leave(&self, at: &Place, mark: &Mark) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Removes a note that the machine's state has taken account of.
    fn settle(&self, at: &Place, mark: &Mark)
    -> impl Future<Output = Result<(), PortError>> + Send;
}

/// A machine on a shard, as notes name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    machine: String,
    shard: String,
}

impl Place {
    /// `shard` is the key of a watermark: stream and shard.
    pub fn of(machine: &str, shard: &str) -> Self {
        Self {
            machine: digest(machine),
            shard: shard.to_owned(),
        }
    }

    /// The key of the shard's watermark.
    pub fn shard(&self) -> &str {
        &self.shard
    }
}

/// A machine's name has characters that keys do not take, and may be as long as a key.
fn digest(machine: &str) -> String {
    let digest = Sha256::digest(machine);
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// The notes found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pending(HashMap<String, Vec<(Place, Mark)>>);

impl Pending {
    /// Whether there are none, as a rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The notes on a machine, whatever the shard: its readings may come on another one by now, as after a split.
    pub fn on(&self, machine: &str) -> &[(Place, Mark)] {
        if self.is_empty() {
            return &[];
        }
        self.0.get(&digest(machine)).map_or(&[], Vec::as_slice)
    }

    /// Adds one.
    pub fn add(&mut self, place: Place, mark: Mark) {
        let notes = self.0.entry(place.machine.clone()).or_default();
        notes.push((place, mark));
    }
}

/// [`Restarts`] in Amazon S3.
#[derive(Clone, Debug)]
pub struct S3Restarts {
    client: Client,
    bucket: String,
    prefix: String,
}

impl S3Restarts {
    /// Keeps the notes of `function` in `bucket`.
    pub fn new(client: Client, bucket: String, function: &str) -> Self {
        Self {
            client,
            bucket,
            prefix: format!("restarts/{function}/"),
        }
    }

    fn key(&self, Place { machine, shard }: &Place, mark: &Mark) -> String {
        format!("{}{machine}/{}/{shard}", self.prefix, mark.to_text())
    }
}

impl Restarts for S3Restarts {
    async fn pending(&self, found: &mut Pending) -> Result<(), PortError> {
        const WHAT: &str = "cannot list the notes on parked machines";
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let list = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(&self.prefix)
                .set_continuation_token(next);
            let page = tokio::time::timeout(PAGE_TIME, list.send())
                .await
                .map_err(|error| PortError {
                    what: WHAT,
                    passing: true,
                    cause: error.into(),
                })?
                .map_err(|error| PortError {
                    what: WHAT,
                    passing: classify(&error).is_worth_retrying(),
                    cause: error.into(),
                })?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            for (place, mark) in keys.filter_map(|key| read(key.strip_prefix(&self.prefix)?)) {
                found.add(place, mark);
            }
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return Ok(());
            }
        }
        Err(PortError {
            what: WHAT,
            passing: false,
            cause: "there are too many of them".into(),
        })
    }

    async fn leave(&self, at: &Place, mark: &Mark) -> Result<(), PortError> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(at, mark))
            .body(ByteStream::from_static(b""));
        put.send().await.map(drop).map_err(|error| PortError {
            what: "cannot note that a machine's rules begin anew",
            passing: classify(&error).is_worth_retrying(),
            cause: error.into(),
        })
    }

    async fn settle(&self, at: &Place, mark: &Mark) -> Result<(), PortError> {
        let delete = self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(self.key(at, mark));
        delete.send().await.map(drop).map_err(|error| PortError {
            what: "cannot remove a note on a parked machine",
            passing: classify(&error).is_worth_retrying(),
            cause: error.into(),
        })
    }
}

/// What a key says after the prefix; others' objects are not ours to judge.
fn read(rest: &str) -> Option<(Place, Mark)> {
    let (machine, rest) = rest.split_once('/')?;
    let (mark, shard) = rest.split_once('/')?;
    let place = Place {
        machine: machine.to_owned(),
        shard: shard.to_owned(),
    };
    Some((place, Mark::from_text(mark)?))
}

#[cfg(test)]
mod tests {
    use fake_aws::World;

    use super::*;

    const BUCKET: &str = "andon-set-aside";

    fn mark(text: &str) -> Mark {
        Mark::from_text(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_note_is_found_until_it_is_settled() {
        let world = World::default();
        world.create_bucket(BUCKET);
        let restarts = S3Restarts::new(
            Client::new(&world.sdk_config()),
            BUCKET.to_owned(),
            "andon-quality-evaluator",
        );
        let pending = async || {
            let mut found = Pending::default();
            restarts.pending(&mut found).await.unwrap();
            found
        };
        let shard =
            "arn:aws:kinesis:eu-central-1:123456789012:stream/readings/shardId-000000000001";
        let place = Place::of("press-07", shard);
        assert_eq!(pending().await, Pending::default());
        let marks = [mark("49590:3:1545084650987"), mark("49600:0:1545084651000")];
        for mark in &marks {
            restarts.leave(&place, mark).await.unwrap();
            restarts.leave(&place, mark).await.unwrap();
        }
        let found = pending().await;
        assert_eq!(
            found.on("press-07"),
            marks.clone().map(|mark| (place.clone(), mark))
        );
        assert!(found.on("press-08").is_empty());
        restarts.settle(&place, &marks[0]).await.unwrap();
        let [_, last] = marks;
        assert_eq!(pending().await.on("press-07"), [(place, last)]);
    }

    #[test]
    fn other_objects_are_no_notes() {
        for key in ["", "x", "x/y", "0a/1:2", "0a/1:2:3", "0a/1:2:3:4/b"] {
            assert_eq!(read(key), None, "{key}");
        }
    }
}
