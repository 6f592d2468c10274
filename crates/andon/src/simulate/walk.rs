//! A random walk, normalised over the whole run to mean 0 and a given standard deviation.

use super::random::Random;

/// The walk, one position per reading. Its scale is known before the first position is asked for: the
/// constructor walks once to measure, in constant memory, and again to give.
#[derive(Clone, Debug)]
pub struct Walk {
    random: Random,
    position: f64,
    mean: f64,
    scale: f64,
}

impl Walk {
    /// A walk of `steps` normal steps whose positions have the standard deviation `sigma`.
    pub fn new(random: Random, steps: u64, sigma: f64) -> Self {
        let mut measured = random.clone();
        let (mut position, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for n in 1..=steps {
            position += measured.normal();
            // Welford: the running mean, and the sum of squared differences from it.
            let before = position - mean;
            mean += before / n as f64;
            squares += before * (position - mean);
        }
        let deviation = (squares / steps.max(1) as f64).sqrt();
        let scale = if deviation > 0.0 {
            sigma / deviation
        } else {
            0.0
        };
        Self {
            random,
            position: 0.0,
            mean,
            scale,
        }
    }

    /// The next position.
    pub fn step(&mut self) -> f64 {
        self.position += self.random.normal();
        (self.position - self.mean) * self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_deviation_asked_for_over_the_run() {
        let mut walk = Walk::new(Random::new(5, 0), 5_000, 2.0);
        let positions: Vec<f64> = (0..5_000).map(|_| walk.step()).collect();
        let mean = positions.iter().sum::<f64>() / 5_000.0;
        let variance = positions.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5_000.0;
        assert!(mean.abs() < 1e-9, "{mean}");
        assert!((variance.sqrt() - 2.0).abs() < 1e-9, "{variance}");
    }

    #[test]
    fn a_single_reading_lies_at_the_mean() {
        assert_eq!(Walk::new(Random::new(5, 0), 1, 2.0).step(), 0.0);
        assert_eq!(Walk::new(Random::new(5, 0), 0, 2.0).step(), 0.0);
    }
}
