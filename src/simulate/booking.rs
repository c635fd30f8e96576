//! Journeys as families book them, and as they come to pass.

use crate::flight::zones;
use crate::simulate::feed::{Feed, FlightFate, Leg};
use crate::simulate::interval::{hours_of, minutes_of};
use crate::simulate::numbers::{JourneysNumbers, Numbers, Rates};
use crate::simulate::pending::{Pending, soon};
use crate::simulate::places::Place;
use crate::simulate::random::Random;
use crate::simulate::travel::{Flown, Journey};
use crate::simulate::wire::{Head, LegLine, TripLine, json, with_offset};
use crate::units::{Span, UtcMillis};

const FIVE_MINUTES: Span = Span::minutes(5);

/// Who books, and where it is written down.
pub struct Desk<'a> {
    pub numbers: &'a Numbers,
    pub rates: &'a Rates,
    pub random: &'a mut Random,
    pub pending: &'a mut Pending,
    pub household: &'a str,
    /// User ids by place in the family.
    pub members: &'a [&'static str],
    pub travels: Vec<bool>,
    /// Of the household; flights follow from it, so that families do not share them.
    pub family: u32,
    /// Of this journey within the family.
    pub journey: u32,
}

/// Where to, when, and when it is said.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub home: Place,
    pub destination: Place,
    pub departs: UtcMillis,
    pub told: UtcMillis,
    /// Of the first flight out; `None`: chance decides on the route too.
    pub fate: Option<FlightFate>,
}

