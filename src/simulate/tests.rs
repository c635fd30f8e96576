//! What the simulated families promise to those who rely on them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::engine::record::{Position, Record, Topic};
use crate::event::activity::{Activity, Sleep};
use crate::event::decode;
use crate::event::flight::{FlightEvent, FlightState};
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

/// 2026-10-01T00:00:00Z: clocks go back in Europe and North America, and forward in the south, within the weeks after.
const START: UtcMillis = UtcMillis(1_790_812_800_000);

fn scenario(families: u32, days: i64) -> Scenario {
    Scenario::new(families, START, START + Span::days(days), 11)
}

fn checked(record: &SimulatedRecord) -> Record<'_> {
    Record {
        position: Position { topic: record.topic, partition: 0, offset: 0 },
        stamp: record.stamp,
        key: Some(record.key.as_bytes()),
        value: Some(record.value.as_bytes()),
        origin: None,
    }
}

fn activity_of(record: &SimulatedRecord) -> Option<(String, Activity)> {
    let event = match record.topic {
        Topic::UserActivity => decode::activity(&checked(record)).expect("a good record").event,
        Topic::FlightStatus => return None,
    };
    Some((event.user_id.into_owned(), event.activity))
}

#[test]
fn every_record_is_accepted_in_order_and_none_tells_of_the_future() {
    let scenario = scenario(60, 45);
    let mut last = scenario.start;
    let mut kinds = BTreeMap::<&str, u32>::new();
    for record in records(&scenario) {
        assert!(last <= record.stamp && record.stamp < scenario.end, "{record:?}");
        last = record.stamp;
        // Decoding refuses what lies more than 5 minutes ahead; here nothing lies ahead at all.
        let name = match record.topic {
            Topic::UserActivity => {
                let decoded = decode::activity(&checked(&record)).unwrap_or_else(|error| panic!("{error}: {record:?}"));
                let observed = match &decoded.event.activity {
                    Activity::Sleep(Sleep::Interval { start, end, .. }) => end.unwrap_or(*start),
                    Activity::Meal(meal) => meal.end,
                    Activity::Light(light) => light.end,
                    Activity::NapSkipped(skipped) => skipped.at,
                    _ => record.stamp,
                };
                assert!(observed <= record.stamp, "{record:?}");
                assert!(!decoded.internal && decoded.event.household_id == record.key);
                decoded.name
            }
            Topic::FlightStatus => {
                let decoded =
                    decode::flight_status(&checked(&record)).unwrap_or_else(|error| panic!("{error}: {record:?}"));
                let FlightEvent::Status(status) = decoded.event else { panic!("{record:?}") };
                assert!(status.observed_at <= record.stamp);
                "flight_status"
            }
        };
        *kinds.entry(name).or_default() += 1;
    }
    for kind in ["profile", "sleep", "meal", "light_exposure", "nap_skipped", "trip", "flight_status"] {
        assert!(kinds.get(kind).is_some_and(|count| *count > 20), "{kinds:?}");
    }
}

#[test]
fn the_same_scenario_gives_the_same_bytes_and_another_seed_gives_others() {
    let all = |scenario: &Scenario| outputs(scenario).collect::<Vec<Output>>();
    let one = scenario(8, 12);
    assert_eq!(all(&one), all(&one));
    assert_ne!(all(&one), all(&Scenario { seed: 12, ..one }));
}

#[test]
fn a_family_lives_the_same_life_however_many_there_are_and_however_long_one_looks() {
    let of_family = |scenario: &Scenario, key: &str| -> Vec<SimulatedRecord> {
        records(scenario).filter(|record| record.key == key).collect()
    };
    let few = of_family(&scenario(3, 10), "family-0002");
    assert!(few.len() > 100);
    assert_eq!(few, of_family(&scenario(9, 10), "family-0002"));
    let longer = of_family(&scenario(3, 20), "family-0002");
    assert_eq!(few[..], longer[..few.len()]);
}

