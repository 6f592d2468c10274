//! Phase I: centre and sigma from the first points, in one pass and constant memory.

use serde::{Deserialize, Serialize};

use crate::ChartKind;
use crate::chart::Plotted;
use crate::constants::{c4, d2};
use crate::definition::{MAX_MAGNITUDE, Process};

/// From so many points on, the limits so far are good enough to leave outliers out.
const MIN_PROVISIONAL: u32 = 20;

/// So many left out in a row are no outliers.
const MAX_LEFT_OUT: u8 = 8;

/// Where a chart without a given centre stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// No point yet.
    #[default]
    New,
    Learning(Learner),
    /// Frozen.
    Learned(f64, f64),
}

/// The sums that centre and sigma are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learner {
    /// Points taken in.
    points: u32,
    /// Readings, items or units in them.
    weight: f64,
    /// Weighted values.
    total: f64,
    /// Estimates of sigma, summed.
    sigmas: f64,
    estimates: u32,
    /// The point before, for the moving range; none after one that was left out.
    last: Option<f64>,
    /// Points left out in a row.
    left_out: u8,
}

impl Phase {
    /// Encoded with postcard.
    pub(crate) const NEW_BYTES: usize = 1;
    pub(crate) const LEARNED_BYTES: usize = 1 + 2 * 8;

    /// The most that phase I takes under way, encoded with postcard: numbers of 8 bytes, counters of up to 5.
    pub(crate) fn learning_bytes(kind: ChartKind) -> usize {
        let (estimates, last) = match kind {
            ChartKind::XbarR(_) | ChartKind::XbarS(_) => (5, 1),
            _ if kind.is_of_counts() => (1, 1),
            _ => (5, 1 + 8),
        };
        1 + 5 + 3 * 8 + estimates + last + 1
    }

    pub(crate) fn process(&self) -> Option<Process> {
        match *self {
            Self::Learned(center, sigma) => Some(Process { center, sigma }),
            Self::New | Self::Learning(_) => None,
        }
    }

    /// What is learned so far, for a process that is interrupted here.
    pub(crate) fn take_without_last(&mut self) -> Self {
        let mut phase = std::mem::take(self);
        if let Self::Learning(learner) = &mut phase {
            learner.last = None;
        }
        phase
    }

    /// Takes in a point; after `wanted` points the phase ends.
    pub(crate) fn learn(&mut self, kind: ChartKind, wanted: u32, point: Plotted) {
        let mut learner = match *self {
            Self::Learning(learner) => learner,
            _ => Learner::default(),
        };
        learner.learn(kind, point);
        let process = learner.process();
        let varies = match kind {
            ChartKind::P => process.center > 0.0 && process.center < 1.0,
            ChartKind::Np { size } => process.center > 0.0 && process.center < size,
            ChartKind::C | ChartKind::U => process.center > 0.0,
            _ => process.sigma > 0.0,
        };
        *self = if learner.points >= wanted && varies {
            Self::Learned(process.center, process.sigma)
        } else {
            Self::Learning(learner)
        };
    }

    pub(crate) fn is_plausible(&self) -> bool {
        match self {
            Self::New => true,
            // A mean is no larger than the largest value, a mean moving range than twice that.
            Self::Learned(center, sigma) => {
                center.abs() <= MAX_MAGNITUDE && (0.0..=2.0 * MAX_MAGNITUDE).contains(sigma)
            }
            Self::Learning(learner) => {
                learner.points > 0
                    && learner.estimates <= learner.points
                    && learner.left_out < MAX_LEFT_OUT
                    && learner.weight > 0.0
                    && learner.weight.is_finite()
                    && learner.total.is_finite()
                    && learner.sigmas.is_finite()
                    && learner.sigmas >= 0.0
                    && learner.last.is_none_or(|last| last.abs() < MAX_MAGNITUDE)
            }
        }
    }
}

impl Learner {
    fn learn(&mut self, kind: ChartKind, point: Plotted) {
        if self.points >= MIN_PROVISIONAL && self.is_outlier(kind, point) {
            self.left_out += 1;
            self.last = None;
            if self.left_out < MAX_LEFT_OUT {
                return;
            }
            *self = Self::default();
        }
        self.left_out = 0;
        self.points = self.points.saturating_add(1);
        let weight = match kind {
            ChartKind::XbarR(_) | ChartKind::XbarS(_) | ChartKind::P | ChartKind::U => point.size,
            _ => 1.0,
        };
        self.weight += weight;
        self.total += weight * point.value;
        let n = point.size as u8;
        let sigma = match (kind, point.spread) {
            (ChartKind::XbarR(_), Some(range)) => Some(range / d2(n)),
            (ChartKind::XbarS(_), Some(deviation)) => Some(deviation / c4(n)),
            (_, Some(_)) => None,
            (_, None) if kind.is_of_counts() => None,
            (_, None) => self.last.map(|last| (point.value - last).abs() / d2(2)),
        };
        if let Some(sigma) = sigma {
            self.sigmas += sigma;
            self.estimates = self.estimates.saturating_add(1);
        }
        self.last = (!kind.is_of_counts() && point.spread.is_none()).then_some(point.value);
    }

    fn process(&self) -> Process {
        let mean = |sum: f64, of: f64| if of > 0.0 { sum / of } else { 0.0 };
        Process {
            center: mean(self.total, self.weight),
            sigma: mean(self.sigmas, f64::from(self.estimates)),
        }
    }

    /// Beyond the 3-sigma limits of the points taken in so far.
    fn is_outlier(&self, kind: ChartKind, point: Plotted) -> bool {
        let Process { center, sigma } = self.process();
        let deviation = match kind {
            ChartKind::XbarR(_) | ChartKind::XbarS(_) => sigma / point.size.sqrt(),
            ChartKind::P => (center * (1.0 - center) / point.size).max(0.0).sqrt(),
            ChartKind::Np { size } => (center * (1.0 - center / size)).max(0.0).sqrt(),
            ChartKind::C => center.sqrt(),
            ChartKind::U => (center / point.size).sqrt(),
            _ => sigma,
        };
        // While nothing has varied, nothing can be called an outlier.
        deviation > 0.0 && (point.value - center).abs() > 3.0 * deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_series_leaves_is_refused() {
        let sound = Learner {
            points: 12,
            weight: 12.0,
            total: 480.0,
            sigmas: 11.0,
            estimates: 11,
            last: Some(40.0),
            left_out: 0,
        };
        assert!(Phase::Learning(sound).is_plausible());
        let refuse = |spoil: fn(&mut Learner)| {
            let mut learner = sound;
            spoil(&mut learner);
            assert!(!Phase::Learning(learner).is_plausible(), "{learner:?}");
        };
        refuse(|learner| learner.points = 0);
        refuse(|learner| learner.estimates = 13);
        refuse(|learner| learner.left_out = MAX_LEFT_OUT);
        refuse(|learner| learner.weight = 0.0);
        refuse(|learner| learner.weight = f64::INFINITY);
        refuse(|learner| learner.total = f64::NAN);
        refuse(|learner| learner.sigmas = -1.0);
        refuse(|learner| learner.sigmas = f64::INFINITY);
        refuse(|learner| learner.last = Some(f64::NAN));
        refuse(|learner| learner.last = Some(1e150));
    }
}
