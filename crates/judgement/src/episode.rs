//! An open episode: from the reading that opens it to the one that clears it.

use std::collections::BTreeMap;

use control_plan::{Evidence, Reading, Rule};
use quality_event::{Ended, EventId, Reaction, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// What is remembered of an open episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Episode {
    id: [u8; 16],
    /// For the last word on a rule that is gone from the plan.
    severity: Severity,
    reaction: Reaction,
    opened_ms: i64,
    readings: u32,
    extreme: Vec<(String, f64)>,
}

impl Episode {
    /// The episode that `id` opens.
    pub(crate) fn open(
        id: &EventId,
        rule: Rule<'_>,
        reading: &Reading,
        evidence: &Evidence,
    ) -> Self {
        let mut episode = Self {
            id: bytes(id),
            severity: rule.severity(),
            reaction: rule.reaction(),
            opened_ms: reading.time.as_millis(),
            readings: 0,
            extreme: Vec::new(),
        };
        episode.count(rule, reading, evidence);
        episode
    }

    /// Takes in one more reading on which the rule fires.
    pub(crate) fn count(&mut self, rule: Rule<'_>, reading: &Reading, evidence: &Evidence) {
        self.readings = self.readings.saturating_add(1);
        self.severity = rule.severity();
        self.reaction = rule.reaction();
        for (name, value) in rule.tracked(reading, evidence) {
            match self.extreme.iter_mut().find(|(known, _)| **known == *name) {
                None => self.extreme.push((name.into_owned(), value)),
                Some((_, extreme)) if rule.is_farther(&name, value, *extreme, evidence) => {
                    *extreme = value;
                }
                Some(_) => {}
            }
        }
    }

    /// The rule has changed: what it no longer tracks would outgrow the state's bound.
    pub(crate) fn adapt(&mut self, rule: Rule<'_>) {
        self.extreme.retain(|(name, _)| rule.tracks(name));
    }

    /// The episode in retrospect, cleared at `time`.
    pub(crate) fn ended(&self, time: Timestamp) -> Ended {
        Ended {
            duration_ms: (time.as_millis() - self.opened_ms).max(0),
            readings: u64::from(self.readings),
            extreme: self.extreme.iter().cloned().collect::<BTreeMap<_, _>>(),
        }
    }

    pub(crate) fn id(&self) -> EventId {
        EventId::from(self.id)
    }

    pub(crate) fn severity(&self) -> Severity {
        self.severity
    }

    pub(crate) fn reaction(&self) -> Reaction {
        self.reaction
    }

    pub(crate) fn is_plausible(&self) -> bool {
        Timestamp::from_millis(self.opened_ms).is_ok()
            && self.extreme.iter().all(|(_, value)| value.is_finite())
    }
}

fn bytes(id: &EventId) -> [u8; 16] {
    let digits = u128::from_str_radix(id.as_str(), 16).unwrap_or_default();
    digits.to_be_bytes()
}
