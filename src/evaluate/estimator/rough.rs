//! A plain filter to compare with: the unscented Kalman filter on [R, ψ, n, τ, ln g, δ, β] with independent priors, constant
//! noise, one belief, and no rule but one: sleep is an observation before the first flight and darkness after it. As `naive`
//! it is an observation always.
//!
//! Written anew from the equations, sharing only the oscillator with the service's filter.

use std::f64::consts::{PI, TAU};

use super::columns::{Said, Spread, start};
use super::told::{Sleep, Told};
use crate::circadian::{CELL, Hannay19, Hannay19State, Oscillator, PHASE_PER_HOUR, first_crossing};
use crate::traveller::models::Models;
use crate::units::{Hours, Radians, Span, UtcMillis};

const N: usize = 7;
const POINTS: usize = 2 * N + 1;
/// Places in the state.
const R: usize = 0;
const PSI: usize = 1;
const ADAPTATION: usize = 2;
const TAU_HOURS: usize = 3;
const LOG_GAIN: usize = 4;
const DELTA: usize = 5;
const BETA: usize = 6;

/// α and β of the scaled unscented transformation (Julier 2002), κ = 0.
const ALPHA: f64 = 0.6;
const BETA_WEIGHT: f64 = 2.0;

/// Noise per square root of a day: R, ψ (h), n, τ (h), ln g, δ (h), β (h).
const NOISE: [f64; N] = [0.02, 0.4, 0.01, 0.003, 0.05, 0.05, 0.03];

/// Spread before anything was seen, likewise; that of ψ follows from the others'.
const PRIOR_SD: [f64; N] = [0.05, 0.5, 0.05, 0.2, 0.4, 0.75, 1.0];
const PRIOR_TAU: f64 = 23.84;
const PRIOR_LOG_GAIN: f64 = -0.223;
const PRIOR_DELTA: f64 = 1.0;

/// SD of the phase of somebody of whom nothing is known, hours.
const STRANGER_SD: f64 = 6.0;

/// SD of a sleep's middle as an observation, hours.
const SLEEP_SD: f64 = 0.8;

/// Points are drawn anew at least so often.
const REDRAWN: Span = Span::hours(6);

const AMPLITUDES: (f64, f64) = (0.1, 1.0);
const LIMIT: Span = Span::hours(60);

/// 90 % and 97.5 % points of the standard normal distribution.
const Z_80: f64 = 1.281_551_565_544_6;
const Z_95: f64 = 1.959_963_984_540_054;

type Vector = [f64; N];
type Matrix = [[f64; N]; N];

/// The filter on its way through one life.
pub struct Rough<'a> {
    models: &'a Models,
    told: &'a Told,
    observes_always: bool,
    oscillator: Hannay19,
    at: UtcMillis,
    mean: Vector,
    covariance: Matrix,
    nis: Vec<f64>,
}

