//! Several normal beliefs as one, one as two, and nights that speak for some of them.

use super::belief::{BETA, Belief, DELTA, Observation, PHASE, wrap};
use super::matrix::{STATE, apply, dot};
use crate::circadian::PHASE_PER_HOUR;

/// How near to the wall's night people may sleep after a flight, of 1, and that none of them is ever ruled out.
pub(super) const SHARES: [f64; 3] = [0.5, 0.7, 0.9];
pub(super) const LEAST_SHARE: f64 = 0.02;

/// What a sleep after a flight says of one belief.
pub(super) struct Compromise {
    row: [f64; STATE],
    /// By how much the clock's night lies after the wall's, hours.
    behind: f64,
    observed: f64,
    /// Whether the clock's night is far enough from the other side of the day for its direction to mean anything.
    pub(super) moves: bool,
}

impl Compromise {
    pub(super) fn of(belief: &Belief, from_habit: f64, after: f64) -> Compromise {
        let mut row = [0.0; STATE];
        row[PHASE] = -1.0 / PHASE_PER_HOUR;
        row[DELTA] = -1.0;
        row[BETA] = -1.0;
        let expected = Observation::of_sleep(belief, after - from_habit, 1.0);
        let behind = expected.innovation / PHASE_PER_HOUR;
        let sd = libm::sqrt(dot(&row, &apply(&belief.covariance, &row)));
        Compromise { row, behind, observed: from_habit, moves: behind.abs() + sd <= 12.0 }
    }

    /// How likely it is with a share of the way to the wall's night, and what is believed then.
    pub(super) fn with_share(&self, belief: &Belief, share: f64, sd: f64) -> (f64, Belief) {
        let row = self.row.map(|value| value * (1.0 - share));
        let innovation = self.observed - (1.0 - share) * self.behind;
        let observation = Observation { row, innovation, variance: sd * sd };
        let spread = observation.spread(belief);
        let likelihood = libm::exp(-0.5 * (innovation * innovation / spread).min(40.0)) / libm::sqrt(spread);
        let mut updated = *belief;
        updated.observe(&observation, 1e3);
        (likelihood, updated)
    }
}

/// The normal distribution with the moments of a mixture.
pub(super) fn moments(parts: &[(f64, Belief); SHARES.len()], total: f64) -> Belief {
    let mut merged = parts[0].1;
    merged.mean =
        std::array::from_fn(|row| parts.iter().fold(0.0, |sum, part| sum + part.0 * part.1.mean[row]) / total);
    merged.covariance = std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let of = |belief: &Belief| {
                let (one, other) = (belief.mean[row] - merged.mean[row], belief.mean[column] - merged.mean[column]);
                belief.covariance[row][column] + one * other
            };
            parts.iter().fold(0.0, |sum, part| sum + part.0 * of(&part.1)) / total
        })
    });
    merged.repair();
    merged
}

/// The normal distribution with the moments of both.
pub(super) fn mean_of(first: &Belief, second: &Belief, weight: f64) -> Belief {
    let mut difference: [f64; STATE] = std::array::from_fn(|row| second.mean[row] - first.mean[row]);
    difference[PHASE] = wrap(difference[PHASE]);
    let mut merged = *first;
    for row in 0..difference.len() {
        merged.mean[row] += weight * difference[row];
        for column in 0..difference.len() {
            let within = (1.0 - weight) * first.covariance[row][column] + weight * second.covariance[row][column];
            merged.covariance[row][column] = within + weight * (1.0 - weight) * difference[row] * difference[column];
        }
    }
    merged.adaptation = first.adaptation;
    merged.repair();
    merged
}

/// One belief as two of half the weight, `reach` standard deviations of the phase to either side, with the same moments
/// together.
pub(super) fn halves(belief: &Belief, reach: f64) -> [Belief; 2] {
    let variance = belief.covariance[PHASE][PHASE];
    let sd = libm::sqrt(variance);
    let column: [f64; STATE] = std::array::from_fn(|row| belief.covariance[row][PHASE]);
    [1.0, -1.0].map(|sign| {
        let mut half = *belief;
        for row in 0..STATE {
            half.mean[row] += sign * reach * column[row] / sd;
            for other in 0..STATE {
                half.covariance[row][other] -= reach * reach * column[row] * column[other] / variance;
            }
        }
        half.repair();
        half
    })
}
