//! E-mail subjects: ASCII, under 100 characters, no line breaks, beginning with a letter, number or punctuation.
//!
//! Other scripts are transliterated, so that a subject still tells machines apart.

use deunicode::deunicode;

const MAX_CHARS: usize = 99;

/// The subject that says `text`.
pub fn subject(text: &str) -> String {
    let printable: String = deunicode(text)
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
        .collect();
    let words = printable.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.len() {
        0 => "Quality alert".to_owned(),
        1..=MAX_CHARS => words,
        _ => format!("{}...", words[..MAX_CHARS - 3].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let subject = subject(text);
        assert_eq!(subject, expected);
        assert!(subject.is_ascii() && subject.len() < 100);
    }

    #[test]
    fn any_text_becomes_a_subject() {
        check(
            "CRITICAL press-07 (L2): fine",
            "CRITICAL press-07 (L2): fine",
        );
        check("CRITICAL 프레스-07", "CRITICAL peureseu-07");
        check("µm überschritten", "um uberschritten");
        check(" a\r\nBcc: someone\t\u{0}", "a Bcc: someone");
        check("", "Quality alert");
        check("\u{1}\n", "Quality alert");
        check(&"x".repeat(99), &"x".repeat(99));
        check(&"x".repeat(100), &format!("{}...", "x".repeat(96)));
    }
}
