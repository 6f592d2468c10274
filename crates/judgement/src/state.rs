//! What is remembered of a machine between its readings: versioned, compact, bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use control_plan::{ControlPlan, MAX_STATE_BYTES, Reading, Rule};
use serde::{Deserialize, Serialize};

use crate::episode::Episode;
use crate::memory::Memory;
use crate::recent::Recent;

/// The encoding's version: its first byte.
const VERSION: u8 = 2;

/// Largest state that is read. Entries of rules that have changed since keep the size that the former plan gave
/// them until they are judged again, so this is more than one plan's bound; far below an item's 400 KB.
const MAX_BYTES: usize = 4 * MAX_STATE_BYTES;

/// What is remembered of a machine. Equal states judge alike; an empty one is a machine never seen.
#[derive(Clone, Debug, Default)]
pub struct MachineState {
    layout: Layout,
    /// One for each rule of the layout, or none at all where nothing is remembered.
    slots: Vec<Option<Box<Memory>>>,
    recent: Recent,
}

/// The plan whose rules the slots stand for, in its order: with it a memory is found without a search.
#[derive(Clone, Debug, Default)]
struct Layout {
    /// The plan's fingerprint; zero where the slots come from a stored state.
    plan: u64,
    rules: Arc<[Box<str>]>,
}

/// The bytes are no state of a machine.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// No bytes at all.
    #[error("an empty state")]
    Empty,
    /// Written by another version of this program.
    #[error("unknown version {0} of the state")]
    Version(u8),
    /// More than any plan admits.
    #[error("a state of {0} bytes")]
    TooLarge(usize),
    /// Not what the version says.
    #[error("malformed state")]
    Malformed(#[source] postcard::Error),
    /// Decoded, but no judging could have left it.
    #[error("implausible state")]
    Implausible,
}

/// The stored form: rules in the order of their ids, those that remember nothing left out.
#[derive(Serialize)]
struct Stored<'s> {
    recent: &'s Recent,
    rules: Vec<(&'s str, &'s Memory)>,
}

#[derive(Deserialize)]
struct Restored {
    recent: Recent,
    rules: Vec<(Box<str>, Box<Memory>)>,
}

impl MachineState {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.slots.iter().all(Option::is_none)
    }

    /// A version byte and the compact form; at most the plan's `state_bytes`, if the
    /// state was judged by one plan.
    pub fn encode(&self) -> Vec<u8> {
        let stored = Stored {
            recent: &self.recent,
            rules: self.by_id(),
        };
        // Writing plain data to a vector cannot fail.
        postcard::to_extend(&stored, vec![VERSION]).unwrap_or_default()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, Undecodable> {
        let (version, rest) = bytes.split_first().ok_or(Undecodable::Empty)?;
        if *version != VERSION {
            return Err(Undecodable::Version(*version));
        }
        if bytes.len() > MAX_BYTES {
            return Err(Undecodable::TooLarge(bytes.len()));
        }
        let (restored, rest): (Restored, _) =
            postcard::take_from_bytes(rest).map_err(Undecodable::Malformed)?;
        let Restored { recent, rules } = restored;
        let is_plausible = rest.is_empty()
            && recent.is_plausible()
            && rules.is_sorted_by(|(a, _), (b, _)| a < b)
            && rules.iter().all(|(_, memory)| memory.is_plausible());
        if !is_plausible {
            return Err(Undecodable::Implausible);
        }
        let (ids, slots): (Vec<_>, Vec<_>) = rules
            .into_iter()
            .map(|(id, memory)| (id, Some(memory)))
            .unzip();
        Ok(Self {
            layout: Layout {
                plan: 0,
                rules: ids.into(),
            },
            slots,
            recent,
        })
    }

    /// Forgets what rules remember of readings, after some that they will never see; open episodes are carried on.
    pub fn restart(&mut self) {
        for slot in &mut self.slots {
            if let Some(memory) = slot {
                memory.restart();
            }
            slot.take_if(|memory| memory.is_blank());
        }
    }

    /// Whether this reading's id is one of the machine's latest; remembers it if not.
    pub(crate) fn has_seen(&mut self, plan: &ControlPlan, reading: &Reading) -> bool {
        match &reading.id {
            Some(id) if plan.names_reading_id() => !self.recent.insert(id),
            _ => false,
        }
    }

    /// Lays the memories out in the order of this plan's rules. A rule whose definition changed keeps its open
    /// episode alone. Gives the open episodes of rules that are gone, in the order of their ids.
    pub(crate) fn align(&mut self, plan: &ControlPlan) -> Vec<(Box<str>, Episode)> {
        if self.layout.plan == plan.fingerprint() {
            return Vec::new();
        }
        let former = std::mem::take(&mut self.slots);
        let rules = std::mem::replace(
            &mut self.layout,
            Layout {
                plan: plan.fingerprint(),
                rules: Arc::clone(plan.rule_ids()),
            },
        )
        .rules;
        let mut gone = BTreeMap::new();
        for (id, memory) in rules.iter().zip(former) {
            let Some(mut memory) = memory else { continue };
            match plan.rule(id) {
                Some(rule) => {
                    memory.adapt(rule);
                    self.put(rule, Some(memory));
                }
                None => {
                    if let Some(episode) = memory.into_episode() {
                        gone.insert(id.clone(), episode);
                    }
                }
            }
        }
        gone.into_iter().collect()
    }

    /// Takes the memory of an aligned plan's rule.
    pub(crate) fn take(&mut self, rule: Rule<'_>) -> Option<Box<Memory>> {
        self.slots.get_mut(rule.index()).and_then(Option::take)
    }

    /// Puts it back.
    pub(crate) fn put(&mut self, rule: Rule<'_>, memory: Option<Box<Memory>>) {
        let Some(memory) = memory.filter(|memory| !memory.is_blank()) else {
            return;
        };
        if self.slots.is_empty() {
            self.slots.resize(self.layout.rules.len(), None);
        }
        if let Some(slot) = self.slots.get_mut(rule.index()) {
            *slot = Some(memory);
        }
    }

    /// What is remembered, in the order of the layout.
    fn occupied(&self) -> impl Iterator<Item = (&str, &Memory)> {
        let ids = self.layout.rules.iter().map(|id| &**id);
        ids.zip(&self.slots)
            .filter_map(|(id, memory)| Some((id, &**memory.as_ref()?)))
    }

    fn by_id(&self) -> Vec<(&str, &Memory)> {
        let mut rules: Vec<_> = self.occupied().collect();
        rules.sort_unstable_by_key(|(id, _)| *id);
        rules
    }
}

/// Whatever plan the memories are laid out for.
impl PartialEq for MachineState {
    fn eq(&self, other: &Self) -> bool {
        let is_laid_out_alike = self.layout.plan == other.layout.plan && self.layout.plan != 0;
        self.recent == other.recent
            && if is_laid_out_alike {
                self.occupied().eq(other.occupied())
            } else {
                self.by_id() == other.by_id()
            }
    }
}
