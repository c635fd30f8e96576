//! News of a flight: who is told, and what is now taken to be announced.

use std::collections::BTreeMap;

use chrono_tz::Tz;

use super::Household;
use super::onward::within_reach;
use super::recommend::{Occasion, Topic};
use crate::engine::{Effects, Moment};
use crate::event::activity::Leg;
use crate::event::flight::{FlightStatus, Iata};
use crate::event::recommendation::Reason;
use crate::flight::airports;
use crate::flight::connection::{Connection, ConnectionNumbers, connection};
use crate::flight::itinerary::{LegFate, LegNews, LegStanding, WORTH_SAYING, news};
use crate::planner::{FlightTime, When};
use crate::traveller::Models;
use crate::units::{Span, UtcMillis};

/// Who has to leave home for a flight sooner than was said has to hear of it at once: so long before it leaves.
const PRESSES_WITHIN: Span = Span::hours(6);

/// One leg's news, ready to be told.
#[derive(Clone, Debug)]
struct Told {
    flight: Box<str>,
    origin: Iata,
    destination: Iata,
    /// As it was last spoken of.
    announced: LegStanding,
    standing: LegStanding,
    booked: LegStanding,
    /// Against the booking.
    late_by: Span,
    /// It was cancelled or diverted when it was last spoken of, and is neither any more; with whether it was diverted.
    reinstated: Option<bool>,
    broken: Option<BrokenConnection>,
    /// Where a connection that was missed, or nearly, is one again.
    mended_in: Option<Iata>,
}

/// A connection that the news leaves too little time for, or none.
#[derive(Clone, Debug)]
struct BrokenConnection {
    other: Box<str>,
    changed_comes_first: bool,
    airport: Iata,
    /// `None`: missed.
    left: Option<Span>,
}

/// The legs of a trip as they stand.
type Legs<'a> = [(&'a Leg, &'a LegStanding)];

/// What a leg's new standing does to the connections on either side of it; the one that is missed goes before the one that
/// is at risk.
fn broken_connection(legs: &Legs<'_>, changed: usize, numbers: &ConnectionNumbers) -> Option<BrokenConnection> {
    let pairs = legs.windows(2).enumerate().filter(|(first, _)| *first == changed || first + 1 == changed);
    let broken = pairs.filter_map(|(first, pair)| {
        let changed_comes_first = first == changed;
        let other = if changed_comes_first { pair[1].0 } else { pair[0].0 };
        let left = match connection(pair[0], pair[1], numbers) {
            Connection::Safe => return None,
            Connection::AtRisk { left } => Some(left),
            Connection::Missed => None,
        };
        let (other, airport) = (other.flight.clone(), pair[1].0.origin);
        Some(BrokenConnection { other, changed_comes_first, airport, left })
    });
    broken.min_by_key(|broken| broken.left)
}

/// Where the news mends a connection that was missed or at risk by what was known before.
fn mended_connection(before: &Legs<'_>, now: &Legs<'_>, changed: usize, numbers: &ConnectionNumbers) -> Option<Iata> {
    let mended = before.windows(2).enumerate().find(|(first, pair)| {
        let is_about = *first == changed || first + 1 == changed;
        let was_safe = matches!(connection(pair[0], pair[1], numbers), Connection::Safe);
        is_about && !was_safe && matches!(connection(now[*first], now[first + 1], numbers), Connection::Safe)
    });
    mended.map(|(_, pair)| pair[1].0.origin)
}

impl Told {
    fn departs(&self) -> When {
        When { at: self.standing.times.departs, time_zone: zone_of(self.origin) }
    }

