//! A row the quick way is the row that the language makes.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::{About, Bundled, Failed, Program, Verdict};

const DECLARED: &str = r#"{"partition_keys": [], "input": {"type": "object", "required": ["t"], "properties":
        {"t": {"type": "string"}, "n": {"type": "integer"}, "o": {"type": "object"}}}}"#;

fn compile(source: &str) -> Program {
    Program::compile("p", source, DECLARED).unwrap()
}

fn outcome(program: &Program, payload: &[u8]) -> (Result<Verdict, Failed>, String) {
    let about = About {
        arrived_ms: Some(1_795_136_523_456),
        shard: Some("shardId-000000000006"),
        sequence_number: Some("49\"59"),
        sub_sequence_number: Some(3),
        ..About::default()
    };
    let mut rows = Vec::new();
    let verdict = program.runner().run(payload, &about, &mut rows);
    (verdict, String::from_utf8(rows).unwrap())
}

/// The same by the language alone.
fn whole(source: &str) -> Program {
    let mut whole = compile(source);
    whole.row = None;
    whole
}

/// A record of each program that comes along, field by field.
const SOUND: &[(&str, &[(&str, &str)])] = &[
    (
        "clickstream",
        &[
            ("event_id", "\"c-1\""),
            ("session", "\"s-1\""),
            ("shop", "\"eu\""),
            ("time", "1795135923976"),
            ("type", "\"view\""),
            ("url", "\"https://eu.shop.example/p36?q=lamp#top\""),
            ("referrer", "\"https://search.example/\""),
            ("user_agent", "\"Mozilla/5.0 (X11)\""),
            ("ip", "\"203.0.113.132\""),
            ("campaign", "null"),
            ("amount", "12.5"),
        ],
    ),
    (
        "game-activity",
        &[
            ("user_id", "\"u-1\""),
            ("premium", "false"),
            ("age", "16"),
            ("location", "\"Seoul\""),
            ("playing_time", "83.0"),
            ("gold", "66510"),
        ],
    ),
    (
        "press-readings",
        &[
            ("machine", "\"press-01\""),
            ("line", "\"L1\""),
            ("time", "\"2026-11-20T00:00:00.000Z\""),
            ("grade", "\"L\""),
            (
                "measurements",
                "{\"torque\":51.1,\"tool_wear\":0,\"a\":null}",
            ),
        ],
    ),
    (
        "quality-events",
        &[
            ("id", "\"a64e\""),
            ("kind", "\"violation\""),
            ("severity", "\"info\""),
            ("reaction", "\"notify\""),
            ("machine", "\"press-02\""),
            ("time", "\"2026-11-20T00:48:04.500+01:00\""),
            ("arrived", "\"2026-11-21T02:37:13.609Z\""),
            ("tests", "[\"1\",\"2\"]"),
            ("values", "{\"torque\":227.0}"),
            ("summary", "\"a \\\"worn\\\" tool\""),
            ("plan", "\"sha256:6ee1\""),
            (
                "source",
                "{\"shard\":\"s\",\"sub_sequence_number\":null,\"line\":7}",
            ),
        ],
    ),
];

/// Some JSON, and some that is none.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "7",
        "-0",
        "-0.0",
        "1.50",
        "1E3",
        "1e999",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "0.1",
        "\"\"",
        "\"text\"",
        "\"\\u00e9\\n\\\"\"",
        "\"\\ud800\"",
        "\"\u{7f}é\u{2028}\"",
        "\"a\tb\"",
        "\"2026-11-20T01:02:03.456Z\"",
        "\"/p?x#y\"",
        "\"Googlebot\"",
        "tru",
        "",
        " 7 ",
    ]);
    scalar
        .prop_map(str::to_owned)
        .prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec((name(), inner), 0..4).prop_map(|fields| object(&fields)),
            ]
        })
}

fn name() -> impl Strategy<Value = String> {
    let names = SOUND
        .iter()
        .flat_map(|(_, fields)| fields.iter().map(|(name, _)| *name));
    let more = [
        "t",
        "n",
        "o",
        "k",
        "x",
        "torque",
        "shard",
        "line",
        "",
        "t\\u0069me",
        "\\ud800",
    ];
    prop::sample::select(names.chain(more).collect::<Vec<_>>()).prop_map(str::to_owned)
}

