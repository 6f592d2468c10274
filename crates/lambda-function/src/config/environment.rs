//! Where variables come from.

use std::collections::BTreeMap;

/// A set of variables. A map is one too, for tests and for hosts in the same process.
pub trait Environment {
    /// The variable's text, or nothing if it is not set.
    fn get(&self, name: &str) -> Option<String>;
}

/// The variables of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the environment that everything else asks"
    )]
    fn get(&self, name: &str) -> Option<String> {
        let text = std::env::var_os(name)?;
        // What is not Unicode cannot be a right value; the parser then refuses what is left of it.
        Some(text.to_string_lossy().into_owned())
    }
}

impl<N: Ord + std::borrow::Borrow<str>, V: AsRef<str>> Environment for BTreeMap<N, V> {
    fn get(&self, name: &str) -> Option<String> {
        self.get(name).map(|text| text.as_ref().to_owned())
    }
}
