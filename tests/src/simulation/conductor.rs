//! Conducts a run: puts what producers put, lets the mappings read and invoke, gives every invocation its environment
//! and its fate, and ends when everything that is on the streams is finished.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use event_source_mapping::{Action, Answer, Invocation, Read};
use lambda_function::clock::Clock;
use tokio::sync::{Notify, mpsc};

use super::audit::Audit;
use super::bring_back::bring_back;
use super::fault::{Hitch, Twist};
use super::function::{Function, QUALITY_STREAM, READINGS_STREAM};
use super::injector::{Injector, RUNNING, Running};
use super::line::{Line, UnderWay, Waiting};
use super::random::Random;
use super::stream::StreamLog;
use super::workload::{Step, What, Workload};
use super::world::{Environment, FUNCTION_TIMEOUT, Plant, SET_ASIDE_BUCKET};

/// How long the world is left alone before it is looked at: what is on its way arrives by then.
const QUIET_MS: i64 = 120_000;

/// More turns than any run needs: one that takes more does not come to an end.
const MOST_TURNS: usize = 400_000;

/// A run in progress.
pub struct Conductor {
    plant: Rc<Plant>,
    injector: Injector,
    audit: Audit,
    random: Random,
    steps: std::iter::Peekable<std::vec::IntoIter<Step>>,
    lines: Vec<Line>,
    streams: [StreamLog; 2],
    under_way: BTreeMap<u64, UnderWay>,
    timers: BTreeMap<(i64, u64), Timer>,
    serial: u64,
    running: usize,
    ended: mpsc::UnboundedReceiver<Ended>,
    end: mpsc::UnboundedSender<Ended>,
}

/// What is to happen at a time.
enum Timer {
    /// Lambda gives up waiting for an invocation.
    GiveUp(u64),
    /// A mapping goes on.
    GoOn(usize),
}

/// An invocation has come to its end.
struct Ended {
    serial: u64,
    answer: Answer,
    /// Unless it died.
    environment: Option<Environment>,
}

impl Conductor {
    /// A world in which nothing has happened yet.
    pub fn new(seed: u64, workload: &Workload, injector: Injector, tells: bool) -> Self {
        let plant = Rc::new(Plant::new(workload));
        plant.world.set_fault_plan(injector.clone());
        let mut lines: Vec<_> = Function::ALL
            .into_iter()
            .map(|function| Line::new(function, &plant))
            .collect();
        for line in &mut lines {
            line.tell_of_shards(&plant);
        }
        let (end, ended) = mpsc::unbounded_channel();
        Self {
            audit: Audit::new(workload, &plant, tells),
            plant,
            injector,
            random: Random::new(seed, 3),
            steps: workload.steps.clone().into_iter().peekable(),
            lines,
            streams: Default::default(),
            under_way: BTreeMap::new(),
            timers: BTreeMap::new(),
            serial: 0,
            running: 0,
            ended,
            end,
        }
    }

    /// Runs to the end, and gives the world and what was seen of it.
    pub async fn run(mut self) -> (Rc<Plant>, Audit) {
        let (mut has_been_quiet, mut has_brought_back) = (false, false);
        for _ in 0..MOST_TURNS {
            let now_ms = self.plant.clock.now_ms();
            self.take_steps(now_ms);
            self.let_timers_go(now_ms);
            let wake_ms = self.pump(now_ms);
            let next_ms = [
                wake_ms,
                self.steps.peek().map(|step| step.at_ms),
                self.timers.keys().next().map(|(at_ms, _)| *at_ms),
            ];
            let next_ms = next_ms.into_iter().flatten().min();
            match next_ms {
                None if self.running == 0 && has_been_quiet && !has_brought_back => {
                    has_brought_back = true;
                    self.bring_back().await;
                }
                None if self.running == 0 && has_been_quiet => {
                    self.check_drained();
                    self.audit.finish(&self.plant, &self.streams);
                    return (self.plant, self.audit);
                }
                _ => has_been_quiet = next_ms.is_none() && self.running == 0,
            }
            let until = self
                .plant
                .clock
                .instant(next_ms.unwrap_or(now_ms + QUIET_MS));
            tokio::select! {
                biased;
                Some(ended) = self.ended.recv() => self.take_answer(ended),
                () = tokio::time::sleep_until(until) => {}
            }
        }
        self.audit
            .violation("liveness", "the run does not come to an end".to_owned());
        (self.plant, self.audit)
    }

