//! When sleep speaks of the clock, and when it only speaks of the wish to sleep.
//!
//! In settled life people sleep where their clock lets them, and the middle of a main sleep observes it. After a flight, or
//! while a plan moves bedtimes, they sleep when the wall clock says so, and taking that for the clock makes a filter
//! confident and wrong: the most likely silent fault of such a system.

use serde::{Deserialize, Serialize};

use super::numbers::FilterNumbers;
use crate::circadian::drive::BIN;
use crate::units::{Hours, Span, UtcMillis};

/// Nights near the habit that it takes to come back, and nights off it to leave.
const NIGHTS_TO_RETURN: u8 = 3;
const NIGHTS_TO_LEAVE: u8 = 2;

/// How much of the middle of the last nights' deviation from habit a new night replaces.
const LATEST_NIGHT: f32 = 0.3;

/// The same of once being seen asleep.
const SEEN: f32 = 0.1;

/// The same of how far nights lie from those before, and the most that one counts, hours.
const SCATTERED_NIGHT: f32 = 0.1;
const MOST_SCATTER: f32 = 3.0;

/// Nights that lie further apart than this on average, hours, are no habit, however long they have been so.
const NO_HABIT: f32 = 1.5;

/// A night within this of where the last ones lie, hours, is one of them.
const ALIKE: f32 = 2.0;

/// Who sleeps further than this from the wall's night, hours, does not sleep between that and the clock's, which is half a day
/// away at most: people come half of the way at least.
const NO_COMPROMISE: f64 = 7.0;

/// Smaller than an `Option` of a time.
const NEVER: UtcMillis = UtcMillis::MAX;

/// Whether life is settled, and what speaks for a change of that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Since when it is not; [`NEVER`] while it is.
    unsettled_since: UtcMillis,
    /// With `after_flight`, the [`Cause`] of that: kept in the form in which earlier builds kept it.
    by_shift: bool,
    /// The latest flight's change of the clock, hours, until the day after it begins; 0 without one.
    arrived: f32,
    /// Whether these are days of which it is known what moves the clock.
    explained: bool,
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
    /// How far nights lie from those before them, or from the habit where that is less, since life is as it is, thousandths of
    /// an hour.
    scatter: u16,
}

