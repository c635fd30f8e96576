//! The state as a point in the unit disc with its turns counted.

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use super::complex::Complex;
use crate::units::Radians;

/// Amplitudes below this are raised to it: a clock without amplitude would have no phase to keep.
pub(super) const LEAST_AMPLITUDE: f64 = 1e-6;

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
        let amplitude = if amplitude > LEAST_AMPLITUDE { amplitude.min(1.0) } else { LEAST_AMPLITUDE };
        let adaptation = if adaptation > 0.0 { adaptation.min(1.0) } else { 0.0 };
        let phase = if phase.0.is_finite() { phase.0 } else { 0.0 };
        let mut turns = libm::round(phase / TAU);
        let mut angle = phase - TAU * turns;
        // The rounding of a phase next to ±π decides the side; the turn has to go with it.
        if angle > PI {
            angle -= TAU;
            turns += 1.0;
        } else if angle < -PI {
            angle += TAU;
            turns -= 1.0;
        }
        let (sine, cosine) = libm::sincos(angle);
        Hannay19State { re: amplitude * cosine, im: amplitude * sine, adaptation, turns: turns as i32 }
    }

    /// R, between 0 and 1: how strongly the clock's neurons agree.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        libm::sqrt(self.re * self.re + self.im * self.im).min(1.0)
    }

    /// ψ, unwrapped; CBTmin at π (mod 2π).
    #[must_use]
    pub fn phase(&self) -> Radians {
        // Adding zero turns −0 into +0, so that the side of the axis agrees with the turn counter.
        Radians(TAU * f64::from(self.turns) + libm::atan2(self.im + 0.0, self.re))
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

/// Keeps the point where the model lives. An amplitude that has all but vanished is raised, in its own direction or, without
/// one, in the direction it had; one above 1 (the equations forbid it, a step in glaring light may overshoot) is taken to 1.
#[inline]
fn keep_amplitude(point: Complex, before: Complex) -> Complex {
    let square = point.re * point.re + point.im * point.im;
    if square > 1.0 {
        let scale = 1.0 / libm::sqrt(square);
        return Complex { re: scale * point.re, im: scale * point.im };
    }
    if square >= LEAST_AMPLITUDE * LEAST_AMPLITUDE {
        return point;
    }
    let direction = if square > 0.0 { point } else { before };
    let unit = Complex::unit(libm::atan2(direction.im, direction.re));
    Complex { re: LEAST_AMPLITUDE * unit.re, im: LEAST_AMPLITUDE * unit.im }
}

/// How the turn count changes on the shorter way from one point to the other: +1 past ψ = π forwards, −1 backwards.
#[inline]
fn turns_between(from: Complex, to: Complex) -> i32 {
    let (above_before, above_after) = (from.im >= 0.0, to.im >= 0.0);
    if above_before == above_after {
        return 0;
    }
    // The sign of the cross product tells on which side of the origin the line between the points passes.
    let cross = from.re * to.im - from.im * to.re;
    if above_before && cross > 0.0 {
        1
    } else if above_after && cross < 0.0 {
        -1
    } else {
        0
    }
}