fn object(fields: &[(String, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

static BUNDLED: LazyLock<Vec<(Program, Program)>> = LazyLock::new(|| {
    let compile = |bundled: &Bundled| bundled.compile().unwrap();
    let pair = |bundled| {
        let (quick, mut whole) = (compile(bundled), compile(bundled));
        assert!(quick.row.is_some());
        whole.row = None;
        (quick, whole)
    };
    Bundled::all().iter().map(pair).collect()
});

static PAIRS: LazyLock<Vec<(Program, Program)>> = LazyLock::new(|| {
    PARTED
        .iter()
        .map(|source| (compile(source), whole(source)))
        .collect()
});

/// The program gives what the language itself gives; whether it is run in parts is `parted`.
#[track_caller]
fn check(parted: bool, source: &str) {
    let (program, whole) = (compile(source), whole(source));
    assert_eq!(program.row.is_some(), parted, "{source}");
    for payload in [
        r#"{"t": "text"}"#,
        r#"{"t": "2026-11-20T01:02:03Z", "n": 7, "o": {"k": [1, {"l": "\"é"}], "d e": 1.50}, "x": null}"#,
        r#"{"t": "", "n": 0, "o": {"k": []}, "x": true, "model": "m"}"#,
        r#"{"t": "a", "x": {"k": 5, "y": {"k": 6}}}"#,
        // The last one counts, and what stood in the first is gone.
        r#"{"o": {"k": [1], "d e": 2}, "t": "a", "n": 7, "o": {}}"#,
    ] {
        let (found, expected) = (
            outcome(&program, payload.as_bytes()),
            outcome(&whole, payload.as_bytes()),
        );
        assert_eq!(found, expected, "{source}\n{payload}");
    }
}

const PARTED: &[&str] = &[
    r#". = {"t": .t}"#,
    r#". = {"z": .o.k[1].l, "a": .absent, "m": .o."d e", "%": %shard, "all": .}"#,
    r#". = {"\"quoted\" é": .n, "nothing": null, "seven": 7}"#,
    r#"if exists(.x) { abort }
. = {"t": .t}"#,
    r#"x = upcase(.t)
.n = 8
.t = "changed"
. = {"n": .n, "t": .t, "x": x, "y": downcase(x) + "!"}"#,
    r#"x = 1
. = {
    "later": { x >= 1 }, # a block
    "inner": {"o": .o, "x": x},
    "earlier": [x, .n],
    "either": .absent || "or",
    "model": .model,
}"#,
    r#". = {"t": parse_timestamp!(.t, "%+"), "n": .n}"#,
    r#". = {"a": .n, "t": to_int!(.t), "o": .o}"#,
    r#". = {"if": { if exists(.n) { .n } else { abort } }, "t": .t}"#,
    // The record as it came.
    "if exists(.x) { abort }",
    "if upcase(.t) == \"TEXT\" || . == {\"t\": .n} { abort }",
    // Places that are changed, within others that are read.
    r#".o.k = [1]
. = {"o": .o, "k": .o.k[0], "t": .t}"#,
    r#".o.j = .o.k
.absent.x[1] = .t
. = {"j": .o.j, "k": .o.k, "absent": .absent.x, "t": .t}"#,
    r#"del(.o.k)
. = {"k": .o.k, "o": exists(.o.k), "t": .t}"#,
    r#"n = del(.n)
. = {"n": .n, "was": n, "t": .t}"#,
    r#". |= {"new": .t}
. = {"all": ., "new": .new}"#,
    r#". = {"t": {"t": .t}}
. = {"t": .t.t, "o": .o}"#,
    r#". = {"a": .o.k || [], "b": (to_int(.t) ?? 1), "c": upcase(.t)}"#,
    // The same place more than once.
    r#". = {"a": .t, "b": .t, "c": .o, "d": .o.k, "e": .o, "f": ., "g": .}"#,
    // An index makes an array of an object.
    r#".x[0] = 1
. = {"k": .x.k, "x": .x, "t": .t}"#,
    r#". = {"a": to_int!(.t), "b": to_float!(.t)}"#,
];

/// Statements of programs made at random, and values of their rows.
const STATEMENTS: &[&str] = &[
    "if exists(.x) { abort }",
    "if exists(.x) { .n = 8 } else { .o.k = .t }",
    ".n = 8",
    ".t = upcase(.t)",
    ".o.k = .n",
    ".o.j = .o",
    ".x[0] = .t",
    ".o.k[-1] = .o",
    ".x.k[1].z = .t",
    "del(.o.k)",
    "del(.x)",
    ". |= {\"x\": .o}",
    ". = {\"t\": .o, \"o\": .t}",
    ".x = to_int!(.x)",
    ".x = to_int(.t) ?? .o.k",
];

const EXPRESSIONS: &[&str] = &[
    ".",
    ".t",
    ".n",
    ".o",
    ".o.k",
    ".o.k.k",
    ".o.k[0]",
    ".o[0]",
    ".x",
    ".x.k",
    "(.t)",
    "%shard",
    "[.o, .n]",
    "{\"o\": .o.k}",
    "exists(.o.j)",
    "to_int!(.t)",
    "to_float!(.x)",
    "to_string!(.o.k)",
    "(to_int(.x) ?? 1)",
    "{ if exists(.x) { abort } else { .o } }",
];

#[test]
fn a_row_in_parts_is_the_row_of_the_whole() {
    for source in PARTED {
        check(true, source);
    }
}

#[test]
fn what_parts_could_change_is_run_as_a_whole() {
    for source in [
        ".n = 1",
        ". = [{\"t\": .t}]",
        ".o = {\"t\": .t}",
        ". = {}",
        ". |= {\"u\": .t}",
        "x = {\"t\": .t}\n. = x",
        ". = {\"t\": .t, \"t\": .n}",
        ". = {\"b\": { .t = \"changed\"; 1 }, \"c\": .t, \"a\": .t}",
        "x = 1\n. = {\"b\": { x = x + 1; x }, \"c\": .t, \"a\": x}",
        ". = {\"b\": del(.t), \"c\": .t, \"a\": .t}",
        "if exists(.n) { return null }\n. = {\"t\": .t}",
        "if exists(.n) { . = {\"t\": .t} }",
        // The types of the language lose this one.
        "x = { if exists(.n) { return null } else { 4 } } / 2\n. = {\"t\": .t, \"x\": x}",
        // By name, the second fails first.
        ". = {\"b\": to_int!(.t), \"a\": to_float!(.t)}",
        ". = {\"b\": { if exists(.n) { abort } else { 1 } }, \"a\": to_float!(.t)}",
        ". = {\"t\": .t, \"about\": %}",
        "del(.n)",
    ] {
        check(false, source);
    }
}

#[test]
fn errors_point_into_the_program() {
    let source = "x = .t\n. = {\n  \"a\": .n,\n  \"t\": to_int!(x)\n}";
    let program = compile(source);
    assert!(program.row.is_some());
    let (verdict, rows) = outcome(&program, br#"{"t": "text"}"#);
    assert_eq!(rows, "");
    let said = verdict.unwrap_err().to_string();
    assert!(said.contains("in line 4"), "{said}");
}

proptest! {
    #[test]
    fn any_payload_gives_the_same_either_way(
        changes in prop::collection::vec((any::<prop::sample::Index>(), name(), json(), 0..4_u8), 0..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        for ((quick, whole), (_, sound)) in BUNDLED.iter().zip(SOUND) {
            let mut fields: Vec<(String, String)> = sound.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            for (place, name, value, change) in &changes {
                let place = place.index(fields.len());
                match change {
                    0 => fields[place].1.clone_from(value),
                    1 => fields.insert(place, (name.clone(), value.clone())),
                    2 => fields.rotate_left(place),
                    _ if fields.len() > 1 => drop(fields.remove(place)),
                    _ => {}
                }
            }
            let mut payload = object(&fields);
            if let Some(cut) = cut {
                let place = cut.index(payload.len());
                payload.truncate(payload.floor_char_boundary(place));
            }
            prop_assert_eq!(outcome(quick, payload.as_bytes()), outcome(whole, payload.as_bytes()), "{}", payload);
        }
    }

    #[test]
    fn any_json_gives_the_same_either_way(o in json(), n in json(), more in prop::collection::vec((name(), json()), 0..4)) {
        let mut fields = vec![("t".to_owned(), "\"text\"".to_owned()), ("o".to_owned(), o), ("n".to_owned(), n)];
        fields.extend(more);
        let payload = object(&fields);
        for (quick, whole) in PAIRS.iter() {
            prop_assert_eq!(outcome(quick, payload.as_bytes()), outcome(whole, payload.as_bytes()), "{}\n{}", payload, quick.source());
        }
    }

    /// Not only the payloads are any: so are the programs.
    #[test]
    fn any_program_gives_the_same_either_way(
        statements in prop::collection::vec(prop::sample::select(STATEMENTS), 0..4),
        row in prop::collection::vec(prop::sample::select(EXPRESSIONS), 1..6),
        order in Just(["a", "b", "c", "d", "e"]).prop_shuffle(),
        payloads in prop::collection::vec((json(), json(), prop::option::of(json())), 1..4),
    ) {
        let fields: Vec<String> = order.iter().zip(row).map(|(name, value)| format!("\"{name}\": {value}")).collect();
        let source = format!("{}\n. = {{{}}}", statements.join("\n"), fields.join(", "));
        let Ok(quick) = Program::compile("p", &source, DECLARED) else {
            return Ok(());
        };
        let whole = whole(&source);
        for (o, k, x) in payloads {
            let x = x.map_or_else(String::new, |x| format!(",\"x\":{x}"));
            for o in [o, format!("{{\"k\":{k},\"j\":7}}")] {
                let payload = format!("{{\"t\":\"text\",\"n\":7,\"o\":{o}{x}}}");
                prop_assert_eq!(outcome(&quick, payload.as_bytes()), outcome(&whole, payload.as_bytes()), "{}\n{}", payload, source);
            }
        }
    }

    #[test]
    fn any_text_and_number_pass_either_way(t: String, n: i64, x: f64) {
        let payload = serde_json::json!({"t": t, "n": n, "x": x, "o": {"k": [t]}}).to_string();
        for (program, whole) in PAIRS.iter() {
            let expected = outcome(whole, payload.as_bytes());
            prop_assert_eq!(outcome(program, payload.as_bytes()), expected, "{}", program.source());
        }
    }
}