    /// What producers and operators do now.
    fn take_steps(&mut self, now_ms: i64) {
        while let Some(step) = self.steps.next_if(|step| step.at_ms <= now_ms) {
            let world = &self.plant.world;
            match step.what {
                What::Put(put) => {
                    let record = world.put_record(READINGS_STREAM, &put.key, put.data.clone());
                    let arn = &self.plant.readings_arn;
                    self.audit.put(arn, &record, &put.holds, put.is_aggregate);
                }
                What::Stray(key, bytes) => {
                    world.put_record(QUALITY_STREAM, &key, bytes);
                }
                What::Plan(text, _) => {
                    self.audit
                        .tell(now_ms, || "a control plan is pushed".to_owned());
                    self.plant.push_plan(&text);
                }
                What::Split(stream, nth) => self.split(stream, nth),
                What::Merge(stream, nth) => self.merge(stream, nth),
            }
        }
    }

    fn split(&mut self, stream: usize, nth: usize) {
        let name = [READINGS_STREAM, QUALITY_STREAM][stream];
        let shards = self.plant.world.shards(name);
        let open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
        let shard = &open[nth % open.len()].id;
        self.plant.world.split_shard(name, shard);
        self.resharded(stream, name);
    }

    fn merge(&mut self, stream: usize, nth: usize) {
        let name = [READINGS_STREAM, QUALITY_STREAM][stream];
        let shards = self.plant.world.shards(name);
        let mut open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
        open.sort_by_key(|shard| shard.hash_keys);
        if open.len() < 2 {
            return;
        }
        let nth = nth % (open.len() - 1);
        let (one, other) = (&open[nth].id, &open[nth + 1].id);
        self.plant.world.merge_shards(name, one, other);
        self.resharded(stream, name);
    }

    fn resharded(&mut self, stream: usize, name: &str) {
        let now_ms = self.plant.clock.now_ms();
        self.audit.tell(now_ms, || format!("{name} is resharded"));
        self.streams[stream].note_closed(&self.plant.world, name);
        for line in &mut self.lines {
            if line.function.stream() == name {
                line.tell_of_shards(&self.plant);
            }
        }
    }