    /// The time to speak of, and how late the flight is by it.
    fn time(&self, now: UtcMillis) -> (FlightTime, Span) {
        let (departs, times, booked) = (self.departs(), self.standing.times, self.booked.times);
        let lands_late_by = times.arrives - booked.arrives;
        if departs.at <= now {
            let lands = When { at: times.arrives, time_zone: zone_of(self.destination) };
            return (FlightTime::Left { lands }, lands_late_by);
        }
        let was_said = self.announced.times.departs;
        let time = match departs.at - was_said {
            moved if moved.abs() < WORTH_SAYING => {
                return (FlightTime::LandsOtherwise { leaves: departs }, lands_late_by);
            }
            _ if was_said == booked.departs => FlightTime::Leaves(departs),
            sooner if sooner < Span::ZERO => FlightTime::LeavesSooner(departs),
            _ => FlightTime::LeavesLaterStill(departs),
        };
        (time, self.late_by)
    }

    /// Whether it leaves soon, and sooner than who heard the last of it counts on.
    fn presses(&self, now: UtcMillis) -> bool {
        let departs = self.standing.times.departs;
        let is_sooner = match self.announced.fate {
            LegFate::Cancelled { certain: true } => true,
            _ => self.announced.times.departs - departs >= WORTH_SAYING,
        };
        let flies = !matches!(self.standing.fate, LegFate::Cancelled { .. });
        flies && is_sooner && departs > now && departs - now <= PRESSES_WITHIN
    }
}

fn zone_of(airport: Iata) -> Tz {
    airports::lookup(airport).map_or(Tz::UTC, |airport| airport.time_zone)
}

impl Household {
    /// The merged status of a flight that somebody here flies.
    pub(super) fn hear_of_flight(
        &mut self,
        models: &Models,
        status: &FlightStatus,
        moment: &Moment,
        effects: &mut Effects,
    ) {
        let now = moment.now;
        // By user: whoever has the flight in two trips hears of it once.
        let mut to_tell: BTreeMap<Box<str>, Told> = BTreeMap::new();
        let mut changes: Vec<(usize, usize, LegStanding)> = Vec::new();
        for (journey_index, journey) in self.journeys().iter().enumerate() {
            for (leg_index, (leg, announced)) in journey.legs().enumerate() {
                if leg.flight_key != status.flight_key || news(leg, announced, status) == LegNews::Unchanged {
                    continue;
                }
                let standing = LegStanding::now(leg, Some(status));
                changes.push((journey_index, leg_index, standing));
                // Whoever has landed knows better.
                let is_over = match standing.fate {
                    LegFate::Flying => standing.times.arrives <= now,
                    LegFate::Cancelled { .. } | LegFate::Diverted { .. } => announced.times.arrives + OLD_NEWS <= now,
                };
                if is_over {
                    continue;
                }
                let numbers = &models.people.journey.connections;
                let before: Vec<(&Leg, &LegStanding)> = journey.legs().collect();
                let mut after = before.clone();
                after[leg_index].1 = &standing;
                let broken = broken_connection(&after, leg_index, numbers);
                let leaves_without_them =
                    [&before, &after].into_iter().all(|legs| !within_reach(legs.iter().copied(), numbers)[leg_index]);
                // What becomes of it would be told as if they flew it.
                let is_beside_the_point = match standing.fate {
                    LegFate::Flying => broken.as_ref().is_none_or(|broken| broken.left.is_some()),
                    LegFate::Diverted { .. } => true,
                    LegFate::Cancelled { .. } => false,
                };
                if leaves_without_them && is_beside_the_point {
                    continue;
                }
                let reinstated = match (announced.fate, standing.fate) {
                    (LegFate::Flying, _) | (_, LegFate::Cancelled { .. } | LegFate::Diverted { .. }) => None,
                    (LegFate::Cancelled { .. }, LegFate::Flying) => Some(false),
                    (LegFate::Diverted { .. }, LegFate::Flying) => Some(true),
                };
                let told = Told {
                    flight: leg.flight.clone(),
                    origin: leg.origin,
                    destination: leg.destination,
                    announced: *announced,
                    standing,
                    booked: LegStanding::booked(leg),
                    late_by: standing.delay(leg),
                    reinstated,
                    broken,
                    mended_in: mended_connection(&before, &after, leg_index, numbers),
                };
                for user_id in &journey.trip.travellers {
                    to_tell.entry(user_id.clone()).or_insert_with(|| told.clone());
                }
            }
        }
        if changes.is_empty() {
            return;
        }
        let concerned: Vec<usize> = (0..self.travellers.len())
            .filter(|place| {
                let user_id = self.travellers[*place].id();
                changes.iter().any(|(journey, _, _)| self.journeys()[*journey].is_of(user_id))
            })
            .collect();
        for place in &concerned {
            self.settle(models, *place, now);
        }
        if let Some(more) = &mut self.more {
            for (journey, leg, standing) in changes {
                more.journeys[journey].standings[leg] = standing;
            }
        }
        for place in &concerned {
            self.after_moving(models, *place, now);
        }
        for (user_id, told) in to_tell {
            let place = self.traveller_at(&user_id, now);
            self.tell_of_flight(models, place, status, &told, moment, effects);
        }
        self.count_travelling(models, moment.now);
        self.set_next_due();
    }

