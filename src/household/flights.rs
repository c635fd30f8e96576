//! News of a flight: who is told, and what is now taken to be announced.

use std::collections::BTreeMap;

use super::Household;
use super::recommend::{Occasion, Topic};
use crate::engine::{Effects, Moment};
use crate::event::flight::{FlightStatus, Iata};
use crate::event::recommendation::Reason;
use crate::flight::airports;
use crate::flight::itinerary::{LegFate, LegNews, LegStanding, news};
use crate::planner::When;
use crate::traveller::Models;
use crate::units::Span;

/// One leg's news, ready to be told.
#[derive(Clone, Debug)]
struct Told {
    flight: Box<str>,
    origin: Iata,
    standing: LegStanding,
    /// Against the booking.
    late_by: Span,
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
                let late_by = standing.delay(leg);
                for user_id in &journey.trip.travellers {
                    let (flight, origin) = (leg.flight.clone(), leg.origin);
                    to_tell.entry(user_id.clone()).or_insert(Told { flight, origin, standing, late_by });
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
        self.count_travelling(moment.now);
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
        let time_zone = airports::lookup(told.origin).map_or(chrono_tz::Tz::UTC, |airport| airport.time_zone);
        let flight: &str = &told.flight;
        let (reason, topic) = match told.standing.fate {
            LegFate::Flying => {
                let departs = When { at: times.departs, time_zone };
                (
                    Reason::FlightDelayed,
                    Topic::Delayed { flight, late_by: told.late_by, departs, arrives: times.arrives },
                )
            }
            LegFate::Cancelled { certain } => {
                (Reason::FlightCancelled, Topic::Cancelled { flight, certain, departs: times.departs })
            }
            LegFate::Diverted { to } => {
                (Reason::FlightDiverted, Topic::Diverted { flight, to, arrives: times.arrives })
            }
        };
        let key = format!("{} {} {}", status.flight_key, times.departs.0, times.arrives.0);
        let occasion = Occasion {
            reason,
            activity: "flight_update",
            timer: None,
            at: status.observed_at,
            key: &key,
            topic,
            in_any_case: true,
            supersedes: None,
        };
        self.say(models, place, &occasion, moment, effects);
    }
}

/// A cancellation or diversion that becomes known this long after the landing that did not happen helps nobody.
const OLD_NEWS: Span = Span::hours(12);
