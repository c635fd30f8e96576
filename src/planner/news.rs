//! What there is to say, before it is put into words.

use super::reader::When;
use crate::event::flight::Iata;
use crate::event::recommendation::ActionKind;
use crate::units::Span;

/// What there is to say.
#[derive(Clone, Debug, PartialEq)]
pub enum News<'a> {
    /// `bed`: tonight's bedtime; `nap`: the nap that bridges the time until then or comes next today. Both only where
    /// they are [near](When::is_near): the sentence says "tonight" and no zone.
    NapMissed {
        bed: Option<When>,
        nap: Option<When>,
    },
    NapShort {
        slept: Span,
        bed: Option<When>,
        nap: Option<When>,
    },
    NapFound {
        bed: Option<When>,
    },
    /// `late_by`: against the booking, negative when early.
    FlightDelayed {
        flight: &'a str,
        late_by: Span,
        time: FlightTime,
        plan_holds: bool,
    },
    /// A delay, of which a connection is the worse part. `changed`: the flight with the news, late by so much against the
    /// booking; the connection is from or to `other` at `airport`.
    Connection {
        changed: &'a str,
        late_by: Span,
        /// The departure of `changed` as now expected, while it is ahead.
        boarding: Option<When>,
        other: &'a str,
        /// `changed` is the flight that brings people to the airport.
        changed_comes_first: bool,
        airport: Iata,
        /// Between landing and departure; `None`: the connection is missed.
        left: Option<Span>,
    },
    /// A connection that was missed or at risk is one again. `boarding`: as in [`News::Connection`].
    ConnectionMended {
        flight: &'a str,
        late_by: Span,
        boarding: Option<When>,
        airport: Iata,
    },
    FlightCancelled {
        flight: &'a str,
        confirmed: bool,
    },
    /// Cancelled or diverted was taken back. `boarding`: as in [`News::Connection`].
    FlightReinstated {
        flight: &'a str,
        was_diverted: bool,
        boarding: Option<When>,
    },
    FlightDiverted {
        flight: &'a str,
        to: Option<Iata>,
    },
    TripPlanned {
        destination: Iata,
        nights: Nights,
    },
    /// `away`: not at home when it is called off.
    TripCalledOff {
        destination: Option<Iata>,
        away: bool,
    },
    /// The change of the next day that matters most; else an action that falls away.
    PlanRefreshed {
        change: Option<Step>,
        dropped: Option<(ActionKind, When)>,
    },
}

/// The time of a flight that has news, and how it lies to what people know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlightTime {
    /// Its departure, of which nothing but the booking was said before.
    Leaves(When),
    /// Its departure, later than was said last.
    LeavesLaterStill(When),
    /// Its departure, earlier than was said last: whoever counts on that comes too late.
    LeavesSooner(When),
    /// Its departure stands; the landing is what moved.
    LandsOtherwise { leaves: When },
    /// It has left; its landing.
    Left { lands: When },
}

/// What becomes of the nights when a trip is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nights {
    Usual,
    /// From this one on, which is still ahead, at another time than was known until now.
    MoveFrom(When),
    /// Not the usual ones, and no other than the plan before had them.
    AsPlannedBefore,
}

/// An action of the plan by the time of it that says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: ActionKind,
    /// In the air: a sleep there has no bed.
    pub is_aboard: bool,
    pub time: StepTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepTime {
    Start(When),
    /// Where the start stays, or says nothing.
    End(When),
}
