//! Places inside a scalar: an offset into the value becomes an offset into the file, whatever the scalar's style.
//!
//! Folding changes white space only and escapes are undone here, so the n-th visible character of the value is
//! the n-th visible character of the source.

use std::ops::Range;

use super::yaml::{Scalar, Style};

/// Where `within` (bytes of the value) lies in `file`; the whole scalar where the two cannot be matched.
pub(crate) fn locate(
    file: &str,
    span: &Range<usize>,
    scalar: &Scalar,
    within: &Range<usize>,
) -> Range<usize> {
    let Some(raw) = file.get(span.clone()) else {
        return span.clone();
    };
    let visible = visible(raw, scalar.style);
    let text = &scalar.text;
    let nth = |offset: usize| {
        text.char_indices()
            .take_while(|(at, _)| *at < offset)
            .filter(|(_, c)| !c.is_whitespace())
            .count()
    };
    let (first, end) = (nth(within.start), nth(within.end));
    let expected = text
        .get(within.start..)
        .and_then(|rest| rest.chars().find(|c| !c.is_whitespace()));
    let start = match (visible.get(first), expected) {
        (Some((range, c)), Some(wanted)) if *c == wanted => span.start + range.start,
        // Past the last visible character: the end of the text.
        (None, None) => {
            let after = visible
                .last()
                .map_or(span.start, |(range, _)| span.start + range.end);
            return after..after;
        }
        _ => return span.clone(),
    };
    let last = if end > first {
        visible.get(end - 1)
    } else {
        None
    };
    start..last.map_or(start, |(range, _)| span.start + range.end)
}

/// The characters of a scalar's source that are no white space, with the bytes that stand for each.
fn visible(raw: &str, style: Style) -> Vec<(Range<usize>, char)> {
    let mut found = Vec::new();
    let (from, to) = match style {
        Style::Plain | Style::Block => (0, raw.len()),
        Style::SingleQuoted | Style::DoubleQuoted => {
            (1.min(raw.len()), raw.len().saturating_sub(1))
        }
    };
    let mut chars = raw
        .char_indices()
        .skip_while(|(at, _)| *at < from)
        .peekable();
    while let Some((at, c)) = chars.next() {
        if at >= to {
            break;
        }
        let (c, end) = match (style, c) {
            (Style::SingleQuoted, '\'') => {
                chars.next();
                ('\'', at + 2)
            }
            (Style::DoubleQuoted, '\\') => {
                let Some((next, code)) = chars.next() else {
                    break;
                };
                let digits = match code {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let end = next + code.len_utf8() + digits;
                for _ in 0..digits {
                    chars.next();
                }
                let decoded = match code {
                    'x' | 'u' | 'U' => raw
                        .get(next + 1..end)
                        .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                        .and_then(char::from_u32)
                        .unwrap_or('\u{fffd}'),
                    '"' | '/' | '\\' => code,
                    '0' => '\0',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'e' => '\u{1b}',
                    // The rest are white space or line continuations.
                    _ => ' ',
                };
                (decoded, end)
            }
            _ => (c, at + c.len_utf8()),
        };
        if !c.is_whitespace() {
            found.push((at..end, c));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml::{Kind, read};

    /// `word` in the value of `a` is found where it stands in the file.
    #[track_caller]
    fn check(file: &str, word: &str, expected: &str) {
        let root = read(file).unwrap();
        let Kind::Mapping(entries) = &root.kind else {
            panic!()
        };
        let Kind::Scalar(scalar) = &entries[0].1.kind else {
            panic!()
        };
        let at = scalar.text.find(word).unwrap();
        let found = locate(file, &entries[0].1.span, scalar, &(at..at + word.len()));
        assert_eq!(&file[found.clone()], expected, "{found:?}");
    }

    #[test]
    fn finds_the_place_in_every_style() {
        check("a: x > powr\n", "powr", "powr");
        check("a: 'g == ''L'' && powr > 1'\n", "powr", "powr");
        check("a: 'g == ''L'' && x'\n", "'L'", "''L''");
        check(r#"a: "g == \"L\" \u0026\x26 powr > 1""#, "powr", "powr");
        check("a: |\n  x > 1\n  && powr > 2\n", "powr", "powr");
        check("a: >-\n  x > 1\n\n  && powr > 2\nb: 1\n", "powr", "powr");
        check("a: x > 1\n   && powr > 2\n", "powr", "powr");
        check("a: 한국 > powr\n", "powr", "powr");
    }

    #[test]
    fn the_end_of_the_value_is_after_its_last_character() {
        let scalar = Scalar {
            text: "x >".into(),
            style: Style::Plain,
        };
        assert_eq!(locate("a: x >\n", &(3..6), &scalar, &(3..3)), 6..6);
    }
}
