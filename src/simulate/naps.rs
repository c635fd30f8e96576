//! A child's naps on one day: those that are slept, those that are not, and what is said of both.

use crate::flight::zones;
use crate::simulate::interval::{Interval, hours_of, to_minute};
use crate::simulate::life::{Life, World};
use crate::simulate::travel::Whereabouts;
use crate::units::{Hours, Span, UtcMillis};

/// How a nap becomes known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    AsItHappens,
    /// Only its whole, hours after it.
    HoursLater,
    /// Only its whole, then.
    At(UtcMillis),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nap {
    pub asleep: Interval,
    pub told: Told,
}

/// The naps between one night and the next.
#[derive(Clone, Debug, Default)]
pub struct NapDay {
    pub naps: Vec<Nap>,
    /// When a parent says that the nap is not going to happen.
    pub said_skipped: Vec<UtcMillis>,
    /// Nothing was slept at the last nap's time.
    pub missed_last: bool,
}

/// What becomes of a nap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Slept(Told),
    /// Under twenty minutes.
    Short,
    Missed,
    /// Missed, and a parent says so.
    Skipped,
}

/// A child that lives by the clock, so that a demonstration can promise what happens when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The nap within an hour of this time …
    pub at: UtcMillis,
    /// … goes like this; all others are slept and told.
    pub fate: Fate,
}

/// Nearer than this to the scripted time, a nap is the scripted one.
const SAME_NAP: Span = Span::hours(1);

/// A nap ends at least this share of a window before bedtime.
const WINDOW_BEFORE_BED: f64 = 0.6;

/// After a missed nap the child is tired sooner.
const WINDOW_AFTER_MISSED: f64 = 0.7;

/// More than usual only on days that travel makes longer.
const MOST_NAPS: usize = 8;

/// Decides the naps from waking up until `bed`.
pub fn of_day(
    life: &mut Life,
    world: &World,
    whereabouts: Whereabouts<'_>,
    doze: Option<Interval>,
    bed: Interval,
) -> NapDay {
    let mut day = NapDay::default();
    let habit = life.habit.naps.clone();
    let Some(last) = habit.last().copied() else { return day };
    let is_travelling = whereabouts.between_clocks(bed.start).is_some();
    let most = if is_travelling { MOST_NAPS } else { habit.len() };
    let months = life.identity.months(zones::local_date(whereabouts.home, life.awake_from));
    let log_sd =
        if months < 12.0 { world.numbers.naps.window_log_sd } else { world.numbers.naps.window_log_sd_from_1_year };

    let mut awake_from = life.awake_from;
    let mut shorter = 1.0;
    for index in 0..most {
        let usual = habit.get(index).copied().unwrap_or(last);
        let window = usual.window * shorter;
        shorter = 1.0;
        let mut start = to_minute(match life.script {
            // Between two clocks nobody lives by either.
            Some(_) if !is_travelling => by_the_clock(life, world, whereabouts, index),
            _ => awake_from + hours_of(window * life.random.factor(log_sd)),
        });
        if let Some(doze) = doze.filter(|doze| doze.widened(Span::hours(1)).contains(start)) {
            awake_from = doze.end;
            continue;
        }
        if let Some(busy) = whereabouts.busy(Interval::new(start, start + Span::minutes(1))).first() {
            start = to_minute(busy.end);
        }
        let length = hours_of(usual.length * life.random.factor(world.numbers.naps.length_log_sd));
        let latest_end = bed.start - hours_of(window * WINDOW_BEFORE_BED);
        if start + Span(length.0 / 2) > latest_end {
            break;
        }
        let mut asleep = Interval::new(start, (start + length).min(latest_end));
        if let Some(busy) = whereabouts.busy(asleep).iter().map(|busy| busy.start).min() {
            asleep.end = to_minute(busy).max(start + Span::minutes(25)).min(asleep.end);
        }

        if let Some(doze) = doze.filter(|doze| doze.overlaps(asleep)) {
            awake_from = doze.end;
            continue;
        }

        awake_from = asleep.end;
        day.missed_last = false;
        match fate(life, world, start) {
            Fate::Slept(told) => day.naps.push(Nap { asleep, told }),
            Fate::Short => {
                let numbers = &world.numbers.naps;
                asleep.end = start + life.random.minutes(numbers.short_least, numbers.short_most);
                awake_from = asleep.end;
                shorter = if months < 6.0 { numbers.young_after_short } else { 1.0 };
                day.naps.push(Nap { asleep, told: Told::AsItHappens });
            }
            missed @ (Fate::Missed | Fate::Skipped) => {
                if missed == Fate::Skipped {
                    let numbers = &world.numbers.naps;
                    day.said_skipped
                        .push(start + life.random.minutes(numbers.said_after_least, numbers.said_after_most));
                }
                shorter = WINDOW_AFTER_MISSED;
                day.missed_last = true;
            }
        }
    }
    day
}

/// The usual time of nap `index` today, give or take minutes.
fn by_the_clock(life: &mut Life, world: &World, whereabouts: Whereabouts<'_>, index: usize) -> UtcMillis {
    let hours = life.habit.nap_hours();
    let (hour, _) = hours.get(index).or(hours.last()).copied().unwrap_or_default();
    let zone = whereabouts.zone_at(life.awake_from);
    let minute = libm::round(Hours(hour).wrap_24().0 * 60.0) as i32;
    let steadiness = world.numbers.demo.steadiness;
    let usual = zones::to_utc(zone, zones::local_date(zone, life.awake_from), minute);
    usual + life.random.minutes(-steadiness, steadiness)
}

fn fate(life: &mut Life, world: &World, start: UtcMillis) -> Fate {
    if let Some(script) = life.script {
        let is_scripted = (start - script.at).abs() < SAME_NAP;
        return if is_scripted { script.fate } else { Fate::Slept(Told::AsItHappens) };
    }
    let rates = &world.rates;
    if life.random.chance(rates.nap_missed) {
        return if life.random.chance(rates.nap_said) { Fate::Skipped } else { Fate::Missed };
    }
    if life.random.chance(rates.nap_short) {
        return Fate::Short;
    }
    Fate::Slept(if life.random.chance(rates.late) { Told::HoursLater } else { Told::AsItHappens })
}

#[cfg(test)]
mod tests {

    #[test]
    fn short_is_under_the_twenty_minutes_that_a_nap_needs() {
        let numbers = &crate::simulate::numbers::Numbers::embedded().naps;
        assert!(numbers.short_most < 20.0 && numbers.short_least > 5.0);
    }
}
