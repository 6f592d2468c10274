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
    let bytes: Vec<u8> = bytes.collect();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                decoded.push(hex(*high) << 4 | hex(*low));
                after
            }
            _ => {
                decoded.push(*first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
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
