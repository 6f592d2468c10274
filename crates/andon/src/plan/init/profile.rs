//! What the readings of one characteristic are like, and the limits that follow from it.

use std::collections::HashSet;

use super::statistics::{Sigma, from_quantiles, median, overall, round_up, rounded, short_term};

/// Below so many values nothing is suggested.
const MIN_VALUES: usize = 20;
/// Up to so many different whole numbers are taken for a code.
const MAX_CODES: usize = 10;
/// A machine with fewer values than one in so many of another's was seen in passing.
const RARELY_SEEN: usize = 20;
/// A chart that would have called this share of the readings out of control is not suggested.
const FLOOD: f64 = 0.01;
/// How rarely chance alone may make a run of equal or missing values.
const CHANCE: f64 = 1e-7;

/// The values of one characteristic.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// In the order of the readings, each series one machine's.
    series: Vec<Vec<f64>>,
    sorted: Vec<f64>,
    pub(super) values: usize,
    /// Readings of these machines without a value.
    pub(super) missing: usize,
    /// The longest run of them.
    longest_missing: usize,
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) nature: Nature,
}

/// What the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    TooFew,
    Constant,
    /// So many different whole numbers.
    Code(usize),
    /// It rises, and now and then starts over.
    Counter,
    Measured,
}

/// A suggested individuals chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chart {
    pub(super) baseline: Baseline,
    pub(super) sigma: Sigma,
    /// Values beyond its limits.
    pub(super) beyond: usize,
    pub(super) reason: &'static str,
}

/// Where a chart's centre line and sigma come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Baseline {
    Given {
        center: f64,
        sigma: f64,
    },
    /// Each machine learns from so many readings.
    Learn(usize),
}

/// Limits in the manner of a specification.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Specification {
    pub(super) lower: Option<f64>,
    pub(super) upper: f64,
    pub(super) outside: usize,
}

/// A run length that chance does not explain, and the longest run that there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) readings: usize,
    pub(super) longest: usize,
}

impl Profile {
    /// The profile of what one pointer holds; each series is one machine's, none where a value is missing.
    pub(super) fn of(cells: &[Vec<Option<f64>>]) -> Option<Self> {
        let series: Vec<Vec<f64>> = cells
            .iter()
            .map(|cells| cells.iter().copied().flatten().collect())
            .collect();
        let mut sorted = series.concat();
        let median = median(&mut sorted)?;
        let longest_missing = cells
            .iter()
            .map(|cells| longest_run(cells.iter().map(Option::is_none)))
            .max()
            .unwrap_or_default();
        Some(Self {
            nature: nature(&series, &sorted),
            values: sorted.len(),
            missing: cells.iter().map(Vec::len).sum::<usize>() - sorted.len(),
            longest_missing,
            median,
            min: sorted[0],
            max: sorted[sorted.len() - 1],
            series,
            sorted,
        })
    }

    /// The first of several baselines that would not have flooded anybody: sigma from one reading to the next, as
    /// textbooks have it; the same for each machine; sigma of all values, where they wander; the spread of the tails,
    /// where they are skewed.
    pub(super) fn chart(&self) -> Option<Chart> {
        if self.nature != Nature::Measured {
            return None;
        }
        let short = short_term(&self.series)?;
        let all = overall(&self.series, false).unwrap_or(short);
        let own = overall(&self.series, true).unwrap_or(short);
        let given = |sigma: Sigma, reason| {
            let center = rounded(self.median, sigma.value, 3);
            let value = rounded(sigma.value, sigma.value, 3);
            Chart {
                baseline: Baseline::Given {
                    center,
                    sigma: value,
                },
                sigma,
                beyond: beyond(&self.sorted, center, value),
                reason,
            }
        };
        // Machines without the sensor, and those that were seen in passing, have no say.
        let usual = self.series.iter().map(Vec::len).max().unwrap_or_default();
        let shortest = self.series.iter().map(Vec::len);
        let shortest = shortest.filter(|length| length * RARELY_SEEN > usual);
        let shortest = shortest.min().unwrap_or_default();
        let differ = all.value > 1.3 * own.value && shortest >= 60;
        let learned = differ.then(|| Chart {
            baseline: Baseline::Learn((shortest / 3).clamp(20, 100)),
            sigma: short,
            beyond: self
                .series
                .iter()
                .map(|series| {
                    let center = median(&mut series.clone()).unwrap_or(self.median);
                    beyond(series, center, short.value)
                })
                .sum(),
            reason: "the machines stand at different levels: each learns its own",
        });
        let mut candidates = vec![given(short, "")];
        candidates.extend(learned);
        candidates.push(given(
            all,
            "the values wander: sigma is that of all of them, not from one to the next",
        ));
        if let Some(sigma) = from_quantiles(&self.sorted, self.median) {
            candidates.push(given(
                sigma,
                "the values are skewed or have long tails: sigma covers the longer one",
            ));
        }
        candidates
            .into_iter()
            .find(|chart| chart.beyond as f64 <= FLOOD * self.values as f64)
    }

