//! `zoner evaluate estimator`: that what it measures is the service's own estimate, and that this estimate is what it has
//! to be.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use serde_json::{Value, json};
use zoner::circadian::BIN;
use zoner::circadian::filter::LightSource;
use zoner::evaluate::estimator::columns::Column;
use zoner::evaluate::estimator::people::travellers;
use zoner::evaluate::estimator::stories::{Roster, Story};
use zoner::evaluate::estimator::told::Told;
use zoner::evaluate::estimator::truths::Truth;
use zoner::evaluate::estimator::{Options, lived, scores, tables, targets};
use zoner::event::dead_letter::DeadLetter;
use zoner::event::line::{Line, parse_line};
use zoner::event::recommendation::Recommendation;
use zoner::replay::{Listener, Replay};
use zoner::traveller::models::Models;
use zoner::units::{Span, UtcMillis};

use common::Directory;
use common::program::run;
use common::records::{Sent, activity};

/// Midnight of Monday, 3 November 2025: no clock on the way is changed for summer or winter in the weeks after.
const BEGINS: UtcMillis = UtcMillis(1_762_128_000_000);

struct NoBadRecords;

impl Listener for NoBadRecords {
    fn recommendation(&mut self, _: &Recommendation) -> std::io::Result<()> {
        Ok(())
    }

    fn dead_letter(&mut self, letter: &DeadLetter) -> std::io::Result<()> {
        panic!("a dead letter: {letter:?}")
    }
}

/// When it is in the service's calendar.
fn stamped(time: UtcMillis) -> UtcMillis {
    BEGINS + (time - UtcMillis(0))
}

/// A traveller's records as an app would send them. Home is in a zone that is UTC all year.
fn records(told: &Told, destination: &str) -> Vec<Sent> {
    let text = |time: UtcMillis| stamped(time).to_rfc3339();
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let send = |stamp: UtcMillis, value: Value| activity("alone", stamped(stamp), value);
    let profile = json!({
        "user_id": "ann", "activity": "profile", "age_band": "adult", "home_time_zone": "Africa/Abidjan",
        "sleep": {"bedtime": clock(told.day.bedtime), "wake": clock(told.day.wake)},
    });
    let mut sent = vec![send(UtcMillis(0), profile)];
    let legs: Vec<Value> = told
        .flights
        .iter()
        .map(|flight| {
            json!({
                "flight": "ZZ1", "origin": "ABJ", "destination": destination,
                "departs": text(flight.takeoff), "arrives": text(flight.landing),
            })
        })
        .collect();
    if !legs.is_empty() {
        let trip = json!({"user_id": "ann", "activity": "trip", "trip_id": "t", "revision": 1, "legs": legs});
        sent.push(send(UtcMillis(1_000), trip));
    }
    let slept = |start: UtcMillis, end: UtcMillis, kind: &str| {
        let value =
            json!({"user_id": "ann", "activity": "sleep", "kind": kind, "start": text(start), "end": text(end)});
        send(end + Span::seconds(30), value)
    };
    sent.extend(told.sleeps.iter().map(|sleep| slept(sleep.start, sleep.end, "night")));
    // Quarter hours of the same kind in a row: dark ones outside the nights were slept aboard.
    let is_night = |bin: UtcMillis| told.sleeps.iter().any(|sleep| sleep.start < bin + BIN && bin < sleep.end);
    let mut index = 0;
    while index < told.light.len() {
        let source = told.light[index].source;
        let first = index;
        while index < told.light.len() && told.light[index].source == source {
            index += 1;
        }
        let time = |bin: usize| UtcMillis(0) + Span(bin as i64 * BIN.0);
        let (start, end) = (time(first), time(index));
        match source {
            LightSource::Context => {
                // In quarter hours, each as it ends: who is asked about while still outdoors is known to be there, as in the
                // comparison. Told once it was over, hours of daylight would be missing from such an answer.
                sent.extend((first..index).map(|bin| {
                    let value = json!({
                        "user_id": "ann", "activity": "light_exposure", "context": "outdoor",
                        "start": text(time(bin)), "end": text(time(bin + 1)),
                    });
                    send(time(bin + 1), value)
                }));
            }
            LightSource::Asleep if !is_night(start) => sent.push(slept(start, end, "nap")),
            LightSource::Asleep | LightSource::Imputed | LightSource::Measured => {}
        }
    }
    sent.sort_by_key(|record| record.stamp);
    sent
}

