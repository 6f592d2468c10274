//! Places in files.

/// One of the files that were read, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) usize);

/// A spot in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) file: FileId,
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

/// What was read: the name under which it was asked for, and the text.
#[derive(Debug, Default)]
pub(crate) struct Files(Vec<(String, String)>);

impl Place {
    /// `column` counts from 0, as the parser does.
    pub(crate) fn new(file: FileId, line: usize, column: usize) -> Self {
        Self {
            file,
            line: line.max(1),
            column: column + 1,
        }
    }
}

impl Files {
    pub(crate) fn add(&mut self, name: String, text: String) -> FileId {
        self.0.push((name, text));
        FileId(self.0.len() - 1)
    }

    pub(crate) fn name(&self, file: FileId) -> &str {
        self.0.get(file.0).map_or("", |(name, _)| name)
    }

    pub(crate) fn text(&self, file: FileId) -> &str {
        self.0.get(file.0).map_or("", |(_, text)| text)
    }
}
