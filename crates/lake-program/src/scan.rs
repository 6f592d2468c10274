//! JSON, token by token, out of text: no more than what [`read`](crate::read) needs, and nothing said about what is odd.

/// A place in a text of JSON. Whatever returns `None` found something odd, and the place is anywhere by then.
#[derive(Debug)]
pub(crate) struct Scan<'p> {
    text: &'p str,
    at: usize,
}

/// A number, and its value where that was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

/// A text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Text<'p> {
    /// Nothing in it is escaped.
    Plain(&'p str),
    Escaped(String),
}

/// A byte eight times.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Powers of ten that a float has exactly.
const TENS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

impl<'p> Scan<'p> {
    pub fn of(text: &'p str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no white space, or 0 at the end.
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                other => return other,
            }
        }
    }

    /// Passes the byte that was looked at.
    pub fn pass(&mut self) {
        self.at += 1;
    }

    /// Passes this byte, which may stand behind white space.
    pub fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.pass())
    }

    /// Passes this word.
    pub fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    /// Nothing but white space is left.
    pub fn end(&mut self) -> Option<()> {
        self.peek();
        (self.at == self.text.len()).then_some(())
    }

    /// A text, from its first quote to its last.
    #[inline(always)]
    pub fn text(&mut self) -> Option<Text<'p>> {
        let opening = self.at;
        self.at += 1;
        self.pass_plain();
        if self.byte() == b'"' {
            let text = self.text.get(opening + 1..self.at)?;
            self.at += 1;
            return Some(Text::Plain(text));
        }
        self.escaped(opening).map(Text::Escaped)
    }

    /// The rest of a text, from its first escape on.
    #[inline(never)]
    fn escaped(&mut self, opening: usize) -> Option<String> {
        while self.byte() == b'\\' {
            self.at += 2;
            self.pass_plain();
        }
        if self.byte() != b'"' {
            return None;
        }
        self.at += 1;
        let quoted = self.text.get(opening..self.at)?;
        serde_json::from_str(quoted).ok()
    }

    /// Passes what is no quote, no backslash and no control character.
    fn pass_plain(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let chunk = u64::from_le_bytes(*chunk);
            // The lowest bit that is set is that of the first such byte; those above it may be wrong.
            let zero = |bytes: u64| bytes.wrapping_sub(eight(1)) & !bytes;
            let control = chunk.wrapping_sub(eight(b' ')) & !chunk;
            let found = zero(chunk ^ eight(b'"')) | zero(chunk ^ eight(b'\\')) | control;
            match found & eight(0x80) {
                0 => self.at += 8,
                found => {
                    self.at += found.trailing_zeros() as usize / 8;
                    return;
                }
            }
        }
        while !matches!(self.byte(), b'"' | b'\\' | ..b' ') {
            self.at += 1;
        }
    }

    /// A number.
    pub fn number(&mut self) -> Option<Number> {
        let begin = self.at;
        let negative = self.byte() == b'-';
        self.at += usize::from(negative);
        let mut digits: u64 = 0;
        let whole = self.digits(&mut digits);
        // As many as cannot overflow. No number begins with a 0 that it could do without.
        if whole == 0
            || whole > 18
            || (whole > 1 && self.text.as_bytes().get(self.at - whole) == Some(&b'0'))
        {
            return None;
        }
        let mut decimals = 0;
        if self.byte() == b'.' {
            self.at += 1;
            decimals = self.digits(&mut digits);
            if decimals == 0 {
                return None;
            }
        } else if !matches!(self.byte(), b'e' | b'E') {
            let number = digits.cast_signed();
            return match (negative, number) {
                (true, 0) => Some(Number::Float(-0.0)),
                (true, number) => Some(Number::Integer(-number)),
                (false, number) => Some(Number::Integer(number)),
            };
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            if self.digits(&mut 0) == 0 {
                return None;
            }
        } else if whole + decimals <= 15
            && let Some(ten) = TENS.get(decimals)
        {
            // Both are exact, and so the quotient is the nearest float.
            let number = digits as f64 / ten;
            return Some(Number::Float(if negative { -number } else { number }));
        }
        let number: f64 = self.text.get(begin..self.at)?.parse().ok()?;
        number.is_finite().then_some(Number::Float(number))
    }

    /// Passes digits and says how many there were. Beyond 19 their value is anything.
    fn digits(&mut self, value: &mut u64) -> usize {
        let begin = self.at;
        while let digit @ b'0'..=b'9' = self.byte() {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - begin
    }

    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is found is what `serde_json` finds.
    #[track_caller]
    fn check_number(written: &str) -> bool {
        let mut scan = Scan::of(written);
        let found = scan.number().filter(|_| scan.end().is_some());
        let expected: Option<serde_json::Number> = serde_json::from_str(written).ok();
        match (found, &expected) {
            (Some(Number::Integer(found)), Some(expected)) => {
                assert_eq!(Some(found), expected.as_i64(), "{written}");
            }
            (Some(Number::Float(found)), Some(expected)) => {
                assert!(!expected.is_i64(), "{written}");
                let expected = expected.as_f64().unwrap();
                assert_eq!(found.to_bits(), expected.to_bits(), "{written}");
            }
            (Some(found), None) => panic!("{found:?} is no number: {written}"),
            (None, _) => {}
        }
        found.is_some()
    }

    #[track_caller]
    fn check_text(written: &str) -> bool {
        let mut scan = Scan::of(written);
        let found = match scan.peek() {
            b'"' => scan.text().filter(|_| scan.end().is_some()),
            _ => None,
        };
        let expected: Option<String> = serde_json::from_str(written).ok();
        let found = found.map(|found| match found {
            Text::Plain(text) => text.to_owned(),
            Text::Escaped(text) => text,
        });
        if found.is_some() {
            assert_eq!(found, expected, "{written}");
        }
        found.is_some()
    }

    #[test]
    fn numbers_are_read() {
        for written in [
            "0",
            "-0",
            "7",
            "-12",
            "296.4",
            "-0.0",
            "1e3",
            "1E-3",
            "1.5e+300",
            "5e-324",
            "999999999999999999",
            "0.1234567890123456789",
        ] {
            assert!(check_number(written), "{written}");
        }
    }

    #[test]
    fn what_is_odd_is_left() {
        for written in [
            "",
            "-",
            "00",
            "01",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e999",
            "+1",
            "9223372036854775808",
            "0x1",
            "1 2",
            "NaN",
        ] {
            assert!(!check_number(written), "{written}");
        }
        for written in [
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\ud800\"",
            "\"a\tb\"",
            "\"12345678\n\"",
            "\"\\",
            "\"a\" b",
        ] {
            assert!(!check_text(written), "{written}");
        }
    }

    #[test]
    fn texts_are_read() {
        for written in [
            "\"\"",
            " \"a\" ",
            "\"1234567\"",
            "\"12345678\"",
            "\"\\\"\"",
            "\"\\\\\"",
            "\"é\u{7f}\u{2028}\\u00e9\\n 1234567 \\\\\"",
        ] {
            assert!(check_text(written), "{written}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is_the_same_or_odd(written in "-?[0-9]{1,20}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", number: f64, noise in "[-+0-9.eE ]{0,8}") {
            check_number(&written);
            check_number(&format!("{number:?}"));
            check_number(&noise);
        }

        #[test]
        fn any_text_is_the_same_or_odd(text: String, noise in "[\"\\\\a\\x00-\\x20é]{0,20}") {
            prop_assert!(check_text(&serde_json::to_string(&text).unwrap()));
            check_text(&format!("\"{noise}\""));
            check_text(&format!("\"{text}\""));
        }
    }
}
