//! What is believed of one clock: a normal distribution of R, ψ, τ, ln g, δ, β, w, carried through the oscillator by eight
//! sample points.
//!
//! The light adaptation n depends on light alone and is the same for all points. δ, β and w do not enter the equations: their
//! part of the distribution follows by regression on the four numbers that do, which is what sample points of all six would
//! give (tested). So eight points suffice, two for each of the four: one vector of lanes.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::circle::{ANY_PHASE_SD, gather_phases, wrap};
use super::ensemble::Ensemble;
use super::matrix::{MOVING, Matrix, STATE, Vector, apply, cholesky, dot, joseph, solve_lower, symmetrize};
use super::numbers::FilterNumbers;
use super::prior::Prior;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::hannay19::LANES;
use crate::units::Hours;

pub(super) const AMPLITUDE: usize = 0;
pub(super) const PHASE: usize = 1;
pub(super) const PERIOD: usize = 2;
pub(super) const GAIN: usize = 3;
pub(super) const DELTA: usize = 4;
pub(super) const BETA: usize = 5;
pub(super) const SHARE: usize = 6;

/// Sample points lie so many factors of the covariance from the mean: √4, so that eight equal weights give it back.
pub(super) const REACH: f64 = 2.0;

/// Amplitudes in which sample points are kept.
pub(super) const AMPLITUDES: (f64, f64) = (0.1, 1.0);

/// No variance is smaller: R, ψ (rad), τ (h), ln g, δ (h), β (h), w.
const LEAST_SD: Vector<STATE> = [1e-3, 1e-3, 1e-3, 1e-3, 1e-2, 1e-2, 1e-2];

/// An unwrapped phase is kept near zero by taking off whole turns.
const MOST_PHASE: f64 = 64.0 * PI;

/// One number a sample point.
pub(super) type Lane = [f64; LANES];

/// The distribution at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Belief {
    /// R, ψ (rad, on any turn), τ (h), ln g, δ (h), β (h), w.
    pub(super) mean: Vector<STATE>,
    pub(super) covariance: Matrix<STATE>,
    /// n.
    pub(super) adaptation: f64,
}

/// A linear observation of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub row: Vector<STATE>,
    /// Observed less predicted.
    pub innovation: f64,
    pub variance: f64,
    /// Whether it may say how strongly the clock feels light.
    pub tells_of_gain: bool,
}

/// What an observation was worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surprise {
    /// Normalised innovation squared: 1 on average if the filter is as wrong as it says. Below that for nights, which differ
    /// less from one to the next in one person than they may lie off between people (docs/science.md has both).
    pub nis: f64,
    pub rejected: bool,
}

impl Observation {
    /// How far the clock's own minimum, counted in radians of phase, is from where it was seen. `hours_after`: the hours
    /// from the belief's instant to the observed one, which phase covers at its mean pace.
    pub(super) fn of_marker(belief: &Belief, hours_after: f64, sd: f64) -> Observation {
        let mut row = [0.0; STATE];
        row[PHASE] = 1.0;
        row[BETA] = PHASE_PER_HOUR;
        Observation::of_phase(belief, row, hours_after, sd)
    }

    /// The same for the middle of a main sleep of settled life, which lies δ before the minimum. Who goes to bed late has light
    /// on until then, and the late night itself would bear out those sample points that light delays most: in a year without
    /// any event light comes to be thought three times as strong as it is. So it tells of everything but that.
    pub(super) fn of_sleep(belief: &Belief, hours_after: f64, sd: f64) -> Observation {
        let mut row = [0.0; STATE];
        row[PHASE] = 1.0;
        row[DELTA] = PHASE_PER_HOUR;
        row[BETA] = PHASE_PER_HOUR;
        Observation { tells_of_gain: false, ..Observation::of_phase(belief, row, hours_after, sd) }
    }

    fn of_phase(belief: &Belief, row: Vector<STATE>, hours_after: f64, sd: f64) -> Observation {
        let predicted = dot(&row, &belief.mean) + hours_after * PHASE_PER_HOUR;
        let sd = sd * PHASE_PER_HOUR;
        Observation { row, innovation: wrap(PI - predicted), variance: sd * sd, tells_of_gain: true }
    }

