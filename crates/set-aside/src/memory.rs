//! A shelf in memory: for tests of what uses a shelf.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Fate, SetAside, Shelf, ShelfError, decode, encode, object_key};

/// Keeps objects as S3 would, and fails when told to.
#[derive(Debug, Default)]
pub struct MemoryShelf(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    broken: bool,
}

impl MemoryShelf {
    /// From now on every put fails and keeps nothing, until `broken` is false.
    pub fn set_broken(&self, broken: bool) {
        self.state().broken = broken;
    }

    /// Key and contents of every object.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().objects.clone()
    }

    /// The records of one fate, in the order of their keys.
    pub fn records(&self, fate: Fate) -> Vec<SetAside> {
        self.state()
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(fate.prefix()))
            .flat_map(|(_, object)| decode(object).unwrap_or_default())
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for MemoryShelf {
    async fn put(&self, fate: Fate, records: &[SetAside]) -> Result<(), ShelfError> {
        if records.is_empty() {
            return Ok(());
        }
        let key = object_key(fate, "function-under-test", records);
        let failed = |key, source| ShelfError {
            records: records.len(),
            key,
            source,
        };
        let mut state = self.state();
        if state.broken {
            return Err(failed(key, "the shelf is broken".into()));
        }
        match encode(records) {
            Ok(object) => {
                state.objects.insert(key, object);
                Ok(())
            }
            Err(fault) => Err(failed(key, fault.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{malformed, not_json};

    #[tokio::test]
    async fn a_retry_rewrites_the_same_object() {
        let shelf = MemoryShelf::default();
        let records = [not_json("1"), malformed()];
        shelf.put(Fate::Quarantine, &records).await.unwrap();
        shelf.put(Fate::Quarantine, &records).await.unwrap();
        shelf.put(Fate::Parked, &records[..1]).await.unwrap();
        assert_eq!(shelf.records(Fate::Quarantine), records);
        assert_eq!(shelf.records(Fate::Parked), records[..1]);
        assert_eq!(shelf.objects().len(), 2);
    }

    #[tokio::test]
    async fn a_broken_shelf_keeps_nothing_and_says_so() {
        let shelf = MemoryShelf::default();
        shelf.set_broken(true);
        let error = shelf
            .put(Fate::Quarantine, &[not_json("1")])
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot keep 1 set-aside records as quarantine/")
        );
        assert!(shelf.objects().is_empty());
        shelf.set_broken(false);
        shelf.put(Fate::Quarantine, &[not_json("1")]).await.unwrap();
        shelf.put(Fate::Quarantine, &[]).await.unwrap();
        assert_eq!(shelf.objects().len(), 1);
    }
}
