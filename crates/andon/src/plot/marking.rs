//! What is written on a panel: the limits' names beside it, the marks of violating points and their labels in it.

use control_plan::readable;

use super::labels::Labels;
use super::marks::Marks;
use super::panel::Panel;
use super::scale::Scale;
use super::series::Point;
use super::svg::{Rect, Style, Svg};
use super::ticks::{number, precision};
use super::time_axis::full;

/// Marks nearer than this cover one another.
const COVERED: f64 = 3.0;
const SIZE: f64 = 11.0;

impl Panel<'_> {
    /// The limits in force at the end, named and valued beside the frame, pushed apart where they would touch; none
    /// where the end is in phase I.
    pub(super) fn draw_limit_names(&self, svg: &mut Svg, y: &impl Fn(f64) -> f64) {
        let Some(setting) = self.series.setting_at_end() else {
            return;
        };
        let Some(limits) = (self.limits)(setting) else {
            return;
        };
        let places = precision(setting.sigma);
        let [upper, center, lower] = self.names;
        let mut texts: Vec<(f64, String)> = [
            limits.upper.map(|value| (value, upper)),
            Some((limits.center, center)),
            limits.lower.map(|value| (value, lower)),
        ]
        .into_iter()
        .flatten()
        .map(|(value, name)| (y(value), format!("{name} {}", number(value, places))))
        .collect();
        if self.zones {
            for (zone, letter) in ["C", "B", "A"].iter().enumerate() {
                for side in [1.0, -1.0] {
                    let middle = y(limits.center + side * (zone as f64 + 0.5) * setting.sigma);
                    let inner = y(limits.center + side * zone as f64 * setting.sigma);
                    let outer = y(limits.center + side * (zone as f64 + 1.0) * setting.sigma);
                    if (inner - outer).abs() > 11.0 {
                        svg.text(
                            self.frame.right() + 10.0,
                            middle + 3.7,
                            Style::plain(10.0).grey().middle(),
                            letter,
                        );
                    }
                }
            }
        }
        texts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut above = f64::NEG_INFINITY;
        for (y, ..) in &mut texts {
            *y = y.max(above + 13.0);
            above = *y;
        }
        for (y, text) in &texts {
            let x = self.frame.right() + 20.0;
            svg.text(x, y + 3.9, Style::plain(SIZE).bold(), text);
        }
    }

    /// The marks, the gravest on top, then the labels: one for each run of points with the same marks.
    pub(super) fn draw_marks(&self, svg: &mut Svg, scale: Scale) {
        let marked: Vec<(usize, &Point, Marks)> = self
            .series
            .points()
            .iter()
            .enumerate()
            .map(|(at, point)| (at, point, (self.marks)(point)))
            .filter(|(.., marks)| !marks.is_empty())
            .collect();
        let place = |at: usize, point: &Point| {
            let value = (self.marked)(point);
            (self.axis.x(at), scale.y(value, self.frame))
        };
        let mut drawing = marked.clone();
        drawing.sort_by_key(|(.., marks)| std::cmp::Reverse(marks.iter().next()));
        let mut last = (None, (0.0, 0.0));
        for (at, point, marks) in drawing {
            let (x, y) = place(at, point);
            // A mark that another of its kind covers would only blacken the chart.
            let (before, (last_x, last_y)) = last;
            let gravest = marks.iter().next();
            if before == gravest && (x - last_x).abs() < COVERED && (y - last_y).abs() < COVERED {
                continue;
            }
            last = (gravest, (x, y));
            let value = (self.marked)(point);
            svg.put(format_args!(
                "<g><title>{}: {} ({})</title>",
                full(point.time),
                readable(value),
                marks.label()
            ));
            if let Some(mark) = gravest {
                mark.draw(svg, x, y);
            }
            svg.close();
        }
        let mut labels = Labels::new(
            self.frame,
            marked.iter().map(|(at, point, _)| place(*at, point)),
        );
        for (index, _) in self.series.restarts() {
            labels.block(Rect {
                x: self.axis.edge(*index),
                y: self.frame.bottom() - 16.0,
                width: 60.0,
                height: 16.0,
            });
        }
        let limits = self.series.last_setting().and_then(self.limits);
        let middle = limits.map_or(0.0, |limits| limits.center);
        let mut before: Option<(usize, Marks)> = None;
        for (at, point, marks) in &marked {
            let continues = before.is_some_and(|(last, same)| last + 1 == *at && same == *marks);
            before = Some((*at, *marks));
            let value = (self.marked)(point);
            let off_scale = scale.is_beyond(value);
            if continues && !off_scale {
                continue;
            }
            let (x, y) = place(*at, point);
            let text = if off_scale {
                format!("{} {}", marks.label(), readable(value))
            } else {
                marks.label()
            };
            labels.write(svg, x, y, value >= middle, &text);
        }
    }
}
