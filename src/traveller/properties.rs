//! What must hold for every history: order, repetition and the time of settling make no difference.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::circadian::BIN;
use crate::event::activity::{
    Age, Chronotype, LightContext, LightExposure, LightLevel, Marker, Meal, MealKind, PhaseMeasurement, Profile,
    SleepKind,
};
use crate::event::flight::Iata;
use crate::planner::Place;
use crate::traveller::reports::SleepReport;
use crate::units::Lux;

/// 2026-03-10 12:00 UTC: the end of every history.
const END: UtcMillis = UtcMillis(1_773_144_000_000);

fn models() -> &'static Models {
    static MODELS: std::sync::OnceLock<Models> = std::sync::OnceLock::new();
    MODELS.get_or_init(Models::embedded)
}

#[derive(Clone, Debug)]
enum Fact {
    Light(LightExposure),
    Meal(Meal),
    SeenAsleep(UtcMillis),
    Sleep(SleepReport),
    Measured(PhaseMeasurement, UtcMillis),
}

impl Fact {
    /// The earliest time at which it can have been told.
    fn told_from(&self) -> UtcMillis {
        match self {
            Fact::Light(light) => light.end,
            Fact::Meal(meal) => meal.end,
            Fact::SeenAsleep(at) => *at,
            Fact::Sleep(sleep) => sleep.end.unwrap_or(sleep.start),
            Fact::Measured(measured, _) => measured.at,
        }
    }

    fn tell(&self, traveller: &mut Traveller, view: &View<'_>) -> Noted {
        match self {
            Fact::Light(light) => traveller.note_light(&view.models.light, light, view.now),
            Fact::Meal(meal) => traveller.note_meal(meal, view.now),
            Fact::SeenAsleep(at) => traveller.note_seen_asleep(*at, view.now),
            Fact::Sleep(sleep) => traveller.note_sleep(view, sleep),
            Fact::Measured(measured, stamp) => traveller.note_measurement(view, measured, *stamp),
        }
    }
}

/// A fact that lies between `from` minutes before the end and the end.
fn fact(from: i64) -> impl Strategy<Value = Fact> {
    let time = (1..from).prop_map(|minutes| END - Span::minutes(minutes));
    let level = prop_oneof![
        4 => (0.0..20_000.0f64).prop_map(|lux| LightLevel::Lux(Lux(lux))),
        1 => prop_oneof![Just(f64::NAN), Just(1e9), Just(-5.0)].prop_map(|lux| LightLevel::Lux(Lux(lux))),
        1 => Just(LightLevel::Context(LightContext::Outdoor)),
        1 => Just(LightLevel::Context(LightContext::Dark)),
        1 => Just(LightLevel::Usual),
    ];
    let light = (time.clone(), 0i64..180, level).prop_map(|(start, minutes, level)| {
        let end = (start + Span::minutes(minutes)).min(END);
        Fact::Light(LightExposure { start, end, level })
    });
    let meal = time.clone().prop_map(|at| Fact::Meal(Meal { start: at, end: at, kind: MealKind::Meal }));
    let seen = time.clone().prop_map(Fact::SeenAsleep);
    // At coarse times, so that some are versions of one test.
    let measured = (time.clone(), any::<bool>(), 0i64..240, 0i64..60).prop_map(|(at, is_dlmo, minutes, stamp)| {
        let marker = if is_dlmo { Marker::Dlmo } else { Marker::Cbtmin };
        let at = (at.floor_to(Span::hours(7)) + Span::hours(7)).min(END);
        Fact::Measured(PhaseMeasurement { marker, at, sd: Span::minutes(minutes) }, at + Span::minutes(stamp))
    });
    let sleep = (time, prop_oneof![3 => 1i64..720, 1 => 720i64..1_440], 0u8..16, 0i64..60).prop_map(
        |(start, minutes, flags, stamp)| {
            // Starts on a coarse grid, so that records of one start contradict one another.
            let start = start.floor_to(Span::minutes(90)) + Span::minutes(7);
            let start = start.min(END - Span::minutes(1));
            let end = (flags % 4 != 0).then(|| (start + Span::minutes(minutes)).min(END));
            let kind = (flags & 0b1100 == 0b1100).then_some(SleepKind::Nap);
            let deleted = flags == 5;
            Fact::Sleep(SleepReport { start, end, kind, deleted, stamp: END + Span::minutes(stamp) })
        },
    );
    prop_oneof![8 => sleep, 6 => light, 2 => meal, 2 => seen, 2 => measured]
}

