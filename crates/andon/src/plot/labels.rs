//! Labels beside points, each where it covers neither a mark nor another label; where no place is free, none.

use super::svg::{Anchor, INK, Rect, Style, Svg};
use super::text::width;

const SIZE: f64 = 10.0;

/// The labels of one panel.
pub(super) struct Labels {
    frame: Rect,
    taken: Vec<Rect>,
}

impl Labels {
    /// No label yet; `marks` are where marks stand.
    pub(super) fn new(frame: Rect, marks: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mark = |(x, y)| Rect {
            x: x - 5.0,
            y: y - 5.0,
            width: 10.0,
            height: 10.0,
        };
        Self {
            frame,
            taken: marks.into_iter().map(mark).collect(),
        }
    }

    /// Keeps labels out of `rect`.
    pub(super) fn block(&mut self, rect: Rect) {
        self.taken.push(rect);
    }

    /// Writes `text` near a point, first on the side that points away from the middle.
    pub(super) fn write(&mut self, svg: &mut Svg, x: f64, y: f64, upwards: bool, text: &str) {
        let (width, height) = (width(text, SIZE), SIZE);
        let (near, far) = if upwards { (-1.0, 1.0) } else { (1.0, -1.0) };
        let places = [
            (0.0, near * 12.0),
            (width / 2.0 + 8.0, 0.0),
            (-width / 2.0 - 8.0, 0.0),
            (0.0, near * 23.0),
            (width / 2.0 + 5.0, near * 10.0),
            (-width / 2.0 - 5.0, near * 10.0),
            (0.0, far * 12.0),
        ];
        let free = places.into_iter().find_map(|(dx, dy)| {
            let rect = Rect {
                x: x + dx - width / 2.0,
                y: y + dy - height / 2.0,
                width,
                height,
            };
            self.is_free(&rect).then_some(rect)
        });
        let Some(rect) = free else { return };
        let style = Style {
            size: SIZE,
            anchor: Anchor::Middle,
            bold: true,
            fill: INK,
        };
        let (middle, base) = (rect.x + rect.width / 2.0, rect.bottom() - 1.3);
        // Written twice: a white rim keeps it legible on lines and zones.
        svg.open("stroke=\"#ffffff\" stroke-width=\"2.6\" stroke-linejoin=\"round\"");
        svg.text(middle, base, style, text);
        svg.close();
        svg.text(middle, base, style, text);
        self.taken.push(rect);
    }

    fn is_free(&self, rect: &Rect) -> bool {
        rect.x >= self.frame.x
            && rect.right() <= self.frame.right()
            && rect.y >= self.frame.y
            && rect.bottom() <= self.frame.bottom()
            && !self.taken.iter().any(|taken| taken.overlaps(rect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_overlap() {
        let frame = Rect {
            x: 0.0,
            y: 0.0,
            width: 200.0,
            height: 200.0,
        };
        let mut labels = Labels::new(frame, [(100.0, 100.0)]);
        let mut svg = Svg::new("", "");
        for _ in 0..20 {
            labels.write(&mut svg, 100.0, 100.0, true, "WE1");
        }
        let written = svg.finish().matches("WE1").count() / 2;
        assert!((2..20).contains(&written), "{written}");
        for (n, a) in labels.taken.iter().enumerate() {
            assert!(!labels.taken[n + 1..].iter().any(|b| a.overlaps(b)));
        }
    }
}