impl<'a> Rough<'a> {
    #[must_use]
    pub fn of(models: &'a Models, told: &'a Told, observes_always: bool) -> Rough<'a> {
        let started = start(models, told);
        let state = started.state;
        let mut covariance = [[0.0; N]; N];
        for (index, sd) in PRIOR_SD.into_iter().enumerate() {
            let sd = if index == PSI { sd * PHASE_PER_HOUR } else { sd };
            covariance[index][index] = sd * sd;
        }
        if !told.has_profile {
            covariance[PSI][PSI] = STRANGER_SD * STRANGER_SD * PHASE_PER_HOUR * PHASE_PER_HOUR;
        }
        for other in [DELTA, BETA] {
            covariance[PSI][PSI] += covariance[other][other] * PHASE_PER_HOUR * PHASE_PER_HOUR;
            covariance[PSI][other] = -covariance[other][other] * PHASE_PER_HOUR;
            covariance[other][PSI] = covariance[PSI][other];
        }
        Rough {
            models,
            told,
            observes_always,
            oscillator: Hannay19::embedded(),
            at: started.mid_sleep,
            mean: [
                state.amplitude(),
                PI - PRIOR_DELTA * PHASE_PER_HOUR,
                state.adaptation(),
                PRIOR_TAU,
                PRIOR_LOG_GAIN,
                PRIOR_DELTA,
                0.0,
            ],
            covariance,
            nis: Vec::new(),
        }
    }

    /// What it says of the next CBTmin at each of these times, which are in order.
    #[must_use]
    pub fn answers(mut self, asked_at: &[UtcMillis]) -> Vec<Option<Said>> {
        let told = self.told;
        let mut sleeps = told.sleeps.iter().peekable();
        asked_at
            .iter()
            .map(|now| {
                while let Some(sleep) = sleeps.next_if(|sleep| sleep.end <= *now) {
                    self.follow_until(sleep.middle().floor_to(CELL), *now);
                    let has_flown = told.flights.iter().any(|flight| flight.takeoff <= sleep.middle());
                    if self.at <= sleep.middle() && (self.observes_always || !has_flown) {
                        self.observe(sleep);
                    }
                }
                self.follow_until(now.floor_to(CELL), *now);
                self.next_minimum(*now)
            })
            .collect()
    }

    fn follow_until(&mut self, until: UtcMillis, now: UtcMillis) {
        while self.at < until {
            let stop = (self.at.floor_to(REDRAWN) + REDRAWN).min(until);
            self.follow(stop, now);
        }
    }

    /// The sample points and the weights of the mean's and the others'.
    fn points(&self) -> [Vector; POINTS] {
        let reach = libm::sqrt(ALPHA * ALPHA * N as f64);
        let factor = cholesky(&self.covariance);
        let mut points = [self.mean; POINTS];
        for axis in 0..N {
            for row in 0..N {
                points[1 + 2 * axis][row] += reach * factor[row][axis];
                points[2 + 2 * axis][row] -= reach * factor[row][axis];
            }
        }
        for point in &mut points {
            point[R] = point[R].clamp(AMPLITUDES.0, AMPLITUDES.1);
        }
        points
    }

    fn clock(&self, point: &Vector) -> (Hannay19, Hannay19State) {
        let own = self.oscillator.personal(Hours(point[TAU_HOURS]), libm::exp(point[LOG_GAIN]));
        (own, Hannay19State::new(point[R], Radians(point[PSI]), point[ADAPTATION].clamp(0.0, 1.0)))
    }

    fn follow(&mut self, stop: UtcMillis, now: UtcMillis) {
        let days = (stop - self.at).as_hours().0 / 24.0;
        let mut points = self.points();
        // δ and β do not move the oscillator, and come last: their points are the mean's.
        let (moving, still) = points.split_at_mut(2 * DELTA + 1);
        for point in moving.iter_mut() {
            let (own, state) = self.clock(point);
            let turns = point[PSI] - state.phase().0;
            let moved =
                own.integrate(state, self.at, stop, |bin| self.told.light_at(bin, now, &self.models.light).light);
            point[R] = moved.amplitude();
            point[PSI] = moved.phase().0 + turns;
            point[ADAPTATION] = moved.adaptation();
        }
        for point in still {
            for row in [R, PSI, ADAPTATION] {
                point[row] = moving[0][row];
            }
        }
        let (mean, covariance) = moments(&points);
        self.mean = mean;
        self.covariance = covariance;
        for (index, sd) in NOISE.into_iter().enumerate() {
            let sd = if index == PSI { sd * PHASE_PER_HOUR } else { sd };
            self.covariance[index][index] += sd * sd * days;
        }
        self.at = stop;
    }

    /// Half of a sleep is over at ψ + (δ + β)ω = π.
    fn observe(&mut self, sleep: &Sleep) {
        let after = (sleep.middle() - self.at).as_hours().0;
        let row: Vector = std::array::from_fn(|index| match index {
            PSI => 1.0,
            DELTA | BETA => PHASE_PER_HOUR,
            _ => 0.0,
        });
        let expected = dot(&row, &self.mean) + after * PHASE_PER_HOUR;
        let innovation = wrap(PI - expected);
        let column: Vector = std::array::from_fn(|index| dot(&self.covariance[index], &row));
        let variance = dot(&row, &column) + SLEEP_SD * SLEEP_SD * PHASE_PER_HOUR * PHASE_PER_HOUR;
        for index in 0..N {
            self.mean[index] += column[index] / variance * innovation;
            for other in 0..N {
                self.covariance[index][other] -= column[index] * column[other] / variance;
            }
        }
        self.nis.push(innovation * innovation / variance);
    }

    fn next_minimum(&mut self, now: UtcMillis) -> Option<Said> {
        let light = |bin: UtcMillis| self.told.light_at(bin, now, &self.models.light).light;
        let points = self.points();
        let phase = |point: &Vector| point[PSI] + point[BETA] * PHASE_PER_HOUR;
        let level = PI + TAU * libm::ceil((phase(&points[0]) - PI) / TAU);
        let mut times = [0.0; POINTS];
        for (time, point) in times.iter_mut().zip(&points) {
            let ahead = phase(point) - level;
            if ahead >= 0.0 {
                *time = -ahead / PHASE_PER_HOUR;
                continue;
            }
            let (own, state) = self.clock(point);
            let crossing = first_crossing(&own, state, self.at, Hours(point[BETA]), light, LIMIT)?;
            // A point more than a turn behind has the crossing before.
            *time = (crossing - self.at).as_hours().0 + 24.0 * libm::floor(-ahead / TAU);
        }
        let (weights, others) = weights();
        let (mut mean, mut variance) = (0.0, 0.0);
        for (index, time) in times.iter().enumerate() {
            mean += if index == 0 { weights.0 } else { others } * time;
        }
        for (index, time) in times.iter().enumerate() {
            variance += if index == 0 { weights.1 } else { others } * (time - mean) * (time - mean);
        }
        variance += NOISE[PSI] * NOISE[PSI] * mean.max(0.0) / 24.0;
        let sd = libm::sqrt(variance.max(1e-4));
        let at = |hours: f64| self.at + Span::from_hours(Hours(hours));
        let surprises = std::mem::take(&mut self.nis);
        Some(Said {
            cbt_min: at(mean),
            spread: Some(Spread {
                sd: Hours(sd),
                interval_80: [at(mean - Z_80 * sd), at(mean + Z_80 * sd)],
                interval_95: [at(mean - Z_95 * sd), at(mean + Z_95 * sd)],
            }),
            nis: (surprises.iter().sum::<f64>() / surprises.len().max(1) as f64, surprises.len() as u32),
        })
    }
}