fn profile(infant: bool, zone: Tz) -> Profile {
    Profile {
        display_name: None,
        age: if infant {
            Age::Born { year: 2025, month: 6 }
        } else {
            Age::Band(crate::event::activity::AgeBand::Adult)
        },
        home_time_zone: zone,
        bedtime: if infant { 1_170 } else { 1_380 },
        wake: 420,
        naps: infant.then(|| Box::from([UsualNap { start: 600, minutes: 75 }, UsualNap { start: 870, minutes: 75 }])),
        chronotype: Chronotype::Neither,
        caregiver: false,
        melatonin: false,
        caffeine: false,
        weeks_premature: 0,
        conditions: crate::event::activity::Conditions::default(),
    }
}

fn iata(code: &str) -> Iata {
    Iata::parse(code).unwrap()
}

/// At home, or with a flight from Amsterdam to New York that landed a day before the end.
fn whereabouts(home: Tz, away: bool) -> Vec<Stretch> {
    let forever = |from, time_zone, place| Stretch { from, to: None, time_zone, place };
    if !away {
        return vec![forever(UtcMillis(0), home, Place::Home)];
    }
    let (departs, lands) = (END - Span::hours(32), END - Span::hours(24));
    let (ams, jfk) = (iata("AMS"), iata("JFK"));
    let there = Tz::America__New_York;
    vec![
        Stretch { from: UtcMillis(0), to: Some(departs), time_zone: home, place: Place::Home },
        Stretch {
            from: departs,
            to: Some(lands),
            time_zone: there,
            place: Place::Aboard { origin: ams, destination: jfk },
        },
        forever(lands, there, Place::Away { airport: jfk }),
    ]
}

/// Everything that anybody could read off a traveller.
fn outcome(traveller: &mut Traveller, view: &View<'_>) -> String {
    traveller.set_nap_timer(view);
    let assessment = traveller.assess(view);
    let bits = assessment.clock.misalignment.map(|hours| hours.0.to_bits());
    format!(
        "{:?} {bits:?} {:?} {:?} {:?} {:?}",
        assessment.clock,
        assessment.sleep,
        assessment.asleep_since,
        assessment.usual_naps,
        traveller.timers().nap
    )
}

fn newcomer(infant: bool, zone: Tz, whereabouts: &[Stretch]) -> Traveller {
    let now = END - Span::days(9);
    let view = View { models: models(), whereabouts, now };
    let mut traveller = Traveller::new("mia", now);
    traveller.note_profile(&view, profile(infant, zone), now);
    traveller
}