impl Desk<'_> {
    /// Books a journey there and back, and tells everything that will ever be said of it. Returns it, and when it is over
    /// as booked.
    pub fn book(&mut self, plan: Plan) -> (Journey, UtcMillis) {
        let journeys = &self.numbers.journeys;
        let out = match plan.fate {
            Some(_) => vec![plan.home, plan.destination],
            None => self.route(plan.home, plan.destination),
        };
        let out = self.legs(&out, plan.departs, 0);
        let arrives = out.last().map_or(plan.departs, |leg| leg.arrives);
        let days_back = self.random.uniform(journeys.stay_least, journeys.stay_most) as u64;
        let departs_back = self.departure(plan.destination, arrives, days_back);
        let told_back = arrives + self.random.hours(24.0, 60.0);
        let back = self.route(plan.destination, plan.home);
        let back = self.legs(&back, departs_back, 1);
        let is_over = back.last().map_or(departs_back, |leg| leg.arrives);

        let mut flown = self.live("out", out, plan.told, Some(departs_back), plan.fate);
        flown.extend(self.live("back", back, told_back, None, None));
        let wall = self.travels.iter().map(|_| self.random.uniform(journeys.wall_least, journeys.wall_most)).collect();
        (Journey { travels: self.travels.clone(), wall, flown }, is_over)
    }

    /// A time of departure, `days` after the day of `from` at `place`.
    pub fn departure(&mut self, place: Place, from: UtcMillis, days: u64) -> UtcMillis {
        let journeys = &self.numbers.journeys;
        let hour = self.random.uniform(journeys.departs_from, journeys.departs_until);
        let date = zones::local_date(place.zone(), from);
        let date = date.checked_add_days(chrono::Days::new(days)).unwrap_or(date);
        zones::to_utc(place.zone(), date, libm::round(hour * 12.0) as i32 * 5)
    }

    /// Somewhere with another clock; `None` if chance does not find it.
    pub fn destination(&mut self, home: Place, at: UtcMillis) -> Option<Place> {
        let least = hours_of(self.numbers.journeys.shift_least);
        let shift = |place: Place| {
            let apart = zones::offset_at(place.zone(), at) - zones::offset_at(home.zone(), at);
            Span::from_hours(apart.as_hours().wrap_12()).abs()
        };
        let tries: Vec<Place> = (0..20).filter_map(|_| Place::any(self.random)).collect();
        tries.into_iter().find(|place| *place != home && shift(*place) >= least)
    }

    /// Direct, or over a place that is nearly on the way.
    fn route(&mut self, from: Place, to: Place) -> Vec<Place> {
        let journeys = &self.numbers.journeys;
        let direct = from.distance(to);
        let detour = |hub: Place| from.distance(hub) + hub.distance(to);
        let hubs = Place::all().filter(|hub| *hub != from && *hub != to);
        let hub = hubs.min_by(|one, other| detour(*one).total_cmp(&detour(*other)));
        let is_long = direct > journeys.direct_most;
        let changes = is_long || self.random.chance(journeys.one_stop);
        match hub.filter(|hub| changes && detour(*hub) <= journeys.detour_most * direct) {
            Some(hub) => vec![from, hub, to],
            None => vec![from, to],
        }
    }

    fn legs(&mut self, places: &[Place], mut departs: UtcMillis, direction: u32) -> Vec<Leg> {
        let journeys = &self.numbers.journeys;
        let flight = flight_number(self.family, direction);
        let mut legs = Vec::with_capacity(places.len());
        for pair in places.windows(2) {
            let hours = pair[0].distance(pair[1]) / journeys.speed + journeys.manoeuvres;
            let arrives = (departs + hours_of(hours)).round_to(FIVE_MINUTES);
            legs.push(Leg { flight: flight.clone(), from: pair[0], to: pair[1], departs, arrives });
            departs = (arrives + self.random.hours(journeys.change_least, journeys.change_most)).round_to(FIVE_MINUTES);
        }
        legs
    }

    /// One way: books, flies, books again where it must.
    fn live(
        &mut self,
        way: &str,
        mut legs: Vec<Leg>,
        told: UtcMillis,
        stay_until: Option<UtcMillis>,
        mut scripted: Option<FlightFate>,
    ) -> Vec<Flown> {
        let journeys = &self.numbers.journeys;
        let trip_id = format!("{way}-{}", self.journey);
        let mut known_at = told;
        let mut revision = 1;
        let mut was_cancelled = false;
        let mut flown = Vec::with_capacity(legs.len());
        self.say_trip(&trip_id, revision, &legs, stay_until, known_at);
        let mut index = 0;
        while index < legs.len() {
            let leg = legs[index].clone();
            let by_chance = if was_cancelled {
                FlightFate::OnTime { small_delay: None }
            } else {
                self.fate(journeys, &leg, index == 0, index + 1 == legs.len())
            };
            let fate = scripted.take().unwrap_or(by_chance);
            let mut feed = Feed { random: &mut *self.random, pending: &mut *self.pending, numbers: journeys };
            if let FlightFate::Cancelled { told } = fate {
                feed.cancel(&leg, known_at, told);
                // The same flights a day later.
                move_by(&mut legs[index..], Span::days(1));
                known_at = told + self.random.minutes(40.0, 150.0);
                revision += 1;
                was_cancelled = true;
                self.say_trip(&trip_id, revision, &legs, stay_until, known_at);
                continue;
            }
            let flight = feed.fly(&leg, known_at, fate);
            flown.push(flight);
            index += 1;
            was_cancelled = false;
            let ready = flight.arrived + hours_of(journeys.change_needs);
            if let Some(next) = legs.get(index).filter(|next| next.departs < ready) {
                // The connection is missed: a later flight, under another number.
                let later = (ready + self.random.hours(2.0, 6.0)).round_to(FIVE_MINUTES) - next.departs;
                move_by(&mut legs[index..], later);
                legs[index].flight.push('D');
                let told = if let FlightFate::Delayed { told, .. } = fate { told } else { flight.out };
                known_at = known_at.max(told) + self.random.minutes(20.0, 60.0);
                revision += 1;
                self.say_trip(&trip_id, revision, &legs, stay_until, known_at);
            }
        }
        flown
    }

    fn fate(&mut self, journeys: &JourneysNumbers, leg: &Leg, is_first: bool, is_last: bool) -> FlightFate {
        let rates = self.rates;
        let told = leg.departs - self.random.hours(journeys.told_least, journeys.told_most);
        let small_delay = self
            .random
            .chance(rates.flight_five_minutes)
            .then(|| leg.departs - hours_of(journeys.told_most) - self.random.minutes(30.0, 240.0));
        if is_first && self.random.chance(rates.flight_cancelled) {
            FlightFate::Cancelled { told }
        } else if is_last && self.random.chance(rates.flight_diverted) {
            FlightFate::Diverted
        } else if self.random.chance(rates.flight_delayed) {
            let by = self.random.minutes(journeys.delay_least, journeys.delay_most);
            let by = Span(by.0 / FIVE_MINUTES.0 * FIVE_MINUTES.0);
            let more = Span(libm::floor(self.random.uniform(-2.0, 6.0)) as i64 * FIVE_MINUTES.0);
            FlightFate::Delayed { small_delay, told, by, more }
        } else {
            FlightFate::OnTime { small_delay }
        }
    }

    fn say_trip(&mut self, trip_id: &str, revision: u32, legs: &[Leg], stay_until: Option<UtcMillis>, at: UtcMillis) {
        let named = self.members.iter().zip(&self.travels).filter(|(_, travels)| **travels).map(|(member, _)| *member);
        let travellers: Vec<&str> = named.collect();
        let Some(sender) = travellers.first().copied() else { return };
        let line = TripLine {
            head: Head { user_id: sender, household_id: self.household, activity: "trip" },
            trip_id,
            revision,
            travellers,
            legs: legs.iter().map(leg_line).collect(),
            stay_until,
        };
        let stamp = at + soon(self.random, &self.numbers.reports);
        self.pending.activity(stamp, self.household, json(&line));
    }
}

fn leg_line(leg: &Leg) -> LegLine<'_> {
    LegLine {
        flight: &leg.flight,
        origin: leg.from.iata(),
        destination: leg.to.iata(),
        departs: with_offset(leg.from.zone(), leg.departs),
        arrives: with_offset(leg.to.zone(), leg.arrives),
    }
}

fn move_by(legs: &mut [Leg], later: Span) {
    for leg in legs {
        leg.departs += later;
        leg.arrives += later;
    }
}

/// An airline that does not exist, and a number of the family's own; nearly 50,000 families before one comes twice.
fn flight_number(family: u32, direction: u32) -> String {
    const FAMILIES_AN_AIRLINE: u32 = 4_900;
    let airline = match family / FAMILIES_AN_AIRLINE % 10 {
        0 => "ZZ".to_owned(),
        block => format!("Z{block}"),
    };
    format!("{airline}{}", 100 + family % FAMILIES_AN_AIRLINE * 2 + direction)
}

/// Five minutes, told early on a day of departure: what a script asks for.
pub fn delayed_in_script(small_delay: UtcMillis, told: UtcMillis, minutes: f64) -> FlightFate {
    FlightFate::Delayed { small_delay: Some(small_delay), told, by: minutes_of(minutes), more: Span::ZERO }
}
