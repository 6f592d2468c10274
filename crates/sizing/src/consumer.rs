//! What Lambda's event source mapping makes of a load: batches, concurrency, and how old records get.
//!
//! Promise: within 10 % of the mapping's state machine (`event-source-mapping`) on a virtual clock, which
//! `tests/mapping.rs` holds for loads below and above capacity. Records arrive at random (Poisson), their partition keys
//! are many, and a function takes the same time for the same number of records.
//!
//! | | formula |
//! |---|---|
//! | lane | one of a shard's `ParallelizationFactor` batches; its rate λ is the shard's over the factor |
//! | reads | five a second and shard while they find something, one a second otherwise; with fan-out every 70 ms |
//! | batch that the window ends | cycle T = window + duration(n), n = λT; a lane that found nothing meanwhile waits for the next record and opens its window then |
//! | batch without a window | T = the longer of the duration and the time between two reads that find something; what such a read brings is cut into batches of `BatchSize` |
//! | batch that is full | n = `BatchSize`, T = n/λ |
//! | near capacity | ρ/(1 - ρ) · duration/(2 · `BatchSize`) more, ρ being the share of the capacity in use (Kingman) |
//! | capacity of a lane | `BatchSize` / duration(`BatchSize`); with a factor F of more than 1 and no window every second batch is the left-over 1/F of a batch that was read ahead |
//! | capacity of reads | `BatchSize` · (F + 1) records each, five times a second |
//! | above capacity | the lag grows by 1 - capacity/λ seconds a second |
//! | concurrency | invocations a second times duration (Little's law) |
//!
//! **Not predicted:** a factor above 1 with a window whose batches fill up. How far the mapping reads ahead then decides
//! how long lanes wait for one another; AWS does not say, and the capacity is an upper bound there.

use crate::finds::Finds;

/// A mapping on one shard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Consumer {
    /// Records that arrive at the shard in a second.
    pub records_per_second: f64,
    /// `BatchSize`, or as many records as 6 MB of event hold, if that is fewer.
    pub batch_size: f64,
    /// `MaximumBatchingWindowInSeconds`.
    pub window_s: f64,
    /// `ParallelizationFactor`.
    pub lanes: f64,
    /// Whether records are pushed to a consumer of its own.
    pub fan_out: bool,
}

/// What comes of it, on one shard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Records of a batch, on average.
    pub batch: f64,
    /// One invocation, in seconds.
    pub duration_s: f64,
    /// Invocations in a second.
    pub invocations_per_second: f64,
    /// Invocations at once, on average; at most the factor.
    pub concurrency: f64,
    /// Records that the shard's lanes can finish in a second.
    pub capacity: f64,
    /// Lambda's `IteratorAge`, on average: the age of a batch's last record when it is answered, in seconds. Above
    /// capacity what it begins with.
    pub iterator_age_s: f64,
    /// From a record's arrival to the end of its batch, on average, in seconds. Above capacity what it begins with.
    pub latency_s: f64,
    /// Seconds by which the lag grows in a second; 0 below capacity.
    pub lag_growth: f64,
}

impl Prediction {
    /// The iterator age so many seconds after an empty shard began to fill.
    pub fn iterator_age_after(&self, seconds: f64) -> f64 {
        self.iterator_age_s + self.lag_growth * seconds
    }

    /// The share of its capacity that a shard uses.
    pub fn utilization(&self, consumer: &Consumer) -> f64 {
        consumer.records_per_second / self.capacity
    }
}

impl Consumer {
    /// Predicts, for a function that takes `duration_s(n)` for a batch of n records. More records never take less time.
    pub fn predict(&self, duration_s: impl Fn(f64) -> f64) -> Prediction {
        let capacity = self.capacity(&duration_s);
        let used = self.records_per_second / capacity;
        let lane = Lane {
            rate: self.records_per_second / self.lanes,
            most: self.batch_size,
            window_s: self.window_s,
            finds: Finds::new(
                self.records_per_second / self.lanes,
                self.records_per_second,
                self.fan_out,
            ),
        };
        let steady = match (used > 1.0, self.window_s > 0.0) {
            (true, _) => Steady {
                batch: self.full(),
                age_s: lane.finds.step_s / 2.0,
                wait_s: lane.finds.step_s / 2.0 + self.batch_size / lane.rate / 2.0,
            },
            (false, true) => lane.with_window(&duration_s),
            (false, false) => lane.without_window(&duration_s),
        };
        let duration_s = duration_s(steady.batch);
        let invocations_per_second = self.records_per_second.min(capacity) / steady.batch;
        let queue_s = match used < 1.0 {
            true => used / (1.0 - used) * duration_s / (2.0 * self.batch_size),
            false => 0.0,
        };
        Prediction {
            batch: steady.batch,
            duration_s,
            invocations_per_second,
            concurrency: (invocations_per_second * duration_s).min(self.lanes),
            capacity,
            iterator_age_s: steady.age_s + queue_s + duration_s,
            latency_s: steady.wait_s + queue_s + duration_s,
            lag_growth: (1.0 - 1.0 / used).max(0.0),
        }
    }

