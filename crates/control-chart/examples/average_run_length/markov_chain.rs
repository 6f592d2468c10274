//! Average run lengths of run tests, exactly: what the points in the window were is a Markov chain. Source: C. W. Champ
//! and W. H. Woodall, Technometrics 29 (1987); they, too, keep of each point only the zone that it was in.

use crate::integral_equation::normal_tail;

/// One beyond 3 sigma, or `least` of `n` in a row beyond `line` sigmas on one side; a window that is not full fires
/// nothing. The process is on its centre.
pub fn run_length(line: f64, least: usize, n: usize) -> f64 {
    let beyond = normal_tail(line) - normal_tail(3.0);
    let zones = [
        (1, beyond),
        (-1, beyond),
        (0, 1.0 - 2.0 * normal_tail(line)),
    ];
    // Windows are found from the empty one on; each has the windows that follow it without a signal.
    let mut windows: Vec<Vec<i8>> = vec![Vec::new()];
    let mut followers: Vec<Vec<(usize, f64)>> = Vec::new();
    while let Some(window) = windows.get(followers.len()).cloned() {
        let mut next = Vec::new();
        for (zone, probability) in zones {
            let mut points = window.clone();
            points.push(zone);
            let alike = points.iter().filter(|point| **point == zone).count();
            if zone != 0 && points.len() >= n && alike >= least {
                continue;
            }
            let kept = points.split_off(points.len().saturating_sub(n - 1));
            let place = windows.iter().position(|known| *known == kept);
            next.push((place.unwrap_or(windows.len()), probability));
            if place.is_none() {
                windows.push(kept);
            }
        }
        followers.push(next);
    }
    settle(&followers)
}

/// The expected steps from the first window, by Gauss-Seidel iteration.
fn settle(followers: &[Vec<(usize, f64)>]) -> f64 {
    let mut lengths = vec![1.0; followers.len()];
    loop {
        let mut moved: f64 = 0.0;
        for place in 0..lengths.len() {
            let after: f64 = followers[place]
                .iter()
                .map(|(next, probability)| probability * lengths[*next])
                .sum();
            moved = moved.max((1.0 + after - lengths[place]).abs());
            lengths[place] = 1.0 + after;
        }
        if moved < 1e-9 {
            return lengths[0];
        }
    }
}
