//! A bearing that wears until it seizes: the exponential degradation signal of N. Gebraeel, M. Lawley, R. Li and
//! J. Ryan, "Residual-life distributions from component degradation signals: A Bayesian approach", IIE Transactions
//! 37 (2005), with their Brownian error:
//!
//! `S(t) = φ + θ exp(β t + ε(t) - σ² t / 2)`, `ln θ` and `β` normal from bearing to bearing, `ε` a Brownian motion of
//! `σ² t`; the bearing fails when S reaches a threshold.
//!
//! Here S is the bearing's friction torque. It brakes the drive and heats the process, both by a few times what the line
//! model's own noise does, while torque, which the plan's charts watch, does not move: no rule of the press line
//! sees it. Time counts in parts. The constants are this project's: they give a bearing a life of some thousand parts
//! (ten hours of 36 seconds each) instead of months, so that a shift has failures to predict.

use super::random::Random;

/// The friction at which a bearing seizes, in newton metres (the threshold D).
pub const SEIZES_AT_NM: f64 = 4.0;
/// Kelvins by which a newton metre of friction heats the process.
pub const HEAT_K_PER_NM: f64 = 0.8;
/// The friction of a sound bearing, part of the line model's load already (φ).
const SOUND_NM: f64 = 0.0;
/// Mean and deviation of `ln θ`, θ in newton metres: 0.05 in the middle.
const LN_THETA: (f64, f64) = (-2.995_732_273_553_991, 0.3);
/// Mean and deviation of β, per part.
const BETA: (f64, f64) = (0.004_5, 0.000_8);
/// No bearing wears more slowly, so that every life ends.
const LEAST_BETA: f64 = 0.002;
/// Deviation of the Brownian error after one part (σ).
const SIGMA: f64 = 0.01;
/// At the run's start bearings are of any age up to this, in parts.
const OLDEST_AT_START: f64 = 800.0;

/// Streams of the line model lie below this one.
const FIRST_STREAM: u64 = 1 << 32;

/// One machine's bearings, one after the other.
#[derive(Clone, Debug)]
pub struct Bearing {
    random: Random,
    beta: f64,
    /// The exponent with `ln θ`: the logarithm of `S - φ`.
    ln_wear: f64,
}

impl Bearing {
    /// The bearing of machine number `index` of the seed, of some age.
    pub fn new(seed: u64, index: u64) -> Self {
        let mut random = Random::new(seed, FIRST_STREAM + index);
        let mut bearing = Self::fresh(&mut random);
        let age = random.uniform() * OLDEST_AT_START;
        // Brownian error is left to the run: an age says enough. Nothing starts beyond its end.
        let most = libm::log(SEIZES_AT_NM) - 0.5;
        bearing.1 = (bearing.1 + bearing.0 * age).min(most);
        Self {
            random,
            beta: bearing.0,
            ln_wear: bearing.1,
        }
    }

    fn fresh(random: &mut Random) -> (f64, f64) {
        let ln_theta = LN_THETA.0 + LN_THETA.1 * random.normal();
        let beta = (BETA.0 + BETA.1 * random.normal()).max(LEAST_BETA);
        (beta, ln_theta)
    }

    /// The friction that the next part meets, in newton metres.
    pub fn friction_nm(&self) -> f64 {
        SOUND_NM + libm::exp(self.ln_wear)
    }

    /// Wears by one part. Returns whether it seized on it; another one stands in its place then.
    pub fn wear(&mut self) -> bool {
        self.ln_wear += self.beta - SIGMA * SIGMA / 2.0 + SIGMA * self.random.normal();
        let seized = self.friction_nm() >= SEIZES_AT_NM;
        if seized {
            (self.beta, self.ln_wear) = Self::fresh(&mut self.random);
        }
        seized
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frictions met by so many parts, and the parts that each bearing seized on.
    fn run(index: u64, parts: usize) -> (Vec<f64>, Vec<usize>) {
        let mut bearing = Bearing::new(1, index);
        let mut frictions = Vec::new();
        let mut seized = Vec::new();
        for part in 0..parts {
            frictions.push(bearing.friction_nm());
            if bearing.wear() {
                seized.push(part);
            }
        }
        (frictions, seized)
    }

    #[test]
    fn lives_are_some_thousand_parts() {
        let lives: Vec<f64> = (0..40)
            .flat_map(|index| {
                let (_, seized) = run(index, 10_000);
                seized
                    .windows(2)
                    .map(|pair| (pair[1] - pair[0]) as f64)
                    .collect::<Vec<_>>()
            })
            .collect();
        let mean = lives.iter().sum::<f64>() / lives.len() as f64;
        assert!((900.0..1_150.0).contains(&mean), "{mean}");
        assert!(lives.iter().all(|life| (300.0..3_500.0).contains(life)));
    }

    #[test]
    fn friction_grows_exponentially_up_to_the_threshold() {
        let (frictions, seized) = run(3, 10_000);
        for end in &seized[1..] {
            let before = |parts: usize| frictions[end - parts];
            assert!((0.85 * SEIZES_AT_NM..SEIZES_AT_NM).contains(&before(0)));
            // A part in 200 of the slowest and the fastest wear, with the error of 200 parts about it.
            let growth = libm::log(before(0) / before(200)) / 200.0;
            assert!((0.001..0.009).contains(&growth), "{growth}");
        }
    }

    #[test]
    fn a_seized_bearing_is_changed() {
        let (frictions, seized) = run(0, 5_000);
        assert!(!seized.is_empty());
        for end in seized.into_iter().filter(|end| end + 1 < 5_000) {
            assert!(frictions[end + 1] < 0.25, "{}", frictions[end + 1]);
        }
    }

    #[test]
    fn nothing_is_worn_out_at_the_start() {
        for index in 0..500 {
            assert!(Bearing::new(9, index).friction_nm() < 0.7 * SEIZES_AT_NM);
        }
    }
}
