//! A specification's histogram: the values against their limits, with what the process is capable of.

use std::f64::consts::PI;

use control_plan::readable;

use super::sheet::{BOTTOM, LEFT, RIGHT, Sheet, TOP, short_hash};
use super::svg::{INK, Rect, Style, Svg};
use super::text::{fitted, width};
use super::ticks::{decimals, number, precision, ticks};

const LIMIT: &str =
    "stroke=\"#b00020\" stroke-width=\"1.8\" stroke-dasharray=\"9 4\" fill=\"none\"";
const MEAN: &str = "stroke=\"#00603c\" stroke-width=\"1.5\" fill=\"none\"";
const CURVE: &str = "stroke=\"#20406a\" stroke-width=\"1.4\" fill=\"none\"";
const MOST_BINS: usize = 60;
/// The width of a bar that stands alone goes so often between the limits.
const BARS_BETWEEN_LIMITS: f64 = 12.0;
/// In widths of a bin, so that 0.3 falls into the bin that starts at 0.3.
const HAIR: f64 = 1e-9;
/// Room at the right for the figures.
const FIGURES: f64 = 190.0;

/// What the sheet shows.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// The rule's id.
    pub rule: String,
    /// The characteristic.
    pub characteristic: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Whose values they are.
    pub machines: String,
    /// First and last reading time, as text.
    pub span: String,
    /// The lower specification limit.
    pub lower: Option<f64>,
    /// The upper one.
    pub upper: Option<f64>,
    /// Mean and standard deviation, for the normal curve.
    pub normal: Option<(f64, f64)>,
    /// Names and values of what was computed, in the order in which they are read.
    pub figures: Vec<(String, String)>,
    /// The plan's file.
    pub plan: String,
    /// The plan's hash.
    pub hash: String,
}

/// Values in bins of equal width.
#[derive(Clone, Debug, PartialEq)]
struct Bins {
    start: f64,
    width: f64,
    counts: Vec<u64>,
    /// Values beyond the first and the last bin.
    beyond: u64,
}

/// The histogram as SVG.
pub fn draw(histogram: &Histogram, values: &[f64]) -> String {
    let characteristic = match &histogram.unit {
        Some(unit) => format!("{} [{unit}]", histogram.characteristic),
        None => histogram.characteristic.clone(),
    };
    let bins = Bins::of(values, (histogram.lower, histogram.upper));
    let sheet = Sheet {
        title: [histogram.rule.clone(), histogram.machines.clone()],
        subtitle: [
            format!("Histogram and capability of {characteristic}"),
            histogram.span.clone(),
        ],
        note: match &bins {
            Some(bins) if bins.beyond > 0 => format!(
                "{} values far beyond all others are not drawn, but counted in the figures",
                bins.beyond
            ),
            _ => String::new(),
        },
        foot: [
            format!("plan {} · {}", histogram.plan, short_hash(&histogram.hash)),
            String::new(),
        ],
    };
    let mut svg = sheet.open();
    let frame = Rect {
        x: LEFT + 56.0,
        y: TOP + 10.0,
        width: RIGHT - LEFT - 56.0 - FIGURES,
        height: BOTTOM - TOP - 60.0,
    };
    match bins {
        Some(bins) => Drawing::new(histogram, &bins, frame).draw(&mut svg, &characteristic),
        None => svg.text(
            frame.x + frame.width / 2.0,
            frame.y + frame.height / 2.0,
            Style::plain(16.0).middle().grey(),
            "no values",
        ),
    }
    draw_figures(&mut svg, &histogram.figures, frame.right() + 24.0, frame.y);
    svg.finish()
}

