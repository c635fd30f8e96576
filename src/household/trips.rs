//! Trips, how their legs stand, and where that puts everybody.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::onward::{Step, UntoldArrival, steps};
use crate::event::activity::{Leg, Trip};
use crate::event::flight::{FlightKey, Iata};
use crate::flight::airports;
use crate::flight::connection::ConnectionNumbers;
use crate::flight::itinerary::{LegFate, LegStanding, LegTimes};
use crate::flight::zones;
use crate::planner::{Place, Stretch};
use crate::traveller::Traveller;
use crate::traveller::people::{JourneyNumbers, PeopleModel};
use crate::units::{Hours, UtcMillis};

/// Before anything that anybody reports.
const LONG_AGO: UtcMillis = UtcMillis(0);

/// So many trips a household has; of more, those that ended first are forgotten.
const MOST_KEPT: usize = 32;

/// A trip, with how each leg stood when it was last spoken of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journey {
    pub trip: Trip,
    /// Stamp of the record: an erasure that was judged earlier does not concern it.
    pub judged_at: UtcMillis,
    /// Stream time at which this trip was first heard of.
    pub known_at: UtcMillis,
    /// Of each leg.
    pub standings: Vec<LegStanding>,
}

impl Journey {
    #[must_use]
    pub fn new(trip: Trip, judged_at: UtcMillis, known_at: UtcMillis) -> Journey {
        let standings = trip.legs.iter().map(LegStanding::booked).collect();
        Journey { trip, judged_at, known_at, standings }
    }

    /// A revision of the same trip. What was announced of a flight that stays in it stands.
    #[must_use]
    pub fn revised(&self, trip: Trip, judged_at: UtcMillis) -> Journey {
        let mut revised = Journey::new(trip, judged_at, self.known_at);
        for (leg, standing) in revised.trip.legs.iter().zip(&mut revised.standings) {
            let before = self.legs().find(|(old, _)| old.flight_key == leg.flight_key);
            if let Some((old, announced)) = before
                && *announced != LegStanding::booked(old)
            {
                *standing = *announced;
            }
        }
        revised
    }

    /// Whether a record of the same trip is to replace this one: a higher revision, whenever it was written. The same
    /// revision again is no revision, whatever it says.
    #[must_use]
    pub fn yields_to(&self, trip: &Trip) -> bool {
        trip.revision > self.trip.revision
    }

    pub fn legs(&self) -> impl Iterator<Item = (&Leg, &LegStanding)> {
        self.trip.legs.iter().zip(&self.standings)
    }

    #[must_use]
    pub fn is_of(&self, user_id: &str) -> bool {
        self.trip.travellers.iter().any(|traveller| **traveller == *user_id)
    }

    /// When nothing of it is ahead any more. A trip that was called off is remembered like one that ended when that was
    /// said, so that no older record brings it back.
    #[must_use]
    pub fn ends(&self) -> UtcMillis {
        let landed = self.standings.last().map(|standing| standing.times.arrives);
        landed.max(self.trip.stay_until).unwrap_or(self.judged_at)
    }

    #[must_use]
    pub fn begins(&self) -> Option<UtcMillis> {
        self.standings.first().map(|standing| standing.times.departs)
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let trip = &self.trip;
        let legs: usize = trip.legs.iter().map(|leg| leg.flight.len() + leg.flight_key.as_str().len()).sum();
        let names: usize = trip.travellers.iter().map(|name| name.len()).sum();
        trip.trip_id.len()
            + trip.legs.capacity() * size_of::<Leg>()
            + legs
            + trip.travellers.capacity() * size_of::<Box<str>>()
            + names
            + self.standings.capacity() * size_of::<LegStanding>()
    }
}

/// The flights of all trips.
#[must_use]
pub fn flight_keys(journeys: &[Journey]) -> BTreeSet<FlightKey> {
    journeys.iter().flat_map(|journey| &journey.trip.legs).map(|leg| leg.flight_key.clone()).collect()
}

/// By which times a journey is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times<'a> {
    Booked,
    /// With what tells a connection that is missed by them. Who gets no further on a trip, and tells of no other flight, is
    /// taken to have come on where that is due until `assumed_until`; later it is left open.
    Announced {
        connections: &'a ConnectionNumbers,
        assumed_until: UtcMillis,
    },
}

