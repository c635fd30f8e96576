//! Eight clocks at once: eight travellers, or the sample points of one filter.
//!
//! Every lane makes exactly the steps that [`Hannay19`] makes with its τ, gain and light, in the same order of operations:
//! the bits are the same as one after the other, whatever vectors the processor has ([`Vectors`]).
#![expect(clippy::inline_always, reason = "inside the wider vectors of `wide`, a call would be one into narrow ones")]

use super::drives::{LaneDrives, LaneLight, Recent};
use super::flow::{Flow, StepLight, Stride};
use super::wide::Vectors;
use super::{Hannay19, Hannay19State};
use crate::circadian::disc::{Complex, LEAST_AMPLITUDE, keep_amplitude};
use crate::circadian::drive::{BIN, CELL};
use crate::units::{Hours, Lux, Span, UtcMillis};

/// How many clocks are stepped at once: one vector of AVX-512, two of AVX2, four of SSE2.
pub const LANES: usize = 8;

pub(super) type Row = [f64; LANES];

/// The states of eight clocks, variable by variable.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub struct LaneStates {
    re: Row,
    im: Row,
    adaptation: Row,
    /// Whole numbers.
    turns: Row,
}

impl LaneStates {
    #[must_use]
    pub fn new(states: &[Hannay19State; LANES]) -> LaneStates {
        LaneStates {
            re: std::array::from_fn(|lane| states[lane].re),
            im: std::array::from_fn(|lane| states[lane].im),
            adaptation: std::array::from_fn(|lane| states[lane].adaptation),
            turns: std::array::from_fn(|lane| f64::from(states[lane].turns)),
        }
    }

    /// The states one by one.
    #[must_use]
    pub fn states(&self) -> [Hannay19State; LANES] {
        std::array::from_fn(|lane| self.state(lane))
    }

    /// One of them.
    #[must_use]
    pub fn state(&self, lane: usize) -> Hannay19State {
        Hannay19State {
            re: self.re[lane],
            im: self.im[lane],
            adaptation: self.adaptation[lane],
            turns: self.turns[lane] as i32,
        }
    }

    /// These states in the lanes that `take` names, those of `other` in the rest.
    fn where_taken(&self, take: [bool; LANES], other: &LaneStates) -> LaneStates {
        let choose =
            |ours: &Row, theirs: &Row| std::array::from_fn(|lane| if take[lane] { ours[lane] } else { theirs[lane] });
        LaneStates {
            re: choose(&self.re, &other.re),
            im: choose(&self.im, &other.im),
            adaptation: choose(&self.adaptation, &other.adaptation),
            turns: choose(&self.turns, &other.turns),
        }
    }
}

/// What is a person's own in the motion, row by row, and what all share.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct LaneFlow {
    drift: Row,
    gain: Row,
    shared: Flow,
}

/// Eight oscillators that differ in τ and light gain.
#[derive(Clone, Copy, Debug)]
pub struct Hannay19Lanes {
    flow: LaneFlow,
    model: Hannay19,
    vectors: Vectors,
}

impl Hannay19Lanes {
    /// Of oscillators that differ only as [`Hannay19::personal`] lets them: all else is taken from the first.
    #[must_use]
    pub fn new(oscillators: &[Hannay19; LANES]) -> Hannay19Lanes {
        Hannay19Lanes::with_vectors(oscillators, Vectors::fastest())
    }

    /// With vectors of another width; the results are the same.
    #[must_use]
    pub fn with_vectors(oscillators: &[Hannay19; LANES], vectors: Vectors) -> Hannay19Lanes {
        let model = oscillators[0];
        let flow = LaneFlow {
            drift: std::array::from_fn(|lane| oscillators[lane].flow.drift),
            gain: std::array::from_fn(|lane| oscillators[lane].flow.gain),
            shared: model.flow,
        };
        Hannay19Lanes { flow, model, vectors }
    }

