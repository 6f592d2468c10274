//! What stands where in a reading: machine, time, line and id, by the names that are usual and by what they hold.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use quality_event::Timestamp;

use super::scan::{Cell, Column, Scan};
use crate::failure::Failure;

const MACHINES: [&str; 24] = [
    "machine",
    "machineid",
    "machinename",
    "equipment",
    "equipmentid",
    "asset",
    "assetid",
    "device",
    "deviceid",
    "station",
    "stationid",
    "press",
    "robot",
    "sensor",
    "sensorid",
    "unitid",
    "source",
    "host",
    "server",
    "node",
    "sessionid",
    "session",
    "playerid",
    "userid",
];
const TIMES: [&str; 17] = [
    "time",
    "timestamp",
    "ts",
    "datetime",
    "eventtime",
    "readingtime",
    "measuredat",
    "recordedat",
    "takenat",
    "createdat",
    "timestampms",
    "epochms",
    "epoch",
    "unixtime",
    "date",
    "at",
    "t",
];
const LINES: [&str; 8] = [
    "line",
    "lineid",
    "linename",
    "productionline",
    "area",
    "hall",
    "plant",
    "site",
];
const IDS: [&str; 9] = [
    "readingid",
    "id",
    "eventid",
    "messageid",
    "recordid",
    "uuid",
    "guid",
    "msgid",
    "uid",
];

/// The columns that name a reading, and why each was taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) machine: Role,
    pub(super) time: Role,
    pub(super) line: Option<Role>,
    pub(super) id: Option<Role>,
}

/// A column, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) column: usize,
    pub(super) reason: String,
}

/// Finds them; what the user has named is taken as it is.
pub(super) fn find(
    scan: &Scan,
    machine: Option<&str>,
    time: Option<&str>,
) -> Result<Roles, Failure> {
    let time = match time {
        Some(pointer) => {
            let time = told(scan, pointer, "--time")?;
            is_time(&scan.columns[time.column], pointer)?;
            time
        }
        None => time_of(scan)?,
    };
    let machine = match machine {
        Some(pointer) => {
            let machine = told(scan, pointer, "--machine")?;
            is_machine(&scan.columns[machine.column], pointer)?;
            machine
        }
        None => machine_of(scan, time.column)?,
    };
    let taken = [machine.column, time.column];
    let others = |names: &[&str], test: &dyn Fn(&Column) -> bool| {
        by_name(scan, names, &|at, column| {
            !taken.contains(&at) && test(column)
        })
    };
    let line = others(&LINES, &|line| {
        belongs_together(scan, &scan.columns[machine.column], line)
    });
    let id = others(&IDS, &|column| is_unique(scan, column));
    let named = |column: usize, what: String| Role {
        column,
        reason: format!("by its name; {what}"),
    };
    let texts = |column: usize| {
        let names = names(scan, &scan.columns[column]).len();
        format!("{names} different")
    };
    Ok(Roles {
        machine,
        time,
        line: line.map(|column| named(column, texts(column))),
        id: id.map(|column| named(column, "different in every reading".to_owned())),
    })
}

fn told(scan: &Scan, pointer: &str, option: &str) -> Result<Role, Failure> {
    let column = scan.find(pointer).ok_or_else(|| {
        Failure::input(format_args!(
            "{option}: no reading has a value at {pointer}"
        ))
        .cure(format_args!("there are: {}", pointers(scan, |_| true)))
    })?;
    Ok(Role {
        column,
        reason: format!("by {option}"),
    })
}

/// What is told to be the time has to be one that a plan reads.
fn is_time(column: &Column, pointer: &str) -> Result<(), Failure> {
    if holds_times(column) {
        return Ok(());
    }
    let other = column
        .present()
        .find(|cell| instant(column, *cell).is_none());
    Err(Failure::input(format_args!(
        "--time: {pointer} holds {}, which is no time that a plan reads: RFC 3339 with an offset, or seconds or \
         milliseconds since 1970",
        written(column, other)
    ))
    .cure("write the times in one of these forms, in the file and on the stream"))
}

