//! One panel of a control chart: zones, limits, the joined points, their marks and labels.

use std::ops::Range;

use super::marks::Marks;
use super::scale::Scale;
use super::series::{Limits, Point, Series, Setting};
use super::svg::{Coordinate, INK, Rect, Style, Svg};
use super::text::{fitted, width};
use super::ticks::{decimals, number, ticks};
use super::time_axis::TimeAxis;

/// The lines' looks, which the legend shows again.
pub(super) const CENTER: &str = "stroke=\"#00603c\" stroke-width=\"1.3\" fill=\"none\"";
pub(super) const LIMIT: &str =
    "stroke=\"#b00020\" stroke-width=\"1.3\" stroke-dasharray=\"7 3.5\" fill=\"none\"";
pub(super) const RESTART: &str =
    "stroke=\"#404040\" stroke-width=\"1\" stroke-dasharray=\"2 2\" fill=\"none\"";
const CROWDED_RESTART: &str = "stroke=\"#a6a6a6\" stroke-width=\"0.4\" fill=\"none\"";
/// Nearer to one another, restarts are only hinted at.
const MIN_BETWEEN_RESTARTS: f64 = 15.0;
pub(super) const PHASE_ONE: &str = "fill=\"url(#phase-one)\"";
pub(super) const EPISODE: &str = "fill=\"#404040\"";
/// Zones C, B and A: from the centre outwards ever darker, in black and white too.
pub(super) const ZONES: [&str; 3] = ["#f1f7f1", "#f5efd9", "#f0dccb"];
const SIGMAS: &str =
    "stroke=\"#8c8c8c\" stroke-width=\"0.6\" stroke-dasharray=\"1 3\" fill=\"none\"";
const TRACE: &str =
    "stroke=\"#20406a\" stroke-width=\"0.9\" fill=\"none\" stroke-linejoin=\"round\"";
const CROWDED_TRACE: &str =
    "stroke=\"#5b7ba5\" stroke-width=\"0.5\" fill=\"none\" stroke-linejoin=\"round\"";
/// Points for each unit of width from which dots would only thicken the line.
const CROWDED: f64 = 0.9;
const SIZE: f64 = 11.0;

/// The hatching of phase I, defined once in a picture.
pub(super) const PATTERNS: &str = "<defs><pattern id=\"phase-one\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" height=\"6\" fill=\"#f7f7f7\"/><path d=\"M-1 1L1 -1M0 6L6 0M5 7L7 5\" stroke=\"#d0d0d0\" stroke-width=\"0.7\"/></pattern></defs>";

/// One statistic of a series, in its frame.
pub(super) struct Panel<'s> {
    pub(super) series: &'s Series,
    pub(super) axis: &'s TimeAxis,
    pub(super) frame: Rect,
    pub(super) title: String,
    /// What is joined by a line; more than one for a CUSUM.
    pub(super) traces: Vec<fn(&Point) -> f64>,
    pub(super) limits: fn(&Setting) -> Option<Limits>,
    pub(super) marks: fn(&Point) -> Marks,
    /// The value that a mark stands at.
    pub(super) marked: fn(&Point) -> f64,
    /// Whether the run tests look at sigma zones.
    pub(super) zones: bool,
    /// How far beyond the limits values are drawn to scale, in widths between the limits.
    pub(super) reach: f64,
    /// Whether values are never negative, so that the scale starts at zero.
    pub(super) from_zero: bool,
    /// Whether a restart is named.
    pub(super) names_restarts: bool,
    /// Names of the upper limit, the centre line and the lower limit.
    pub(super) names: [&'static str; 3],
}

