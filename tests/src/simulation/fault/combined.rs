//! Faults that have to meet to be of interest, and seldom do by chance.

use super::draw::machine_outage;
use super::{Calls, FaultClass, Hit, How, Planned, Twist};
use crate::simulation::function::Function;
use crate::simulation::random::Random;
use crate::simulation::workload::Workload;
use crate::simulation::world::{FUNCTION_TIMEOUT, MACHINE_HOLD};

/// The share of seeds that have some.
pub(super) const SHARE: f64 = 0.6;

/// What a lease has beyond the function's time-out, in milliseconds.
const LEASE_MARGIN_MS: i64 = 10_000;

/// Two faults of which the second meets what the first has left.
pub(super) fn some(random: &mut Random, workload: &Workload) -> [Planned; 2] {
    let from_ms = random.between(fake_aws::Clock::START_MS, workload.ends_ms);
    match random.below(6) {
        0 => sent_and_denied(random, from_ms),
        1 => taken_over_unheard(random, from_ms),
        2 => taken_over_and_refused(random, from_ms),
        3 => refused_to_the_next(random, from_ms),
        4 => parked_nowhere(random, workload, from_ms),
        _ => died_between(random, from_ms),
    }
}

/// Alerts are sent and nobody hears of it; whoever is to send them again may not claim them.
fn sent_and_denied(random: &mut Random, from_ms: i64) -> [Planned; 2] {
    let lost = How::Invocation(Twist::AnswerLost);
    let denied = Calls {
        skip: random.between(0, 3) as u32,
        times: *random.pick(&[1, 2, 4, 8]),
        behind_ms: Some(0),
        ..of_redelivery("TransactWriteItems", Hit::Denied)
    };
    [
        of_alerter(FaultClass::AnswerLost, from_ms, lost),
        of_alerter(FaultClass::AccessDenied, from_ms, How::Calls(denied)),
    ]
}

/// A publication's answer is lost, and then those of whoever takes its claim over.
fn taken_over_unheard(random: &mut Random, from_ms: i64) -> [Planned; 2] {
    let hits = [Hit::DropAfter, Hit::FailAfter, Hit::TimeoutAfter];
    let unheard = Calls {
        skip: *random.pick(&[1, 1, 2, 3, 5]),
        times: *random.pick(&[1, 3, 6, 9, 30]),
        behind_ms: Some(lease_ms()),
        ..of_redelivery("TransactWriteItems", *random.pick(&hits))
    };
    [
        publication(from_ms, lost(random)),
        of_alerter(FaultClass::ErrorAfter, from_ms, How::Calls(unheard)),
    ]
}

/// A publication's answer is lost, and whoever takes its claim over is refused.
fn taken_over_and_refused(random: &mut Random, from_ms: i64) -> [Planned; 2] {
    let refused = Calls {
        behind_ms: Some(lease_ms()),
        ..of_redelivery("PublishBatch", Hit::FirstRefused(1))
    };
    [
        publication(from_ms, lost(random)),
        of_alerter(FaultClass::MessageRefused, from_ms, How::Calls(refused)),
    ]
}

/// A message is refused for ever, and the next ones are published.
fn refused_to_the_next(random: &mut Random, from_ms: i64) -> [Planned; 2] {
    let refused = |skip| {
        let calls = Calls {
            skip,
            again: false,
            ..of_redelivery("PublishBatch", Hit::FirstRefused(3))
        };
        of_alerter(FaultClass::MessageRefused, from_ms, How::Calls(calls))
    };
    [refused(0), refused(random.between(3, 9) as u32)]
}

/// A machine that is to be parked, and a bucket that does not take it.
fn parked_nowhere(random: &mut Random, workload: &Workload, from_ms: i64) -> [Planned; 2] {
    let hold_ms = MACHINE_HOLD.as_millis() as i64;
    let unkept = Calls {
        skip: random.between(0, 1) as u32,
        times: *random.pick(&[3, 6, 12]),
        behind_ms: Some(hold_ms - LEASE_MARGIN_MS),
        ..of_redelivery("PutObject", *random.pick(&[Hit::FailBefore, Hit::Denied]))
    };
    let bucket = Planned {
        class: FaultClass::ErrorBefore,
        function: Function::Evaluator,
        from_ms,
        how: How::Calls(unkept),
    };
    [machine_outage(random, workload, from_ms), bucket]
}

/// An alerter dies between claiming and publishing, and the next one cannot publish.
fn died_between(random: &mut Random, from_ms: i64) -> [Planned; 2] {
    let hits = [Hit::Denied, Hit::FailBefore];
    let unpublished = Calls {
        skip: random.between(0, 1) as u32,
        times: *random.pick(&[1, 2, 4]),
        behind_ms: Some(0),
        ..of_redelivery("PublishBatch", *random.pick(&hits))
    };
    let died = *random.pick(&[Hit::CrashBefore, Hit::CrashAfter]);
    [
        publication(from_ms, died),
        of_alerter(FaultClass::ErrorBefore, from_ms, How::Calls(unpublished)),
    ]
}

fn lost(random: &mut Random) -> Hit {
    *random.pick(&[
        Hit::DropAfter,
        Hit::FailAfter,
        Hit::TimeoutAfter,
        Hit::CrashAfter,
    ])
}

fn lease_ms() -> i64 {
    FUNCTION_TIMEOUT.as_millis() as i64 + LEASE_MARGIN_MS
}

fn publication(from_ms: i64, hit: Hit) -> Planned {
    let class = match hit {
        Hit::CrashBefore => FaultClass::CrashBefore,
        Hit::CrashAfter => FaultClass::CrashAfter,
        Hit::TimeoutAfter => FaultClass::TimeoutAfter,
        _ => FaultClass::ErrorAfter,
    };
    let calls = Calls {
        again: false,
        ..of_redelivery("PublishBatch", hit)
    };
    of_alerter(class, from_ms, How::Calls(calls))
}

/// One call of an invocation that gets records again.
fn of_redelivery(operation: &'static str, hit: Hit) -> Calls {
    Calls {
        operation: Some(operation),
        skip: 0,
        times: 1,
        again: true,
        behind_ms: None,
        hit,
    }
}

fn of_alerter(class: FaultClass, from_ms: i64, how: How) -> Planned {
    Planned {
        class,
        function: Function::Alerter,
        from_ms,
        how,
    }
}
