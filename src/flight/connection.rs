//! Whether there is time to change from one flight to the next.
//!
//! Least connection times of airports are licensed data; a small table of our own stands in models/people.toml. Pure; knows
//! flights, no people.

use super::airports;
use super::itinerary::{LegFate, LegStanding};
use crate::event::activity::Leg;
use crate::event::flight::Iata;
use crate::units::Span;

/// How long it takes to change, by whether each flight crosses a border, and to go on once it was too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionNumbers {
    pub domestic: Span,
    pub to_international: Span,
    pub to_domestic: Span,
    pub international: Span,
    /// So long before departure nobody boards any more.
    pub gate_closes: Span,
    /// So long after the landing of what left without them people are where it led, in whatever way, if nothing is told.
    pub rebooked_within: Span,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Safe,
    /// `left`: between landing and departure.
    AtRisk {
        left: Span,
    },
    Missed,
}

/// The connection between two legs of a trip, as they stand. Legs that do not meet at an airport have none; one that is
/// cancelled or diverted is told as that.
#[must_use]
pub fn connection(
    (inbound, arriving): (&Leg, &LegStanding),
    (outbound, leaving): (&Leg, &LegStanding),
    numbers: &ConnectionNumbers,
) -> Connection {
    let both_fly = arriving.fate == LegFate::Flying && leaving.fate == LegFate::Flying;
    if inbound.destination != outbound.origin || !both_fly {
        return Connection::Safe;
    }
    if comes_too_late((inbound, arriving), (outbound, leaving), numbers) {
        return Connection::Missed;
    }
    let left = leaving.times.departs - arriving.times.arrives;
    // What was sold as a connection is one, however short.
    let booked = outbound.departs - inbound.arrives;
    if left < least(inbound, outbound, numbers).min(booked) { Connection::AtRisk { left } } else { Connection::Safe }
}

/// Whether who arrives by one leg finds the gate of the other closed, whatever becomes of that flight then.
#[must_use]
pub fn comes_too_late(
    (inbound, arriving): (&Leg, &LegStanding),
    (outbound, leaving): (&Leg, &LegStanding),
    numbers: &ConnectionNumbers,
) -> bool {
    let gets_there = matches!(arriving.fate, LegFate::Flying | LegFate::Cancelled { certain: false });
    gets_there
        && inbound.destination == outbound.origin
        && leaving.times.departs - arriving.times.arrives < numbers.gate_closes
}

fn least(inbound: &Leg, outbound: &Leg, numbers: &ConnectionNumbers) -> Span {
    match (crosses_a_border(inbound), crosses_a_border(outbound)) {
        (false, false) => numbers.domestic,
        (false, true) => numbers.to_international,
        (true, false) => numbers.to_domestic,
        (true, true) => numbers.international,
    }
}

/// Airports that are not known are taken to be abroad.
fn crosses_a_border(leg: &Leg) -> bool {
    let country = |airport: Iata| airports::lookup(airport).map(|airport| airport.country);
    country(leg.origin).is_none() || country(leg.origin) != country(leg.destination)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::flight::FlightKey;
    use crate::flight::LegTimes;
    use crate::traveller::people::PeopleModel;
    use crate::units::UtcMillis;

    fn leg(origin: &str, destination: &str, departs: i64, arrives: i64) -> Leg {
        let airport = |code| Iata::parse(code).unwrap();
        Leg {
            flight: "ZZ1".into(),
            flight_key: FlightKey("ZZ1|2026-03-02|AMS".into()),
            origin: airport(origin),
            destination: airport(destination),
            departs: UtcMillis(0) + Span::minutes(departs),
            arrives: UtcMillis(0) + Span::minutes(arrives),
        }
    }

    /// The first leg late by so many minutes.
    fn late(inbound: &Leg, outbound: &Leg, minutes: i64) -> Connection {
        let by = Span::minutes(minutes);
        let times = LegTimes { departs: inbound.departs + by, arrives: inbound.arrives + by };
        let standing = LegStanding { times, ..LegStanding::booked(inbound) };
        let numbers = PeopleModel::embedded().journey.connections;
        connection((inbound, &standing), (outbound, &LegStanding::booked(outbound)), &numbers)
    }

    #[test]
    fn a_delay_eats_the_time_to_change() {
        let (inbound, outbound) = (leg("VIE", "AMS", 0, 120), leg("AMS", "JFK", 240, 700));
        assert_eq!(late(&inbound, &outbound, 30), Connection::Safe);
        assert_eq!(late(&inbound, &outbound, 80), Connection::AtRisk { left: Span::minutes(40) });
        assert_eq!(late(&inbound, &outbound, 110), Connection::Missed, "the gate is closed");
        assert_eq!(late(&inbound, &outbound, 200), Connection::Missed);
    }

    #[test]
    fn who_comes_too_late_for_a_flight_does_so_whatever_becomes_of_it() {
        let (inbound, outbound) = (leg("VIE", "AMS", 0, 120), leg("AMS", "JFK", 240, 700));
        let numbers = PeopleModel::embedded().journey.connections;
        let arriving = |minutes, fate| {
            let arrives = inbound.arrives + Span::minutes(minutes);
            LegStanding { times: LegTimes { departs: inbound.departs, arrives }, fate }
        };
        let leaving = |fate| LegStanding { fate, ..LegStanding::booked(&outbound) };
        let is_late = |arriving, leaving| comes_too_late((&inbound, &arriving), (&outbound, &leaving), &numbers);
        for fate in [LegFate::Flying, LegFate::Cancelled { certain: true }, LegFate::Diverted { to: None }] {
            assert!(is_late(arriving(110, LegFate::Flying), leaving(fate)));
            assert!(!is_late(arriving(100, LegFate::Flying), leaving(fate)));
        }
        let flies = leaving(LegFate::Flying);
        assert!(is_late(arriving(110, LegFate::Cancelled { certain: false }), flies), "it may fly yet");
        assert!(!is_late(arriving(110, LegFate::Diverted { to: None }), flies), "nobody knows when they get there");
    }

    #[test]
    fn a_short_connection_that_was_sold_is_at_risk_only_when_it_gets_shorter() {
        let (inbound, outbound) = (leg("VIE", "AMS", 0, 120), leg("AMS", "JFK", 160, 700));
        assert_eq!(late(&inbound, &outbound, 0), Connection::Safe);
        assert_eq!(late(&inbound, &outbound, 15), Connection::AtRisk { left: Span::minutes(25) });
    }

    #[test]
    fn legs_that_do_not_meet_or_do_not_fly_have_no_connection() {
        let (inbound, elsewhere) = (leg("VIE", "AMS", 0, 120), leg("RTM", "LHR", 200, 260));
        assert_eq!(late(&inbound, &elsewhere, 300), Connection::Safe);
        let outbound = leg("AMS", "JFK", 240, 700);
        let off = LegStanding { fate: LegFate::Cancelled { certain: true }, ..LegStanding::booked(&outbound) };
        let numbers = PeopleModel::embedded().journey.connections;
        let landed = LegStanding::booked(&inbound);
        assert_eq!(connection((&inbound, &landed), (&outbound, &off), &numbers), Connection::Safe);
    }
}
