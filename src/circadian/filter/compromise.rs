//! What the nights after a flight say.

use super::belief::{BETA, Belief, DELTA, Observation, PHASE, SHARE};
use super::matrix::{STATE, apply, dot};
use crate::circadian::PHASE_PER_HOUR;

/// People come at least half of the way to the wall's night.
const MOST_KEPT: f64 = 0.5;

/// What is that many standard deviations off is not what was meant.
const BEYOND: f64 = 2.0;

/// What a sleep after a flight says of one belief. People sleep between where their clock and where the wall would have
/// them: the middle lies (1 − w) b from the wall's night, b being how far the clock's night lies after it. Neither w nor b is
/// known; of normal ones the product's mean and covariances are exact.
pub(super) struct Compromise {
    pub(super) observation: Observation,
    /// Whether the clock's night is far enough from the other side of the day for its direction to mean anything, and the
    /// sleep may be between it and the wall's.
    pub(super) moves: bool,
}

impl Compromise {
    pub(super) fn of(belief: &Belief, from_habit: f64, after: f64, sd: f64) -> Compromise {
        let mut row = [0.0; STATE];
        row[PHASE] = -1.0 / PHASE_PER_HOUR;
        row[DELTA] = -1.0;
        row[BETA] = -1.0;
        let expected = Observation::of_sleep(belief, after - from_habit, 1.0);
        let behind = expected.innovation / PHASE_PER_HOUR;
        let with_state = apply(&belief.covariance, &row);
        let behind_variance = dot(&row, &with_state);
        let behind_sd = libm::sqrt(behind_variance);
        // A night further from the wall's than that was not slept between the two, and says nothing of how far they are apart.
        let reach = MOST_KEPT * (behind.abs() + BEYOND * behind_sd) + BEYOND * sd;
        // Of 1 − w.
        let kept = 1.0 - belief.mean[SHARE];
        let kept_variance = belief.covariance[SHARE][SHARE];
        let together = -with_state[SHARE];
        let product_row = {
            let mut product = row.map(|value| value * kept);
            product[SHARE] -= behind;
            product
        };
        let innovation = from_habit - (kept * behind + together);
        let variance = sd * sd + kept_variance * behind_variance + together * together;
        Compromise {
            observation: Observation { row: product_row, innovation, variance, tells_of_gain: true },
            moves: behind.abs() + behind_sd <= 12.0 && from_habit.abs() <= reach,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{Matrix, cholesky};
    use super::*;
    use crate::circadian::filter::{FilterNumbers, Prior};
    use crate::units::Hours;

    /// A belief whose clock is about six hours behind the wall, and which knows that whoever is far behind sleeps late.
    fn arrived() -> Belief {
        let numbers = FilterNumbers::embedded();
        let prior = Prior::unconditional(&numbers, Hours(1.0), Hours(0.75));
        let mut belief = Belief::at_mid_sleep(&prior, 0.7, 0.5, &numbers);
        belief.mean[PHASE] -= 6.0 * PHASE_PER_HOUR;
        belief.covariance[PHASE][PHASE] *= 1.5;
        let together = 0.4 * libm::sqrt(belief.covariance[PHASE][PHASE] * belief.covariance[SHARE][SHARE]);
        belief.covariance[PHASE][SHARE] = together;
        belief.covariance[SHARE][PHASE] = together;
        belief
    }

    #[test]
    fn what_a_night_is_expected_to_be_has_the_moments_of_a_product_of_two_unknowns() {
        let belief = arrived();
        let expected = Compromise::of(&belief, 0.0, 0.0, 0.5).observation;
        // By Gauss and Hermite, three points an axis: exact for what is bilinear.
        let factor: Matrix<STATE> = cholesky(&belief.covariance);
        let points = [(2.0 / 3.0, 0.0), (1.0 / 6.0, 1.732_050_807_568_877_2), (1.0 / 6.0, -1.732_050_807_568_877_2)];
        let (mut mean, mut square) = (0.0, 0.0);
        for index in 0..3usize.pow(STATE as u32) {
            let digits: [usize; STATE] = std::array::from_fn(|axis| index / 3usize.pow(axis as u32) % 3);
            let weight: f64 = digits.iter().map(|digit| points[*digit].0).product();
            let at: [f64; STATE] = std::array::from_fn(|row| {
                belief.mean[row] + (0..STATE).map(|axis| factor[row][axis] * points[digits[axis]].1).sum::<f64>()
            });
            let behind = (std::f64::consts::PI - at[PHASE]) / PHASE_PER_HOUR - at[DELTA] - at[BETA];
            let night = (1.0 - at[SHARE]) * behind;
            mean += weight * night;
            square += weight * night * night;
        }
        assert!((-expected.innovation - mean).abs() < 1e-9, "{} {mean}", -expected.innovation);
        let spread = expected.spread(&belief);
        let wanted = square - mean * mean + 0.25;
        assert!((spread - wanted).abs() < 1e-9, "{spread} {wanted}");
    }

    #[test]
    fn nights_of_one_person_tell_of_the_person_and_not_of_the_clock_again_and_again() {
        // A hundred nights that agree leave open whether the clock is far behind or the person far from the wall.
        let mut belief = arrived();
        let before = belief.phase_sd();
        for _ in 0..100 {
            let observation = Compromise::of(&belief, 1.8, 0.0, 0.5).observation;
            belief.observe(&observation, 10.0);
        }
        assert!(belief.phase_sd() > 0.5 * before, "{before} {}", belief.phase_sd());
        assert!(belief.covariance[SHARE][PHASE].abs() > 0.0);
    }
}
