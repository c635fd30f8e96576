//! What hour somebody's stomach takes it for, and when eating suits both the place and the body.
//!
//! Meals never move the body clock, and nothing here says that they do. Infants eat on demand: nothing is scheduled for them.

use crate::circadian::dlmo;
use crate::circadian::gut::Gut;
use crate::event::recommendation::{StomachSummary, Window};
use crate::flight::zones;
use crate::planner::{Place, Stretch};
use crate::traveller::clock::{Lag, stretch_at};
use crate::traveller::estimate::two_decimals;
use crate::traveller::facts::Report;
use crate::traveller::light::LightSources;
use crate::traveller::models::Models;
use crate::traveller::persona::Persona;
use crate::units::{Hours, Span, UtcMillis};

/// A stomach that is off by less is on time.
const WORTH_SAYING: Hours = Hours(0.5);

/// A minimum tells of the clock until some time after the next one is due.
const LAG_HOLDS: Span = Span::hours(30);

/// Times that people are told lie on this grid.
const TOLD_ON: Span = Span::minutes(5);

/// Meals of so long ahead are told.
const AHEAD: Span = Span::hours(24);

const MEALS_A_DAY: usize = 3;

/// A stomach that is not at the hour of the place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stomach {
    /// The hour of day that it takes the moment for, 0 to 24.
    pub hour: Hours,
    /// Against the clock on the wall; positive is late.
    pub delay: Hours,
    /// When to eat in the next day.
    pub meals: [Option<Window>; MEALS_A_DAY],
}

impl Stomach {
    /// `None` where the stomach keeps the hours of the place, or nobody knows whose it is.
    #[must_use]
    pub fn of(
        models: &Models,
        persona: &Persona<'_>,
        whereabouts: &[Stretch],
        gut: &Gut,
        cbt_min: Option<UtcMillis>,
        now: UtcMillis,
    ) -> Option<Stomach> {
        let here = stretch_at(whereabouts, now).time_zone;
        let moved = (zones::offset_at(here, now) - zones::offset_at(persona.home, now)).as_hours();
        let delay = (gut.delay() + moved).wrap_12();
        if !persona.is_known() || delay.0.abs() < WORTH_SAYING.0 {
            return None;
        }
        let meals = meals(models, persona, whereabouts, cbt_min, now);
        Some(Stomach { hour: (zones::hour_of_day(here, now) - delay).wrap_24(), delay, meals })
    }

    #[must_use]
    pub fn summary(&self) -> StomachSummary {
        let minutes = libm::round(self.hour.0 * 60.0) as i64 % (24 * 60);
        StomachSummary {
            time: format!("{:02}:{:02}", minutes / 60, minutes % 60),
            delay_hours: two_decimals(self.delay.0),
            meals: self.meals.into_iter().flatten().collect(),
        }
    }
}

/// The usual meals by the clock on the wall, but those in the biological night: what is eaten then is digested badly.
fn meals(
    models: &Models,
    persona: &Persona<'_>,
    whereabouts: &[Stretch],
    cbt_min: Option<UtcMillis>,
    now: UtcMillis,
) -> [Option<Window>; MEALS_A_DAY] {
    let mut told = [None; MEALS_A_DAY];
    let hours = &models.gut.meals;
    if persona.months < hours.scheduled_from_months {
        return told;
    }
    let here = stretch_at(whereabouts, now).time_zone;
    let midnights = (0..=1).map(|day| zones::to_utc(here, zones::local_date(here, now + Span::days(day)), 0));
    let usual = midnights.flat_map(|midnight| {
        let first = midnight + Span::from_hours(persona.day.wake_hour()) + hours.first;
        (0..MEALS_A_DAY as i64).map(move |meal| first + Span(hours.between.0 * meal))
    });
    let windows = usual.map(|at| at.ceil_to(TOLD_ON)).map(|start| Window { start, end: start + hours.length });
    let suits = |window: &Window| {
        let stretch = stretch_at(whereabouts, window.start);
        let is_aboard = matches!(stretch.place, Place::Aboard { .. });
        let is_ahead = window.end > now && window.start < now + AHEAD;
        is_ahead && !is_aboard && stretch.time_zone == here && !is_night(cbt_min, window)
    };
    for (place, window) in told.iter_mut().zip(windows.filter(suits)) {
        *place = Some(window);
    }
    told
}

/// Whether a window touches the time between melatonin onset and CBTmin, of the next minimum or the ones around it.
fn is_night(cbt_min: Option<UtcMillis>, window: &Window) -> bool {
    cbt_min.is_some_and(|next| {
        [next - AHEAD, next, next + AHEAD].iter().any(|end| window.start < *end && dlmo(*end) < window.end)
    })
}

/// Takes the gut on to the last of its steps before `until`, by the meals that were reported and the minima that were seen.
pub fn advance(
    gut: &mut Gut,
    models: &Models,
    persona: &Persona<'_>,
    sources: &LightSources<'_>,
    until: UtcMillis,
    lags: &[Lag],
) {
    let usual_meal = persona.day.wake_hour() + Hours(models.gut.meal_centre * persona.day.awake_hours().0);
    let late = |at: UtcMillis| (zones::hour_of_day(persona.home, at) - usual_meal).wrap_12();
    let is_meal = |report: &Report| matches!(report, Report::Meal(_));
    let reports = sources.facts.since(gut.at()).filter(|(_, report)| is_meal(report));
    let meals: Vec<(UtcMillis, Hours)> = reports.map(|(at, _)| (at, late(at))).collect();
    gut.advance(&models.gut, until, &meals, |at| {
        let latest = lags.iter().rev().find(|lag| lag.at <= at).filter(|lag| at - lag.at <= LAG_HOLDS);
        latest.map_or(Hours(0.0), |lag| Span::minutes(i64::from(lag.minutes)).as_hours())
    });
}
