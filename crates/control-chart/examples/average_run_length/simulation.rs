//! Run lengths by simulation: seeded, and the same however many threads there are.

use control_chart::{BadChart, Baseline, Chart, ChartState, Observed, Sample};
use fastrand::Rng;

use crate::settings::Setting;

/// A mean over simulated runs.
#[derive(Clone, Copy, Debug)]
pub struct RunLengths {
    /// Their mean.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl RunLengths {
    /// Whether the mean is within so many standard errors, and the rounding, of the published value.
    pub fn is_near(&self, setting: &Setting, standard_errors: f64) -> bool {
        let apart = (self.mean - setting.published).abs();
        apart <= standard_errors * self.standard_error + setting.rounding
    }
}

/// Parts of the work; each has its own seed.
const PARTS: u32 = 16;

/// Simulates `runs` runs of the chart, each from a fresh state.
pub fn run_lengths(setting: &Setting, runs: u32) -> Result<RunLengths, BadChart> {
    let given = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    let chart = Chart::new(setting.kind, given, setting.tests)?;
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u32);
    let of_thread = |thread: u32| {
        (thread..PARTS)
            .step_by(threads as usize)
            .map(|part| sums(&chart, setting.shift, runs / PARTS, part))
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    let (sum, squares) = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads)
            .map(|thread| scope.spawn(move || of_thread(thread)))
            .collect();
        workers.into_iter().fold(of_thread(0), |all, worker| {
            let (sum, squares) = worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (all.0 + sum, all.1 + squares)
        })
    });
    let n = f64::from(runs / PARTS * PARTS);
    let mean = sum as f64 / n;
    let variance = (squares as f64 / n - mean * mean) * n / (n - 1.0);
    Ok(RunLengths {
        mean,
        standard_error: (variance / n).sqrt(),
    })
}

/// Sum and sum of squares of the run lengths.
fn sums(chart: &Chart, shift: f64, runs: u32, part: u32) -> (u64, u64) {
    let mut normals = Normals::new(u64::from(part) + 1);
    let mut sums = (0, 0);
    for _ in 0..runs {
        let mut state = ChartState::default();
        let mut length: u64 = 0;
        loop {
            length += 1;
            let sample = Sample::Value(shift + normals.next());
            match chart.observe(&mut state, sample) {
                Observed::Point(point) if point.fired.is_empty() => {}
                _ => break,
            }
        }
        sums = (sums.0 + length, sums.1 + length * length);
    }
    sums
}

/// Standard normal numbers, by Marsaglia's polar method.
struct Normals {
    random: Rng,
    spare: Option<f64>,
}

impl Normals {
    fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            spare: None,
        }
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.random.f64() - 1.0, 2.0 * self.random.f64() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * scale);
                return x * scale;
            }
        }
    }
}
