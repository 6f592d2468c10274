//! One run: from a seed to what was seen.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::{Tally, Violation};
use super::conductor::Conductor;
use super::fault::{self, FaultClass, Planned};
use super::injector::{Hits, Injector};
use super::workload::{What, Workload};

/// What was seen of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The seed.
    pub seed: u64,
    /// Which of its draws of faults, from 0.
    pub draw: u64,
    /// What was wrong; nothing, as it should be.
    pub violations: Vec<Violation>,
    /// What it amounts to.
    pub tally: Tally,
    /// How often each kind of fault hit something.
    pub faults: BTreeMap<FaultClass, u32>,
    /// How many planned faults hit something, and how many kinds there are in the workload.
    pub distinct_faults: usize,
    /// What faults hit, in order.
    pub hits: Vec<Hits>,
    /// What happened, in milliseconds since 1970, if the run was to tell.
    pub story: Vec<(i64, String)>,
    /// Every call to AWS, and what the world looks like at the end, if the run was to tell.
    pub world: String,
}

/// The faults that a run has at least.
pub const LEAST_FAULTS: usize = 5;

/// Draws after which a seed is left as it is.
const MOST_DRAWS: u64 = 10;

/// Runs a seed; `tells` whether it keeps the story. Where too few of its faults came to something, they are drawn anew: about
/// once in ten thousand seeds.
pub fn run(seed: u64, tells: bool) -> Run {
    run_with_least(seed, LEAST_FAULTS, tells)
}

/// The same with another number of faults that are enough.
pub fn run_with_least(seed: u64, least: usize, tells: bool) -> Run {
    let workload = Workload::new(seed);
    let mut draw = 0;
    loop {
        let faults = fault::plan(seed, draw, &workload);
        let run = run_with(seed, &workload, &faults, tells);
        let is_enough = run.distinct_faults >= least || !run.violations.is_empty();
        draw += 1;
        if is_enough || draw == MOST_DRAWS {
            return Run {
                draw: draw - 1,
                ..run
            };
        }
    }
}

/// Runs a seed's workload under these faults.
pub fn run_with(seed: u64, workload: &Workload, faults: &[Planned], tells: bool) -> Run {
    // Jitter is drawn from the thread's own generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let injector = Injector::new(seed, faults);
    let local = tokio::task::LocalSet::new();
    let (plant, mut audit) = local.block_on(&runtime, async {
        Conductor::new(seed, workload, injector.clone(), tells)
            .run()
            .await
    });
    let fired = injector.fired();
    let mut by_class = of_workload(workload);
    let in_workload = by_class.len();
    if audit.tally.discarded > 0 {
        *by_class.entry(FaultClass::GivenUp).or_default() += 1;
    }
    for (fault, fired) in faults.iter().zip(&fired) {
        if *fired > 0 {
            *by_class.entry(fault.class).or_default() += fired;
        }
    }
    let world = match tells {
        true => format!(
            "{:#?}\n{:#?}\n{:#?}\n{:#?}",
            plant.world.calls(),
            plant.world.items(super::world::STATE_TABLE),
            plant.world.items(super::world::CLAIMS_TABLE),
            plant.world.items(super::world::EVENTS_TABLE),
        ),
        false => String::new(),
    };
    Run {
        seed,
        draw: 0,
        violations: std::mem::take(&mut audit.violations),
        tally: audit.tally.clone(),
        faults: by_class,
        distinct_faults: in_workload + fired.iter().filter(|fired| **fired > 0).count(),
        hits: injector.log(),
        story: audit.story().to_vec(),
        world,
    }
}

/// The faults that are part of the workload.
fn of_workload(workload: &Workload) -> BTreeMap<FaultClass, u32> {
    let mut faults = BTreeMap::new();
    let mut count = |class, n: usize| {
        if n > 0 {
            *faults.entry(class).or_default() += n as u32;
        }
    };
    count(FaultClass::SeveralShards, workload.wanderers().len());
    let mut seen = BTreeSet::new();
    for step in &workload.steps {
        match &step.what {
            What::Put(put) => {
                for payload in put.holds.iter() {
                    match payload.machine {
                        None => count(FaultClass::MalformedReading, 1),
                        Some(_) if !seen.insert(&payload.bytes) => {
                            count(FaultClass::ProducerDuplicate, 1);
                        }
                        Some(_) => {}
                    }
                }
            }
            What::Stray(..) => count(FaultClass::MalformedEvent, 1),
            What::Plan(_, true) => count(FaultClass::PlanChange, 1),
            What::Plan(_, false) => count(FaultClass::BadPlan, 1),
            What::Split(..) | What::Merge(..) => count(FaultClass::Reshard, 1),
        }
    }
    faults
}
