//! The content of a part as text, written when somebody looks at it: most contents are never looked at.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

type Write = Box<dyn FnOnce() -> String + Send>;

/// Text that is written when it is first read.
#[derive(Clone)]
pub struct Text(Arc<LazyLock<String, Write>>);

impl Text {
    /// What `write` gives, once.
    pub(crate) fn lazy(write: impl FnOnce() -> String + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(write))))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::lazy(move || text)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
