//! What calls and invocations meet, drawn from the seed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fake_aws::{Call, Effect, Parts, Service};

use crate::simulation::random::Random;

/// How often each kind of trouble was met.
pub type Met = Arc<Mutex<BTreeMap<&'static str, u32>>>;

/// The trouble of a run's calls.
pub struct Calls {
    random: Random,
    /// None in a run without trouble.
    share: f64,
    /// While the endpoint is down, in ms since 1970.
    endpoint_down: Range<i64>,
    /// While the quality-events stream takes nothing, for longer than an invocation waits.
    stream_down: Range<i64>,
    met: Met,
}

/// Longer than a call may take.
const LATE_MS: (i64, i64) = (11_000, 90_000);
const ENDPOINT_DOWN_MS: (i64, i64) = (5_000, 60_000);
const STREAM_DOWN_MS: (i64, i64) = (70_000, 150_000);

impl Calls {
    /// Of a seed; endpoint and stream are down once in the run.
    pub fn new(seed: u64, share: f64, ends_ms: i64, met: Met) -> Self {
        let mut random = Random::new(seed, 5);
        let mut down = |(least, most)| {
            let from_ms = random.between(fake_aws::Clock::START_MS, ends_ms);
            let for_ms = random.between(least, most);
            from_ms..from_ms + if share > 0.0 { for_ms } else { 0 }
        };
        let (endpoint_down, stream_down) = (down(ENDPOINT_DOWN_MS), down(STREAM_DOWN_MS));
        Self {
            random,
            share,
            endpoint_down,
            stream_down,
            met,
        }
    }

    /// What a call meets; without trouble it takes some milliseconds.
    pub fn decide(&mut self, call: &Call) -> Option<Effect> {
        let usual = Effect::Slow(Duration::from_millis(
            self.random.between(1, 12).unsigned_abs(),
        ));
        let is_model = call.service == Service::SageMaker;
        if is_model && self.endpoint_down.contains(&call.at_ms) {
            return self.meet("endpoint-down", Effect::FailBefore);
        }
        if call.service == Service::Kinesis && self.stream_down.contains(&call.at_ms) {
            return self.meet("stream-down", Effect::Throttled);
        }
        if !self.random.chance(self.share) {
            return Some(usual);
        }
        let late = Duration::from_millis(self.random.between(LATE_MS.0, LATE_MS.1).unsigned_abs());
        let places = self.random.between(1, 4) as usize;
        let (name, effect) = match (is_model, self.random.below(9)) {
            (_, 0) => ("throttled", Effect::Throttled),
            (_, 1) => ("error-before", Effect::FailBefore),
            (_, 2) => ("error-after", Effect::FailAfter),
            (_, 3) => ("dropped-before", Effect::DropBefore),
            (_, 4) => ("dropped-after", Effect::DropAfter),
            (_, 5) => ("silent", Effect::TimeoutBefore),
            (true, _) => ("late", Effect::Slow(late)),
            (false, 6) => ("partial", Effect::Partial(Parts::First(places))),
            (false, 7) => ("partial", Effect::Partial(Parts::After(places))),
            (false, _) => ("late-effect", Effect::Late(late)),
        };
        self.meet(name, effect)
    }

    fn meet(&self, name: &'static str, effect: Effect) -> Option<Effect> {
        note(&self.met, name);
        Some(effect)
    }
}

/// Counts one.
pub fn note(met: &Met, name: &'static str) {
    let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
    *met.entry(name).or_default() += 1;
}

/// What becomes of an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It runs as it should.
    Usual,
    /// It runs in an environment of its own.
    Fresh,
    /// Its environment dies after so many ms.
    Crash(i64),
    /// It ends well, and nobody hears of it.
    AnswerLost,
    /// It does not come about.
    Throttled,
}

/// The fate of the next invocation.
pub fn fate(random: &mut Random, share: f64) -> Fate {
    if !random.chance(share) {
        return Fate::Usual;
    }
    match random.below(4) {
        0 => Fate::Fresh,
        1 => Fate::Crash(random.between(1, 400)),
        2 => Fate::AnswerLost,
        _ => Fate::Throttled,
    }
}
