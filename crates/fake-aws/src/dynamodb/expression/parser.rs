//! What every kind of expression shares: the cursor over its tokens, paths, operands.

use super::lexer::{Kind, Token, syntax_error, tokens};
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use crate::dynamodb::validation;
use crate::dynamodb::value::Value;
use crate::protocol::Refusal;

const RESERVED_WORDS: &str = include_str!("reserved-words.txt");

/// A cursor over one parameter's expression.
pub(crate) struct Parser<'a> {
    pub(crate) parameter: &'static str,
    source: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    pub(crate) placeholders: &'a mut Placeholders,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(
        parameter: &'static str,
        source: &'a str,
        placeholders: &'a mut Placeholders,
    ) -> Result<Self, Refusal> {
        if source.trim().is_empty() {
            return Err(validation(format!(
                "Invalid {parameter}: The expression can not be empty;"
            )));
        }
        Ok(Self {
            parameter,
            source,
            tokens: tokens(parameter, source)?,
            next: 0,
            placeholders,
        })
    }

    /// The next token; the end repeats itself.
    pub(crate) fn peek(&self) -> Token<'a> {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Token<'a> {
        let place = (self.next + ahead).min(self.tokens.len() - 1);
        self.tokens[place]
    }

    pub(crate) fn advance(&mut self) -> Token<'a> {
        let token = self.peek();
        self.next += 1;
        token
    }

    /// Takes the symbol, if it comes next.
    pub(crate) fn takes(&mut self, symbol: &str) -> bool {
        let token = self.peek();
        let found = token.kind == Kind::Symbol && token.text == symbol;
        self.next += usize::from(found);
        found
    }

    /// Takes the keyword, in any case, if it comes next.
    pub(crate) fn takes_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.next += usize::from(found);
        found
    }

    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Identifier && token.text.eq_ignore_ascii_case(keyword)
    }

    pub(crate) fn expect(&mut self, symbol: &str) -> Result<(), Refusal> {
        if self.takes(symbol) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(crate) fn expect_end(&self) -> Result<(), Refusal> {
        if self.peek().kind == Kind::End {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// The next token does not belong there.
    pub(crate) fn unexpected(&self) -> Refusal {
        let token = self.peek();
        let length = if token.kind == Kind::End {
            0
        } else {
            token.text.len()
        };
        syntax_error(self.parameter, self.source, token.at, length)
    }

    pub(crate) fn invalid(&self, what: impl std::fmt::Display) -> Refusal {
        validation(format!("Invalid {}: {what}", self.parameter))
    }

    /// Whether a function call comes next: a name and an opening parenthesis.
    pub(crate) fn function(&self) -> Option<&'a str> {
        let (name, parenthesis) = (self.peek(), self.peek_at(1));
        let is_call = name.kind == Kind::Identifier
            && parenthesis.kind == Kind::Symbol
            && parenthesis.text == "(";
        is_call.then_some(name.text)
    }

    pub(crate) fn path(&mut self) -> Result<Path, Refusal> {
        let attribute = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.takes(".") {
                steps.push(Step::Member(self.name()?));
            } else if self.takes("[") {
                if self.peek().kind != Kind::Integer {
                    return Err(self.unexpected());
                }
                let place = self.advance().text.parse().map_err(|_| self.unexpected())?;
                steps.push(Step::Element(place));
                self.expect("]")?;
            } else {
                return Ok(Path { attribute, steps });
            }
        }
    }

    fn name(&mut self) -> Result<String, Refusal> {
        let token = self.peek();
        match token.kind {
            Kind::Name => {
                self.next += 1;
                self.placeholders.name(self.parameter, token.text)
            }
            Kind::Identifier if is_reserved(token.text) => Err(self.invalid(format!(
                "Attribute name is a reserved keyword; reserved keyword: {}",
                token.text
            ))),
            Kind::Identifier => {
                self.next += 1;
                Ok(token.text.to_owned())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A `:value`, if it comes next.
    pub(crate) fn value(&mut self) -> Option<Result<Value, Refusal>> {
        let token = self.peek();
        (token.kind == Kind::Value).then(|| {
            self.next += 1;
            self.placeholders.value(self.parameter, token.text)
        })
    }
}

fn is_reserved(name: &str) -> bool {
    RESERVED_WORDS
        .split_ascii_whitespace()
        .any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_573_reserved_words_are_known_in_any_case() {
        assert_eq!(RESERVED_WORDS.split_ascii_whitespace().count(), 573);
        for word in [
            "state",
            "Owner",
            "TIME",
            "ttl",
            "values",
            "source",
            "connection",
        ] {
            assert!(is_reserved(word), "{word}");
        }
        for word in ["machine", "version", "expires_at", "watermarks", "claim"] {
            assert!(!is_reserved(word), "{word}");
        }
    }
}
