//! Caps on text, so that an event's size is bounded whatever a plan or a payload says.

use std::borrow::Cow;

/// A summary's longest length, in characters.
pub const MAX_SUMMARY_CHARS: usize = 1_024;

/// The longest machine, line, rule or model name, in characters.
pub const MAX_NAME_CHARS: usize = 256;

/// An event's longest JSON, in bytes: what consumers copy it into (items, messages) has limits.
pub const MAX_EVENT_BYTES: usize = 65_536;

/// `text` cut to at most `max` characters; a cut text ends in `…`.
pub fn truncated(text: &str, max: usize) -> Cow<'_, str> {
    // No character is shorter than a byte.
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let kept: String = text.chars().take(max.saturating_sub(1)).collect();
            Cow::Owned(kept + "…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_characters_and_marks_the_cut() {
        assert_eq!(truncated("프레스", 3), "프레스");
        assert_eq!(truncated("프레스-07", 4), "프레스…");
        assert_eq!(truncated("", 4), "");
    }
}
