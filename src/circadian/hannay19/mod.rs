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

mod drives;
mod flow;
mod lanes;
#[cfg(test)]
mod lanes_tests;
mod parameters;
mod state;
#[cfg(test)]
mod tests;
mod wide;

pub use self::drives::{KnownDrives, LaneDrives};
use self::flow::{Flow, StepLight, Stride};
pub use self::lanes::{Hannay19Lanes, LANES, LaneStates};
pub use self::parameters::Hannay19Parameters;
pub use self::state::Hannay19State;
pub use self::wide::Vectors;
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

/// The oscillator, ready to step: parameters turned into the coefficients of the polynomial form.
#[derive(Clone, Copy, Debug)]
pub struct Hannay19 {
    parameters: Hannay19Parameters,
    flow: Flow,
    cell: Stride,
    bin: Stride,
}

impl Hannay19 {
    #[must_use]
    pub fn new(parameters: Hannay19Parameters) -> Hannay19 {
        Hannay19 { parameters, flow: Flow::new(&parameters), cell: Stride::of(CELL), bin: Stride::of(BIN) }
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
        let parameters = self.personal_parameters(tau, light_gain);
        Hannay19 { parameters, flow: self.flow.personal(&parameters), ..*self }
    }

    fn personal_flow(&self, tau: Hours, light_gain: f64) -> Flow {
        self.flow.personal(&self.personal_parameters(tau, light_gain))
    }

    fn personal_parameters(&self, tau: Hours, light_gain: f64) -> Hannay19Parameters {
        let mut personal = self.parameters;
        if !tau.0.is_nan() {
            personal.tau = Hours(tau.0.clamp(parameters::TAU_RANGE.0, parameters::TAU_RANGE.1));
        }
        if !light_gain.is_nan() {
            personal.gain = (self.parameters.gain * light_gain).clamp(0.0, parameters::MOST_GAIN);
        }
        personal
    }

    #[must_use]
    pub fn parameters(&self) -> &Hannay19Parameters {
        &self.parameters
    }

    #[inline]
    fn advance(&self, state: Hannay19State, light: StepLight, stride: &Stride) -> Hannay19State {
        let (next, adaptation) = self.flow.advance(state.point(), state.adaptation, light, stride);
        state.followed_by(next, adaptation)
    }
}

impl Hannay19Drive {
    /// For a step of the grid's cell.
    fn over_cell(&self) -> StepLight {
        StepLight {
            alpha: self.alpha,
            limit: self.adaptation_limit,
            left_half: self.left_quarter,
            left_full: self.left_half,
        }
    }

    /// For a step of a light bin.
    fn over_bin(&self) -> StepLight {
        StepLight {
            alpha: self.alpha,
            limit: self.adaptation_limit,
            left_half: self.left_eighth,
            left_full: self.left_quarter,
        }
    }

    /// For a step of any length.
    fn over(&self, hours: f64) -> StepLight {
        let left_half = libm::exp(-0.5 * hours * self.adaptation_rate);
        StepLight { alpha: self.alpha, limit: self.adaptation_limit, left_half, left_full: left_half * left_half }
    }

    /// Whether a cell is taken in two steps.
    fn is_fast(&self) -> bool {
        self.adaptation_rate > FAST_ADAPTATION
    }
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
        if length == CELL && drive.is_fast() {
            let middle = self.advance(state, drive.over_bin(), &self.bin);
            self.advance(middle, drive.over_bin(), &self.bin)
        } else if length == CELL {
            self.advance(state, drive.over_cell(), &self.cell)
        } else if length == BIN {
            self.advance(state, drive.over_bin(), &self.bin)
        } else if length == Span::ZERO {
            state
        } else {
            let stride = Stride::of(length);
            self.advance(state, drive.over(stride.hours), &stride)
        }
    }

    fn phase(&self, state: &Hannay19State, _drive: &Hannay19Drive) -> Radians {
        state.phase()
    }
}
