//! What a flight's status means for a leg that somebody booked, and whether it is worth saying.
//!
//! A household keeps, for each leg, the [`LegStanding`] that it last told; [`news`] compares it with the newest
//! status. Pure functions; knows neither people nor plans.

use serde::{Deserialize, Serialize};

use crate::event::activity::Leg;
use crate::event::flight::{Cancellation, FlightState, FlightStatus, Iata, SlotTimes};
use crate::units::{Span, UtcMillis};

/// A change of a booked flight smaller than this is not said.
pub const WORTH_SAYING: Span = Span::minutes(15);

/// Gate to take-off and landing to gate, where a feed knows only the runway; about the mean of European airports.
const TAXI_OUT: Span = Span::minutes(15);
const TAXI_IN: Span = Span::minutes(6);

/// When a leg leaves its gate and reaches the other, as well as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegTimes {
    pub departs: UtcMillis,
    pub arrives: UtcMillis,
}

/// Whether the leg will be flown, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegFate {
    /// To its destination.
    Flying,
    /// Not `certain`: "may be cancelled".
    Cancelled { certain: bool },
    /// `None`: somewhere else, not yet known where.
    Diverted { to: Option<Iata> },
}

/// How a leg stands; also, kept by a household, how it stood when it was last spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegStanding {
    pub times: LegTimes,
    pub fate: LegFate,
}

/// What is worth saying about a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegNews {
    Unchanged,
    /// Against what was last said; negative: earlier. Of the departure where that moved enough, else of the arrival.
    /// [`LegStanding::delay`] is the delay against the booking.
    Delayed {
        by: Span,
    },
    /// Not `certain`: "may be cancelled".
    Cancelled {
        certain: bool,
    },
    Diverted {
        to: Option<Iata>,
    },
    /// It flies to its destination after all; against the times last said.
    Reinstated {
        by: Span,
    },
}

impl LegStanding {
    /// As booked: what people know before anything is said.
    #[must_use]
    pub const fn booked(leg: &Leg) -> LegStanding {
        let times = LegTimes { departs: leg.departs, arrives: leg.arrives };
        LegStanding { times, fate: LegFate::Flying }
    }

    /// By the newest status, as far as it goes, else as booked.
    #[must_use]
    pub fn now(leg: &Leg, status: Option<&FlightStatus>) -> LegStanding {
        status.map_or(LegStanding::booked(leg), |status| LegStanding {
            times: leg_times(leg, status),
            fate: leg_fate(leg, status),
        })
    }

    /// How much later than booked it leaves; where that is on time, how much later it arrives. Negative: earlier.
    #[must_use]
    pub fn delay(&self, leg: &Leg) -> Span {
        change(LegStanding::booked(leg).times, self.times)
    }
}

/// What has changed for a leg since it was last spoken of. Having said it, the household keeps
/// [`LegStanding::now`] as what was announced.
#[must_use]
pub fn news(leg: &Leg, announced: &LegStanding, status: &FlightStatus) -> LegNews {
    let now = LegStanding::now(leg, Some(status));
    let by = change(announced.times, now.times);
    match (announced.fate, now.fate) {
        (LegFate::Flying, LegFate::Flying) if by.abs() >= WORTH_SAYING => LegNews::Delayed { by },
        (before, after) if before == after => LegNews::Unchanged,
        (_, LegFate::Flying) => LegNews::Reinstated { by },
        (_, LegFate::Cancelled { certain }) => LegNews::Cancelled { certain },
        (_, LegFate::Diverted { to }) => LegNews::Diverted { to },
    }
}

/// Best-known times of a leg: of each end the actual time, else the estimated, the predicted, the scheduled, else the
/// booked one. Where a gate is not spoken of, its runway is.
#[must_use]
pub fn leg_times(leg: &Leg, status: &FlightStatus) -> LegTimes {
    let times = &status.times;
    let scheduled = LegTimes {
        departs: times.out.scheduled.unwrap_or(leg.departs),
        arrives: times.in_.scheduled.unwrap_or(leg.arrives),
    };
    let departs = live(&times.out, &times.off, -TAXI_OUT).unwrap_or(scheduled.departs);
    let delayed_arrival = scheduled.arrives + (departs - scheduled.departs);
    let has_landed = times.in_.actual.is_some() || times.on.actual.is_some();
    let arrives = match live(&times.in_, &times.on, TAXI_IN) {
        Some(arrives) if has_landed || leaves_time_to_fly(departs, arrives, &scheduled) => arrives,
        _ => delayed_arrival,
    };
    LegTimes { departs, arrives }
}

/// A feed that moves a departure often leaves the old arrival standing for a while: an arrival that leaves less than
/// three quarters of the scheduled time is from before the delay.
fn leaves_time_to_fly(departs: UtcMillis, arrives: UtcMillis, scheduled: &LegTimes) -> bool {
    let block = scheduled.arrives - scheduled.departs;
    (arrives - departs).0 * 4 >= block.0 * 3
}

/// The best time of a gate that is more than a schedule. A time of the runway counts before a less certain one of the
/// gate: an aircraft that has taken off has left, whatever was estimated.
fn live(gate: &SlotTimes, runway: &SlotTimes, usual_taxi: Span) -> Option<UtcMillis> {
    let taxi = match (gate.scheduled, runway.scheduled) {
        (Some(gate), Some(runway)) => gate - runway,
        _ => usual_taxi,
    };
    let by_certainty =
        [(gate.actual, runway.actual), (gate.estimated, runway.estimated), (gate.predicted, runway.predicted)];
    by_certainty.into_iter().find_map(|(gate, runway)| gate.or(runway.map(|runway| runway + taxi)))
}

fn leg_fate(leg: &Leg, status: &FlightStatus) -> LegFate {
    match (status.state, status.diverted_to) {
        (FlightState::Cancelled, _) => {
            LegFate::Cancelled { certain: status.cancellation != Some(Cancellation::Suspected) }
        }
        // "Diverted to" where it was going: it went there after all.
        (_, Some(to)) if to == leg.destination => LegFate::Flying,
        (FlightState::Diverted, to) | (_, to @ Some(_)) => LegFate::Diverted { to },
        (_, None) => LegFate::Flying,
    }
}

/// Of the departure where it moved enough to be said, else of the arrival.
fn change(before: LegTimes, after: LegTimes) -> Span {
    let departure = after.departs - before.departs;
    if departure.abs() >= WORTH_SAYING { departure } else { after.arrives - before.arrives }
}

#[cfg(test)]
#[path = "itinerary_tests.rs"]
mod tests;
