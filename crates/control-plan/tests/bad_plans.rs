//! Every plan in `bad-plans` is refused with exactly the text that stands beside it: a new pair of files is a test.
//! `UPDATE_BAD_PLANS=1 cargo test -p control-plan --test bad_plans` writes the texts anew.

#![expect(clippy::expect_used, reason = "a failed expect is a failed test")]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use control_plan::ControlPlan;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-plans");
    let mut plans: Vec<_> = fs::read_dir(folder)
        .expect("the folder of bad plans")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    plans.sort();
    let trials = plans
        .into_iter()
        .map(|path| {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Trial::test(name, move || check(&path))
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(path: &Path) -> Result<(), Failed> {
    let source = fs::read_to_string(path)?;
    let Err(errors) = ControlPlan::parse("plan.yaml", &source) else {
        return Err("the plan is accepted".into());
    };
    let told = format!("{errors}\n");
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test, not of the product"
    )]
    if std::env::var_os("UPDATE_BAD_PLANS").is_some() {
        fs::write(path.with_extension("txt"), &told)?;
    }
    let expected = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
    if told == expected {
        Ok(())
    } else {
        Err(format!("told:\n{told}\nexpected:\n{expected}").into())
    }
}