    /// The phase angle itself, from a laboratory.
    pub(super) fn of_delta(belief: &Belief, delta: Hours, variance: f64) -> Observation {
        let mut row = [0.0; STATE];
        row[DELTA] = 1.0;
        Observation { row, innovation: delta.0 - belief.mean[DELTA], variance, tells_of_gain: true }
    }

    pub(super) fn spread(&self, belief: &Belief) -> f64 {
        dot(&self.row, &apply(&belief.covariance, &self.row)) + self.variance
    }
}

impl Belief {
    /// Somebody who has long lived the usual day, at the middle of the usual sleep.
    pub(super) fn at_mid_sleep(prior: &Prior, amplitude: f64, adaptation: f64, numbers: &FilterNumbers) -> Belief {
        let mut mean = [0.0; STATE];
        let mut covariance = [[0.0; STATE]; STATE];
        mean[AMPLITUDE] = amplitude;
        mean[PERIOD..].copy_from_slice(&prior.mean);
        covariance[AMPLITUDE][AMPLITUDE] = numbers.amplitude_prior * numbers.amplitude_prior;
        for (row, values) in prior.covariance.iter().enumerate() {
            covariance[PERIOD + row][PERIOD..].copy_from_slice(values);
        }
        // ψ = π − (δ + β + e) ω, with e the night's and the model's own error.
        mean[PHASE] = PI - (mean[DELTA] + mean[BETA]) * PHASE_PER_HOUR;
        for index in PERIOD..STATE {
            let with_sum = covariance[DELTA][index] + covariance[BETA][index];
            covariance[PHASE][index] = -PHASE_PER_HOUR * with_sum;
            covariance[index][PHASE] = -PHASE_PER_HOUR * with_sum;
        }
        let sum = covariance[DELTA][DELTA] + 2.0 * covariance[DELTA][BETA] + covariance[BETA][BETA];
        let own = numbers.anchor * numbers.anchor;
        covariance[PHASE][PHASE] = PHASE_PER_HOUR * PHASE_PER_HOUR * (sum + own);
        Belief { mean, covariance, adaptation }
    }

    /// SD of ψ + βω, hours.
    pub(super) fn phase_sd(&self) -> f64 {
        let mut row = [0.0; STATE];
        row[PHASE] = 1.0;
        row[BETA] = PHASE_PER_HOUR;
        libm::sqrt(dot(&row, &apply(&self.covariance, &row)).max(0.0)) / PHASE_PER_HOUR
    }

    /// Makes the phase so uncertain, and independent of everything else, that its SD is `sd` hours.
    pub(super) fn widen(&mut self, sd: f64) {
        let wanted = sd * PHASE_PER_HOUR;
        let row_variance = self.phase_sd() * PHASE_PER_HOUR;
        let missing = wanted * wanted - row_variance * row_variance;
        if missing > 0.0 {
            self.covariance[PHASE][PHASE] += missing;
        }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.adaptation.is_finite()
            && self.mean.iter().all(|number| number.is_finite())
            && self.covariance.iter().flatten().all(|number| number.is_finite())
    }

    /// Takes an observation in, unless it is more than `gate` standard deviations off.
    pub(super) fn observe(&mut self, observation: &Observation, gate: f64) -> Surprise {
        let spread = observation.spread(self);
        let nis = observation.innovation * observation.innovation / spread;
        if !(nis <= gate * gate) {
            return Surprise { nis, rejected: true };
        }
        let mut gain = apply(&self.covariance, &observation.row).map(|value| value / spread);
        if !observation.tells_of_gain {
            // A parameter that is considered and not estimated (Schmidt, Adv. Control Syst. 3, 293, 1966): its uncertainty counts,
            // and what it has to do with the others is kept. Joseph's form holds for any gain.
            gain[GAIN] = 0.0;
        }
        for (mean, gain) in self.mean.iter_mut().zip(gain) {
            *mean += gain * observation.innovation;
        }
        self.covariance = joseph(&self.covariance, &observation.row, &gain, observation.variance);
        self.repair();
        Surprise { nis, rejected: false }
    }

