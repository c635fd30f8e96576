//! What holds for every plan, whoever it is for.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::fixtures::Case;
use super::nights::{Night, NightSort, nights};
use super::numbers::numbers;
use super::setting::Setting;
use super::target::{Direction, Outlook};
use super::{Clock, Heading, Place, Plan, Published, Reader, Repair, RepairKind, Stretch, compare};
use crate::event::activity::{AgeBand, UsualNap};
use crate::event::flight::Iata;
use crate::event::recommendation::{Action, ActionKind};
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

const ZONES: [Tz; 12] = [
    Tz::Europe__London,
    Tz::Europe__Amsterdam,
    Tz::America__New_York,
    Tz::America__Los_Angeles,
    Tz::Asia__Tokyo,
    Tz::Asia__Kolkata,
    Tz::Asia__Kathmandu,
    Tz::Australia__Lord_Howe,
    Tz::Australia__Sydney,
    Tz::Pacific__Kiritimati,
    Tz::Pacific__Pago_Pago,
    Tz::America__St_Johns,
];

fn band_of(age_months: f64) -> AgeBand {
    match age_months {
        months if months < 12.0 => AgeBand::Infant,
        months if months < 36.0 => AgeBand::Toddler,
        months if months < 216.0 => AgeBand::Child,
        _ => AgeBand::Adult,
    }
}

/// Legs as (minutes until departure or on the ground before it, minutes in the air, zone of arrival).
fn whereabouts(now: UtcMillis, home: Tz, legs: &[(i64, i64, usize)]) -> Vec<Stretch> {
    let airport = Iata::parse("ZZZ").unwrap();
    let mut stretches = vec![Stretch { from: now - Span::days(20), to: None, time_zone: home, place: Place::Home }];
    let mut at = now - Span::days(3);
    for (ground, air, zone) in legs {
        let (departs, arrives) = (at + Span::minutes(*ground), at + Span::minutes(ground + air));
        stretches.last_mut().unwrap().to = Some(departs);
        let time_zone = ZONES[*zone];
        let place = Place::Aboard { origin: airport, destination: airport };
        stretches.push(Stretch { from: departs, to: Some(arrives), time_zone, place });
        stretches.push(Stretch { from: arrives, to: None, time_zone, place: Place::Away { airport } });
        at = arrives;
    }
    stretches
}

fn repair(now: UtcMillis) -> impl Strategy<Value = Repair> {
    (any::<bool>(), 0..360i64, 0..240i64, 0..600i64).prop_map(move |(is_short, expected, noticed, awake)| {
        let noticed = now - Span::minutes(noticed);
        Repair {
            kind: if is_short { RepairKind::Short } else { RepairKind::Missed },
            expected: noticed - Span::minutes(expected),
            awake_since: noticed - Span::minutes(awake),
            noticed,
        }
    })
}

prop_compose! {
    fn case()(
        // 2024 to 2031, so that both changes of the clock are met.
        now in (1_704_067_200_000..1_924_992_000_000i64).prop_map(UtcMillis),
    )(
        now in Just(now),
        name in option::of(any::<String>()),
        age_months in prop_oneof![0.0..48.0f64, 0.0..840.0f64],
        wrong_band in option::weighted(0.1, prop_oneof![Just(AgeBand::Infant), Just(AgeBand::Adult)]),
        (home, bedtime, wake) in (
            0..ZONES.len(),
            prop_oneof![1080..1439u16, 0..1440u16],
            prop_oneof![300..540u16, 0..1440u16],
        ),
        naps in vec((480..1080u16, 0..300u16), 0..6),
        wake_window in option::of(prop_oneof![0.5..8.0f64, Just(f64::NAN), Just(0.0)]),
        (melatonin, caffeine, keep_home_time) in (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1)),
        no_bright_light in prop::bool::weighted(0.2),
        clock in option::weighted(0.9, (
            1..1440i64,
            prop_oneof![8 => 0.1..2.0f64, 2 => 2.0..7.0f64, 1 => Just(f64::NAN), 1 => Just(0.0)],
            -1.0..3.0f64,
        )),
        legs in vec((60..6000i64, 40..1000i64, 0..ZONES.len()), 0..4),
        repair in option::of(repair(now)),
        asleep in option::weighted(0.3, 0..1200i64),
        known in option::of(0..6000i64),
        heading in option::of((0..ZONES.len(), any::<bool>())),
    ) -> Case {
        let mut naps: Vec<UsualNap> = naps.into_iter().map(|(start, minutes)| UsualNap { start, minutes }).collect();
        naps.sort_by_key(|nap| nap.start);
        Case {
            now,
            name,
            band: wrong_band.unwrap_or(band_of(age_months)),
            age_months,
            home: ZONES[home],
            bedtime,
            wake,
            naps,
            wake_window: wake_window.map(Hours),
            melatonin,
            caffeine,
            no_bright_light,
            clock: clock.map(|(ahead, sd, delta)| Clock {
                cbt_min: now + Span::minutes(ahead),
                sd: Hours(sd),
                delta: Hours(delta),
            }),
            whereabouts: whereabouts(now, ZONES[home], &legs),
            repair,
            asleep_since: asleep.map(|ago| now - Span::minutes(ago)),
            keep_home_time,
            trip_known_at: known.map(|ago| now - Span::minutes(ago)),
            heading: heading.map(|(zone, advances)| Heading {
                time_zone: ZONES[zone],
                direction: if advances { Direction::Advance } else { Direction::Delay },
            }),
        }
    }
}