/// Of the mean's point for means and for covariances, and of every other point.
fn weights() -> ((f64, f64), f64) {
    let scaled = ALPHA * ALPHA * N as f64;
    let first = 1.0 - N as f64 / scaled;
    ((first, first + 1.0 - ALPHA * ALPHA + BETA_WEIGHT), 0.5 / scaled)
}

fn moments(points: &[Vector; POINTS]) -> (Vector, Matrix) {
    let (first, others) = weights();
    let mut mean = [0.0; N];
    for (index, point) in points.iter().enumerate() {
        let weight = if index == 0 { first.0 } else { others };
        for row in 0..N {
            mean[row] += weight * point[row];
        }
    }
    let mut covariance = [[0.0; N]; N];
    for (index, point) in points.iter().enumerate() {
        let weight = if index == 0 { first.1 } else { others };
        for row in 0..N {
            for column in 0..N {
                covariance[row][column] += weight * (point[row] - mean[row]) * (point[column] - mean[column]);
            }
        }
    }
    mean[R] = mean[R].clamp(AMPLITUDES.0, AMPLITUDES.1);
    (mean, covariance)
}

/// Lower factor; what rounding has made negative counts as nearly nothing.
fn cholesky(matrix: &Matrix) -> Matrix {
    let mut factor = [[0.0; N]; N];
    for row in 0..N {
        for column in 0..=row {
            let known: f64 = (0..column).map(|index| factor[row][index] * factor[column][index]).sum();
            let rest = matrix[row][column] - known;
            factor[row][column] =
                if row == column { libm::sqrt(rest.max(1e-12)) } else { rest / factor[column][column] };
        }
    }
    factor
}

fn dot(one: &Vector, other: &Vector) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn wrap(angle: f64) -> f64 {
    angle - TAU * libm::round(angle / TAU)
}