    /// Sample points of what moves, as lanes, with their factor.
    pub(super) fn draw(&self) -> (Matrix<MOVING>, [Lane; MOVING]) {
        let factor: Matrix<MOVING> = cholesky(&self.covariance);
        let mut samples = [[0.0; LANES]; MOVING];
        for (row, lanes) in samples.iter_mut().enumerate() {
            for axis in 0..MOVING {
                let reach = REACH * factor[row][axis];
                lanes[2 * axis] = self.mean[row] + reach;
                lanes[2 * axis + 1] = self.mean[row] - reach;
            }
        }
        for amplitude in &mut samples[AMPLITUDE] {
            *amplitude = amplitude.clamp(AMPLITUDES.0, AMPLITUDES.1);
        }
        (factor, samples)
    }

    /// Carries the distribution over the time that an ensemble drawn from it has moved, `hours`, and adds what nobody
    /// can know: the process's own noise and that of the light.
    pub(super) fn follow(&mut self, ensemble: &Ensemble, hours: f64, prior: &Prior, numbers: &FilterNumbers) {
        let (mut samples, adaptation) = ensemble.moved();
        gather_phases(&mut samples[PHASE]);
        let mut mean = [0.0; MOVING];
        for (mean, lanes) in mean.iter_mut().zip(&samples) {
            *mean = lanes.iter().fold(0.0, |sum, value| sum + value) / LANES as f64;
        }
        // δ, β and w by regression: rows of (L⁻¹ P_ya)ᵀ times the halved differences of each pair of points.
        let mut carried = [[0.0; STATE]; STATE];
        for (offset, row) in carried[DELTA..].iter_mut().enumerate() {
            let cross: Vector<MOVING> = std::array::from_fn(|index| self.covariance[index][DELTA + offset]);
            let weights = solve_lower(ensemble.factor(), &cross);
            for (value, lanes) in row[..MOVING].iter_mut().zip(&samples) {
                *value = (0..MOVING).fold(0.0, |sum, axis| {
                    sum + weights[axis] * (lanes[2 * axis] - lanes[2 * axis + 1]) / (2.0 * REACH)
                });
            }
        }
        for row in DELTA..STATE {
            for column in 0..MOVING {
                self.covariance[row][column] = carried[row][column];
                self.covariance[column][row] = carried[row][column];
            }
        }
        for row in 0..MOVING {
            for column in 0..=row {
                let sum = (0..LANES).fold(0.0, |sum, lane| {
                    sum + (samples[row][lane] - mean[row]) * (samples[column][lane] - mean[column])
                });
                self.covariance[row][column] = sum / LANES as f64;
                self.covariance[column][row] = sum / LANES as f64;
            }
        }
        // Period and gain are not touched by the flow; the mean of their samples is rounding.
        self.mean[AMPLITUDE] = mean[AMPLITUDE];
        self.mean[PHASE] = mean[PHASE];
        self.adaptation = adaptation;
        self.add_noise(&samples, ensemble, hours, numbers);
        self.revert(hours, prior, numbers);
        self.forget_turns();
        self.repair();
    }

    /// Of a phase no more can be unknown than all of a turn. What goes beyond tells of nothing else either: each number
    /// stays as far from its mean for an hour of phase as it was.
    pub(super) fn forget_turns(&mut self) {
        let share = ANY_PHASE_SD * ANY_PHASE_SD / self.covariance[PHASE][PHASE];
        if share < 1.0 {
            for index in 0..STATE {
                let kept = share * self.covariance[PHASE][index];
                self.covariance[PHASE][index] = kept;
                self.covariance[index][PHASE] = kept;
            }
        }
    }