#[test]
fn nobody_sleeps_twice_at_once() {
    let scenario = scenario(40, 60);
    let mut sleeps = BTreeMap::<(String, String), BTreeSet<(UtcMillis, UtcMillis)>>::new();
    for record in records(&scenario) {
        if let Some((user, Activity::Sleep(Sleep::Interval { start, end: Some(end), .. }))) = activity_of(&record) {
            sleeps.entry((record.key, user)).or_default().insert((start, end));
        }
    }
    for (person, sleeps) in sleeps {
        let sleeps: Vec<_> = sleeps.into_iter().collect();
        for pair in sleeps.windows(2) {
            assert!(
                pair[0].1 <= pair[1].0,
                "{person:?}: {:?}",
                pair.iter().map(|(start, end)| format!("{start} to {end}")).collect::<Vec<_>>()
            );
        }
    }
}

/// Age in months, naps per day and hours of sleep per day of every child that stayed at home.
fn children_at_home(scenario: &Scenario) -> Vec<(f64, f64, f64)> {
    let mut born = BTreeMap::new();
    let mut naps = BTreeMap::<(String, String), (f64, f64)>::new();
    for record in records(scenario) {
        match activity_of(&record) {
            Some((user, Activity::Profile(profile))) => {
                if let crate::event::activity::Age::Born { year, month } = profile.age {
                    born.insert((record.key, user), f64::from(year) * 12.0 + f64::from(month));
                }
            }
            Some((user, Activity::Sleep(Sleep::Interval { start, end: Some(end), .. }))) => {
                let hours = (end - start).as_hours().0;
                let entry = naps.entry((record.key, user)).or_default();
                entry.0 += if hours < 5.0 { 1.0 } else { 0.0 };
                entry.1 += hours;
            }
            _ => {}
        }
    }
    let days = (scenario.end - scenario.start).as_hours().0 / 24.0 - 1.0;
    let now = 2026.0 * 12.0 + 10.0;
    let people = born.into_iter().map(|(person, born)| {
        let (count, hours) = naps.get(&person).copied().unwrap_or_default();
        (now - born, count / days, hours / days)
    });
    people.filter(|(months, ..)| *months < 200.0).collect()
}

#[test]
fn children_nap_and_sleep_as_much_as_published() {
    let mut scenario = scenario(250, 12);
    scenario.rates.journeys_a_day = 0.0;
    scenario.rates.late = 0.0;
    let children = children_at_home(&scenario);
    let mean = |from: f64, to: f64, what: fn(&(f64, f64, f64)) -> f64| {
        let of_age: Vec<f64> = children.iter().filter(|child| (from..to).contains(&child.0)).map(what).collect();
        assert!(of_age.len() >= 8, "{} children of {from} months", of_age.len());
        of_age.iter().sum::<f64>() / of_age.len() as f64
    };
    // Naps a day: ranges over three logged infants; Weissbluth (1995); Iglowstein et al. (2003).
    for (from, to, least, most) in [
        (4.0, 6.0, 2.5, 4.9),
        (6.0, 9.0, 2.0, 4.0),
        (9.0, 12.0, 1.6, 3.2),
        (12.0, 16.0, 1.0, 2.2),
        (18.0, 36.0, 0.85, 1.1),
        (60.0, 110.0, 0.0, 0.05),
    ] {
        let naps = mean(from, to, |child| child.1);
        assert!((least..=most).contains(&naps), "{from} to {to} months: {naps} naps");
    }
    // Hours in 24 h, AASM (2016).
    for (from, to, least, most) in
        [(4.0, 12.0, 12.0, 16.0), (13.0, 24.0, 11.0, 14.0), (37.0, 60.0, 10.0, 13.0), (72.0, 120.0, 9.0, 12.0)]
    {
        let hours = mean(from, to, |child| child.2);
        assert!((least..=most).contains(&hours), "{from} to {to} months: {hours} h");
    }
}