    fn tell_of_flight(
        &mut self,
        models: &Models,
        place: usize,
        status: &FlightStatus,
        told: &Told,
        moment: &Moment,
        effects: &mut Effects,
    ) {
        let times = told.standing.times;
        let flight: &str = &told.flight;
        let (departs, arrives, late_by) = (told.departs(), times.arrives, told.late_by);
        let (reason, topic) = match (told.standing.fate, &told.broken) {
            (LegFate::Flying, Some(BrokenConnection { other, changed_comes_first, airport, left })) => {
                let reason = if left.is_some() { Reason::ConnectionAtRisk } else { Reason::ConnectionMissed };
                let (changed_comes_first, airport, left) = (*changed_comes_first, *airport, *left);
                (
                    reason,
                    Topic::Connection {
                        changed: flight,
                        late_by,
                        departs,
                        other,
                        changed_comes_first,
                        airport,
                        left,
                        arrives,
                    },
                )
            }
            (LegFate::Flying, None) => (
                Reason::FlightDelayed,
                if let Some(was_diverted) = told.reinstated {
                    Topic::Reinstated { flight, was_diverted, departs, arrives }
                } else if let Some(airport) = told.mended_in {
                    Topic::ConnectionMended { flight, late_by, departs, airport, arrives }
                } else {
                    let (time, late_by) = told.time(moment.now);
                    Topic::Delayed { flight, late_by, time, arrives }
                },
            ),
            (LegFate::Cancelled { certain }, _) => {
                (Reason::FlightCancelled, Topic::Cancelled { flight, certain, departs: times.departs })
            }
            (LegFate::Diverted { to }, _) => {
                (Reason::FlightDiverted, Topic::Diverted { flight, to, arrives: times.arrives })
            }
        };
        let fate = match told.standing.fate {
            LegFate::Flying => "flies".to_owned(),
            LegFate::Cancelled { certain } => if certain { "cancelled" } else { "perhaps cancelled" }.to_owned(),
            LegFate::Diverted { to } => format!("diverted {}", to.map_or(String::new(), |airport| airport.to_string())),
        };
        // Reports that arrive late share a stream time: they are told apart by when they were made, and by what they say.
        let (observed, departs, arrives) = (status.observed_at.0, times.departs.0, times.arrives.0);
        let key = format!("{} {observed} {departs} {arrives} {fate}", status.flight_key);
        let occasion = Occasion {
            reason,
            activity: "flight_update",
            timer: None,
            at: status.observed_at,
            key: &key,
            topic,
            in_any_case: true,
            presses: told.presses(moment.now),
            supersedes: None,
        };
        self.say(models, place, &occasion, moment, effects);
    }
}

/// A cancellation or diversion that becomes known this long after the landing that did not happen helps nobody.
const OLD_NEWS: Span = Span::hours(12);