/// Likewise the machine.
fn is_machine(column: &Column, pointer: &str) -> Result<(), Failure> {
    let names = column.present().filter(is_name).count();
    if names * 10 >= column.present().count() * 9 {
        return Ok(());
    }
    let other = column.present().find(|cell| !is_name(cell));
    Err(Failure::input(format_args!(
        "{pointer} holds {}, which is no name: a plan reads texts and whole numbers",
        written(column, other)
    ))
    .cure("name another column with --machine /POINTER, or write the names as text, in the file and on the stream"))
}

fn is_name(cell: &Cell) -> bool {
    matches!(cell, Cell::Text(_) | Cell::Number(_))
}

/// As data frames write whole numbers of which some are missing.
fn is_whole_with_decimals(cell: Cell) -> bool {
    matches!(cell, Cell::Decimal(number) if number.fract() == 0.0)
}

fn written(column: &Column, cell: Option<Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => {
            let text = usize::try_from(text)
                .ok()
                .and_then(|at| column.texts.get(at));
            format!("`{}`", text.map_or("", String::as_str))
        }
        Some(Cell::Number(number) | Cell::Decimal(number)) => format!("{number:?}"),
        Some(Cell::Boolean(boolean)) => boolean.to_string(),
        Some(Cell::Absent) | None => "nothing".to_owned(),
    }
}

fn time_of(scan: &Scan) -> Result<Role, Failure> {
    let is_time = |column: &Column| is_in_most(scan, column) && holds_times(column);
    if let Some(column) = by_name(scan, &TIMES, &|_, column| is_time(column)) {
        return Ok(Role {
            column,
            reason: format!("by its name; {}", time_form(&scan.columns[column])),
        });
    }
    // Large numbers may be anything; texts of this form are not.
    let found = scan.columns.iter().position(|column| {
        is_time(column) && matches!(column.present().next(), Some(Cell::Text(_)))
    });
    match found {
        Some(column) => Ok(Role {
            column,
            reason: format!("by what it holds; {}", time_form(&scan.columns[column])),
        }),
        None => {
            let near = pointers(scan, |column| {
                column.texts.iter().take(3).any(|text| {
                    text.len() >= 8
                        && text.bytes().filter(u8::is_ascii_digit).count() >= 6
                        && text.contains(['-', '/', ':', '.'])
                })
            });
            let (near, cure) = if near.is_empty() {
                (String::new(), "name it with --time /POINTER")
            } else {
                (
                    format!("; dates in another form may stand at {near}"),
                    "write those dates in one of these forms, in the file and on the stream, or name another column with \
                     --time /POINTER",
                )
            };
            Err(Failure::input(format_args!(
                "no time found: a plan reads RFC 3339 with an offset, or seconds or milliseconds since 1970{near}"
            ))
            .cure(cure))
        }
    }
}

fn machine_of(scan: &Scan, time: usize) -> Result<Role, Failure> {
    let is_name =
        |column: &Column| is_in_most(scan, column) && column.present().all(|cell| is_name(&cell));
    let count = |column: usize| names(scan, &scan.columns[column]).len();
    if let Some(column) = by_name(scan, &MACHINES, &|at, column| at != time && is_name(column)) {
        return Ok(Role {
            column,
            reason: format!("by its name; {} different", count(column)),
        });
    }
    let unusable = by_name(scan, &MACHINES, &|at, column| {
        at != time && is_in_most(scan, column) && column.present().all(is_whole_with_decimals)
    });
    if let Some(column) = unusable.map(|at| &scan.columns[at]) {
        is_machine(column, &column.pointer())?;
    }
    let candidates: Vec<usize> = (0..scan.columns.len())
        .filter(|at| *at != time && is_name(&scan.columns[*at]))
        .filter(|at| matches!(scan.columns[*at].present().next(), Some(Cell::Text(_))))
        .filter(|at| (1..=scan.readings / 5).contains(&count(*at)))
        .collect();
    match candidates.as_slice() {
        [column] => Ok(Role {
            column: *column,
            reason: format!(
                "the only text that repeats in every reading; {} different",
                count(*column)
            ),
        }),
        [] => Err(Failure::input(
            "no machine found: no text or whole number repeats in every reading",
        )
        .cure("name it with --machine /POINTER")),
        several => {
            let listed: Vec<String> = several
                .iter()
                .map(|at| format!("{} ({} different)", scan.columns[*at].pointer(), count(*at)))
                .collect();
            Err(Failure::input(format_args!(
                "no machine found by name; it may be {}",
                listed.join(", ")
            ))
            .cure("name it with --machine /POINTER"))
        }
    }
}

