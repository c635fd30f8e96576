//! How the travellers of a trip get on: which flights they can get to, and where they are taken to come to when one has left
//! without them and nobody tells of another.
//!
//! Knows the legs of one trip and how they stand; no people, no other trips and no present time.

use crate::event::activity::Leg;
use crate::event::flight::Iata;
use crate::flight::connection::{ConnectionNumbers, comes_too_late};
use crate::flight::itinerary::{LegFate, LegStanding, LegTimes};
use crate::planner::numbers::numbers as planner_numbers;
use crate::units::UtcMillis;

/// Of each leg of a trip, whether its travellers can get to it: not after a connection that is missed, nor from where no flight
/// takes them (one that is certainly cancelled, or diverted elsewhere), nor to what goes on from there without a stay. After a
/// stay they are taken to have come there by other means.
///
/// Of a leg that is cancelled itself this says whether they could have got to it.
#[must_use]
pub fn within_reach<'a>(
    legs: impl Iterator<Item = (&'a Leg, &'a LegStanding)>,
    connections: &ConnectionNumbers,
) -> Vec<bool> {
    let mut reached = Vec::new();
    let mut came_by: Option<(&Leg, &LegStanding)> = None;
    let mut before: Option<&Leg> = None;
    // Where they are while they get no further.
    let mut left_behind_at: Option<Iata> = None;
    for (leg, standing) in legs {
        let after_a_stay = before.is_some_and(|before| leg.departs - before.arrives >= planner_numbers().horizon.stay);
        let is_in_time = came_by.is_none_or(|inbound| !comes_too_late(inbound, (leg, standing), connections));
        let is_reached = match left_behind_at {
            Some(airport) => after_a_stay || (airport == leg.origin && is_in_time),
            None => is_in_time && (after_a_stay || !came_by.is_some_and(|inbound| ends_elsewhere(inbound, leg))),
        };
        reached.push(is_reached);
        if is_reached && !is_off(standing) {
            (came_by, left_behind_at) = (Some((leg, standing)), None);
        } else if is_reached {
            left_behind_at = Some(leg.origin);
        } else {
            left_behind_at = left_behind_at.or(came_by.map(destination));
        }
        before = Some(leg);
    }
    reached
}

fn is_off(standing: &LegStanding) -> bool {
    standing.fate == LegFate::Cancelled { certain: true }
}

/// Where somebody gets who takes a leg as it stands; as booked while it is not known where else.
fn destination((leg, standing): (&Leg, &LegStanding)) -> Iata {
    match standing.fate {
        LegFate::Diverted { to: Some(to) } => to,
        _ => leg.destination,
    }
}

/// Whether a leg was diverted away from where the next one leaves.
fn ends_elsewhere(inbound: (&Leg, &LegStanding), outbound: &Leg) -> bool {
    let is_diverted = matches!(inbound.1.fate, LegFate::Diverted { .. });
    is_diverted && inbound.0.destination == outbound.origin && destination(inbound) != outbound.origin
}

/// What takes the travellers of a trip on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step<'a> {
    Flies(&'a Leg, LegStanding),
    Untold(UntoldArrival),
}

/// Who is left behind and tells of no other flight is taken to have come where the flights out of reach led, in whatever way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntoldArrival {
    pub destination: Iata,
    pub at: UtcMillis,
    /// Not if they left on any flight, of whatever trip, between this time and `at`: then that was told.
    pub unless_left_after: UtcMillis,
}

/// The flights that the travellers of a trip are on, in order, and where they are taken to come to without one.
#[must_use]
pub fn steps<'a>(legs: &[(&'a Leg, &LegStanding)], connections: &ConnectionNumbers) -> Vec<Step<'a>> {
    let reached = within_reach(legs.iter().copied(), connections);
    let mut steps = Vec::new();
    let mut came_by: Option<LegTimes> = None;
    let mut left_behind_from = UtcMillis::MAX;
    for (index, (leg, standing)) in legs.iter().enumerate() {
        if reached[index] {
            left_behind_from = leg.departs;
            if !is_off(standing) {
                steps.push(Step::Flies(leg, **standing));
                came_by = Some(standing.times);
                left_behind_from = UtcMillis::MAX;
            }
            continue;
        }
        left_behind_from = left_behind_from.min(leg.departs);
        if reached.get(index + 1) == Some(&false) {
            continue;
        }
        // By the booking: what becomes of a flight that leaves without them is no news of theirs.
        let led_there = came_by.map_or(leg.arrives, |flight| leg.arrives.max(flight.arrives));
        // A flight before that belongs to a stay, or brought them here.
        let connects_from = left_behind_from - planner_numbers().horizon.stay;
        steps.push(Step::Untold(UntoldArrival {
            destination: leg.destination,
            at: led_there + connections.rebooked_within,
            unless_left_after: came_by.map_or(connects_from, |flight| flight.departs.max(connects_from)),
        }));
    }
    steps
}