    /// Four thirds of the way to the quantiles that three sigma cut off: a process that stays as it is would have a Ppk
    /// of about 1.33.
    pub(super) fn specification(&self) -> Option<Specification> {
        if self.nature != Nature::Measured {
            return None;
        }
        let low = super::statistics::quantile(&self.sorted, 0.00135)?;
        let high = super::statistics::quantile(&self.sorted, 0.99865)?;
        let unit = (high - low) / 6.0;
        if unit <= 0.0 {
            return None;
        }
        let lower = rounded(self.median - (self.median - low) * 4.0 / 3.0, unit, 2);
        let upper = rounded(self.median + (high - self.median) * 4.0 / 3.0, unit, 2);
        // What is never negative has no lower limit below zero.
        let lower = (self.min < 0.0 || lower > 0.0).then_some(lower);
        let outside = self
            .sorted
            .iter()
            .filter(|value| **value > upper || lower.is_some_and(|lower| **value < lower))
            .count();
        (upper > lower.unwrap_or(f64::NEG_INFINITY)).then_some(Specification {
            lower,
            upper,
            outside,
        })
    }

    /// How many equal readings in a row chance does not explain; none where values repeat as a rule.
    pub(super) fn stuck(&self) -> Option<Run> {
        if self.nature != Nature::Measured {
            return None;
        }
        let pairs = || self.series.iter().flat_map(|series| series.windows(2));
        let equal = pairs().filter(|pair| pair[0] == pair[1]).count();
        let share = equal as f64 / pairs().count().max(1) as f64;
        let longest = self
            .series
            .iter()
            .map(|series| 1 + longest_run(series.windows(2).map(|pair| pair[0] == pair[1])));
        let longest = longest.max().unwrap_or_default();
        let readings = run_length(share)?.max(10);
        // One run may be the fault to be found; many are how the characteristic is.
        let runs = self.runs_of(readings);
        let readings = if runs * 1_000 > self.values.max(1_000) {
            longest + 1
        } else {
            readings
        };
        (readings <= 1_000).then_some(Run { readings, longest })
    }

    fn runs_of(&self, readings: usize) -> usize {
        let mut runs = 0;
        for series in &self.series {
            let mut length = 1;
            for pair in series.windows(2) {
                length = if pair[0] == pair[1] { length + 1 } else { 1 };
                runs += usize::from(length == readings);
            }
        }
        runs
    }

    /// How many readings in a row without a value chance does not explain; none where it is often missing.
    pub(super) fn missing(&self) -> Option<Run> {
        if self.nature == Nature::TooFew {
            return None;
        }
        let share = self.missing as f64 / (self.missing + self.values) as f64;
        let readings = run_length(share)?.max(3);
        (share <= 0.2).then_some(Run {
            readings,
            longest: self.longest_missing,
        })
    }
}

