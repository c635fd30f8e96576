//! What is believed of a person before anything was observed: τ, ln g, δ, β together.
//!
//! Their spreads come from the literature. They are not independent in people who live in step with their days: the
//! oscillator of a slow clock runs later against sleep, and so does one that feels light strongly. How much, is simulated
//! (`zoner evaluate priors`) and stands in `models/priors.toml`; from it follows the distribution under the condition that usual
//! life holds the clock where it does: δ + β = CBTmin of the oscillator − mid-sleep.

use super::matrix::{Matrix, Vector, apply, dot, joseph};
use super::numbers::FilterNumbers;
use crate::units::Hours;

/// τ (h), ln g, δ (h), β (h), w.
pub(super) const TRAITS: usize = 5;

/// How the oscillator's angle to sleep changes with a person's period and gain, in usual life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slopes {
    /// Hours later per hour of τ.
    pub period: f64,
    /// Hours later per unit of ln g.
    pub gain: f64,
    /// SD of what neither explains, hours.
    pub scatter: f64,
}

/// A joint normal distribution of τ, ln g, δ, β, w.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    pub(super) mean: Vector<TRAITS>,
    pub(super) covariance: Matrix<TRAITS>,
}

impl Prior {
    /// Independent marginals; `delta` is the age's and type's δ with its SD.
    #[must_use]
    pub fn unconditional(numbers: &FilterNumbers, delta: Hours, delta_sd: Hours) -> Prior {
        let sds = [numbers.period_sd, numbers.log_gain_sd, delta_sd.0, numbers.beta_sd, numbers.wall_sd];
        let mut covariance = [[0.0; TRAITS]; TRAITS];
        for (index, sd) in sds.into_iter().enumerate() {
            covariance[index][index] = sd * sd;
        }
        Prior { mean: [numbers.period, numbers.log_gain, delta.0, 0.0, numbers.wall], covariance }
    }

    /// For somebody whose usual life holds an oscillator of mean period and gain `oscillator_angle` after mid-sleep: the same
    /// spreads, correlated as that condition makes them. What the oscillator's angle lacks of δ is laid to β, but not all of
    /// it: of somebody whose sleep lies unusually to the model's clock, part is that the person's clock is slow or fast.
    #[must_use]
    pub fn entrained(&self, numbers: &FilterNumbers, slopes: &Slopes, oscillator_angle: Hours) -> Prior {
        // δ + β − a (τ − τ₀) − b (ln g − ln g₀) = angle ± scatter.
        let row = [-slopes.period, -slopes.gain, 1.0, 1.0, 0.0];
        let variance = slopes.scatter * slopes.scatter + numbers.entrained_sd * numbers.entrained_sd;
        let conditional = self.given(&row, 0.0, variance);
        let scale: Vector<TRAITS> = std::array::from_fn(|index| {
            libm::sqrt(self.covariance[index][index] / conditional.covariance[index][index])
        });
        let covariance = std::array::from_fn(|row| {
            std::array::from_fn(|column| conditional.covariance[row][column] * scale[row] * scale[column])
        });
        let mut mean = self.mean;
        let missing = oscillator_angle.wrap_12().0 - mean[2];
        // An angle that no clock has is the model's fault, not a period's.
        let slower = -numbers.angle_by_period * missing / slopes.period;
        mean[0] += slower.clamp(-numbers.period_sd, numbers.period_sd);
        mean[3] = numbers.angle_by_beta * missing;
        Prior { mean, covariance }
    }

    fn given(&self, row: &Vector<TRAITS>, innovation: f64, variance: f64) -> Prior {
        let spread = dot(row, &apply(&self.covariance, row)) + variance;
        let gain = apply(&self.covariance, row).map(|value| value / spread);
        let mean = std::array::from_fn(|index| self.mean[index] + gain[index] * innovation);
        Prior { mean, covariance: joseph(&self.covariance, row, &gain, variance) }
    }

    /// δ: mean and SD.
    #[must_use]
    pub fn delta(&self) -> (Hours, Hours) {
        (Hours(self.mean[2]), Hours(libm::sqrt(self.covariance[2][2])))
    }
}
