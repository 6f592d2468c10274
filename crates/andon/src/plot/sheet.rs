//! What every sheet has: a title to either side, two lines below it, and a foot that names the plan.

use super::svg::{HEIGHT, Style, Svg, WIDTH};
use super::text::{fitted, width};

pub(super) const LEFT: f64 = 40.0;
pub(super) const RIGHT: f64 = WIDTH - 40.0;
/// Below the title's lines.
pub(super) const TOP: f64 = 112.0;
/// Above the foot.
pub(super) const BOTTOM: f64 = HEIGHT - 50.0;

/// The texts around the picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    /// Large, left and right.
    pub(super) title: [String; 2],
    /// Below the title, left and right.
    pub(super) subtitle: [String; 2],
    /// Small, over the whole width.
    pub(super) note: String,
    /// At the foot, left and right.
    pub(super) foot: [String; 2],
}

impl Sheet {
    /// Begins the picture.
    pub(super) fn open(&self) -> Svg {
        let [left, right] = &self.title;
        let title = format!("{left}: {right}");
        let description = format!("{}. {}. {}", self.subtitle[0], self.subtitle[1], self.note);
        let mut svg = Svg::new(title.trim_end_matches(": "), &description);
        pair(
            &mut svg,
            46.0,
            &self.title,
            Style::plain(20.0).bold(),
            Style::plain(20.0).bold(),
        );
        pair(
            &mut svg,
            66.0,
            &self.subtitle,
            Style::plain(13.0),
            Style::plain(13.0),
        );
        let note = fitted(&self.note, 11.0, RIGHT - LEFT);
        svg.text(LEFT, 84.0, Style::plain(11.0).grey(), &note);
        let small = Style::plain(10.0).grey();
        pair(&mut svg, HEIGHT - 26.0, &self.foot, small, small);
        svg
    }
}

/// Two texts on one line; the left one gives way.
fn pair(svg: &mut Svg, y: f64, [left, right]: &[String; 2], left_style: Style, right_style: Style) {
    let room = RIGHT - LEFT;
    let right = fitted(right, right_style.size, room * 0.6);
    let taken = if right.is_empty() {
        0.0
    } else {
        width(&right, right_style.size) + 20.0
    };
    let left = fitted(left, left_style.size, room - taken);
    svg.text(LEFT, y, left_style, &left);
    if !right.is_empty() {
        svg.text(RIGHT, y, right_style.end(), &right);
    }
}

/// `sha256:` and enough of the digest to tell plans apart.
pub(super) fn short_hash(hash: &str) -> &str {
    let end = "sha256:".len() + 12;
    hash.get(..end).unwrap_or(hash)
}
