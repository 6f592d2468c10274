//! Places in the plan file: byte offsets become line, column and a caret under the spot.

use std::fmt::Write as _;
use std::ops::Range;

/// A line longer than this is shown as a window around the spot.
const WINDOW_CHARS: usize = 120;

/// Line and column of a byte offset, both from 1, columns in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = upto(text, offset);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The spot's source line with a caret under every character of the spot that lies on that line.
pub(crate) fn snippet(text: &str, spot: &Range<usize>) -> String {
    let before = upto(text, spot.start);
    let start = before.len();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let (number, column) = position(text, start);
    let line: Vec<char> = text[line_start..line_end]
        .trim_end_matches('\r')
        .chars()
        .collect();
    let marked = text[start..upto(text, spot.end).len().clamp(start, line_end)]
        .chars()
        .count();

    let first = if line.len() > WINDOW_CHARS {
        (column - 1).saturating_sub(WINDOW_CHARS / 2)
    } else {
        0
    };
    let window = &line[first.min(line.len())..(first + WINDOW_CHARS).min(line.len())];
    let lead = if first > 0 { "…" } else { "" };
    let tail = if first + WINDOW_CHARS < line.len() {
        "…"
    } else {
        ""
    };

    let shown: String = window.iter().map(|c| printable(*c)).collect();
    let mut pad = " ".repeat(lead.chars().count());
    for c in line[..(column - 1).min(line.len())].iter().skip(first) {
        pad.push_str(match c {
            '\t' => "\t",
            c if is_wide(*c) => "  ",
            _ => " ",
        });
    }
    let marks: usize = line
        .iter()
        .skip(column - 1)
        .take(marked.min(WINDOW_CHARS / 2))
        .map(|c| if is_wide(*c) { 2 } else { 1 })
        .sum();
    let gutter = number.to_string();
    let blank = " ".repeat(gutter.len());
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{blank} |");
    let _ = writeln!(out, "{gutter} | {lead}{shown}{tail}");
    let _ = write!(out, "{blank} | {pad}{}", "^".repeat(marks.max(1)));
    out
}

/// `text` up to `offset`, or to the character boundary before it.
fn upto(text: &str, offset: usize) -> &str {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A plan may be any file: control characters must not reach a terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' {
        '\u{fffd}'
    } else {
        c
    }
}

/// Whether terminals give the character two columns (East Asian wide and emoji blocks).
fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, spot: Range<usize>, expected: &str) {
        assert_eq!(snippet(text, &spot), expected);
    }

    #[test]
    fn points_at_the_spot() {
        check("a: 1\nbc: xyz\n", 9..12, "  |\n2 | bc: xyz\n  |     ^^^");
        check("bc: xyz", 7..7, "  |\n1 | bc: xyz\n  |        ^");
    }

    #[test]
    fn keeps_tabs_and_gives_wide_characters_two_columns() {
        check("\ta: b", 4..5, "  |\n1 | \ta: b\n  | \t   ^");
        check("프: b", 5..6, "  |\n1 | 프: b\n  |     ^");
    }

    #[test]
    fn shows_a_window_of_a_long_line() {
        let text = format!("{}x{}", "a".repeat(500), "b".repeat(500));
        let shown = snippet(&text, &(500..501));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1].chars().count(), 4 + 122);
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(caret), Some('x'));
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("é: ü\nxy", 4), (1, 4));
        assert_eq!(position("é: ü\nxy", 8), (2, 2));
    }

    #[test]
    fn shows_no_control_characters() {
        check("a\u{1b}[31m", 0..1, "  |\n1 | a\u{fffd}[31m\n  | ^");
    }
}