/// The first column of the usual names, in the order of the names.
fn by_name(scan: &Scan, names: &[&str], test: &dyn Fn(usize, &Column) -> bool) -> Option<usize> {
    names.iter().find_map(|name| {
        scan.columns.iter().enumerate().position(|(at, column)| {
            column
                .tokens
                .last()
                .is_some_and(|last| plain(last) == *name)
                && test(at, column)
        })
    })
}

/// Letters and digits in lower case.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_in_most(scan: &Scan, column: &Column) -> bool {
    column.present().count() * 10 >= scan.readings * 9
}

/// Nine in ten are times: RFC 3339, or seconds or milliseconds of this century.
fn holds_times(column: &Column) -> bool {
    let (mut times, mut all) = (0, 0);
    for cell in column.present().take(1_000) {
        all += 1;
        times += usize::from(instant(column, cell).is_some());
    }
    all > 0 && times * 10 >= all * 9
}

/// The instant in milliseconds.
pub(super) fn instant(column: &Column, cell: Cell) -> Option<i64> {
    match cell {
        Cell::Text(text) => {
            let text = column.texts.get(usize::try_from(text).ok()?)?;
            text.parse().ok().map(Timestamp::as_millis)
        }
        Cell::Number(seconds) | Cell::Decimal(seconds) if (9.4e8..4.2e9).contains(&seconds) => {
            Some((seconds * 1_000.0).round() as i64)
        }
        Cell::Number(ms) | Cell::Decimal(ms) if (9.4e11..4.2e12).contains(&ms) => {
            Some(ms.round() as i64)
        }
        _ => None,
    }
}

fn time_form(column: &Column) -> &'static str {
    match column.present().next() {
        Some(Cell::Number(number) | Cell::Decimal(number)) if number < 1e11 => "seconds since 1970",
        Some(Cell::Number(_) | Cell::Decimal(_)) => "milliseconds since 1970",
        _ => "RFC 3339",
    }
}

/// Every machine is on one line, and the lines are fewer.
fn belongs_together(scan: &Scan, machine: &Column, line: &Column) -> bool {
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reading in 0..scan.readings {
        if let (Some(machine), Some(line)) = (machine.name(reading), line.name(reading)) {
            lines.entry(machine).or_default().insert(line);
        }
    }
    !lines.is_empty()
        && lines.values().all(|lines| lines.len() == 1)
        && lines.values().flatten().collect::<BTreeSet<_>>().len() <= lines.len()
}

fn is_unique(scan: &Scan, column: &Column) -> bool {
    let mut seen = HashSet::new();
    let all_differ = (0..scan.readings)
        .filter_map(|reading| column.name(reading))
        .all(|name| seen.insert(name));
    all_differ && is_in_most(scan, column) && seen.len() > 1
}

/// The different names in a column.
pub(super) fn names(scan: &Scan, column: &Column) -> BTreeSet<String> {
    (0..scan.readings)
        .filter_map(|reading| column.name(reading))
        .collect()
}

