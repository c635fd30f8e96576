//! Living a script: light and sleep by quarter hours, the body under them, and what is told of it.
//!
//! Every night is drawn before it is lived, so that the body never sees light while it sleeps. What is told is made from
//! what was lived, never from the body.

use super::people::Traveller;
use super::script::{DAY, Flight, Script, Unusual};
use super::told::{Sleep, Told};
use super::truths::Body;
use crate::circadian::filter::LightSource;
use crate::circadian::{BIN, LightContext, LightModel, Place};
use crate::simulate::random::Random;
use crate::traveller::habit::UsualDay;
use crate::traveller::models::Models;
use crate::units::{Hours, Lux, Span, UtcMillis};

/// Scatter of what people do from day to day (docs/science.md, the protocol).
const NIGHT_SD: f64 = 0.5;
const LENGTH_SD: f64 = 0.3;
const LIGHT_LOG_SD: f64 = 0.5;
const OUTDOORS_SD: f64 = 1.5;
const OUTDOORS_LOG_SD: f64 = 0.3;
const OUTDOORS_REPORTED: f64 = 0.7;

/// Nights broken by a small child.
const BROKEN_NIGHT_SD: f64 = 1.0;
const WAKINGS: u32 = 3;
const WAKING_LENGTH: (f64, f64) = (0.3, 0.9);

/// Who works at night has the lights on from and until these hours, and nobody reports them.
const WORKS_AT_NIGHT: (f64, f64) = (22.0, 6.0);

/// What no light explains of a clock's phase, hours per square root of a day. Dim-light melatonin onset moves by 0.33 h (SD)
/// from day to day in people.
const STRAY_SD: f64 = 0.25;

/// Half a cycle after the last CBTmin it comes nowhere near another.
const STRAYS_AFTER: Span = Span::hours(12);

/// Nights are drawn so long before their middle.
const DRAWN_BEFORE: f64 = 8.0;

/// Nights less than this apart are one.
const NIGHTS_APART: f64 = 12.0;

/// Who lands with less than this of the night left goes on to the next.
const LEAST_NIGHT: f64 = 3.0;
const AFTER_LANDING: f64 = 1.0;

/// Aboard people nod off when it is night at home, not for long.
const MOST_ABOARD: f64 = 2.75;

/// A life lived.
#[derive(Clone, Debug)]
pub struct Lived {
    pub told: Told,
    /// Every CBTmin of the body.
    pub minima: Vec<UtcMillis>,
    /// The body when the script ends.
    pub body: Body,
}

/// How one day goes, drawn at its beginning.
struct Day {
    number: i64,
    light: f64,
    outdoors: (f64, f64),
    is_reported: bool,
}

/// A night, hours since the life began.
#[derive(Clone, Debug)]
struct Night {
    start: f64,
    end: f64,
    /// Up in between.
    awake: Vec<(f64, f64)>,
    /// Where the wall and the habit have its middle.
    usual_middle: f64,
}

impl Night {
    fn told(&self) -> Sleep {
        let at = |hours: f64| UtcMillis(0) + Span::from_hours(Hours(hours));
        Sleep { start: at(self.start), end: at(self.end) }
    }
}

/// The night in which the life begins, at midnight.
fn first_night(traveller: &Traveller, random: &mut Random) -> Night {
    let usual_middle = traveller.mid_sleep.0;
    let middle = usual_middle + NIGHT_SD * random.normal();
    let half = 0.5 * traveller.sleep_length.0;
    Night { start: middle - half, end: middle + half, awake: Vec::new(), usual_middle }
}

