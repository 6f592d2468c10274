//! Mappings that do not try for ever: in some runs, one of the three gives batches up.

use super::function::Function;
use super::random::Random;

/// The share of runs in which a mapping gives up.
const SHARE: f64 = 0.12;

/// Which mapping gives up, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    function: Option<Function>,
    retries: Option<u32>,
    age_s: Option<u32>,
}

impl Limits {
    /// The limits of a seed; most have none that is reached.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 4);
        if !random.chance(SHARE) {
            return Self::default();
        }
        let function = Some(*random.pick(&Function::ALL));
        match random.chance(0.6) {
            true => Self {
                function,
                retries: Some(random.below(3) as u32),
                age_s: None,
            },
            false => Self {
                function,
                retries: None,
                age_s: Some(60 + random.below(120) as u32),
            },
        }
    }

    /// Whether this function's mapping gives batches up.
    pub fn concern(&self, function: Function) -> bool {
        self.function == Some(function)
    }

    /// The most retries of a batch of this function.
    pub fn retries(&self, function: Function) -> Option<u32> {
        self.retries.filter(|_| self.concern(function))
    }

    /// From which age on a record of this function is given up.
    pub fn age_s(&self, function: Function) -> Option<u32> {
        self.age_s.filter(|_| self.concern(function))
    }
}
