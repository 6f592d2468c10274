//! The Pareto of rules: which few rules make most of the episodes.

use super::legend::{Glyph, Legend};
use super::sheet::{BOTTOM, LEFT, RIGHT, Sheet, TOP, short_hash};
use super::svg::{INK, Rect, Style, Svg};
use super::text::wrapped;
use super::ticks::ticks;

/// Most bars; what follows shares the last one.
const MAX_BARS: usize = 16;
/// The share of episodes that the vital few make.
const VITAL: f64 = 0.8;
const LINE: &str = "stroke=\"#20406a\" stroke-width=\"1.6\" fill=\"none\"";
const EIGHTY: &str =
    "stroke=\"#b00020\" stroke-width=\"1.1\" stroke-dasharray=\"7 3.5\" fill=\"none\"";

/// A rule's bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The rule's id.
    pub rule: String,
    /// What is done when it fires.
    pub reaction: Reaction,
    /// Its episodes.
    pub episodes: u64,
}

/// A bar's shade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// The line is stopped.
    StopLine,
    /// People are told.
    Notify,
    /// It is stored.
    Record,
    /// Several rules together.
    Mixed,
}

/// What the sheet says of the run.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The readings' file.
    pub readings: String,
    /// First and last reading time, as text.
    pub span: String,
    /// Readings judged.
    pub judged: u64,
    /// The plan's file.
    pub plan: String,
    /// The plan's hash.
    pub hash: String,
}

/// Most episodes first, each with the share of all episodes up to and with it; rules without an episode are left out.
pub fn ranked(bars: &[Bar]) -> Vec<(Bar, f64)> {
    let mut ranked: Vec<Bar> = bars
        .iter()
        .filter(|bar| bar.episodes > 0)
        .cloned()
        .collect();
    // Stable: rules with as many episodes keep the plan's order.
    ranked.sort_by_key(|bar| std::cmp::Reverse(bar.episodes));
    let all: u64 = ranked.iter().map(|bar| bar.episodes).sum();
    let mut sum = 0;
    ranked
        .into_iter()
        .map(|bar| {
            sum += bar.episodes;
            let share = sum as f64 / all as f64;
            (bar, share)
        })
        .collect()
}

/// The Pareto chart as SVG.
pub fn draw(heading: &Heading, bars: &[Bar]) -> String {
    let ranked = ranked(bars);
    let shown = shown(&ranked);
    let episodes: u64 = bars.iter().map(|bar| bar.episodes).sum();
    let quiet: Vec<&str> = bars
        .iter()
        .filter(|bar| bar.episodes == 0)
        .map(|bar| bar.rule.as_str())
        .collect();
    let sheet = Sheet {
        title: ["Pareto of rules".to_owned(), String::new()],
        subtitle: [
            format!(
                "{episodes} episodes of {} rules on {} readings of {}",
                ranked.len(),
                heading.judged,
                heading.readings
            ),
            heading.span.clone(),
        ],
        note: match quiet.as_slice() {
            [] => String::new(),
            quiet => format!("never fired: {}", quiet.join(", ")),
        },
        foot: [
            format!("plan {} · {}", heading.plan, short_hash(&heading.hash)),
            String::new(),
        ],
    };
    let mut svg = sheet.open();
    if shown.is_empty() {
        svg.text(
            (LEFT + RIGHT) / 2.0,
            360.0,
            Style::plain(16.0).middle().grey(),
            "no rule has fired",
        );
        return svg.finish();
    }
    let legend = legend(&shown);
    let slot = (RIGHT - LEFT - 120.0) / shown.len() as f64;
    let lines = |(bar, _): &(Bar, f64)| names(bar, slot).len();
    let names = 14.0 + 12.5 * shown.iter().map(lines).max().unwrap_or(1) as f64;
    let frame = Rect {
        x: LEFT + 60.0,
        y: TOP,
        width: RIGHT - LEFT - 120.0,
        height: BOTTOM - TOP - names - legend.height(RIGHT - LEFT) - 10.0,
    };
    draw_axes(&mut svg, frame, episodes);
    draw_bars(&mut svg, frame, &shown, episodes);
    draw_cumulative(&mut svg, frame, &shown);
    legend.draw(
        &mut svg,
        LEFT,
        BOTTOM - legend.height(RIGHT - LEFT) + 4.0,
        RIGHT - LEFT,
    );
    svg.finish()
}

