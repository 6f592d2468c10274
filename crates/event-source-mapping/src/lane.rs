//! One of a shard's concurrent batches: gathers records, has them invoked one batch at a time, and keeps what is left.
//!
//! Promise: a lane's records are invoked and finished in their order.

use std::collections::VecDeque;

use kinesis_batch::envelope::{Event, MAX_EVENT_BYTES};

use crate::action::Answer;
use crate::discarded::Condition;
use crate::fate::{Fate, fate};
use crate::piece::{Held, Last, Piece};
use crate::settings::Settings;
use crate::source::Pace;

/// What decides about a lane's work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub settings: &'a Settings,
    pub pace: Pace,
    /// The age beyond which a record is not sent: the mapping's limit or the stream's retention.
    pub longest_age_ms: Option<i64>,
    /// Whether the shard has no more records to wait for.
    pub ended: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// Read, and in no batch yet.
    fresh: VecDeque<Held>,
    fresh_len: usize,
    window_opened_ms: Option<i64>,
    /// What is left of the batch that was gathered last.
    pieces: VecDeque<Piece>,
    in_flight: Option<Piece>,
    given_up: Option<Piece>,
}

/// What a lane asks for.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    Invoke(&'a Piece),
    Discard(Piece, Condition),
    Wait(i64),
    Nothing,
}

impl Lane {
    /// Takes a record behind the others.
    pub(crate) fn take(&mut self, held: Held, rules: Rules<'_>, now_ms: i64) {
        if self.fresh.is_empty() && self.window_ends_ms(rules).is_none_or(|ends| ends <= now_ms) {
            self.window_opened_ms = Some(now_ms);
        }
        self.fresh_len += held.encoded_len + 1;
        self.fresh.push_back(held);
    }

    /// What is to be done. [`Step::Invoke`] and [`Step::Discard`] are begun with it.
    pub(crate) fn step(&mut self, rules: Rules<'_>, now_ms: i64) -> Step<'_> {
        if let Some(piece) = self.given_up.take() {
            return Step::Discard(piece, Condition::RetryAttemptsExhausted);
        }
        if self.in_flight.is_some() {
            return Step::Nothing;
        }
        if self.pieces.is_empty() {
            if self.fresh.front().is_some_and(is_too_large) {
                let record = self.pop_fresh();
                return Step::Discard(
                    Piece::new(record.into_iter().collect()),
                    Condition::RecordTooLarge,
                );
            }
            match self.ready_ms(rules) {
                None => return Step::Nothing,
                Some(ready_ms) if ready_ms > now_ms => return Step::Wait(ready_ms),
                Some(_) => {
                    let batch = Piece::new(self.gather(rules));
                    self.pieces.push_back(batch);
                }
            }
        }
        let Some(mut piece) = self.pieces.pop_front() else {
            return Step::Nothing;
        };
        let expired = piece
            .records
            .iter()
            .take_while(|held| is_expired(held, rules, now_ms))
            .count();
        if expired > 0 {
            if expired < piece.records.len() {
                let rest = piece.split_off(expired);
                self.pieces.push_front(rest);
            }
            return Step::Discard(piece, Condition::RecordAgeExceeded);
        }
        if piece.not_before_ms > now_ms {
            let expires_ms = piece
                .records
                .first()
                .and_then(|held| expires_ms(held, rules))
                .unwrap_or(i64::MAX);
            let until_ms = piece.not_before_ms.min(expires_ms);
            self.pieces.push_front(piece);
            return Step::Wait(until_ms);
        }
        Step::Invoke(self.in_flight.insert(piece))
    }

    /// Takes the answer to what is invoked, and gives the records that are done.
    pub(crate) fn answered(
        &mut self,
        answer: &Answer,
        request_id: String,
        rules: Rules<'_>,
        now_ms: i64,
    ) -> Option<Piece> {
        let mut piece = self.in_flight.take()?;
        let fate = fate(answer, &piece, rules.settings);
        if *answer != Answer::Throttled {
            piece.invocations = piece.invocations.saturating_add(1);
            piece.last = Some(Last {
                request_id,
                failed: !matches!(answer, Answer::Returned(_)),
            });
        }
        self.window_opened_ms = Some(now_ms);
        match fate {
            Fate::Pass => return Some(piece),
            Fate::Resume(index) => {
                let rest = piece.split_off(index);
                self.pieces.push_front(rest);
                return Some(piece);
            }
            Fate::Split(index) => {
                let second = piece.split_off(index);
                self.pieces.push_front(second);
                self.pieces.push_front(piece);
            }
            Fate::Retry { counted } => {
                piece.retries += u32::from(counted);
                piece.not_before_ms = now_ms.saturating_add(rules.pace.retry_ms(piece.waits));
                piece.waits = piece.waits.saturating_add(1);
                self.pieces.push_front(piece);
            }
            Fate::GiveUp => self.given_up = Some(piece),
        }
        None
    }

    /// The records whose invocation is under way.
    pub(crate) fn in_flight(&self) -> Option<&Piece> {
        self.in_flight.as_ref()
    }

    /// When the next batch may be invoked; `None` without records.
    fn ready_ms(&self, rules: Rules<'_>) -> Option<i64> {
        let first = self.fresh.front()?;
        let is_full = self.fresh.len() >= rules.settings.batch_size as usize
            || Event::new().encoded_len() + self.fresh_len > MAX_EVENT_BYTES;
        if is_full || rules.ended {
            return Some(i64::MIN);
        }
        let expires_ms = expires_ms(first, rules).unwrap_or(i64::MAX);
        Some(
            self.window_ends_ms(rules)
                .unwrap_or(i64::MIN)
                .min(expires_ms),
        )
    }

    fn window_ends_ms(&self, rules: Rules<'_>) -> Option<i64> {
        Some(
            self.window_opened_ms?
                .saturating_add(rules.settings.batching_window_ms()),
        )
    }

    /// As many records as fit, at least one.
    fn gather(&mut self, rules: Rules<'_>) -> Vec<Held> {
        let mut batch = Vec::new();
        let mut bytes = Event::new().encoded_len();
        while let Some(held) = self.fresh.front() {
            let more = held.encoded_len + usize::from(!batch.is_empty());
            if batch.len() >= rules.settings.batch_size as usize || bytes + more > MAX_EVENT_BYTES {
                break;
            }
            bytes += more;
            batch.extend(self.pop_fresh());
        }
        batch
    }

    fn pop_fresh(&mut self) -> Option<Held> {
        let held = self.fresh.pop_front()?;
        self.fresh_len -= held.encoded_len + 1;
        Some(held)
    }
}

fn is_too_large(held: &Held) -> bool {
    Event::new().encoded_len() + held.encoded_len > MAX_EVENT_BYTES
}

/// The first instant at which the record is too old to be sent.
fn expires_ms(held: &Held, rules: Rules<'_>) -> Option<i64> {
    Some(
        held.record
            .arrived_ms
            .saturating_add(rules.longest_age_ms?)
            .saturating_add(1),
    )
}

fn is_expired(held: &Held, rules: Rules<'_>, now_ms: i64) -> bool {
    expires_ms(held, rules).is_some_and(|expires_ms| expires_ms <= now_ms)
}
