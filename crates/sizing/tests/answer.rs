//! What the answer says of a load, and that its shape is the committed one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sizing::{Bound, INPUTS, Load, Prices, Sizing, json_schema, size};

fn sized(load: &Load) -> Sizing {
    size(load, &Prices::default_list().unwrap())
}

fn figure(sizing: &Sizing, part: &str, name: &str) -> f64 {
    let figure = sizing.figure(part, name);
    figure.unwrap_or_else(|| panic!("{part}: {name}")).value
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever changes the shape asks for the schema to be rewritten"
)]
fn the_committed_schema_is_the_generated_one() {
    let generated = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/size.schema.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        generated,
        "UPDATE_GOLDEN=1 rewrites it"
    );
}

#[test]
fn shards_follow_records_bytes_and_readers() {
    let load = Load {
        provisioned: 1.0,
        ..Load::default()
    };
    let check = |load: Load, shards: f64| {
        let sizing = sized(&load);
        assert_eq!(
            figure(&sizing, "readings stream", "shards provisioned"),
            shards
        );
    };
    check(load.clone(), 2.0);
    check(
        Load {
            readings_per_second: 10_000.0,
            ..load.clone()
        },
        19.0,
    );
    // A record of 100 readings: bytes decide, and evaluator and lake that read them.
    check(
        Load {
            readings_per_second: 10_000.0,
            readings_per_record: 100.0,
            ..load.clone()
        },
        4.0,
    );
    check(
        Load {
            readings_per_second: 10_000.0,
            readings_per_record: 100.0,
            fan_out: 1.0,
            ..load
        },
        4.0,
    );
}

