//! Points of the unit disc: z = R e^{iψ}, how they are multiplied, kept where the models live, and how whole turns are counted.
//!
//! As much of complex arithmetic as the models need, in a fixed order of operations.
#![expect(
    clippy::inline_always,
    reason = "inside the wider vectors of `hannay19::wide`, a call would be one into narrow ones"
)]

use std::f64::consts::{PI, TAU};

/// Amplitudes below this are raised to it: a clock without amplitude would have no phase to keep.
pub(super) const LEAST_AMPLITUDE: f64 = 1e-6;

#[derive(Clone, Copy, Debug)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) const ZERO: Complex = Complex { re: 0.0, im: 0.0 };

    pub(super) fn unit(angle: f64) -> Complex {
        let (im, re) = libm::sincos(angle);
        Complex { re, im }
    }

    #[inline(always)]
    pub(super) fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    #[inline(always)]
    pub(super) fn and(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    pub(super) fn scaled(self, factor: f64) -> Complex {
        Complex { re: factor * self.re, im: factor * self.im }
    }

    #[inline(always)]
    pub(super) fn plus(self, factor: f64, other: Complex) -> Complex {
        Complex { re: self.re + factor * other.re, im: self.im + factor * other.im }
    }

    /// The angle, in (−π, π].
    pub(super) fn angle(self) -> f64 {
        // Adding zero turns −0 into +0, so that the side of the axis agrees with the turn counter.
        libm::atan2(self.im + 0.0, self.re)
    }

    pub(super) fn length(self) -> f64 {
        libm::sqrt(self.re * self.re + self.im * self.im)
    }
}

/// `value` taken into [`low`, `high`]; NaN counts as `low`.
pub(super) fn within(value: f64, low: f64, high: f64) -> f64 {
    if value > low { value.min(high) } else { low }
}

/// A phase as whole turns and the angle that is left, in [−π, π]. A phase that is not finite counts as 0.
pub(super) fn turns_and_angle(phase: f64) -> (i32, f64) {
    let phase = if phase.is_finite() { phase } else { 0.0 };
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
    (turns as i32, angle)
}

/// Keeps the point where a phase oscillator lives. An amplitude that has all but vanished is raised, in its own direction or,
/// without one, in the direction it had; one above 1 (the equations forbid it, a step in glaring light may overshoot) is
/// taken to 1.
#[inline]
pub(super) fn keep_amplitude(point: Complex, before: Complex) -> Complex {
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

/// How the turn count changes on the shorter way from one point to the other: +1 past the negative real axis forwards, −1
/// backwards.
#[inline]
pub(super) fn turns_between(from: Complex, to: Complex) -> i32 {
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
