//! The single-population model of Hannay, Booth & Forger (2019): amplitude R, phase ψ, light adaptation n.
//!
//! In polar form, per hour, with the light drive B = G (1 − n) α and α = α₀ Lᵖ / (Lᵖ + I₀):
//!
//! ```text
//! dR/dt = −γR + K/2 cos β₁ R(1−R⁴) + A₁/2 B (1−R⁴) cos(ψ+βL₁) + A₂/2 B R (1−R⁸) cos(2ψ+βL₂)
//! dψ/dt = 2π/τ + K/2 sin β₁ (1+R⁴) + σB − A₁/2 B (R³+1/R) sin(ψ+βL₁) − A₂/2 B (1+R⁸) sin(2ψ+βL₂)
//! dn/dt = 60 (α(1−n) − βn)
//! ```
//!
//! It is integrated as z = R e^{iψ}, where the same equations are polynomials (no sine, no 1/R):
//!
//! ```text
//! dz/dt = (−γ + 2πi/τ + iσB) z + K/2 (e^{iβ₁} − |z|⁴ e^{−iβ₁}) z
//!         + A₁/2 B (e^{−iβL₁} − |z|² z² e^{iβL₁}) + A₂/2 B (z̄ e^{−iβL₂} − |z|⁶ z³ e^{iβL₂})
//! ```
//!
//! n has an exact solution while the light is constant. z is stepped by the classical Runge–Kutta scheme in a frame that
//! turns once in 24 h (Lawson's integrating factor): the turning itself, nearly all of the motion, is then exact, and what is
//! left changes slowly enough for steps of half an hour.

mod parameters;
mod state;
#[cfg(test)]
mod tests;

use std::f64::consts::TAU;

pub use self::parameters::Hannay19Parameters;
pub use self::state::Hannay19State;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::disc::Complex;
use crate::circadian::drive::{BIN, CELL};
use crate::circadian::oscillator::Oscillator;
use crate::units::{Hours, Lux, Radians, Span};

/// Where adaptation is faster than this, per hour (above about 320 lux), half an hour is taken in two steps: the drive falls
/// too quickly after the light comes on. Without it CBTmin after bright light is off by up to 0.001 h, with it by less than 0.0001 h.
const FAST_ADAPTATION: f64 = 1.6;

/// What a constant light level does: the part of the model that depends on light alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hannay19Drive {
    /// α, per minute.
    alpha: f64,
    /// Where n goes.
    adaptation_limit: f64,
    /// How fast, per hour.
    adaptation_rate: f64,
    /// What is left of the distance after 7½, 15 and 30 minutes.
    left_eighth: f64,
    left_quarter: f64,
    left_half: f64,
}

/// A step's length with the frame's turning over half of it and over all of it.
#[derive(Clone, Copy, Debug)]
struct Stride {
    hours: f64,
    turn_half: Complex,
    turn_full: Complex,
}

impl Stride {
    fn of(length: Span) -> Stride {
        let hours = length.as_hours().0;
        let angle = hours * PHASE_PER_HOUR;
        Stride { hours, turn_half: Complex::unit(0.5 * angle), turn_full: Complex::unit(angle) }
    }
}

/// The oscillator, ready to step: parameters turned into the coefficients of the polynomial form.
#[derive(Clone, Copy, Debug)]
pub struct Hannay19 {
    parameters: Hannay19Parameters,
    /// −γ + K/2 cos β₁, per hour.
    growth: f64,
    /// 2π/τ + K/2 sin β₁ less the frame's turning, radians per hour.
    drift: f64,
    coupling_cos: f64,
    coupling_sin: f64,
    first_cos: f64,
    first_sin: f64,
    second_cos: f64,
    second_sin: f64,
    cell: Stride,
    bin: Stride,
}