impl Panel<'_> {
    pub(super) fn draw(&self, svg: &mut Svg) {
        let scale = self.scale();
        let y = |value: f64| scale.y(value, self.frame);
        svg.rect(self.frame, "fill=\"#ffffff\"");
        if self.zones {
            self.draw_zones(svg, &y);
        }
        for run in self.series.learning_runs() {
            self.draw_phase_one(svg, run);
        }
        // On a crowded chart the points would hide the lines.
        let crowded = self.axis.density() > CROWDED;
        if !crowded {
            self.draw_limits(svg, &y);
        }
        self.draw_restarts(svg);
        for trace in &self.traces {
            self.draw_trace(svg, *trace, &y);
        }
        if crowded {
            self.draw_limits(svg, &y);
        }
        self.draw_axis(svg, scale);
        self.draw_limit_names(svg, &y);
        self.draw_marks(svg, scale);
    }

    fn scale(&self) -> Scale {
        let mut limits: Vec<f64> = Vec::new();
        let mut values = Vec::new();
        for point in self.series.points() {
            let of_point = self.series.setting(point).and_then(self.limits);
            limits.extend(of_point.iter().flat_map(|limits| {
                [Some(limits.center), limits.lower, limits.upper]
                    .into_iter()
                    .flatten()
            }));
            values.extend(self.traces.iter().map(|trace| trace(point)));
        }
        Scale::of(limits, values, self.reach, self.from_zero)
    }

    /// The bands between the sigma lines, as steps.
    fn draw_zones(&self, svg: &mut Svg, y: &impl Fn(f64) -> f64) {
        for (zone, fill) in ZONES.iter().enumerate() {
            for side in [1.0, -1.0] {
                let at = |sigmas: usize| {
                    move |setting: &Setting| {
                        let limits = (self.limits)(setting)?;
                        Some(limits.center + side * sigmas as f64 * setting.sigma)
                    }
                };
                let inner = self.steps(at(zone), y);
                let outer = self.steps(at(zone + 1), y);
                for (inner, outer) in inner.into_iter().zip(&outer) {
                    let mut outline = inner;
                    outline.extend(outer.iter().rev());
                    svg.polygon(&outline, &format!("fill=\"{fill}\""));
                }
                if zone < 2 {
                    svg.open(SIGMAS);
                    outer.iter().for_each(|line| svg.polyline(line));
                    svg.close();
                }
            }
        }
    }

    fn draw_limits(&self, svg: &mut Svg, y: &impl Fn(f64) -> f64) {
        let limits = self.limits;
        svg.open(CENTER);
        for line in self.steps(|setting| limits(setting).map(|limits| limits.center), y) {
            svg.polyline(&line);
        }
        svg.close();
        svg.open(LIMIT);
        for line in self.steps(|setting| limits(setting)?.upper, y) {
            svg.polyline(&line);
        }
        for line in self.steps(|setting| limits(setting)?.lower, y) {
            svg.polyline(&line);
        }
        svg.close();
    }

    /// A value of the settings as lines: level for each setting, stepping half way between points, broken where
    /// there is none and where the chart was restarted.
    fn steps(
        &self,
        value: impl Fn(&Setting) -> Option<f64>,
        y: &impl Fn(f64) -> f64,
    ) -> Vec<Vec<(f64, f64)>> {
        let mut lines: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut broken = true;
        for (at, point) in self.series.points().iter().enumerate() {
            let level = self.series.setting(point).and_then(&value).map(y);
            let Some(level) = level else {
                broken = true;
                continue;
            };
            let end = (self.axis.edge(at + 1), level);
            match lines.last_mut() {
                Some(line) if !broken && !self.series.is_restarted_at(at) => {
                    match line.last_mut() {
                        Some(last) if last.1 == level => last.0 = end.0,
                        _ => line.extend([(self.axis.edge(at), level), end]),
                    }
                }
                _ => lines.push(vec![(self.axis.edge(at), level), end]),
            }
            broken = false;
        }
        lines
    }

    fn draw_phase_one(&self, svg: &mut Svg, run: Range<usize>) {
        let left = self.axis.edge(run.start).max(self.frame.x);
        let right = self.axis.edge(run.end).min(self.frame.right());
        let band = Rect {
            x: left,
            width: right - left,
            ..self.frame
        };
        svg.rect(band, PHASE_ONE);
        if width("phase I", 10.0) < band.width - 6.0 {
            let (x, y) = (left + 4.0, self.frame.y + 13.0);
            svg.text(x, y, Style::plain(10.0).grey(), "phase I");
        }
    }

    /// A line where the chart was restarted, with what restarted it where there is room.
    fn draw_restarts(&self, svg: &mut Svg) {
        let restarts = self.series.restarts().len() as f64;
        let crowded = restarts * MIN_BETWEEN_RESTARTS > self.frame.width;
        let names_restarts = self.names_restarts && !crowded;
        let mut free_from = self.frame.x;
        for (at, by) in self.series.restarts() {
            if *at == 0 {
                continue;
            }
            let x = self.axis.edge(*at);
            svg.open(if crowded { CROWDED_RESTART } else { RESTART });
            svg.line((x, self.frame.y), (x, self.frame.bottom()));
            svg.close();
            let text = fitted(by, 10.0, 110.0);
            let end = x + 4.0 + width(&text, 10.0);
            if names_restarts && x > free_from && end < self.frame.right() {
                svg.text(
                    x + 4.0,
                    self.frame.bottom() - 5.0,
                    Style::plain(10.0).grey(),
                    &text,
                );
                free_from = end;
            }
        }
    }

    /// The points joined by a line, broken where a value is missing or the chart was restarted.
    fn draw_trace(&self, svg: &mut Svg, trace: fn(&Point) -> f64, y: &impl Fn(f64) -> f64) {
        let mut line: Vec<(f64, f64)> = Vec::new();
        let mut dots = Vec::new();
        let crowded = self.axis.density() > CROWDED;
        svg.open(if crowded { CROWDED_TRACE } else { TRACE });
        for (at, point) in self.series.points().iter().enumerate() {
            let value = trace(point);
            if !value.is_finite() || self.series.is_restarted_at(at) {
                svg.polyline(&line);
                line.clear();
            }
            if value.is_finite() {
                let place = (self.axis.x(at), y(value));
                line.push(place);
                dots.push((place, self.series.setting(point).is_some()));
            }
        }
        svg.polyline(&line);
        svg.close();
        let radius = match self.axis.density() {
            ..0.12 => 2.2,
            ..0.35 => 1.6,
            ..CROWDED => 1.1,
            _ => return,
        };
        svg.open("fill=\"#20406a\"");
        for ((x, y), judged) in dots {
            let hollow = if judged {
                ""
            } else {
                " fill=\"#ffffff\" stroke=\"#20406a\" stroke-width=\"0.7\""
            };
            svg.put(format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\"{hollow}/>",
                Coordinate(x),
                Coordinate(y)
            ));
        }
        svg.close();
    }

    fn draw_axis(&self, svg: &mut Svg, scale: Scale) {
        let frame = self.frame;
        svg.rect(
            frame,
            &format!("fill=\"none\" stroke=\"{INK}\" stroke-width=\"1\""),
        );
        let values = ticks(scale.low, scale.high, (frame.height / 34.0) as usize);
        let step = match values.as_slice() {
            [first, second, ..] => second - first,
            _ => 1.0,
        };
        svg.open(&format!("stroke=\"{INK}\" stroke-width=\"1\""));
        for value in &values {
            let y = scale.y(*value, frame);
            svg.line((frame.x - 5.0, y), (frame.x, y));
        }
        svg.close();
        let mut widest = 0.0_f64;
        for value in &values {
            let text = number(*value, decimals(round(step)));
            let y = scale.y(*value, frame) + 3.9;
            svg.text(frame.x - 8.0, y, Style::plain(SIZE).end(), &text);
            widest = widest.max(width(&text, SIZE));
        }
        let title = fitted(&self.title, 12.0, frame.height);
        let middle = frame.y + frame.height / 2.0;
        svg.turned_text(
            frame.x - (widest + 16.0).max(56.0),
            middle,
            Some(-90.0),
            Style::plain(12.0).middle(),
            &title,
        );
    }
}

/// Six significant digits: differences of round numbers are not round.
fn round(step: f64) -> f64 {
    format!("{step:.5e}").parse().unwrap_or(step)
}
