//! `andon plan init`: a plan drafted from recorded readings, for a person to correct.
//!
//! The promise: what is drafted passes the check, and says of each part that it is a suggestion, and from which
//! numbers.

mod draft;
mod names;
mod profile;
mod roles;
mod rules;
mod scan;
mod statistics;
mod yaml;

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;
use control_plan::ControlPlan;

use crate::failure::Failure;
use crate::input::Input;
use crate::readings::Format;
use draft::{Draft, Extent};
use scan::Scan;

/// Draft a plan from recorded readings
///
/// Finds what the readings hold, and suggests limits, individuals charts, and rules for stuck, missing and silent
/// sensors, each with the numbers it came from. A draft says what the process does; what the product needs is for a
/// person to put in.
#[derive(Args, Clone, Debug)]
pub struct Init {
    /// Recorded readings, the more the better; `-` reads stdin
    #[arg(long, value_name = "FILE|-")]
    from: Input,
    /// Write the plan to a new file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where the machine stands, if it is not found
    #[arg(long, value_name = "/POINTER")]
    machine: Option<String>,
    /// Where the time stands, if it is not found
    #[arg(long, value_name = "/POINTER")]
    time: Option<String>,
    #[command(flatten)]
    format: Format,
}

impl Init {
    /// Drafts the plan; `notes` takes what was guessed.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let mut readings = self.format.open_unknown(&self.from)?;
        let scan = Scan::of(&mut readings)?;
        for note in readings.notes() {
            writeln!(notes, "{note}")?;
        }
        let name = self.from.name();
        if scan.readings == 0 {
            return Err(Failure::input(format_args!("{name} holds no readings"))
                .cure("give one JSON object a line, or CSV with --format csv"));
        }
        let roles = roles::find(&scan, self.machine.as_deref(), self.time.as_deref())?;
        let optional = [("line", &roles.line), ("id", &roles.id)];
        let optional = optional
            .into_iter()
            .filter_map(|(role, found)| Some((role, found.as_ref()?)));
        for (role, found) in [("machine", &roles.machine), ("time", &roles.time)]
            .into_iter()
            .chain(optional)
        {
            let pointer = scan.columns[found.column].pointer();
            writeln!(notes, "{role}: {pointer} ({})", found.reason)?;
        }
        let draft = Draft::new(&scan, &roles);
        if draft.is_empty() {
            return Err(Failure::input(format_args!(
                "{name} holds no numbers to judge"
            )));
        }
        let text = checked(&draft, &name)?;
        match &self.out {
            None => out.write_all(text.as_bytes())?,
            Some(path) => {
                // A plan that somebody has corrected is not to be lost to a draft.
                OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(path)
                    .and_then(|mut file| file.write_all(text.as_bytes()))
                    .map_err(|error| {
                        let exists = error.kind() == ErrorKind::AlreadyExists;
                        let failure =
                            Failure::input(format_args!("cannot write {}", path.display()))
                                .caused_by(error);
                        if exists {
                            failure.cure("name a new file: a draft replaces no plan")
                        } else {
                            failure
                        }
                    })?;
                let path = path.display();
                writeln!(
                    notes,
                    "drafted {path}; try it: andon plan backtest --plan {path} --readings {name}"
                )?;
            }
        }
        Ok(())
    }
}