fn overlap(a: &Action, b: &Action) -> bool {
    a.start < b.end && b.start < a.end
}

fn is_asleep(action: &Action) -> bool {
    matches!(action.kind, ActionKind::Sleep | ActionKind::Nap)
}

/// What every reader of `recommendations` may rely on.
fn check_contract(case: &Case, plan: &Plan) -> Result<(), TestCaseError> {
    let mut a_day: BTreeMap<chrono::NaiveDate, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for action in &plan.actions {
        prop_assert!(action.start <= action.end && action.end > case.now, "over: {action:?}");
        prop_assert!(action.start < case.now + Span::days(3));
        prop_assert!(action.start >= case.now || is_asleep(action), "begun: {action:?}");
        prop_assert!(action.kind != ActionKind::Nap || action.start >= case.now || case.asleep_since.is_some());
        prop_assert!(!action.message.trim().is_empty() && action.message.ends_with('.'));
        prop_assert!(!action.message.contains('!') && !action.message.contains('\n') && !action.why.is_empty());
        let grid = Span::minutes(5);
        let on_grid = [action.start, action.end].iter().all(|at| at.floor_to(grid) == *at);
        prop_assert!(on_grid, "off the five-minute grid: {action:?}");
        let zone: Tz = action.time_zone.parse().unwrap();
        let local = format!("{}–{}", zones::hhmm(zone, action.start), zones::hhmm(zone, action.end));
        prop_assert_eq!(&action.local, &local);
        prop_assert!(ids.insert(action.action_id), "id twice: {}", action.action_id);
        *a_day.entry(zones::local_date(zone, action.start)).or_default() += 1;
    }
    prop_assert!(a_day.values().all(|actions| *actions <= 6));
    prop_assert!(plan.actions.is_sorted_by_key(|action| action.start));
    Ok(())
}

fn check_safety(case: &Case, plan: &Plan) -> Result<(), TestCaseError> {
    let is_minor = case.band != AgeBand::Adult || case.age_months < 216.0;
    for action in &plan.actions {
        let for_adults = matches!(action.kind, ActionKind::Melatonin | ActionKind::CaffeineUntil);
        prop_assert!(!(is_minor && for_adults));
        prop_assert!(case.melatonin || action.kind != ActionKind::Melatonin);
        prop_assert!(case.caffeine || action.kind != ActionKind::CaffeineUntil);
        if case.age_months < 3.0 || case.clock.is_none() {
            prop_assert!(is_asleep(action), "no clock to shift: {action:?}");
        }
        if case.age_months < 6.0 && action.kind == ActionKind::BrightLight {
            prop_assert!(!action.message.contains("outdoors"));
        }
        if case.age_months < 12.0 {
            prop_assert!(action.kind != ActionKind::Meal);
        }
    }
    Ok(())
}

