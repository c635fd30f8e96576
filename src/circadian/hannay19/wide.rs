//! The choice among vector widths, made once at run time: the same Rust code compiled for different instructions.
//!
//! Wider vectors do the same additions and multiplications on more lanes at once. Nothing is fused and nothing is reordered, so
//! every width gives the same bits (tested in `lanes`). The only unsafe code is the calls behind the check that the processor has
//! the instructions.
#![expect(unsafe_code, reason = "calling a function that is compiled for instructions the processor may lack")]

use super::drives::LaneLight;
use super::flow::Stride;
use super::lanes::{LaneFlow, LaneStates, advance_lanes};

/// A vector width that this processor has.
///
/// Only [`Vectors::plain`], [`Vectors::avx2`] and [`Vectors::avx512`] make one, so that having one is the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors(Width);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// What every processor of the target has: SSE2 on x86-64.
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Vectors {
    #[must_use]
    pub fn plain() -> Vectors {
        Vectors(Width::Plain)
    }

    /// Vectors of four lanes, where the processor has them.
    #[must_use]
    pub fn avx2() -> Option<Vectors> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Some(Vectors(Width::Avx2));
        }
        None
    }

    /// Vectors of eight lanes, where the processor has them.
    #[must_use]
    pub fn avx512() -> Option<Vectors> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512f") {
            return Some(Vectors(Width::Avx512));
        }
        None
    }

    /// The fastest that this processor has. AVX-512 was measured to beat AVX2 on Zen 5 (docs/performance.md); it is taken where
    /// VBMI2 tells a processor of that generation (Ice Lake, Zen 4 and later): older ones lower their clock for wide vectors.
    #[must_use]
    pub fn fastest() -> Vectors {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512vbmi2")
            && let Some(vectors) = Vectors::avx512()
        {
            return vectors;
        }
        Vectors::avx2().unwrap_or_else(Vectors::plain)
    }

    #[inline]
    pub(super) fn advance<const N: usize>(
        self,
        flows: [&LaneFlow; N],
        states: &mut [LaneStates; N],
        light: &LaneLight,
        stride: &Stride,
    ) {
        match self.0 {
            Width::Plain => advance_plain(flows, states, light, stride),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this width is only made where the processor was found to have AVX2.
            Width::Avx2 => unsafe { advance_avx2(flows, states, light, stride) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this width is only made where the processor was found to have AVX-512F.
            Width::Avx512 => unsafe { advance_avx512(flows, states, light, stride) },
        }
    }
}

#[inline(never)]
fn advance_plain<const N: usize>(
    flows: [&LaneFlow; N],
    states: &mut [LaneStates; N],
    light: &LaneLight,
    stride: &Stride,
) {
    advance_lanes(flows, states, light, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn advance_avx2<const N: usize>(
    flows: [&LaneFlow; N],
    states: &mut [LaneStates; N],
    light: &LaneLight,
    stride: &Stride,
) {
    advance_lanes(flows, states, light, stride);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn advance_avx512<const N: usize>(
    flows: [&LaneFlow; N],
    states: &mut [LaneStates; N],
    light: &LaneLight,
    stride: &Stride,
) {
    advance_lanes(flows, states, light, stride);
}