    /// Records of a batch where there are always more, on average.
    fn full(&self) -> f64 {
        match self.window_s > 0.0 {
            true => self.batch_size,
            false => self.batch_size * (1.0 + 1.0 / self.lanes) / 2.0,
        }
    }

    fn capacity(&self, duration_s: &impl Fn(f64) -> f64) -> f64 {
        let full_s = duration_s(self.batch_size);
        let by_function = match self.window_s > 0.0 {
            true => self.lanes * self.batch_size / full_s,
            false => {
                let left_over_s = duration_s(self.batch_size / self.lanes);
                self.batch_size * (self.lanes + 1.0) / (full_s + left_over_s)
            }
        };
        match self.fan_out {
            true => by_function,
            false => by_function.min(self.batch_size * (self.lanes + 1.0) / 0.2),
        }
    }
}

/// What a lane comes to below capacity.
#[derive(Clone, Copy, Debug)]
struct Steady {
    batch: f64,
    /// How old a batch's last record is when the batch is invoked.
    age_s: f64,
    /// How long a record waits until its batch is invoked.
    wait_s: f64,
}

/// One lane of a shard, below capacity.
#[derive(Clone, Debug)]
struct Lane {
    rate: f64,
    most: f64,
    window_s: f64,
    finds: Finds,
}

impl Lane {
    fn with_window(&self, duration_s: &impl Fn(f64) -> f64) -> Steady {
        let every_s = self.finds.mean_s();
        // From one invocation to the next. A lane that found nothing waits for a record and a window more.
        let cycle_s = |batch: f64| {
            let taken_s = self.window_s + duration_s(batch);
            let beyond = self.finds.beyond(taken_s);
            taken_s + beyond.half_squares / every_s + beyond.mean_s / every_s * self.window_s
        };
        let batch = self.fixed_point(cycle_s);
        if batch >= self.most {
            return self.full(duration_s);
        }
        let taken_s = self.window_s + duration_s(batch);
        let fresh = self.finds.beyond(taken_s).mean_s / every_s;
        let nothing_more = self.finds.beyond(self.window_s).chance;
        let found_s = self.finds.beyond(0.0).last_s;
        let fresh_age_s = found_s
            + nothing_more * self.window_s
            + (1.0 - nothing_more) * self.finds.since_s(self.window_s);
        let age_s = found_s + self.finds.since_s(taken_s);
        let more = self.rate * self.window_s;
        let fresh_records = fresh * (1.0 + more);
        let fresh_wait_s = self.window_s * (1.0 + more / 2.0) / (1.0 + more);
        let records = batch.max(fresh_records);
        let wait_s =
            (fresh_records * fresh_wait_s + (records - fresh_records) * taken_s / 2.0) / records;
        Steady {
            batch,
            age_s: fresh * fresh_age_s + (1.0 - fresh) * age_s,
            wait_s: self.finds.unread_s + wait_s,
        }
    }