/// Lives `script` as `traveller`, with these random numbers.
#[must_use]
pub fn live(traveller: &Traveller, script: &Script, models: &Models, random: &mut Random) -> Lived {
    let first_night = first_night(traveller, random);
    let mut told = if script.has_profile {
        Told::new(traveller.told_day, script.flights.clone())
    } else {
        Told::by_stranger(
            UsualDay::new(models.people.adult_bedtime, models.people.adult_wake, &[]),
            traveller.zone_error,
        )
    };
    told.sleeps.push(first_night.told());
    let mut life = Life {
        traveller,
        script,
        night: first_night,
        aboard: aboard(traveller, script),
        last_cbt_min: hours_of(traveller.last_cbt_min),
    };
    let mut body = traveller.body.clone();
    let mut minima = Vec::new();
    let mut day = Day::draw(0, traveller, random);
    let mut strays_at = traveller.last_cbt_min + STRAYS_AFTER;
    for bin in 0..script.days * (DAY.0 / BIN.0) {
        let at = UtcMillis(0) + Span(bin * BIN.0);
        let wall = hours_of(at) + script.offset(at).0;
        let today = libm::floor(wall / 24.0) as i64;
        if today != day.number {
            day = Day::draw(today, traveller, random);
        }
        told.sleeps.extend(life.draw_night(at, random).as_ref().map(Night::told));
        let flight = script.flights.iter().find(|flight| flight.takeoff <= at && at < flight.landing);
        let (lived, source) = light_at(&life, &day, &models.light, at, Hours(wall), flight);
        told.tell_light(at, lived, source, &models.light);
        if at >= strays_at {
            body.stray(Hours(STRAY_SD * random.normal()));
            strays_at = UtcMillis::MAX;
        }
        if let Some(cbt_min) = body.live(at, lived) {
            minima.push(cbt_min);
            life.last_cbt_min = hours_of(cbt_min);
            strays_at = cbt_min + STRAYS_AFTER;
        }
    }
    told.assume_usual_nights(&models.light);
    Lived { told, minima, body }
}

impl Day {
    fn draw(number: i64, traveller: &Traveller, random: &mut Random) -> Day {
        let from = traveller.outdoors_from.0 + OUTDOORS_SD * random.normal();
        let length = traveller.outdoors_for.0 * random.factor(OUTDOORS_LOG_SD);
        Day {
            number,
            light: random.factor(LIGHT_LOG_SD),
            outdoors: (from, from + length),
            is_reported: random.chance(OUTDOORS_REPORTED),
        }
    }
}

/// The light of a quarter hour as it is lived, and how it is known to others.
fn light_at(
    life: &Life<'_>,
    day: &Day,
    light: &LightModel,
    at: UtcMillis,
    wall: Hours,
    flight: Option<&Flight>,
) -> (Lux, LightSource) {
    if life.is_asleep(at) {
        return (light.asleep(), LightSource::Asleep);
    }
    let hour = wall.wrap_24();
    let is_outdoors = flight.is_none() && day.outdoors.0 <= hour.0 && hour.0 < day.outdoors.1;
    if is_outdoors {
        let source = if day.is_reported { LightSource::Context } else { LightSource::Imputed };
        return (light.in_context(LightContext::Outdoor, hour), source);
    }
    let place = if flight.is_some() { Place::Cabin } else { Place::Home };
    let is_at_work = !(WORKS_AT_NIGHT.1..WORKS_AT_NIGHT.0).contains(&hour.0)
        && life.script.is_on(libm::floor((wall.0 - WORKS_AT_NIGHT.1) / 24.0) as i64, Unusual::NightWork);
    let level = if is_at_work { light.in_context(LightContext::Indoor, hour) } else { light.imputed(hour, place) };
    (Lux(level.0 * day.light), LightSource::Imputed)
}

/// Nights of a life as they come.
struct Life<'a> {
    traveller: &'a Traveller,
    script: &'a Script,
    /// The night that was drawn last.
    night: Night,
    /// Sleep aboard, by flight.
    aboard: Vec<(f64, f64)>,
    last_cbt_min: f64,
}