/// How somebody gets to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Flight {
        origin: Iata,
    },
    /// In a way that nobody told of, unless they leave on a flight after this time.
    Untold {
        unless_left_after: UtcMillis,
    },
}

/// A flight that will be, or was, flown by somebody; or what is taken to have stood in for it.
#[derive(Clone, Copy, Debug)]
struct Flown {
    times: LegTimes,
    way: Way,
    destination: Iata,
    /// Where the trip began: coming back there is coming home.
    began_at: Option<Iata>,
    /// After the last flight of a trip: when the person is home again by other means.
    stay_until: Option<UtcMillis>,
}

fn flights_of(journeys: &[Journey], user_id: &str, times: Times<'_>) -> Vec<Flown> {
    let mut flights: Vec<Flown> = Vec::new();
    for journey in journeys.iter().filter(|journey| journey.is_of(user_id)) {
        let first_of_trip = flights.len();
        let stay_until = journey.trip.stay_until;
        let steps = match times {
            Times::Booked => journey.legs().map(|(leg, _)| Step::Flies(leg, LegStanding::booked(leg))).collect(),
            Times::Announced { connections, .. } => steps(&journey.legs().collect::<Vec<_>>(), connections),
        };
        let is_assumed = |arrival: &UntoldArrival| match times {
            Times::Booked => false,
            Times::Announced { assumed_until, .. } => {
                arrival.at <= assumed_until && stay_until.is_none_or(|until| until > arrival.at)
            }
        };
        for step in steps {
            let (times, way, destination) = match step {
                Step::Flies(leg, LegStanding { times, fate }) => {
                    let destination = match fate {
                        LegFate::Diverted { to: Some(to) } => to,
                        _ => leg.destination,
                    };
                    (times, Way::Flight { origin: leg.origin }, destination)
                }
                Step::Untold(arrival) if is_assumed(&arrival) => {
                    let times = LegTimes { departs: arrival.at, arrives: arrival.at };
                    (times, Way::Untold { unless_left_after: arrival.unless_left_after }, arrival.destination)
                }
                Step::Untold(_) => continue,
            };
            let began_at = journey.trip.legs.first().map(|first| first.origin);
            flights.push(Flown { times, way, destination, began_at, stay_until: None });
        }
        if let Some(last) = flights[first_of_trip..].last_mut() {
            last.stay_until = stay_until;
        }
    }
    flights.sort_by_key(|flight| (flight.times.departs, flight.times.arrives));
    flights
}

fn zone_of(airport: Iata, otherwise: Tz) -> Tz {
    airports::lookup(airport).map_or(otherwise, |airport| airport.time_zone)
}

/// Where somebody lives: by the profile; who has none lives where the first of the trips begins. `None`: nobody knows.
#[must_use]
pub fn home_of(journeys: &[Journey], traveller: &Traveller) -> Option<Tz> {
    if let Some(known) = traveller.known() {
        return Some(known.profile.home_time_zone);
    }
    let legs =
        journeys.iter().filter(|journey| journey.is_of(traveller.id())).filter_map(|journey| journey.trip.legs.first());
    let first = legs.min_by_key(|leg| leg.departs)?;
    airports::lookup(first.origin).map(|airport| airport.time_zone)
}

/// Where a traveller was, is and will be: without gaps, from long ago on; the last stretch has no end. Who gets no further
/// on a trip stays there until another flight is told of, or they are taken to have come on.
#[must_use]
pub fn whereabouts(journeys: &[Journey], traveller: &Traveller, times: Times<'_>) -> Vec<Stretch> {
    let home = home_of(journeys, traveller).unwrap_or(Tz::UTC);
    let mut path = Path { stretches: Vec::new(), from: LONG_AGO, time_zone: home, place: Place::Home };
    if journeys.is_empty() {
        return path.finished();
    }
    let flights = flights_of(journeys, traveller.id(), times);
    for (index, flight) in flights.iter().enumerate() {
        let zone = zone_of(flight.destination, home);
        match flight.way {
            Way::Flight { origin } => {
                path.go(flight.times.departs, zone, Place::Aboard { origin, destination: flight.destination });
            }
            Way::Untold { unless_left_after } => {
                let leaves =
                    |other: &Flown| matches!(other.way, Way::Flight { .. }) && other.times.departs > unless_left_after;
                if flights[..index].iter().any(leaves) {
                    continue;
                }
            }
        }
        let comes_home = zone == home || flight.began_at == Some(flight.destination);
        if comes_home {
            path.go(flight.times.arrives, home, Place::Home);
            continue;
        }
        path.go(flight.times.arrives, zone, Place::Away { airport: flight.destination });
        let next_departure = flights.get(index + 1).map_or(UtcMillis::MAX, |next| next.times.departs);
        if let Some(until) = flight.stay_until.filter(|until| *until < next_departure) {
            path.go(until, home, Place::Home);
        }
    }
    path.finished()
}

