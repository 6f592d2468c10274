//! A variable as a function declares it.

/// One environment variable: what the template sets, the README lists and the code reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds when it is not set, written as it would be set.
    pub default: Option<&'static str>,
    /// A value as it could be set, shown where a bad one is reported.
    pub example: &'static str,
    /// What it is for, units included.
    pub meaning: &'static str,
}

impl Variable {
    /// A variable without which the function does not start.
    pub const fn required(
        name: &'static str,
        example: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            default: None,
            example,
            meaning,
        }
    }

    /// A variable that may be left out.
    pub const fn optional(
        name: &'static str,
        default: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            default: Some(default),
            example: default,
            meaning,
        }
    }

    /// Whether the function does not start without it.
    pub const fn is_required(&self) -> bool {
        self.default.is_none()
    }
}