#[test]
fn settled_clocks_are_those_of_people() {
    let mut scenario = scenario(150, 16);
    scenario.rates.journeys_a_day = 0.0;
    let mut middles = BTreeMap::<(String, String), (f64, f64)>::new();
    let mut minima = BTreeMap::<(String, String), Vec<UtcMillis>>::new();
    for output in outputs(&scenario) {
        match output {
            Output::Truth(truth) => minima.entry((truth.household, truth.user)).or_default().push(truth.at),
            Output::Record(record) => {
                if let Some((user, Activity::Sleep(Sleep::Interval { start, end: Some(end), .. }))) =
                    activity_of(&record)
                    && end - start > Span::hours(5)
                {
                    let middle = f64::midpoint((start - START).as_hours().0, (end - START).as_hours().0);
                    let angle = Hours(middle).wrap_24().0 / 24.0 * std::f64::consts::TAU;
                    let sum = middles.entry((record.key, user)).or_default();
                    *sum = (sum.0 + angle.cos(), sum.1 + angle.sin());
                }
            }
        }
    }
    let mut deltas = Vec::new();
    for (person, times) in &minima {
        for pair in times.windows(2) {
            let gap = (pair[1] - pair[0]).as_hours().0;
            assert!((21.5..26.5).contains(&gap), "{person:?}: {gap} h from CBTmin to CBTmin");
        }
        let Some((cosine, sine)) = middles.get(person) else { continue };
        let middle = sine.atan2(*cosine) / std::f64::consts::TAU * 24.0;
        let apart = times.iter().map(|at| Hours((*at - START).as_hours().0 - middle).wrap_12().0);
        deltas.push(apart.sum::<f64>() / times.len() as f64);
    }
    let mean = deltas.iter().sum::<f64>() / deltas.len() as f64;
    let sd = (deltas.iter().map(|delta| (delta - mean) * (delta - mean)).sum::<f64>() / deltas.len() as f64).sqrt();
    // 0.8 to 1.0 h by age, SD between people 0.7 to 0.75 h, and what the last nights' light adds.
    assert!((0.6..1.2).contains(&mean) && (0.6..1.1).contains(&sd), "CBTmin - mid-sleep = {mean} ± {sd} h");
}

#[test]
fn after_a_flight_the_clock_takes_days_to_arrive() {
    // Truth must not jump with the wall: the largest step from one CBTmin to the next stays human.
    let mut scenario = scenario(60, 40);
    scenario.rates.journeys_a_day = 0.2;
    let mut last = BTreeMap::<(String, String), UtcMillis>::new();
    let mut steps = Vec::new();
    for truth in truth(&scenario) {
        if let Some(before) = last.insert((truth.household, truth.user), truth.at) {
            steps.push((truth.at - before).as_hours().0 - 24.0);
        }
    }
    let moved = steps.iter().filter(|step| step.abs() > 1.0).count();
    assert!(moved > 50, "{moved} days on which a clock moved by more than an hour");
    let wild = steps.iter().filter(|step| step.abs() > 5.0).count();
    assert!(wild * 1_000 < steps.len(), "{wild} of {} days on which one moved by more than 5 h", steps.len());
}

/// Naps of a child in a demonstration: starts by local date, as told before `until`.
fn nap_starts(scenario: &Scenario, household: &str, user: &str, until: UtcMillis) -> Vec<UtcMillis> {
    let sleeps = records(scenario).take_while(|record| record.stamp < until).filter(|record| record.key == household);
    let starts = sleeps.filter_map(|record| match activity_of(&record) {
        Some((who, Activity::Sleep(Sleep::Interval { start, end: Some(end), .. })))
            if who == user && end - start < Span::hours(5) =>
        {
            Some(start)
        }
        _ => None,
    });
    starts.collect()
}

