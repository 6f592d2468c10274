//! Numbers and texts as a YAML file holds them.

/// A number as YAML and CEL read it alike.
pub(super) fn decimal(number: f64) -> String {
    if number == 0.0 || (1e-6..1e15).contains(&number.abs()) {
        // Shortest form that reads back as the same double.
        format!("{number:?}").trim_end_matches(".0").to_owned()
    } else {
        format!("{number:e}")
    }
}

/// A text as a YAML scalar within `{}`: plain where nothing in it means anything to YAML, else in quotes.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.'))
        && text.starts_with(|c: char| c == '/' || c.is_ascii_alphabetic())
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        // A JSON string is a YAML one.
        serde_json::Value::from(text).to_string()
    }
}

/// A text within a comment: on one line, and not too long.
pub(super) fn comment(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}\u{2026}", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_quoted_where_yaml_would_misread_them() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(scalar(text), expected);
        }
        check("/measurements/torque", "/measurements/torque");
        check("/Torque [Nm]", "\"/Torque [Nm]\"");
        check("/a: b", "\"/a: b\"");
        check("/a\"b\\c\n", "\"/a\\\"b\\\\c\\n\"");
        check("/토크", "\"/토크\"");
        check("Nm", "Nm");
        check("%", "\"%\"");
        check("no", "\"no\"");
        check("1/min", "\"1/min\"");
    }

    #[test]
    fn numbers_read_back() {
        #[track_caller]
        fn check(number: f64, expected: &str) {
            assert_eq!(decimal(number), expected);
            assert_eq!(expected.parse::<f64>().unwrap(), number);
        }
        check(40.0, "40");
        check(0.125, "0.125");
        check(-3.5, "-3.5");
        check(1e-9, "1e-9");
        check(2.5e20, "2.5e20");
    }
}