    fn without_window(&self, duration_s: &impl Fn(f64) -> f64) -> Steady {
        let every_s = self.finds.mean_s();
        let brought = self.rate * every_s;
        let batches = batches(brought, self.most);
        let each_s = duration_s(brought / batches);
        if batches * each_s <= self.finds.step_s {
            // What a read brings is done before the next one.
            let cut = (batches - 1.0).max(0.0);
            let later_s = each_s * cut / 2.0;
            let earlier_s =
                every_s * cut / batches * (1.0 - batches * self.most / (2.0 * brought)).max(0.0);
            let last_s = self.finds.beyond(0.0).last_s / batches;
            return Steady {
                batch: brought / batches,
                age_s: later_s + earlier_s + last_s + cut / batches * 0.5 / self.rate,
                wait_s: self.finds.unread_s + later_s,
            };
        }
        let cycle_s = |batch: f64| {
            let taken_s = duration_s(batch);
            let (fresh, beyond) = self.fresh(taken_s);
            taken_s + fresh * beyond.mean_s + (1.0 - fresh) * beyond.half_squares / every_s
        };
        // A lane that finds more than a batch each time goes on without a pause.
        let batch = match self.fixed_point(cycle_s) {
            batch if batch < self.most => batch,
            _ => self.fixed_point(duration_s),
        };
        if batch >= self.most {
            return self.full(duration_s);
        }
        let taken_s = duration_s(batch);
        let (fresh, beyond) = self.fresh(taken_s);
        let found_s = self.finds.beyond(0.0).last_s;
        let age_s = found_s + self.finds.since_s(taken_s);
        Steady {
            batch,
            age_s: fresh * beyond.last_s + (1.0 - fresh) * age_s,
            wait_s: self.finds.unread_s + (1.0 - fresh) * taken_s / 2.0,
        }
    }

    /// The share of batches that begin with a find, because the one before was done by then.
    fn fresh(&self, taken_s: f64) -> (f64, crate::finds::Beyond) {
        let beyond = self.finds.beyond(taken_s);
        let after_fresh = beyond.chance;
        let after_other = beyond.mean_s / self.finds.mean_s();
        (after_other / (1.0 - after_fresh + after_other), beyond)
    }

    /// Batches that are full before their window ends, or that are always full.
    fn full(&self, duration_s: &impl Fn(f64) -> f64) -> Steady {
        // A read that brings several batches has them wait for one another.
        let behind = (self.rate * self.finds.step_s / self.most - 1.0).max(0.0) / 2.0;
        let age_s = self.finds.step_s / 2.0 + behind * duration_s(self.most);
        Steady {
            batch: self.most,
            age_s,
            wait_s: age_s + self.most / self.rate / 2.0,
        }
    }

    /// Records of a batch: as many as arrive in the cycle that they make. The most there may be if there are more.
    fn fixed_point(&self, cycle_s: impl Fn(f64) -> f64) -> f64 {
        let gathered = |batch: f64| self.rate * cycle_s(batch);
        if gathered(self.most) >= self.most {
            return self.most;
        }
        let (mut few, mut many) = (0.0, self.most);
        for _ in 0..50 {
            let batch = f64::midpoint(few, many);
            match gathered(batch) > batch {
                true => few = batch,
                false => many = batch,
            }
        }
        many
    }
}

/// Batches of at most so many records that a read is cut into, of so many records on average (Poisson).
fn batches(mean: f64, most: f64) -> f64 {
    if mean < most / 3.0 {
        return 1.0;
    }
    if mean > 2000.0 {
        return (mean / most + 0.5).max(1.0);
    }
    // By chances beside that of the likeliest number: by itself each of them may be too small for a double.
    let (mut sum, mut chances) = (0.0, 0.0);
    let mut add = |records: f64, chance: f64| {
        sum += chance * (records / most).ceil();
        chances += chance;
    };
    let likeliest = mean.floor().max(1.0);
    let far = 10.0 * mean.sqrt() + 10.0;
    let (mut records, mut chance) = (likeliest, 1.0);
    while records <= mean + far {
        add(records, chance);
        records += 1.0;
        chance *= mean / records;
    }
    (records, chance) = (likeliest, 1.0);
    while records > 1.0 && records > mean - far {
        chance *= records / mean;
        records -= 1.0;
        add(records, chance);
    }
    // None is no read: it is left out.
    sum / chances
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums over the Poisson distribution by Python's `math.lgamma`.
    #[test]
    fn batches_of_a_read_are_those_of_the_distribution() {
        for (mean, most, expected) in [
            (0.5, 1.0, 1.270_747),
            (3.0, 2.0, 1.841_040),
            (50.0, 20.0, 2.986_123),
            (1_000.0, 1_000.0, 1.491_591),
            (1_250.0, 1_000.0, 2.0),
            (1_999.0, 2_000.0, 1.485_134),
        ] {
            let found = batches(mean, most);
            assert!((found - expected).abs() < 1e-5, "{mean} by {most}: {found}");
        }
        assert_eq!(batches(100.0, 1_000.0), 1.0, "far below the limit");
    }
}
