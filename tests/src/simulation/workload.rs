//! What producers put on the readings stream, and what operators do meanwhile: made from the seed before anything runs.

use std::collections::BTreeSet;
use std::rc::Rc;

use fake_aws::{World, WorldOptions};
use kinesis_batch::aggregate::{Member, encode};
use quality_event::Timestamp;

use super::random::Random;

/// The control plan that a run starts with.
pub const PLAN: &str = include_str!("plan.yaml");

/// The rule that plan changes concern; every other rule is the same in all versions.
pub const CHANGED_RULE: &str = "overstrain";

/// The least readings of a run.
pub const READINGS: usize = 1_000;

/// The fewest shards that a stream begins with.
pub const SHARDS: usize = 3;

const START_MS: i64 = fake_aws::Clock::START_MS;

/// Everything that comes from outside.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The machines' names.
    pub machines: Vec<String>,
    /// What happens, in the order of time.
    pub steps: Vec<Step>,
    /// Shards of the readings stream and of the quality-events stream.
    pub shards: [usize; 2],
    /// The functions' cool-down.
    pub cool_down_s: i64,
    /// When the last step happens.
    pub ends_ms: i64,
    /// Whether a stream is resharded.
    pub reshards: bool,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
    /// A record is put on the readings stream.
    Put(Put),
    /// Bytes that are no event are put on the quality-events stream.
    Stray(String, Vec<u8>),
    /// A control plan is pushed; whether it passes its check.
    Plan(String, bool),
    /// A shard is split: stream 0 or 1, which of its open shards.
    Split(usize, usize),
    /// Two adjacent shards are merged.
    Merge(usize, usize),
}

/// A record, and what it holds.
#[derive(Clone, Debug)]
pub struct Put {
    /// The partition key.
    pub key: String,
    /// The record's bytes.
    pub data: Rc<[u8]>,
    /// What the producer put into it, in order.
    pub holds: Rc<[Payload]>,
    /// Whether it is an aggregate.
    pub is_aggregate: bool,
}

/// One user record.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The bytes.
    pub bytes: Rc<[u8]>,
    /// The machine, if it is a reading.
    pub machine: Option<String>,
}

/// A machine that makes parts.
struct Press {
    name: String,
    line: &'static str,
    names_readings: bool,
    /// The partition keys that its gateways use: several put it on several shards.
    keys: Vec<String>,
    made: i64,
    wear: f64,
    torque: f64,
    /// How often a reading brings trouble.
    unrest: f64,
    trouble: Trouble,
    last: Option<Rc<[u8]>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    Power(i64),
    Heat(i64),
    Stuck(i64),
    Missing(i64),
}

