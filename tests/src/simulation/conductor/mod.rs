//! Conducts a run: puts what producers put, lets the mappings read and invoke, gives every invocation its environment
//! and its fate, and ends when everything that is on the streams is finished.

mod invoking;
mod outside;

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use event_source_mapping::{Action, Answer, Read};
use lambda_function::clock::Clock;
use tokio::sync::mpsc;

use super::audit::Audit;
use super::function::{Function, QUALITY_STREAM, READINGS_STREAM};
use super::injector::Injector;
use super::limits::Limits;
use super::line::{Line, UnderWay, Waiting};
use super::random::Random;
use super::stream::StreamLog;
use super::workload::{Step, Workload};
use super::world::{Plant, SET_ASIDE_BUCKET};
use invoking::Ended;

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
    /// Within so many milliseconds a poll comes that finds what is there.
    polls_ms: i64,
    steps: std::iter::Peekable<std::vec::IntoIter<Step>>,
    lines: Vec<Line>,
    streams: [StreamLog; 2],
    under_way: BTreeMap<u64, UnderWay>,
    /// Where deliveries began: the function, the shard and the first record.
    delivered: HashSet<(Function, String, String)>,
    timers: BTreeMap<(i64, u64), Timer>,
    serial: u64,
    running: usize,
    ended: mpsc::UnboundedReceiver<Ended>,
    end: mpsc::UnboundedSender<Ended>,
}

/// What is to happen at a time.
enum Timer {
    /// Lambda gives up waiting for an invocation, by this fault.
    GiveUp(u64, usize),
    /// A mapping goes on.
    GoOn(usize),
}

impl Conductor {
    /// A world in which nothing has happened yet.
    pub fn new(seed: u64, workload: &Workload, injector: Injector, tells: bool) -> Self {
        let limits = Limits::new(seed);
        let plant = Rc::new(Plant::new(workload));
        plant.world.set_fault_plan(injector.clone());
        let mut lines: Vec<_> = Function::ALL
            .into_iter()
            .map(|function| Line::new(function, &plant, limits))
            .collect();
        for line in &mut lines {
            line.tell_of_shards(&plant);
        }
        let (end, ended) = mpsc::unbounded_channel();
        Self {
            audit: Audit::new(workload, limits, tells),
            plant,
            injector,
            random: Random::new(seed, 3),
            // Where all shards are read at once, a machine on several of them is judged by several at once.
            polls_ms: *Random::new(seed, 5).pick(&[1_000, 1_000, 5]),
            steps: workload.steps.clone().into_iter().peekable(),
            lines,
            streams: Default::default(),
            under_way: BTreeMap::new(),
            delivered: HashSet::new(),
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
                    let last_hit_ms = self.injector.last_hit_ms(Function::Evaluator);
                    self.audit.deeds.evaluator_hit_last(last_hit_ms);
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

    fn let_timers_go(&mut self, now_ms: i64) {
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            match entry.remove() {
                Timer::GiveUp(serial, fault) => {
                    if !self.under_way.contains_key(&serial) {
                        self.injector.in_vain(fault);
                    }
                    self.answer(serial, &Answer::TimedOut);
                }
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
                    let of_stream = usize::from(function.stream() == QUALITY_STREAM);
                    let log = self.streams[of_stream].of(&discarded.shard);
                    self.audit.discarded(&self.plant, function, &discarded, log);
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
                .get_or_insert_with(|| now_ms + self.random.between(0, self.polls_ms));
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
