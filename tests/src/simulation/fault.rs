//! What goes wrong in a run: a list of faults drawn from the seed, each of which can be left out when a failing run is
//! shrunk.

use std::fmt;

use fake_aws::Service;

use super::function::Function;
use super::random::Random;
use super::workload::Workload;

/// Kinds of faults; the histogram of a campaign counts these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// A call fails and has no effect.
    ErrorBefore,
    /// A call has its effect and is answered by an error.
    ErrorAfter,
    /// A call never comes to anything, and is never answered.
    TimeoutBefore,
    /// A call has its effect and is never answered.
    TimeoutAfter,
    /// A call has its effect when nobody waits for it any more.
    LateEffect,
    /// An environment dies before a call has its effect.
    CrashBefore,
    /// An environment dies after a call has had its effect.
    CrashAfter,
    /// An environment dies while a call is on its way.
    CrashInFlight,
    /// An invocation is given up and goes on beside its retry.
    Overlap,
    /// An invocation has done its work, and its answer is lost.
    AnswerLost,
    /// All of a function's idle environments go, and their caches with them.
    EnvironmentsGone,
    /// A batch goes to another environment than the one before, with older caches or none.
    EnvironmentSwitched,
    /// A service throttles for a while.
    ThrottlingBurst,
    /// A service fails for a while.
    Outage,
    /// What concerns one machine fails for longer than it may hold its shard.
    MachineOutage,
    /// A permission is missing for a while.
    AccessDenied,
    /// A call is done in part.
    Partial,
    /// A read that is not consistent sees what was before.
    StaleRead,
    /// An environment's clock goes wrong.
    ClockSkew,
    /// A function is throttled.
    FunctionThrottled,
    /// A mapping stands still for longer than an alert is worth.
    Standstill,
    /// A read of a shard fails.
    ReadFailed,
    /// A payload is no reading.
    MalformedReading,
    /// A record on the quality-events stream is no event.
    MalformedEvent,
    /// The producer sends a reading twice.
    ProducerDuplicate,
    /// A machine's readings come through several shards.
    SeveralShards,
    /// Another control plan is pushed.
    PlanChange,
    /// A control plan is pushed that fails its check.
    BadPlan,
    /// A shard is split, or two are merged.
    Reshard,
}

impl FaultClass {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::LateEffect,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::CrashInFlight,
        Self::Overlap,
        Self::AnswerLost,
        Self::EnvironmentsGone,
        Self::EnvironmentSwitched,
        Self::ThrottlingBurst,
        Self::Outage,
        Self::MachineOutage,
        Self::AccessDenied,
        Self::Partial,
        Self::StaleRead,
        Self::ClockSkew,
        Self::FunctionThrottled,
        Self::Standstill,
        Self::ReadFailed,
        Self::MalformedReading,
        Self::MalformedEvent,
        Self::ProducerDuplicate,
        Self::SeveralShards,
        Self::PlanChange,
        Self::BadPlan,
        Self::Reshard,
    ];
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = format!("{self:?}").chars().fold(String::new(), |text, c| {
            match c.is_uppercase() && !text.is_empty() {
                true => text + " " + &c.to_lowercase().to_string(),
                false => text + &c.to_lowercase().to_string(),
            }
        });
        f.pad(&words)
    }
}

/// One fault of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its kind.
    pub class: FaultClass,
    /// Whom it concerns.
    pub function: Function,
    /// Not before then, in milliseconds since 1970.
    pub from_ms: i64,
    /// How it comes about.
    pub how: How,
}

/// How a fault comes about.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// Some calls of the function, from the first one that matches on.
    Calls(Calls),
    /// Calls of the function to a service, until a time.
    While(While),
    /// The next invocation of the function.
    Invocation(Twist),
    /// The mapping of the function.
    Mapping(Hitch),
}

/// Which calls, and what they meet.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// The operation; any, if none.
    pub operation: Option<&'static str>,
    /// So many of them are left alone.
    pub skip: u32,
    /// So many are hit.
    pub times: u32,
    /// What they meet.
    pub hit: Hit,
}

/// What a call meets; numbers are milliseconds or places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hit {
    FailBefore,
    DropBefore,
    FailAfter,
    DropAfter,
    TimeoutBefore,
    TimeoutAfter,
    Late(u64),
    CrashBefore,
    CrashAfter,
    CrashInFlight(u64),
    FirstFail(usize),
    AllButFirstFail(usize),
    FirstFailInside(usize),
    StaleRead,
}

/// Calls to a service, for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct While {
    /// The service.
    pub service: Service,
    /// Until then, in milliseconds since 1970.
    pub until_ms: i64,
    /// Only calls that mention this.
    pub mentioning: Option<String>,
    /// The share of calls that are hit.
    pub share: f64,
    /// What they meet.
    pub meet: Meet,
}

/// What calls meet for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meet {
    Throttled,
    Denied,
    Failing,
    Silent,
}

/// What happens to an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twist {
    /// It is given up after so many milliseconds and goes on.
    GivenUp(i64),
    /// Its answer never arrives.
    AnswerLost,
    /// Idle environments are gone before it.
    EnvironmentsGone,
    /// It gets an environment of its own, though others are idle.
    OwnEnvironment,
    /// It gets the environment that has been idle longest.
    OldestEnvironment,
    /// It gets an environment of its own, whose clock is wrong by so many milliseconds.
    Skewed(i64),
    /// It does not come about: the function is throttled, so many times.
    Throttled(u32),
}

/// What happens to a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hitch {
    /// It does not invoke for so many milliseconds.
    Standstill(i64),
    /// A read fails.
    ReadFailed,
}

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

/// The faults of a seed, in the order in which they were drawn.
pub fn plan(seed: u64, workload: &Workload) -> Vec<Planned> {
    let mut random = Random::new(seed, 2);
    let count = random.between(8, 24);
    (0..count).map(|_| one(&mut random, workload)).collect()
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
        85 => machine_outage(random, from_ms),
        86 => burst(random, from_ms, function, Meet::Denied),
        87..=93 => {
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
                hit: *random.pick(&hits),
            });
            fault(FaultClass::Partial, function, how)
        }
        94 => {
            let how = How::Calls(Calls {
                operation: Some("BatchGetItem"),
                skip: 0,
                times: 20,
                hit: Hit::StaleRead,
            });
            fault(FaultClass::StaleRead, Function::Evaluator, how)
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

fn machine_outage(random: &mut Random, from_ms: i64) -> Planned {
    let how = While {
        service: *random.pick(&[Service::DynamoDb, Service::Kinesis]),
        until_ms: from_ms + random.between(300_000, 420_000),
        mentioning: Some(format!("press-{:02}", random.between(0, 4))),
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
