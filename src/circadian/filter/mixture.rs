//! What is believed of one clock where one normal distribution does not hold it: a few, with weights.
//!
//! In settled life there is one. A long flight is followed by an advance or by a delay, which hangs on how strongly the clock
//! feels light; so there the belief is taken apart in that, and the nights that follow weigh the parts. A phase of which too
//! little is known is taken apart in itself. Parts that agree again become one when life is settled.

use super::belief::{BETA, Belief, GAIN, Observation, PHASE, Surprise};
use super::circle::{ANY_TIME_SD, wrap};
use super::matrix::STATE;
use crate::circadian::PHASE_PER_HOUR;
use crate::units::Hours;

/// The most parts at a time.
pub(super) const PARTS: usize = 4;

/// A part is forgotten below this weight.
const LEAST_WEIGHT: f64 = 0.02;

/// One observation speaks no more than this against a part, in logarithms of the odds: an odd night rules nothing out.
const LEAST_LOG_LIKELIHOOD: f64 = -8.0;

/// Means of the quarters of a standard normal distribution.
const QUARTERS: [f64; PARTS] = [-1.271, -0.325, 0.325, 1.271];

/// Some beliefs of one clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixture {
    /// The first `count` count; one always does.
    parts: [Belief; PARTS],
    count: usize,
    /// Together 1; 0 beyond `count`.
    weights: [f64; PARTS],
}

impl Mixture {
    pub(super) fn one(belief: &Belief) -> Mixture {
        Mixture::of(belief, std::iter::empty())
    }

    /// The first belief has the weight that the others leave.
    pub(super) fn of(first: &Belief, others: impl Iterator<Item = (f64, Belief)>) -> Mixture {
        let mut mixture = Mixture { parts: [*first; PARTS], count: 1, weights: [0.0; PARTS] };
        for (weight, belief) in others.take(PARTS - 1) {
            mixture.parts[mixture.count] = belief;
            mixture.weights[mixture.count] = weight;
            mixture.count += 1;
        }
        mixture.weigh_first();
        mixture
    }

    /// Makes the first weight what it will be when only the others' were kept.
    pub(super) fn weigh_first(&mut self) {
        self.weights[0] = 1.0 - self.weights[1..].iter().fold(0.0, |sum, weight| sum + weight);
    }

    pub(super) fn is_one(&self) -> bool {
        self.count == 1
    }

    /// The parts with their weights.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, &Belief)> {
        self.weights.iter().copied().zip(&self.parts[..self.count])
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Belief> {
        self.parts[..self.count].iter_mut()
    }

    /// Something of every part.
    pub(super) fn each<T>(&self, of: impl Fn(&Belief) -> T) -> [Option<T>; PARTS] {
        std::array::from_fn(|index| (index < self.count).then(|| of(&self.parts[index])))
    }

    pub(super) fn heaviest_index(&self) -> usize {
        (1..self.count).fold(0, |best, index| if self.weights[index] > self.weights[best] { index } else { best })
    }

    pub(super) fn heaviest(&self) -> &Belief {
        &self.parts[self.heaviest_index()]
    }

    /// ψ + βω in the mean, on the turn of the heaviest part.
    pub(super) fn mean_phase(&self) -> f64 {
        let heaviest = own_phase(self.heaviest());
        heaviest + self.iter().fold(0.0, |sum, (weight, belief)| sum + weight * wrap(own_phase(belief) - heaviest))
    }

    /// SD of ψ + βω over all parts, hours.
    pub(super) fn phase_sd(&self) -> f64 {
        let middle = self.mean_phase();
        let variance = self.iter().fold(0.0, |sum, (weight, belief)| {
            let (sd, off) = (belief.phase_sd(), wrap(own_phase(belief) - middle) / PHASE_PER_HOUR);
            sum + weight * (sd * sd + off * off)
        });
        libm::sqrt(variance).min(ANY_TIME_SD)
    }

    /// Takes an observation into every part, and weighs them by how well they foretold it; what it was worth to the heaviest.
    pub(super) fn observe(&mut self, of: impl Fn(&Belief) -> Observation, gate: f64) -> Option<Surprise> {
        self.take_in(&self.each(|belief| (of(belief), true)), gate)
    }

