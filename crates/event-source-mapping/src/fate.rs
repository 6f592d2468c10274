//! What follows from an answer. Pure: the rules for retries, bisecting and giving up.

use crate::action::Answer;
use crate::piece::Piece;
use crate::response::{Verdict, verdict};
use crate::settings::Settings;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Every record is done.
    Pass,
    /// The records before this index are done, the others a batch of their own.
    Resume(usize),
    /// Again after a wait; whether that uses a retry.
    Retry { counted: bool },
    /// Two batches, the second from this index on.
    Split(usize),
    /// The retries are used up.
    GiveUp,
}

/// Decides. A piece has at least one record.
pub(crate) fn fate(answer: &Answer, piece: &Piece, settings: &Settings) -> Fate {
    let verdict = match answer {
        Answer::Throttled => return Fate::Retry { counted: false },
        Answer::FunctionError(_) | Answer::TimedOut | Answer::Crashed => Verdict::Failed,
        Answer::Returned(_) if !settings.report_batch_item_failures => Verdict::Done,
        Answer::Returned(response) => verdict(response, &piece.records),
    };
    match verdict {
        Verdict::Done => Fate::Pass,
        Verdict::DoneBefore(index) if index > 0 => Fate::Resume(index),
        Verdict::Failed if settings.bisect_batch_on_function_error && piece.records.len() > 1 => {
            Fate::Split(piece.records.len() / 2)
        }
        Verdict::DoneBefore(_) | Verdict::Failed => match settings.maximum_retry_attempts {
            Some(limit) if piece.retries >= limit => Fate::GiveUp,
            _ => Fate::Retry { counted: true },
        },
    }
}
