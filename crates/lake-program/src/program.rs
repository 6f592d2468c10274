//! A program, compiled.

use vrl::compiler::state::{ExternalEnv, LocalEnv, TypeState};
use vrl::compiler::{CompileConfig, compile_with_state};
use vrl::diagnostic::{Diagnostic, DiagnosticList};
use vrl::path::{OwnedSegment, OwnedTargetPath, PathPrefix};

use crate::about::About;
use crate::declared::{Declared, Wrong, read_of};
use crate::fault::{ProgramErrors, ProgramFault};
use crate::row::Row;
use crate::run::Runner;
use crate::{Schema, functions};

/// A program that can be run.
#[derive(Debug)]
pub struct Program {
    name: String,
    source: String,
    description: String,
    partition_keys: Vec<String>,
    input: Schema,
    can_drop: bool,
    pub(crate) code: vrl::compiler::Program,
    /// The same in a quicker form, for payloads that are in order.
    pub(crate) row: Option<Row>,
    /// The fields of [`About`] that the program reads.
    pub(crate) read: Vec<&'static str>,
}

impl Program {
    /// Compiles `NAME.vrl` against what `NAME.json` declares.
    ///
    /// # Errors
    /// With every fault of the declaration, or else of the program. A warning of the compiler (a value that
    /// nobody uses) is a fault: it is a slip more often than not.
    pub fn compile(name: &str, source: &str, declared: &str) -> Result<Self, ProgramErrors> {
        let declared = Declared::parse(declared)
            .map_err(|wrong| declaration(&format!("{name}.json"), declared, wrong))?;
        let file = format!("{name}.vrl");
        let state = TypeState {
            local: LocalEnv::default(),
            external: ExternalEnv::new_with_kind(declared.input.kind(), About::kind()),
        };
        let compiled = compile_with_state(source, &functions::all(), &state, config())
            .map_err(|diagnostics| faults(&file, source, &diagnostics))?;
        if !compiled.warnings.is_empty() {
            return Err(faults(&file, source, &compiled.warnings));
        }
        let code = compiled.program;
        partition_assignments(&file, source, &declared, &code)?;
        let info = code.info();
        let read = read_of(|name| {
            info.target_queries.iter().any(|path| {
                path.prefix == PathPrefix::Metadata
                    && first_field(path).is_none_or(|field| field == name)
            })
        });
        let compile = |source: &str, after: Option<&TypeState>| {
            let state = after.unwrap_or(&state);
            let compiled = compile_with_state(source, &functions::all(), state, config()).ok()?;
            Some(compiled.program)
        };
        let row = Row::part(
            source,
            &code,
            &declared.input,
            &declared.partition_keys,
            compile,
        );
        // What it leaves is `.`; the value of its last expression is nobody's, but an assignment in that place would copy the
        // whole row to have one.
        let without_result = compile(&format!("{source}\nnull"), None);
        Ok(Self {
            name: name.to_owned(),
            source: source.to_owned(),
            description: declared.description,
            partition_keys: declared.partition_keys,
            input: declared.input,
            can_drop: info.abortable,
            read,
            row,
            code: without_result.unwrap_or(code),
        })
    }

    /// The name that it was compiled under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it is for, as declared.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The keys that its rows are partitioned by, in the order of [`Verdict::Kept`](crate::Verdict::Kept).
    pub fn partition_keys(&self) -> &[String] {
        &self.partition_keys
    }

    /// What it is given.
    pub fn input(&self) -> &Schema {
        &self.input
    }

    /// Whether it can drop a record.
    pub fn can_drop(&self) -> bool {
        self.can_drop
    }

    /// Runs it on records, one after the other.
    pub fn runner(&self) -> Runner<'_> {
        Runner::new(self)
    }
}

/// What is known of a record is not the program's to change, but for the partition.
fn config() -> CompileConfig {
    let mut config = CompileConfig::default();
    for name in crate::about::FIELDS {
        let path = vrl::path::OwnedValuePath::single_field(name);
        config.set_read_only_path(OwnedTargetPath::metadata(path), true);
    }
    config
}

