//! Tokens. Identifiers begin with a letter; after `#` and `:` any letters, digits and underscores follow.

use crate::dynamodb::validation;
use crate::protocol::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Identifier,
    /// `#name`
    Name,
    /// `:value`
    Value,
    Integer,
    Symbol,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

/// The expression's tokens, with an end.
pub(crate) fn tokens<'a>(parameter: &str, source: &'a str) -> Result<Vec<Token<'a>>, Refusal> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let (kind, length) = match first {
            'a'..='z' | 'A'..='Z' => (Kind::Identifier, word_length(rest)),
            '0'..='9' => (
                Kind::Integer,
                rest.bytes().take_while(u8::is_ascii_digit).count(),
            ),
            '#' => (Kind::Name, 1 + word_length(&rest[1..])),
            ':' => (Kind::Value, 1 + word_length(&rest[1..])),
            '<' if rest.starts_with("<>") || rest.starts_with("<=") => (Kind::Symbol, 2),
            '>' if rest.starts_with(">=") => (Kind::Symbol, 2),
            '=' | '<' | '>' | '(' | ')' | ',' | '.' | '[' | ']' | '+' | '-' => (Kind::Symbol, 1),
            _ => (Kind::End, 0),
        };
        let lone_sigil = matches!(kind, Kind::Name | Kind::Value) && length == 1;
        if length == 0 || lone_sigil {
            return Err(syntax_error(parameter, source, at, first.len_utf8()));
        }
        tokens.push(Token {
            kind,
            text: &source[at..at + length],
            at,
        });
        at += length;
    }
    tokens.push(Token {
        kind: Kind::End,
        text: "<EOF>",
        at: source.len(),
    });
    Ok(tokens)
}

/// `Syntax error; token: "x", near: "a x b"`, with a few characters on either side.
pub(crate) fn syntax_error(parameter: &str, source: &str, at: usize, length: usize) -> Refusal {
    let token = source
        .get(at..at + length)
        .filter(|token| !token.is_empty())
        .unwrap_or("<EOF>");
    let from = source[..at]
        .char_indices()
        .rev()
        .nth(9)
        .map_or(0, |(from, _)| from);
    let to = source[at..]
        .char_indices()
        .nth(10)
        .map_or(source.len(), |(to, _)| at + to);
    let near = &source[from..to];
    validation(format!(
        "Invalid {parameter}: Syntax error; token: \"{token}\", near: \"{near}\""
    ))
}

fn word_length(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count()
}