#[test]
fn the_service_says_of_a_traveller_s_events_what_the_comparison_says_of_the_traveller() {
    let models = Models::embedded();
    let people = travellers(Truth::Forger99, 3, 2, &models, 2);
    let stories = [(Story::Journey(8), "SIN"), (Story::Journey(-8), "LAX"), (Story::Journey(0), "")];
    for (index, (story, destination)) in stories.into_iter().enumerate() {
        let told = lived(&people[index], index, story, 2, &models).told;
        let asked: Vec<UtcMillis> = story.asked(&story.script()).into_iter().map(|(at, _)| at).collect();
        let expected = Column::Zoner.answers(&models, &told, &asked);

        let mut replay = Replay::new(100);
        let sent = records(&told, destination);
        let mut next = sent.iter().zip(0..).peekable();
        let (mut compared, mut furthest) = (0, 0);
        for (at, said) in asked.iter().zip(expected) {
            let now = stamped(*at);
            while let Some((record, number)) = next.next_if(|(record, _)| record.stamp <= now) {
                let line = parse_line(record.line().as_bytes(), number, None).expect("a line");
                let Line::Record(record) = line else { panic!("not a record: {line:?}") };
                replay.play(&record, &mut NoBadRecords).unwrap();
            }
            replay.run_until(now, &mut NoBadRecords).unwrap();
            // The first days still know where they began.
            if *at - UtcMillis(0) < Span::days(8) {
                continue;
            }
            let estimates = replay.estimates();
            let circadian = &estimates.first().expect("an estimate").circadian;
            let said = said.expect("an answer");
            let cbt_min = circadian.cbt_min.expect("a CBTmin");
            let minutes = (cbt_min - stamped(said.cbt_min)).abs().as_minutes();
            let sd = said.spread.expect("a spread").sd.0 * 60.0;
            let sd_off = (circadian.sd_minutes.expect("an SD") as f64 - sd).abs();
            assert!(minutes <= 2, "{story:?}, {now}: {minutes} min apart");
            assert!(sd_off <= 1.0 + 0.01 * sd, "{story:?}, {now}: SDs {sd_off} min apart");
            furthest = furthest.max(minutes);
            compared += 1;
        }
        println!("{story:?}: {compared} answers, at most {furthest} min apart");
        assert!(compared > 20, "{compared}");
    }
}

/// What is said of somebody's clock some days after the calendar begins.
fn said_of(records: &[Sent], day: i64) -> zoner::event::recommendation::CircadianSummary {
    let mut replay = Replay::new(100);
    for (record, number) in records.iter().zip(0..) {
        let line = parse_line(record.line().as_bytes(), number, None).expect("a line");
        let Line::Record(record) = line else { panic!("not a record: {line:?}") };
        replay.play(&record, &mut NoBadRecords).unwrap();
    }
    replay.run_until(BEGINS + Span::days(day), &mut NoBadRecords).unwrap();
    replay.estimates().first().expect("an estimate").circadian.clone()
}

