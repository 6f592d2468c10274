//! What a control chart shows: points with the limits they were judged by, phase I, restarts, episodes.

use super::marks::Marks;

/// Most points of one sheet: about five to a millimetre. What follows goes on the next sheet.
pub const MAX_POINTS: usize = 5_000;

/// One sheet of a control chart.
#[derive(Clone, Debug, Default)]
pub struct Series {
    points: Vec<Point>,
    /// Settings in the order of their first use: those of neighbours are mostly the same.
    settings: Vec<Setting>,
    /// Where the chart was restarted, and by what.
    pub restarts: Vec<(usize, String)>,
    /// From the opening to the clearing reading of each episode, in milliseconds; none: still open.
    pub episodes: Vec<(i64, Option<i64>)>,
}

/// One point. Values that are not there are NaN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) time: i64,
    /// The plotted statistic; of a CUSUM the upper sum.
    pub(super) value: f64,
    /// The lower sum of a CUSUM, at or above zero.
    pub(super) low: f64,
    /// Moving range, range or standard deviation.
    pub(super) spread: f64,
    pub(super) marks: Marks,
    /// None in phase I.
    setting: Option<u32>,
}

/// What a point is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Of the plotted statistic.
    pub limits: Limits,
    /// The plotted statistic's standard deviation.
    pub sigma: f64,
    /// Of the second panel.
    pub spread: Option<Limits>,
}

/// A centre line and its control limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The centre line.
    pub center: f64,
    /// None where it would be meaningless.
    pub lower: Option<f64>,
    /// Likewise.
    pub upper: Option<f64>,
}

/// A point that was judged.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// In milliseconds.
    pub time: i64,
    /// The plotted statistic.
    pub value: f64,
    /// The lower sum of a CUSUM.
    pub low: Option<f64>,
    /// Moving range, range or standard deviation.
    pub spread: Option<f64>,
    /// What it is judged by.
    pub setting: Setting,
    /// The tests that it fails.
    pub marks: Marks,
}

impl Series {
    /// Adds a point that was judged.
    pub fn judged(&mut self, point: Judged) {
        if self.settings.last() != Some(&point.setting) {
            self.settings.push(point.setting);
        }
        self.points.push(Point {
            time: point.time,
            value: point.value,
            low: point.low.unwrap_or(f64::NAN),
            spread: point.spread.unwrap_or(f64::NAN),
            marks: point.marks,
            setting: u32::try_from(self.settings.len() - 1).ok(),
        });
    }

    /// Adds a reading of phase I, with its value where the chart plots single readings.
    pub fn learning(&mut self, time: i64, value: Option<f64>) {
        self.points.push(Point {
            time,
            value: value.unwrap_or(f64::NAN),
            low: f64::NAN,
            spread: f64::NAN,
            marks: Marks::default(),
            setting: None,
        });
    }

    /// Notes that the chart was restarted before the next point.
    pub fn restarted(&mut self, by: String) {
        self.restarts.push((self.points.len(), by));
    }

    /// Points so far.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is no point yet.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Points that fail a test.
    pub fn violating(&self) -> usize {
        self.points
            .iter()
            .filter(|point| !point.marks.is_empty())
            .count()
    }

    /// Readings of phase I.
    pub fn in_phase_one(&self) -> usize {
        self.points
            .iter()
            .filter(|point| point.setting.is_none())
            .count()
    }

    /// The first and the last time.
    pub fn span(&self) -> Option<(i64, i64)> {
        let times = self.points.iter().map(|point| point.time);
        Some((times.clone().min()?, times.max()?))
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    pub(super) fn times(&self) -> Vec<i64> {
        self.points.iter().map(|point| point.time).collect()
    }

    pub(super) fn setting(&self, point: &Point) -> Option<&Setting> {
        self.settings.get(usize::try_from(point.setting?).ok()?)
    }

    /// The setting that applies at the end.
    pub fn last_setting(&self) -> Option<&Setting> {
        self.settings.last()
    }

    /// Whether the limits are the same at every point.
    pub(super) fn has_level_limits(&self) -> bool {
        self.settings
            .windows(2)
            .all(|pair| pair[0].limits == pair[1].limits)
    }

    /// Runs of phase I, as ranges of points.
    pub(super) fn learning_runs(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        for (at, point) in self.points.iter().enumerate() {
            if point.setting.is_some() {
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end == at && !self.restarts.iter().any(|(r, _)| *r == at) => {
                    run.end = at + 1;
                }
                _ => runs.push(at..at + 1),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shared_and_phase_one_comes_in_runs() {
        let setting = Setting {
            limits: Limits {
                center: 1.0,
                lower: None,
                upper: Some(2.0),
            },
            sigma: 0.3,
            spread: None,
        };
        let mut series = Series::default();
        series.learning(0, Some(1.0));
        series.learning(1, None);
        for time in 2..5 {
            series.judged(Judged {
                time,
                value: 1.0,
                low: None,
                spread: None,
                setting,
                marks: Marks::default(),
            });
        }
        series.restarted("tool".into());
        series.learning(5, None);
        assert_eq!(series.settings.len(), 1);
        assert_eq!(series.learning_runs(), [0..2, 5..6]);
        assert_eq!((series.len(), series.in_phase_one()), (6, 3));
        assert_eq!(series.span(), Some((0, 5)));
    }
}
