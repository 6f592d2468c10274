//! The pointers of a plan, for whatever brings readings of another form into the payload's.

use super::Places;
use crate::ControlPlan;

/// What a plan reads at a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointed<'p> {
    /// The machine.
    Machine,
    /// The machine's line.
    Line,
    /// The reading's time.
    Time,
    /// The producer's own id of the reading.
    Id,
    /// An attribute, by name.
    Attribute(&'p str),
    /// A measured characteristic, by name.
    Characteristic(&'p str),
}

impl ControlPlan {
    /// Where the plan looks in a payload: JSON pointers (RFC 6901), with what stands there.
    pub fn pointers(&self) -> impl Iterator<Item = (Pointed<'_>, String)> {
        let places = self.places();
        let own = [
            (Pointed::Machine, Some(places.machine)),
            (Pointed::Line, places.line),
            (Pointed::Time, Some(places.time)),
            (Pointed::Id, places.id),
        ];
        let attributes = self
            .attributes()
            .iter()
            .zip(&places.attributes)
            .map(|(name, place)| (Pointed::Attribute(name), Some(*place)));
        let characteristics = self
            .characteristics()
            .iter()
            .zip(&places.characteristics)
            .map(|(known, place)| (Pointed::Characteristic(&known.name), *place));
        own.into_iter()
            .chain(attributes)
            .chain(characteristics)
            .filter_map(|(pointed, place)| Some((pointed, places.pointer(place?))))
    }
}

impl Places {
    /// The pointer of a capture.
    fn pointer(&self, capture: usize) -> String {
        let tokens = self.trie.tokens(capture);
        tokens
            .iter()
            .flat_map(|token| ["/".to_owned(), token.replace('~', "~0").replace('/', "~1")])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pointer_is_told() {
        let plan = ControlPlan::parse(
            "plan.yaml",
            "version: 1
reading: {machine: /machine, time: /t/0, attributes: {grade: /a~1b/~0}}
characteristics:
  torque: {at: /m/torque}
  double: {formula: torque * 2.0}
  again: {at: /m/torque}
rules:
  - {id: high, when: double > 1.0}
",
        )
        .unwrap();
        let found: Vec<(Pointed<'_>, String)> = plan.pointers().collect();
        let expected = [
            (Pointed::Machine, "/machine"),
            (Pointed::Time, "/t/0"),
            (Pointed::Attribute("grade"), "/a~1b/~0"),
            (Pointed::Characteristic("torque"), "/m/torque"),
            (Pointed::Characteristic("again"), "/m/torque"),
        ];
        assert_eq!(
            found,
            expected.map(|(pointed, pointer)| (pointed, pointer.to_owned()))
        );
    }
}