impl Life<'_> {
    fn is_asleep(&self, at: UtcMillis) -> bool {
        let middle = hours_of(at) + 0.125;
        let is_in = |(start, end): &(f64, f64)| *start <= middle && middle < *end;
        let is_up = || self.night.awake.iter().any(is_in);
        is_in(&(self.night.start, self.night.end)) && !is_up() || self.aboard.iter().any(is_in)
    }

    /// Draws the next night when it is time for it.
    fn draw_night(&mut self, at: UtcMillis, random: &mut Random) -> Option<Night> {
        let now = hours_of(at);
        if now < self.night.end {
            return None;
        }
        let aboard = self.script.flights.iter().find(|flight| flight.takeoff <= at && at < flight.landing);
        let earliest = aboard.map_or(now + 0.25, |flight| hours_of(flight.landing) + AFTER_LANDING);
        let offset = self.script.offset(at).0;
        let half = 0.5 * self.traveller.sleep_length.0;
        let day = libm::floor((now + offset) / 24.0) as i64;
        let middle_after =
            |day: i64| (day + 1) as f64 * 24.0 + (self.traveller.mid_sleep + self.script.nights_later(day)).0 - offset;
        let is_possible =
            |middle: f64| middle - self.night.usual_middle >= NIGHTS_APART && middle + half - LEAST_NIGHT >= earliest;
        let (day, usual_middle) =
            (day - 2..=day + 2).map(|day| (day, middle_after(day))).find(|(_, middle)| is_possible(*middle))?;
        let flies_before = |flight: &Flight| at < flight.takeoff && hours_of(flight.takeoff) < usual_middle;
        if usual_middle - now > DRAWN_BEFORE || self.script.flights.iter().any(flies_before) {
            return None;
        }
        // Before the first flight the clock and the wall agree; after it people sleep between the two.
        let has_flown = self.script.flights.iter().any(|flight| flight.takeoff <= at);
        let clock_middle = self.last_cbt_min - self.traveller.angle.0;
        let pull = if has_flown {
            (1.0 - self.traveller.wall_share) * Hours(clock_middle - usual_middle).wrap_12().0
        } else {
            0.0
        };
        let is_broken = self.script.is_on(day, Unusual::BrokenNights);
        let night_sd = if is_broken { BROKEN_NIGHT_SD } else { NIGHT_SD };
        let middle = usual_middle + pull + night_sd * random.normal();
        let half = half + 0.5 * LENGTH_SD * random.normal();
        let start = (middle - half).max(earliest);
        let end = (middle + half).max(start + LEAST_NIGHT);
        let mut awake = Vec::new();
        if is_broken {
            for _ in 0..WAKINGS {
                let from = random.uniform(start + 0.5, end - 1.5);
                awake.push((from, from + random.uniform(WAKING_LENGTH.0, WAKING_LENGTH.1)));
            }
        }
        self.night = Night { start, end, awake, usual_middle };
        Some(self.night.clone())
    }
}

/// Sleep aboard: within the home's usual night, a while after take-off and before landing, and not for long.
fn aboard(traveller: &Traveller, script: &Script) -> Vec<(f64, f64)> {
    let nap = |flight: &Flight| {
        let offset = (script.offset(flight.takeoff) - flight.shift).0;
        let (takeoff, landing) = (hours_of(flight.takeoff), hours_of(flight.landing));
        let half = 0.5 * traveller.sleep_length.0;
        let near = libm::round((takeoff + offset - traveller.mid_sleep.0) / 24.0) * 24.0;
        // The night that begins next, or is going on.
        let middle = [near, near + 24.0].map(|day| day + traveller.mid_sleep.0 - offset);
        let middle = if middle[0] + half > takeoff + 1.0 { middle[0] } else { middle[1] };
        let start = (middle - half).max(takeoff + 0.5);
        let end = (middle + half).min(landing - 0.5).min(start + MOST_ABOARD);
        (end - start >= 0.5).then_some((start, end))
    };
    script.flights.iter().filter_map(nap).collect()
}

fn hours_of(at: UtcMillis) -> f64 {
    (at - UtcMillis(0)).as_hours().0
}