impl Workload {
    /// The workload of a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let reshards = seed.is_multiple_of(4);
        let wanders = random.chance(0.4);
        let mut presses = presses(&mut random, wanders);
        let waves = random.between(6, 9);
        // A hundredth is no reading.
        let per_wave = (READINGS + READINGS / 25) / waves as usize + 1;
        let mut steps = Vec::new();
        let mut at_ms = START_MS + 1_000;
        for _ in 0..waves {
            wave(&mut random, &mut presses, per_wave, at_ms, &mut steps);
            at_ms += random.between(1_500, 70_000);
        }
        let ends_ms = at_ms;
        let mut workload = Self {
            machines: presses.into_iter().map(|press| press.name).collect(),
            steps,
            shards: [SHARDS, 2 + random.below(2)],
            cool_down_s: *random.pick(&[0, 60, 300]),
            ends_ms,
            reshards,
        };
        workload.operate(&mut random);
        workload.steps.sort_by_key(|step| step.at_ms);
        workload
    }

    /// What operators do.
    fn operate(&mut self, random: &mut Random) {
        let ends_ms = self.ends_ms;
        let at = |random: &mut Random| random.between(START_MS + 2_000, ends_ms);
        if random.chance(0.3) {
            for n in 0..random.between(1, 3) {
                let at_ms = at(random);
                let step = match random.below(4) {
                    0 => {
                        // An environment that starts now has no good plan to keep: somebody repairs it.
                        self.steps.push(Step {
                            at_ms: at_ms + random.between(5_000, 200_000),
                            what: What::Plan(PLAN.to_owned(), true),
                        });
                        What::Plan("version: 1\nrules: {".to_owned(), false)
                    }
                    1 => What::Plan(changed_plan(None), true),
                    2 => What::Plan(PLAN.to_owned(), true),
                    _ => What::Plan(changed_plan(Some(8_000 + 200 * n)), true),
                };
                self.steps.push(Step { at_ms, what: step });
            }
        }
        if self.reshards {
            for _ in 0..random.between(1, 3) {
                let (stream, shard) = (random.below(2), random.below(8));
                self.steps.push(Step {
                    at_ms: at(random),
                    what: match random.chance(0.6) {
                        true => What::Split(stream, shard),
                        false => What::Merge(stream, shard),
                    },
                });
            }
        }
        if random.chance(0.3) {
            let bytes = random.pick(&[&b"{}"[..], b"\xff\xfe", b"null"]).to_vec();
            self.steps.push(Step {
                at_ms: at(random),
                what: What::Stray("press-00".to_owned(), bytes),
            });
        }
    }

    /// Machines whose readings come through several shards: no order holds between these.
    pub fn wanderers(&self) -> Vec<&str> {
        let mut keys: std::collections::BTreeMap<&str, BTreeSet<&str>> =
            std::collections::BTreeMap::new();
        for step in &self.steps {
            let What::Put(put) = &step.what else { continue };
            for machine in put.holds.iter().filter_map(|one| one.machine.as_deref()) {
                keys.entry(machine).or_default().insert(&put.key);
            }
        }
        keys.into_iter()
            .filter(|(_, keys)| keys.len() > 1)
            .map(|(machine, _)| machine)
            .collect()
    }

    /// Readings that are put.
    pub fn readings(&self) -> usize {
        self.payloads().filter(|one| one.machine.is_some()).count()
    }

    /// How many machines have readings.
    pub fn machines_heard_of(&self) -> usize {
        let machines: BTreeSet<_> = self
            .payloads()
            .filter_map(|one| one.machine.as_deref())
            .collect();
        machines.len()
    }

    fn payloads(&self) -> impl Iterator<Item = &Payload> {
        let puts = self.steps.iter().filter_map(|step| match &step.what {
            What::Put(put) => Some(put),
            _ => None,
        });
        puts.flat_map(|put| put.holds.iter())
    }

    /// The versions of the control plan that pass their check, the first one first.
    pub fn plans(&self) -> Vec<&str> {
        let pushed = self.steps.iter().filter_map(|step| match &step.what {
            What::Plan(text, true) => Some(text.as_str()),
            _ => None,
        });
        std::iter::once(PLAN).chain(pushed).collect()
    }
}

/// The plan with another limit in the rule that changes, or without that rule.
fn changed_plan(limit: Option<i64>) -> String {
    let from = format!("  - id: {CHANGED_RULE}");
    let rule = PLAN.find(&from).unwrap();
    let end = rule + PLAN[rule..].find("  - id: torque-drift").unwrap();
    match limit {
        Some(limit) => PLAN.replace(
            "8600.0\n    severity: critical\n  - id: torque-drift",
            &format!("{limit}.0\n    severity: critical\n  - id: torque-drift"),
        ),
        None => [&PLAN[..rule], &PLAN[end..]].concat(),
    }
}

fn presses(random: &mut Random, wanders: bool) -> Vec<Press> {
    let count = random.between(5, 8);
    let wanderer = random.between(0, count - 1);
    let restless = random.between(0, count - 1);
    let first = first_number(random, count, wanders.then_some(wanderer));
    (0..count)
        .map(|n| {
            let name = name(first + n);
            let keys = match wanders && n == wanderer {
                true => (0..3)
                    .map(|gateway| format!("gateway-{gateway}-{n}"))
                    .collect(),
                false => vec![name.clone()],
            };
            Press {
                name,
                line: ["L1", "L2"][n as usize % 2],
                // A machine that wanders names no readings: which of two copies comes first is anybody's guess.
                names_readings: n % 2 == 0 && keys.len() == 1,
                keys,
                made: 0,
                wear: random.uniform() * 205.0,
                torque: 40.0,
                // One of them alerts often enough to be held back.
                unrest: if n == restless { 0.06 } else { 0.012 },
                trouble: Trouble::None,
                last: None,
            }
        })
        .collect()
}

fn name(number: i64) -> String {
    format!("press-{number:02}")
}

/// A number from which on machines, but for the one that wanders, are spread over all shards.
fn first_number(random: &mut Random, count: i64, wanderer: Option<i64>) -> i64 {
    let keys = World::new(WorldOptions::default());
    keys.create_stream("keys", SHARDS);
    loop {
        let first = random.between(0, 90);
        let stay = (0..count).filter(|n| Some(*n) != wanderer);
        let shards = stay.map(|n| keys.put_record("keys", &name(first + n), "key").shard);
        if shards.collect::<BTreeSet<_>>().len() == SHARDS {
            return first;
        }
    }
}