/// Stretches under construction.
struct Path {
    stretches: Vec<Stretch>,
    from: UtcMillis,
    time_zone: Tz,
    place: Place,
}

impl Path {
    /// From `at` on somewhere else, if it is; never before the last change.
    fn go(&mut self, at: UtcMillis, time_zone: Tz, place: Place) {
        if (time_zone, place) == (self.time_zone, self.place) {
            return;
        }
        let at = at.max(self.from);
        if at > self.from {
            let (from, to) = (self.from, Some(at));
            self.stretches.push(Stretch { from, to, time_zone: self.time_zone, place: self.place });
        }
        (self.from, self.time_zone, self.place) = (at, time_zone, place);
    }

    fn finished(mut self) -> Vec<Stretch> {
        self.stretches.push(Stretch { from: self.from, to: None, time_zone: self.time_zone, place: self.place });
        self.stretches
    }
}

/// Whether the home clock is kept on the journey that is going on at `now` or comes next: nobody adapts for a short stay
/// or a small difference. `booked`: by the booked times, so that a delay never changes the answer.
#[must_use]
pub fn keeps_home_time(booked: &[Stretch], home: Tz, now: UtcMillis, numbers: &JourneyNumbers) -> bool {
    let is_ahead = |journey: &&[Stretch]| journey.last().is_some_and(|last| last.to.is_none_or(|to| to > now));
    let Some(journey) = booked.split(|stretch| stretch.place == Place::Home).find(is_ahead) else { return false };
    let stays = || journey.iter().filter(|stretch| matches!(stretch.place, Place::Away { .. }));
    let Some(arrival) = stays().next().map(|stay| stay.from) else { return false };
    let leaves = stays().next_back().and_then(|stay| stay.to);
    let is_short = leaves.is_some_and(|leaves| leaves - arrival < numbers.short_stay);
    let differs = stays().any(|stay| difference(stay.time_zone, home, stay.from).0 > numbers.small_shift.0);
    is_short || !differs
}

/// How far apart two local clocks are, hours, the shorter way round.
#[must_use]
pub fn difference(one: Tz, other: Tz, at: UtcMillis) -> Hours {
    Hours((zones::offset_at(one, at) - zones::offset_at(other, at)).as_hours().wrap_12().0.abs())
}

/// Forgets trips that are over and say nothing any more about where anybody is.
pub fn forget_old(journeys: &mut Vec<Journey>, travellers: &[Traveller], now: UtcMillis, people: &PeopleModel) {
    let announced = Times::Announced { connections: &people.journey.connections, assumed_until: UtcMillis::MAX };
    let is_done = |journey: &Journey| {
        let is_old = journey.ends() + people.shift_remembered < now;
        is_old
            && journey.trip.travellers.iter().all(|user_id| {
                let Some(traveller) = travellers.iter().find(|traveller| traveller.id() == &**user_id) else {
                    return true;
                };
                let alone = whereabouts(std::slice::from_ref(journey), traveller, announced);
                let ended_at_home = alone.last().is_none_or(|last| last.place == Place::Home);
                let flew_on = journeys_after(journeys, journey, user_id, now);
                ended_at_home || flew_on
            })
    };
    let done: Vec<bool> = journeys.iter().map(is_done).collect();
    let mut done = done.into_iter();
    journeys.retain(|_| !done.next().unwrap_or(false));
    while journeys.len() > MOST_KEPT {
        let first_to_end = (0..journeys.len()).min_by_key(|index| (journeys[*index].ends(), *index));
        journeys.remove(first_to_end.unwrap_or(0));
    }
}

/// Whether the person has left on another trip since.
fn journeys_after(journeys: &[Journey], journey: &Journey, user_id: &str, now: UtcMillis) -> bool {
    journeys
        .iter()
        .filter(|other| other.is_of(user_id))
        .filter_map(Journey::begins)
        .any(|begins| begins >= journey.ends() && begins <= now)
}
