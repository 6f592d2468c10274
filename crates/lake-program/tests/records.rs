//! What becomes of records, whatever they are.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::LazyLock;

use lake_program::{About, Bundled, Program, Verdict};
use proptest::prelude::*;

/// The rows of one record, or `dropped`, or the reason why there are none and the words for it.
fn run(program: &Program, payload: &[u8], about: &About<'_>) -> String {
    let mut rows = b"before\n".to_vec();
    let verdict = program.runner().run(payload, about, &mut rows);
    let rows = String::from_utf8(rows).unwrap();
    let rows = rows.strip_prefix("before\n").unwrap();
    match verdict {
        Ok(Verdict::Kept { partition }) => format!("{} {rows}", partition.join(" ")),
        Ok(Verdict::Dropped) => {
            assert_eq!(rows, "");
            "dropped".into()
        }
        Err(failed) => {
            assert_eq!(rows, "");
            format!("{}: {failed}", failed.as_str())
        }
    }
}

fn program(source: &str) -> Program {
    let declared = r#"{"partition_keys": ["key"], "input": {"type": "object", "properties": {"n": {"type": "integer"}}}}"#;
    Program::compile("p", source, declared).unwrap()
}

#[track_caller]
fn check(source: &str, payload: &[u8], expected: &str) {
    let found = run(&program(source), payload, &About::default());
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(payload));
}

const KEYED: &str = "%key = .key";

#[test]
fn a_record_is_a_row_or_there_is_a_reason() {
    check(
        KEYED,
        br#"{"key": "a", "n": 1}"#,
        "a {\"key\":\"a\",\"n\":1}\n",
    );
    check(KEYED, b" {} ", "unknown {}\n");
    check(KEYED, b"", "empty: the payload is empty");
    check(KEYED, b" \n", "empty: the payload is empty");
    for no_object in ["null", "7", "\"a\"", "[{}]"] {
        let found = run(&program(KEYED), no_object.as_bytes(), &About::default());
        assert_eq!(found, "not-as-declared: the payload is not as declared");
    }
    check(
        KEYED,
        b"{\"key\": }",
        "not-json: the payload is not JSON: broken at line 1, column 9",
    );
    check(
        KEYED,
        b"{} {}",
        "not-json: the payload is not JSON: broken at line 1, column 4",
    );
    check(
        KEYED,
        b"{\"key\": \"\xff\"}",
        "not-json: the payload is not JSON: broken at line 1, column 10",
    );
    check(
        KEYED,
        b"{\"x\": 1e999}",
        "not-json: the payload is not JSON: broken at line 1, column 11",
    );
    check(
        KEYED,
        br#"{"n": 1.5}"#,
        "not-as-declared: the payload is not as declared",
    );
}

#[test]
fn deep_nesting_ends_at_127_levels() {
    let nested = |levels: usize| format!("{{\"x\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let kept = run(&program(KEYED), nested(126).as_bytes(), &About::default());
    assert!(kept.starts_with("unknown {"), "{kept}");
    let refused = run(&program(KEYED), nested(127).as_bytes(), &About::default());
    assert!(refused.starts_with("too-deep: "), "{refused}");
    let refused = run(
        &program(KEYED),
        nested(1_000_000).as_bytes(),
        &About::default(),
    );
    assert!(refused.starts_with("too-deep: "), "{refused}");
}

#[test]
fn a_program_keeps_drops_multiplies_or_fails() {
    check("%key = 7\nabort", b"{}", "dropped");
    check("%key = true\n. = []", b"{}", "dropped");
    check(
        "%key = 7\n. = [{\"a\": 1}, {\"a\": 2}]",
        b"{}",
        "7 {\"a\":1}\n{\"a\":2}\n",
    );
    check(
        "%key = 7\n. = [{\"a\": 1}, 2]",
        b"{}",
        "no-row: the program left integer, not an object or an array of objects",
    );
    check(
        "%key = 7\n. = \"text\"",
        b"{}",
        "no-row: the program left string, not an object or an array of objects",
    );
    let failed = run(
        &program("%key = .key\n.time = parse_timestamp!(.time, \"%+\")"),
        br#"{"time": "a secret"}"#,
        &About::default(),
    );
    assert_eq!(
        failed,
        "program-failed: the program failed: function call error for \"parse_timestamp\" in line 2: the text is no timestamp of this format"
    );
}

#[test]
fn rows_are_one_line_each_and_text_is_escaped() {
    check(
        KEYED,
        br#"{"key": "a\nb/../", "t": "\u2028 \ud83d\ude00"}"#,
        "a_b_.._ {\"key\":\"a\\nb/../\",\"t\":\"\u{2028} 😀\"}\n",
    );
}

#[test]
fn what_is_known_of_a_record_stands_under_percent() {
    let about = About {
        arrived_ms: Some(1_795_136_523_456),
        shard: Some("shardId-000000000006"),
        sequence_number: Some("4959"),
        sub_sequence_number: Some(3),
        partition_key: Some("press-07"),
        log_group: Some("/aws/lambda/f"),
        log_stream: Some("s"),
        log_event: Some("e"),
    };
    let source = "%key = %partition_key\n. = [%arrived, %shard, %sequence_number, %sub_sequence_number, %log_group, %log_stream, %log_event]\n. = {\"all\": .}";
    assert_eq!(
        run(&program(source), b"{}", &about),
        "press-07 {\"all\":[\"2026-11-20T01:02:03.456Z\",\"shardId-000000000006\",\"4959\",3,\"/aws/lambda/f\",\"s\",\"e\"]}\n"
    );
    assert_eq!(
        run(&program(source), b"{}", &About::default()),
        "unknown {\"all\":[null,null,null,null,null,null,null]}\n"
    );
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(serde_json::Value::from),
        Just("2026-11-20T01:02:03.456Z".into()),
    ];
    let names = prop_oneof![
        Just("machine"),
        Just("time"),
        Just("line"),
        Just("measurements"),
        Just("torque"),
        Just("premium"),
        Just("playing_time"),
        Just("url"),
        Just("event_id"),
        Just("session"),
        Just("type"),
        Just("kind"),
        Just("values"),
    ];
    scalar.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..10)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Rows are lines of JSON objects, and a runner that has seen one record treats the next like a fresh one.
