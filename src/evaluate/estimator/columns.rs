//! The estimators that are compared, each given the same records.

use super::rough::Rough;
use super::told::Told;
use crate::circadian::entrain::habitual_cbt_min;
use crate::circadian::filter::{
    EveningLight, Happening, LightBin, LightSource, MainSleep, Person, Published, REDRAWN, Track,
};
use crate::circadian::{CELL, Hannay19, Hannay19State, Oscillator, likely_midnight_state};
use crate::event::activity::Chronotype;
use crate::traveller::clock::window_edge;
use crate::traveller::models::Models;
use crate::traveller::people::Group;
use crate::traveller::priors::sleep_sd;
use crate::units::{Hours, Span, UtcMillis};

/// One of the estimators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The filter of the service.
    Zoner,
    /// Mean mid-sleep + 1 h; after a flight it moves by 0.95 h a day eastward, 1.2 h westward (Aschoff 1975).
    Rule,
    /// The rough filter that takes every sleep for an observation of the clock.
    Naive,
    /// A plain filter of the same kind ([`super::rough`]).
    Rough,
}

impl Column {
    pub const ALL: [Column; 4] = [Column::Zoner, Column::Rule, Column::Naive, Column::Rough];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Column::Zoner => "zoner",
            Column::Rule => "rule",
            Column::Naive => "naive",
            Column::Rough => "rough",
        }
    }

    /// What the column says of the next CBTmin at each of these times, which are in order.
    #[must_use]
    pub fn answers(self, models: &Models, told: &Told, asked_at: &[UtcMillis]) -> Vec<Option<Said>> {
        match self {
            Column::Zoner => zoner(models, told, asked_at),
            Column::Rule => asked_at.iter().map(|at| rule(told, *at)).collect(),
            Column::Naive => Rough::of(models, told, true).answers(asked_at),
            Column::Rough => Rough::of(models, told, false).answers(asked_at),
        }
    }
}

/// An estimate of the next CBTmin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Said {
    pub cbt_min: UtcMillis,
    /// `None` where a column says no more than a time.
    pub spread: Option<Spread>,
    /// Mean of the normalised innovations squared since the last answer, with their number.
    pub nis: (f64, u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub sd: Hours,
    pub interval_80: [UtcMillis; 2],
    pub interval_95: [UtcMillis; 2],
}

/// Somebody grown up of no particular type, as the service sees them.
pub(super) struct Started {
    pub person: Person,
    /// The oscillator of the mean person under the usual day, at the first mid-sleep.
    pub state: Hannay19State,
    pub mid_sleep: UtcMillis,
}

pub(super) fn start(models: &Models, told: &Told) -> Started {
    let numbers = &models.filter.numbers;
    let months = models.people.typical_months(Group::Adult);
    let typical = Hannay19::embedded().personal(Hours(numbers.period), libm::exp(numbers.log_gain));
    let usual = told.day.light(&models.light);
    let mid_sleep = told.day.mid_sleep();
    let entrained = habitual_cbt_min(&typical, &usual, likely_midnight_state(&typical, mid_sleep));
    let angle = (entrained.cbt_min - mid_sleep).wrap_12();
    let prior = models.priors.of(numbers, &models.people, months, Chronotype::Neither, angle);
    // The first night's, on the clock that is thought to be on the wall.
    let midnight = UtcMillis(0) - Span::from_hours((told.offset(UtcMillis(0)) + mid_sleep).wrap_24() - mid_sleep);
    let at = (midnight + Span::from_hours(mid_sleep)).floor_to(CELL);
    let state = typical.integrate(entrained.state_at_midnight, midnight, at, |bin| {
        told.light_at(bin, UtcMillis::MIN, &models.light).light
    });
    Started {
        person: Person {
            prior,
            sleep_sd: sleep_sd(numbers, months),
            evening: EveningLight::PLAIN,
            knows_hours: told.has_profile,
        },
        state,
        mid_sleep: at,
    }
}

