//! How often a shard is read, and when a read finds something for a lane.
//!
//! A read that found something for the shard is followed by the next after 0.2 s, one that did not after 1 s (with
//! fan-out always 70 ms), and arrivals are random: from one read that found something for the lane to the next is a
//! time with a distribution that can be counted out step by step.

/// A time that is missed until the last of the chance is accounted for by the records' rate.
const MAX_STEPS: usize = 20_000;

/// The reads of a shard, as one lane of it sees them.
#[derive(Clone, Debug)]
pub(crate) struct Finds {
    /// The shortest time between two reads.
    pub step_s: f64,
    /// Of one step after another: the chance that the next find is there after a short wait, and after a long one.
    chances: Vec<(f64, f64)>,
    /// The chance that it is later than all of them, and by how much.
    rest: (f64, f64),
    /// From a record's arrival to the read that finds it.
    pub unread_s: f64,
    last_s: (f64, f64),
}

impl Finds {
    /// Of a lane and a shard with these records a second.
    pub(crate) fn new(lane: f64, shard: f64, fan_out: bool) -> Self {
        // The long wait in steps of the short one.
        let (step_s, long) = match fan_out {
            true => (0.07, 1),
            false => (0.2, 5),
        };
        let long_s = step_s * long as f64;
        let (mine_short, mine_long) = (found(lane, step_s), found(lane, long_s));
        let (any_short, any_long) = (found(shard, step_s), found(shard, long_s));
        // Chances that a read takes place at a step, before one found something for the lane: after a read that found
        // something for the shard, and after one that found nothing.
        let mut busy = vec![0.0; MAX_STEPS + long + 1];
        let mut idle = busy.clone();
        let mut chances = Vec::new();
        let mut rest = 1.0;
        busy[0] = 1.0;
        for step in 0..MAX_STEPS {
            busy[step + 1] += busy[step] * (any_short - mine_short);
            idle[step + 1] += busy[step] * (1.0 - any_short);
            busy[step + long] += idle[step] * (any_long - mine_long);
            idle[step + long] += idle[step] * (1.0 - any_long);
            let from_long = step.checked_sub(long - 1).map_or(0.0, |from| idle[from]);
            let next = (busy[step] * mine_short, from_long * mine_long);
            chances.push(next);
            rest -= next.0 + next.1;
            if rest < 1e-6 {
                break;
            }
        }
        let share_busy = any_long / (any_long + 1.0 - any_short);
        let mean_s = share_busy * step_s + (1.0 - share_busy) * long_s;
        let squares = share_busy * step_s.powi(2) + (1.0 - share_busy) * long_s.powi(2);
        Self {
            step_s,
            chances,
            rest: (rest.max(0.0), 1.0 / lane),
            unread_s: squares / (2.0 * mean_s),
            last_s: (last_s(lane, step_s), last_s(lane, long_s)),
        }
    }

    /// From one find to the next.
    pub(crate) fn mean_s(&self) -> f64 {
        self.beyond(0.0).mean_s
    }

    /// Times between finds that are longer than this.
    pub(crate) fn beyond(&self, seconds: f64) -> Beyond {
        let (mut chance, mut mean_s, mut half_squares) = (0.0, 0.0, 0.0);
        let (mut short, mut long) = (0.0, 0.0);
        let mut add = |over_s: f64, more: f64| {
            chance += more;
            mean_s += more * over_s;
            half_squares += more * over_s * over_s / 2.0;
        };
        for (step, (after_short, after_long)) in self.chances.iter().enumerate() {
            let over_s = (step + 1) as f64 * self.step_s - seconds;
            if over_s > 1e-9 {
                add(over_s, after_short + after_long);
                short += after_short;
                long += after_long;
            }
        }
        let last = self.chances.len() as f64 * self.step_s;
        let (rest, rest_s) = self.rest;
        if rest > 0.0 {
            let over_s = (last - seconds).max(0.0) + rest_s;
            add(over_s, rest);
            // An exponential time's square is twice its mean's.
            half_squares += rest * rest_s * rest_s / 2.0;
            long += rest;
        }
        Beyond {
            chance,
            mean_s,
            half_squares,
            last_s: (short * self.last_s.0 + long * self.last_s.1) / (short + long).max(1e-12),
        }
    }

    /// How long ago the last find was, at any instant that has one within this time.
    pub(crate) fn since_s(&self, within_s: f64) -> f64 {
        // The chance that it was longer ago than u is proportional to what times between finds have beyond u.
        let all = self.beyond(0.0);
        let over = self.beyond(within_s);
        let within = all.mean_s - over.mean_s;
        match within > 1e-12 {
            true => (all.half_squares - over.half_squares - within_s * over.mean_s) / within,
            false => within_s / 2.0,
        }
    }
}

/// What times between finds have beyond some time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beyond {
    /// The chance that one is longer.
    pub chance: f64,
    /// By how much, on average over all of them.
    pub mean_s: f64,
    /// Half the square of that, likewise.
    pub half_squares: f64,
    /// The age of the last record that the find at the end of a longer one brings.
    pub last_s: f64,
}

/// The chance that records of this rate arrive within a time.
pub(crate) fn found(rate: f64, seconds: f64) -> f64 {
    -(-rate * seconds).exp_m1()
}

/// How long before the end of a time the last record arrived, if any did.
pub(crate) fn last_s(rate: f64, seconds: f64) -> f64 {
    let found = found(rate, seconds);
    match found > 1e-9 {
        true => 1.0 / rate - seconds * (1.0 - found) / found,
        false => seconds / 2.0,
    }
}
