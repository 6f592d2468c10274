//! How far each shard's readings are held in a machine's state.
//!
//! A reading is skipped only at or below its own shard's watermark: sequence numbers of two shards say nothing
//! about each other.

use std::collections::BTreeMap;

use kinesis_batch::{RecordId, SequenceNumber, UserRecord};

/// A reading's place within its shard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    sequence_number: SequenceNumber,
    sub_sequence_number: u64,
}

impl Position {
    /// The place of `record`.
    pub fn of(record: &UserRecord<'_>) -> Self {
        let RecordId {
            sequence_number,
            sub_sequence_number,
            ..
        } = record.id();
        Self {
            sequence_number,
            sub_sequence_number: sub_sequence_number.unwrap_or(0),
        }
    }
}

/// The last reading of each shard that a machine's state holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watermarks(BTreeMap<String, Mark>);

/// A reading's place and when its record arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    position: Position,
    arrived_ms: i64,
}

impl Mark {
    /// The mark of a reading.
    pub fn new(position: Position, arrived_ms: i64) -> Self {
        Self {
            position,
            arrived_ms,
        }
    }

    /// `<sequence number>:<sub-sequence number>:<arrival in milliseconds>`.
    pub fn to_text(&self) -> String {
        let Position {
            sequence_number,
            sub_sequence_number,
        } = &self.position;
        format!(
            "{sequence_number}:{sub_sequence_number}:{}",
            self.arrived_ms
        )
    }

    /// The inverse of [`Mark::to_text`]; `None` if the text is not a mark.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let sequence_number = parts.next()?.parse().ok()?;
        let sub_sequence_number = parts.next()?.parse().ok()?;
        let arrived_ms = parts.next()?.parse().ok()?;
        let position = Position {
            sequence_number,
            sub_sequence_number,
        };
        parts.next().is_none().then_some(Self {
            position,
            arrived_ms,
        })
    }
}

impl Watermarks {
    /// Whether the state already holds the reading at `position` of `shard`.
    pub fn cover(&self, shard: &str, position: &Position) -> bool {
        self.0
            .get(shard)
            .is_some_and(|mark| *position <= mark.position)
    }

    /// Notes that the state now holds it.
    pub fn advance(&mut self, shard: &str, position: Position, arrived_ms: i64) {
        if self.cover(shard, &position) {
            return;
        }
        self.0.insert(
            shard.to_owned(),
            Mark {
                position,
                arrived_ms,
            },
        );
    }

    /// Forgets shards whose last reading arrived more than `keep_ms` before `arrived_ms`: the stream no longer
    /// retains what they could be asked about.
    pub fn prune(&mut self, arrived_ms: i64, keep_ms: i64) {
        self.0
            .retain(|_, mark| arrived_ms.saturating_sub(mark.arrived_ms) <= keep_ms);
    }

    /// Takes account of a gap up to `mark`; false if the marks had passed it already.
    pub fn skip(&mut self, shard: &str, mark: &Mark) -> bool {
        let is_new = !self.cover(shard, &mark.position);
        self.advance(shard, mark.position.clone(), mark.arrived_ms);
        is_new
    }

    /// Whether a reading of another shard of the same stream arrived no more than `within_ms` before `arrived_ms`.
    pub fn has_other_shard(&self, shard: &str, arrived_ms: i64, within_ms: i64) -> bool {
        let stream = |shard: &str| shard.rsplit_once('/').map(|(stream, _)| stream.to_owned());
        self.0.iter().any(|(other, mark)| {
            other != shard
                && stream(other) == stream(shard)
                && arrived_ms.saturating_sub(mark.arrived_ms) <= within_ms
        })
    }

    /// Shard and mark as text, for the table.
    pub fn to_texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0
            .iter()
            .map(|(shard, mark)| (shard.as_str(), mark.to_text()))
    }

    /// The inverse of [`Watermarks::to_texts`]; `None` if a text is not a mark.
    pub fn from_texts<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> Option<Self> {
        texts
            .into_iter()
            .map(|(shard, text)| Some((shard.to_owned(), Mark::from_text(text)?)))
            .collect::<Option<_>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(sequence_number: &str, sub_sequence_number: u64) -> Position {
        Position {
            sequence_number: sequence_number.parse().unwrap(),
            sub_sequence_number,
        }
    }

    #[test]
    fn covers_what_lies_at_or_below_in_its_own_shard_only() {
        let mut marks = Watermarks::default();
        marks.advance("a", position("99", 3), 0);
        let cases = [
            ("a", "99", 3, true),
            ("a", "99", 4, false),
            ("a", "98", 9, true),
            ("a", "100", 0, false),
            ("b", "1", 0, false),
        ];
        for (shard, number, sub, expected) in cases {
            assert_eq!(
                marks.cover(shard, &position(number, sub)),
                expected,
                "{shard} {number}:{sub}"
            );
        }
    }

    #[test]
    fn never_goes_back() {
        let mut marks = Watermarks::default();
        marks.advance("a", position("100", 0), 0);
        marks.advance("a", position("99", 0), 0);
        assert!(marks.cover("a", &position("100", 0)));
    }

    #[test]
    fn forgets_a_shard_after_the_retention() {
        let mut marks = Watermarks::default();
        marks.advance("parent", position("1", 0), 1_000);
        marks.advance("child", position("2", 0), 9_000);
        marks.prune(9_000, 8_000);
        assert!(marks.cover("parent", &position("1", 0)));
        marks.prune(9_001, 8_000);
        assert!(
            !marks.cover("parent", &position("1", 0)) && marks.cover("child", &position("2", 0))
        );
    }

    #[test]
    fn survives_its_text() {
        let mut marks = Watermarks::default();
        marks.advance(
            "shardId-000000000001",
            position(
                "49590338271490256608559692538361571095921575989136588898",
                7,
            ),
            1_545_084_650_987,
        );
        let texts: Vec<_> = marks
            .to_texts()
            .map(|(shard, text)| (shard.to_owned(), text))
            .collect();
        let read = Watermarks::from_texts(
            texts
                .iter()
                .map(|(shard, text)| (shard.as_str(), text.as_str())),
        );
        assert_eq!(read, Some(marks));
        for bad in ["", "1", "1:2", "1:2:3:4", "x:2:3", "1:-2:3"] {
            assert_eq!(Watermarks::from_texts([("a", bad)]), None, "{bad}");
        }
    }
}
