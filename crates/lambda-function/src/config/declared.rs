//! Holds a configuration's declaration against its reading, for the functions' tests.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{ConfigErrors, Environment, Variable};
use crate::Settings;

/// Asserts that `read` asks for `variables` and the shared [`Settings`] and nothing else, that it
/// succeeds on the examples of the required ones alone, on all examples, and that it misses each
/// required one by name.
///
/// # Panics
/// Where one of these does not hold.
#[track_caller]
pub fn assert_declared<T>(
    variables: &[Variable],
    read: impl Fn(&dyn Environment) -> Result<T, ConfigErrors>,
) {
    let declared: Vec<&Variable> = variables.iter().chain(Settings::VARIABLES).collect();
    let examples = |keep: &dyn Fn(&Variable) -> bool| -> Asked {
        let kept = declared.iter().filter(|variable| keep(variable));
        Asked::over(
            kept.map(|variable| (variable.name, variable.example))
                .collect(),
        )
    };

    let complete = examples(&|_| true);
    let defaults = examples(&Variable::is_required);
    for (what, environment) in [
        ("all examples", &complete),
        ("the required examples alone", &defaults),
    ] {
        if let Err(errors) = read(environment) {
            panic!("{what} are refused: {errors}");
        }
    }

    let names: BTreeSet<String> = declared
        .iter()
        .map(|variable| variable.name.to_owned())
        .collect();
    assert_eq!(names.len(), declared.len(), "a variable is declared twice");
    assert_eq!(
        names,
        complete.asked.into_inner(),
        "left: declared, right: read"
    );

    for required in declared.iter().filter(|variable| variable.is_required()) {
        match read(&examples(&|variable| variable.name != required.name)) {
            Ok(_) => panic!("{} is declared as required but not missed", required.name),
            Err(errors) => assert!(
                errors
                    .faults()
                    .iter()
                    .any(|fault| fault.name == required.name),
                "{} is missing but the report is: {errors}",
                required.name
            ),
        }
    }
}

/// An environment that notes what it was asked for.
struct Asked {
    variables: BTreeMap<&'static str, &'static str>,
    asked: RefCell<BTreeSet<String>>,
}

impl Asked {
    fn over(variables: BTreeMap<&'static str, &'static str>) -> Self {
        Self {
            variables,
            asked: RefCell::default(),
        }
    }
}

impl Environment for Asked {
    fn get(&self, name: &str) -> Option<String> {
        self.asked.borrow_mut().insert(name.to_owned());
        Environment::get(&self.variables, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Reader;

    const TABLE: Variable = Variable::required("TABLE", "andon-state", "a table");
    const TTL: Variable = Variable::optional("TTL", "60", "seconds");

    fn read(environment: &dyn Environment) -> Result<(), ConfigErrors> {
        let mut vars = Reader::new(environment);
        let settings = Settings::read(&mut vars);
        let table = vars.text(&TABLE);
        let ttl = vars.seconds(&TTL, 1..=100);
        vars.finish(|| Some((settings?, table?, ttl?))).map(|_| ())
    }

    #[test]
    fn a_true_declaration_passes() {
        assert_declared(&[TABLE, TTL], read);
    }

    #[test]
    #[should_panic(expected = "left: declared, right: read")]
    fn an_undeclared_variable_shows() {
        assert_declared(&[TABLE], read);
    }

    #[test]
    #[should_panic(expected = "are refused")]
    fn a_default_out_of_range_shows() {
        assert_declared(&[TABLE, Variable::optional("TTL", "101", "seconds")], read);
    }

    #[test]
    #[should_panic(expected = "declared as required but not missed")]
    fn a_required_variable_with_a_default_shows() {
        assert_declared(&[TABLE, Variable::required("TTL", "60", "seconds")], read);
    }
}