    /// The same of observations some of which only weigh and move nothing.
    pub(super) fn take_in(
        &mut self,
        observations: &[Option<(Observation, bool)>; PARTS],
        gate: f64,
    ) -> Option<Surprise> {
        self.reweigh(observations);
        let mut surprises = [None; PARTS];
        for ((belief, observation), surprise) in self.parts.iter_mut().zip(observations).zip(&mut surprises) {
            if let Some((observation, true)) = observation {
                *surprise = Some(belief.observe(observation, gate));
            }
        }
        surprises[self.heaviest_index()]
    }

    fn reweigh(&mut self, observations: &[Option<(Observation, bool)>; PARTS]) {
        if self.is_one() {
            return;
        }
        let mut likelihoods = [f64::NEG_INFINITY; PARTS];
        for ((likelihood, belief), observation) in likelihoods.iter_mut().zip(&self.parts).zip(observations) {
            if let Some((observation, _)) = observation {
                let spread = observation.spread(belief);
                *likelihood = -0.5 * (observation.innovation * observation.innovation / spread + libm::log(spread));
            }
        }
        let best = likelihoods.iter().fold(f64::NEG_INFINITY, |best, likelihood| best.max(*likelihood));
        for (weight, likelihood) in self.weights.iter_mut().zip(likelihoods) {
            *weight *= libm::exp((likelihood - best).max(LEAST_LOG_LIKELIHOOD));
        }
        self.keep(|_| true);
    }

    /// Keeps the parts whose weight is as asked; those that stay share all of it.
    fn keep(&mut self, stays: impl Fn(f64) -> bool) {
        let mut count = 0;
        for index in 0..self.count {
            if stays(self.weights[index]) {
                self.parts[count] = self.parts[index];
                self.weights[count] = self.weights[index];
                count += 1;
            }
        }
        // Weights that add up to 1 are not all of them small: unless something is not a number, some part stays.
        self.count = count.max(1);
        self.weights[self.count..].fill(0.0);
        let total = self.weights.iter().fold(0.0, |sum, weight| sum + weight);
        for weight in &mut self.weights {
            *weight /= total;
        }
    }

    /// Takes one belief apart in how strongly the clock feels light.
    pub(super) fn split_by_gain(&mut self) {
        self.split_in_quarters(GAIN);
    }

    /// Takes one belief apart in its phase.
    pub(super) fn split_by_phase(&mut self) {
        self.split_in_quarters(PHASE);
    }

    fn split_in_quarters(&mut self, number: usize) {
        if self.is_one() {
            self.parts = apart(self.heaviest(), number, &QUARTERS);
            self.weights = [1.0 / PARTS as f64; PARTS];
            self.count = PARTS;
        }
    }

    /// Takes one belief, whose phase is known worse than `above` hours, apart in that: into two, which cost less where they
    /// may have to be followed for long.
    pub(super) fn halve_above(&mut self, above: Hours, reach: f64) {
        let belief = *self.heaviest();
        if self.is_one() && libm::sqrt(belief.covariance[PHASE][PHASE]) / PHASE_PER_HOUR > above.0 {
            let [early, late] = apart(&belief, PHASE, &[reach, -reach]);
            *self = Mixture::of(&early, std::iter::once((0.5, late)));
        }
    }

    /// Where the phase of a part is known worse than `above` hours, its sample points reach so far about the day that they
    /// tell little: all that is believed is put together, and taken apart in the phase.
    pub(super) fn quarter_above(&mut self, above: Hours) {
        let most = above.0 * PHASE_PER_HOUR;
        if self.iter().any(|(_, belief)| belief.covariance[PHASE][PHASE] > most * most) {
            *self = Mixture::one(&self.together());
            self.split_by_phase();
        }
    }

    /// One belief with the moments of all, about the heaviest.
    fn together(&self) -> Belief {
        let first = self.heaviest_index();
        let (mut belief, mut weight) = (self.parts[first], self.weights[first]);
        for index in (0..self.count).filter(|index| *index != first) {
            weight += self.weights[index];
            belief = mean_of(&belief, &self.parts[index], self.weights[index] / weight);
        }
        belief.forget_turns();
        belief
    }

    /// Forgets parts of no weight.
    pub(super) fn forget(&mut self) {
        if !self.is_one() {
            self.keep(|weight| weight >= LEAST_WEIGHT);
        }
    }