impl Bins {
    /// About as wide as Freedman and Diaconis advise (twice the interquartile range over the cube root of the
    /// number of values), rounded to 1, 2 or 5 times a power of ten.
    ///
    /// Values that are all the same make a bar alone, narrow beside the limits.
    fn of(values: &[f64], limits: (Option<f64>, Option<f64>)) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let at = |share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
        let quartiles = at(0.75) - at(0.25);
        // Ten quartile ranges from the middle there is no shape left to see.
        let reach = if quartiles > 0.0 {
            10.0 * quartiles
        } else {
            f64::INFINITY
        };
        let low = first.max(at(0.25) - reach);
        let high = last.min(at(0.75) + reach);
        let wish = 2.0 * quartiles / libm::cbrt(sorted.len() as f64);
        let bins = ((high - low) / wish).clamp(8.0, MOST_BINS as f64);
        let steps = ticks(low, high, bins as usize);
        let (start, width) = match steps.as_slice() {
            [one, two, ..] if two > one => {
                let width = two - one;
                ((low / width).floor() * width, width)
            }
            _ => {
                let width = width_alone(low, limits).max(2.0 * (high - low));
                ((low + high) / 2.0 - width / 2.0, width)
            }
        };
        let count = ((high - start) / width + HAIR).floor() as usize + 1;
        let count = count.min(2 * MOST_BINS);
        let mut bins = Self {
            start,
            width,
            counts: vec![0; count],
            beyond: 0,
        };
        for value in sorted {
            let bin = ((value - start) / width + HAIR).floor();
            match bins.counts.get_mut(bin as usize) {
                Some(count) if bin >= 0.0 => *count += 1,
                _ => bins.beyond += 1,
            }
        }
        Some(bins)
    }

    fn end(&self) -> f64 {
        self.start + self.width * self.counts.len() as f64
    }
}

/// The width of a bar that stands alone, at the only value that there is: a part of the way between the limits, or to the
/// one limit, or of the value.
fn width_alone(value: f64, limits: (Option<f64>, Option<f64>)) -> f64 {
    let across = match limits {
        (Some(lower), Some(upper)) => upper - lower,
        (Some(limit), None) | (None, Some(limit)) => (value - limit).abs(),
        (None, None) => value.abs(),
    };
    let width = across / BARS_BETWEEN_LIMITS;
    // Where that is nothing to a float of this size, or nothing at all.
    if value + width > value && value - width < value {
        width
    } else {
        value.abs().max(1.0) / BARS_BETWEEN_LIMITS
    }
}

struct Drawing<'h> {
    histogram: &'h Histogram,
    bins: &'h Bins,
    frame: Rect,
    low: f64,
    high: f64,
    most: f64,
}

impl<'h> Drawing<'h> {
    /// The limits are within, unless they are so far that the values would be a single bar.
    fn new(histogram: &'h Histogram, bins: &'h Bins, frame: Rect) -> Self {
        let span = bins.end() - bins.start;
        let (mut low, mut high) = (bins.start, bins.end());
        let reach = match bins.counts.len() {
            1 => 2.0 * BARS_BETWEEN_LIMITS * span,
            _ => 3.0 * span,
        };
        let near = |limit: &f64| (bins.start - reach..=bins.end() + reach).contains(limit);
        if let Some(limit) = histogram.lower.filter(near) {
            low = low.min(limit);
        }
        if let Some(limit) = histogram.upper.filter(near) {
            high = high.max(limit);
        }
        let margin = 0.04 * (high - low);
        let most = bins.counts.iter().copied().max().unwrap_or(1).max(1) as f64;
        let peak = match histogram.normal {
            Some((_, sigma)) if sigma > 0.0 => {
                let all: u64 = bins.counts.iter().sum();
                all as f64 * bins.width / (sigma * libm::sqrt(2.0 * PI))
            }
            _ => 0.0,
        };
        Self {
            histogram,
            bins,
            frame,
            low: low - margin,
            high: high + margin,
            most: most.max(peak.min(2.0 * most)) * 1.1,
        }
    }

    fn x(&self, value: f64) -> f64 {
        self.frame.x + self.frame.width * (value - self.low) / (self.high - self.low)
    }

    fn y(&self, count: f64) -> f64 {
        self.frame.bottom() - self.frame.height * (count / self.most).min(1.0)
    }

    fn draw(&self, svg: &mut Svg, characteristic: &str) {
        let frame = self.frame;
        svg.open(&format!(
            "fill=\"#c9d8e6\" stroke=\"{INK}\" stroke-width=\"0.7\""
        ));
        for (n, count) in self.bins.counts.iter().enumerate() {
            let left = self.x(self.bins.start + n as f64 * self.bins.width);
            let right = self.x(self.bins.start + (n + 1) as f64 * self.bins.width);
            let top = self.y(*count as f64);
            let rect = Rect {
                x: left,
                y: top,
                width: right - left,
                height: frame.bottom() - top,
            };
            if *count > 0 {
                svg.rect(rect, "");
            }
        }
        svg.close();
        self.draw_curve(svg);
        self.draw_lines(svg);
        self.draw_axes(svg, characteristic);
    }

