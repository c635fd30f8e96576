//! Where habitual life holds the clock.
//!
//! A settled person's clock runs in step with their days. What we know of them at first is their habit, and the clock's state
//! follows from it: let the oscillator live the habitual day again and again until it no longer moves.

use std::f64::consts::{PI, TAU};

use crate::circadian::drive::BIN;
use crate::circadian::markers::first_crossing;
use crate::circadian::oscillator::Oscillator;
use crate::circadian::{PHASE_PER_HOUR, phase_of};
use crate::units::{Hours, Lux, Radians, Span, UtcMillis};

/// Light bins in a day.
pub const BINS_PER_DAY: usize = 96;

/// Days after which entrainment is given up: some days (constant light, too little of it) hold no clock.
pub const MOST_DAYS: u32 = 60;

/// The clock has settled when a day moves it by less than this.
const SETTLED_HOURS: f64 = 1e-4;

const DAY: Span = Span::days(1);

/// CBTmin in regular adults comes about this long after the middle of sleep: the start from which entrainment is short.
/// From Burgess et al. (2003): DLMO about 14 h after waking in regular adults, so CBTmin about 3 h before waking, 1 h after
/// the middle of 8 h of sleep. Has no influence on the result.
const CBT_MIN_AFTER_MID_SLEEP: Hours = Hours(1.0);

/// An oscillator that lives the same day for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntrainedDay<S> {
    /// The state at local hour 0, its phase in (−π, π].
    pub state_at_midnight: S,
    /// The local hour of the oscillator's own CBTmin, in [0, 24).
    pub cbt_min: Hours,
    /// How many days it took.
    pub days: u32,
    /// Whether the clock settled. If not, state and CBTmin are those of day 60 of a clock that drifts.
    pub settled: bool,
}

/// The oscillator's state at local midnight for somebody whose mid-sleep is at this local hour: a good start for
/// [`habitual_cbt_min`], close enough for a dozen or two days to suffice.
pub fn likely_midnight_state<O: Oscillator>(oscillator: &O, mid_sleep: Hours) -> O::State {
    let cbt_min = (mid_sleep + CBT_MIN_AFTER_MID_SLEEP).wrap_12();
    oscillator.moved_to(oscillator.initial_state(), Radians(PI - phase_of(cbt_min).0))
}

/// Entrains the oscillator to a day of exactly 24 h.
///
/// `light` is the habitual light in quarter hours from local midnight, with sleep as darkness; `start` is a state at local
/// midnight ([`likely_midnight_state`], or the last known one). Days are repeated until midnight finds the phase within
/// 10⁻⁴ h of where it was the day before, twice in a row, or for 60 days. Never fails; look at [`EntrainedDay::settled`].
pub fn habitual_cbt_min<O: Oscillator>(
    oscillator: &O,
    light: &[Lux; BINS_PER_DAY],
    start: O::State,
) -> EntrainedDay<O::State> {
    // Local time is treated as if it were UTC: the day is the same wherever it is lived.
    let midnight = UtcMillis(0);
    let light_at = |bin_start: UtcMillis| light_of_day(light, bin_start);
    let midnight_drive = oscillator.drive(light[0]);
    let phase_of_state = |state: &O::State| oscillator.phase(state, &midnight_drive).0;

    let mut state = oscillator.unwound(start);
    let mut days = 0;
    let mut quiet_days = 0;
    while days < MOST_DAYS && quiet_days < 2 {
        let next = oscillator.unwound(oscillator.integrate(state, midnight, midnight + DAY, light_at));
        let moved = wrap(phase_of_state(&next) - phase_of_state(&state)) / PHASE_PER_HOUR;
        // A day on which the drift turns round looks quiet too: two in a row are not one by chance.
        quiet_days = if moved.abs() < SETTLED_HOURS { quiet_days + 1 } else { 0 };
        state = next;
        days += 1;
    }

    let crossing = first_crossing(oscillator, state, midnight, Hours(0.0), light_at, Span::days(2));
    let cbt_min = match crossing {
        Some(instant) => (instant - midnight).as_hours(),
        // Light so strong that the phase stands still for two days; the clock's own pace is as good a guess as any.
        None => Hours((PI - phase_of_state(&state)) / PHASE_PER_HOUR),
    };
    EntrainedDay { state_at_midnight: state, cbt_min: cbt_min.wrap_24(), days, settled: quiet_days >= 2 }
}

