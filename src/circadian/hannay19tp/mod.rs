//! The two-population model of Hannay, Booth & Forger (2019): a ventral population, which light reaches, and a dorsal one.
//!
//! In polar form the state is (`R_v`, `R_d`, `ψ_v`, `ψ_d`, n). It is integrated as two points z = R e^{iψ}, where the equations are
//! polynomials; per hour, with the light drive B = G (1 − n) α and α = α₀ Lᵖ / (Lᵖ + I₀):
//!
//! ```text
//! dz_v/dt = (−γ + 2πi/τ_v + iσB) z_v + K_vv/2 (1 − |z_v|⁴) z_v + K_dv/2 (z_d − |z_v|² z_v² z̄_d)
//!           + A₁/2 B (e^{−iβL₁} − |z_v|² z_v² e^{iβL₁}) + A₂/2 B (z̄_v e^{−iβL₂} − |z_v|⁶ z_v³ e^{iβL₂})
//! dz_d/dt = (−γ + 2πi/τ_d) z_d + K_dd/2 (1 − |z_d|⁴) z_d + K_vd/2 (z_v − |z_d|² z_d² z̄_v)
//! ```
//!
//! The scheme is that of [`hannay19`](super::hannay19): n exactly, the points by Runge–Kutta in a frame that turns once in 24 h.
//! The clock's phase is the ventral one.

mod parameters;
mod state;
#[cfg(test)]
mod tests;

use std::f64::consts::TAU;

pub use self::parameters::Hannay19TpParameters;
pub use self::state::Hannay19TpState;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::disc::{Complex, within};
use crate::circadian::oscillator::Oscillator;
use crate::circadian::retina::Retina;
use crate::units::{Hours, Lux, Radians, Span};

/// The longest step, that of the grid.
const LONGEST_STEP_HOURS: f64 = 0.5;

/// The oscillator, ready to step.
#[derive(Clone, Copy, Debug)]
pub struct Hannay19Tp {
    parameters: Hannay19TpParameters,
    /// A₁/2 e^{iβL₁} and A₂/2 e^{iβL₂}.
    first: Complex,
    second: Complex,
}

/// The ventral and the dorsal point, or their velocities.
#[derive(Clone, Copy, Debug)]
struct Pair {
    ventral: Complex,
    dorsal: Complex,
}

impl Pair {
    fn times(self, factor: Complex) -> Pair {
        Pair { ventral: self.ventral.times(factor), dorsal: self.dorsal.times(factor) }
    }

    fn plus(self, factor: f64, other: Pair) -> Pair {
        Pair { ventral: self.ventral.plus(factor, other.ventral), dorsal: self.dorsal.plus(factor, other.dorsal) }
    }
}

/// The motion of a population that is coupled to itself with `own`/2 and pulled by another population at `other` with
/// `pull`/2, in a frame that turns once in 24 h.
fn population(z: Complex, gamma: f64, frequency: f64, own: f64, other: Complex, pull: f64) -> Complex {
    let square = z.re * z.re + z.im * z.im;
    let growth = 0.5 * own * (1.0 - square * square) - gamma;
    let drift = frequency - PHASE_PER_HOUR;
    let alone = Complex { re: growth, im: drift }.times(z);
    // (other − |z|² z² conj(other))
    let back = z.times(z).times(Complex { re: other.re, im: -other.im });
    alone.plus(0.5 * pull, other.plus(-square, back))
}

impl Hannay19Tp {
    #[must_use]
    pub fn new(parameters: Hannay19TpParameters) -> Hannay19Tp {
        Hannay19Tp {
            parameters,
            first: Complex::unit(parameters.beta_l1).scaled(0.5 * parameters.a1),
            second: Complex::unit(parameters.beta_l2).scaled(0.5 * parameters.a2),
        }
    }

    /// The oscillator with the parameters shipped with the program.
    #[must_use]
    pub fn embedded() -> Hannay19Tp {
        Hannay19Tp::new(Hannay19TpParameters::embedded())
    }

