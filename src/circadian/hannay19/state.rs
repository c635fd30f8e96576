//! The state as a point in the unit disc with its turns counted.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::circadian::disc::{Complex, LEAST_AMPLITUDE, keep_amplitude, turns_and_angle, turns_between, within};
use crate::units::Radians;

/// State of [`Hannay19`](super::Hannay19): z = R e^{iψ} as a point in the unit disc, whole turns counted apart, and the adaptation n.
///
/// Kept as a point and not as (R, ψ) because a conversion in every step would cost more than the step, and one at every stop
/// would make the result depend on where one stops. Turns are counted where the point passes the negative real axis, that is
/// at ψ = π: at CBTmin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hannay19State {
    pub(super) re: f64,
    pub(super) im: f64,
    pub(super) adaptation: f64,
    pub(super) turns: i32,
}

impl Hannay19State {
    /// A state from amplitude R, unwrapped phase ψ and adaptation n.
    ///
    /// R is taken into [10⁻⁶, 1] and n into [0, 1], where the model lives (a filter's sample points may fall outside); NaN
    /// counts as the lower end. A phase that is not finite counts as 0.
    #[must_use]
    pub fn new(amplitude: f64, phase: Radians, adaptation: f64) -> Hannay19State {
        let amplitude = within(amplitude, LEAST_AMPLITUDE, 1.0);
        let (turns, angle) = turns_and_angle(phase.0);
        let (sine, cosine) = libm::sincos(angle);
        Hannay19State { re: amplitude * cosine, im: amplitude * sine, adaptation: within(adaptation, 0.0, 1.0), turns }
    }

    /// R, between 0 and 1: how strongly the clock's neurons agree.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        self.point().length().min(1.0)
    }

    /// ψ, unwrapped; CBTmin at π (mod 2π).
    #[must_use]
    pub fn phase(&self) -> Radians {
        Radians(TAU * f64::from(self.turns) + self.point().angle())
    }

    /// z: cos ψ and sin ψ, times R; whole turns, which are counted at ψ = π.
    #[must_use]
    pub fn re(&self) -> f64 {
        self.re
    }

    #[must_use]
    pub fn im(&self) -> f64 {
        self.im
    }

    #[must_use]
    pub fn turns(&self) -> i32 {
        self.turns
    }

    /// n, between 0 and 1: how far the retina is adapted to light.
    #[must_use]
    pub fn adaptation(&self) -> f64 {
        self.adaptation
    }

    /// The four words of the state, for comparing results bit by bit.
    #[must_use]
    pub fn to_bits(&self) -> [u64; 4] {
        [self.re.to_bits(), self.im.to_bits(), self.adaptation.to_bits(), u64::from(self.turns.cast_unsigned())]
    }
}

impl Hannay19State {
    pub(super) fn point(&self) -> Complex {
        Complex { re: self.re, im: self.im }
    }

    /// The state after a step that ended at `next`: amplitude kept in its range, turns counted.
    #[inline]
    pub(super) fn followed_by(self, next: Complex, adaptation: f64) -> Hannay19State {
        let next = keep_amplitude(next, self.point());
        let turns = self.turns.wrapping_add(turns_between(self.point(), next));
        Hannay19State { re: next.re, im: next.im, adaptation, turns }
    }
}