/// The bars that fit; the rest as one.
fn shown(ranked: &[(Bar, f64)]) -> Vec<(Bar, f64)> {
    if ranked.len() <= MAX_BARS {
        return ranked.to_vec();
    }
    let (shown, rest) = ranked.split_at(MAX_BARS - 1);
    let others = Bar {
        rule: format!("{} others", rest.len()),
        reaction: Reaction::Mixed,
        episodes: rest.iter().map(|(bar, _)| bar.episodes).sum(),
    };
    shown.iter().cloned().chain([(others, 1.0)]).collect()
}

/// Episodes at the left, shares at the right: both full at the top.
fn draw_axes(svg: &mut Svg, frame: Rect, episodes: u64) {
    let small = Style::plain(11.0);
    let height = |share: f64| y(frame, share);
    let counts: Vec<f64> = ticks(0.0, episodes as f64, 8)
        .into_iter()
        .filter(|count| count.fract() == 0.0)
        .collect();
    svg.open("stroke=\"#d9d9d9\" stroke-width=\"0.7\"");
    for count in counts.iter().filter(|count| **count > 0.0) {
        let y = height(count / episodes as f64);
        svg.line((frame.x, y), (frame.right(), y));
    }
    svg.close();
    for count in counts {
        let y = height(count / episodes as f64);
        svg.text(frame.x - 8.0, y + 3.9, small.end(), &format!("{count:.0}"));
    }
    for percent in [0, 20, 40, 60, 80, 100] {
        let y = height(f64::from(percent) / 100.0);
        svg.text(frame.right() + 8.0, y + 3.9, small, &format!("{percent} %"));
    }
    svg.open(EIGHTY);
    svg.line((frame.x, height(VITAL)), (frame.right(), height(VITAL)));
    svg.close();
    svg.rect(
        frame,
        &format!("fill=\"none\" stroke=\"{INK}\" stroke-width=\"1\""),
    );
    let middle = frame.y + frame.height / 2.0;
    let title = Style::plain(12.0).middle();
    svg.turned_text(frame.x - 48.0, middle, Some(-90.0), title, "episodes");
    svg.turned_text(
        frame.right() + 52.0,
        middle,
        Some(90.0),
        title,
        "share of all episodes",
    );
}

fn draw_bars(svg: &mut Svg, frame: Rect, bars: &[(Bar, f64)], episodes: u64) {
    let slot = frame.width / bars.len() as f64;
    let width = (slot * 0.72).min(150.0);
    for (n, (bar, _)) in bars.iter().enumerate() {
        let middle = frame.x + (n as f64 + 0.5) * slot;
        let height = frame.bottom() - y(frame, bar.episodes as f64 / episodes as f64);
        let rect = Rect {
            x: middle - width / 2.0,
            y: frame.bottom() - height,
            width,
            height,
        };
        let fill = bar.reaction.fill();
        svg.rect(
            rect,
            &format!("fill=\"{fill}\" stroke=\"{INK}\" stroke-width=\"0.8\""),
        );
        // In the bar where there is room: above it runs the line of shares.
        let count = bar.episodes.to_string();
        let style = Style::plain(12.0).bold().middle();
        if height > 22.0 {
            let style = Style {
                fill: bar.reaction.on_fill(),
                ..style
            };
            svg.text(middle, rect.y + height / 2.0 + 4.2, style, &count);
        } else {
            svg.text(middle, rect.y - 5.0, style, &count);
        }
        for (line, text) in names(bar, slot).iter().enumerate() {
            let y = frame.bottom() + 15.0 + line as f64 * 12.5;
            svg.text(middle, y, Style::plain(10.5).middle(), text);
        }
    }
}