const ZONES: [Tz; 4] = [Tz::Europe__Amsterdam, Tz::America__New_York, Tz::Asia__Kolkata, Tz::UTC];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn facts_of_the_window_give_the_same_in_any_order_and_however_often_they_are_told(
        before in proptest::collection::vec(fact(8 * 1_440), 0..30),
        facts in proptest::collection::vec(fact(48 * 60), 1..60),
        order in any::<u64>(),
        infant in any::<bool>(),
        away in any::<bool>(),
        zone in 0usize..4,
    ) {
        let zone = ZONES[zone];
        let whereabouts = whereabouts(zone, away);
        let at = |now| View { models: models(), whereabouts: &whereabouts, now };
        let window = clock::window_edge(END);
        let mut old: Vec<Fact> = before.into_iter().filter(|fact| fact.told_from() < window).collect();
        old.sort_by_key(Fact::told_from);

        let mut in_order = facts.clone();
        in_order.sort_by_key(Fact::told_from);
        let mut as_it_happened = newcomer(infant, zone, &whereabouts);
        for fact in old.iter().chain(&in_order) {
            fact.tell(&mut as_it_happened, &at(fact.told_from()));
        }

        let mut shuffled = facts.clone();
        shuffled.extend_from_slice(&facts[..facts.len() / 2]);
        let count = shuffled.len();
        for index in 0..count {
            let other = (order.rotate_left(index as u32) as usize).wrapping_mul(2_654_435_761) % count;
            shuffled.swap(index, other);
        }
        let mut all_at_once = newcomer(infant, zone, &whereabouts);
        for fact in &old {
            fact.tell(&mut all_at_once, &at(fact.told_from()));
        }
        // Whatever was settled before they came must not have been theirs to change.
        all_at_once.settle(&at(END));
        for fact in &shuffled {
            prop_assert!(!fact.tell(&mut all_at_once, &at(END)).late);
        }
        prop_assert_eq!(outcome(&mut as_it_happened, &at(END)), outcome(&mut all_at_once, &at(END)));
    }

    #[test]
    fn when_the_clock_is_settled_makes_no_difference(
        facts in proptest::collection::vec(fact(9 * 1_440), 1..80),
        settled in any::<u64>(),
        infant in any::<bool>(),
        away in any::<bool>(),
        zone in 0usize..4,
    ) {
        let zone = ZONES[zone];
        let whereabouts = whereabouts(zone, away);
        let at = |now| View { models: models(), whereabouts: &whereabouts, now };
        let mut facts = facts;
        facts.sort_by_key(Fact::told_from);
        let mut lazy = newcomer(infant, zone, &whereabouts);
        let mut eager = newcomer(infant, zone, &whereabouts);
        let mut random = newcomer(infant, zone, &whereabouts);
        for (index, fact) in facts.iter().enumerate() {
            let view = at(fact.told_from());
            fact.tell(&mut lazy, &view);
            fact.tell(&mut eager, &view);
            eager.settle(&view);
            fact.tell(&mut random, &view);
            if settled >> (index % 64) & 1 == 1 {
                random.settle(&view);
            }
        }
        let view = at(END);
        let wanted = outcome(&mut lazy, &view);
        prop_assert_eq!(&wanted, &outcome(&mut eager, &view));
        prop_assert_eq!(&wanted, &outcome(&mut random, &view));
        let later = at(END + Span::hours(30));
        lazy.settle(&later);
        prop_assert_eq!(outcome(&mut lazy, &later), outcome(&mut eager, &later));
    }

    #[test]
    fn contradictions_by_the_hundred_neither_panic_nor_grow(
        facts in proptest::collection::vec(fact(3 * 1_440), 200..400),
        infant in any::<bool>(),
        away in any::<bool>(),
    ) {
        let whereabouts = whereabouts(Tz::UTC, away);
        let view = View { models: models(), whereabouts: &whereabouts, now: END };
        let mut traveller = newcomer(infant, Tz::UTC, &whereabouts);
        for fact in &facts {
            fact.tell(&mut traveller, &view);
        }
        let assessment = traveller.assess(&view);
        let clock = &assessment.clock;
        prop_assert!(clock.amplitude > 0.0 && clock.amplitude <= 1.0);
        prop_assert!(clock.sd.0.is_finite() && clock.sd.0 > 0.0);
        prop_assert!(clock.misalignment.is_some_and(|hours| hours.0.abs() <= 12.0));
        let [from, to] = clock.interval_80.unwrap();
        prop_assert!(from < clock.cbt_min.unwrap() && clock.cbt_min.unwrap() < to && to - from <= Span::days(1));
        prop_assert!(traveller.heap_bytes() < 16_000);
        // What an answer costs is the window, and the stops in it, of which one more costs an hour's integration at most.
        traveller.settle(&view);
        let persona = traveller.persona(&view);
        let sources = traveller.light_sources(&view, &persona);
        let from = settled_until(END);
        let numbers = &models().filter.numbers;
        let stops = signs::happenings(numbers, &persona, &sources, Span::days(3), from, END);
        prop_assert!(stops.len() <= 32, "{} stops", stops.len());
    }

    #[test]
    fn light_is_dark_exactly_where_the_log_or_the_habit_has_sleep(start in 0i64..1_440, minutes in 15i64..600) {
        let whereabouts = whereabouts(Tz::UTC, false);
        let now = END;
        let view = View { models: models(), whereabouts: &whereabouts, now };
        let mut traveller = newcomer(false, Tz::UTC, &whereabouts);
        let start = (END - Span::minutes(start + minutes)).floor_to(BIN);
        let end = start + Span::minutes(minutes).max(Span(BIN.0));
        let stamp = END;
        traveller.note_sleep(&view, &SleepReport { start, end: Some(end), kind: None, deleted: false, stamp });
        let persona = traveller.persona(&view);
        let mut eye = light::LightAtEye::new(traveller.light_sources(&view, &persona), start);
        let mut bin = start;
        while bin + BIN <= end {
            prop_assert_eq!(eye.at(bin).light, Lux(0.0));
            bin += BIN;
        }
    }
}
