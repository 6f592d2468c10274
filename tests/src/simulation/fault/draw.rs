//! The faults of a seed: how often each kind is drawn, and what it singles out.

use fake_aws::Service;

use super::combined;
use super::{Calls, FaultClass, Hit, Hitch, How, Meet, Planned, Twist, While};
use crate::simulation::function::Function;
use crate::simulation::random::Random;
use crate::simulation::workload::Workload;

/// The operations of each function that a fault may single out.
const OPERATIONS: [(Function, &[Option<&str>]); 3] = [
    (
        Function::Evaluator,
        &[
            None,
            Some("BatchGetItem"),
            Some("PutRecords"),
            Some("PutRecords"),
            Some("PutItem"),
            Some("PutItem"),
            Some("ListObjectsV2"),
            Some("PutObject"),
            Some("GetObject"),
        ],
    ),
    (
        Function::Writer,
        &[None, Some("BatchWriteItem"), Some("PutObject")],
    ),
    (
        Function::Alerter,
        &[
            None,
            Some("TransactWriteItems"),
            Some("TransactWriteItems"),
            Some("PublishBatch"),
            Some("PublishBatch"),
            Some("UpdateItem"),
            Some("PutItem"),
            Some("GetItem"),
            Some("DeleteItem"),
        ],
    ),
];

/// The operations that can be done in part.
const IN_PART: [(Function, &str); 5] = [
    (Function::Evaluator, "PutRecords"),
    (Function::Evaluator, "BatchGetItem"),
    (Function::Writer, "BatchWriteItem"),
    (Function::Alerter, "PublishBatch"),
    (Function::Alerter, "TransactWriteItems"),
];

/// The faults of a seed, in the order in which they were drawn, as its draw of this number has them.
pub fn plan(seed: u64, draw: u64, workload: &Workload) -> Vec<Planned> {
    let mut random = Random::new(seed, 2 + (draw << 32));
    let count = random.between(14, 26);
    let mut faults: Vec<_> = (0..count).map(|_| one(&mut random, workload)).collect();
    if random.chance(combined::SHARE) {
        faults.extend(combined::some(&mut random, workload));
    }
    faults
}

