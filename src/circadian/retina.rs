//! How the retina adapts: the part that all models have in common, with its exact solution in constant light.
//!
//! dn/dt = 60 (α (1 − n) − β n) per hour, with α the activation of the light level and β the rate of recovery, both per minute.
//! While the light is constant, n approaches α/(α + β) exponentially, at the rate 60 (α + β) per hour.

/// The longest step of a Runge–Kutta scheme in the time constants of adaptation: 0.8 of one. The drive decays inside such a
/// step by half, which the scheme integrates to better than 10⁻⁴.
const MOST_TIME_CONSTANTS: f64 = 0.8;

/// What a constant light level does to the retina.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retina {
    /// α, per minute.
    pub(super) alpha: f64,
    /// Where n goes.
    pub(super) limit: f64,
    /// How fast, per hour.
    pub(super) rate: f64,
}

impl Retina {
    /// From α and β per minute; β must be positive.
    pub(super) fn new(alpha: f64, beta: f64) -> Retina {
        let per_minute = alpha + beta;
        Retina { alpha, limit: alpha / per_minute, rate: 60.0 * per_minute }
    }

    /// Divides a step of `hours` into equal pieces: none longer than `longest`, nor than adaptation allows.
    pub(super) fn pieces(&self, hours: f64, longest: f64) -> Pieces {
        let count = libm::ceil((hours / longest).max(hours * self.rate / MOST_TIME_CONSTANTS)).max(1.0);
        let hours = hours / count;
        let left_half = libm::exp(-0.5 * hours * self.rate);
        Pieces { count: count as u32, hours, left_half, left_full: left_half * left_half }
    }

    /// n at the start, in the middle and at the end of a piece that begins with `adaptation`.
    pub(super) fn adapt(&self, adaptation: f64, pieces: &Pieces) -> [f64; 3] {
        let distance = adaptation - self.limit;
        [adaptation, self.limit + distance * pieces.left_half, self.limit + distance * pieces.left_full]
    }

    /// The drive α (1 − n) at the same three instants, times `gain`.
    pub(super) fn drives(&self, gain: f64, adaptation: [f64; 3]) -> [f64; 3] {
        adaptation.map(|n| gain * (self.alpha * (1.0 - n)))
    }
}

/// A step divided into equal pieces, with what is left of adaptation's distance from its limit after half of one and all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    pub(super) count: u32,
    pub(super) hours: f64,
    pub(super) left_half: f64,
    pub(super) left_full: f64,
}
