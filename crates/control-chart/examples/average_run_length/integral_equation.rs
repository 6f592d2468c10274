//! Average run lengths of EWMA and CUSUM as solutions of their integral equations, by Nyström's method with Simpson's
//! rule. Sources: S. V. Crowder, Technometrics 29 (1987), for the EWMA; A. L. Goel and S. M. Wu, Technometrics 13
//! (1971), for the CUSUM; J. M. Lucas and R. B. Crosier, Technometrics 24 (1982), for two sides and head starts.

/// Intervals of Simpson's rule.
const INTERVALS: usize = 160;

/// The probability that a standard normal number is above `x`.
pub fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x / std::f64::consts::SQRT_2)
}

fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Two-sided EWMA with steady limits at `width`, started at its centre; the process is off by `shift` sigmas.
pub fn ewma(lambda: f64, width: f64, shift: f64) -> f64 {
    let limit = width * (lambda / (2.0 - lambda)).sqrt();
    let (nodes, weights) = simpson(-limit, limit);
    let kernel =
        |from: f64, to: f64| normal_density((to - (1.0 - lambda) * from) / lambda - shift) / lambda;
    let lengths = solve(&nodes, |row, column| {
        weights[column] * kernel(nodes[row], nodes[column])
    });
    1.0 + (0..nodes.len())
        .map(|n| weights[n] * kernel(0.0, nodes[n]) * lengths[n])
        .sum::<f64>()
}

/// Two-sided CUSUM; both sums start at `head_start`.
pub fn cusum(k: f64, h: f64, head_start: f64, shift: f64) -> f64 {
    let side = |shift: f64| {
        (
            one_sided(k, h, 0.0, shift),
            one_sided(k, h, head_start, shift),
        )
    };
    let ((high, high_started), (low, low_started)) = (side(shift), side(-shift));
    (high_started * low + high * low_started - high * low) / (high + low)
}

fn one_sided(k: f64, h: f64, start: f64, shift: f64) -> f64 {
    let (nodes, weights) = simpson(0.0, h);
    let density = |from: f64, to: f64| normal_density(to + k - from - shift);
    let to_zero = |from: f64| normal_tail(from + shift - k);
    let lengths = solve(&nodes, |row, column| {
        let reset = if column == 0 {
            to_zero(nodes[row])
        } else {
            0.0
        };
        weights[column] * density(nodes[row], nodes[column]) + reset
    });
    1.0 + to_zero(start) * lengths[0]
        + (0..nodes.len())
            .map(|n| weights[n] * density(start, nodes[n]) * lengths[n])
            .sum::<f64>()
}

fn simpson(from: f64, to: f64) -> (Vec<f64>, Vec<f64>) {
    let step = (to - from) / INTERVALS as f64;
    (0..=INTERVALS)
        .map(|n| {
            let weight = match n {
                0 | INTERVALS => 1.0,
                _ if n % 2 == 1 => 4.0,
                _ => 2.0,
            };
            (from + step * n as f64, weight * step / 3.0)
        })
        .unzip()
}

/// Solves L = 1 + K L by elimination; `kernel` gives K by row and column. I - K is diagonally dominant enough in
/// these problems to need no pivoting.
fn solve(nodes: &[f64], kernel: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let n = nodes.len();
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|row| {
            (0..n)
                .map(|column| f64::from(u8::from(row == column)) - kernel(row, column))
                .chain([1.0])
                .collect()
        })
        .collect();
    for pivot in 0..n {
        let (above, below) = rows.split_at_mut(pivot + 1);
        let pivot_row = &above[pivot];
        for row in below {
            let factor = row[pivot] / pivot_row[pivot];
            for (value, of_pivot) in row.iter_mut().zip(pivot_row).skip(pivot) {
                *value -= factor * of_pivot;
            }
        }
    }
    let mut lengths = vec![0.0; n];
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n)
            .map(|column| rows[row][column] * lengths[column])
            .sum();
        lengths[row] = (rows[row][n] - known) / rows[row][row];
    }
    lengths
}