fn zoner(models: &Models, told: &Told, asked_at: &[UtcMillis]) -> Vec<Option<Said>> {
    let started = start(models, told);
    let (person, state) = (&started.person, &started.state);
    // As the service begins (`traveller::clock`): where a stranger's clock is, nobody knows.
    let begin = if told.has_profile { Track::settled } else { Track::diffuse };
    // It begins with the first record, as the window's edge stands then, from a usual day before that of which all is known.
    let edge = window_edge(UtcMillis(0));
    let days_back = (started.mid_sleep + CELL - edge).as_hours().0 / 24.0;
    let mid_sleep = started.mid_sleep - Span::days(libm::ceil(days_back) as i64);
    let track = begin(&models.filter, &person.prior, mid_sleep, state.amplitude(), state.adaptation());
    let mut run = track.run(&models.filter, person);
    run.advance(edge, &[], |bin| LightBin {
        light: told.light_at(bin, UtcMillis::MIN, &models.light).light,
        source: LightSource::Asleep,
    });
    let mut answers = Vec::with_capacity(asked_at.len());
    for at in asked_at {
        let known = happenings(models, told, *at);
        // A stranger's usual day is where they sleep, as the service sees it (`traveller::clock`).
        while !told.has_profile && run.at().floor_to(REDRAWN) + REDRAWN <= *at {
            let later = run.later_than_assumed();
            let stop = run.at().floor_to(REDRAWN) + REDRAWN;
            run.advance(stop, &known, |bin| told.light_lived_later(bin, later, *at, &models.light));
        }
        let later = run.later_than_assumed();
        let light = |bin| {
            if told.has_profile {
                told.light_at(bin, *at, &models.light)
            } else {
                told.light_lived_later(bin, later, *at, &models.light)
            }
        };
        run.advance(*at, &known, light);
        let surprises: Vec<f64> = run.surprises.drain(..).map(|(_, surprise)| surprise.nis).collect();
        let published = run.next_minimum(*at, light);
        answers.push(Some(Said::of(&published, &surprises)));
    }
    answers
}

impl Said {
    fn of(published: &Published, surprises: &[f64]) -> Said {
        let count = surprises.len();
        Said {
            cbt_min: published.cbt_min,
            spread: Some(Spread {
                sd: published.sd,
                interval_80: published.interval_80,
                interval_95: published.interval_95,
            }),
            nis: (surprises.iter().sum::<f64>() / count.max(1) as f64, count as u32),
        }
    }
}

/// What the filter is told beside light: as the service derives it from sleeps and flights (`traveller::signs`).
fn happenings(models: &Models, told: &Told, now: UtcMillis) -> Vec<Happening> {
    let planned_before = models.people.journey.planned_before;
    let moved = |by: Hours| by.0.abs() >= models.filter.numbers.shift.0;
    let mut found: Vec<Happening> = told
        .flights
        .iter()
        .filter(|flight| flight.takeoff < now)
        .map(|flight| Happening::Shift { at: flight.takeoff, by: flight.shift })
        .collect();
    found.extend(told.known_sleeps(now).map(|sleep| {
        let middle = sleep.middle();
        let planned = told
            .flights
            .iter()
            .any(|flight| middle < flight.takeoff && flight.takeoff <= middle + planned_before && moved(flight.shift));
        Happening::Sleep(MainSleep { middle, from_habit: told.from_habit(middle), planned })
    }));
    found.sort_by_key(Happening::at);
    found
}

/// Nights whose mean the rule takes.
const RULE_NIGHTS: usize = 14;
const RULE_AFTER_MID_SLEEP: f64 = 1.0;
const RULE_EAST: f64 = 0.95;
const RULE_WEST: f64 = 1.2;

fn rule(told: &Told, now: UtcMillis) -> Option<Said> {
    let flight = told.flights.iter().rev().find(|flight| flight.takeoff <= now);
    let until = flight.map_or(now, |flight| flight.takeoff);
    let nights: Vec<Hours> =
        told.known_sleeps(until).rev().take(RULE_NIGHTS).map(|sleep| told.from_habit(sleep.middle())).collect();
    let latest = *nights.first()?;
    let off_latest: f64 = nights.iter().map(|night| (*night - latest).wrap_12().0).sum();
    let mean = latest.0 + off_latest / nights.len() as f64;
    // An hour of home's day.
    let offset_before = told.offset(until - Span(1));
    let before = told.day.mid_sleep().0 + mean + RULE_AFTER_MID_SLEEP - offset_before.0;
    let settled = next_at(Hours(before), now);
    let cbt_min = flight.map_or(settled, |flight| {
        let pace = if flight.shift.0 > 0.0 { RULE_EAST } else { RULE_WEST };
        let days = (settled - flight.landing).as_hours().0.max(0.0) / 24.0;
        let moved = (pace * days).min(flight.shift.0.abs()) * flight.shift.0.signum();
        next_at(Hours(before - moved), now)
    });
    Some(Said { cbt_min, spread: None, nis: (0.0, 0) })
}

/// The first time from `now` on at which home's clock shows this hour.
fn next_at(hour: Hours, now: UtcMillis) -> UtcMillis {
    let of_day = (now - UtcMillis(0)).as_hours().wrap_24();
    now + Span::from_hours((hour - of_day).wrap_24())
}
