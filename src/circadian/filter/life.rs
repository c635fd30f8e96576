//! When sleep speaks of the clock, and when it only speaks of the wish to sleep.
//!
//! In settled life people sleep where their clock lets them, and the middle of a main sleep observes it. After a flight, or
//! while a plan moves bedtimes, they sleep when the wall clock says so, and taking that for the clock makes a filter
//! confident and wrong: the most likely silent fault of such a system.

use serde::{Deserialize, Serialize};

use super::numbers::FilterNumbers;
use crate::units::{Hours, Span, UtcMillis};

/// Nights near the habit that it takes to come back, and nights off it to leave.
const NIGHTS_TO_RETURN: u8 = 3;
const NIGHTS_TO_LEAVE: u8 = 2;

/// How much of the middle of the last nights' deviation from habit a new night replaces.
const LATEST_NIGHT: f32 = 0.3;

/// Smaller than an `Option` of a time.
const NEVER: UtcMillis = UtcMillis::MAX;

/// Whether life is settled, and what speaks for a change of that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Since when it is not; [`NEVER`] while it is.
    unsettled_since: UtcMillis,
    /// Whether that was a change of the local clock, which takes its days to settle from.
    by_shift: bool,
    /// The latest flight's change of the clock, hours, until the day after it begins; 0 without one.
    arrived: f32,
    /// Whether these are days of which it is known what moves the clock.
    explained: bool,
    /// And that was a flight's.
    after_flight: bool,
    off_habit: u8,
    near_habit: u8,
    /// Rejected sleeps in a row that agree, and where they lie against what was expected, hours.
    rejected: u8,
    rejected_at: f32,
    /// What was learned of how the nights lie against the habit that was told, hours.
    habit_moved: f32,
    /// The same of the last nights.
    lately: f32,
}

/// A main sleep as the rules see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MainSleep {
    pub middle: UtcMillis,
    /// Middle of the sleep less the usual one, on the clock on the wall, in (−12, 12].
    pub from_habit: Hours,
    /// A plan moved this night.
    pub planned: bool,
}

/// What a main sleep is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It observes the clock.
    Observes,
    /// As darkness only.
    IsDark,
    /// A compromise between the clock and the wall.
    Compromises,
    /// Settled life has come back with the days, not with the nights: it observes, and the phase is made wide before.
    ObservesAnew,
}

impl Life {
    #[must_use]
    pub fn settled() -> Life {
        Life {
            unsettled_since: NEVER,
            by_shift: false,
            after_flight: false,
            arrived: 0.0,
            explained: true,
            off_habit: 0,
            near_habit: 0,
            rejected: 0,
            rejected_at: 0.0,
            habit_moved: 0.0,
            lately: 0.0,
        }
    }

    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unsettled_since == NEVER
    }

    /// Whether these are days of which it is known what moves the clock: usual ones, or after a flight, or along a plan.
    /// Nights that went off the habit and nobody said why are not of them: who works at night has lights on of which nobody
    /// thinks. Holds from one day of UTC to the next.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.explained
    }

    /// A day of UTC begins: what the local clock changed by on the one before, if it did.
    pub fn day_begins(&mut self) -> Option<Hours> {
        self.explained = self.is_settled() || self.by_shift;
        let by = std::mem::take(&mut self.arrived);
        (by != 0.0).then_some(Hours(f64::from(by)))
    }

    /// The local clock changed by so much, at `at`.
    pub fn clock_shifted(&mut self, at: UtcMillis, by: Hours, numbers: &FilterNumbers) {
        if by.0.abs() >= numbers.shift.0 {
            self.leave(at, true);
            self.after_flight = true;
            self.arrived = by.0 as f32;
        }
    }

    fn leave(&mut self, at: UtcMillis, by_shift: bool) {
        self.unsettled_since = at;
        self.by_shift = by_shift;
        self.near_habit = 0;
        self.off_habit = 0;
        self.rejected = 0;
    }

    /// What to do with a main sleep. `off_estimate`: by how much it lies after where the estimate expects it, hours;
    /// `sd`: of the estimate, hours.
    pub fn take(&mut self, sleep: &MainSleep, off_estimate: f64, sd: f64, numbers: &FilterNumbers) -> Use {
        let from_told = sleep.from_habit.0;
        let from_habit = Hours(from_told - f64::from(self.habit_moved)).wrap_12().0;
        let step = Hours(from_told - f64::from(self.lately)).wrap_12().0 as f32;
        self.lately += LATEST_NIGHT * step;
        if sleep.planned {
            self.leave(sleep.middle, true);
            self.after_flight = false;
            return Use::IsDark;
        }
        if self.is_settled() {
            if from_habit.abs() <= numbers.off_habit.0 {
                self.off_habit = 0;
                return Use::Observes;
            }
            self.off_habit += 1;
            if self.off_habit >= NIGHTS_TO_LEAVE {
                self.leave(sleep.middle, false);
            }
            return Use::IsDark;
        }
        let near = from_habit.abs() <= numbers.near_habit.0 && off_estimate.abs() <= sd.max(1.0);
        self.near_habit = if near { self.near_habit.saturating_add(1) } else { 0 };
        let away = sleep.middle - self.unsettled_since;
        let long_enough = if self.by_shift { numbers.returns_after } else { Span::ZERO };
        if away >= long_enough && self.near_habit >= NIGHTS_TO_RETURN {
            self.come_back();
            return Use::Observes;
        }
        if away >= numbers.returns_at {
            // Whatever the nights are like now is the habit.
            self.habit_moved = self.lately;
            self.come_back();
            return Use::ObservesAnew;
        }
        if self.after_flight { Use::Compromises } else { Use::IsDark }
    }

    fn come_back(&mut self) {
        self.unsettled_since = NEVER;
        self.by_shift = false;
        self.after_flight = false;
        self.off_habit = 0;
        self.near_habit = 0;
    }

    /// An observing sleep was rejected, `off` hours from where it was expected. Whether enough of them agree that the
    /// phase has to begin anew from this one.
    pub fn rejected(&mut self, off: f64, numbers: &FilterNumbers) -> bool {
        let agrees = (off as f32 - self.rejected_at).abs() <= numbers.near_habit.0 as f32;
        self.rejected = if self.rejected > 0 && agrees { self.rejected + 1 } else { 1 };
        self.rejected_at = off as f32;
        let enough = self.rejected >= NIGHTS_TO_RETURN;
        if enough {
            self.rejected = 0;
        }
        enough
    }

    pub fn accepted(&mut self) {
        self.rejected = 0;
    }
}