fn check_light(case: &Case, plan: &Plan) -> Result<(), TestCaseError> {
    let is_bright = |action: &&Action| action.kind == ActionKind::BrightLight;
    let is_light = |action: &&Action| matches!(action.kind, ActionKind::BrightLight | ActionKind::DimLight);
    for light in plan.actions.iter().filter(is_light) {
        for other in plan.actions.iter().filter(|other| is_asleep(other) || is_light(other)) {
            prop_assert!(light == other || !overlap(light, other), "{light:?} {other:?}");
        }
    }
    for bright in plan.actions.iter().filter(is_bright) {
        for flight in case.whereabouts.iter().filter(|stretch| stretch.is_aboard()) {
            prop_assert!(!(bright.start < flight.to.unwrap_or(UtcMillis::MAX) && flight.from < bright.end));
        }
        let zone: Tz = bright.time_zone.parse().unwrap();
        let minutes = [bright.start, bright.end].map(|at| i32::from(zones::local(zone, at).minute_of_day));
        prop_assert!(minutes.iter().all(|minute| (360..=1290).contains(minute)), "{bright:?}");
    }
    for sleep in plan.actions.iter().filter(|action| is_asleep(action)) {
        let others = plan.actions.iter().filter(|other| is_asleep(other) && *other != sleep);
        prop_assert!(others.into_iter().all(|other| !overlap(sleep, other)), "{sleep:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_the_contract_and_harms_nobody(case in case()) {
        let plan = case.plan();
        check_contract(&case, &plan)?;
        check_safety(&case, &plan)?;
        check_light(&case, &plan)?;
        prop_assert_eq!(&plan, &case.plan(), "the same situation, another plan");
    }

    #[test]
    fn nobody_in_bed_is_sent_to_bed(case in case(), minutes in 10..240i64) {
        let is_sent = |sleep: &Action| {
            ["o bed", "Sleep from", "Sleep by", "Sleep on board between"].iter().any(|words| sleep.message.contains(words))
        };
        let told = case.plan().actions.into_iter().filter(|action| action.kind == ActionKind::Sleep);
        for night in told {
            // Whether the night begins just then, for who asks so long after its bedtime.
            let begins_now = |minutes| {
                let later = Case { now: night.start + Span::minutes(minutes), asleep_since: None, ..case.clone() };
                let plan = later.plan();
                let sleep = plan.actions.iter().find(|sleep| sleep.action_id == night.action_id);
                let is_running = sleep.is_some_and(|sleep| sleep.start < later.now && is_sent(sleep));
                prop_assert!(!is_running, "{sleep:?}");
                Ok(later.now < night.end && sleep.is_some_and(|sleep| sleep.start == later.now.ceil_to(Span::minutes(5))))
            };
            // Once can be chance, where an older estimate puts a night off.
            prop_assert!(!(begins_now(minutes)? && begins_now(minutes + 20)?), "{night:?}");
        }
    }

    #[test]
    fn a_condition_takes_bright_light_out_of_the_plan_and_nothing_else(case in case()) {
        let free = Case { no_bright_light: false, ..case.clone() }.plan();
        let forbidden = Case { no_bright_light: true, ..case }.plan();
        let is_bright = |action: &&Action| action.kind == ActionKind::BrightLight;
        prop_assert_eq!(forbidden.actions.iter().find(is_bright), None);
        let said = forbidden.actions.iter().filter(|action| action.message.contains("Bright light is left out")).count();
        let has_night = free.actions.iter().any(|action| action.kind == ActionKind::Sleep);
        let advised = free.actions.iter().any(|action| is_bright(&action));
        prop_assert!(said <= 1 && (said == 1 || !advised || !has_night), "said {} times", said);
        // A day that was full has room for what it had left out; all that it had stays.
        for action in free.actions.iter().filter(|action| !is_bright(action)) {
            let same = forbidden.actions.iter().find(|other| other.action_id == action.action_id);
            prop_assert!(same.is_some_and(|same| (same.start, same.end) == (action.start, action.end)), "{:?}", action);
        }
    }

    #[test]
    fn a_plan_made_twice_is_no_news(case in case()) {
        let plan = case.plan();
        let published: Vec<Published> = plan.actions.iter().map(Published::of).collect();
        let difference = compare(&published, &plan, Reader { now: case.now, time_zone: case.home });
        prop_assert!(!difference.worth_saying && difference.changes.is_empty(), "{:?}", difference);
    }

    #[test]
    fn nobody_is_expected_to_be_adapted_before_the_landing(case in case()) {
        let plan = case.plan();
        case.with(|situation| {
            let setting = Setting::new(situation);
            let course = Outlook::of(&setting).course;
            prop_assert!(plan.expect.is_none() || course.is_some());
            if let (Some(expect), Some(course)) = (&plan.expect, course) {
                let landing = zones::local_date(course.zone, course.arrival.max(case.now)).to_string();
                let [earliest, latest] = &expect.range;
                prop_assert!(*earliest >= landing && expect.adapted_on >= landing, "{:?} {landing}", expect);
                prop_assert!(*earliest <= expect.adapted_on && expect.adapted_on <= *latest, "{:?}", expect);
                prop_assert!(expect.unassisted_on >= expect.adapted_on, "{:?}", expect);
            }
            Ok(())
        })?;
    }

    #[test]
    fn advancing_nothing_is_bright_in_the_two_hours_before_cbt_min(case in case()) {
        let plan = case.plan();
        case.with(|situation| {
            let setting = Setting::new(situation);
            let outlook = Outlook::of(&setting);
            let advances = outlook.course.is_some_and(|course| course.direction == Direction::Advance);
            for cbt_min in outlook.cbt_mins.iter().filter(|_| advances) {
                let before = *cbt_min - Span::hours(2);
                for action in plan.actions.iter().filter(|action| action.kind == ActionKind::BrightLight) {
                    prop_assert!(action.end <= before || action.start >= *cbt_min);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn whole_nights_leave_the_least_sleep_for_the_age_and_move_by_its_cap(case in case()) {
        case.with(|situation| {
            let setting = Setting::new(situation);
            let outlook = Outlook::of(&setting);
            let naps: i64 = case.naps.iter().map(|nap| i64::from(nap.minutes)).sum();
            let least = numbers().ages.sleep_minimum(case.age_months) - Span::minutes(naps);
            let nights = nights(&setting, &outlook);
            for night in nights.iter().filter(|night| night.is_told) {
                // Of a night that has begun only the rest is told.
                let has_begun = night.window.start <= setting.grid_up(case.now);
                let is_cut = night.sort.is_part();
                let is_whole = !is_cut && !has_begun;
                prop_assert!(!is_whole || night.window.length() >= least, "{night:?}");
            }
            let departure = outlook.course.and_then(|course| course.departure).unwrap_or(UtcMillis::MAX);
            let at_home = |night: &Night| {
                let is_whole = matches!(night.sort, NightSort::Moved(_) | NightSort::Usual);
                // A sleep that is going on is told from its start, whatever was planned; what is ahead of a night, from now.
                let has_begun = night.window.start <= setting.grid_up(case.now);
                is_whole && !has_begun && night.window.start < departure && night.zone == nights[0].zone
            };
            let in_a_row = |pair: &&[Night]| pair[1].day - pair[0].day == chrono::TimeDelta::days(1);
            for pair in nights.windows(2).filter(|pair| pair.iter().all(at_home)).filter(in_a_row) {
                let offset = |at| zones::offset_at(pair[0].zone, at);
                let [evening, next] = [pair[0].window.start, pair[1].window.start];
                let moved = (next + offset(next)) - (evening + offset(evening)) - Span::days(1);
                // Where the clock changes, before or after bedtime, that night is told up to an hour off.
                let jump = (offset(pair[1].window.end) - offset(evening - Span::hours(12))).abs();
                let cap = numbers().ages.band(case.band).daily_shift + jump;
                prop_assert!(moved.abs() <= cap, "{:?}", nights);
            }
            Ok(())
        })?;
    }

    #[test]
    fn in_settled_life_time_going_by_is_no_news(
        case in case(),
        minutes in 1..3000i64,
        (bedtime, wake) in (1110..1440u16, 300..510u16),
        naps in vec((0..40u16, 20..100u16), 0..4),
    ) {
        let mut case = Case { bedtime, wake, ..case };
        // A profile that makes sense: naps three hours apart, after waking and before bed.
        let usual_nap = |(slot, (after, minutes)): (usize, (u16, u16))| UsualNap { start: 540 + 180 * slot as u16 + after, minutes };
        case.naps = naps.into_iter().enumerate().map(usual_nap).collect();
        case.whereabouts.truncate(1);
        (case.whereabouts[0].to, case.clock, case.repair, case.asleep_since) = (None, None, None, None);
        let published: Vec<Published> = case.plan().actions.iter().map(Published::of).collect();
        case.now += Span::minutes(minutes);
        let difference = compare(&published, &case.plan(), Reader { now: case.now, time_zone: case.home });
        prop_assert!(!difference.worth_saying, "{:?}", difference);
    }
}
