//! The body clock of one person: settled behind the window, estimated from there.
//!
//! The oscillator is integrated for good only up to where no report that is still admitted can reach; the rest of the way
//! is run again for every answer. When that settling happens makes no difference: it steps on the same grid over the
//! same light.

use serde::{Deserialize, Serialize};

use crate::circadian::{
    EntrainedDay, Hannay19State, Oscillator, cbt_min_crossings, dlmo, first_crossing, personal_offset,
};
use crate::event::recommendation::{CircadianSummary, ClockQuality};
use crate::flight::zones;
use crate::planner::{Place, Stretch};
use crate::traveller::light::{LOOKAHEAD, LightAtEye, LightSources};
use crate::traveller::models::Models;
use crate::traveller::persona::Persona;
use crate::units::{Hours, Span, UtcMillis};

/// Facts may come in this late.
pub const WINDOW: Span = Span::hours(48);

/// The window's edge moves in such steps, at 00, 06, 12 and 18 UTC.
const EDGE_STEP: Span = Span::hours(6);

/// A clock that does not reach its CBTmin within this has stopped, as far as anybody can tell.
const CROSSING_LIMIT: Span = Span::hours(48);

/// The 10 % and 90 % points of the standard normal distribution.
const Z_80: f64 = 1.281_551_565_544_6;

/// Steps are half hours: answers start from such a grid point.
const GRID: Span = crate::circadian::CELL;

const MINUTE: Span = Span::minutes(1);

/// Body time is remembered as long as sleeps are.
const LAGS_KEPT: Span = Span::days(10);

/// A lag below this is none.
const LEAST_LAG_MINUTES: i16 = 30;

/// A fact that ended before this is late: it no longer moves the estimate.
#[must_use]
pub fn window_edge(now: UtcMillis) -> UtcMillis {
    (now - WINDOW).floor_to(EDGE_STEP)
}

/// Up to here nothing that may still come in can change the light.
#[must_use]
pub fn settled_until(now: UtcMillis) -> UtcMillis {
    window_edge(now) - LOOKAHEAD
}

/// How far the body's day was behind the clock at home, at one CBTmin of the oscillator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    pub at: UtcMillis,
    pub minutes: i16,
}

/// The oscillator's state where it is settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SettledClock {
    at: UtcMillis,
    state: Hannay19State,
    /// The local hour at which the oscillator under the person's usual day has its CBTmin: β follows from it.
    usual_cbt_min: Hours,
    /// What the settled days had of it, by time; empty for most people.
    lags: Vec<Lag>,
}

impl SettledClock {
    /// A clock that has long been living the usual day, as it stands at `since`.
    #[must_use]
    pub fn of_habit(models: &Models, persona: &Persona<'_>, since: UtcMillis) -> SettledClock {
        let entrained = models.entrained(&persona.day);
        SettledClock {
            at: since,
            state: usual_state(models, persona, &entrained, since),
            usual_cbt_min: entrained.cbt_min,
            lags: Vec::new(),
        }
    }

    /// Takes over a new usual day without moving the oscillator.
    pub fn change_habit(&mut self, models: &Models, persona: &Persona<'_>) {
        self.usual_cbt_min = models.entrained(&persona.day).cbt_min;
    }

