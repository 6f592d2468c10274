//! The legend below a chart: what each mark, line and hatching says, in columns.

use super::marks::Mark;
use super::panel::{CENTER, EPISODE, LIMIT, PHASE_ONE, RESTART};
use super::svg::{Rect, Style, Svg};
use super::text::{fitted, width};

const SIZE: f64 = 10.5;
const ROW: f64 = 15.0;
/// From a column's start to its texts.
const INDENT: f64 = 26.0;

/// What an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Mark(Mark),
    Center,
    Limit,
    Zones,
    PhaseOne,
    Restart,
    Episode,
    /// A filled box of this colour.
    Bar(&'static str),
}

/// The entries, in the order in which they are read: down the columns.
pub(super) struct Legend(pub(super) Vec<(Glyph, String)>);

impl Legend {
    /// How many columns fit beside one another.
    fn columns(&self, room: f64) -> usize {
        let widest = self
            .0
            .iter()
            .map(|(_, text)| width(text, SIZE))
            .fold(0.0, f64::max);
        ((room / (widest + INDENT + 12.0)) as usize).clamp(1, 5)
    }

    fn rows(&self, room: f64) -> usize {
        self.0.len().div_ceil(self.columns(room))
    }

    /// How high it is in a width of `room`.
    pub(super) fn height(&self, room: f64) -> f64 {
        self.rows(room) as f64 * ROW
    }

    pub(super) fn draw(&self, svg: &mut Svg, x: f64, y: f64, room: f64) {
        let rows = self.rows(room).max(1);
        let column_width = room / self.columns(room) as f64;
        for (n, (glyph, text)) in self.0.iter().enumerate() {
            let left = x + (n / rows) as f64 * column_width;
            let middle = y + (n % rows) as f64 * ROW + ROW / 2.0;
            glyph.draw(svg, left, middle);
            let text = fitted(text, SIZE, column_width - INDENT);
            svg.text(left + INDENT, middle + 3.7, Style::plain(SIZE), &text);
        }
    }
}

impl Glyph {
    fn draw(self, svg: &mut Svg, left: f64, middle: f64) {
        let sample = Rect {
            x: left,
            y: middle - 5.0,
            width: 20.0,
            height: 10.0,
        };
        let (from, to) = ((left, middle), (left + 20.0, middle));
        let mut line = |attributes: &str, from: (f64, f64), to: (f64, f64)| {
            svg.open(attributes);
            svg.line(from, to);
            svg.close();
        };
        match self {
            Self::Mark(mark) => mark.draw(svg, left + 10.0, middle),
            Self::Center => line(CENTER, from, to),
            Self::Limit => line(LIMIT, from, to),
            Self::Restart => {
                let x = left + 10.0;
                line(RESTART, (x, middle - 6.0), (x, middle + 6.0));
            }
            Self::Zones => {
                for (n, fill) in super::panel::ZONES.iter().enumerate() {
                    let part = Rect {
                        x: left + n as f64 * 20.0 / 3.0,
                        width: 20.0 / 3.0,
                        ..sample
                    };
                    svg.rect(part, &format!("fill=\"{fill}\""));
                }
                svg.rect(
                    sample,
                    "fill=\"none\" stroke=\"#8c8c8c\" stroke-width=\"0.6\"",
                );
            }
            Self::PhaseOne => {
                svg.rect(sample, PHASE_ONE);
                svg.rect(
                    sample,
                    "fill=\"none\" stroke=\"#8c8c8c\" stroke-width=\"0.6\"",
                );
            }
            Self::Episode => svg.rect(
                Rect {
                    y: middle - 2.5,
                    height: 5.0,
                    ..sample
                },
                EPISODE,
            ),
            Self::Bar(fill) => svg.rect(
                sample,
                &format!("fill=\"{fill}\" stroke=\"#1a1a1a\" stroke-width=\"0.8\""),
            ),
        }
    }
}
