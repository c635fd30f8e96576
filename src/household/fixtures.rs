//! A household's life in tests: events at times, timers in between, and what is said.

use std::sync::OnceLock;

use chrono_tz::Tz;

use super::{Household, Travellers};
use crate::engine::{Effect, Effects, Moment, Position, Processor, Topic, Unit};
use crate::event::activity::{
    Activity, ActivityEvent, Age, AgeBand, Chronotype, FlightUpdate, Leg, LightExposure, LightLevel, NapSkipped,
    Profile, Sleep, Trip, UsualNap,
};
use crate::event::flight::{Cancellation, FlightKey, FlightState, FlightStatus, FlightTimes, Iata, SlotTimes, Watch};
use crate::event::recommendation::{Estimate, Reason, Recommendation};
use crate::planner::Stretch;
use crate::traveller::{Models, Traveller};
use crate::units::{Lux, Span, UtcMillis};

/// Monday 2026-03-02, midnight in London and UTC.
pub const MONDAY: UtcMillis = UtcMillis(1_772_409_600_000);

pub fn processor() -> &'static Travellers {
    static PROCESSOR: OnceLock<Travellers> = OnceLock::new();
    PROCESSOR.get_or_init(Travellers::embedded)
}

/// `hours` after the midnight that begins day `day`.
pub fn at(day: i64, hours: f64) -> UtcMillis {
    MONDAY + Span::days(day) + Span::minutes((hours * 60.0).round() as i64)
}

pub fn adult(zone: Tz) -> Profile {
    Profile {
        display_name: None,
        age: Age::Band(AgeBand::Adult),
        home_time_zone: zone,
        bedtime: 1_380,
        wake: 420,
        naps: None,
        chronotype: Chronotype::Neither,
        caregiver: true,
        melatonin: false,
        caffeine: false,
        weeks_premature: 0,
        conditions: crate::event::activity::Conditions::default(),
    }
}

/// Ten months old, two naps, 19:30 to 07:00.
pub fn infant(zone: Tz) -> Profile {
    Profile {
        display_name: Some("Mia".into()),
        age: Age::Born { year: 2025, month: 5 },
        bedtime: 1_170,
        naps: Some(Box::from([UsualNap { start: 630, minutes: 75 }, UsualNap { start: 930, minutes: 75 }])),
        caregiver: false,
        ..adult(zone)
    }
}

/// One household, followed through time.
pub struct Story {
    pub household: Household,
    pub now: UtcMillis,
    offset: i64,
    pub said: Vec<Recommendation>,
    pub watches: Vec<Watch>,
    pub late: u32,
    pub held: u32,
}

impl Story {
    pub fn new() -> Story {
        Story {
            household: Household::new("h1"),
            now: UtcMillis::MIN,
            offset: 0,
            said: Vec::new(),
            watches: Vec::new(),
            late: 0,
            held: 0,
        }
    }

    fn take(&mut self, effects: Effects) {
        self.late += effects.late_events;
        self.held += effects.held_unchanged;
        for effect in effects.list {
            match effect {
                Effect::Recommend(recommendation) => self.said.push(*recommendation),
                Effect::Watch(watch) => self.watches.push(watch),
                Effect::FlightUpdate { .. } => panic!("a household tells no household of flights"),
            }
        }
    }

    fn position(&self) -> Position {
        Position { topic: Topic::UserActivity, partition: 0, offset: self.offset }
    }

    /// Lets time pass, with the timers that come due.
    pub fn until(&mut self, time: UtcMillis) {
        let mut fired = 0;
        while let Some(due) = self.household.next_due().filter(|due| *due <= time) {
            fired += 1;
            assert!(fired < 1_000, "a timer comes due again and again");
            self.now = self.now.max(due);
            let moment = Moment { now: self.now, judged_at: self.now, position: Some(self.position()) };
            let mut effects = Effects::default();
            processor().fire(&mut self.household, &moment, &mut effects);
            self.take(effects);
        }
        self.now = self.now.max(time);
    }

    /// An event of `user` in a record that arrives at `time`.
    pub fn tell(&mut self, time: UtcMillis, user: &str, activity: Activity) {
        self.tell_judged(time, time, user, activity);
    }

    /// The same in a record that was first written at `judged_at`.
    pub fn tell_judged(&mut self, time: UtcMillis, judged_at: UtcMillis, user: &str, activity: Activity) {
        self.until(time);
        self.offset += 1;
        let event = ActivityEvent { household_id: "h1".into(), user_id: user.into(), time_zone: None, activity };
        let moment = Moment { now: self.now, judged_at, position: Some(self.position()) };
        let mut effects = Effects::default();
        processor().apply(&mut self.household, event, &moment, &mut effects);
        self.take(effects);
    }

    pub fn profile(&mut self, time: UtcMillis, user: &str, profile: Profile) {
        self.tell(time, user, Activity::Profile(Box::new(profile)));
    }

