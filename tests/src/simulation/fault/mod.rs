//! What goes wrong in a run: a list of faults drawn from the seed, each of which can be left out when a failing run is
//! shrunk.

mod class;
mod combined;
mod draw;

use fake_aws::Service;

use super::function::Function;

pub use class::FaultClass;
pub use draw::plan;

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
    /// Only calls of an invocation whose batch begins with a record that was delivered before.
    pub again: bool,
    /// Not before so many milliseconds after the fault ahead of this one in the plan has hit something; with none, at once.
    pub behind_ms: Option<i64>,
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
    Denied,
    FirstRefused(usize),
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
