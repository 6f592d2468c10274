//! From text to CEL's syntax tree, by the `cel` crate's parser, with plain words for its errors.

use std::ops::Range;

use cel::common::ast::{IdedExpr, SourceInfo};

use super::{Slip, lexical};

/// An expression's tree, and where its nodes stand.
pub(super) struct Syntax {
    pub(super) root: IdedExpr,
    places: SourceInfo,
}

impl Syntax {
    /// The bytes of a node's own token: an operator, a name, a literal, a call's parenthesis.
    pub(super) fn place(&self, node: &IdedExpr) -> Range<usize> {
        self.places
            .offset_for(node.id)
            .map_or(0..0, |(start, stop)| {
                start as usize..(stop as usize + 1).max(start as usize)
            })
    }
}

/// Parses, without CEL's macros: `has` stays a call.
pub(super) fn parse(text: &str) -> Result<Syntax, Slip> {
    let tokens = lexical::tokens(text)?;
    if tokens.is_empty() {
        return Err(Slip::new(0..0, "the expression is empty"));
    }
    on_a_deep_stack(|| {
        match cel::Env::default().parser().parse_with_source_info(text) {
            Ok((root, places)) => Ok(Syntax { root, places }),
            Err(errors) => {
                // The first is the cause; the rest are the parser's attempts to go on.
                let error = errors.errors.into_iter().min_by_key(|error| error.pos);
                Err(error.map_or_else(
                    || Slip::new(0..0, "not an expression"),
                    |error| plain(text, &tokens, error.pos, &error.msg),
                ))
            }
        }
    })
    .unwrap_or_else(|| Err(Slip::new(0..0, "no thread is left to read it")))
}

/// Each level of nesting takes the parser through a dozen functions, which unoptimised is more than the stack of a thread
/// that is not the main one holds at [`MAX_NESTING`](super::MAX_NESTING). None if there is no thread to be had.
fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

/// Reserved, not used: pages that are not touched cost nothing.
const STACK_BYTES: usize = 32 << 20;

/// The parser's message without its grammar's vocabulary.
fn plain(
    text: &str,
    tokens: &[Range<usize>],
    (line, column): (isize, isize),
    message: &str,
) -> Slip {
    let at = offset(text, line, column);
    let Some(token) = tokens.iter().find(|token| token.end > at).cloned() else {
        let end = tokens.last().map_or(0, |token| token.end);
        return Slip::new(end..end, "the expression ends too early");
    };
    let word = &text[token.clone()];
    let message = match message {
        m if m.contains("invalid int literal") => {
            format!("`{word}` is too large for a whole number; write it with a decimal point")
        }
        m if m.contains("invalid double literal") => format!("`{word}` is too large for a number"),
        m if m.contains("reserved identifier") => format!("`{word}` is a reserved word"),
        _ => format!("`{word}` is not expected here"),
    };
    Slip::new(token, message)
}

/// Lines and columns from 1, columns in characters.
fn offset(text: &str, line: isize, column: isize) -> usize {
    let skipped = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(skipped).map(str::len).sum();
    let within = usize::try_from(column - 1).unwrap_or(0);
    text[start..]
        .char_indices()
        .nth(within)
        .map_or(text.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, place: &str, message: &str) {
        let Err(slip) = parse(text) else {
            panic!("{text} parses")
        };
        assert_eq!(
            (&text[slip.at.clone()], slip.message.as_str()),
            (place, message),
            "{text}"
        );
    }

    #[test]
    fn errors_speak_plainly() {
        check("", "", "the expression is empty");
        check("a >", "", "the expression ends too early");
        check("(a > 1", "", "the expression ends too early");
        check("a > 1)", ")", "`)` is not expected here");
        check("a > > 1", ">", "`>` is not expected here");
        check("g == '한' b", "b", "`b` is not expected here");
        check(
            "a > 99999999999999999999",
            "99999999999999999999",
            "`99999999999999999999` is too large for a whole number; write it with a decimal point",
        );
        check("a > 1e999", "1e999", "`1e999` is too large for a number");
        check("while > 1", "while", "`while` is a reserved word");
    }

    /// Tests run on threads of two megabytes, as an executor's do.
    #[test]
    fn the_deepest_expression_fits_on_any_thread() {
        for (open, close) in [("(", ")"), ("max(1.0, ", ")"), ("-(1.0 + ", ")")] {
            let text = format!(
                "{}x{}",
                open.repeat(super::super::MAX_NESTING),
                close.repeat(super::super::MAX_NESTING)
            );
            assert!(parse(&text).is_ok(), "{text}");
        }
    }
}
