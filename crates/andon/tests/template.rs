//! `andon template check` as a user or a script runs it: exit codes, and what goes to stdout.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const FAULTY: &str = "Resources:\n  Stream: {Type: AWS::Kinesis::Stream}\n";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_andon"));
    let command = command.current_dir(folder).args(["template", "check"]);
    command.args(arguments).output().unwrap()
}

#[test]
fn exit_codes_tell_findings_from_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "good.yaml",
        "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n",
    );
    write("faulty.yaml", FAULTY);
    write("broken.yaml", "Resources: [\n");
    for (arguments, code, stderr) in [
        (&["good.yaml"][..], 0, "in order: good.yaml"),
        (&["faulty.yaml"], 1, "1 finding"),
        (&["good.yaml", "faulty.yaml"], 1, "1 finding"),
        (&["broken.yaml"], 2, "broken.yaml:2:1: not YAML"),
        (&["missing.yaml"], 2, "missing.yaml:1:1: cannot be read"),
        (
            &["good.yaml", "--manifest", "faulty.yaml"],
            2,
            "faulty.yaml",
        ),
        (
            &["good.yaml", "--json", "--sarif"],
            2,
            "cannot be used with",
        ),
        (&["--rules"], 0, ""),
    ] {
        let output = run(folder.path(), arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(stderr), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_folder_stands_for_the_templates_in_it_and_json_is_alone_on_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let nesting = "Resources:\n  Below: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: below.yaml}}\n";
    for (name, text) in [
        ("root.yaml", nesting),
        ("below.yaml", FAULTY),
        ("notes.yaml", "Resources: none of AWS\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = run(folder.path(), &[".", "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = answer["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["rule"], "encryption-missing");
    assert_eq!(findings[0]["resource"], "Below/Stream");
    assert_eq!(findings[0]["file"], "./below.yaml");
    assert_eq!(findings[0]["line"], 2);

    let output = run(folder.path(), &[".", "--sarif"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "encryption-missing");
}