    /// Makes one of parts whose phases are within so much of each other.
    pub(super) fn merge(&mut self, within: Hours) {
        if self.is_one() {
            return;
        }
        for one in 0..self.count {
            for other in one + 1..self.count {
                let (first, second) = (&self.parts[one], &self.parts[other]);
                let weight = self.weights[one] + self.weights[other];
                let agree = wrap(own_phase(second) - own_phase(first)).abs() < within.0 * PHASE_PER_HOUR;
                if agree && self.weights[one] > 0.0 && self.weights[other] > 0.0 {
                    self.parts[one] = mean_of(first, second, self.weights[other] / weight);
                    self.weights[one] = weight;
                    self.weights[other] = 0.0;
                }
            }
        }
        self.keep(|weight| weight > 0.0);
    }
}

/// ψ + βω.
fn own_phase(belief: &Belief) -> f64 {
    belief.mean[PHASE] + belief.mean[BETA] * PHASE_PER_HOUR
}

/// The normal distribution with the moments of both.
fn mean_of(first: &Belief, second: &Belief, weight: f64) -> Belief {
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

/// One belief as several, apart in one number of the state by so many of its standard deviations each, with the same moments
/// together if they weigh the same.
fn apart<const N: usize>(belief: &Belief, number: usize, reaches: &[f64; N]) -> [Belief; N] {
    let variance = belief.covariance[number][number];
    let sd = libm::sqrt(variance);
    let column: [f64; STATE] = std::array::from_fn(|row| belief.covariance[row][number]);
    let explained = reaches.iter().fold(0.0, |sum, reach| sum + reach * reach) / N as f64;
    reaches.map(|reach| {
        let mut part = *belief;
        for row in 0..STATE {
            part.mean[row] += reach * column[row] / sd;
            for other in 0..STATE {
                part.covariance[row][other] -= explained * column[row] * column[other] / variance;
            }
        }
        part.repair();
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circadian::filter::{FilterNumbers, Prior};

    fn belief() -> Belief {
        let numbers = FilterNumbers::embedded();
        let prior = Prior::unconditional(&numbers, Hours(1.0), Hours(0.75));
        let mut belief = Belief::at_mid_sleep(&prior, 0.7, 0.5, &numbers);
        belief.covariance[GAIN][PHASE] = 0.05;
        belief.covariance[PHASE][GAIN] = 0.05;
        belief
    }

    #[test]
    fn a_belief_taken_apart_and_put_together_is_the_same() {
        let whole = belief();
        for number in [GAIN, PHASE] {
            let mut mixture = Mixture::one(&whole);
            mixture.split_in_quarters(number);
            assert_eq!(mixture.iter().count(), PARTS);
            mixture.merge(Hours(12.0));
            assert!(mixture.is_one());
            let again = mixture.heaviest();
            for row in 0..STATE {
                assert!((again.mean[row] - whole.mean[row]).abs() < 1e-12);
                for column in 0..STATE {
                    let difference = again.covariance[row][column] - whole.covariance[row][column];
                    assert!(difference.abs() < 1e-9, "{number}: {row}, {column}: {difference}");
                }
            }
        }
    }

    #[test]
    fn what_was_foretold_gains_weight_and_an_odd_observation_forgets_nobody() {
        let mut mixture = Mixture::one(&belief());
        mixture.split_by_phase();
        let late = |belief: &Belief| Observation::of_marker(belief, 0.0, 0.5);
        let earliest = |mixture: &Mixture| {
            mixture
                .iter()
                .map(|(weight, belief)| (own_phase(belief), weight))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .unwrap()
        };
        // The phase that is furthest on is the one that is near its minimum already.
        let before = earliest(&mixture).1;
        mixture.observe(late, 1e3);
        assert!(earliest(&mixture).1 > 1.5 * before);
        let total: f64 = mixture.iter().map(|(weight, _)| weight).sum();
        assert!((total - 1.0).abs() < 1e-12);
        assert!(mixture.iter().all(|(weight, _)| weight > 1e-5));
    }

    #[test]
    fn a_part_without_weight_is_forgotten_and_leaves_no_gap() {
        let mut mixture = Mixture::one(&belief());
        mixture.split_by_gain();
        mixture.weights = [0.6, 0.001, 0.399, 0.0];
        mixture.forget();
        assert_eq!(mixture.iter().count(), 2);
        assert!((mixture.iter().map(|(weight, _)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(mixture.iter().all(|(weight, _)| weight > 0.3));
    }
}