/// The run that chance makes once in ten million readings, where a reading continues one with this probability.
fn run_length(share: f64) -> Option<usize> {
    match share {
        0.0 => Some(1),
        ..0.9 => Some(1 + (CHANCE.ln() / share.ln()).ceil() as usize),
        _ => None,
    }
}

fn nature(series: &[Vec<f64>], sorted: &[f64]) -> Nature {
    if sorted.len() < MIN_VALUES {
        return Nature::TooFew;
    }
    if sorted.first() == sorted.last() {
        return Nature::Constant;
    }
    let different: HashSet<u64> = sorted.iter().map(|value| value.to_bits()).collect();
    if different.len() <= MAX_CODES && sorted.iter().all(|value| value.fract() == 0.0) {
        return Nature::Code(different.len());
    }
    let steps = || {
        series
            .iter()
            .flat_map(|series| series.windows(2).map(|pair| pair[1] - pair[0]))
            .filter(|step| *step != 0.0)
    };
    let rises = steps().filter(|step| *step > 0.0).count();
    let all = steps().count();
    if all >= MIN_VALUES && rises * 10 >= all * 9 {
        return Nature::Counter;
    }
    Nature::Measured
}

fn beyond(values: &[f64], center: f64, sigma: f64) -> usize {
    values
        .iter()
        .filter(|value| (*value - center).abs() > 3.0 * sigma)
        .count()
}