    #[must_use]
    pub fn at(&self) -> UtcMillis {
        self.at
    }

    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        size_of::<SettledClock>() + self.lags.capacity() * size_of::<Lag>()
    }

    /// β: how many hours the person's CBTmin comes before the oscillator's.
    fn offset(&self, persona: &Persona<'_>) -> Hours {
        personal_offset(self.usual_cbt_min, persona.day.mid_sleep(), persona.delta.mean)
    }

    /// Integrates for good up to `until`, a grid point. Light there must be beyond change.
    pub fn settle(&mut self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>, until: UtcMillis) {
        if until <= self.at {
            return;
        }
        let mut eye = LightAtEye::new(LightSources { now: UtcMillis::MAX, ..*light }, self.at);
        let remembered = models.people.shift_remembered;
        if is_displaced(light.whereabouts, self.at, until, remembered) {
            let (crossings, state) =
                cbt_min_crossings(&models.oscillator, self.state, self.at, until, Hours(0.0), |bin| eye.at(bin));
            self.state = state;
            self.lags.extend(self.lags_at(crossings, persona, light.whereabouts, remembered));
        } else {
            self.state = models.oscillator.integrate(self.state, self.at, until, |bin| eye.at(bin));
        }
        // Settling in one go or in many leaves the same: what is kept depends on where it ends alone.
        self.lags.retain(|lag| lag.at + LAGS_KEPT >= until);
        self.at = until;
    }

    /// Of the oscillator's own minima those that tell of a displaced clock.
    fn lags_at(
        &self,
        crossings: Vec<UtcMillis>,
        persona: &Persona<'_>,
        whereabouts: &[Stretch],
        remembered: Span,
    ) -> Vec<Lag> {
        let lag_of = |at: UtcMillis| {
            // Both are the oscillator's, so that neither δ nor β, which change with age, comes into it.
            let lag = (zones::hour_of_day(persona.home, at) - self.usual_cbt_min).wrap_12();
            let minutes = libm::round(lag.0 * 60.0) as i16;
            (minutes.abs() >= LEAST_LAG_MINUTES).then_some(Lag { at, minutes })
        };
        crossings.into_iter().filter(|at| is_displaced(whereabouts, *at, *at, remembered)).filter_map(lag_of).collect()
    }

    /// How the body's day lay in the last days, up to tomorrow; empty for somebody whose clock was not moved.
    #[must_use]
    pub fn lags(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> Vec<Lag> {
        let mut lags = self.lags.clone();
        let remembered = models.people.shift_remembered;
        if is_displaced(light.whereabouts, self.at, light.now, remembered) {
            let mut eye = LightAtEye::new(*light, self.at);
            let until = light.now.ceil_to(GRID) + Span::days(1);
            let (crossings, _) =
                cbt_min_crossings(&models.oscillator, self.state, self.at, until, Hours(0.0), |bin| eye.at(bin));
            lags.extend(self.lags_at(crossings, persona, light.whereabouts, remembered));
        }
        lags
    }

    /// What the clock says at `light.now`.
    #[must_use]
    pub fn estimate(&self, models: &Models, persona: &Persona<'_>, light: &LightSources<'_>) -> ClockEstimate {
        let people = &models.people;
        let now = light.now;
        let offset = self.offset(persona);
        let mut eye = LightAtEye::new(*light, self.at);
        let grid = now.floor_to(GRID).max(self.at);
        let state = models.oscillator.integrate(self.state, self.at, grid, |bin| eye.at(bin));
        let mut cbt_min = first_crossing(&models.oscillator, state, grid, offset, |bin| eye.at(bin), CROSSING_LIMIT);
        if cbt_min.is_some_and(|crossing| crossing <= now) {
            // It lies between the grid point and now: the next one is asked for.
            let mut eye = LightAtEye::new(*light, grid);
            let limit = grid + CROSSING_LIMIT;
            let (crossings, _) = cbt_min_crossings(&models.oscillator, state, grid, limit, offset, |bin| eye.at(bin));
            cbt_min = crossings.into_iter().find(|crossing| *crossing > now);
        }

        let here = stretch_at(light.whereabouts, now);
        let misalignment = cbt_min.map(|cbt_min| {
            let usual = persona.day.mid_sleep() + persona.delta.mean;
            (zones::hour_of_day(here.time_zone, cbt_min) - usual).wrap_12()
        });
        let shift = recent_shift(light.whereabouts, now, people.shift_remembered);
        let sd = if persona.is_known() {
            let parts = [persona.delta.sd.0, people.sd_per_hour_shifted * shift.0, people.floor_sd.0];
            Hours(libm::sqrt(parts[0] * parts[0] + parts[1] * parts[1] + parts[2] * parts[2]))
        } else {
            people.unknown_person_sd
        };
        let amplitude = state.amplitude();
        let quality = if persona.is_known() && persona.months < people.not_yet_under {
            ClockQuality::NotYet
        } else if !persona.is_known()
            || cbt_min.is_none()
            || sd.0 > people.uncertain_above_sd.0
            || amplitude < people.uncertain_below_amplitude
        {
            ClockQuality::Uncertain
        } else {
            ClockQuality::Estimated
        };
        ClockEstimate { cbt_min, sd, delta: persona.delta.mean, amplitude, misalignment, quality }
    }
}