    /// The same oscillator with a person's own periods and light gain, a factor on G that is 1 for the published model.
    /// `tau` is the ventral period; the dorsal one keeps its distance from it. Both arguments are taken into the range in
    /// which the steps are stable, `tau` into 20–28 h and the gain into 0–5; NaN leaves the model's own value.
    #[must_use]
    pub fn personal(&self, tau: Hours, light_gain: f64) -> Hannay19Tp {
        let mut personal = *self;
        if !tau.0.is_nan() {
            let tau_v = Hours(tau.0.clamp(parameters::TAU_RANGE.0, parameters::TAU_RANGE.1));
            personal.parameters.tau_v = tau_v;
            personal.parameters.tau_d = tau_v + (self.parameters.tau_d - self.parameters.tau_v);
        }
        if !light_gain.is_nan() {
            personal.parameters.gain *= light_gain.clamp(0.0, parameters::MOST_LIGHT_GAIN);
        }
        personal
    }

    #[must_use]
    pub fn parameters(&self) -> &Hannay19TpParameters {
        &self.parameters
    }

    /// Velocities under light drive B, in a frame that turns once in 24 h.
    fn velocity(&self, points: Pair, light: f64) -> Pair {
        let p = &self.parameters;
        let z = points.ventral;
        let dorsal = population(points.dorsal, p.gamma, TAU / p.tau_d.0, p.coupling_dd, points.ventral, p.coupling_vd);
        let own = population(z, p.gamma, TAU / p.tau_v.0, p.coupling_vv, points.dorsal, p.coupling_dv);

        let square = z.re * z.re + z.im * z.im;
        let z2 = z.times(z);
        let once = z2.times(self.first);
        let twice = z.times(self.second);
        let thrice = z2.times(z).times(self.second);
        let sixth = square * square * square;
        let response = Complex {
            re: self.first.re - square * once.re + twice.re - sixth * thrice.re - p.sigma * z.im,
            im: -self.first.im - square * once.im - twice.im - sixth * thrice.im + p.sigma * z.re,
        };
        Pair { ventral: own.plus(light, response), dorsal }
    }
}

impl Oscillator for Hannay19Tp {
    type State = Hannay19TpState;
    type Drive = Retina;

    fn initial_state(&self) -> Hannay19TpState {
        let p = &self.parameters;
        Hannay19TpState::new(
            [p.initial_amplitude_v, p.initial_amplitude_d],
            [p.initial_phase_v, p.initial_phase_d],
            p.initial_adaptation,
        )
    }

    /// Both populations are turned by the same angle.
    fn moved_to(&self, state: Hannay19TpState, phase: Radians) -> Hannay19TpState {
        let [ventral, dorsal] = state.phases();
        let phases = [phase, phase + (dorsal - ventral)];
        Hannay19TpState::new(state.amplitudes(), phases, state.adaptation())
    }

    fn unwound(&self, state: Hannay19TpState) -> Hannay19TpState {
        state.without_turns()
    }

    fn drive(&self, light: Lux) -> Retina {
        let p = &self.parameters;
        let power = libm::pow(within(light.0, 0.0, p.max_light.0), p.exponent);
        Retina::new(p.alpha0 * power / (power + p.half), p.beta)
    }

    fn step(&self, state: Hannay19TpState, drive: &Retina, length: Span) -> Hannay19TpState {
        if length == Span::ZERO {
            return state;
        }
        let pieces = drive.pieces(length.as_hours().0, LONGEST_STEP_HOURS);
        let h = pieces.hours;
        let half = Complex::unit(0.5 * h * PHASE_PER_HOUR);
        let full = Complex::unit(h * PHASE_PER_HOUR);
        let mut state = state;
        for _ in 0..pieces.count {
            let adaptation = drive.adapt(state.adaptation(), &pieces);
            let [start, middle, end] = drive.drives(self.parameters.gain, adaptation);
            let points = Pair { ventral: state.ventral.point(), dorsal: state.dorsal.point() };
            let points_half = points.times(half);
            let k1 = self.velocity(points, start);
            let k2 = self.velocity(points_half.plus(0.5 * h, k1.times(half)), middle);
            let k3 = self.velocity(points_half.plus(0.5 * h, k2), middle);
            let k4 = self.velocity(points.times(full).plus(h, k3.times(half)), end);
            let next = points
                .times(full)
                .plus(h / 6.0, k1.times(full))
                .plus(h / 3.0, k2.plus(1.0, k3).times(half))
                .plus(h / 6.0, k4);
            state = state.followed_by(next.ventral, next.dorsal, adaptation[2]);
        }
        state
    }

    fn phase(&self, state: &Hannay19TpState, _drive: &Retina) -> Radians {
        state.phases()[0]
    }
}