#[test]
fn a_slow_evaluator_takes_shards_until_it_keeps_up() {
    let load = Load {
        provisioned: 1.0,
        evaluator_duration_ms: 2000.0,
        ..Load::default()
    };
    let sizing = sized(&load);
    assert_eq!(
        figure(&sizing, "readings stream", "shards provisioned"),
        8.0
    );
    assert_eq!(
        figure(&sizing, "quality-evaluator", "lag growth at the peak"),
        0.0
    );
    let fixed = sized(&Load {
        reading_shards: 2.0,
        ..load
    });
    assert!(
        (figure(&fixed, "quality-evaluator", "lag growth at the peak") - 2.0 / 3.0).abs() < 1e-9
    );
    let first = &fixed.limits[0];
    assert_eq!(first.name, "quality-evaluator: records it can finish");
    assert!((first.growth - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(first.bound, Bound::Setting);
}

#[test]
fn what_breaks_first_does_break_there() {
    for readings_per_second in [100.0, 10_000.0, 1e6] {
        for provisioned in [0.0, 1.0] {
            let load = Load {
                readings_per_second,
                provisioned,
                machines: readings_per_second,
                ..Load::default()
            };
            let before = sized(&load);
            let shards = |name: &str| {
                figure(
                    &before,
                    name,
                    match provisioned > 0.0 {
                        true => "shards provisioned",
                        false => "shards on demand",
                    },
                )
            };
            let first = before
                .limits
                .iter()
                .find(|limit| limit.growth > 1.0)
                .unwrap();
            let grown = |times: f64| {
                let more = sized(&Load {
                    readings_per_second: readings_per_second * times,
                    machines: readings_per_second * times,
                    // The stack is as it was deployed.
                    reading_shards: shards("readings stream"),
                    event_shards: shards("quality-events stream"),
                    ..load.clone()
                });
                more.limits
                    .iter()
                    .find(|limit| limit.name == first.name)
                    .unwrap()
                    .growth
            };
            // Duration and batch change with the load: the capacity of a function is that of a full batch.
            assert!(
                grown(first.growth * 1.1) < 1.0
                    || first.name.contains("Lambda")
                    || first.name.contains("lake"),
                "{} {readings_per_second}",
                first.name
            );
        }
    }
}

#[test]
fn costs_add_up_and_each_has_its_price() {
    let sizing = sized(&Load {
        model: 1.0,
        ..Load::default()
    });
    let sum: f64 = sizing
        .costs
        .iter()
        .map(|cost| cost.quantity * cost.price)
        .sum();
    assert!((sum - sizing.cost_per_month).abs() < 1e-6);
    // 1,000 records a second of less than 1 KB, on demand.
    let written = sizing
        .costs
        .iter()
        .find(|it| it.name == "readings stream: written")
        .unwrap();
    assert!((written.quantity - 1000.0 * 1024.0 * 2_628_000.0 / 1_073_741_824.0).abs() < 1e-6);
    assert!(
        sizing
            .costs
            .iter()
            .any(|it| it.price_key == "sagemaker_instance_hour")
    );
}

#[test]
fn aggregation_saves_most_of_the_price_of_small_readings() {
    let single = sized(&Load {
        readings_per_second: 10_000.0,
        ..Load::default()
    });
    let packed = sized(&Load {
        readings_per_second: 10_000.0,
        readings_per_record: 100.0,
        ..Load::default()
    });
    assert!(packed.cost_per_month < single.cost_per_month / 2.0);
}

#[test]
fn a_cool_down_bounds_alerts() {
    let sizing = sized(&Load {
        events_per_reading: 1.0,
        machines: 10.0,
        ..Load::default()
    });
    assert_eq!(
        figure(&sizing, "topics", "alerts"),
        10.0 * 6.0 * 2.0 / 300.0
    );
}

/// One a second is traced, but no more than there is.
#[test]
fn no_more_is_traced_than_invoked() {
    let quantity = |sizing: &Sizing, name: &str| {
        let named = sizing.costs.iter().filter(|it| it.name.ends_with(name));
        named.map(|it| it.quantity).sum::<f64>()
    };
    let idle = sized(&Load {
        readings_per_second: 0.01,
        machines: 1.0,
        lines: 1.0,
        ..Load::default()
    });
    let requests = quantity(&idle, ": requests");
    assert!(requests > 0.0 && requests < 2.6);
    assert!((quantity(&idle, "traces") - requests).abs() < 1e-9);
    let busy = sized(&Load::default());
    assert!(quantity(&busy, "traces") < quantity(&busy, ": requests"));
}

/// A machine's records have one key: aggregates spare it records and no bytes, and a model's answers are records again.
#[test]
fn one_machine_has_one_shard_of_each_stream() {
    let load = Load {
        readings_per_second: 5000.0,
        readings_per_record: 100.0,
        machines: 1.0,
        ..Load::default()
    };
    let growth = |load: &Load, name: &str| {
        let sizing = sized(load);
        let found = sizing.limits.iter().find(|limit| limit.name == name);
        found.unwrap_or_else(|| panic!("{name}")).growth
    };
    assert!(growth(&load, "one machine: records on its shard") > 1.0);
    let bytes = growth(&load, "one machine: bytes on its shard");
    assert!((bytes - 1_048_576.0 / (5000.0 * 222.0 * 1.5)).abs() < 1e-9);
    assert!(growth(&load, "one machine: events on its shard") > 1.0);
    let asked = Load { model: 1.0, ..load };
    let records = growth(&asked, "one machine: events on its shard");
    assert!((records - 1000.0 / (5005.0 * 1.5)).abs() < 1e-9);
    let bytes = growth(&asked, "one machine: events' bytes on its shard");
    assert!((bytes - 1_048_576.0 / (5005.0 * 1.5 * 700.0)).abs() < 1e-9);
}

proptest! {
    /// Whatever the load, an answer of finite numbers that fits its schema.
    #[test]
    fn every_load_has_an_answer(values in prop::collection::vec(0.0_f64..1.0, INPUTS.len())) {
        let mut load = Load::default();
        for (input, value) in INPUTS.iter().zip(values) {
            // Evenly over the orders of magnitude.
            let least = input.least.max(input.most / 1e6);
            let drawn = least * (input.most / least).powf(value);
            *(input.of_mut)(&mut load) = match input.unit {
                "yes or no" => value.round(),
                _ => drawn.min(input.most),
            };
        }
        let sizing = sized(&load);
        let answer = serde_json::to_value(&sizing).unwrap();
        prop_assert!(jsonschema::is_valid(&json_schema(), &answer));
        let figures = sizing.parts.iter().flat_map(|part| &part.figures);
        for figure in figures {
            prop_assert!(figure.value.is_finite() && figure.value >= 0.0, "{figure:?}");
        }
        prop_assert!(sizing.cost_per_month.is_finite() && sizing.cost_per_month > 0.0);
        prop_assert!(sizing.limits.iter().all(|limit| limit.growth > 0.0));
    }
}
