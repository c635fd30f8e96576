//! The motion of one point over one step: straight-line arithmetic, which one traveller and eight lanes share to the last bit.
#![expect(clippy::inline_always, reason = "inside the wider vectors of `wide`, a call would be one into narrow ones")]

use std::f64::consts::TAU;

use super::parameters::Hannay19Parameters;
use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::disc::Complex;
use crate::units::Span;

/// What a step of one length multiplies by: h hours, and the frame's turning e^{iωh/2} and e^{iωh} over half a step and a
/// whole one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stride {
    pub(super) hours: f64,
    /// e^{iωh/2}, e^{iωh}.
    turn_half: Complex,
    turn_full: Complex,
    /// The weights of the scheme: h/2 e^{iωh/2}, h e^{iωh/2}, h/6 e^{iωh}, h/3 e^{iωh/2}.
    half_turned: Complex,
    whole_turned: Complex,
    sixth_turned: Complex,
    third_turned: Complex,
}

impl Stride {
    pub(super) fn of(length: Span) -> Stride {
        let hours = length.as_hours().0;
        let angle = hours * PHASE_PER_HOUR;
        let (turn_half, turn_full) = (Complex::unit(0.5 * angle), Complex::unit(angle));
        Stride {
            hours,
            turn_half,
            turn_full,
            half_turned: turn_half.scaled(0.5 * hours),
            whole_turned: turn_half.scaled(hours),
            sixth_turned: turn_full.scaled(hours / 6.0),
            third_turned: turn_half.scaled(hours / 3.0),
        }
    }
}

/// A constant light level over a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepLight {
    /// α, per minute.
    pub(super) alpha: f64,
    /// Where adaptation goes, and what is left of its distance from there in the middle and at the end of the step.
    pub(super) limit: f64,
    pub(super) left_half: f64,
    pub(super) left_full: f64,
}

/// The coefficients of the polynomial form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// −γ + K/2 cos β₁, per hour.
    growth: f64,
    /// 2π/τ + K/2 sin β₁ less the frame's turning, radians per hour.
    pub(super) drift: f64,
    /// K/2 e^{iβ₁}.
    coupling: Complex,
    /// A₁/2 e^{iβL₁}.
    first: Complex,
    /// A₂/2 e^{iβL₂}.
    second: Complex,
    sigma: f64,
    /// G.
    pub(super) gain: f64,
}

impl Flow {
    pub(super) fn new(parameters: &Hannay19Parameters) -> Flow {
        let coupling = Complex::unit(parameters.beta1).scaled(0.5 * parameters.coupling);
        Flow {
            growth: coupling.re - parameters.gamma,
            drift: drift(parameters, coupling),
            coupling,
            first: Complex::unit(parameters.beta_l1).scaled(0.5 * parameters.a1),
            second: Complex::unit(parameters.beta_l2).scaled(0.5 * parameters.a2),
            sigma: parameters.sigma,
            gain: parameters.gain,
        }
    }

    /// The same with the τ and G of these parameters.
    pub(super) fn personal(&self, parameters: &Hannay19Parameters) -> Flow {
        self.with(drift(parameters, self.coupling), parameters.gain)
    }

    #[inline(always)]
    pub(super) fn with(&self, drift: f64, gain: f64) -> Flow {
        Flow { drift, gain, ..*self }
    }

    /// dz/dt at z under light drive B, in a frame that turns once in 24 h.
    #[inline(always)]
    pub(super) fn velocity(&self, z: Complex, light: f64) -> Complex {
        let (re_square, im_square) = (z.re * z.re, z.im * z.im);
        let square = re_square + im_square;
        let fourth = square * square;
        let z2 = Complex { re: re_square - im_square, im: (z.re + z.re) * z.im };

        // (growth + i drift) z − K/2 |z|⁴ e^{−iβ₁} z + iσB z
        let own = Complex {
            re: self.growth - fourth * self.coupling.re,
            im: self.drift + fourth * self.coupling.im + self.sigma * light,
        };
        // With a = A₁/2 e^{iβL₁} and q = A₂/2 e^{iβL₂} z, the light response is ā + q̄ − |z|² z² (a + |z|⁴ q).
        let q = z.times(self.second);
        let back = z2.times(self.first.plus(fourth, q));
        let response =
            Complex { re: (self.first.re + q.re) - square * back.re, im: -((self.first.im + q.im) + square * back.im) };
        own.times(z).plus(light, response)
    }

    /// The point and the adaptation after a step; nothing keeps the point in the unit disc yet.
    #[inline(always)]
    pub(super) fn advance(&self, z: Complex, adaptation: f64, light: StepLight, stride: &Stride) -> (Complex, f64) {
        let [after] = Flow::advance_all(&[*self], &[z], &[adaptation], light, stride);
        after
    }

    /// The same of clocks that have nothing to do with each other, under one light, stage by stage: each operation of one
    /// waits for the one before it, and those of the others fill the wait.
    #[inline(always)]
    pub(super) fn advance_all<const N: usize>(
        flows: &[Flow; N],
        z: &[Complex; N],
        adaptation: &[f64; N],
        light: StepLight,
        stride: &Stride,
    ) -> [(Complex, f64); N] {
        let (mut z_half, mut z_full) = (*z, *z);
        let (mut light_middle, mut light_end) = ([0.0; N], [0.0; N]);
        let mut adapted = *adaptation;
        let (mut k1, mut k2, mut k3) = (*z, *z, *z);
        for clock in 0..N {
            let distance = adaptation[clock] - light.limit;
            adapted[clock] = light.limit + distance * light.left_full;
            // B = G α (1 − n) at the start, in the middle and at the end.
            let strength = flows[clock].gain * light.alpha;
            let light_start = strength * (1.0 - adaptation[clock]);
            light_middle[clock] = strength * (1.0 - (light.limit + distance * light.left_half));
            light_end[clock] = strength * (1.0 - adapted[clock]);

            z_half[clock] = stride.turn_half.times(z[clock]);
            z_full[clock] = stride.turn_full.times(z[clock]);
            k1[clock] = flows[clock].velocity(z[clock], light_start);
        }
        for clock in 0..N {
            let at = z_half[clock].and(stride.half_turned.times(k1[clock]));
            k2[clock] = flows[clock].velocity(at, light_middle[clock]);
        }
        for clock in 0..N {
            let at = z_half[clock].plus(0.5 * stride.hours, k2[clock]);
            k3[clock] = flows[clock].velocity(at, light_middle[clock]);
        }
        let mut after = [(Complex::ZERO, 0.0); N];
        for clock in 0..N {
            let at = z_full[clock].and(stride.whole_turned.times(k3[clock]));
            let k4 = flows[clock].velocity(at, light_end[clock]);
            let next = z_full[clock]
                .and(stride.sixth_turned.times(k1[clock]))
                .and(stride.third_turned.times(k2[clock].and(k3[clock])))
                .plus(stride.hours / 6.0, k4);
            after[clock] = (next, adapted[clock]);
        }
        after
    }
}

fn drift(parameters: &Hannay19Parameters, coupling: Complex) -> f64 {
    TAU / parameters.tau.0 + coupling.im - PHASE_PER_HOUR
}
