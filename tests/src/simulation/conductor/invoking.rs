//! Gives every invocation its environment and its fate, and its answer to the mapping.

use std::rc::Rc;
use std::sync::Arc;

use event_source_mapping::{Answer, Invocation};
use lambda_function::clock::Clock;
use tokio::sync::{Notify, mpsc};

use super::{Conductor, Timer};
use crate::simulation::fault::{Hitch, Twist};
use crate::simulation::function::{Function, QUALITY_STREAM};
use crate::simulation::injector::{RUNNING, Running};
use crate::simulation::line::UnderWay;
use crate::simulation::world::{Environment, FUNCTION_TIMEOUT, Plant};

/// An invocation has come to its end.
pub(super) struct Ended {
    serial: u64,
    request_id: String,
    answer: Answer,
    /// Unless it died.
    environment: Option<Environment>,
}

impl Conductor {
    pub(super) fn invoke(&mut self, place: usize, invocation: Invocation, now_ms: i64) {
        let line = &mut self.lines[place];
        let function = line.function;
        if let Some(Hitch::Standstill(for_ms)) = self.injector.mapping(function, now_ms, false) {
            self.serial += 1;
            self.timers
                .insert((now_ms + for_ms, self.serial), Timer::GoOn(place));
            line.mapping.set_enabled(false);
        }
        self.serial += 1;
        let serial = self.serial;
        let request_id = format!("{function}-{serial}");
        let twists = self.injector.invocation(function, now_ms, &request_id);
        let (shard, records) = (Arc::clone(&invocation.shard), invocation.records);
        let first = records.first().map(|one| one.sequence_number.to_string());
        let first = first.unwrap_or_default();
        self.audit.tell(now_ms, || {
            let count = records.len();
            format!("{request_id} gets {count} records of {shard} from {first}")
        });
        let begins_at = (function, shard.to_string(), first);
        self.under_way.insert(
            serial,
            UnderWay {
                line: place,
                id: invocation.id,
                request_id: request_id.clone(),
                shard,
                records,
                started_ms: now_ms,
                answer_lost: twists.iter().any(|(_, twist)| *twist == Twist::AnswerLost),
            },
        );
        if twists
            .iter()
            .any(|(_, twist)| matches!(twist, Twist::Throttled(_)))
        {
            let others = twists
                .iter()
                .filter(|(_, twist)| !matches!(twist, Twist::Throttled(_)));
            others.for_each(|(fault, _)| self.injector.in_vain(*fault));
            return self.answer(serial, &Answer::Throttled);
        }
        let again = !self.delivered.insert(begins_at);
        let environment = self.environment(place, &twists);
        for (fault, twist) in twists {
            if let Twist::GivenUp(after_ms) = twist {
                self.serial += 1;
                self.timers.insert(
                    (now_ms + after_ms, self.serial),
                    Timer::GiveUp(serial, fault),
                );
            }
        }
        self.running += 1;
        tokio::task::spawn_local(run(
            Rc::clone(&self.plant),
            environment,
            invocation.event,
            Running {
                function,
                request_id,
                again,
                crashed: Notify::new(),
            },
            serial,
            self.end.clone(),
        ));
    }

    fn environment(&mut self, place: usize, twists: &[(usize, Twist)]) -> Environment {
        let line = &mut self.lines[place];
        let mut clock = self.plant.clock;
        let mut own = false;
        for (fault, twist) in twists {
            let is_in_vain = match twist {
                Twist::EnvironmentsGone | Twist::OwnEnvironment => line.idle.is_empty(),
                Twist::OldestEnvironment => line.idle.len() < 2,
                // It looks at no clock.
                Twist::Skewed(_) => line.function == Function::Writer,
                _ => false,
            };
            if is_in_vain {
                self.injector.in_vain(*fault);
            }
        }
        for (_, twist) in twists {
            match twist {
                Twist::EnvironmentsGone => line.idle.clear(),
                Twist::OwnEnvironment => own = true,
                Twist::OldestEnvironment if !line.idle.is_empty() => return line.idle.remove(0),
                Twist::Skewed(ms) => (own, clock) = (true, clock.skewed(*ms)),
                _ => {}
            }
        }
        match line.idle.pop() {
            Some(environment) if !own => environment,
            popped => {
                line.idle.extend(popped);
                Environment::Cold(line.function, clock)
            }
        }
    }

    pub(super) fn take_answer(&mut self, ended: Ended) {
        self.running -= 1;
        if ended.environment.is_none() {
            self.audit.deeds.died(ended.request_id);
        }
        let Some(under_way) = self.under_way.get(&ended.serial) else {
            // Given up long ago: its environment is not used again.
            return;
        };
        if let Some(environment) = ended.environment {
            self.lines[under_way.line].idle.push(environment);
        }
        match under_way.answer_lost {
            true => self.answer(ended.serial, &Answer::Crashed),
            false => self.answer(ended.serial, &ended.answer),
        }
    }

    /// Tells the mapping how an invocation ended, and looks whether what it passes is finished.
    pub(super) fn answer(&mut self, serial: u64, answer: &Answer) {
        let Some(under_way) = self.under_way.remove(&serial) else {
            return;
        };
        let now_ms = self.plant.clock.now_ms();
        // What was published up to now counts.
        for record in self.streams[1].sync(&self.plant.world, QUALITY_STREAM) {
            self.audit.event(&record);
        }
        let line = &mut self.lines[under_way.line];
        let done = line.mapping.answered(under_way.id, answer, now_ms).unwrap();
        self.audit.tell(now_ms, || {
            let answer = match answer {
                Answer::Returned(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("{other:?}"),
            };
            format!("{} ends with {answer}", under_way.request_id)
        });
        if matches!(answer, Answer::Returned(_)) {
            let met = self.injector.met_by(&under_way.request_id);
            self.audit.held(line.function, &under_way, done, &met);
        }
        let passed = &under_way.records[..done];
        self.audit
            .passed(&self.plant, line.function, &under_way.shard, passed);
    }
}

/// One invocation, until it answers, dies, or its time is up.
async fn run(
    plant: Rc<Plant>,
    mut environment: Environment,
    event: Vec<u8>,
    running: Running,
    serial: u64,
    end: mpsc::UnboundedSender<Ended>,
) {
    let running = Arc::new(running);
    let time_out = tokio::time::sleep(FUNCTION_TIMEOUT);
    // Boxed: it is large, and moved several times.
    let work = Box::pin(environment.invoke(&plant, &event, &running.request_id));
    let work = RUNNING.scope(Arc::clone(&running), work);
    let (answer, survives) = tokio::select! {
        biased;
        () = running.crashed.notified() => (Answer::Crashed, false),
        () = time_out => (Answer::TimedOut, false),
        answer = work => (answer, true),
    };
    let _ = end.send(Ended {
        serial,
        request_id: running.request_id.clone(),
        answer,
        environment: survives.then_some(environment),
    });
}
