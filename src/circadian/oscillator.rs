//! What every model of the clock has in common.

use std::fmt;
use std::ops::ControlFlow;

use crate::circadian::drive;
use crate::units::{Lux, Radians, Span, UtcMillis};

/// A light-driven model of the circadian clock.
///
/// The seam that keeps the grid, the markers and entrainment independent of the model. A model brings a state, what a
/// constant light level does to it, and a step; everything about time belongs to [`drive`].
pub trait Oscillator {
    /// The model's variables. Small and plain: many are kept and copied.
    type State: Copy + PartialEq + fmt::Debug;

    /// What follows from a light level alone, computed once per stretch of constant light because it needs the expensive
    /// functions (powers, exponentials). Depends on the light model only, not on the person's period or gain.
    type Drive: Copy + fmt::Debug;

    /// The state that the model's authors start from.
    fn initial_state(&self) -> Self::State;

    /// The same state moved to another phase; its amplitude and its adaptation to light stay.
    fn moved_to(&self, state: Self::State, phase: Radians) -> Self::State;

    /// The same state with its phase brought into (−π, π] by taking off whole turns. Changes no other bit, so that phases
    /// need not grow for ever.
    fn unwound(&self, state: Self::State) -> Self::State;

    /// The drive at a constant light level. Any number is allowed: NaN and negative light count as darkness, and what is
    /// above the model's limit counts as the limit.
    fn drive(&self, light: Lux) -> Self::Drive;

    /// One step in constant light, `length` between zero and half an hour ([`drive::CELL`]). A model that needs shorter steps
    /// divides it itself, always in the same way. A step of zero length returns the state.
    fn step(&self, state: Self::State, drive: &Self::Drive, length: Span) -> Self::State;

    /// Unwrapped phase (it grows by 2π a day), π (mod 2π) at CBTmin, or [`Oscillator::cbt_min_after_phase`] before it. The
    /// drive is an argument because in some models the minimum moves with the light of the moment.
    fn phase(&self, state: &Self::State, drive: &Self::Drive) -> Radians;

    /// How long after phase π (mod 2π) the model puts CBTmin. The markers add it.
    fn cbt_min_after_phase(&self) -> Span {
        Span::ZERO
    }

    /// What follows core body temperature, in models that define CBTmin as its minimum: light may then bring phase to π more
    /// than once in a cycle, and the markers take the crossing with the lowest value. `None` where phase alone decides.
    fn temperature(&self, _state: &Self::State) -> Option<f64> {
        None
    }

    /// The state at `to`, from the state at `from`, under the light of each quarter-hour bin ([`drive::BIN`]).
    ///
    /// `light` is asked once for every bin that overlaps the interval, in order of time, with the bin's start. For `to` ≤
    /// `from` the state comes back as it is. Stopping at a grid point (a multiple of half an hour since the epoch) and going
    /// on gives the same bits as one run; stopping elsewhere moves the phase by less than 10⁻⁵ h.
    fn integrate(
        &self,
        state: Self::State,
        from: UtcMillis,
        to: UtcMillis,
        light: impl FnMut(UtcMillis) -> Lux,
    ) -> Self::State
    where
        Self: Sized,
    {
        drive::walk(self, state, from, to, light, |_| ControlFlow::Continue(()))
    }
}
