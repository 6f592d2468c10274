//! A first look at an expression's tokens: bounds what the parser is given, and names the common slips
//! (`=`, `and`, `&`) better than a grammar can.

use std::ops::Range;

use super::{MAX_LENGTH, MAX_NESTING, Slip};

/// The tokens' places, or the first thing that can be no part of a condition.
pub(super) fn tokens(text: &str) -> Result<Vec<Range<usize>>, Slip> {
    if text.len() > MAX_LENGTH {
        return Err(Slip::new(0..0, format!("longer than {MAX_LENGTH} bytes")));
    }
    let bytes = text.as_bytes();
    let mut tokens: Vec<Range<usize>> = Vec::new();
    let (mut depth, mut choices, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        let end = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                run(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'_')
            }
            b'0'..=b'9' => number(bytes, at),
            b'.' if next.is_some_and(|b| b.is_ascii_digit()) => number(bytes, at),
            b'\'' | b'"' => {
                if tokens
                    .last()
                    .is_some_and(|last| last.end == at && is_word_or_text(bytes, last))
                {
                    return Err(Slip::new(
                        at..at + 1,
                        "write a text in one pair of quotes, without a prefix",
                    ));
                }
                text_literal(bytes, at)?
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                at + 1
            }
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            b'?' => {
                choices += 1;
                at + 1
            }
            b'&' | b'|' if next == Some(byte) => at + 2,
            b'=' | b'!' | b'<' | b'>' if next == Some(b'=') => at + 2,
            b'/' if next == Some(b'/') => {
                return Err(Slip::new(at..at + 2, "a condition has no comments"));
            }
            b'=' => return Err(Slip::new(at..at + 1, "`=` compares nothing; write `==`")),
            b'&' => return Err(Slip::new(at..at + 1, "`&` is unknown; write `&&`")),
            b'|' => return Err(Slip::new(at..at + 1, "`|` is unknown; write `||`")),
            b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b',' | b':' | b'.' => at + 1,
            _ => {
                let c = text[at..].chars().next().unwrap_or('\u{fffd}');
                return Err(Slip::new(
                    at..at + c.len_utf8(),
                    format!("`{}` has no meaning here", c.escape_debug()),
                ));
            }
        };
        if depth > MAX_NESTING || choices > MAX_NESTING {
            return Err(Slip::new(
                at..at + 1,
                format!("nested deeper than {MAX_NESTING} levels"),
            ));
        }
        let word = &text[at..end];
        if let Some(instead) = match word.to_ascii_lowercase().as_str() {
            "and" => Some("&&"),
            "or" => Some("||"),
            "not" => Some("!"),
            _ => None,
        } {
            return Err(Slip::new(
                at..end,
                format!("`{word}` is unknown; write `{instead}`"),
            ));
        }
        tokens.push(at..end);
        at = end;
    }
    Ok(tokens)
}

fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..]
        .iter()
        .position(|byte| !belongs(*byte))
        .map_or(bytes.len(), |n| from + n)
}

fn number(bytes: &[u8], from: usize) -> usize {
    let mut end = run(bytes, from, |b| b.is_ascii_alphanumeric() || b == b'.');
    let exponent = end > from && matches!(bytes[end - 1], b'e' | b'E');
    if exponent && matches!(bytes.get(end), Some(b'+' | b'-')) {
        end = run(bytes, end + 1, |b| b.is_ascii_digit());
    }
    end
}

fn text_literal(bytes: &[u8], from: usize) -> Result<usize, Slip> {
    let quote = bytes[from];
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => break,
            _ if byte == quote => return Ok(at + 1),
            _ => at += 1,
        }
    }
    Err(Slip::new(from..from + 1, "this text has no closing quote"))
}

fn is_word_or_text(bytes: &[u8], token: &Range<usize>) -> bool {
    bytes
        .get(token.end - 1)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[&str], (&str, &str)>) {
        let found = tokens(text);
        let found: Result<Vec<&str>, (String, &str)> = match &found {
            Ok(spans) => Ok(spans.iter().map(|span| &text[span.clone()]).collect()),
            Err(slip) => Err((slip.message.clone(), &text[slip.at.clone()])),
        };
        assert_eq!(
            found,
            expected
                .map(<[_]>::to_vec)
                .map_err(|(m, t)| (m.to_owned(), t)),
            "{text}"
        );
    }

    #[test]
    fn splits_into_tokens() {
        check(
            "a<=1.5e-3&&!has(b)",
            Ok(&["a", "<=", "1.5e-3", "&&", "!", "has", "(", "b", ")"]),
        );
        check(
            "g in ['L', \"it\\\"s\"]",
            Ok(&["g", "in", "[", "'L'", ",", "\"it\\\"s\"", "]"]),
        );
    }

    #[test]
    fn names_common_slips() {
        check("a = 1", Err(("`=` compares nothing; write `==`", "=")));
        check("a > 1 AND b", Err(("`AND` is unknown; write `&&`", "AND")));
        check("a & b", Err(("`&` is unknown; write `&&`", "&")));
        check("a > 1 // why", Err(("a condition has no comments", "//")));
        check("a > 5 °", Err(("`°` has no meaning here", "°")));
        check("g == 'L", Err(("this text has no closing quote", "'")));
        check(
            "g == r'L'",
            Err(("write a text in one pair of quotes, without a prefix", "'")),
        );
        check(
            "g == '''L'''",
            Err(("write a text in one pair of quotes, without a prefix", "'")),
        );
    }

    #[test]
    fn bounds_length_and_nesting() {
        check(
            &"a".repeat(MAX_LENGTH + 1),
            Err(("longer than 2048 bytes", "")),
        );
        check(&"(".repeat(33), Err(("nested deeper than 32 levels", "(")));
        check(
            &"a?b:".repeat(33),
            Err(("nested deeper than 32 levels", "?")),
        );
    }
}
