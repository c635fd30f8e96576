//! People and journeys for the planner's tests.

use std::fmt::Write;

use chrono_tz::Tz;

use super::{Clock, Heading, Person, Place, Plan, Repair, Situation, Stretch, make};
use crate::event::activity::{AgeBand, UsualNap};
use crate::event::flight::Iata;
use crate::event::recommendation::{Action, ActionKind};
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

/// A situation that owns what it speaks of.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish or a rule of its own")]
pub(super) struct Case {
    pub now: UtcMillis,
    pub name: Option<String>,
    pub band: AgeBand,
    pub age_months: f64,
    pub home: Tz,
    pub bedtime: u16,
    pub wake: u16,
    pub naps: Vec<UsualNap>,
    pub wake_window: Option<Hours>,
    pub melatonin: bool,
    pub caffeine: bool,
    pub no_bright_light: bool,
    pub clock: Option<Clock>,
    pub whereabouts: Vec<Stretch>,
    pub repair: Option<Repair>,
    pub asleep_since: Option<UtcMillis>,
    pub keep_home_time: bool,
    pub trip_known_at: Option<UtcMillis>,
    pub heading: Option<Heading>,
}

impl Case {
    pub fn plan(&self) -> Plan {
        self.with(|situation| make(situation, "h1"))
    }

    pub fn with<T>(&self, ask: impl FnOnce(&Situation<'_>) -> T) -> T {
        let person = Person {
            user_id: "mia",
            display_name: self.name.as_deref(),
            band: self.band,
            age_months: self.age_months,
            home_time_zone: self.home,
            bedtime: self.bedtime,
            wake: self.wake,
            naps: &self.naps,
            wake_window: self.wake_window,
            melatonin: self.melatonin,
            caffeine: self.caffeine,
            no_bright_light: self.no_bright_light,
        };
        ask(&Situation {
            now: self.now,
            person,
            clock: self.clock,
            whereabouts: &self.whereabouts,
            repair: self.repair,
            asleep_since: self.asleep_since,
            keep_home_time: self.keep_home_time,
            trip_known_at: self.trip_known_at,
            heading: self.heading,
        })
    }

    /// Settled at home: the clock is where habitual life holds it.
    pub fn settled(now: &str, zone: Tz, band: AgeBand, age_months: f64, bedtime: u16, wake: u16) -> Case {
        let now = utc(now);
        let delta = Hours(0.9);
        let night = Span::minutes((i64::from(wake) - i64::from(bedtime)).rem_euclid(1440));
        let date = zones::local_date(zone, now);
        let usual = zones::to_utc(zone, date, i32::from(bedtime)) + Span(night.0 / 2) + Span::from_hours(delta);
        let ahead = Span((usual - now).0.rem_euclid(Span::days(1).0));
        Case {
            now,
            name: Some("Mia".to_owned()),
            band,
            age_months,
            home: zone,
            bedtime,
            wake,
            naps: Vec::new(),
            wake_window: None,
            melatonin: false,
            caffeine: false,
            no_bright_light: false,
            clock: Some(Clock { cbt_min: now + ahead, sd: Hours(0.8), delta }),
            whereabouts: vec![Stretch { from: now - Span::days(30), to: None, time_zone: zone, place: Place::Home }],
            repair: None,
            asleep_since: None,
            keep_home_time: false,
            trip_known_at: None,
            heading: None,
        }
    }

    /// Adds a flight; who lands stays there.
    pub fn flying(mut self, departs: &str, arrives: &str, to: &str, zone: Tz) -> Case {
        let (departs, arrives) = (utc(departs), utc(arrives));
        let destination = Iata::parse(to).unwrap();
        let last = self.whereabouts.last_mut().unwrap();
        last.to = Some(departs);
        let place = Place::Aboard { origin: Iata::parse("AMS").unwrap(), destination };
        self.whereabouts.push(Stretch { from: departs, to: Some(arrives), time_zone: zone, place });
        let place = Place::Away { airport: destination };
        self.whereabouts.push(Stretch { from: arrives, to: None, time_zone: zone, place });
        self
    }
}

pub(super) fn utc(text: &str) -> UtcMillis {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
}

/// A toddler of 18 months with one nap, at home in Amsterdam.
pub(super) fn toddler(now: &str) -> Case {
    let mut case = Case::settled(now, Tz::Europe__Amsterdam, AgeBand::Toddler, 18.0, 19 * 60 + 15, 6 * 60 + 30);
    case.naps = vec![UsualNap { start: 12 * 60 + 30, minutes: 105 }];
    case.wake_window = Some(Hours(5.3));
    case
}

/// A baby of 10 months with two naps, at home in London.
pub(super) fn baby(now: &str) -> Case {
    let mut case = Case::settled(now, Tz::Europe__London, AgeBand::Infant, 10.0, 19 * 60, 6 * 60 + 45);
    case.naps = vec![UsualNap { start: 10 * 60, minutes: 75 }, UsualNap { start: 14 * 60 + 45, minutes: 75 }];
    case.wake_window = Some(Hours(3.5));
    case
}

pub(super) fn adult(now: &str) -> Case {
    let mut case = Case::settled(now, Tz::Europe__Amsterdam, AgeBand::Adult, 420.0, 23 * 60, 7 * 60);
    case.name = None;
    case
}

pub(super) fn of_kind(plan: &Plan, kind: ActionKind) -> Vec<&Action> {
    plan.actions.iter().filter(|action| action.kind == kind).collect()
}

pub(super) fn locals(plan: &Plan, kind: ActionKind) -> Vec<String> {
    of_kind(plan, kind).into_iter().map(|action| action.local.clone()).collect()
}

/// One line an action, for reading.
pub(super) fn as_text(plan: &Plan) -> String {
    let mut text = String::new();
    for action in &plan.actions {
        let zone = zones::parse(&action.time_zone).unwrap();
        writeln!(
            text,
            "{} {} {:<13} {} {} | {}",
            zones::local_date(zone, action.start),
            action.local,
            action.kind.as_str(),
            action.time_zone,
            action.message,
            action.why
        )
        .unwrap();
    }
    if let Some(expect) = &plan.expect {
        writeln!(
            text,
            "adapted {} ({} to {}), by itself {}",
            expect.adapted_on, expect.range[0], expect.range[1], expect.unassisted_on
        )
        .unwrap();
    }
    text
}
