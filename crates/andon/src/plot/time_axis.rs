//! The horizontal axis: reading time in UTC, or the order of the points where time would squeeze them together.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::svg::{INK, Rect, Style, Svg};
use super::text::width;
use super::ticks;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Steps between ticks up to a fortnight; longer ones follow the calendar.
const STEPS: [i64; 29] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];
/// In months.
const CALENDAR_STEPS: [i32; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 1_200];

/// Room between the frame and the first and the last point.
const INSET: f64 = 9.0;
const SIZE: f64 = 11.0;

/// Where a point stands from left to right.
#[derive(Clone, Debug)]
pub(super) struct TimeAxis {
    left: f64,
    width: f64,
    scale: Scale,
    times: Vec<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// From the first to the last time, in milliseconds.
    Time(i64, i64),
    /// One place for each point.
    Order,
}

impl TimeAxis {
    /// An axis for points taken at `times`, across `frame`.
    ///
    /// The order of the points serves where time stands still or runs backwards, and where gaps would leave them
    /// less than a quarter of the width.
    pub(super) fn new(times: &[i64], frame: Rect) -> Self {
        let scale = match (times.first(), times.last()) {
            (Some(first), Some(last))
                if first < last && times.is_sorted() && is_even(times, last - first) =>
            {
                Scale::Time(*first, *last)
            }
            _ => Scale::Order,
        };
        Self {
            left: frame.x + INSET,
            width: frame.width - 2.0 * INSET,
            scale,
            times: times.to_vec(),
        }
    }

    /// The place of the point `index`.
    pub(super) fn x(&self, index: usize) -> f64 {
        match (self.scale, self.times.get(index)) {
            (Scale::Time(from, to), Some(time)) => self.at(*time, from, to),
            _ if self.times.len() < 2 => self.left + self.width / 2.0,
            _ => {
                let last = self.times.len() - 1;
                self.left + self.width * index as f64 / last as f64
            }
        }
    }

    /// Half way from the point before to the point `index`; beyond the ends, the ends.
    pub(super) fn edge(&self, index: usize) -> f64 {
        if index == 0 {
            self.left - INSET / 2.0
        } else if index >= self.times.len() {
            self.left + self.width + INSET / 2.0
        } else {
            (self.x(index - 1) + self.x(index)) / 2.0
        }
    }

    /// Points for each unit of width.
    pub(super) fn density(&self) -> f64 {
        self.times.len() as f64 / self.width
    }

    /// What the axis shows.
    pub(super) fn title(&self) -> &'static str {
        match self.scale {
            Scale::Time(..) => "reading time (UTC)",
            Scale::Order => "point and reading time (UTC); places follow the order of the points",
        }
    }

    /// Ticks and labels below `bottom`.
    pub(super) fn draw(&self, svg: &mut Svg, bottom: f64) {
        let ticks = match self.scale {
            Scale::Time(from, to) => time_ticks(from, to, (self.width / 70.0) as usize)
                .into_iter()
                .map(|tick| (self.at(tick.time, from, to), tick.label, tick.date))
                .collect::<Vec<_>>(),
            Scale::Order => self.order_ticks(),
        };
        svg.open(&format!("stroke=\"{INK}\" stroke-width=\"1\""));
        for (x, ..) in &ticks {
            svg.line((*x, bottom), (*x, bottom + 5.0));
        }
        svg.close();
        let mut free_from = f64::NEG_INFINITY;
        for (x, label, date) in &ticks {
            svg.text(*x, bottom + 17.0, Style::plain(SIZE).middle(), label);
            let half = width(date, SIZE) / 2.0;
            let x = x.max(self.left + half - 2.0 * INSET);
            if !date.is_empty() && x - half > free_from {
                svg.text(x, bottom + 31.0, Style::plain(SIZE).middle().grey(), date);
                free_from = x + half + 6.0;
            }
        }
    }

    fn at(&self, time: i64, from: i64, to: i64) -> f64 {
        self.left + self.width * (time - from) as f64 / (to - from) as f64
    }

    /// The point's number, its time below.
    fn order_ticks(&self) -> Vec<(f64, String, String)> {
        let count = self.times.len();
        if count < 2 {
            let tick = |time: &i64| (self.x(0), "1".to_owned(), full(*time));
            return self.times.iter().map(tick).collect();
        }
        ticks::ticks(1.0, count as f64, (self.width / 130.0) as usize)
            .into_iter()
            .filter(|tick| tick.fract() == 0.0 && *tick >= 1.0)
            .map(|tick| {
                let index = tick as usize - 1;
                let time = self.times.get(index).copied().unwrap_or_default();
                (self.x(index), format!("{tick:.0}"), full(time))
            })
            .collect()
    }
}

