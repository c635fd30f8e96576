//! The state (x, xc, n) with its turns counted.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::circadian::disc::{Complex, LEAST_AMPLITUDE, turns_between, within};
use crate::units::Radians;

/// √(x² + xc²) is kept below this: beyond it the seventh power of Jewett99 makes quarter-hour steps unstable. The models' own
/// cycles stay below 1.35.
pub(super) const MOST_AMPLITUDE: f64 = 1.6;

/// State of [`VanDerPol`](super::VanDerPol).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VanDerPolState {
    pub(super) x: f64,
    pub(super) xc: f64,
    pub(super) adaptation: f64,
    pub(super) turns: i32,
}

impl VanDerPolState {
    /// A state from the models' variables, in its first turn. The point (x, xc) is taken into the ring between amplitudes
    /// 10⁻⁶ and 1.6 and n into [0, 1]; NaN counts as 0.
    #[must_use]
    pub fn new(x: f64, xc: f64, adaptation: f64) -> VanDerPolState {
        let number = |value: f64| if value.is_nan() { 0.0 } else { value.clamp(-1e3, 1e3) };
        let (x, xc) = kept(number(x), number(xc));
        VanDerPolState { x, xc, adaptation: within(adaptation, 0.0, 1.0), turns: 0 }
    }

    /// What follows core body temperature.
    #[must_use]
    pub fn x(&self) -> f64 {
        self.x
    }

    #[must_use]
    pub fn xc(&self) -> f64 {
        self.xc
    }

    /// n, between 0 and 1: how far the retina is adapted to light.
    #[must_use]
    pub fn adaptation(&self) -> f64 {
        self.adaptation
    }

    /// The four words of the state, for comparing results bit by bit.
    #[must_use]
    pub fn to_bits(&self) -> [u64; 4] {
        [self.x.to_bits(), self.xc.to_bits(), self.adaptation.to_bits(), u64::from(self.turns.cast_unsigned())]
    }

    /// The angle of (x, −v), unwrapped, for v = 12/π dx/dt.
    pub(super) fn phase_towards(&self, slope: f64) -> Radians {
        let own = self.point();
        let seen = Complex { re: self.x, im: -slope };
        // The two points lie on the same side of the vertical axis, so that the angle between them is less than half a turn:
        // counted from the own angle, the phase needs no turns of its own.
        let between = own.times(Complex { re: seen.re, im: -seen.im });
        Radians(TAU * f64::from(self.turns) + own.angle() - libm::atan2(between.im, between.re))
    }

    /// The same point in the turn in which its phase is nearest to this.
    pub(super) fn with_phase_near(self, phase: Radians) -> VanDerPolState {
        if !phase.0.is_finite() {
            return self;
        }
        VanDerPolState { turns: libm::round((phase.0 - self.point().angle()) / TAU) as i32, ..self }
    }

    /// The state after a step: amplitude kept in its range, turns counted where (x, −xc) passes the negative x axis.
    #[inline]
    pub(super) fn followed_by(self, x: f64, xc: f64, adaptation: f64) -> VanDerPolState {
        let (x, xc) = kept(x, xc);
        let next = VanDerPolState { x, xc, adaptation, turns: 0 };
        VanDerPolState { turns: self.turns.wrapping_add(turns_between(self.point(), next.point())), ..next }
    }

    fn point(&self) -> Complex {
        Complex { re: self.x, im: -self.xc }
    }
}

/// Takes a point into the ring where the models live; one without direction starts at the highest temperature.
#[inline]
fn kept(x: f64, xc: f64) -> (f64, f64) {
    let square = x * x + xc * xc;
    if (LEAST_AMPLITUDE * LEAST_AMPLITUDE..=MOST_AMPLITUDE * MOST_AMPLITUDE).contains(&square) {
        return (x, xc);
    }
    if square == 0.0 {
        return (LEAST_AMPLITUDE, 0.0);
    }
    let wanted = if square > 1.0 { MOST_AMPLITUDE } else { LEAST_AMPLITUDE };
    let scale = wanted / libm::sqrt(square);
    (scale * x, scale * xc)
}
