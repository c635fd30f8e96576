//! Who somebody is: age, habits, and the clock that they truly have.

use chrono::{Datelike, Months, NaiveDate};
use chrono_tz::Tz;

use crate::circadian::{
    BIN, CELL, EntrainedDay, Hannay19, Hannay19State, LightModel, Oscillator, Place as LightPlace, habitual_cbt_min,
    likely_midnight_state, personal_offset_at,
};
use crate::flight::zones;
use crate::simulate::habit::Habit;
use crate::simulate::interval::Interval;
use crate::simulate::life::World;
use crate::simulate::numbers::Numbers;
use crate::simulate::places::Name;
use crate::simulate::random::Random;
use crate::units::{Hours, Lux, Span, UtcMillis};

/// Bins of 15 min in a day.
const BINS: usize = 96;

/// Mean length of a month, days.
const MONTH_DAYS: f64 = 30.4375;

/// What does not change while a family is simulated, but for the age.
#[derive(Clone, Debug)]
pub struct Identity {
    pub name: Name,
    /// The first of the month of birth.
    pub born: NaiveDate,
    pub is_adult: bool,
    pub caregiver: bool,
    /// Draws that habits at any age follow from, in SDs.
    pub traits: Traits,
}

/// Standard normal unless said otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    pub wake: f64,
    pub length: f64,
    /// Uniform in 0 .. 1: at 3 to 5 years, who has given up naps.
    pub naps: f64,
    /// Local hour at which this person usually is outdoors.
    pub outdoor_hour: f64,
}

impl Identity {
    /// Age in months; the day of birth is taken to be the 15th.
    pub fn months(&self, date: NaiveDate) -> f64 {
        f64::from(date.num_days_from_ce() - self.born.num_days_from_ce() - 14) / MONTH_DAYS
    }

    /// The first of a month `months` before `date`.
    pub fn born_before(date: NaiveDate, months: u32) -> NaiveDate {
        let first = date.with_day(1).unwrap_or(date);
        first.checked_sub_months(Months::new(months)).unwrap_or(first)
    }
}

/// The clock that somebody truly has.
#[derive(Clone, Debug)]
pub struct TrueClock {
    tau: f64,
    gain: f64,
    /// β: how many hours the person's CBTmin comes before the oscillator's.
    pub offset: Hours,
    /// δ: CBTmin less the middle of sleep, settled.
    pub delta: Hours,
    pub state: Hannay19State,
    /// Until when it has been lived: a grid point.
    pub at: UtcMillis,
    /// The last CBTmin before `at`.
    pub last_cbt_min: UtcMillis,
}

impl TrueClock {
    /// A clock that has settled in habitual life, at the first grid point at or after the midnight before `start`.
    pub fn settled(
        world: &World,
        random: &mut Random,
        identity: &Identity,
        habit: &Habit,
        home: Tz,
        start: UtcMillis,
    ) -> TrueClock {
        let World { base, light, numbers, .. } = world;
        let clock = &numbers.clock;
        let (tau_sds, gain_sds, own_sds) = (random.normal(), random.normal(), random.normal());
        let tau = clock.tau + clock.tau_sd * tau_sds;
        let gain = clock.gain * libm::exp(clock.gain_log_sd * gain_sds);
        let (with_tau, with_gain) = (clock.delta_with_tau, clock.delta_with_gain);
        let rest = libm::sqrt((1.0 - with_tau * with_tau - with_gain * with_gain).max(0.0));
        let (mean, sd) = usual_delta(numbers, identity, habit, zones::local_date(home, start));
        let delta = Hours(mean + sd * (with_tau * tau_sds + with_gain * gain_sds + rest * own_sds));

        let oscillator = base.personal(Hours(tau), gain);
        let day = habitual_light(light, numbers, habit, identity);
        let middle = Hours(habit.middle);
        let entrained: EntrainedDay<Hannay19State> =
            habitual_cbt_min(&oscillator, &day, likely_midnight_state(&oscillator, middle));
        let cbt_min = middle + delta;
        let offset = personal_offset_at(&oscillator, &day, &entrained, cbt_min);

        let midnight = zones::to_utc(home, zones::local_date(home, start), 0);
        let at = midnight.ceil_to(CELL);
        let state = oscillator.integrate(entrained.state_at_midnight, midnight, at, |bin| {
            day[(zones::hour_of_day(home, bin).0 * 4.0) as usize % BINS]
        });
        let last_cbt_min = midnight + Span::from_hours(cbt_min.wrap_24()) - Span::days(1);
        TrueClock { tau, gain, offset, delta, state, at, last_cbt_min }
    }

