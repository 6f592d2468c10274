//! Percent-decoding (RFC 3986) and its form variant, in which `+` is a space.

/// Decodes; a malformed escape stays as it is.
pub(crate) fn decode(text: &str) -> String {
    decode_bytes(text.bytes())
}

/// Decodes an `application/x-www-form-urlencoded` name or value.
pub(crate) fn decode_form(text: &str) -> String {
    decode_bytes(
        text.bytes()
            .map(|byte| if byte == b'+' { b' ' } else { byte }),
    )
}

fn decode_bytes(bytes: impl Iterator<Item = u8>) -> String {
    let mut bytes: Vec<u8> = bytes.collect();
    // In place: what is decoded is never longer.
    let (mut from, mut to) = (0, 0);
    while let Some(&first) = bytes.get(from) {
        let escaped = match bytes.get(from + 1..from + 3) {
            Some(&[high, low]) if first == b'%' => hex(high).zip(hex(low)),
            _ => None,
        };
        (bytes[to], from) = match escaped {
            Some((high, low)) => (high << 4 | low, from + 3),
            None => (first, from + 1),
        };
        to += 1;
    }
    bytes.truncate(to);
    String::from_utf8(bytes)
        .unwrap_or_else(|fault| String::from_utf8_lossy(fault.as_bytes()).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_plus() {
        for (text, plain, form) in [
            ("a%2Fb", "a/b", "a/b"),
            ("a+b%20c", "a+b c", "a b c"),
            ("%ED%94%84", "프", "프"),
            ("100%", "100%", "100%"),
            ("%zz%4", "%zz%4", "%zz%4"),
        ] {
            assert_eq!(
                (decode(text).as_str(), decode_form(text).as_str()),
                (plain, form)
            );
        }
    }
}
