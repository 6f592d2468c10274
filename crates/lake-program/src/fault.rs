//! What is wrong with a program, by line and column.

use std::fmt;

/// A program that cannot be run, with every fault that the compiler found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Report(self))]
pub struct ProgramErrors {
    faults: Vec<ProgramFault>,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFault {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The line that it stands on.
    pub excerpt: String,
    /// How many characters of the line are at fault, at least one.
    pub width: usize,
    /// What else there is to say: what is at fault about the spot, and what to do about it.
    pub notes: Vec<String>,
}

impl ProgramErrors {
    pub(crate) fn new(faults: Vec<ProgramFault>) -> Self {
        Self { faults }
    }

    /// Every fault, in the order of the program.
    pub fn faults(&self) -> &[ProgramFault] {
        &self.faults
    }
}

impl ProgramFault {
    /// A fault of `source` from byte `start` to byte `end`.
    pub(crate) fn at(
        file: &str,
        source: &str,
        (start, end): (usize, usize),
        message: String,
        notes: Vec<String>,
    ) -> Self {
        let start = floor(source, start);
        let end = floor(source, end).max(start);
        let line_start = source[..start].rfind('\n').map_or(0, |feed| feed + 1);
        let line_end = source[start..]
            .find('\n')
            .map_or(source.len(), |feed| start + feed);
        let width = source[start..end.min(line_end)].chars().count();
        Self {
            file: file.to_owned(),
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            message,
            excerpt: source[line_start..line_end].trim_end().to_owned(),
            width: width.max(1),
            notes,
        }
    }
}

/// The next character's beginning at or before `place`: spans of an unfinished program may lie anywhere.
fn floor(source: &str, place: usize) -> usize {
    source.floor_char_boundary(place.min(source.len()))
}

struct Report<'e>(&'e ProgramErrors);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.faults.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ProgramFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        if !self.excerpt.is_empty() {
            let indent = " ".repeat(self.column - 1);
            let carets = "^".repeat(self.width);
            write!(f, "\n  {}\n  {indent}{carets}", self.excerpt)?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, span: (usize, usize), expected: &str) {
        let fault = ProgramFault::at("a.vrl", source, span, "odd".into(), vec![]);
        assert_eq!(fault.to_string(), expected);
    }

    #[test]
    fn points_at_the_characters() {
        check("a = b\nc = d", (10, 11), "a.vrl:2:5: odd\n  c = d\n      ^");
        check(
            ". = \"프레스\" + 1",
            (4, 15),
            "a.vrl:1:5: odd\n  . = \"프레스\" + 1\n      ^^^^^",
        );
        check("a\nb", (0, 3), "a.vrl:1:1: odd\n  a\n  ^");
        check("a", (7, 9), "a.vrl:1:2: odd\n  a\n   ^");
        check("프", (1, 2), "a.vrl:1:1: odd\n  프\n  ^");
        check("", (0, 0), "a.vrl:1:1: odd");
    }
}