/// Holds what the program assigns under `%` to the declared keys: each is assigned somewhere, and nothing else is.
fn partition_assignments(
    file: &str,
    source: &str,
    declared: &Declared,
    code: &vrl::compiler::Program,
) -> Result<(), ProgramErrors> {
    let assigned: Vec<Option<&str>> = code
        .info()
        .target_assignments
        .iter()
        .filter(|path| path.prefix == PathPrefix::Metadata)
        .map(|path| match path.path.segments.as_slice() {
            [OwnedSegment::Field(key)] => Some(key.as_str()),
            _ => None,
        })
        .collect();
    let keys = &declared.partition_keys;
    let mut problems = Vec::new();
    if assigned.iter().any(|key| key.is_none()) {
        problems.push((
            "%".to_owned(),
            "only partition keys can be assigned under %, each by itself".to_owned(),
        ));
    }
    for key in assigned.iter().flatten() {
        if !keys.iter().any(|declared| declared == key) {
            problems.push((
                format!("%{key}"),
                format!("`{key}` is not among the declared partition_keys"),
            ));
        }
    }
    for key in keys {
        if !assigned.contains(&Some(key)) {
            problems.push((
                String::new(),
                format!("the partition key `{key}` is declared, but never assigned: set %{key}"),
            ));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(ProgramErrors::new(
            problems
                .into_iter()
                .map(|(spot, message)| {
                    let start = source.find(&spot).unwrap_or_default();
                    let span = (start, start + spot.len());
                    ProgramFault::at(file, source, span, message, Vec::new())
                })
                .collect(),
        )),
    }
}

fn first_field(path: &OwnedTargetPath) -> Option<&str> {
    match path.path.segments.first() {
        Some(OwnedSegment::Field(name)) => Some(name.as_str()),
        _ => None,
    }
}

fn declaration(file: &str, text: &str, wrong: Wrong) -> ProgramErrors {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(wrong.line.saturating_sub(1))
        .map(str::len)
        .sum();
    let start = line_start + wrong.column.saturating_sub(1);
    let fault = ProgramFault::at(file, text, (start, start + 1), wrong.problem, Vec::new());
    ProgramErrors::new(vec![fault])
}

fn faults(file: &str, source: &str, diagnostics: &DiagnosticList) -> ProgramErrors {
    let fault = |diagnostic: &Diagnostic| {
        let labels = diagnostic.labels();
        let spot = labels
            .iter()
            .find(|label| label.primary)
            .or(labels.first())
            .map_or((0, 0), |label| (label.span.start(), label.span.end()));
        let said = labels.iter().map(|label| label.message.clone());
        let notes = diagnostic.notes().iter().filter_map(note);
        ProgramFault::at(
            file,
            source,
            spot,
            sentence(diagnostic.message()),
            said.chain(notes)
                .filter(|note| !note.trim().is_empty())
                .collect(),
        )
    };
    let mut faults: Vec<_> = diagnostics.iter().map(fault).collect();
    faults.sort_by_key(|fault| (fault.line, fault.column));
    ProgramErrors::new(faults)
}

/// The message without the number under which a site on the network would explain it.
fn sentence(message: &str) -> String {
    let numbered = message.strip_prefix("function compilation error: error[E");
    let bare = numbered.and_then(|rest| rest.split_once("] "));
    bare.map_or(message, |(_, bare)| bare).to_owned()
}

/// What the compiler adds in words. Its links lead to functions that are not offered here.
fn note(note: &vrl::diagnostic::Note) -> Option<String> {
    let text = note.to_string();
    (!text.contains("://")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &str = r#"{"partition_keys": ["line"], "input": {"type": "object", "required": ["torque"],
        "properties": {"torque": {"type": "number"}, "line": {"type": "string"}}, "additionalProperties": false}}"#;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let errors = Program::compile("p", source, DECLARED).unwrap_err();
        let report = errors.to_string();
        for part in expected {
            assert!(report.contains(part), "{part:?} in\n{report}");
        }
    }

    #[test]
    fn faults_point_into_the_program() {
        let sound = "%line = .line\n";
        check(
            &format!("{sound}. = {{\"t\": upcase(.torque)}}"),
            &[
                "p.vrl:2:18: ",
                "\n  . = {\"t\": upcase(.torque)}\n                   ^^^^^^^\n",
            ],
        );
        check(&format!("{sound}.x = .torque +"), &["p.vrl:2:"]);
        check(
            &format!("{sound}.x = parse_timestamp(.line, \"%+\")"),
            &["p.vrl:2:6: ", "unhandled"],
        );
        check(
            &format!("{sound}.x = get_env_var!(\"HOME\")"),
            &["p.vrl:2:6: ", "undefined function"],
        );
        check(&format!("{sound}.x = now()"), &["undefined function"]);
        check(
            &format!("{sound}.x = parse_timestamp!(.line, \"%!\")"),
            &["p.vrl:2:6: invalid argument", "not a format of strftime"],
        );
        check(&format!("{sound}.x = upcase(.lime)"), &["p.vrl:2:"]);
        check(
            &format!("{sound}upcase(\"x\")\n.torque = 1"),
            &["p.vrl:2:1: "],
        );
    }

    #[test]
    fn every_fault_of_a_program_is_told() {
        check(
            "%line = .line\n.a = upcase(.torque)\n.b = downcase(.torque)",
            &["p.vrl:2:", "p.vrl:3:"],
        );
    }

    #[test]
    fn partition_keys_are_assigned_as_declared() {
        check(".x = 1", &["`line` is declared, but never assigned"]);
        check(
            "%line = .line\n%day = \"x\"",
            &["p.vrl:2:1: `day` is not among"],
        );
        check("%line.a = .line", &["p.vrl:1:7: "]);
        check("%line = .line\n%arrived = 7", &["read-only"]);
    }

    #[test]
    fn faults_point_into_the_declaration() {
        let wrong = DECLARED.replace("\"additionalProperties\": false", "\"pattern\": 7");
        let errors = Program::compile("p", ".", &wrong).unwrap_err();
        assert!(errors.to_string().starts_with("p.json:2:"), "{errors}");
        let wrong = DECLARED.replace("\"line\"]", "\"li/ne\"]");
        let errors = Program::compile("p", ".", &wrong).unwrap_err();
        assert!(errors.to_string().contains("`li/ne`"), "{errors}");
    }

    #[test]
    fn a_program_tells_what_it_reads() {
        let program =
            Program::compile("p", "%line = .line\n.id = %sequence_number", DECLARED).unwrap();
        assert_eq!(program.read, ["sequence_number"]);
        assert!(!program.can_drop());
    }
}