    fn add_noise(&mut self, samples: &[Lane; MOVING], ensemble: &Ensemble, hours: f64, numbers: &FilterNumbers) {
        let days = hours / 24.0;
        let phase = ensemble.phase_noise() * PHASE_PER_HOUR;
        self.covariance[PHASE][PHASE] += phase * phase * days;
        self.covariance[AMPLITUDE][AMPLITUDE] += numbers.amplitude_noise * numbers.amplitude_noise * days;
        self.covariance[DELTA][DELTA] += ensemble.delta_noise() * ensemble.delta_noise() * days;
        // Light that is wrong by a factor does what a gain that is wrong by it does: the last pair of points tells what.
        let reach = 2.0 * REACH * ensemble.factor()[GAIN][GAIN];
        let slope = |row: usize| (samples[row][2 * GAIN] - samples[row][2 * GAIN + 1]) / reach;
        let (amplitude, phase) = (slope(AMPLITUDE), slope(PHASE));
        let light = ensemble.light_variance();
        self.covariance[AMPLITUDE][AMPLITUDE] += amplitude * amplitude * light;
        self.covariance[AMPLITUDE][PHASE] += amplitude * phase * light;
        self.covariance[PHASE][AMPLITUDE] += amplitude * phase * light;
        self.covariance[PHASE][PHASE] += phase * phase * light;
    }

    /// Period, gain, δ and β drift back to what is usual, so that a year of settled life does not let them wander off.
    fn revert(&mut self, hours: f64, prior: &Prior, numbers: &FilterNumbers) {
        let kept = libm::exp(-hours / 24.0 / numbers.reversion_days);
        let renewed = 1.0 - kept * kept;
        for row in PERIOD..STATE {
            let usual = prior.mean[row - PERIOD];
            self.mean[row] = usual + kept * (self.mean[row] - usual);
            for column in 0..PERIOD {
                self.covariance[row][column] *= kept;
                self.covariance[column][row] *= kept;
            }
            for column in PERIOD..STATE {
                let stationary = prior.covariance[row - PERIOD][column - PERIOD];
                self.covariance[row][column] = kept * kept * self.covariance[row][column] + renewed * stationary;
            }
        }
    }

    /// Symmetric, no variance below its floor, the phase near zero.
    pub(super) fn repair(&mut self) {
        symmetrize(&mut self.covariance);
        for (index, least) in LEAST_SD.into_iter().enumerate() {
            let variance = &mut self.covariance[index][index];
            // False for NaN too.
            if !(*variance >= least * least) {
                *variance = least * least;
            }
        }
        self.mean[AMPLITUDE] = self.mean[AMPLITUDE].clamp(AMPLITUDES.0, AMPLITUDES.1);
        self.mean[SHARE] = self.mean[SHARE].clamp(0.0, 1.0);
        if self.mean[PHASE].abs() > MOST_PHASE {
            self.mean[PHASE] = wrap(self.mean[PHASE]);
        }
    }

    /// Rounds to what is kept.
    pub(super) fn rounded(&self) -> Belief {
        Kept::of(self).belief()
    }
}

/// A belief as it is stored: all but the phase in single precision, of the covariance the lower half.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    phase: f64,
    /// The phase's place holds n.
    mean: [f32; STATE],
    covariance: [f32; STATE * (STATE + 1) / 2],
}

impl Kept {
    pub(super) fn of(belief: &Belief) -> Kept {
        let mut covariance = [0.0; STATE * (STATE + 1) / 2];
        let lower = (0..STATE).flat_map(|row| (0..=row).map(move |column| (row, column)));
        for (kept, (row, column)) in covariance.iter_mut().zip(lower) {
            *kept = belief.covariance[row][column] as f32;
        }
        let mut mean = belief.mean.map(|number| number as f32);
        mean[PHASE] = belief.adaptation as f32;
        Kept { phase: belief.mean[PHASE], mean, covariance }
    }

    pub(super) fn belief(&self) -> Belief {
        let mut covariance = [[0.0; STATE]; STATE];
        let lower = (0..STATE).flat_map(|row| (0..=row).map(move |column| (row, column)));
        for (kept, (row, column)) in self.covariance.iter().zip(lower) {
            covariance[row][column] = f64::from(*kept);
            covariance[column][row] = f64::from(*kept);
        }
        let mut mean = self.mean.map(f64::from);
        let adaptation = std::mem::replace(&mut mean[PHASE], self.phase);
        Belief { mean, covariance, adaptation }
    }
}