/// β: how many hours a person's CBTmin comes before the oscillator's, in (−12, 12].
///
/// The model's absolute phase is off by an hour or two in people, its shifts are right; so the habit anchors the phase. β is
/// chosen so that the published CBTmin of habitual life is mid-sleep + δ: `oscillator_cbt_min` is the local hour at which the
/// oscillator under that life has its own ([`EntrainedDay::cbt_min`]), `delta` is δ for the person's age.
#[must_use]
pub fn personal_offset(oscillator_cbt_min: Hours, mid_sleep: Hours, delta: Hours) -> Hours {
    (oscillator_cbt_min - (mid_sleep + delta)).wrap_12()
}

/// The same β without the approximation that an hour of phase is lived in an hour: integrates habitual life to the person's
/// own CBTmin, at local hour `cbt_min`, and returns how far the oscillator's phase then is from π, in (−12, 12] h.
///
/// With this β, [`first_crossing`] in habitual life finds `cbt_min` itself; with [`personal_offset`] it misses by some
/// hundredths of an hour, the more the larger the offset.
pub fn personal_offset_at<O: Oscillator>(
    oscillator: &O,
    light: &[Lux; BINS_PER_DAY],
    entrained: &EntrainedDay<O::State>,
    cbt_min: Hours,
) -> Hours {
    let midnight = UtcMillis(0);
    let light_at = |bin_start: UtcMillis| light_of_day(light, bin_start);
    // Where the model puts CBTmin some time after its phase, it is the phase of that time before.
    let at = midnight + Span::from_hours((cbt_min - oscillator.cbt_min_after_phase().as_hours()).wrap_24());
    let state = oscillator.integrate(entrained.state_at_midnight, midnight, at, light_at);
    let phase = oscillator.phase(&state, &oscillator.drive(light_at(at))).0;
    Hours((PI - phase) / PHASE_PER_HOUR).wrap_12()
}

fn light_of_day(light: &[Lux; BINS_PER_DAY], bin_start: UtcMillis) -> Lux {
    light[(bin_start.0.rem_euclid(DAY.0) / BIN.0) as usize]
}

