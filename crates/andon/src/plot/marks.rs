//! What marks a violating point: one mark for each test, with a shape, a colour, a short label and a sentence.

use std::f64::consts::PI;

use super::svg::{Coordinate, Svg};

/// A test that a point fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u8);

/// A set of marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Diamond,
    Triangle,
    Square,
    Circle,
    Wedge,
    Cross,
    Ring,
    Star,
}

struct Meaning {
    /// The test's word in events and plans.
    test: &'static str,
    short: &'static str,
    long: &'static str,
    shape: Shape,
}

const fn meaning(
    test: &'static str,
    short: &'static str,
    long: &'static str,
    shape: Shape,
) -> Meaning {
    Meaning {
        test,
        short,
        long,
        shape,
    }
}

/// Gravest first: of several marks the first gives the shape.
const MEANINGS: [Meaning; 16] = [
    meaning(
        "beyond-limits",
        "LIM",
        "beyond a control limit",
        Shape::Diamond,
    ),
    meaning(
        "western-electric-1",
        "WE1",
        "one point beyond 3 sigma",
        Shape::Diamond,
    ),
    meaning("nelson-1", "N1", "one point beyond 3 sigma", Shape::Diamond),
    meaning(
        "western-electric-2",
        "WE2",
        "two of three beyond 2 sigma, one side",
        Shape::Triangle,
    ),
    meaning(
        "nelson-5",
        "N5",
        "two of three beyond 2 sigma, one side",
        Shape::Triangle,
    ),
    meaning(
        "western-electric-3",
        "WE3",
        "four of five beyond 1 sigma, one side",
        Shape::Square,
    ),
    meaning(
        "nelson-6",
        "N6",
        "four of five beyond 1 sigma, one side",
        Shape::Square,
    ),
    meaning(
        "western-electric-4",
        "WE4",
        "eight in a row on one side",
        Shape::Circle,
    ),
    meaning("nelson-2", "N2", "nine in a row on one side", Shape::Circle),
    meaning(
        "nelson-3",
        "N3",
        "six in a row rising or falling",
        Shape::Wedge,
    ),
    meaning(
        "nelson-8",
        "N8",
        "eight in a row outside 1 sigma, both sides",
        Shape::Star,
    ),
    meaning(
        "nelson-4",
        "N4",
        "fourteen in a row alternating",
        Shape::Cross,
    ),
    meaning(
        "nelson-7",
        "N7",
        "fifteen in a row within 1 sigma",
        Shape::Ring,
    ),
    meaning(
        "moving-range-beyond-limits",
        "MR",
        "moving range beyond its limit",
        Shape::Diamond,
    ),
    meaning(
        "range-beyond-limits",
        "R",
        "range beyond a limit",
        Shape::Diamond,
    ),
    meaning(
        "standard-deviation-beyond-limits",
        "S",
        "standard deviation beyond a limit",
        Shape::Diamond,
    ),
];

/// From here on the tests are of the second panel: moving range, range, standard deviation.
const FIRST_OF_SPREAD: usize = 13;

impl Mark {
    /// The mark of a test, by the test's word; none for a word that is no test's.
    pub fn of(test: &str) -> Option<Self> {
        let at = MEANINGS.iter().position(|known| known.test == test)?;
        u8::try_from(at).ok().map(Self)
    }

    fn meaning(self) -> &'static Meaning {
        &MEANINGS[usize::from(self.0)]
    }

    pub(super) fn short(self) -> &'static str {
        self.meaning().short
    }

    pub(super) fn long(self) -> &'static str {
        self.meaning().long
    }

    /// Draws the mark around its point.
    pub(super) fn draw(self, svg: &mut Svg, x: f64, y: f64) {
        self.meaning().shape.draw(svg, x, y);
    }
}

