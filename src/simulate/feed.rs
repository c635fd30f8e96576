//! What a feed says of a flight, from the day before to the doors opening, and when it truly flies.

use crate::engine::record::Topic;
use crate::event::flight::{Cancellation, FlightState};
use crate::flight::zones;
use crate::simulate::interval::{hours_of, minutes_of, to_minute};
use crate::simulate::numbers::JourneysNumbers;
use crate::simulate::pending::{Pending, Saying};
use crate::simulate::places::Place;
use crate::simulate::random::Random;
use crate::simulate::travel::Flown;
use crate::simulate::wire::{SlotLine, StatusLine, TimesLine, json};
use crate::units::{Span, UtcMillis};

/// A flight as booked.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    pub flight: String,
    pub from: Place,
    pub to: Place,
    pub departs: UtcMillis,
    pub arrives: UtcMillis,
}

impl Leg {
    fn key(&self) -> String {
        let date = zones::local_date(self.from.zone(), self.departs);
        format!("{}|{date}|{}", self.flight, self.from.iata())
    }
}

/// What becomes of a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlightFate {
    /// Give or take minutes; where `small_delay` says when, five minutes are announced before.
    OnTime {
        small_delay: Option<UtcMillis>,
    },
    /// As told at `told`; `more` is added on the way, told between then and departure.
    Delayed {
        small_delay: Option<UtcMillis>,
        told: UtcMillis,
        by: Span,
        more: Span,
    },
    Cancelled {
        told: UtcMillis,
    },
    /// Over the destination's weather: lands at the alternate.
    Diverted,
}

const SMALL_DELAY: Span = Span::minutes(5);

/// A feed that writes to `pending`.
pub struct Feed<'a> {
    pub random: &'a mut Random,
    pub pending: &'a mut Pending,
    pub numbers: &'a JourneysNumbers,
}

/// What a status says beside its state.
#[derive(Clone, Copy, Default)]
struct Extra {
    diverted_to: Option<Place>,
    cancellation: Option<Cancellation>,
}

impl Feed<'_> {
    fn say(&mut self, leg: &Leg, key: &str, state: FlightState, at: UtcMillis, times: TimesLine, extra: Extra) {
        let line = StatusLine {
            flight_key: key,
            state,
            observed_at: at,
            provider: "simulated",
            origin: leg.from.iata(),
            destination: leg.to.iata(),
            times,
            diverted_to: extra.diverted_to.map(Place::iata),
            cancellation: extra.cancellation,
        };
        let stamp = at + Span(libm::round(self.random.uniform(1_000.0, 20_000.0)) as i64);
        let record = Saying::Record { topic: Topic::FlightStatus, key: key.to_owned(), value: json(&line) };
        self.pending.put(stamp, record);
    }

    fn timetable(&self, leg: &Leg) -> TimesLine {
        let slot = |at| SlotLine { scheduled: Some(at), ..SlotLine::default() };
        TimesLine {
            out: slot(leg.departs),
            off: slot(leg.departs + minutes_of(self.numbers.taxi_out)),
            on: slot(leg.arrives - minutes_of(self.numbers.taxi_in)),
            r#in: slot(leg.arrives),
        }
    }

    /// The day before, or when it was booked, if that was later.
    fn announce(&mut self, leg: &Leg, key: &str, known_at: UtcMillis) {
        let at = (leg.departs - Span::hours(24)).max(known_at + Span::minutes(10));
        self.say(leg, key, FlightState::Scheduled, at, self.timetable(leg), Extra::default());
    }

    fn delay(&mut self, leg: &Leg, key: &str, at: UtcMillis, by: Span) {
        let mut times = self.timetable(leg);
        times.out.estimated = Some(leg.departs + by);
        times.r#in.estimated = Some(leg.arrives + by);
        self.say(leg, key, FlightState::Delayed, at, times, Extra::default());
    }

    /// Suspected, some minutes later confirmed at `told`.
    pub fn cancel(&mut self, leg: &Leg, known_at: UtcMillis, told: UtcMillis) {
        let key = leg.key();
        self.announce(leg, &key, known_at);
        let suspected = told - self.random.minutes(8.0, 25.0);
        for (at, cancellation) in [(suspected, Cancellation::Suspected), (told, Cancellation::Confirmed)] {
            let extra = Extra { cancellation: Some(cancellation), ..Extra::default() };
            self.say(leg, &key, FlightState::Cancelled, at, self.timetable(leg), extra);
        }
    }

    /// Everything of a flight that takes off.
    pub fn fly(&mut self, leg: &Leg, known_at: UtcMillis, fate: FlightFate) -> Flown {
        let key = leg.key();
        self.announce(leg, &key, known_at);
        let late = match fate {
            FlightFate::OnTime { small_delay } => {
                self.small_delay(leg, &key, small_delay);
                self.random.minutes(-3.0, 9.0)
            }
            FlightFate::Delayed { small_delay, told, by, more } => {
                self.small_delay(leg, &key, small_delay);
                self.delay(leg, &key, told, by);
                if more != Span::ZERO {
                    self.delay(leg, &key, told + Span((leg.departs + by - told).0 / 2), by + more);
                }
                by + more + self.random.minutes(-2.0, 6.0)
            }
            FlightFate::Cancelled { .. } | FlightFate::Diverted => self.random.minutes(-3.0, 9.0),
        };
        let out = to_minute(leg.departs + late);
        let off = out + minutes_of(self.numbers.taxi_out) + self.random.minutes(-4.0, 12.0);
        let arrived = to_minute(leg.arrives + late + self.random.minutes(-14.0, 10.0));
        let on = arrived - minutes_of(self.numbers.taxi_in);
        let flown = Flown { out, off, on, arrived, zone: leg.to.zone() };
        let alternate = if fate == FlightFate::Diverted { leg.to.alternate() } else { None };
        self.under_way(leg, &key, flown, alternate);
        match alternate {
            Some(_) => Flown { arrived: arrived + hours_of(self.numbers.overland), ..flown },
            None => flown,
        }
    }

    fn small_delay(&mut self, leg: &Leg, key: &str, at: Option<UtcMillis>) {
        if let Some(at) = at {
            self.delay(leg, key, at, SMALL_DELAY);
        }
    }

    /// Out, off, on, in.
    fn under_way(&mut self, leg: &Leg, key: &str, flown: Flown, alternate: Option<Place>) {
        let mut times = self.timetable(leg);
        times.out.actual = Some(flown.out);
        times.r#in.estimated = Some(flown.arrived);
        self.say(leg, key, FlightState::Out, flown.out, times, Extra::default());
        times.off.actual = Some(flown.off);
        self.say(leg, key, FlightState::Off, flown.off, times, Extra::default());
        let extra = Extra { diverted_to: alternate, ..Extra::default() };
        let (landed, arrived) = match alternate {
            Some(_) => {
                let told = flown.on - self.random.minutes(40.0, 80.0);
                self.say(leg, key, FlightState::Diverted, told.max(flown.off), times, extra);
                (FlightState::Diverted, FlightState::Diverted)
            }
            None => (FlightState::On, FlightState::In),
        };
        times.on.actual = Some(flown.on);
        self.say(leg, key, landed, flown.on, times, extra);
        times.r#in.actual = Some(flown.arrived);
        self.say(leg, key, arrived, flown.arrived, times, extra);
    }
}