fn holds(program: &Program, payloads: &[Vec<u8>]) {
    let mut runner = program.runner();
    for payload in payloads {
        let mut rows = Vec::new();
        let verdict = runner.run(payload, &About::default(), &mut rows);
        if let Ok(Verdict::Kept { partition }) = &verdict {
            assert_eq!(partition.len(), program.partition_keys().len());
            let text = std::str::from_utf8(&rows).unwrap();
            assert!(text.ends_with('\n'));
            for line in text.lines() {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).unwrap();
            }
        } else {
            assert!(rows.is_empty());
        }
        let mut again = Vec::new();
        assert_eq!(
            program.runner().run(payload, &About::default(), &mut again),
            verdict
        );
        assert_eq!(again, rows);
    }
}

static PROGRAMS: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let all = Bundled::all().iter();
    all.map(|bundled| bundled.compile().unwrap()).collect()
});

proptest! {
    #[test]
    fn no_bytes_make_a_program_panic(payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..4)) {
        PROGRAMS.iter().for_each(|program| holds(program, &payloads));
    }

    #[test]
    fn no_json_makes_a_program_panic(values in prop::collection::vec(json(), 1..4)) {
        let payloads: Vec<_> = values.iter().map(|value| value.to_string().into_bytes()).collect();
        PROGRAMS.iter().for_each(|program| holds(program, &payloads));
    }
}

#[test]
fn of_a_click_the_path_and_the_host_that_it_came_from_are_kept() {
    let program = lake_program::Bundled::named("clickstream")
        .unwrap()
        .compile()
        .unwrap();
    for (url, referrer, expected) in [
        (
            "https://shop.example/p/42?q=7#top",
            "https://www.example/s?q=x",
            ("/p/42", "www.example"),
        ),
        (
            "https://shop.example",
            "android-app://app.example",
            ("/", "app.example"),
        ),
        (
            "https://shop.example?q=7",
            "https://www.example",
            ("/", "www.example"),
        ),
        (
            "https://shop.example/#a/b?c",
            "https://www.example/",
            ("/", "www.example"),
        ),
        // An address in the query is none of the path.
        (
            "/login?next=https://shop.example/p/42",
            "https://a.example//b",
            ("/login", "a.example"),
        ),
        ("/p/42#top", "https://a.example", ("/p/42", "a.example")),
        ("", "https://a.example", ("", "a.example")),
    ] {
        let click = serde_json::json!({"event_id": "e", "session": "s", "time": 1_795_136_523_456_i64, "type": "view",
            "url": url, "referrer": referrer});
        let found = run(&program, click.to_string().as_bytes(), &About::default());
        let (_, row) = found
            .split_once('{')
            .unwrap_or_else(|| panic!("{url}: {found}"));
        let row: serde_json::Value = serde_json::from_str(&format!("{{{row}")).unwrap();
        assert_eq!(
            (row["path"].as_str(), row["referrer"].as_str()),
            (Some(expected.0), Some(expected.1)),
            "{url}"
        );
    }
}