    /// A sleep, told when it is over.
    pub fn slept(&mut self, user: &str, start: UtcMillis, end: UtcMillis) {
        self.slept_told_at(end + Span::minutes(1), user, start, end);
    }

    pub fn slept_told_at(&mut self, time: UtcMillis, user: &str, start: UtcMillis, end: UtcMillis) {
        let sleep = Sleep::Interval { start, end: Some(end), kind: None, deleted: false };
        self.tell(time, user, Activity::Sleep(sleep));
    }

    /// A nap, told when it begins and when it is over.
    pub fn napped(&mut self, user: &str, start: UtcMillis, end: UtcMillis) {
        self.fell_asleep(user, start);
        self.slept(user, start, end);
    }

    pub fn fell_asleep(&mut self, user: &str, start: UtcMillis) {
        let sleep = Sleep::Interval { start, end: None, kind: None, deleted: false };
        self.tell(start + Span::minutes(1), user, Activity::Sleep(sleep));
    }

    pub fn skipped(&mut self, user: &str, time: UtcMillis) {
        self.tell(time, user, Activity::NapSkipped(NapSkipped { at: time, reason: None }));
    }

    pub fn light(&mut self, user: &str, time: UtcMillis, lux: f64) {
        let light = LightExposure { start: time, end: time, level: LightLevel::Lux(Lux(lux)) };
        self.tell(time, user, Activity::Light(light));
    }

    /// The infant's regular days from `first` to `last`, and the night before the day after.
    pub fn regular_days(&mut self, user: &str, first: i64, last: i64) {
        for day in first..=last {
            // A little to and fro, always the same.
            let off = ((day * 37) % 21 - 10) as f64 / 60.0;
            self.slept(user, at(day - 1, 19.5 + off), at(day, 7.0 - off));
            self.napped(user, at(day, 10.5 + off), at(day, 11.75 + off));
            self.napped(user, at(day, 15.5 - off), at(day, 16.75 - off));
        }
        self.slept(user, at(last, 19.5), at(last + 1, 7.0));
    }

    /// Where somebody was, is and will be, as announced.
    pub fn whereabouts_of(&self, traveller: &Traveller) -> Vec<Stretch> {
        static MODELS: OnceLock<Models> = OnceLock::new();
        self.household.whereabouts(MODELS.get_or_init(Models::embedded), traveller)
    }

    pub fn estimates(&self) -> Vec<Estimate> {
        processor().estimates(&self.household, None, self.now)
    }

    pub fn reasons(&self) -> Vec<(&str, Reason)> {
        self.said.iter().map(|said| (said.user_id.as_str(), said.reason)).collect()
    }

    /// What was said since the story had `before` recommendations.
    pub fn said_since(&self, before: usize) -> Vec<(&str, Reason)> {
        self.reasons().split_off(before)
    }
}

pub fn iata(code: &str) -> Iata {
    Iata::parse(code).unwrap()
}

/// A flight as booked.
pub fn leg(flight: &str, origin: &str, destination: &str, departs: UtcMillis, arrives: UtcMillis) -> Leg {
    let date = &departs.to_rfc3339()[..10];
    Leg {
        flight: flight.into(),
        flight_key: FlightKey(format!("{flight}|{date}|{origin}").into()),
        origin: iata(origin),
        destination: iata(destination),
        departs,
        arrives,
    }
}

pub fn trip(revision: u32, travellers: &[&str], legs: Vec<Leg>) -> Trip {
    Trip {
        trip_id: "t1".into(),
        revision,
        legs,
        travellers: travellers.iter().map(|user| (*user).into()).collect(),
        stay_until: None,
    }
}

/// London to New York on Monday a week later, with Ana and Mia on board.
pub fn to_new_york() -> Leg {
    leg("BA117", "LHR", "JFK", at(7, 12.0), at(7, 20.0))
}

/// What is known of a flight that is late by so much.
pub fn status(leg: &Leg, observed_at: UtcMillis, late_by: Span) -> FlightStatus {
    let slot = |scheduled: UtcMillis| SlotTimes {
        scheduled: Some(scheduled),
        estimated: (late_by != Span::ZERO).then_some(scheduled + late_by),
        ..SlotTimes::default()
    };
    FlightStatus {
        flight_key: leg.flight_key.clone(),
        state: if late_by == Span::ZERO { FlightState::Scheduled } else { FlightState::Delayed },
        observed_at,
        provider: Some("test".into()),
        times: FlightTimes { out: slot(leg.departs), in_: slot(leg.arrives), ..FlightTimes::default() },
        diverted_to: None,
        cancellation: None,
        origin: Some(leg.origin),
        destination: Some(leg.destination),
    }
}

pub fn cancelled(leg: &Leg, observed_at: UtcMillis) -> FlightStatus {
    FlightStatus {
        state: FlightState::Cancelled,
        cancellation: Some(Cancellation::Confirmed),
        ..status(leg, observed_at, Span::ZERO)
    }
}

pub fn news(status: FlightStatus) -> Activity {
    Activity::FlightUpdate(Box::new(FlightUpdate { status }))
}