#[test]
fn in_a_demonstration_the_first_nap_is_missed_three_quarters_of_an_hour_into_it() {
    for seed in 0..4 {
        let scenario = Scenario::demo(START + Span::hours(7 * seed), seed as u64, 10);
        let live_from = scenario.live_from.expect("a demonstration");
        assert!(live_from - scenario.start >= Span::days(8) && live_from - scenario.start < Span::days(9));
        let london = zones::parse("Europe/London").expect("a zone");
        let mut starts = nap_starts(&scenario, "okafor", "ada", live_from + Span::hours(6));
        starts.reverse();
        assert!(starts[0] < live_from - Span::hours(20), "a nap on the day itself");
        assert!(starts.len() >= 7, "{}", starts.len());
        // The rule of models/naps.toml: half an hour past the habit of a week, the habit later than the window.
        let mut hours: Vec<f64> = starts[..7].iter().map(|start| zones::hour_of_day(london, *start).0).collect();
        hours.sort_by(f64::total_cmp);
        let due = hours[3] + 0.5 - zones::hour_of_day(london, live_from).0;
        assert!((40.0..=50.0).contains(&(due * 60.0)), "due after {} min", due * 60.0);
        assert!(hours[6] - hours[0] < 0.25);
    }
}

#[test]
fn in_a_demonstration_a_flight_of_the_day_is_three_hours_late() {
    let scenario = Scenario::demo(START, 5, 2);
    let live_from = scenario.live_from.expect("a demonstration");
    let mut told = Vec::new();
    for record in records(&scenario).take_while(|record| record.stamp < live_from + Span::hours(24)) {
        if record.topic != Topic::FlightStatus {
            continue;
        }
        let FlightEvent::Status(status) = decode::flight_status(&checked(&record)).expect("a good record").event else {
            panic!("{record:?}")
        };
        let slot = status.times.out;
        let late = slot.best().zip(slot.scheduled).map(|(best, scheduled)| (best - scheduled).as_minutes());
        told.push((status.state, (record.stamp - live_from).as_minutes(), late.unwrap_or_default()));
    }
    let states: Vec<FlightState> = told.iter().map(|(state, ..)| *state).collect();
    let expected = [
        FlightState::Scheduled,
        FlightState::Delayed,
        FlightState::Delayed,
        FlightState::Out,
        FlightState::Off,
        FlightState::On,
        FlightState::In,
    ];
    assert_eq!(states, expected);
    assert_eq!((told[1].2, told[2].2), (5, 180));
    assert!(told[0].1 < 0 && (1..60).contains(&told[1].1) && (60..=75).contains(&told[2].1), "{told:?}");
}

#[test]
fn in_a_demonstration_the_day_goes_on() {
    let scenario = Scenario::demo(START, 9, 8);
    let live_from = scenario.live_from.expect("a demonstration");
    let mut news = BTreeMap::<&str, i64>::new();
    for record in records(&scenario).take_while(|record| record.stamp < live_from + Span::hours(24)) {
        let minutes = (record.stamp - live_from).as_minutes();
        if minutes < 0 {
            continue;
        }
        if let Some((user, activity)) = activity_of(&record) {
            match activity {
                Activity::NapSkipped(_) => news.entry("skipped").or_insert(minutes),
                Activity::Sleep(Sleep::Interval { start, end: Some(end), .. }) if end - start < Span::minutes(20) => {
                    news.entry("short").or_insert(minutes)
                }
                Activity::Sleep(Sleep::Interval { start, end: Some(end), .. })
                    if user == "mila" && end - start < Span::hours(5) && record.stamp - start > Span::minutes(110) =>
                {
                    news.entry("found").or_insert(minutes)
                }
                _ => continue,
            };
        } else if record.value.contains("\"confirmed\"") {
            news.entry("cancelled").or_insert(minutes);
        } else if record.value.contains("\"diverted_to\"") {
            news.entry("diverted").or_insert(minutes);
        }
    }
    let names: Vec<&str> = news.keys().copied().collect();
    assert_eq!(names, ["cancelled", "diverted", "found", "short", "skipped"], "{news:?}");
    let naps = nap_starts(&scenario, "tanaka", "aya", live_from + Span::hours(14));
    assert!(naps.iter().all(|start| *start < live_from), "the second family to miss a nap slept");
}