    /// Of one model and eight people's own τ and light gain, as [`Hannay19::personal`] takes them.
    #[must_use]
    pub fn personal(model: &Hannay19, tau: &[Hours; LANES], light_gain: &[f64; LANES]) -> Hannay19Lanes {
        let own: [Flow; LANES] = std::array::from_fn(|lane| model.personal_flow(tau[lane], light_gain[lane]));
        let flow = LaneFlow { drift: own.map(|own| own.drift), gain: own.map(|own| own.gain), shared: model.flow };
        Hannay19Lanes { flow, model: *model, vectors: Vectors::fastest() }
    }

    /// The drives at the lanes' light levels ([`Oscillator::drive`](crate::circadian::Oscillator::drive)); computed once for
    /// neighbours with the same light.
    #[must_use]
    pub fn drives(&self, light: &[Lux; LANES]) -> LaneDrives {
        LaneDrives::at(&self.model, light)
    }

    /// One step of every lane in constant light, `length` as for [`Oscillator::step`](crate::circadian::Oscillator::step).
    pub fn step(&self, states: &mut LaneStates, drives: &LaneDrives, length: Span) {
        step_all([self], std::array::from_mut(states), drives, length);
    }

    /// The same of two eights of one model: takes less than twice as long as one.
    pub fn step_two(clocks: [&Hannay19Lanes; 2], states: &mut [LaneStates; 2], drives: &LaneDrives, length: Span) {
        step_all(clocks, states, drives, length);
    }

    /// The states at `to`, on the grid and with the promises of
    /// [`Oscillator::integrate`](crate::circadian::Oscillator::integrate), each lane under its own light.
    pub fn integrate(
        &self,
        states: &mut LaneStates,
        from: UtcMillis,
        to: UtcMillis,
        mut light: impl FnMut(UtcMillis) -> [Lux; LANES],
    ) {
        let dark = [Lux(0.0); LANES];
        let mut known = Recent::new(bits(&dark), &self.drives(&dark));
        let mut cell_start = from.floor_to(CELL);
        while from < to && cell_start < to {
            let now = from.max(cell_start);
            let middle = cell_start + BIN;
            let end = to.min(cell_start + CELL);
            let first = (now < middle).then(|| light(cell_start));
            let second = (end > middle).then(|| light(middle));
            match (first, second) {
                (Some(first), Some(second)) => {
                    let (first_bits, second_bits) = (bits(&first), bits(&second));
                    if first_bits == second_bits {
                        self.step(states, known.at(first_bits, || self.drives(&first)), end - now);
                    } else {
                        let mut whole = *states;
                        let drives = known.at(first_bits, || self.drives(&first));
                        self.step(&mut whole, drives, end - now);
                        self.step(states, drives, middle - now);
                        self.step(states, known.at(second_bits, || self.drives(&second)), end - middle);
                        let divided = std::array::from_fn(|lane| first_bits[lane] != second_bits[lane]);
                        *states = states.where_taken(divided, &whole);
                    }
                }
                (Some(only), None) | (None, Some(only)) => {
                    self.step(states, known.at(bits(&only), || self.drives(&only)), end - now);
                }
                // Not reachable: a piece of a cell lies in its first or its second half.
                (None, None) => {}
            }
            cell_start += CELL;
        }
    }
}

fn step_all<const N: usize>(
    clocks: [&Hannay19Lanes; N],
    states: &mut [LaneStates; N],
    drives: &LaneDrives,
    length: Span,
) {
    debug_assert!(Span::ZERO <= length && length <= CELL, "a step of {length:?}");
    let model = &clocks[0].model;
    if length == CELL {
        if drives.fast == [false; LANES] {
            advance(clocks, states, &drives.cell, &model.cell);
            return;
        }
        let mut once = *states;
        advance(clocks, states, &drives.bin, &model.bin);
        advance(clocks, states, &drives.bin, &model.bin);
        if drives.fast != [true; LANES] {
            advance(clocks, &mut once, &drives.cell, &model.cell);
            for (twice, once) in states.iter_mut().zip(&once) {
                *twice = twice.where_taken(drives.fast, once);
            }
        }
    } else if length == BIN {
        advance(clocks, states, &drives.bin, &model.bin);
    } else if length != Span::ZERO {
        let stride = Stride::of(length);
        let light = LaneLight::new(drives.each.map(|drive| drive.over(stride.hours)));
        advance(clocks, states, &light, &stride);
    }
}

