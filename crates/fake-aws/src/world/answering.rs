//! From a request's arrival to its answer: logged, its fault decided, done, answered.

use std::sync::Arc;

use super::{State, World};
use crate::call::{Answer, Call, Part, Service};
use crate::connector::{self, Operation, Received};
use crate::fault::Effect;
use crate::protocol::{Context, HeldBack, Refusal, Reply, Request};

/// A call that has been logged and whose fault is decided.
pub(crate) struct Arrived {
    pub(crate) number: u64,
    pub(crate) at_ms: i64,
    pub(crate) service: Service,
    pub(crate) name: String,
    pub(crate) resource: String,
    pub(crate) parts: Arc<[Part]>,
    pub(crate) operation: Result<Box<dyn Operation>, Refusal>,
    pub(crate) effect: Option<Effect>,
}

/// How an operation is done.
#[derive(Default)]
pub(crate) struct Manner {
    pub(crate) held_back: HeldBack,
    pub(crate) stale_reads: bool,
    /// It happens now, not when the call arrived.
    pub(crate) late: bool,
}

/// Answering.
impl World {
    /// Logs the call and decides its fault.
    pub(crate) fn arrive(&self, request: &Request) -> Arrived {
        let at_ms = self.clock.tick();
        let Received {
            service,
            name,
            operation,
        } = connector::receive(request);
        let mut state = self.state();
        let state = &mut *state;
        let (resource, parts, consistent): (_, Arc<[Part]>, _) = match &operation {
            Ok(operation) => (
                operation.resource(),
                operation.parts(&state.services).into(),
                operation.consistent(),
            ),
            Err(_) => (String::new(), Arc::default(), None),
        };
        let number = state.calls.len() as u64 + 1;
        let mut call = Call {
            number,
            at_ms,
            service,
            operation: name.clone(),
            resource: resource.clone(),
            parts: parts.clone(),
            attempt: request.attempt(),
            consistent,
            fault: None,
            answer: Answer::None,
            happened: None,
        };
        let effect = state.faults.decide(&call);
        call.fault.clone_from(&effect);
        state.calls.push(call);
        Arrived {
            number,
            at_ms,
            service,
            name,
            resource,
            parts,
            operation,
            effect,
        }
    }

    pub(crate) fn perform(&self, arrived: &Arrived, manner: Manner) -> Reply {
        let Manner {
            held_back,
            stale_reads,
            late,
        } = manner;
        let context = Context {
            now_ms: if late { self.now_ms() } else { arrived.at_ms },
            request_id: request_id(arrived.number),
            held_back,
            stale_reads,
        };
        let result = match &arrived.operation {
            Ok(operation) => {
                let mut state = self.state();
                let result = operation.perform(&mut state.services, &context);
                if result.as_ref().is_ok_and(|reply| reply.status < 400) {
                    state.happened(arrived.number);
                }
                result
            }
            Err(refusal) => Err(refusal.clone()),
        };
        result.unwrap_or_else(|refusal| self.refuse(arrived, refusal))
    }

    pub(crate) fn refuse(&self, arrived: &Arrived, refusal: Refusal) -> Reply {
        connector::refuse(arrived.service, refusal, &request_id(arrived.number))
    }

    /// Logs what the caller was told.
    pub(crate) fn note(&self, number: u64, answer: Answer) {
        if let Some(call) = self.state().call(number) {
            call.answer = answer;
        }
    }
}

impl State {
    fn call(&mut self, number: u64) -> Option<&mut Call> {
        let place = usize::try_from(number)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        self.calls.get_mut(place)
    }

    /// Notes that a call took effect, in the order of the effects.
    fn happened(&mut self, number: u64) {
        self.effects += 1;
        let place = self.effects;
        if let Some(call) = self.call(number) {
            call.happened = Some(place);
        }
    }
}

fn request_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}