fn one(random: &mut Random, workload: &Workload) -> Planned {
    let from_ms = random.between(fake_aws::Clock::START_MS, workload.ends_ms);
    let (function, operations) = *random.pick(&OPERATIONS);
    let fault = |class, function, how| Planned {
        class,
        function,
        from_ms,
        how,
    };
    let calls = |random: &mut Random, hits: &[Hit]| {
        How::Calls(Calls {
            operation: *random.pick(operations),
            skip: random.between(0, 3) as u32,
            times: *random.pick(&[1, 1, 1, 2, 4]),
            again: false,
            behind_ms: None,
            hit: *random.pick(hits),
        })
    };
    match random.below(100) {
        0..=8 => {
            let how = calls(random, &[Hit::FailBefore, Hit::DropBefore]);
            fault(FaultClass::ErrorBefore, function, how)
        }
        9..=20 => {
            let how = calls(random, &[Hit::FailAfter, Hit::DropAfter]);
            fault(FaultClass::ErrorAfter, function, how)
        }
        21..=24 => {
            let how = calls(random, &[Hit::TimeoutBefore]);
            fault(FaultClass::TimeoutBefore, function, how)
        }
        25..=31 => {
            let how = calls(random, &[Hit::TimeoutAfter]);
            fault(FaultClass::TimeoutAfter, function, how)
        }
        32..=37 => {
            let late_ms = random.between(500, 20_000) as u64;
            let how = calls(random, &[Hit::Late(late_ms)]);
            fault(FaultClass::LateEffect, function, how)
        }
        38..=42 => {
            let how = calls(random, &[Hit::CrashBefore]);
            fault(FaultClass::CrashBefore, function, how)
        }
        43..=52 => {
            let how = calls(random, &[Hit::CrashAfter]);
            fault(FaultClass::CrashAfter, function, how)
        }
        53..=56 => {
            let how = calls(random, &[Hit::CrashInFlight(40), Hit::CrashInFlight(3_000)]);
            fault(FaultClass::CrashInFlight, function, how)
        }
        57..=66 => {
            let after_ms = *random.pick(&[5, 10, 20, 40, 80, 300, 2_000]);
            let how = How::Invocation(Twist::GivenUp(after_ms));
            fault(FaultClass::Overlap, function, how)
        }
        67..=70 => fault(
            FaultClass::AnswerLost,
            function,
            How::Invocation(Twist::AnswerLost),
        ),
        71 | 72 => fault(
            FaultClass::EnvironmentsGone,
            function,
            How::Invocation(Twist::EnvironmentsGone),
        ),
        73..=78 => {
            let twist = *random.pick(&[Twist::OwnEnvironment, Twist::OldestEnvironment]);
            fault(
                FaultClass::EnvironmentSwitched,
                function,
                How::Invocation(twist),
            )
        }
        79..=82 => burst(random, from_ms, function, Meet::Throttled),
        83 | 84 => {
            let meet = *random.pick(&[Meet::Failing, Meet::Silent]);
            burst(random, from_ms, function, meet)
        }
        85 | 86 => machine_outage(random, workload, from_ms),
        87 | 88 => match random.chance(0.3) {
            true => burst(random, from_ms, function, Meet::Denied),
            false => {
                let how = calls(random, &[Hit::Denied]);
                fault(FaultClass::AccessDenied, function, how)
            }
        },
        89 => {
            let how = How::Calls(Calls {
                operation: Some("PublishBatch"),
                skip: random.between(0, 3) as u32,
                times: 1,
                again: false,
                behind_ms: None,
                hit: Hit::FirstRefused(random.between(1, 3) as usize),
            });
            fault(FaultClass::MessageRefused, Function::Alerter, how)
        }
        90..=93 => {
            let (function, operation) = *random.pick(&IN_PART);
            let places = random.between(1, 4) as usize;
            let hits = [
                Hit::FirstFail(places),
                Hit::AllButFirstFail(places),
                Hit::FirstFailInside(places),
            ];
            let how = How::Calls(Calls {
                operation: Some(operation),
                skip: random.between(0, 3) as u32,
                times: *random.pick(&[1, 1, 2, 5]),
                again: false,
                behind_ms: None,
                hit: *random.pick(&hits),
            });
            fault(FaultClass::Partial, function, how)
        }
        94 => {
            let reads = [
                (Function::Evaluator, "BatchGetItem"),
                (Function::Alerter, "GetItem"),
            ];
            let (function, operation) = *random.pick(&reads);
            let how = How::Calls(Calls {
                operation: Some(operation),
                skip: 0,
                times: 20,
                again: false,
                behind_ms: None,
                hit: Hit::StaleRead,
            });
            fault(FaultClass::StaleRead, function, how)
        }
        95 => {
            let twist = Twist::Skewed(random.between(-4_000, 4_000));
            fault(FaultClass::ClockSkew, function, How::Invocation(twist))
        }
        96 | 97 => {
            let twist = Twist::Throttled(random.between(1, 6) as u32);
            fault(
                FaultClass::FunctionThrottled,
                function,
                How::Invocation(twist),
            )
        }
        98 => {
            let for_ms = random.between(10_000, 4_200_000);
            let how = How::Mapping(Hitch::Standstill(for_ms));
            fault(FaultClass::Standstill, function, how)
        }
        _ => fault(
            FaultClass::ReadFailed,
            function,
            How::Mapping(Hitch::ReadFailed),
        ),
    }
}

fn burst(random: &mut Random, from_ms: i64, function: Function, meet: Meet) -> Planned {
    let services: &[Service] = match function {
        Function::Evaluator => &[Service::DynamoDb, Service::Kinesis, Service::S3],
        Function::Writer => &[Service::DynamoDb],
        Function::Alerter => &[Service::DynamoDb, Service::Sns],
    };
    let how = While {
        service: *random.pick(services),
        until_ms: from_ms + random.between(1_000, 30_000),
        mentioning: None,
        share: *random.pick(&[1.0, 0.7, 0.3]),
        meet,
    };
    Planned {
        class: match meet {
            Meet::Throttled => FaultClass::ThrottlingBurst,
            Meet::Denied => FaultClass::AccessDenied,
            Meet::Failing | Meet::Silent => FaultClass::Outage,
        },
        function,
        from_ms,
        how: How::While(how),
    }
}

/// What concerns one machine fails for longer than it may hold its shard.
pub(super) fn machine_outage(random: &mut Random, workload: &Workload, from_ms: i64) -> Planned {
    let how = While {
        service: *random.pick(&[Service::DynamoDb, Service::Kinesis]),
        until_ms: from_ms + random.between(300_000, 420_000),
        mentioning: Some(random.pick(&workload.machines).clone()),
        share: 1.0,
        meet: *random.pick(&[Meet::Throttled, Meet::Denied, Meet::Failing]),
    };
    Planned {
        class: FaultClass::MachineOutage,
        function: Function::Evaluator,
        from_ms,
        how: How::While(how),
    }
}
