//! How wide a text will be, near enough to keep texts apart, and texts made to fit.

/// The advance widths of Helvetica from the space to the tilde, in thousandths of the size (Adobe's font metrics).
const ADVANCES: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Where Helvetica is missing, what replaces it may be a seventh wider.
const ALLOWANCE: f64 = 1.15;

/// About how wide `text` is at `size`; rather too much than too little.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let thousandths: u32 = text.chars().map(|c| u32::from(advance(c))).sum();
    f64::from(thousandths) / 1_000.0 * size * ALLOWANCE
}

fn advance(c: char) -> u16 {
    match usize::try_from(u32::from(c)) {
        Ok(code @ 32..=126) => ADVANCES[code - 32],
        // Hangul, kana, ideographs and what follows fill their square.
        Ok(0x1100..) => 1_000,
        _ => 600,
    }
}

/// `text`, shortened with an ellipsis where it would be wider than `room`.
pub(super) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if width(&kept, size) + width("\u{2026}", size) > room {
            kept.pop();
            break;
        }
    }
    kept.push('\u{2026}');
    kept
}

/// `text` in lines no wider than `room`, broken after hyphens, spaces and underscores; the last of `most` lines is
/// shortened where the text does not end there.
pub(super) fn wrapped(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split_inclusive(['-', ' ', '_']) {
        let full = lines.len() == most;
        match lines.last_mut() {
            Some(line) if full || width(&format!("{line}{part}"), size) <= room => {
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| fitted(line.trim_end(), size, room))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_are_wider() {
        assert!(width("WWW", 10.0) > width("iii", 10.0));
        assert!(width("프레스", 10.0) >= 30.0);
    }

    #[test]
    fn texts_fit_their_room() {
        #[track_caller]
        fn check(text: &str, room: f64, expected: &str) {
            assert_eq!(fitted(text, 10.0, room), expected);
        }
        check("press-07", 100.0, "press-07");
        check("press-07-of-the-second-hall", 60.0, "press-07\u{2026}");
        check("press", 0.0, "\u{2026}");
    }

    #[test]
    fn lines_break_where_words_do() {
        assert_eq!(
            wrapped("power-out-of-range", 10.0, 60.0, 3),
            ["power-out-", "of-range"]
        );
        assert_eq!(
            wrapped("power-out-of-range", 10.0, 60.0, 1),
            ["power-ou\u{2026}"]
        );
        assert!(wrapped("", 10.0, 60.0, 2).is_empty());
    }
}