/// The largest draft that passes the check.
fn checked(draft: &Draft<'_>, source: &str) -> Result<String, Failure> {
    let mut faults = None;
    for extent in Extent::ALL {
        let text = draft.text(source, extent);
        match ControlPlan::parse("draft", &text) {
            Ok(_) => return Ok(text),
            Err(errors) => faults = Some(errors),
        }
    }
    let failure = Failure::check("no draft of these readings passes the check");
    Err(match faults {
        Some(errors) => failure.caused_by(errors),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(file: &str, content: &str) -> Result<(String, String), Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        std::fs::write(&path, content).unwrap();
        let init = Init {
            from: path.into(),
            out: None,
            machine: None,
            time: None,
            format: Format::default(),
        };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        init.run(&mut out, &mut notes)?;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok((text(out), text(notes)))
    }

    /// Sixty readings of two machines; `row` makes one from its number and a value that varies.
    fn readings(row: impl Fn(usize, f64) -> String) -> String {
        (0..60)
            .map(|n| {
                let value = (f64::from(u32::try_from(n).unwrap()) * 0.618_033_988_75).fract();
                row(n, 40.0 + (value * 100.0).round() / 10.0) + "\n"
            })
            .collect()
    }

    #[test]
    fn a_draft_names_what_was_guessed() {
        let (plan, notes) = init(
            "readings.ndjson",
            &readings(|n, value| {
                format!(
                    r#"{{"machine":"m{}","time":"2026-11-20T00:00:{n:02}Z","grade":"{}","torque":{value},"wear":{},"mode":1}}"#,
                    n % 2,
                    if n % 3 == 0 { "L" } else { "M" },
                    n / 2
                )
            }),
        )
        .unwrap();
        assert_eq!(
            notes,
            "machine: /machine (by its name; 2 different)\ntime: /time (by its name; RFC 3339)\n"
        );
        for expected in [
            "60 readings of 2 machines, 2026-11-20T00:00:00.000Z to 2026-11-20T00:00:59.000Z",
            "    grade: /grade  # 2 texts: L, M",
            "  torque: {at: /torque}  # n 60, ",
            "  - id: torque-individuals\n    chart: {type: individuals, characteristic: torque, center: ",
            "  - id: torque-specification\n",
            "# wear\n  # It rises and starts over",
            "# mode\n  # It never varies",
            "  - id: gap\n    gap: {seconds: 10}",
        ] {
            assert!(plan.contains(expected), "{expected}\n{plan}");
        }
        assert!(!plan.contains("id: wear-individuals") && !plan.contains("id: mode-individuals"));
    }

    #[test]
    fn names_that_need_it_are_quoted_and_made_into_identifiers() {
        let (plan, _) = init(
            "readings.csv",
            &format!(
                "Machine ID;Time;Torque [Nm];max;\"a: #b\";토크\n{}",
                readings(|n, value| format!(
                    "m{};{};{value};{value};{value};{value}",
                    n % 2,
                    1_795_132_800 + n
                ))
            ),
        )
        .unwrap();
        for expected in [
            "  machine: \"/Machine ID\"",
            "  time: /Time  # by its name; seconds since 1970",
            "  Torque: {at: \"/Torque [Nm]\", unit: Nm}",
            "  max_value: {at: /max}",
            "  a_b: {at: \"/a: #b\"}",
            "  tokeu: {at: \"/토크\"}",
            "  - id: torque-individuals",
        ] {
            assert!(plan.contains(expected), "{expected}\n{plan}");
        }
    }

    #[test]
    fn many_characteristics_still_make_a_plan_that_passes() {
        let (plan, _) = init(
            "readings.ndjson",
            &readings(|n, value| {
                let values: Vec<String> = (0..300).map(|c| format!("\"c{c}\":{value}")).collect();
                format!(
                    "{{\"machine\":\"m\",\"time\":{},{}}}",
                    1_795_132_800 + n,
                    values.join(",")
                )
            }),
        )
        .unwrap();
        assert!(plan.contains("  c299: {at: /c299}"), "{plan}");
    }

    #[test]
    fn what_a_plan_does_not_take_is_left_out_or_renamed() {
        let (plan, _) = init(
            "readings.ndjson",
            &readings(|n, value| {
                let tags: Vec<String> = (0..120)
                    .map(|tag| format!("\"tag{tag}\":{}", (n + tag) % 2 == 0))
                    .collect();
                // A reading a week.
                format!(
                    r#"{{"machine":"m","time":{},"T":{value},"t":{value},"1{}":{value},{}}}"#,
                    1_600_000_000 + n * 604_800,
                    "x".repeat(80),
                    tags.join(",")
                )
            }),
        )
        .unwrap();
        for expected in [
            "  T: {at: /T}",
            "  t_2: {at: /t}",
            "    tag99: /tag99",
            "# left out: /tag100: a plan takes 100 attributes",
            "gap: {seconds: 604800}",
        ] {
            assert!(plan.contains(expected), "{expected}\n{plan}");
        }
    }

    #[test]
    fn files_without_readings_are_refused() {
        #[track_caller]
        fn check(content: &str, expected: &str) {
            let failure = init("readings.ndjson", content).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().contains(expected), "{failure}");
        }
        check("", "holds no readings");
        check("not json\n", "holds no readings");
        check(
            "{\"machine\":\"m\",\"time\":1795132800}\n",
            "no numbers to judge",
        );
    }
}
