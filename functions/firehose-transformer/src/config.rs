//! The transformer's configuration, read once at the start.

use lake_program::Bundled;
use lambda_function::Settings;
use lambda_function::config::{ConfigErrors, Environment, Reader, Variable};

const PROGRAM: Variable = Variable::required(
    "PROGRAM",
    "press-readings",
    "the program that makes the rows, one of those that come along",
);

/// What the function reads besides [`Settings::VARIABLES`].
pub const VARIABLES: &[Variable] = &[PROGRAM];

/// Everything that the environment decides.
#[derive(Clone, Debug)]
pub struct Config {
    /// What all functions share.
    pub settings: Settings,
    /// The program that makes the rows.
    pub program: Bundled,
}

impl Config {
    /// Reads the variables, or reports every bad one.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let program = vars.parsed(&PROGRAM, "a program's name");
        vars.finish(|| {
            Some(Self {
                settings: settings?,
                program: program?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use lambda_function::config::assert_declared;

    use super::*;

    #[test]
    fn what_is_read_is_what_is_declared() {
        assert_declared(VARIABLES, Config::read);
    }
}
