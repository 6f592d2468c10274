//! The ids of a machine's latest readings: a reading that its producer sends twice is judged once.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::digest::digest;

/// How many readings back a duplicate is known.
pub(crate) const KEPT: usize = 64;

/// Digests of the latest ids, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recent(VecDeque<[u8; 8]>);

impl Recent {
    /// Remembers `id`; false if it was known.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        let digest = digest(id);
        if self.0.contains(&digest) {
            return false;
        }
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(digest);
        true
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_plausible(&self) -> bool {
        self.0.len() <= KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_known_and_older_ones_forgotten() {
        let mut recent = Recent::default();
        for n in 0..KEPT + 1 {
            assert!(recent.insert(&n.to_string()), "{n} is new");
        }
        assert!(!recent.insert("1"), "still kept");
        assert!(!recent.insert("64"));
        assert!(recent.insert("0"), "forgotten");
        assert!(recent.is_plausible());
    }
}