#[test]
fn who_logs_nothing_after_a_journey_is_known_two_months_later_as_well_as_who_stayed() {
    let text = |hours: i64| (BEGINS + Span::hours(hours)).to_rfc3339();
    let profile = json!({
        "user_id": "ann", "activity": "profile", "age_band": "adult", "home_time_zone": "Africa/Abidjan",
        "sleep": {"bedtime": "23:00", "wake": "07:00"},
    });
    let stayed = vec![activity("alone", BEGINS, profile)];
    let usual = said_of(&stayed, 90).sd_minutes.expect("an SD");
    for there in ["LAX", "HNL", "SIN", "AKL"] {
        let leg = |from: &str, to: &str, day: i64| {
            json!({
                "flight": "ZZ1", "origin": from, "destination": to,
                "departs": text(24 * day + 11), "arrives": text(24 * day + 24),
            })
        };
        let trip = json!({
            "user_id": "ann", "activity": "trip", "trip_id": "t", "revision": 1,
            "legs": [leg("ABJ", there, 6), leg(there, "ABJ", 20)],
        });
        let mut sent = stayed.clone();
        sent.push(activity("alone", BEGINS + Span::hours(1), trip));
        for day in [8, 14, 21, 24, 28, 35, 60, 90] {
            let said = said_of(&sent, day);
            let [from, to] = said.interval_80.expect("an interval");
            assert!(from < to && to - from <= Span::days(1), "{there}, day {day}: {said:?}");
            assert!(said.amplitude.is_some_and(|amplitude| amplitude > 0.1), "{there}, day {day}: {said:?}");
            if day >= 60 {
                // Forty days after the journey some are told a little less surely still.
                let most = if day == 60 { 25 } else { 5 };
                let sd = said.sd_minutes.expect("an SD");
                assert!((sd - usual).abs() <= most, "{there}, day {day}: {sd} and {usual} min");
            }
        }
    }
}

#[test]
fn the_scores_follow_from_the_seed_whatever_the_threads() {
    let models = Models::embedded();
    let text = |seed, threads| {
        let stories = vec![Story::Journey(8), Story::Stranger];
        let options = Options { travellers: 3, seed, truths: vec![Truth::Jewett99], stories, threads };
        tables::table(&scores(&options, &models, &|_| {}))
    };
    let expected = text(1, 1);
    assert_eq!(text(1, 3), expected);
    assert_ne!(text(2, 1), expected);
}

/// The command's own targets on fewer travellers: each may be missed by two standard errors, which are larger here.
#[test]
fn the_estimates_are_as_right_and_as_honest_as_they_have_to_be() {
    let options = Options {
        travellers: 40,
        seed: 1,
        truths: Truth::ALL.to_vec(),
        stories: Options::journeys().into_iter().chain([Story::Roster(Roster::Weeks)]).collect(),
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let scores = scores(&options, &Models::embedded(), &|_| {});
    let targets = targets::targets(&scores);
    assert!(targets.len() > 250);
    // Of 250 figures each within two standard errors a dozen would be outside by chance: this is what all of them keep to.
    let all = targets.iter().all(|target| target.is_met_within(4.0));
    assert!(all, "\n{}", tables::verdicts(&targets));
}

#[test]
fn json_has_every_cell_and_null_where_a_column_has_no_interval() {
    let directory = Directory::new("estimator");
    let drawings = directory.file("drawings");
    let directory_name = drawings.display().to_string();
    let arguments = ["--travellers", "2", "--truth", "forger99", "--shifts=-3,8", "--json", "--svg", &directory_name];
    let out = run(["evaluate", "estimator"].iter().chain(&arguments)).ok();
    let said: Value = serde_json::from_str(&out).expect("JSON");
    let cells = said["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 2 * 4 * 4);
    for cell in cells {
        let keys: Vec<&str> = cell.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "truth",
                "shift",
                "days",
                "travellers",
                "filter",
                "coverage80",
                "coverage95",
                "mae_hours",
                "nees",
                "width80_hours"
            ]
        );
        assert!(cell["truth"] == "forger99" && cell["travellers"] == 2, "{cell}");
        assert!(["settled", "1-4", "5-8", "9-14"].contains(&cell["days"].as_str().unwrap()));
        assert!(cell["mae_hours"].as_f64().is_some_and(|mae| (0.0..12.0).contains(&mae)), "{cell}");
        assert_eq!(cell["nees"].is_null(), cell["filter"] == "rule", "{cell}");
        assert_eq!(cell["coverage80"].is_null(), cell["filter"] == "rule", "{cell}");
    }
    let drawn: Vec<String> = std::fs::read_dir(&drawings)
        .expect("a directory")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a drawing"))
        .collect();
    assert_eq!(drawn.len(), 4);
    for svg in drawn {
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.matches("<circle").count() > 30);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
