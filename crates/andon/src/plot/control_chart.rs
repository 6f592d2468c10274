//! A control chart on one sheet: the points with their limits above, their spread below, over the same time.

use super::legend::{Glyph, Legend};
use super::marks::Marks;
use super::panel::{EPISODE, PATTERNS, Panel};
use super::series::{Limits, Series};
use super::sheet::{BOTTOM, LEFT, RIGHT, Sheet, TOP, short_hash};
use super::svg::{Rect, Style, Svg};
use super::time_axis::{TimeAxis, span};

/// What the sheet says of its chart.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The rule's id.
    pub rule: String,
    /// The chart's type, by the plan's word.
    pub chart: String,
    /// The characteristic.
    pub characteristic: String,
    /// Its unit.
    pub unit: Option<String>,
    /// The machine.
    pub machine: String,
    /// The machine's line.
    pub line: Option<String>,
    /// Where centre line and sigma come from, which tests are on.
    pub settings: String,
    /// The plan's file.
    pub plan: String,
    /// The plan's hash.
    pub hash: String,
    /// The sheet, where the chart has several; from 1.
    pub sheet: Option<usize>,
}

/// Room beside the frames: for the values' axis and for the limits' names.
const AXIS: f64 = 68.0;
const NAMES: f64 = 96.0;
/// Below the frames: ticks, times, dates and the axis' title.
const TIMES: f64 = 52.0;
/// The share of the second panel.
const SECOND: f64 = 0.28;
const BETWEEN: f64 = 18.0;

/// The chart as SVG.
pub fn draw(heading: &Heading, series: &Series) -> String {
    let mut svg = sheet(heading, series).open();
    svg.put(format_args!("{PATTERNS}"));
    let legend = legend(heading, series);
    let room = RIGHT - LEFT;
    let bottom = BOTTOM - legend.height(room) - TIMES;
    let all = Rect {
        x: LEFT + AXIS,
        y: TOP,
        width: room - AXIS - NAMES,
        height: bottom - TOP,
    };
    let axis = TimeAxis::new(&series.times(), all);
    let has_spread = series.points().iter().any(|point| point.spread.is_finite());
    let second = second_panel(&heading.chart).filter(|_| has_spread);
    let first_height = match second {
        Some(_) => (all.height - BETWEEN) * (1.0 - SECOND),
        None => all.height,
    };
    let first = Rect {
        height: first_height,
        ..all
    };
    first_panel(heading, series, &axis, first).draw(&mut svg);
    if let Some((title, names)) = second {
        let frame = Rect {
            y: first.bottom() + BETWEEN,
            height: all.height - BETWEEN - first_height,
            ..all
        };
        let panel = Panel {
            series,
            axis: &axis,
            frame,
            title: with_unit(title, heading),
            traces: vec![|point| point.spread],
            limits: |setting| setting.spread,
            marks: |point| point.marks.of_spread(),
            marked: |point| point.spread,
            zones: false,
            reach: 2.0,
            from_zero: true,
            names_restarts: false,
            names,
        };
        panel.draw(&mut svg);
    }
    draw_episodes(&mut svg, series, &axis, all);
    axis.draw(&mut svg, all.bottom());
    svg.text(
        all.x + all.width / 2.0,
        all.bottom() + 46.0,
        Style::plain(10.0).grey().middle(),
        axis.title(),
    );
    legend.draw(&mut svg, LEFT, BOTTOM - legend.height(room) + 4.0, room);
    svg.finish()
}

fn sheet(heading: &Heading, series: &Series) -> Sheet {
    let machine = match &heading.line {
        Some(line) => format!("{} · {line}", heading.machine),
        None => heading.machine.clone(),
    };
    let times = series
        .span()
        .map_or(String::new(), |(from, to)| span_text(from, to));
    let judged = series.len() - series.in_phase_one();
    let mut facts = vec![
        heading.settings.clone(),
        format!("{} judged", count(judged, "point")),
        format!("{} failing a test", series.violating()),
        count(series.episodes().len(), "episode"),
    ];
    if series.in_phase_one() > 0 {
        facts.push(format!("{} in phase I", series.in_phase_one()));
    }
    facts.retain(|fact| !fact.is_empty());
    Sheet {
        title: [heading.rule.clone(), machine],
        subtitle: [
            format!(
                "{} of {}",
                chart_name(&heading.chart),
                with_unit(&heading.characteristic, heading)
            ),
            times,
        ],
        note: facts.join(" · "),
        foot: [
            format!("plan {} · {}", heading.plan, short_hash(&heading.hash)),
            heading
                .sheet
                .map_or(String::new(), |sheet| format!("sheet {sheet}")),
        ],
    }
}