impl Marks {
    /// Adds a mark.
    pub fn insert(&mut self, mark: Mark) {
        self.0 |= 1 << mark.0;
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of them, gravest first.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        (0_u8..)
            .take(MEANINGS.len())
            .filter(move |at| self.0 & (1 << at) != 0)
            .map(Mark)
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of the first panel.
    pub(super) fn of_points(self) -> Self {
        Self(self.0 & ((1 << FIRST_OF_SPREAD) - 1))
    }

    /// Those of the second panel.
    pub(super) fn of_spread(self) -> Self {
        Self(self.0 & !((1 << FIRST_OF_SPREAD) - 1))
    }

    /// `WE1+2`, `N5+6`, `MR`.
    pub(super) fn label(self) -> String {
        let mut label = String::new();
        for mark in self.iter() {
            let short = mark.short();
            let digit = short.trim_start_matches(|c: char| c.is_ascii_uppercase());
            let family = &short[..short.len() - digit.len()];
            if label.is_empty() {
                label.push_str(short);
            } else if !digit.is_empty() && label.starts_with(family) {
                label.push('+');
                label.push_str(digit);
            } else {
                label.push('+');
                label.push_str(short);
            }
        }
        label
    }
}

impl FromIterator<Mark> for Marks {
    fn from_iter<I: IntoIterator<Item = Mark>>(marks: I) -> Self {
        let mut set = Self::default();
        marks.into_iter().for_each(|mark| set.insert(mark));
        set
    }
}

impl Shape {
    /// Colours are told apart by the colour-blind (Okabe and Ito); in black and white the shapes remain.
    fn draw(self, svg: &mut Svg, x: f64, y: f64) {
        let outline = "stroke=\"#1a1a1a\" stroke-width=\"0.8\"";
        match self {
            Shape::Diamond => {
                let points = [(x, y - 5.5), (x + 4.6, y), (x, y + 5.5), (x - 4.6, y)];
                svg.polygon(&points, &format!("fill=\"#d00000\" {outline}"));
            }
            Shape::Triangle => {
                let points = [(x, y - 5.2), (x + 4.8, y + 3.4), (x - 4.8, y + 3.4)];
                svg.polygon(&points, &format!("fill=\"#e69f00\" {outline}"));
            }
            Shape::Square => {
                let points = [
                    (x - 3.8, y - 3.8),
                    (x + 3.8, y - 3.8),
                    (x + 3.8, y + 3.8),
                    (x - 3.8, y + 3.8),
                ];
                svg.polygon(&points, &format!("fill=\"#b266b2\" {outline}"));
            }
            Shape::Circle => circle(svg, x, y, 4.2, &format!("fill=\"#56b4e9\" {outline}")),
            Shape::Wedge => {
                let points = [(x + 5.2, y), (x - 3.6, y + 4.8), (x - 3.6, y - 4.8)];
                svg.polygon(&points, &format!("fill=\"#009e73\" {outline}"));
            }
            Shape::Cross => svg.put(format_args!(
                "<path d=\"M{} {}l8 8m0 -8l-8 8\" stroke=\"#0072b2\" stroke-width=\"2.2\" fill=\"none\"/>",
                Coordinate(x - 4.0),
                Coordinate(y - 4.0)
            )),
            Shape::Ring => circle(
                svg,
                x,
                y,
                4.2,
                "fill=\"none\" stroke=\"#7a5200\" stroke-width=\"1.8\"",
            ),
            Shape::Star => {
                let points: Vec<(f64, f64)> = (0..10)
                    .map(|n| {
                        let radius = if n % 2 == 0 { 6.0 } else { 2.6 };
                        let angle = f64::from(n) * PI / 5.0;
                        (x + radius * libm::sin(angle), y - radius * libm::cos(angle))
                    })
                    .collect();
                svg.polygon(&points, &format!("fill=\"#f0e442\" {outline}"));
            }
        }
    }
}

fn circle(svg: &mut Svg, x: f64, y: f64, radius: f64, attributes: &str) {
    svg.put(format_args!(
        "<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\" {attributes}/>",
        Coordinate(x),
        Coordinate(y)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tests: &[&str], label: &str) {
        let marks: Marks = tests.iter().filter_map(|test| Mark::of(test)).collect();
        assert_eq!(marks.label(), label);
    }

    #[test]
    fn labels_are_short() {
        check(&[], "");
        check(&["western-electric-1"], "WE1");
        check(&["western-electric-3", "western-electric-1"], "WE1+3");
        check(&["nelson-2", "nelson-1", "nelson-5"], "N1+5+2");
        check(&["beyond-limits", "nelson-3"], "LIM+N3");
        check(&["moving-range-beyond-limits"], "MR");
        check(&["no-such-test"], "");
    }

    #[test]
    fn marks_belong_to_a_panel() {
        let marks: Marks = ["western-electric-1", "moving-range-beyond-limits"]
            .iter()
            .filter_map(|test| Mark::of(test))
            .collect();
        assert_eq!(marks.of_points().label(), "WE1");
        assert_eq!(marks.of_spread().label(), "MR");
    }
}
