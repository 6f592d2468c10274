//! A table: its keys, its indexes, its items, and each item's version before the last write.

use std::collections::{BTreeMap, BTreeSet};

use super::validation;
use super::value::{Item, Value, item_size};
use crate::protocol::Refusal;

/// The largest item, in the bytes that DynamoDB counts.
pub(crate) const MAX_ITEM_BYTES: usize = 400 * 1024;
const MAX_HASH_BYTES: usize = 2048;
const MAX_RANGE_BYTES: usize = 1024;

/// An item's place in its table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) hash: String,
    pub(crate) range: Option<String>,
}

/// The names of the key attributes of a table or an index.
#[derive(Clone, Debug)]
pub(crate) struct KeySchema {
    pub(crate) hash: String,
    pub(crate) range: Option<String>,
}

impl KeySchema {
    fn new(hash: &str, range: Option<&str>) -> Self {
        Self {
            hash: hash.to_owned(),
            range: range.map(str::to_owned),
        }
    }

    /// The names with the most bytes that their values may have.
    fn attributes(&self) -> impl Iterator<Item = (&str, usize)> {
        let range = self.range.as_deref().map(|range| (range, MAX_RANGE_BYTES));
        std::iter::once((self.hash.as_str(), MAX_HASH_BYTES)).chain(range)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes().map(|(name, _)| name)
    }

    /// The item's place in the index, if it has all of the index's keys: the others are not in it.
    pub(crate) fn place(&self, item: &Item) -> Option<Key> {
        let text = |name: &String| item.get(name).and_then(Value::as_s).map(str::to_owned);
        let range = match &self.range {
            None => None,
            Some(name) => Some(text(name)?),
        };
        Some(Key {
            hash: text(&self.hash)?,
            range,
        })
    }
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) schema: KeySchema,
    indexes: BTreeMap<String, KeySchema>,
    items: BTreeMap<Key, Item>,
    /// What an eventually consistent read may still see of the items written so far.
    before_last_write: BTreeMap<Key, Option<Item>>,
}

impl Table {
    pub(crate) fn new(name: &str, hash: &str, range: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            schema: KeySchema::new(hash, range),
            indexes: BTreeMap::new(),
            items: BTreeMap::new(),
            before_last_write: BTreeMap::new(),
        }
    }

    pub(crate) fn create_index(&mut self, name: &str, hash: &str, range: Option<&str>) {
        self.indexes
            .insert(name.to_owned(), KeySchema::new(hash, range));
    }

    pub(crate) fn index(&self, name: &str) -> Result<&KeySchema, Refusal> {
        self.indexes.get(name).ok_or_else(|| {
            validation(format!(
                "The table does not have the specified index: {name}"
            ))
        })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Item> {
        self.items.get(key)
    }

    /// The item as it was before its last write.
    pub(crate) fn get_stale(&self, key: &Key) -> Option<&Item> {
        match self.before_last_write.get(key) {
            Some(before) => before.as_ref(),
            None => self.items.get(key),
        }
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// All items with their places, as a read sees them.
    pub(crate) fn view(&self, stale: bool) -> impl Iterator<Item = (&Key, &Item)> {
        let keys = self.items.keys().chain(self.before_last_write.keys());
        let keys: BTreeSet<&Key> = keys.filter(|_| stale).collect();
        let current = self.items.iter().filter(move |_| !stale);
        current.chain(
            keys.into_iter()
                .filter_map(|key| Some((key, self.get_stale(key)?))),
        )
    }

    pub(crate) fn item(&self, hash: &str, range: Option<&str>) -> Option<&Item> {
        self.items.get(&Key {
            hash: hash.to_owned(),
            range: range.map(str::to_owned),
        })
    }

    /// Writes or deletes; gives what was there.
    pub(crate) fn write(&mut self, key: Key, item: Option<Item>) -> Option<Item> {
        let before = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
        self.before_last_write.insert(key, before.clone());
        before
    }

    /// Stores an item that a test brings along.
    #[track_caller]
    pub(crate) fn seed(&mut self, item: Item) {
        match self.checked_key_of(&item) {
            Ok(key) => self.write(key, Some(item)),
            Err(refusal) => panic!("table {}: {}", self.name, refusal.message),
        };
    }

    pub(crate) fn expire(&mut self, attribute: &str, now_s: i64) -> usize {
        let is_over = |item: &Item| {
            item.get(attribute)
                .and_then(Value::as_i64)
                .is_some_and(|expires_at| expires_at < now_s)
        };
        let over: Vec<Key> = self
            .items
            .iter()
            .filter(|(_, item)| is_over(item))
            .map(|(key, _)| key.clone())
            .collect();
        for key in &over {
            self.write(key.clone(), None);
        }
        over.len()
    }

    /// The place that a request's `Key` names: exactly the key attributes, all strings, none empty.
    pub(crate) fn checked_key(&self, key: &Item) -> Result<Key, Refusal> {
        let matches = key.len() == self.schema.names().count()
            && self.schema.names().all(|name| key.contains_key(name));
        if !matches || key.values().any(|value| value.as_s().is_none()) {
            return Err(validation(
                "The provided key element does not match the schema",
            ));
        }
        self.checked_key_of(key)
    }

    /// The place of an item to be put, all of its keys checked: the table's and its indexes'.
    pub(crate) fn checked_key_of(&self, item: &Item) -> Result<Key, Refusal> {
        for (name, max_bytes) in self.schema.attributes() {
            let text = match item.get(name) {
                Some(Value::S(text)) => text,
                Some(other) => {
                    return Err(invalid(format!(
                        "Type mismatch for key {name} expected: S actual: {}",
                        other.type_name()
                    )));
                }
                None => return Err(invalid(format!("Missing the key {name} in the item"))),
            };
            if text.is_empty() {
                return Err(validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
                     contain an empty string value. Key: {name}"
                )));
            }
            check_key_size(text, max_bytes)?;
        }
        for (index, schema) in &self.indexes {
            for (name, max_bytes) in schema.attributes() {
                match item.get(name) {
                    None => {}
                    Some(Value::S(text)) if text.is_empty() => {
                        return Err(validation(format!(
                            "One or more parameter values are not valid. A value specified for a secondary index \
                             key is not supported. The AttributeValue for a key attribute cannot contain an empty \
                             string value. IndexName: {index}, IndexKey: {name}"
                        )));
                    }
                    Some(Value::S(text)) => check_key_size(text, max_bytes)?,
                    Some(other) => {
                        return Err(invalid(format!(
                            "Type mismatch for Index Key {name} Expected: S Actual: {} IndexName: {index}",
                            other.type_name()
                        )));
                    }
                }
            }
        }
        self.schema
            .place(item)
            .ok_or_else(|| validation("The provided key element does not match the schema"))
    }
}

/// Whether an item may be stored, by its size.
pub(crate) fn check_size(item: &Item, message: &str) -> Result<(), Refusal> {
    if item_size(item) > MAX_ITEM_BYTES {
        Err(validation(message))
    } else {
        Ok(())
    }
}

fn check_key_size(text: &str, max_bytes: usize) -> Result<(), Refusal> {
    if text.len() <= max_bytes {
        return Ok(());
    }
    Err(invalid(match max_bytes {
        MAX_HASH_BYTES => {
            "Size of hashkey has exceeded the maximum size limit of2048 bytes".to_owned()
        }
        _ => format!(
            "Aggregated size of all range keys has exceeded the size limit of {max_bytes} bytes"
        ),
    }))
}

fn invalid(what: String) -> Refusal {
    validation(format!("One or more parameter values were invalid: {what}"))
}