    /// Today's oscillator: the period wanders, so that the phase does.
    pub fn of_today(&self, base: &Hannay19, noise: f64, random: &mut Random) -> Hannay19 {
        base.personal(Hours(self.tau + noise * random.normal()), self.gain)
    }
}

/// Mean and SD of δ, hours.
fn usual_delta(numbers: &Numbers, identity: &Identity, habit: &Habit, date: NaiveDate) -> (f64, f64) {
    let clock = &numbers.clock;
    if identity.is_adult {
        let wake = habit.middle + 0.5 * habit.night;
        let by_type = if wake < numbers.night.early_type {
            clock.delta_early
        } else if wake > numbers.night.late_type {
            clock.delta_late
        } else {
            0.0
        };
        return (clock.delta_adult + by_type, clock.delta_sd_adult);
    }
    let is_preschool = (36.0..72.0).contains(&identity.months(date));
    (if is_preschool { clock.delta_preschool } else { clock.delta_child }, clock.delta_sd_child)
}

/// The light of the usual day in quarter hours from local midnight.
fn habitual_light(light: &LightModel, numbers: &Numbers, habit: &Habit, identity: &Identity) -> [Lux; BINS] {
    let night = (habit.middle - 0.5 * habit.night, habit.middle + 0.5 * habit.night);
    let naps = habit.nap_hours();
    let outdoors = identity.traits.outdoor_hour;
    let walk = 0.5 * (numbers.light.outdoor_least + numbers.light.outdoor_most);
    std::array::from_fn(|bin| {
        let hour = (bin as f64 + 0.5) / 4.0;
        let within = |start: f64, end: f64| Hours(hour - start).wrap_24().0 < end - start;
        if within(night.0, night.1) || naps.iter().any(|(start, end)| within(*start, *end)) {
            light.asleep()
        } else if within(outdoors, outdoors + walk) {
            light.imputed(Hours(hour), LightPlace::Outdoors)
        } else {
            light.imputed(Hours(hour), LightPlace::Home)
        }
    })
}

/// What somebody has done since the clock was last brought up to date.
#[derive(Clone, Debug, Default)]
pub struct Lived {
    pub asleep: Vec<Interval>,
    pub outdoors: Vec<Interval>,
    /// Today's light against the usual one.
    pub brightness: f64,
}

impl Lived {
    /// Forgets what is over before `at`.
    pub fn forget(&mut self, at: UtcMillis) {
        self.asleep.retain(|sleep| sleep.end > at);
        self.outdoors.clear();
    }

    /// True light in a bin, by what its middle finds.
    pub fn light(&self, model: &LightModel, bin_start: UtcMillis, zone: Tz, is_aboard: bool) -> Lux {
        let middle = bin_start + Span(BIN.0 / 2);
        if self.asleep.iter().any(|sleep| sleep.contains(middle)) {
            return model.asleep();
        }
        let place = if self.outdoors.iter().any(|walk| walk.contains(middle)) {
            LightPlace::Outdoors
        } else if is_aboard {
            LightPlace::Cabin
        } else {
            LightPlace::Home
        };
        Lux(self.brightness * model.imputed(zones::hour_of_day(zone, middle), place).0)
    }
}