    fn let_timers_go(&mut self, now_ms: i64) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            match entry.remove() {
                Timer::GiveUp(serial) => self.answer(serial, &Answer::TimedOut),
                Timer::GoOn(line) => self.lines[line].mapping.set_enabled(true),
            }
        }
    }

    /// Lets the mappings do what they have to do now, and gives the time at which they have something again.
    fn pump(&mut self, now_ms: i64) -> Option<i64> {
        for (log, name) in self
            .streams
            .iter_mut()
            .zip([READINGS_STREAM, QUALITY_STREAM])
        {
            for record in log.sync(&self.plant.world, name) {
                if name == QUALITY_STREAM {
                    self.audit.event(&record);
                }
            }
        }
        let mut wake_ms = None::<i64>;
        for line in 0..self.lines.len() {
            loop {
                let until_ms = self.act(line, now_ms);
                if !self.answer_reads(line, now_ms) {
                    let due = self.lines[line].reads.iter().filter_map(|one| one.due_ms);
                    wake_ms = due.chain(until_ms).chain(wake_ms).min();
                    break;
                }
            }
        }
        wake_ms
    }

    /// Does what a mapping asks for, until it waits.
    fn act(&mut self, line: usize, now_ms: i64) -> Option<i64> {
        loop {
            match self.lines[line].mapping.next(now_ms) {
                Action::Invoke(invocation) => self.invoke(line, invocation, now_ms),
                Action::Read(read) => self.read(line, read, now_ms),
                Action::SendFailure(discarded) => {
                    let function = self.lines[line].function;
                    self.plant.world.put_object(
                        SET_ASIDE_BUCKET,
                        &discarded.key(),
                        discarded.to_full_json(),
                    );
                    self.audit.discarded(function, &discarded);
                }
                Action::Wait { until_ms } => return Some(until_ms),
                Action::Idle => return None,
            }
        }
    }

    fn read(&mut self, line: usize, read: Read, now_ms: i64) {
        let line = &mut self.lines[line];
        match self.injector.mapping(line.function, now_ms, true) {
            Some(_) => line.mapping.read_failed(&read.shard, now_ms).unwrap(),
            None => line.reads.push(Waiting { read, due_ms: None }),
        }
    }

    /// Answers the reads whose time has come; whether there were any.
    fn answer_reads(&mut self, line: usize, now_ms: i64) -> bool {
        let line = &mut self.lines[line];
        let log = &self.streams[usize::from(line.function.stream() == QUALITY_STREAM)];
        let mut any = false;
        let mut place = 0;
        while place < line.reads.len() {
            let waiting = &mut line.reads[place];
            let (records, is_end) = log.read(&waiting.read);
            if records.is_empty() && !is_end {
                place += 1;
                continue;
            }
            let due_ms = *waiting
                .due_ms
                .get_or_insert_with(|| now_ms + self.random.between(0, 1_000));
            if due_ms > now_ms {
                place += 1;
                continue;
            }
            let records = records.to_vec();
            let read = line.reads.remove(place).read;
            line.mapping
                .records(&read.shard, records, is_end, now_ms)
                .unwrap();
            any = true;
        }
        any
    }

    fn invoke(&mut self, place: usize, invocation: Invocation, now_ms: i64) {
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
        self.audit.tell(now_ms, || {
            let first = records.first().map(|one| one.sequence_number.to_string());
            format!(
                "{request_id} gets {} records of {shard} from {}",
                records.len(),
                first.unwrap_or_default()
            )
        });
        self.under_way.insert(
            serial,
            UnderWay {
                line: place,
                id: invocation.id,
                request_id: request_id.clone(),
                shard,
                records,
                answer_lost: twists.contains(&Twist::AnswerLost),
            },
        );
        if twists
            .iter()
            .any(|twist| matches!(twist, Twist::Throttled(_)))
        {
            return self.answer(serial, &Answer::Throttled);
        }
        let environment = self.environment(place, &twists);
        for twist in twists {
            if let Twist::GivenUp(after_ms) = twist {
                self.serial += 1;
                self.timers
                    .insert((now_ms + after_ms, self.serial), Timer::GiveUp(serial));
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
                crashed: Notify::new(),
            },
            serial,
            self.end.clone(),
        ));
    }

    fn environment(&mut self, place: usize, twists: &[Twist]) -> Environment {
        let line = &mut self.lines[place];
        let mut clock = self.plant.clock;
        let mut own = false;
        for twist in twists {
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

    fn take_answer(&mut self, ended: Ended) {
        self.running -= 1;
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
    fn answer(&mut self, serial: u64, answer: &Answer) {
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
        let passed = &under_way.records[..done];
        self.audit
            .passed(&self.plant, line.function, &under_way.shard, passed);
    }

    /// Everything is well again: what was parked comes back.
    async fn bring_back(&mut self) {
        self.plant.world.clear_faults();
        let now_ms = self.plant.clock.now_ms();
        match bring_back(&self.plant).await {
            Ok(0) => {}
            Ok(readings) => self
                .audit
                .tell(now_ms, || format!("{readings} readings are brought back")),
            Err(answer) => {
                let what = format!("bringing back ended with {answer}");
                self.audit.violation("what was parked comes back", what);
            }
        }
    }

    /// With nothing left to do, every shard has been finished.
    fn check_drained(&mut self) {
        for line in &self.lines {
            let log = &self.streams[usize::from(line.function.stream() == QUALITY_STREAM)];
            for (shard, records) in log.shards() {
                let last = records.last().map(|record| record.sequence_number.clone());
                let reached = line.mapping.checkpoint(shard);
                if reached != last {
                    let what = format!(
                        "{} stopped on {shard} at {reached:?}, before {last:?}",
                        line.function
                    );
                    self.audit.violation("liveness", what);
                }
            }
        }
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
    let work = environment.invoke(&plant, &event, &running.request_id);
    let work = RUNNING.scope(Arc::clone(&running), work);
    let (answer, survives) = tokio::select! {
        biased;
        () = running.crashed.notified() => (Answer::Crashed, false),
        () = time_out => (Answer::TimedOut, false),
        answer = work => (answer, true),
    };
    let _ = end.send(Ended {
        serial,
        answer,
        environment: survives.then_some(environment),
    });
}
