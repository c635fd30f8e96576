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
        std::array::from_fn(|lane| Hannay19State {
            re: self.re[lane],
            im: self.im[lane],
            adaptation: self.adaptation[lane],
            turns: self.turns[lane] as i32,
        })
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
        let flow = LaneFlow {
            drift: own.map(|own| own.drift),
            gain: own.map(|own| own.gain),
            shared: model.flow,
        };
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
        debug_assert!(Span::ZERO <= length && length <= CELL, "a step of {length:?}");
        if length == CELL {
            self.step_cell(states, drives);
        } else if length == BIN {
            self.advance(states, &drives.bin, &self.model.bin);
        } else if length != Span::ZERO {
            let stride = Stride::of(length);
            let light = LaneLight::new(drives.each.map(|drive| drive.over(stride.hours)));
            self.advance(states, &light, &stride);
        }
    }

    fn step_cell(&self, states: &mut LaneStates, drives: &LaneDrives) {
        if drives.fast == [false; LANES] {
            self.advance(states, &drives.cell, &self.model.cell);
            return;
        }
        let mut once = *states;
        self.advance(states, &drives.bin, &self.model.bin);
        self.advance(states, &drives.bin, &self.model.bin);
        if drives.fast != [true; LANES] {
            self.advance(&mut once, &drives.cell, &self.model.cell);
            *states = states.where_taken(drives.fast, &once);
        }
    }

    #[inline]
    fn advance(&self, states: &mut LaneStates, light: &LaneLight, stride: &Stride) {
        self.vectors.advance(&self.flow, states, light, stride);
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
        let mut known = Recent::new(bits(&dark), self.drives(&dark));
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

/// Light levels as bits, so that a NaN equals itself.
fn bits(light: &[Lux; LANES]) -> [u64; LANES] {
    light.map(|lux| lux.0.to_bits())
}

/// One step of every lane. Inlined into each of the functions of [`wide`](super::wide), which differ in the instructions that
/// they are compiled for; each loop is one that the compiler turns into vectors.
#[inline(always)]
#[expect(clippy::needless_bitwise_bool, reason = "branches would keep the loop out of vectors")]
pub(super) fn advance_lanes(flow: &LaneFlow, states: &mut LaneStates, light: &LaneLight, stride: &Stride) {
    let before = *states;
    let mut next = before;
    for lane in 0..LANES {
        let own = flow.shared.with(flow.drift[lane], flow.gain[lane]);
        let light = StepLight {
            alpha: light.alpha[lane],
            limit: light.limit[lane],
            left_half: light.left_half[lane],
            left_full: light.left_full[lane],
        };
        let z = Complex { re: before.re[lane], im: before.im[lane] };
        let (z, adaptation) = own.advance(z, before.adaptation[lane], light, stride);
        next.re[lane] = z.re;
        next.im[lane] = z.im;
        next.adaptation[lane] = adaptation;
    }

    let mut outside = false;
    for lane in 0..LANES {
        let square = next.re[lane] * next.re[lane] + next.im[lane] * next.im[lane];
        outside |= !(LEAST_AMPLITUDE * LEAST_AMPLITUDE..=1.0).contains(&square);
    }
    if outside {
        keep_amplitudes(&before, &mut next);
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
    *states = next;
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
