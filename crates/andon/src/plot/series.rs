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
    /// Before which points the chart was restarted, in their order, and by what.
    restarts: Vec<(usize, String)>,
    /// From the opening to the clearing point of each episode; none: still open.
    episodes: Vec<(usize, Option<usize>)>,
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

    /// Notes that the chart was restarted before the next point. Of several restarts in between the last is kept, so
    /// that a chart that is restarted before it comes to a point takes no more memory than one that does.
    pub fn restarted(&mut self, by: String) {
        match self.restarts.last_mut() {
            Some((at, last)) if *at == self.points.len() => *last = by,
            _ => self.restarts.push((self.points.len(), by)),
        }
    }

    /// Notes that an episode opened at the last point.
    pub fn opened(&mut self) {
        self.episodes.push((self.last(), None));
    }

    /// Notes that the episode that is open cleared at the last point.
    pub fn cleared(&mut self) {
        let last = self.last();
        if let Some((_, end @ None)) = self.episodes.last_mut() {
            *end = Some(last);
        }
    }

    /// The next sheet: an episode under way goes on on it.
    pub fn continued(&self) -> Self {
        let is_open = matches!(self.episodes.last(), Some((_, None)));
        Self {
            episodes: is_open.then_some((0, None)).into_iter().collect(),
            ..Self::default()
        }
    }

    fn last(&self) -> usize {
        self.points.len().saturating_sub(1)
    }

    pub(super) fn restarts(&self) -> &[(usize, String)] {
        &self.restarts
    }

    pub(super) fn episodes(&self) -> &[(usize, Option<usize>)] {
        &self.episodes
    }

    /// Whether the chart was restarted before the point `at`.
    pub(super) fn is_restarted_at(&self, at: usize) -> bool {
        let found = self.restarts.binary_search_by_key(&at, |(at, _)| *at);
        found.is_ok()
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

    /// The last setting that a point was judged by.
    pub(super) fn last_setting(&self) -> Option<&Setting> {
        self.settings.last()
    }

    /// The setting that applies at the end; none in phase I.
    pub fn setting_at_end(&self) -> Option<&Setting> {
        self.setting(self.points.last()?)
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
                Some(run) if run.end == at && !self.is_restarted_at(at) => {
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

    const SETTING: Setting = Setting {
        limits: Limits {
            center: 1.0,
            lower: None,
            upper: Some(2.0),
        },
        sigma: 0.3,
        spread: None,
    };

    fn point(time: i64) -> Judged {
        Judged {
            time,
            value: 1.0,
            low: None,
            spread: None,
            setting: SETTING,
            marks: Marks::default(),
        }
    }

    #[test]
    fn restarts_without_a_point_between_them_are_one() {
        let mut series = Series::default();
        series.judged(point(0));
        for lot in 0..3 {
            series.restarted(format!("lot {lot}"));
        }
        series.judged(point(1));
        assert_eq!(series.restarts(), [(1, "lot 2".to_owned())]);
        assert!(series.is_restarted_at(1) && !series.is_restarted_at(0));
    }

    #[test]
    fn episodes_stand_at_points_whatever_the_clock_says() {
        let mut series = Series::default();
        for time in [0, 9_999_999, 1, 2] {
            series.judged(point(time));
            match time {
                1 => series.opened(),
                2 => series.cleared(),
                _ => {}
            }
        }
        assert_eq!(series.episodes(), [(2, Some(3))]);
        assert!(series.continued().episodes().is_empty());
        series.opened();
        assert_eq!(series.continued().episodes(), [(0, None)]);
    }

    #[test]
    fn settings_are_shared_and_phase_one_comes_in_runs() {
        let mut series = Series::default();
        series.learning(0, Some(1.0));
        series.learning(1, None);
        for time in 2..5 {
            series.judged(point(time));
        }
        assert_eq!(series.setting_at_end(), Some(&SETTING));
        series.restarted("tool".into());
        series.learning(5, None);
        assert_eq!(series.setting_at_end(), None);
        assert_eq!(series.last_setting(), Some(&SETTING));
        assert_eq!(series.settings.len(), 1);
        assert_eq!(series.learning_runs(), [0..2, 5..6]);
        assert_eq!((series.len(), series.in_phase_one()), (6, 3));
        assert_eq!(series.span(), Some((0, 5)));
    }
}