/// Whether the points, at their usual distance, fill a good part of the span.
fn is_even(times: &[i64], span: i64) -> bool {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
    times.len() < 8 || usual as f64 * steps.len() as f64 >= span as f64 / 4.0
}

/// A tick: its label, and below it the date or the year where a new one begins.
#[derive(Debug, PartialEq, Eq)]
struct Tick {
    time: i64,
    label: String,
    date: String,
}

/// At most about `most` round times within the span.
fn time_ticks(from: i64, to: i64, most: usize) -> Vec<Tick> {
    let most = i64::try_from(most.max(2)).unwrap_or(i64::MAX);
    let step = STEPS.into_iter().find(|step| (to - from) / step < most);
    let mut above = String::new();
    match step {
        Some(step) => {
            // Whole weeks begin on a Monday, the fourth day after the epoch's.
            let shift = if step == 7 * DAY { 4 * DAY } else { 0 };
            let first = (from - shift).div_euclid(step) * step + shift;
            (0..)
                .map(|n| first + n * step)
                .skip_while(|time| *time < from)
                .take_while(|time| *time <= to)
                .map(|time| {
                    let (label, date) = labels(time, step);
                    Tick {
                        time,
                        label,
                        date: fresh(&mut above, date),
                    }
                })
                .collect()
        }
        None => {
            let months = CALENDAR_STEPS
                .into_iter()
                .find(|months| (to - from) / (i64::from(*months) * 30 * DAY) < most)
                .unwrap_or(12_000);
            let start = civil(from);
            let first = i32::from(start.year()) * 12 + i32::from(start.month()) - 1;
            let first = first.div_euclid(months) * months;
            (0..)
                .map_while(|n| month_start(first + n * months))
                .skip_while(|(time, ..)| *time < from)
                .take_while(|(time, ..)| *time <= to)
                .map(|(time, year, month)| match months {
                    12.. => Tick {
                        time,
                        label: year.to_string(),
                        date: String::new(),
                    },
                    _ => Tick {
                        time,
                        label: format!("{year}-{month:02}"),
                        date: String::new(),
                    },
                })
                .collect()
        }
    }
}

/// The text if it is another than the last one.
fn fresh(last: &mut String, text: String) -> String {
    if *last == text {
        return String::new();
    }
    last.clone_from(&text);
    text
}

fn labels(time: i64, step: i64) -> (String, String) {
    let at = civil(time);
    let date = at.date().to_string();
    match step {
        DAY.. => (date[date.len() - 5..].to_owned(), at.year().to_string()),
        MINUTE.. => (format!("{:02}:{:02}", at.hour(), at.minute()), date),
        SECOND.. => (clock(at), date),
        _ => (format!("{}.{:03}", clock(at), at.millisecond()), date),
    }
}

fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// `2026-11-20 01:02:03`.
pub(super) fn full(time: i64) -> String {
    let at = civil(time);
    format!("{} {}", at.date(), clock(at))
}