/// The state on a usual day at home.
fn usual_state(
    models: &Models,
    persona: &Persona<'_>,
    entrained: &EntrainedDay<Hannay19State>,
    at: UtcMillis,
) -> Hannay19State {
    let light = persona.day.light(&models.light);
    let midnight = zones::to_utc(persona.home, zones::local_date(persona.home, at), 0);
    models.oscillator.integrate(entrained.state_at_midnight, midnight, at, |bin| {
        let local_hour = zones::hour_of_day(persona.home, bin);
        light[(libm::floor(local_hour.0 * 4.0) as usize).min(light.len() - 1)]
    })
}

/// Where the person is at a time.
#[must_use]
pub fn stretch_at(whereabouts: &[Stretch], at: UtcMillis) -> &Stretch {
    let index = whereabouts.iter().position(|stretch| stretch.to.is_none_or(|to| to > at));
    &whereabouts[index.unwrap_or(whereabouts.len() - 1)]
}

/// Whether the person was away from home between `from` and `to`, or shortly before.
fn is_displaced(whereabouts: &[Stretch], from: UtcMillis, to: UtcMillis, remembered: Span) -> bool {
    whereabouts.iter().any(|stretch| {
        stretch.place != Place::Home && stretch.from <= to && stretch.to.is_none_or(|end| end + remembered > from)
    })
}

/// Whether the body's day may differ from the clock at home.
#[must_use]
pub fn may_lag(whereabouts: &[Stretch], now: UtcMillis, remembered: Span) -> bool {
    is_displaced(whereabouts, now - LAGS_KEPT, now, remembered)
}

/// The largest difference between the clock on the wall now and those of the last weeks, hours.
fn recent_shift(whereabouts: &[Stretch], now: UtcMillis, remembered: Span) -> Hours {
    let here = zones::offset_at(stretch_at(whereabouts, now).time_zone, now);
    whereabouts
        .iter()
        .filter(|stretch| stretch.from <= now && stretch.to.is_none_or(|to| to + remembered > now))
        .map(|stretch| (zones::offset_at(stretch.time_zone, now) - here).as_hours().wrap_12().0.abs())
        .fold(Hours(0.0), |largest, shift| Hours(largest.0.max(shift)))
}

/// The body clock as it stands at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockEstimate {
    /// The next CBTmin; `None` for a clock that has stopped.
    pub cbt_min: Option<UtcMillis>,
    pub sd: Hours,
    pub delta: Hours,
    /// R, 0 to 1.
    pub amplitude: f64,
    /// CBTmin against where it would be if all were well here; positive is late.
    pub misalignment: Option<Hours>,
    pub quality: ClockQuality,
}

impl ClockEstimate {
    #[must_use]
    pub fn summary(&self) -> CircadianSummary {
        if self.quality == ClockQuality::NotYet {
            return CircadianSummary {
                cbt_min: None,
                dlmo: None,
                sd_minutes: None,
                interval_80: None,
                amplitude: None,
                misalignment_hours: None,
                clock: self.quality,
            };
        }
        // To the minute: nobody knows it better.
        let cbt_min = self.cbt_min.map(|cbt_min| cbt_min.round_to(MINUTE));
        let reach = Span::minutes(Span::from_hours(Hours(self.sd.0 * Z_80)).as_minutes());
        CircadianSummary {
            cbt_min,
            dlmo: cbt_min.map(dlmo),
            sd_minutes: Some(Span::from_hours(self.sd).as_minutes()),
            interval_80: cbt_min.map(|cbt_min| [cbt_min - reach, cbt_min + reach]),
            amplitude: Some(two_decimals(self.amplitude)),
            misalignment_hours: self.misalignment.map(|hours| two_decimals(hours.0)),
            clock: self.quality,
        }
    }
}

/// Rounded for people; never −0.
#[must_use]
pub fn two_decimals(number: f64) -> f64 {
    libm::round(number * 100.0) / 100.0 + 0.0
}
