//! Where a machine's rules must begin anew: readings of it were parked, so its state will never hold them.
//!
//! The note lies in S3 beside the parked readings and not in the table, which may be what failed. It is an empty
//! object whose key says everything, so that one listing per invocation finds all notes; there are none as a rule.
//!
//! ```text
//! restarts/<function>/<digest of machine and shard>/<sequence number>:<sub-sequence number>:<arrival>
//! ```

use std::collections::HashMap;
use std::future::Future;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use lambda_function::aws::classify;
use sha2::{Digest, Sha256};

use crate::PortError;
use crate::watermark::Mark;

/// The most notes that one invocation reads: more machines than that are parked only where nothing works any more.
const MAX_PAGES: usize = 10;

/// Where notes are kept.
pub trait Restarts {
    /// Every note that was left and not yet settled.
    fn pending(&self) -> impl Future<Output = Result<Pending, PortError>> + Send;

    /// Notes that the readings of `shard` up to `mark` will never be part of the machine's state. Leaving a note
    /// again changes nothing.
    fn leave(&self, at: &Place, mark: &Mark) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Removes a note that the machine's state has taken account of.
    fn settle(&self, at: &Place, mark: &Mark)
    -> impl Future<Output = Result<(), PortError>> + Send;
}

/// A machine on a shard, as notes name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place(String);

impl Place {
    /// `shard` is the key of a watermark: stream and shard.
    pub fn of(machine: &str, shard: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update((machine.len() as u64).to_be_bytes());
        hasher.update(machine);
        hasher.update(shard);
        let digest = hasher.finalize();
        Self(digest.iter().take(16).map(|b| format!("{b:02x}")).collect())
    }
}

/// The notes found, the last of each place; a machine and a shard may have several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pending(HashMap<Place, Vec<Mark>>);

impl Pending {
    /// Whether there are none, as a rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The notes for a place.
    pub fn at(&self, place: &Place) -> &[Mark] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// Adds one.
    pub fn add(&mut self, place: Place, mark: Mark) {
        self.0.entry(place).or_default().push(mark);
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

    fn key(&self, Place(place): &Place, mark: &Mark) -> String {
        format!("{}{place}/{}", self.prefix, mark.to_text())
    }
}

impl Restarts for S3Restarts {
    async fn pending(&self) -> Result<Pending, PortError> {
        let mut pending = Pending::default();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(&self.prefix)
                .set_continuation_token(next)
                .send()
                .await
                .map_err(|error| PortError {
                    what: "cannot list the notes on parked machines",
                    passing: classify(&error).is_worth_retrying(),
                    cause: error.into(),
                })?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            for (place, mark) in keys.filter_map(|key| read(key.strip_prefix(&self.prefix)?)) {
                pending.add(place, mark);
            }
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(pending)
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
    let (place, mark) = rest.split_once('/')?;
    Some((Place(place.to_owned()), Mark::from_text(mark)?))
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
        let place = Place::of(
            "press-07",
            "arn:aws:kinesis:…:stream/readings/shardId-000000000001",
        );
        assert_eq!(restarts.pending().await.unwrap(), Pending::default());
        for mark in [mark("49590:3:1545084650987"), mark("49600:0:1545084651000")] {
            restarts.leave(&place, &mark).await.unwrap();
            restarts.leave(&place, &mark).await.unwrap();
        }
        let pending = restarts.pending().await.unwrap();
        assert_eq!(pending.at(&place).len(), 2);
        assert!(pending.at(&Place::of("press-07", "other")).is_empty());
        restarts
            .settle(&place, &mark("49590:3:1545084650987"))
            .await
            .unwrap();
        let pending = restarts.pending().await.unwrap();
        assert_eq!(pending.at(&place), [mark("49600:0:1545084651000")]);
    }

    #[test]
    fn places_differ_by_machine_and_shard() {
        let places = [
            Place::of("a", "bc"),
            Place::of("ab", "c"),
            Place::of("a", "bd"),
        ];
        assert!(places[0] != places[1] && places[0] != places[2]);
    }

    #[test]
    fn other_objects_are_no_notes() {
        for key in ["", "x", "x/y", "0a/1:2", "0a/1:2:3:4"] {
            assert_eq!(read(key), None, "{key}");
        }
    }
}
