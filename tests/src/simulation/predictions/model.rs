//! The model of a run: what it says of a row follows from the row, and some rows it does not survive.

use std::sync::{Arc, Mutex, PoisonError};

use crate::simulation::random::Random;

/// What comes of a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// This score.
    Score(f64),
    /// None: the model refuses it.
    Refused,
    /// None: the model answers that it has none.
    NotANumber,
    /// None: a feature is missing.
    Missing,
}

/// What the model says of torque and tool wear.
pub fn due(torque: Option<f64>, tool_wear: f64) -> Due {
    let Some(torque) = torque else {
        return Due::Missing;
    };
    let mixed = (torque * 10.0).round() as i64 * 31 + tool_wear.round() as i64 * 17;
    match mixed.rem_euclid(211) {
        0 | 1 => Due::Refused,
        2 | 3 => Due::NotANumber,
        rest => Due::Score(rest as f64 / 211.0),
    }
}

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A row too few.
    Short,
    /// A row too many.
    Long,
    /// Text where a number should be.
    Text,
    /// No byte at all.
    Empty,
}

/// Draws how the next answer goes wrong, if it does; counted where it did.
pub struct Moods {
    random: Random,
    /// The share of answers that go wrong.
    pub share: f64,
    /// How many did.
    pub wrong: u32,
}

impl Moods {
    /// Of a seed.
    pub fn new(seed: u64, share: f64) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            random: Random::new(seed, 7),
            share,
            wrong: 0,
        }))
    }

    fn next(&mut self) -> Option<Wrong> {
        if !self.random.chance(self.share) {
            return None;
        }
        self.wrong += 1;
        let all = [Wrong::Short, Wrong::Long, Wrong::Text, Wrong::Empty];
        Some(*self.random.pick(&all))
    }
}

/// The container: one row that it refuses, and it refuses the call.
pub fn container(moods: Arc<Mutex<Moods>>) -> fake_aws::Container {
    Box::new(move |_, body| {
        let text = String::from_utf8_lossy(body);
        let mut lines = Vec::new();
        for (number, row) in text.lines().enumerate() {
            let values: Vec<f64> = row.split(',').filter_map(|one| one.parse().ok()).collect();
            let [torque, tool_wear] = values[..] else {
                return Err((400, format!("row {number} has not two numbers: {row}")));
            };
            match due(Some(torque), tool_wear) {
                Due::Score(score) => lines.push(format!("{score:?}")),
                Due::NotANumber => lines.push("NaN".to_owned()),
                Due::Refused | Due::Missing => {
                    return Err((400, format!("row {number} is out of range")));
                }
            }
        }
        match moods.lock().unwrap_or_else(PoisonError::into_inner).next() {
            None => {}
            Some(Wrong::Short) => {
                lines.pop();
            }
            Some(Wrong::Long) => lines.push("0.5".to_owned()),
            Some(Wrong::Text) => lines[0] = "high".to_owned(),
            Some(Wrong::Empty) => lines.clear(),
        }
        Ok(lines.join("\n").into_bytes())
    })
}
