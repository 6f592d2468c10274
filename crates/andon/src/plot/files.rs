//! Names of files that any file system takes, whatever the machine is called.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// Longest part of a name that comes from a text.
const MAX_CHARS: usize = 60;

/// `torque-out-of-control--press-07.svg`: what is no lower-case letter, digit, `-`, `_` or `.` is replaced, and a
/// digest then tells apart what would have become the same name.
pub fn name(rule: &str, machine: Option<&str>, sheet: Option<usize>) -> String {
    let mut name = part(rule);
    if let Some(machine) = machine {
        name.push_str("--");
        name.push_str(&part(machine));
    }
    if let Some(sheet) = sheet {
        name.push_str(&format!("--{sheet}"));
    }
    name.push_str(".svg");
    name
}

fn part(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars().take(MAX_CHARS) {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => safe.push(c),
            c @ ('.' | '-') if !safe.is_empty() && !safe.ends_with(['.', '-']) => safe.push(c),
            _ if !safe.is_empty() && !safe.ends_with(['.', '-']) => safe.push('-'),
            _ => {}
        }
    }
    let safe = safe.trim_end_matches(['.', '-']).to_owned();
    if safe == text {
        return safe;
    }
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    let digest = hasher.finish() >> 32;
    let gap = if safe.is_empty() { "" } else { "-" };
    format!("{safe}{gap}{digest:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe() {
        #[track_caller]
        fn check(machine: &str, expected: &str) {
            let name = name("drift", Some(machine), None);
            let stem = name
                .strip_prefix("drift--")
                .and_then(|rest| rest.strip_suffix(".svg"))
                .unwrap();
            let (plain, digest) = match expected.strip_suffix('#') {
                Some(plain) => (plain, 8),
                None => (expected, 0),
            };
            assert!(
                stem.starts_with(plain) && stem.len() == plain.len() + digest,
                "{stem}"
            );
        }
        check("press-07", "press-07");
        check("line_2.press.7", "line_2.press.7");
        check("Press-07", "press-07-#");
        check("프레스-01", "01-#");
        check("../../etc/passwd", "etc-passwd-#");
        check("a/b\\c:d*e?f", "a-b-c-d-e-f-#");
        check("..", "#");
        check("a..b", "a.b-#");
        check(&"m".repeat(256), &format!("{}-#", "m".repeat(60)));
    }

    #[test]
    fn different_machines_have_different_files() {
        assert_ne!(
            name("drift", Some("a b"), None),
            name("drift", Some("a/b"), None)
        );
        assert_ne!(
            name("drift", Some("A"), None),
            name("drift", Some("a"), None)
        );
    }

    #[test]
    fn sheets_are_numbered() {
        assert_eq!(name("drift", Some("a"), Some(2)), "drift--a--2.svg");
        assert_eq!(name("pareto", None, None), "pareto.svg");
    }
}
