//! How far a shard is read, and when it is read again.

use crate::action::Position;

#[derive(Clone, Debug)]
pub(crate) struct Reader {
    position: Position,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Due { at_ms: i64 },
    UnderWay { since_ms: i64, limit: u32 },
    Ended,
}

impl Reader {
    pub(crate) fn new(position: Position, now_ms: i64) -> Self {
        Self {
            position,
            state: State::Due { at_ms: now_ms },
        }
    }

    /// When the next read is due; `None` while one is under way and behind the shard's end.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        match self.state {
            State::Due { at_ms } => Some(at_ms),
            State::UnderWay { .. } | State::Ended => None,
        }
    }

    pub(crate) fn begin(&mut self, limit: u32, now_ms: i64) -> Position {
        self.state = State::UnderWay {
            since_ms: now_ms,
            limit,
        };
        self.position.clone()
    }

    /// The limit of the read that is under way.
    pub(crate) fn limit(&self) -> Option<u32> {
        match self.state {
            State::UnderWay { limit, .. } => Some(limit),
            State::Due { .. } | State::Ended => None,
        }
    }

    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    pub(crate) fn move_to(&mut self, position: Position) {
        self.position = position;
    }

    /// Ends the read that is under way. What arrived since a read at the shard's tip is not missed: it becomes a time.
    pub(crate) fn finish(&mut self, due_ms: i64) {
        if let (State::UnderWay { since_ms, .. }, Position::Latest) = (self.state, &self.position) {
            self.position = Position::At(since_ms);
        }
        self.state = State::Due { at_ms: due_ms };
    }

    pub(crate) fn end(&mut self) {
        self.state = State::Ended;
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }
}
