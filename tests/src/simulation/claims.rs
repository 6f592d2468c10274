//! The log of calls as far as it tells of claims: who was granted which one when, in the order of the effects.

use std::collections::{BTreeMap, HashMap};

use fake_aws::{Call, Service};
use serde_json::Value as Json;

use super::world::CLAIMS_TABLE;

/// When claims were granted and notes were left; places are those among all effects of the run.
pub struct ClaimLog<'a> {
    granted: HashMap<&'a str, Vec<(u64, &'a Call)>>,
    noted: HashMap<&'a str, u64>,
    released: HashMap<&'a str, Vec<u64>>,
}

impl<'a> ClaimLog<'a> {
    /// What these calls did.
    pub fn of(calls: &'a [Call]) -> Self {
        let mut log = Self {
            granted: HashMap::new(),
            noted: HashMap::new(),
            released: HashMap::new(),
        };
        let on_claims =
            |call: &&Call| call.service == Service::DynamoDb && call.resource == CLAIMS_TABLE;
        for call in calls.iter().filter(on_claims) {
            let (Some(place), Some(part)) = (call.happened, call.parts.first()) else {
                continue;
            };
            let key = part.key.as_str();
            match call.operation.as_str() {
                "TransactWriteItems" => log.granted.entry(key).or_default().push((place, call)),
                "PutItem" => {
                    let first = log.noted.entry(key).or_insert(place);
                    *first = place.min(*first);
                }
                "DeleteItem" => log.released.entry(key).or_default().push(place),
                _ => {}
            }
        }
        log
    }

    /// When the claim was granted first.
    pub fn first_granted(&self, key: &str) -> Option<u64> {
        self.grants(key).map(|(place, _)| *place).min()
    }

    /// When the claim was granted first: its place, and the time.
    pub fn first_grant(&self, key: &str) -> Option<(u64, i64)> {
        let first = self.grants(key).min_by_key(|(place, _)| *place)?;
        Some((first.0, first.1.at_ms))
    }

    /// When this owner was granted the claim last.
    pub fn granted_to(&self, key: &str, holder: &str) -> Option<u64> {
        let its = self.grants(key).filter(|(_, call)| owner(call) == holder);
        its.map(|(place, _)| *place).max()
    }

    /// Who was granted the claim last before this place.
    pub fn holder_at(&self, key: &str, at: u64) -> Option<String> {
        let before = self.grants(key).filter(|(place, _)| *place < at);
        let last = before.max_by_key(|(place, _)| *place)?;
        Some(owner(last.1))
    }

    /// Whether the claim was held at this place: granted before and not released.
    pub fn was_held(&self, key: &str, at: u64) -> bool {
        let before = |places: &mut dyn Iterator<Item = u64>| places.filter(|one| *one < at).max();
        let granted = before(&mut self.grants(key).map(|(place, _)| *place));
        let released = self.released.get(key).map_or(&[][..], Vec::as_slice);
        granted > before(&mut released.iter().copied())
    }

    /// When the claim was granted last.
    pub fn last_granted(&self, key: &str) -> Option<u64> {
        self.grants(key).map(|(place, _)| *place).max()
    }

    /// When the last holder was granted the claim: one that asks again is told what it was told before.
    pub fn last_holder(&self, key: &str) -> Option<u64> {
        let mut first = BTreeMap::new();
        for (place, call) in self.grants(key) {
            let earliest = first.entry(owner(call)).or_insert(*place);
            *earliest = (*place).min(*earliest);
        }
        first.into_values().max()
    }

    /// When it was noted first: that an alert is held back, or that an episode is cleared.
    pub fn noted(&self, key: &str) -> Option<u64> {
        self.noted.get(key).copied()
    }

    /// When it was decided first whether the message is sent.
    pub fn decided(&self, key: &str) -> Option<u64> {
        self.first_granted(key)
            .into_iter()
            .chain(self.noted(key))
            .min()
    }

    fn grants(&self, key: &str) -> impl Iterator<Item = &(u64, &'a Call)> {
        self.granted.get(key).into_iter().flatten()
    }
}

fn owner(call: &Call) -> String {
    let item = call.parts.first().map(|part| part.text.as_str());
    let item: Json = serde_json::from_str(item.unwrap_or_default()).unwrap_or_default();
    item["owner"]["S"].as_str().unwrap_or_default().to_owned()
}