impl Hannay19 {
    #[must_use]
    pub fn new(parameters: Hannay19Parameters) -> Hannay19 {
        let coupling = Complex::unit(parameters.beta1);
        let first = Complex::unit(parameters.beta_l1);
        let second = Complex::unit(parameters.beta_l2);
        let coupling_cos = 0.5 * parameters.coupling * coupling.re;
        let coupling_sin = 0.5 * parameters.coupling * coupling.im;
        Hannay19 {
            parameters,
            growth: coupling_cos - parameters.gamma,
            drift: drift(parameters.tau, coupling_sin),
            coupling_cos,
            coupling_sin,
            first_cos: 0.5 * parameters.a1 * first.re,
            first_sin: 0.5 * parameters.a1 * first.im,
            second_cos: 0.5 * parameters.a2 * second.re,
            second_sin: 0.5 * parameters.a2 * second.im,
            cell: Stride::of(CELL),
            bin: Stride::of(BIN),
        }
    }

    /// The oscillator with the parameters shipped with the program.
    #[must_use]
    pub fn embedded() -> Hannay19 {
        Hannay19::new(Hannay19Parameters::embedded())
    }

    /// The same oscillator with a person's own `tau` (see [`Hannay19Parameters::tau`]) and light gain, a factor on G that is
    /// 1 for the published model. Cheap; drives computed by one work with the other.
    ///
    /// Both are taken into the range in which the steps are stable, `tau` into 20–28 h and the gain into 0–5 (for the published
    /// G); NaN leaves the model's own value.
    #[must_use]
    pub fn personal(&self, tau: Hours, light_gain: f64) -> Hannay19 {
        let mut personal = *self;
        if !tau.0.is_nan() {
            personal.parameters.tau = Hours(tau.0.clamp(parameters::TAU_RANGE.0, parameters::TAU_RANGE.1));
        }
        if !light_gain.is_nan() {
            personal.parameters.gain = (self.parameters.gain * light_gain).clamp(0.0, parameters::MOST_GAIN);
        }
        personal.drift = drift(personal.parameters.tau, self.coupling_sin);
        personal
    }

    #[must_use]
    pub fn parameters(&self) -> &Hannay19Parameters {
        &self.parameters
    }

    /// dz/dt at z under light drive B, in a frame that turns once in 24 h.
    #[inline]
    fn velocity(&self, z: Complex, light: f64) -> Complex {
        let square = z.re * z.re + z.im * z.im;
        let fourth = square * square;
        let sixth = fourth * square;
        let z2 = z.times(z);
        let z3 = z2.times(z);

        // (growth + i drift) z − K/2 |z|⁴ e^{−iβ₁} z + iσB z
        let own = Complex {
            re: self.growth - fourth * self.coupling_cos,
            im: self.drift + fourth * self.coupling_sin + self.parameters.sigma * light,
        };
        // A₁/2 (e^{−iβL₁} − |z|² z² e^{iβL₁})
        let p = z2.times(Complex { re: self.first_cos, im: self.first_sin });
        let first = Complex { re: self.first_cos - square * p.re, im: -self.first_sin - square * p.im };
        // A₂/2 (z̄ e^{−iβL₂} − |z|⁶ z³ e^{iβL₂}); the first term is the conjugate of z e^{iβL₂}
        let rotation = Complex { re: self.second_cos, im: self.second_sin };
        let q = z.times(rotation);
        let r = z3.times(rotation);
        let second = Complex { re: q.re - sixth * r.re, im: -q.im - sixth * r.im };

        let response = Complex { re: first.re + second.re, im: first.im + second.im };
        own.times(z).plus(light, response)
    }

    #[inline]
    fn light_drive(&self, drive: &Hannay19Drive, adaptation: f64) -> f64 {
        self.parameters.gain * (drive.alpha * (1.0 - adaptation))
    }