fn first_panel<'s>(
    heading: &Heading,
    series: &'s Series,
    axis: &'s TimeAxis,
    frame: Rect,
) -> Panel<'s> {
    let is_cusum = heading.chart == "cusum";
    let name = &heading.characteristic;
    let title = match heading.chart.as_str() {
        "xbar-r" | "xbar-s" => format!("mean of {name}"),
        "ewma" => format!("EWMA of {name}"),
        "cusum" => format!("cumulative sums of {name}"),
        "p" => format!("proportion of {name}"),
        "u" => format!("{name} per unit"),
        _ => name.clone(),
    };
    let title = match heading.chart.as_str() {
        "p" | "u" | "np" | "c" => title,
        _ => with_unit(&title, heading),
    };
    Panel {
        series,
        axis,
        frame,
        title,
        traces: if is_cusum {
            vec![|point| point.value, |point| -point.low]
        } else {
            vec![|point| point.value]
        },
        limits: if is_cusum {
            |setting| {
                Some(Limits {
                    center: 0.0,
                    lower: setting.limits.upper.map(|upper| -upper),
                    ..setting.limits
                })
            }
        } else {
            |setting| Some(setting.limits)
        },
        marks: |point| point.marks.of_points(),
        marked: if is_cusum {
            |point| {
                if point.low > point.value {
                    -point.low
                } else {
                    point.value
                }
            }
        } else {
            |point| point.value
        },
        zones: !matches!(heading.chart.as_str(), "ewma" | "cusum"),
        // Sums go on growing; a single value does not.
        reach: if is_cusum { 100.0 } else { 2.0 },
        from_zero: false,
        names_restarts: true,
        names: if is_cusum {
            ["+h", "zero", "\u{2212}h"]
        } else {
            ["UCL", "CL", "LCL"]
        },
    }
}

fn chart_name(chart: &str) -> String {
    match chart {
        "individuals" => "Individuals and moving range chart".to_owned(),
        "xbar-r" => "X-bar and R chart".to_owned(),
        "xbar-s" => "X-bar and S chart".to_owned(),
        "ewma" => "EWMA chart".to_owned(),
        "cusum" => "CUSUM chart".to_owned(),
        other => format!("{other} chart"),
    }
}

fn second_panel(chart: &str) -> Option<(&'static str, [&'static str; 3])> {
    match chart {
        "individuals" => Some(("moving range", ["UCL", "mean", "LCL"])),
        "xbar-r" => Some(("range", ["UCL", "mean R", "LCL"])),
        "xbar-s" => Some(("standard dev.", ["UCL", "mean S", "LCL"])),
        _ => None,
    }
}

fn with_unit(text: &str, heading: &Heading) -> String {
    match &heading.unit {
        Some(unit) => format!("{text} [{unit}]"),
        None => text.to_owned(),
    }
}

/// Bars above the chart from the opening to the clearing of each episode.
fn draw_episodes(svg: &mut Svg, series: &Series, axis: &TimeAxis, frame: Rect) {
    if series.episodes().is_empty() {
        return;
    }
    svg.text(
        frame.x - 8.0,
        frame.y - 9.0,
        Style::plain(10.0).grey().end(),
        "episodes",
    );
    for (from, to) in series.episodes() {
        let left = axis.x(*from);
        let right = to.map_or(frame.right(), |to| axis.x(to));
        let bar = Rect {
            x: left,
            y: frame.y - 15.0,
            width: (right - left).max(2.5),
            height: 5.0,
        };
        svg.rect(bar, EPISODE);
    }
}

fn legend(heading: &Heading, series: &Series) -> Legend {
    let all = series
        .points()
        .iter()
        .fold(Marks::default(), |all, point| all.union(point.marks));
    let mut entries: Vec<(Glyph, String)> = all
        .iter()
        .map(|mark| {
            let points = series
                .points()
                .iter()
                .filter(|point| point.marks.iter().any(|found| found == mark))
                .count();
            let text = format!(
                "{} {} ({})",
                mark.short(),
                mark.long(),
                count(points, "point")
            );
            (Glyph::Mark(mark), text)
        })
        .collect();
    if series.last_setting().is_some() {
        let (center, limit) = match heading.chart.as_str() {
            "cusum" => ("zero", "decision interval h"),
            _ if series.has_level_limits() => ("centre line (CL)", "control limits (UCL, LCL)"),
            _ if series.setting_at_end().is_none() => ("centre line (CL)", "control limits"),
            _ => ("centre line (CL)", "control limits (values: at the end)"),
        };
        entries.push((Glyph::Center, center.to_owned()));
        entries.push((Glyph::Limit, limit.to_owned()));
        if !matches!(heading.chart.as_str(), "ewma" | "cusum") {
            entries.push((Glyph::Zones, "zones C, B, A: 1, 2, 3 sigma".to_owned()));
        }
    }
    if series.in_phase_one() > 0 {
        entries.push((Glyph::PhaseOne, "phase I: limits are learned".to_owned()));
    }
    if !series.restarts().is_empty() {
        entries.push((Glyph::Restart, "chart restarted, and by what".to_owned()));
    }
    if !series.episodes().is_empty() {
        entries.push((Glyph::Episode, "episode, opened to cleared".to_owned()));
    }
    Legend(entries)
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// `2026-11-20 01:02:03 to 05:37:48 UTC`, from milliseconds.
pub fn span_text(from: i64, to: i64) -> String {
    format!("{} UTC", span(from, to))
}
