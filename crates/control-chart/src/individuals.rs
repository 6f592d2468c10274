//! The classic trial limits of a whole series of individual values.

use crate::Limits;
use crate::constants::d2;
use crate::definition::MAX_MAGNITUDE;
use crate::kind::individuals::moving_range_limits;

/// The limits of the values, those of their moving range, and sigma = mean moving range / d2; none below two values or
/// where one is not finite or its square is not.
pub fn individuals_from(series: &[f64]) -> Option<(Limits, Limits, f64)> {
    if series.len() < 2 || !series.iter().all(|value| value.abs() < MAX_MAGNITUDE) {
        return None;
    }
    let n = series.len() as f64;
    let center = series.iter().sum::<f64>() / n;
    let ranges: f64 = series
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .sum();
    let sigma = ranges / (n - 1.0) / d2(2);
    Some((
        Limits::around(center, 3.0, sigma),
        moving_range_limits(sigma),
        sigma,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values_are_the_least() {
        assert_eq!(individuals_from(&[]), None);
        assert_eq!(individuals_from(&[3.0]), None);
        assert_eq!(individuals_from(&[3.0, f64::NAN]), None);
        assert_eq!(individuals_from(&[3.0, 1e150]), None);
        let found = individuals_from(&[3.0, 5.0]);
        assert!(found.is_some_and(|(x, _, sigma)| x.center == 4.0 && sigma == 2.0 / d2(2)));
        let constant = individuals_from(&[3.0; 5]);
        assert!(constant.is_some_and(|(x, _, sigma)| x.upper == Some(3.0) && sigma == 0.0));
    }
}
