//! SVG, written element by element. Coordinates have one decimal: a fortieth of a millimetre on paper.

use std::fmt::{self, Write as _};

/// A4 landscape at 96 units an inch.
pub(super) const WIDTH: f64 = 1123.0;
/// The height that goes with it.
pub(super) const HEIGHT: f64 = 794.0;

const FONTS: &str = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// A picture under way.
pub(super) struct Svg {
    out: String,
}

/// A part of the sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }
}

/// How a text stands at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    pub(super) fill: &'static str,
}

/// Which end of a text stands at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// Black enough to print, softer than black on a screen.
pub(super) const INK: &str = "#1a1a1a";
/// For what explains.
pub(super) const GREY: &str = "#595959";

impl Style {
    pub(super) fn plain(size: f64) -> Self {
        Self {
            size,
            anchor: Anchor::Start,
            bold: false,
            fill: INK,
        }
    }

    pub(super) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) fn grey(self) -> Self {
        Self { fill: GREY, ..self }
    }

    pub(super) fn middle(self) -> Self {
        Self {
            anchor: Anchor::Middle,
            ..self
        }
    }

    pub(super) fn end(self) -> Self {
        Self {
            anchor: Anchor::End,
            ..self
        }
    }
}

impl Svg {
    /// A white sheet, with what a screen reader says of it.
    pub(super) fn new(title: &str, description: &str) -> Self {
        let mut svg = Self { out: String::new() };
        svg.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"297mm\" height=\"210mm\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"{FONTS}\">\n<title>{}</title>\n<desc>{}</desc>",
            Escaped(title),
            Escaped(description)
        ));
        svg.put(format_args!(
            "<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"
        ));
        svg
    }

    /// One element, or a part of one.
    pub(super) fn put(&mut self, element: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(element);
        self.out.push('\n');
    }

    /// Opens a group of elements that share `attributes`.
    pub(super) fn open(&mut self, attributes: &str) {
        self.put(format_args!("<g {attributes}>"));
    }

    pub(super) fn close(&mut self) {
        self.put(format_args!("</g>"));
    }

    pub(super) fn text(&mut self, x: f64, y: f64, style: Style, text: &str) {
        self.turned_text(x, y, None, style, text);
    }

    /// A text turned around its place, in degrees clockwise.
    pub(super) fn turned_text(
        &mut self,
        x: f64,
        y: f64,
        turn: Option<f64>,
        style: Style,
        text: &str,
    ) {
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if style.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        let turn = turn.map_or(String::new(), |turn| {
            format!(
                " transform=\"rotate({} {} {})\"",
                Coordinate(turn),
                Coordinate(x),
                Coordinate(y)
            )
        });
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}{turn}>{}</text>",
            Coordinate(x),
            Coordinate(y),
            Coordinate(style.size),
            style.fill,
            Escaped(text)
        ));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.put(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            Coordinate(from.0),
            Coordinate(from.1),
            Coordinate(to.0),
            Coordinate(to.1)
        ));
    }

    pub(super) fn rect(&mut self, rect: Rect, attributes: &str) {
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {attributes}/>",
            Coordinate(rect.x),
            Coordinate(rect.y),
            Coordinate(rect.width.max(0.0)),
            Coordinate(rect.height.max(0.0))
        ));
    }

    /// A line through `points`; nothing for fewer than two.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)]) {
        if points.len() > 1 {
            self.put(format_args!("<polyline points=\"{}\"/>", Points(points)));
        }
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], attributes: &str) {
        self.put(format_args!(
            "<polygon points=\"{}\" {attributes}/>",
            Points(points)
        ));
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// A coordinate to one decimal, without a trailing zero.
pub(super) struct Coordinate(pub(super) f64);

impl fmt::Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        if tenths % 10.0 == 0.0 {
            // Adding zero turns -0 into 0.
            write!(f, "{:.0}", tenths / 10.0 + 0.0)
        } else {
            write!(f, "{:.1}", tenths / 10.0)
        }
    }
}

struct Points<'p>(&'p [(f64, f64)]);

impl fmt::Display for Points<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (x, y)) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            write!(f, "{gap}{},{}", Coordinate(*x), Coordinate(*y))?;
        }
        Ok(())
    }
}

/// Text as it stands in XML, in quotes too. What XML cannot hold becomes the replacement character.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    f.write_char('\u{fffd}')?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        #[track_caller]
        fn check(number: f64, expected: &str) {
            assert_eq!(Coordinate(number).to_string(), expected);
        }
        check(12.0, "12");
        check(12.34, "12.3");
        check(-0.04, "0");
        check(99.96, "100");
        check(-3.25, "-3.3");
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(
            Escaped("<a href=\"x\">&\u{0}\n").to_string(),
            "&lt;a href=&quot;x&quot;&gt;&amp;\u{fffd} "
        );
    }
}