fn pointers(scan: &Scan, test: impl Fn(&Column) -> bool) -> String {
    let pointers: Vec<String> = scan
        .columns
        .iter()
        .filter(|column| test(column))
        .take(20)
        .map(Column::pointer)
        .collect();
    pointers.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::scan::tests::scan;
    use super::*;

    fn found(line: &str, machine: Option<&str>, time: Option<&str>) -> Result<String, String> {
        let lines: Vec<String> = (0..20)
            .map(|n| {
                line.replace("#", &(n % 2).to_string())
                    .replace('@', &format!("2026-11-20T00:00:{n:02}Z"))
                    .replace('%', &(n + 10).to_string())
            })
            .collect();
        let scan = scan(&lines.join("\n"));
        let roles = find(&scan, machine, time).map_err(|failure| failure.to_string())?;
        let pointer = |role: &Role| scan.columns[role.column].pointer();
        let optional = |role: &Option<Role>| role.as_ref().map_or("-".to_owned(), pointer);
        Ok(format!(
            "{} {} {} {}",
            pointer(&roles.machine),
            pointer(&roles.time),
            optional(&roles.line),
            optional(&roles.id)
        ))
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(found(line, None, None).as_deref(), Ok(expected));
    }

    #[test]
    fn usual_names_are_known() {
        check(
            r#"{"machine":"m#","line":"L#","time":"@","reading_id":"r%","x":%}"#,
            "/machine /time /line /reading_id",
        );
        check(
            r#"{"meta":{"deviceId":#},"ts":17951328%,"x":1}"#,
            "/meta/deviceId /ts - -",
        );
        check(
            r#"{"Asset ID":"a","Timestamp":"@","id":"same"}"#,
            "/Asset ID /Timestamp - -",
        );
    }

    #[test]
    fn what_a_column_holds_tells_too() {
        check(r#"{"wann":"@","wo":"halle-#","x":1.5}"#, "/wo /wann - -");
    }

    #[test]
    fn a_line_that_varies_within_a_machine_is_none() {
        check(
            r#"{"machine":"m","line":"L#","time":"@"}"#,
            "/machine /time - -",
        );
    }

    #[test]
    fn what_is_told_counts() {
        let line = r#"{"a":"m#","b":"n#","t":"@"}"#;
        assert_eq!(found(line, Some("/b"), None).as_deref(), Ok("/b /t - -"));
        let dates = r#"{"machine":"a","when":"20.11.2026 00:00:01","x":1.5}"#;
        let error = found(dates, None, Some("/when")).unwrap_err();
        assert!(
            error.contains("/when holds `20.11.2026 00:00:01`, which is no time"),
            "{error}"
        );
        let error = found(r#"{"machine":"a","t":"@","x":1.5}"#, Some("/x"), None).unwrap_err();
        assert!(error.contains("/x holds 1.5, which is no name"), "{error}");
        // The only other text is not taken instead.
        let data_frame = r#"{"machine_id":7.0,"t":"@","status":"ok","x":1.5}"#;
        let error = found(data_frame, None, None).unwrap_err();
        assert!(
            error.contains("/machine_id holds 7.0, which is no name"),
            "{error}"
        );
        let error = found(line, Some("/c"), None).unwrap_err();
        assert!(
            error.contains("--machine: no reading has a value at /c")
                && error.contains("/a, /b, /t")
        );
    }

    #[test]
    fn candidates_are_named_where_nothing_is_clear() {
        let error = found(r#"{"a":"m#","b":"n#","t":"@"}"#, None, None).unwrap_err();
        assert!(
            error.contains("it may be /a (2 different), /b (2 different)"),
            "{error}"
        );
        let error = found(
            r#"{"machine":"a","when":"20.11.2026 00:00:01"}"#,
            None,
            None,
        )
        .unwrap_err();
        assert!(
            error.contains("no time found") && error.contains("at /when"),
            "{error}"
        );
        let error = found(r#"{"time":"@","x":1.5}"#, None, None).unwrap_err();
        assert!(error.contains("no machine found"), "{error}");
    }
}
