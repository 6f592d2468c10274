//! What is remembered of a machine between its readings: versioned, compact, bounded.

use std::collections::BTreeMap;

use control_plan::MAX_STATE_BYTES;
use quality_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::episode::Episode;

/// The encoding's version: its first byte.
const VERSION: u8 = 1;

/// Largest state that is read. Entries of rules that have changed since keep the size that the former plan gave
/// them until they are judged again, so this is more than one plan's bound; far below an item's 400 KB.
const MAX_BYTES: usize = 4 * MAX_STATE_BYTES;

/// What is remembered of a machine. Equal states judge alike; an empty one is a machine never seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineState {
    /// Rules that pass have no entry.
    pub(crate) rules: BTreeMap<String, Memory>,
}

/// What is remembered of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The definition that the progress belongs to.
    pub(crate) definition: [u8; 8],
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Fires, but not yet for long enough.
    Pending {
        /// Readings in the row.
        readings: u32,
        /// The time of the first, in milliseconds.
        since_ms: i64,
    },
    Open(Episode),
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

impl MachineState {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// A version byte and the compact form; at most the plan's `state_bytes`, if the
    /// state was judged by one plan.
    pub fn encode(&self) -> Vec<u8> {
        // Writing plain data to a vector cannot fail.
        postcard::to_extend(&self.rules, vec![VERSION]).unwrap_or_default()
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
        let (rules, rest): (BTreeMap<String, Memory>, _) =
            postcard::take_from_bytes(rest).map_err(Undecodable::Malformed)?;
        if !rest.is_empty() || !rules.values().all(Memory::is_plausible) {
            return Err(Undecodable::Implausible);
        }
        Ok(Self { rules })
    }
}

impl Memory {
    fn is_plausible(&self) -> bool {
        match &self.phase {
            Phase::Pending { since_ms, .. } => Timestamp::from_millis(*since_ms).is_ok(),
            Phase::Open(episode) => episode.is_plausible(),
        }
    }
}