fn longest_run(flags: impl Iterator<Item = bool>) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for flag in flags {
        run = if flag { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// The longest silence that a plan takes, in seconds: a week.
pub(super) const MAX_SILENCE: f64 = 604_800.0;

/// The time between a machine's readings, and how long a silence is worth a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Silence {
    /// The usual time, in seconds.
    pub(super) usual: f64,
    pub(super) seconds: f64,
    /// Longer ones in the file.
    pub(super) longer: usize,
}

/// From each machine's times, in milliseconds. None where time does not tell.
pub(super) fn silence(times: &[Vec<i64>]) -> Option<Silence> {
    let mut steps: Vec<f64> = times
        .iter()
        .flat_map(|times| {
            times
                .windows(2)
                .map(|pair| (pair[1] - pair[0]) as f64 / 1e3)
        })
        .filter(|step| *step > 0.0)
        .collect();
    if steps.len() < MIN_VALUES {
        return None;
    }
    let usual = median(&mut steps)?;
    let late = super::statistics::quantile(&steps, 0.999)?;
    // Where readings come irregularly, twice what they rarely exceed; where breaks do, they are worth the word.
    let seconds = round_up((5.0 * usual).max((2.0 * late).min(20.0 * usual))).min(MAX_SILENCE);
    Some(Silence {
        usual,
        seconds,
        longer: steps.iter().filter(|step| **step > seconds).count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise by the golden ratio: even, without chance.
    fn even(count: usize) -> Vec<f64> {
        (0..count)
            .map(|n| (f64::from(u32::try_from(n).unwrap()) * 0.618_033_988_75).fract())
            .collect()
    }

    fn profile(series: &[Vec<f64>]) -> Profile {
        let cells: Vec<Vec<Option<f64>>> = series
            .iter()
            .map(|series| {
                series
                    .iter()
                    .map(|value| (!value.is_nan()).then_some(*value))
                    .collect()
            })
            .collect();
        Profile::of(&cells).unwrap()
    }

    #[test]
    fn natures_are_told() {
        #[track_caller]
        fn check(series: Vec<f64>, expected: Nature) {
            assert_eq!(profile(&[series]).nature, expected);
        }
        check(vec![1.0; 5], Nature::TooFew);
        check(vec![4.2; 50], Nature::Constant);
        check((0..60).map(|n| f64::from(n % 3)).collect(), Nature::Code(3));
        check(
            (0..60).map(|n| f64::from(n % 25)).collect(),
            Nature::Counter,
        );
        check((0..60).map(f64::from).collect(), Nature::Counter);
        check(even(60), Nature::Measured);
    }

    #[test]
    fn only_what_is_measured_is_charted() {
        for series in [vec![4.2; 50], (0..60).map(|n| f64::from(n % 25)).collect()] {
            let profile = profile(&[series]);
            assert_eq!(profile.chart(), None);
            assert_eq!(profile.specification(), None);
            assert_eq!(profile.stuck(), None);
        }
    }

    #[test]
    fn machines_at_different_levels_learn_their_own() {
        let low = even(300);
        let high: Vec<f64> = low.iter().map(|value| value + 100.0).collect();
        let chart = profile(&[low.clone(), high.clone()]).chart().unwrap();
        assert_eq!((chart.baseline, chart.beyond), (Baseline::Learn(100), 0));
        // One without the sensor, and one that was seen in passing, change nothing.
        let passing = vec![low[0], low[1]];
        let chart = profile(&[low, vec![f64::NAN; 300], high, passing]).chart();
        assert_eq!(
            chart.map(|chart| chart.baseline),
            Some(Baseline::Learn(100))
        );
    }

    #[test]
    fn a_value_that_wanders_has_wider_limits() {
        let wave: Vec<f64> = (0..1_000)
            .map(|n| (f64::from(n) / 50.0).sin() * 10.0)
            .collect();
        let chart = profile(&[wave]).chart().unwrap();
        assert!(chart.reason.contains("wander"), "{chart:?}");
        assert_eq!(chart.beyond, 0);
    }

    #[test]
    fn limits_leave_room() {
        let limits = profile(&[even(2_000)]).specification().unwrap();
        assert_eq!((limits.lower, limits.outside), (None, 0));
        assert!((1.1..1.3).contains(&limits.upper), "{limits:?}");
        let shifted: Vec<f64> = even(2_000).iter().map(|value| value + 10.0).collect();
        let limits = profile(&[shifted]).specification().unwrap();
        assert!(
            limits
                .lower
                .is_some_and(|lower| (9.7..9.9).contains(&lower)),
            "{limits:?}"
        );
    }

    #[test]
    fn runs_outlast_chance() {
        let rare = even(1_000);
        assert_eq!(
            profile(std::slice::from_ref(&rare)).stuck(),
            Some(Run {
                readings: 10,
                longest: 1
            })
        );
        let mut faulty = rare;
        faulty[500..540].fill(0.5);
        let run = profile(&[faulty]).stuck().unwrap();
        assert!(run.readings < 40 && run.longest == 40, "{run:?}");
        let steps: Vec<f64> = (0..1_000).map(|n| f64::from(n / 20 * 7 % 31)).collect();
        assert_eq!(profile(&[steps]).stuck(), None);
    }

    #[test]
    fn missing_values_are_counted() {
        let mut series = even(1_000);
        assert_eq!(
            profile(&[series.clone()]).missing(),
            Some(Run {
                readings: 3,
                longest: 0
            })
        );
        series[10..15].fill(f64::NAN);
        let found = profile(&[series.clone()]);
        assert_eq!((found.missing, found.missing().unwrap().longest), (5, 5));
        for value in series.iter_mut().step_by(2) {
            *value = f64::NAN;
        }
        assert_eq!(profile(&[series]).missing(), None);
    }

    #[test]
    fn a_silence_is_several_usual_times() {
        let steady: Vec<i64> = (0..100).map(|n| n * 45_000).collect();
        let found = silence(std::slice::from_ref(&steady)).unwrap();
        assert_eq!((found.usual, found.seconds, found.longer), (45.0, 500.0, 0));
        let mut broken = steady;
        broken[50..].iter_mut().for_each(|time| *time += 3_600_000);
        let found = silence(&[broken]).unwrap();
        assert_eq!((found.usual, found.longer), (45.0, 1));
        assert_eq!(silence(&[vec![5; 100]]), None);
        let weekly: Vec<i64> = (0..100).map(|n| n * 604_800_000).collect();
        assert_eq!(silence(&[weekly]).unwrap().seconds, MAX_SILENCE);
    }
}