/// `2026-11-20 01:02:03 to 05:37:48`; the date again only where it is another.
pub(super) fn span(from: i64, to: i64) -> String {
    let (start, end) = (civil(from), civil(to));
    if start == end {
        full(from)
    } else if start.date() == end.date() {
        format!("{} to {}", full(from), clock(end))
    } else {
        format!("{} to {}", full(from), full(to))
    }
}

fn civil(time: i64) -> DateTime {
    Timestamp::from_millisecond(time)
        .unwrap_or_default()
        .to_zoned(TimeZone::UTC)
        .datetime()
}

/// The first instant of the month that is so many months after the start of year 0.
fn month_start(months: i32) -> Option<(i64, i16, i8)> {
    let year = i16::try_from(months.div_euclid(12)).ok()?;
    let month = i8::try_from(months.rem_euclid(12) + 1).ok()?;
    let start = DateTime::new(year, month, 1, 0, 0, 0, 0).ok()?;
    let since = start.duration_since(DateTime::new(1970, 1, 1, 0, 0, 0, 0).ok()?);
    Some((
        i64::try_from(SignedDuration::as_millis(&since)).ok()?,
        year,
        month,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-20T00:00:00Z.
    const START: i64 = 1_795_132_800_000;

    #[track_caller]
    fn check(span: i64, expected: &[(&str, &str)]) {
        let ticks = time_ticks(START, START + span, 6);
        let found: Vec<(&str, &str)> = ticks
            .iter()
            .map(|tick| (tick.label.as_str(), tick.date.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn ticks_are_round_and_dates_stand_once() {
        check(
            5 * HOUR,
            &[
                ("00:00", "2026-11-20"),
                ("01:00", ""),
                ("02:00", ""),
                ("03:00", ""),
                ("04:00", ""),
                ("05:00", ""),
            ],
        );
        check(
            30 * HOUR,
            &[
                ("00:00", "2026-11-20"),
                ("06:00", ""),
                ("12:00", ""),
                ("18:00", ""),
                ("00:00", "2026-11-21"),
                ("06:00", ""),
            ],
        );
        check(
            3 * SECOND,
            &[
                ("00:00:00", "2026-11-20"),
                ("00:00:01", ""),
                ("00:00:02", ""),
                ("00:00:03", ""),
            ],
        );
        check(20 * DAY, &[("11-23", "2026"), ("11-30", ""), ("12-07", "")]);
        check(
            150 * DAY,
            &[
                ("2026-12", ""),
                ("2027-01", ""),
                ("2027-02", ""),
                ("2027-03", ""),
                ("2027-04", ""),
            ],
        );
        check(
            1_000 * DAY,
            &[
                ("2027-01", ""),
                ("2027-07", ""),
                ("2028-01", ""),
                ("2028-07", ""),
                ("2029-01", ""),
                ("2029-07", ""),
            ],
        );
    }

    #[test]
    fn the_order_serves_where_time_does_not() {
        #[track_caller]
        fn check(times: &[i64], expected: bool) {
            let frame = Rect {
                x: 0.0,
                y: 0.0,
                width: 118.0,
                height: 1.0,
            };
            let axis = TimeAxis::new(times, frame);
            assert_eq!(axis.scale == Scale::Order, expected, "{times:?}");
            for index in 0..times.len() {
                assert!((8.9..109.1).contains(&axis.x(index)), "{times:?}");
            }
        }
        check(&[0, 10, 20, 30], false);
        check(&[0, 10, 5, 30], true);
        check(&[7, 7, 7], true);
        check(&[7], true);
        check(&[], true);
        check(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 1_000], true);
    }

    #[test]
    fn spans_name_the_date_once() {
        assert_eq!(
            span(START, START + 4_523_456),
            "2026-11-20 00:00:00 to 01:15:23"
        );
        assert_eq!(
            span(START, START + DAY),
            "2026-11-20 00:00:00 to 2026-11-21 00:00:00"
        );
        assert_eq!(span(START, START), "2026-11-20 00:00:00");
    }
}