/// The rule's id below its bar, in lines.
fn names(bar: &Bar, slot: f64) -> Vec<String> {
    wrapped(&bar.rule, 10.5, slot - 6.0, 4)
}

/// Where a share of all episodes stands; above the last there is room for its label.
fn y(frame: Rect, share: f64) -> f64 {
    frame.bottom() - frame.height * 0.95 * share
}

fn draw_cumulative(svg: &mut Svg, frame: Rect, bars: &[(Bar, f64)]) {
    let slot = frame.width / bars.len() as f64;
    let places: Vec<(f64, f64)> = bars
        .iter()
        .enumerate()
        .map(|(n, (_, share))| (frame.x + (n as f64 + 0.5) * slot, y(frame, *share)))
        .collect();
    svg.open(LINE);
    svg.polyline(&places);
    svg.close();
    for ((x, y), (_, share)) in places.iter().zip(bars) {
        svg.rect(
            Rect {
                x: x - 3.0,
                y: y - 3.0,
                width: 6.0,
                height: 6.0,
            },
            "fill=\"#ffffff\" stroke=\"#20406a\" stroke-width=\"1.4\"",
        );
        // Not 100 % before it is all.
        let decimals = usize::from(*share < 1.0 && *share >= 0.995);
        let text = format!("{:.decimals$} %", share * 100.0);
        // To the left: to the right the line goes on upwards.
        let style = Style::plain(10.0).end();
        svg.open("stroke=\"#ffffff\" stroke-width=\"2.6\" stroke-linejoin=\"round\"");
        svg.text(x - 4.0, y - 6.0, style, &text);
        svg.close();
        svg.text(x - 4.0, y - 6.0, style, &text);
    }
}

fn legend(bars: &[(Bar, f64)]) -> Legend {
    let mut reactions: Vec<Reaction> = bars.iter().map(|(bar, _)| bar.reaction).collect();
    reactions.sort_unstable();
    reactions.dedup();
    let mut entries: Vec<(Glyph, String)> = reactions
        .into_iter()
        .map(|reaction| (Glyph::Bar(reaction.fill()), reaction.words().to_owned()))
        .collect();
    entries.push((Glyph::Limit, "80 % of all episodes".to_owned()));
    Legend(entries)
}

impl Reaction {
    /// Dark for what stops the line, light for what is only kept.
    fn fill(self) -> &'static str {
        match self {
            Self::StopLine => "#8b1a1a",
            Self::Notify => "#e0a030",
            Self::Record => "#d4dfe8",
            Self::Mixed => "#ffffff",
        }
    }

    fn on_fill(self) -> &'static str {
        match self {
            Self::StopLine => "#ffffff",
            Self::Notify | Self::Record | Self::Mixed => INK,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::StopLine => "stop-line: the line is stopped",
            Self::Notify => "notify: people are told",
            Self::Record => "record: kept, nobody is called",
            Self::Mixed => "several rules",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(rule: &str, episodes: u64) -> Bar {
        Bar {
            rule: rule.to_owned(),
            reaction: Reaction::Notify,
            episodes,
        }
    }

    #[test]
    fn most_episodes_come_first() {
        let ranked = ranked(&[bar("a", 1), bar("b", 0), bar("c", 3), bar("d", 1)]);
        let found: Vec<(&str, f64)> = ranked
            .iter()
            .map(|(bar, share)| (bar.rule.as_str(), *share))
            .collect();
        assert_eq!(found, [("c", 0.6), ("a", 0.8), ("d", 1.0)]);
    }

    #[test]
    fn many_rules_share_the_last_bar() {
        let bars: Vec<Bar> = (0..30).map(|n| bar(&format!("r{n}"), 30 - n)).collect();
        let shown = shown(&ranked(&bars));
        assert_eq!(shown.len(), MAX_BARS);
        assert_eq!(shown.last().unwrap().0.rule, "15 others");
    }

    #[test]
    fn nothing_fired_is_said() {
        let svg = draw(&Heading::default(), &[bar("a", 0)]);
        assert!(svg.contains("no rule has fired") && svg.contains("never fired: a"));
    }
}
