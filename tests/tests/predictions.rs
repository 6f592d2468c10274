//! The caller under seeded faults: every reading is scored or unscored, once, by its own id, and nothing is passed before.

use std::collections::BTreeSet;

use pipeline_tests::simulation::predictions::score;

#[test]
fn every_reading_is_told_of_under_faults() {
    let (mut met, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..12 {
        let run = score(seed, true);
        assert!(
            run.violations.is_empty(),
            "seed {seed}: {:#?}",
            run.violations
        );
        assert!(run.scored > 100, "seed {seed}: {run:?}");
        met.extend(run.met.into_keys());
        reasons.extend(run.unscored.into_keys());
    }
    let all = [
        "answer-lost",
        "crash",
        "dropped-after",
        "dropped-before",
        "endpoint-down",
        "error-after",
        "error-before",
        "fresh-environment",
        "function-throttled",
        "late",
        "late-effect",
        "partial",
        "silent",
        "stream-down",
        "throttled",
        "wrong-answer",
    ];
    assert_eq!(met, BTreeSet::from(all));
    let all = [
        "breaker-open",
        "missing-feature",
        "not-a-number",
        "refused-by-model",
        "stale",
    ];
    assert_eq!(reasons.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn without_faults_each_reading_is_told_of_once_and_for_its_own_reason() {
    for seed in 0..3 {
        let run = score(seed, false);
        assert!(
            run.violations.is_empty(),
            "seed {seed}: {:#?}",
            run.violations
        );
        assert!(run.met.is_empty(), "seed {seed}: {:?}", run.met);
    }
}

#[test]
fn a_seed_gives_the_same_run_twice() {
    assert_eq!(score(3, true), score(3, true));
}