/// Why life is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// A plan moves nights.
    Plan,
    /// The local clock changed, and nights lie between the clock and where they are wanted.
    Flight,
    /// Nights went elsewhere, and nobody said why.
    OtherNights,
    /// They came back from another time of day. Work by turns fixes when there is sleep, so that being back says nothing of
    /// where the clock is.
    Returned,
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
    /// As darkness; and since it lies where the last ones did, at the usual time of day or long since, it tells of a clock of
    /// which nothing else is known.
    IsDarkAsEver,
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
            scatter: 0,
        }
    }

    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unsettled_since == NEVER
    }

    /// Whether it has been unsettled for so long that the days alone would have settled it, had there been nights to see it by.
    #[must_use]
    pub fn is_long_unsettled(&self, at: UtcMillis, numbers: &FilterNumbers) -> bool {
        self.cause().is_some() && at - self.unsettled_since >= numbers.returns_at
    }

    /// Why life is not settled; `None` while it is.
    fn cause(&self) -> Option<Cause> {
        let cause = match (self.by_shift, self.after_flight) {
            (true, true) => Cause::Flight,
            (true, false) => Cause::Plan,
            (false, false) => Cause::OtherNights,
            (false, true) => Cause::Returned,
        };
        (!self.is_settled()).then_some(cause)
    }

    /// Whether nights are expected to lie elsewhere than the clock has them: by a flight, by a plan, or back from another time
    /// of day.
    #[must_use]
    pub fn is_shifted(&self) -> bool {
        self.cause().is_some_and(|cause| cause != Cause::OtherNights)
    }

    /// Whether the last nights lie nearer to another time of day than to the usual one.
    #[must_use]
    pub fn is_at_other_hours(&self, numbers: &FilterNumbers) -> bool {
        let off = Hours(f64::from(self.lately - self.habit_moved)).wrap_12();
        self.cause() == Some(Cause::OtherNights) && off.0.abs() > 0.5 * numbers.another_time.0
    }

    /// Whether nights came back from another time of day only lately.
    #[must_use]
    pub fn is_back_from_other_hours(&self, at: UtcMillis, numbers: &FilterNumbers) -> bool {
        self.cause() == Some(Cause::Returned) && at - self.unsettled_since < numbers.returns_at
    }

    /// Whether the last nights agree with those before them well enough to be somebody's habit.
    #[must_use]
    pub fn has_habit(&self) -> bool {
        f32::from(self.scatter) <= 1_000.0 * NO_HABIT
    }

    /// Whether these are days of which it is known what moves the clock: usual ones, or after a flight, or along a plan.
    /// Nights that went off the habit and nobody said why are not of them, nor those that come now early and now late: who
    /// works at night or is woken by a child has lights on of which nobody thinks. Holds from one day of UTC to the next.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        self.explained
    }

    /// A day of UTC begins: what the local clock changed by on the one before, if it did. `usual_scatter`: of a settled night
    /// about the clock.
    pub fn day_begins(&mut self, usual_scatter: Hours, numbers: &FilterNumbers) -> Option<Hours> {
        let is_restless = f64::from(self.scatter) > 1_000.0 * numbers.restless * usual_scatter.0;
        self.explained = match self.cause() {
            None => !is_restless,
            Some(cause) => matches!(cause, Cause::Plan | Cause::Flight),
        };
        let by = std::mem::take(&mut self.arrived);
        (by != 0.0).then_some(Hours(f64::from(by)))
    }

    /// The local clock changed by so much, at `at`.
    pub fn clock_shifted(&mut self, at: UtcMillis, by: Hours, numbers: &FilterNumbers) {
        if by.0.abs() >= numbers.shift.0 {
            self.leave(at, self.unless_lost(Cause::Flight, numbers));
            self.arrived = by.0 as f32;
        }
    }

    /// Somebody whose hours nobody told begins with a night that lies so much later than what is assumed of strangers: that is
    /// the habit, until there are other nights.
    pub fn begins_at(&mut self, from_assumed: Hours) {
        self.lately = from_assumed.0 as f32;
        self.habit_moved = self.lately;
    }

    /// The same of being seen asleep, of which a night has several.
    pub fn seen_at(&mut self, from_assumed: Hours) {
        if self.was_seen() {
            let step = Hours(from_assumed.0 - f64::from(self.lately)).wrap_12().0 as f32;
            self.lately = wrapped(self.lately + SEEN * step);
        } else {
            self.begins_at(from_assumed);
        }
    }

    /// How much later than what is assumed of strangers somebody has slept of late, whose hours nobody told; in whole quarter
    /// hours. 0 for who was never seen asleep.
    #[must_use]
    pub fn later_than_assumed(&self) -> Span {
        let quarters = libm::round(f64::from(self.lately) / BIN.as_hours().0) as i64;
        Span(quarters * BIN.0)
    }

    /// Whether the hours of somebody who told none were seen.
    #[must_use]
    pub fn was_seen(&self) -> bool {
        self.lately != 0.0
    }

    /// How much later than this person's habit a night lies that lies so much later than the one that was told.
    #[must_use]
    pub fn from_habit(&self, from_told: Hours) -> Hours {
        (from_told - Hours(f64::from(self.habit_moved))).wrap_12()
    }

    /// Whose clock is on its way back from work at night, or whose nights are at other hours still, follows no plan and makes no
    /// compromise that tells how far: it is not known from where.
    fn unless_lost(&self, cause: Cause, numbers: &FilterNumbers) -> Cause {
        let is_lost = self.cause() == Some(Cause::Returned) || self.is_at_other_hours(numbers);
        if is_lost { Cause::Returned } else { cause }
    }

    fn leave(&mut self, at: UtcMillis, cause: Cause) {
        self.unsettled_since = at;
        self.by_shift = matches!(cause, Cause::Plan | Cause::Flight);
        self.after_flight = matches!(cause, Cause::Flight | Cause::Returned);
        self.near_habit = 0;
        self.off_habit = 0;
        self.rejected = 0;
        self.scatter = 0;
    }

    /// What to do with a main sleep. `off_estimate`: by how much it lies after where the estimate expects it, hours;
    /// `sd`: of the estimate, hours. `knows_hours`: whether a habit was told; if not, the last nights are what there is of one.
    pub fn take(
        &mut self,
        sleep: &MainSleep,
        off_estimate: f64,
        sd: f64,
        knows_hours: bool,
        numbers: &FilterNumbers,
    ) -> Use {
        let from_told = sleep.from_habit.0;
        if !knows_hours {
            self.habit_moved = self.lately;
        }
        let from_habit = self.from_habit(sleep.from_habit).0;
        let step = Hours(from_told - f64::from(self.lately)).wrap_12().0 as f32;
        self.lately = wrapped(self.lately + LATEST_NIGHT * step);
        // After one night elsewhere the nights before it are the measure still: who lies on the habit is not scattered.
        let apart = step.abs().min(from_habit.abs() as f32);
        let scattered = 1_000.0 * apart.min(MOST_SCATTER) - f32::from(self.scatter);
        self.scatter = (f32::from(self.scatter) + SCATTERED_NIGHT * scattered) as u16;
        if sleep.planned {
            self.leave(sleep.middle, self.unless_lost(Cause::Plan, numbers));
            return Use::IsDark;
        }
        let is_alike = step.abs() <= ALIKE;
        let at_usual_time_of_day = from_habit.abs() <= numbers.another_time.0;
        let Some(cause) = self.cause() else {
            if from_habit.abs() <= numbers.off_habit.0 {
                self.off_habit = 0;
                return Use::Observes;
            }
            self.off_habit += 1;
            if self.off_habit >= NIGHTS_TO_LEAVE {
                self.leave(sleep.middle, Cause::OtherNights);
            }
            return self.dark(is_alike && at_usual_time_of_day, knows_hours);
        };
        if cause == Cause::Flight {
            if from_habit.abs() > NO_COMPROMISE {
                self.off_habit += 1;
                if self.off_habit >= NIGHTS_TO_LEAVE {
                    // At work at night, or by a clock that is not the wall's: nobody said why.
                    self.leave(sleep.middle, Cause::OtherNights);
                }
                return self.dark(false, knows_hours);
            }
        } else if f64::from(step.abs()) >= numbers.another_time.0 {
            self.leave(sleep.middle, if at_usual_time_of_day { Cause::Returned } else { Cause::OtherNights });
            return self.dark(false, knows_hours);
        }
        let near = from_habit.abs() <= numbers.near_habit.0 && off_estimate.abs() <= sd.max(1.0);
        self.near_habit = if near { self.near_habit.saturating_add(1) } else { 0 };
        let away = sleep.middle - self.unsettled_since;
        let long_enough = match cause {
            Cause::Plan | Cause::Flight => numbers.returns_after,
            Cause::OtherNights => Span::ZERO,
            Cause::Returned => numbers.returns_at,
        };
        if away >= long_enough && self.near_habit >= NIGHTS_TO_RETURN {
            self.come_back();
            return Use::Observes;
        }
        if away >= numbers.returns_at && self.has_habit() && is_alike {
            // Whatever the nights are like now is the habit.
            self.habit_moved = self.lately;
            self.come_back();
            return Use::ObservesAnew;
        }
        if cause == Cause::Flight {
            return Use::Compromises;
        }
        let has_moved_little = cause == Cause::OtherNights && at_usual_time_of_day;
        self.dark(is_alike && (has_moved_little || away >= numbers.returns_after), knows_hours)
    }

    /// The use of a night that moves nothing where the clock is known. `is_as_ever`: it lies where nights have been. Where the
    /// hours are not known, the last nights are all that there is of them.
    fn dark(&self, is_as_ever: bool, knows_hours: bool) -> Use {
        let tells = if knows_hours { is_as_ever } else { self.has_habit() };
        if tells { Use::IsDarkAsEver } else { Use::IsDark }
    }

    fn come_back(&mut self) {
        self.unsettled_since = NEVER;
        self.by_shift = false;
        self.after_flight = false;
        self.off_habit = 0;
        self.near_habit = 0;
        self.scatter = 0;
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

/// Hours of a day, to the other side of it at most.
fn wrapped(hours: f32) -> f32 {
    if hours.abs() > 12.0 { Hours(f64::from(hours)).wrap_12().0 as f32 } else { hours }
}