    /// The normal distribution with the values' mean and standard deviation.
    fn draw_curve(&self, svg: &mut Svg) {
        let Some((mean, sigma)) = self.histogram.normal.filter(|(_, sigma)| *sigma > 0.0) else {
            return;
        };
        let all: u64 = self.bins.counts.iter().sum();
        let peak = all as f64 * self.bins.width / (sigma * libm::sqrt(2.0 * PI));
        let curve: Vec<(f64, f64)> = (0..=160)
            .map(|n| self.low + (self.high - self.low) * f64::from(n) / 160.0)
            .map(|value| {
                let z = (value - mean) / sigma;
                (self.x(value), self.y(peak * libm::exp(-0.5 * z * z)))
            })
            .collect();
        svg.open(CURVE);
        svg.polyline(&curve);
        svg.close();
    }

    /// Specification limits and mean, named above the frame.
    fn draw_lines(&self, svg: &mut Svg) {
        let sigma = self.histogram.normal.map_or(1.0, |(_, sigma)| sigma);
        let places = precision(sigma);
        // Limits come from a drawing, which rounds nothing.
        let limit = |limit: Option<f64>| limit.map(exact);
        let (lower, upper) = (self.histogram.lower, self.histogram.upper);
        let mean = self.histogram.normal.map(|(mean, _)| mean);
        let lines = [
            (lower, "LSL", LIMIT, limit(lower)),
            (upper, "USL", LIMIT, limit(upper)),
            (mean, "mean", MEAN, mean.map(|mean| number(mean, places))),
        ];
        let mut taken: Vec<Rect> = Vec::new();
        for (value, name, look, written) in lines {
            let Some(value) = value.filter(|value| (self.low..=self.high).contains(value)) else {
                continue;
            };
            let x = self.x(value);
            svg.open(look);
            svg.line((x, self.frame.y), (x, self.frame.bottom()));
            svg.close();
            let text = format!("{name} {}", written.unwrap_or_default());
            let width = width(&text, 11.0);
            let place = |row: f64| Rect {
                x: x - width / 2.0,
                y: self.frame.y - 16.0 - row * 13.0,
                width,
                height: 12.0,
            };
            let free = [0.0, 1.0]
                .map(place)
                .into_iter()
                .find(|rect| !taken.iter().any(|taken| taken.overlaps(rect)));
            let rect = free.unwrap_or_else(|| place(0.0));
            svg.text(
                x,
                rect.bottom() - 2.0,
                Style::plain(11.0).bold().middle(),
                &text,
            );
            taken.push(rect);
        }
    }

    fn draw_axes(&self, svg: &mut Svg, characteristic: &str) {
        let frame = self.frame;
        svg.rect(
            frame,
            &format!("fill=\"none\" stroke=\"{INK}\" stroke-width=\"1\""),
        );
        let small = Style::plain(11.0);
        let labelled = |room: f64| {
            let values = ticks(self.low, self.high, (frame.width / room) as usize);
            let step = match values.as_slice() {
                [one, two, ..] => format!("{:.5e}", two - one).parse().unwrap_or(1.0),
                _ => 1.0,
            };
            let labels = values.iter().map(|value| number(*value, decimals(step)));
            let labels: Vec<String> = labels.collect();
            let widest = labels.iter().map(|label| width(label, 11.0));
            let widest = widest.fold(0.0, f64::max);
            (values, labels, widest)
        };
        let (values, labels) = match labelled(70.0) {
            (.., widest) if widest > 60.0 => {
                let (values, labels, _) = labelled(widest + 20.0);
                (values, labels)
            }
            (values, labels, _) => (values, labels),
        };
        let counts: Vec<f64> = ticks(0.0, self.most, 8)
            .into_iter()
            .filter(|count| count.fract() == 0.0)
            .collect();
        svg.open(&format!("stroke=\"{INK}\" stroke-width=\"1\""));
        for value in &values {
            let x = self.x(*value);
            svg.line((x, frame.bottom()), (x, frame.bottom() + 5.0));
        }
        for count in &counts {
            svg.line((frame.x - 5.0, self.y(*count)), (frame.x, self.y(*count)));
        }
        svg.close();
        for (value, text) in values.iter().zip(&labels) {
            svg.text(self.x(*value), frame.bottom() + 18.0, small.middle(), text);
        }
        for count in counts {
            let text = format!("{count:.0}");
            svg.text(frame.x - 8.0, self.y(count) + 3.9, small.end(), &text);
        }
        let middle = (frame.x + frame.right()) / 2.0;
        svg.text(
            middle,
            frame.bottom() + 38.0,
            Style::plain(12.0).middle(),
            characteristic,
        );
        svg.turned_text(
            frame.x - 44.0,
            frame.y + frame.height / 2.0,
            Some(-90.0),
            Style::plain(12.0).middle(),
            "values",
        );
    }
}