fn wrap(angle: f64) -> f64 {
    angle - TAU * libm::round(angle / TAU)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circadian::hannay19::Hannay19;

    /// Awake `wake`–`sleep` (local hours): 250 lux until 19:00, then 80.
    fn habitual_light(wake: f64, sleep: f64) -> [Lux; BINS_PER_DAY] {
        std::array::from_fn(|bin| {
            let hour = bin as f64 / 4.0;
            let awake = if wake < sleep { wake <= hour && hour < sleep } else { hour >= wake || hour < sleep };
            Lux(if !awake {
                0.0
            } else if (6.0..19.0).contains(&hour) {
                250.0
            } else {
                80.0
            })
        })
    }

    #[test]
    fn settles_where_sixty_days_of_the_same_life_end() {
        let oscillator = Hannay19::embedded();
        for (wake, sleep) in [(7.0, 23.0), (5.5, 21.0), (9.0, 1.5), (11.0, 3.0), (17.0, 8.0), (7.0, 19.0)] {
            let light = habitual_light(wake, sleep);
            let mid_sleep = Hours(sleep + (wake - sleep).rem_euclid(24.0) / 2.0);
            let start = likely_midnight_state(&oscillator, mid_sleep);
            let entrained = habitual_cbt_min(&oscillator, &light, start);
            assert!(entrained.settled, "{wake}–{sleep}");

            let light_at = |at: UtcMillis| light_of_day(&light, at);
            let from = UtcMillis(0) + Span::days(60);
            let late = oscillator.integrate(start, UtcMillis(0), from, light_at);
            let crossing =
                first_crossing(&oscillator, late, from, Hours(0.0), light_at, Span::days(2)).expect("a CBTmin");
            let late_cbt_min = (crossing - from).as_hours();
            let difference = (entrained.cbt_min - late_cbt_min).wrap_12().0;
            assert!(difference.abs() < 1e-3, "{wake}–{sleep}: {difference} h after {} days", entrained.days);
        }
    }

    #[test]
    fn the_start_does_not_matter() {
        let oscillator = Hannay19::embedded();
        let light = habitual_light(7.0, 23.0);
        let cbt_min = |mid_sleep| {
            let start = likely_midnight_state(&oscillator, Hours(mid_sleep));
            habitual_cbt_min(&oscillator, &light, start).cbt_min
        };
        for mid_sleep in [0.0, 5.0, 9.0, 15.0, 21.0] {
            assert!((cbt_min(mid_sleep) - cbt_min(3.0)).wrap_12().0.abs() < 2e-3, "mid-sleep {mid_sleep}");
        }
    }

    #[test]
    fn from_the_entrained_state_it_is_already_settled() {
        let oscillator = Hannay19::embedded();
        let light = habitual_light(7.0, 23.0);
        let once = habitual_cbt_min(&oscillator, &light, likely_midnight_state(&oscillator, Hours(3.0)));
        let again = habitual_cbt_min(&oscillator, &light, once.state_at_midnight);
        assert_eq!(again.days, 2);
        assert!((again.cbt_min - once.cbt_min).0.abs() < 1e-3);
    }

    #[test]
    fn a_life_in_the_dark_does_not_settle_and_says_so() {
        let oscillator = Hannay19::embedded();
        let entrained = habitual_cbt_min(&oscillator, &[Lux(0.0); BINS_PER_DAY], oscillator.initial_state());
        assert!(!entrained.settled);
        assert_eq!(entrained.days, MOST_DAYS);
        assert!((0.0..24.0).contains(&entrained.cbt_min.0));
    }

    #[test]
    fn with_the_personal_offset_habitual_life_gives_mid_sleep_plus_delta() {
        let oscillator = Hannay19::embedded();
        for (wake, sleep, delta) in [(7.0, 23.0, 1.0), (6.0, 19.5, 0.8), (10.0, 2.0, 1.5), (17.0, 8.5, 1.0)] {
            let light = habitual_light(wake, sleep);
            let mid_sleep = Hours(sleep + (wake - sleep).rem_euclid(24.0) / 2.0).wrap_24();
            let expected = (mid_sleep + Hours(delta)).wrap_24();
            let entrained = habitual_cbt_min(&oscillator, &light, likely_midnight_state(&oscillator, mid_sleep));
            // From the noon of that day, as a question asked while awake would.
            let light_at = |at: UtcMillis| light_of_day(&light, at);
            let noon = UtcMillis(0) + Span::hours(12);
            let state = oscillator.integrate(entrained.state_at_midnight, UtcMillis(0), noon, light_at);
            let error = |offset| {
                let crossing = first_crossing(&oscillator, state, noon, offset, light_at, Span::days(2));
                ((crossing.expect("a CBTmin") - UtcMillis(0)).as_hours() - expected).wrap_12().0
            };

            let exact = personal_offset_at(&oscillator, &light, &entrained, expected);
            assert!(error(exact).abs() < 0.001, "{wake}–{sleep}: off by {} h", error(exact));
            let rough = personal_offset(entrained.cbt_min, mid_sleep, Hours(delta));
            assert!(error(rough).abs() < 0.05, "{wake}–{sleep}: off by {} h", error(rough));
        }
    }

    #[test]
    fn a_person_earlier_than_the_oscillator_has_a_positive_offset_also_across_midnight() {
        assert_eq!(personal_offset(Hours(4.0), Hours(2.0), Hours(1.0)), Hours(1.0));
        assert_eq!(personal_offset(Hours(1.0), Hours(23.0), Hours(1.0)), Hours(1.0));
        assert_eq!(personal_offset(Hours(23.5), Hours(23.0), Hours(1.0)), Hours(-0.5));
    }
}