#[inline]
fn advance<const N: usize>(
    clocks: [&Hannay19Lanes; N],
    states: &mut [LaneStates; N],
    light: &LaneLight,
    stride: &Stride,
) {
    clocks[0].vectors.advance(clocks.map(|clocks| &clocks.flow), states, light, stride);
}

/// Light levels as bits, so that a NaN equals itself.
fn bits(light: &[Lux; LANES]) -> [u64; LANES] {
    light.map(|lux| lux.0.to_bits())
}

/// One step of every lane of some eights of one model. Inlined into each of the functions of [`wide`](super::wide), which
/// differ in the instructions that they are compiled for; each loop over lanes is one that the compiler turns into vectors.
#[inline(always)]
pub(super) fn advance_lanes<const N: usize>(
    flows: [&LaneFlow; N],
    states: &mut [LaneStates; N],
    light: &LaneLight,
    stride: &Stride,
) {
    let before = *states;
    let shared = flows[0].shared;
    for lane in 0..LANES {
        let light = StepLight {
            alpha: light.alpha[lane],
            limit: light.limit[lane],
            left_half: light.left_half[lane],
            left_full: light.left_full[lane],
        };
        let mut own = [shared; N];
        let mut z = [Complex::ZERO; N];
        let mut adaptation = [0.0; N];
        for eight in 0..N {
            own[eight] = shared.with(flows[eight].drift[lane], flows[eight].gain[lane]);
            z[eight] = Complex { re: before[eight].re[lane], im: before[eight].im[lane] };
            adaptation[eight] = before[eight].adaptation[lane];
        }
        let after = Flow::advance_all(&own, &z, &adaptation, light, stride);
        for eight in 0..N {
            let (z, adaptation) = after[eight];
            states[eight].re[lane] = z.re;
            states[eight].im[lane] = z.im;
            states[eight].adaptation[lane] = adaptation;
        }
    }
    for eight in 0..N {
        keep_in_disc(&before[eight], &mut states[eight]);
    }
}

/// Amplitudes that have left their range are put back, and turns counted.
#[inline(always)]
#[expect(clippy::needless_bitwise_bool, reason = "branches would keep the loop out of vectors")]
fn keep_in_disc(before: &LaneStates, next: &mut LaneStates) {
    let mut outside = false;
    for lane in 0..LANES {
        let square = next.re[lane] * next.re[lane] + next.im[lane] * next.im[lane];
        outside |= !(LEAST_AMPLITUDE * LEAST_AMPLITUDE..=1.0).contains(&square);
    }
    if outside {
        keep_amplitudes(before, next);
    }

    for lane in 0..LANES {
        // `turns_between` without a branch.
        let (above_before, above_after) = (before.im[lane] >= 0.0, next.im[lane] >= 0.0);
        let cross = before.re[lane] * next.im[lane] - before.im[lane] * next.re[lane];
        let forwards = above_before & !above_after & (cross > 0.0);
        let backwards = !above_before & above_after & (cross < 0.0);
        let change = if forwards { 1.0 } else { 0.0 } - if backwards { 1.0 } else { 0.0 };
        next.turns[lane] = before.turns[lane] + change;
    }
}

#[cold]
#[inline(never)]
fn keep_amplitudes(before: &LaneStates, next: &mut LaneStates) {
    for lane in 0..LANES {
        let kept = keep_amplitude(
            Complex { re: next.re[lane], im: next.im[lane] },
            Complex { re: before.re[lane], im: before.im[lane] },
        );
        next.re[lane] = kept.re;
        next.im[lane] = kept.im;
    }
}