/// So many readings at once, in an order that keeps each machine's.
fn wave(
    random: &mut Random,
    presses: &mut [Press],
    readings: usize,
    at_ms: i64,
    steps: &mut Vec<Step>,
) {
    let mut left = readings;
    while left > 0 {
        let press = random.below(presses.len());
        let press = &mut presses[press];
        let run = (random.between(1, 12) as usize).min(left);
        left -= run;
        let payloads: Vec<Payload> = (0..run).map(|_| press.payload(random, at_ms)).collect();
        let key = random.pick(&press.keys).clone();
        let mut put = |payloads: &[Payload], is_aggregate: bool| {
            let data = match is_aggregate {
                true => encode(payloads.iter().map(|one| Member {
                    partition_key: &press.name,
                    explicit_hash_key: None,
                    data: &one.bytes,
                }))
                .into(),
                false => payloads[0].bytes.clone(),
            };
            let put = Put {
                key: key.clone(),
                data,
                holds: payloads.into(),
                is_aggregate,
            };
            steps.push(Step {
                at_ms,
                what: What::Put(put),
            });
        };
        if random.chance(0.5) {
            put(&payloads, true);
        } else {
            payloads.chunks(1).for_each(|one| put(one, false));
        }
    }
}

impl Press {
    /// The next reading; now and then one that was sent before, or bytes that are no reading.
    fn payload(&mut self, random: &mut Random, at_ms: i64) -> Payload {
        if random.chance(0.01) {
            return Payload {
                bytes: self.malformed(random).into(),
                machine: None,
            };
        }
        let again = self.last.clone().filter(|_| random.chance(0.02));
        let bytes = again.unwrap_or_else(|| self.reading(random, at_ms).into_bytes().into());
        self.last = Some(bytes.clone());
        Payload {
            bytes,
            machine: Some(self.name.clone()),
        }
    }

    fn malformed(&self, random: &mut Random) -> Vec<u8> {
        let n = random.bits();
        match random.below(4) {
            0 => format!("not JSON {n}").into_bytes(),
            1 => format!(r#"{{"line":"L1","time":"2026-11-20T01:00:00Z","n":{n}}}"#).into_bytes(),
            2 => format!(
                r#"{{"machine":"{}","time":"yesterday","n":{n}}}"#,
                self.name
            )
            .into_bytes(),
            _ => [&b"\xff\xfe\0"[..], &n.to_le_bytes()].concat(),
        }
    }

    fn reading(&mut self, random: &mut Random, at_ms: i64) -> String {
        self.made += 1;
        self.trouble = match self.trouble {
            Trouble::None if random.chance(self.unrest) => {
                let length = random.between(1, 4);
                match random.below(4) {
                    0 => Trouble::Power(length),
                    1 => Trouble::Heat(length + 2),
                    2 => Trouble::Stuck(length + 5),
                    _ => Trouble::Missing(length + 1),
                }
            }
            Trouble::Power(n) if n > 0 => Trouble::Power(n - 1),
            Trouble::Heat(n) if n > 0 => Trouble::Heat(n - 1),
            Trouble::Stuck(n) if n > 0 => Trouble::Stuck(n - 1),
            Trouble::Missing(n) if n > 0 => Trouble::Missing(n - 1),
            Trouble::None => Trouble::None,
            _ => Trouble::None,
        };
        self.wear += random.uniform() * 0.6;
        if self.wear > 212.0 {
            self.wear = 0.0;
        }
        if !matches!(self.trouble, Trouble::Stuck(_)) {
            self.torque = (random.uniform() + random.uniform() + random.uniform()) * 5.0 + 32.5;
        }
        let rotational_speed = match self.trouble {
            Trouble::Power(_) => 2_900.0,
            Trouble::Heat(_) => 1_300.0,
            _ => 1_551.0,
        };
        let air_temperature = 298.1;
        let process_temperature = match self.trouble {
            Trouble::Heat(_) => 305.0,
            _ => 308.6,
        };
        // Reading time: parts are seconds apart, and told of after they were made.
        let time = Timestamp::from_millis(at_ms - 400_000 + self.made * 5_000).unwrap();
        let torque = match self.trouble {
            Trouble::Missing(_) => "null".to_owned(),
            _ => format!("{:?}", (self.torque * 10.0).round() / 10.0),
        };
        let id = match self.names_readings {
            true => format!(r#","reading_id":"{}-{}""#, self.name, self.made),
            false => String::new(),
        };
        format!(
            r#"{{"machine":"{}","line":"{}","time":"{time}","grade":"M"{id},"measurements":{{"air_temperature":{air_temperature:?},"process_temperature":{process_temperature:?},"rotational_speed":{rotational_speed:?},"torque":{torque},"tool_wear":{:?}}}}}"#,
            self.name,
            self.line,
            self.wear.round(),
        )
    }
}