    #[inline]
    fn advance(
        &self,
        state: Hannay19State,
        drive: &Hannay19Drive,
        stride: &Stride,
        left_half: f64,
        left_full: f64,
    ) -> Hannay19State {
        let distance = state.adaptation - drive.adaptation_limit;
        let adaptation = drive.adaptation_limit + distance * left_full;
        let light_start = self.light_drive(drive, state.adaptation);
        let light_middle = self.light_drive(drive, drive.adaptation_limit + distance * left_half);
        let light_end = self.light_drive(drive, adaptation);

        let h = stride.hours;
        let z = state.point();
        let z_half = stride.turn_half.times(z);
        let z_full = stride.turn_full.times(z);
        let k1 = self.velocity(z, light_start);
        let k1_half = stride.turn_half.times(k1);
        let k1_full = stride.turn_full.times(k1);
        let k2 = self.velocity(z_half.plus(0.5 * h, k1_half), light_middle);
        let k3 = self.velocity(z_half.plus(0.5 * h, k2), light_middle);
        let k4 = self.velocity(z_full.plus(h, stride.turn_half.times(k3)), light_end);
        let k23 = stride.turn_half.times(Complex { re: k2.re + k3.re, im: k2.im + k3.im });
        let next = z_full.plus(h / 6.0, k1_full).plus(h / 3.0, k23).plus(h / 6.0, k4);

        state.followed_by(next, adaptation)
    }
}

fn drift(tau: Hours, coupling_sin: f64) -> f64 {
    TAU / tau.0 + coupling_sin - PHASE_PER_HOUR
}

impl Oscillator for Hannay19 {
    type State = Hannay19State;
    type Drive = Hannay19Drive;

    fn initial_state(&self) -> Hannay19State {
        let parameters = &self.parameters;
        Hannay19State::new(parameters.initial_amplitude, parameters.initial_phase, parameters.initial_adaptation)
    }

    fn moved_to(&self, state: Hannay19State, phase: Radians) -> Hannay19State {
        Hannay19State::new(state.amplitude(), phase, state.adaptation)
    }

    fn unwound(&self, state: Hannay19State) -> Hannay19State {
        Hannay19State { turns: 0, ..state }
    }

    fn drive(&self, light: Lux) -> Hannay19Drive {
        let parameters = &self.parameters;
        // The comparison is false for NaN.
        let lux = if light.0 > 0.0 { light.0.min(parameters.max_light.0) } else { 0.0 };
        let power = libm::pow(lux, parameters.exponent);
        let alpha = parameters.alpha0 * power / (power + parameters.half);
        let per_minute = alpha + parameters.beta;
        let adaptation_rate = 60.0 * per_minute;
        let left_eighth = libm::exp(-0.125 * adaptation_rate);
        let left_quarter = left_eighth * left_eighth;
        Hannay19Drive {
            alpha,
            adaptation_limit: alpha / per_minute,
            adaptation_rate,
            left_eighth,
            left_quarter,
            left_half: left_quarter * left_quarter,
        }
    }

    fn step(&self, state: Hannay19State, drive: &Hannay19Drive, length: Span) -> Hannay19State {
        debug_assert!(Span::ZERO <= length && length <= CELL, "a step of {length:?}");
        if length == CELL && drive.adaptation_rate > FAST_ADAPTATION {
            let middle = self.advance(state, drive, &self.bin, drive.left_eighth, drive.left_quarter);
            self.advance(middle, drive, &self.bin, drive.left_eighth, drive.left_quarter)
        } else if length == CELL {
            self.advance(state, drive, &self.cell, drive.left_quarter, drive.left_half)
        } else if length == BIN {
            self.advance(state, drive, &self.bin, drive.left_eighth, drive.left_quarter)
        } else if length == Span::ZERO {
            state
        } else {
            let stride = Stride::of(length);
            let left_half = libm::exp(-0.5 * stride.hours * drive.adaptation_rate);
            self.advance(state, drive, &stride, left_half, left_half * left_half)
        }
    }

    fn phase(&self, state: &Hannay19State, _drive: &Hannay19Drive) -> Radians {
        state.phase()
    }
}