/// Every digit that a number has, as long as somebody would read them.
fn exact(number: f64) -> String {
    let text = match number.abs() {
        0.0 | 1e-9..1e15 => number.to_string(),
        _ => readable(number).to_string(),
    };
    text.replace('-', "\u{2212}")
}

fn draw_figures(svg: &mut Svg, figures: &[(String, String)], x: f64, y: f64) {
    for (row, (name, value)) in figures.iter().enumerate() {
        let base = y + 14.0 + row as f64 * 21.0;
        svg.text(x, base, Style::plain(12.0).grey(), name);
        let room = RIGHT - x - width(name, 12.0) - 8.0;
        let value = fitted(value, 13.0, room);
        svg.text(RIGHT, base, Style::plain(12.0).bold().end(), &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_bin_or_told() {
        #[track_caller]
        fn check(values: &[f64], beyond: u64) {
            let bins = Bins::of(values, (None, None)).unwrap();
            let inside: u64 = bins.counts.iter().sum();
            assert_eq!(
                (inside + bins.beyond, bins.beyond),
                (values.len() as u64, beyond)
            );
            assert!(bins.counts.len() <= 2 * MOST_BINS, "{bins:?}");
        }
        check(&[1.0], 0);
        check(&[5.0; 30], 0);
        let even: Vec<f64> = (0..1_000).map(|n| f64::from(n) / 10.0).collect();
        check(&even, 0);
        let outlier: Vec<f64> = even.iter().copied().chain([1e12]).collect();
        check(&outlier, 1);
        let mostly_constant: Vec<f64> = [1.0; 90].into_iter().chain([1e9]).collect();
        check(&mostly_constant, 0);
        // Where the largest value is the start of a bin, rounding must not lose that bin.
        for tenths in 2..200_u32 {
            let rounded: Vec<f64> = (0..=tenths).map(|n| f64::from(n) / 10.0).collect();
            check(&[rounded.clone(), rounded].concat(), 0);
        }
        check(&[1e15, 1e15 + 0.125], 0);
        assert_eq!(Bins::of(&[], (None, None)), None);
    }

    #[test]
    fn a_value_that_never_varies_is_a_bar_within_its_limits() {
        #[track_caller]
        fn check(value: f64, lower: Option<f64>, upper: Option<f64>) {
            let bins = Bins::of(&[value; 7], (lower, upper)).unwrap();
            assert_eq!(bins.counts, [7]);
            assert!(lower.is_none_or(|lower| lower < bins.start), "{bins:?}");
            assert!(upper.is_none_or(|upper| bins.end() < upper), "{bins:?}");
            assert!(bins.start < value && value < bins.end(), "{bins:?}");
            let histogram = Histogram {
                lower,
                upper,
                ..Histogram::default()
            };
            let drawn = draw(&histogram, &[value; 7]);
            assert_eq!(drawn.contains("LSL"), lower.is_some(), "{drawn}");
            assert_eq!(drawn.contains("USL"), upper.is_some(), "{drawn}");
        }
        check(5.0, Some(4.99), Some(5.01));
        check(5.009, Some(4.99), Some(5.01));
        check(0.001, Some(0.0), Some(0.0012));
        check(0.001, None, Some(0.002));
        check(-3.0, Some(-4.0), None);
        check(7.0, None, None);
        check(0.0, None, None);
    }

    #[test]
    fn limits_are_written_as_the_drawing_has_them() {
        let histogram = Histogram {
            lower: Some(3.85),
            upper: Some(64.125),
            normal: Some((30.0, 12.0)),
            ..Histogram::default()
        };
        let values: Vec<f64> = (0..60).map(f64::from).collect();
        let drawn = draw(&histogram, &values);
        for text in ["LSL 3.85", "USL 64.125", "mean 30.0"] {
            assert!(drawn.contains(text), "{text}: {drawn}");
        }
        for (limit, text) in [
            (119.9875, "119.9875"),
            (-0.000_05, "\u{2212}0.00005"),
            (0.0, "0"),
            (2_400_000_200.0, "2400000200"),
            (1e300, "1e300"),
        ] {
            assert_eq!(exact(limit), text);
        }
    }
}
