//! Evenings after a missed nap.

use super::fixtures::{Case, as_text, baby, locals, of_kind, utc};
use super::{Plan, Repair, RepairKind};
use crate::event::activity::UsualNap;
use crate::event::recommendation::ActionKind::{Nap, Sleep};
use crate::units::{Hours, Span, UtcMillis};

/// Eight months, three naps, 21:00 to 07:00 in London (an hour ahead of UTC).
fn with_three_naps(now: &str) -> Case {
    let mut case = baby(now);
    (case.age_months, case.wake_window) = (8.0, Some(Hours(3.0)));
    (case.bedtime, case.wake) = (21 * 60, 7 * 60);
    case.naps = [(585, 55), (810, 55), (1_040, 60)].map(|(start, minutes)| UsualNap { start, minutes }).to_vec();
    case
}

fn missing(mut case: Case, expected: &str, awake_since: &str) -> Case {
    let [expected, awake_since] = [expected, awake_since].map(utc);
    case.repair = Some(Repair { kind: RepairKind::Missed, expected, awake_since, noticed: case.now });
    case
}

/// The longest time awake until tonight from the first sleep that is planned.
fn longest_awake(plan: &Plan) -> Span {
    let tonight = of_kind(plan, Sleep)[0];
    let mut today: Vec<(UtcMillis, UtcMillis)> =
        of_kind(plan, Nap).iter().map(|nap| (nap.start, nap.end)).filter(|nap| nap.1 <= tonight.start).collect();
    today.push((tonight.start, tonight.end));
    today.windows(2).map(|pair| pair[1].0 - pair[0].1).max().unwrap_or(Span::ZERO)
}

#[test]
fn a_baby_who_missed_the_first_of_three_naps_gets_an_early_bed_and_a_short_nap_in_place_of_the_last() {
    let plan = missing(with_three_naps("2026-06-10T10:24:00Z"), "2026-06-10T08:45:00Z", "2026-06-10T06:00:00Z").plan();
    assert_eq!(locals(&plan, Nap)[..3], ["11:40–12:35", "15:00–15:55", "17:50–18:20"], "{}", as_text(&plan));
    assert_eq!(of_kind(&plan, Nap)[2].message, "Offer Mia a short nap of about 30 min at 17:50.");
    assert_eq!(of_kind(&plan, Nap)[2].why, "too long a time awake until bed without");
    assert_eq!(locals(&plan, Sleep)[0], "20:15–07:00", "45 minutes earlier, the limit for the age");
    assert!(longest_awake(&plan) < Span::hours(3));
}

#[test]
fn after_the_last_nap_was_missed_bed_is_as_early_as_is_allowed_and_no_nap_comes_close_to_it() {
    let plan = missing(with_three_naps("2026-06-10T17:55:00Z"), "2026-06-10T16:20:00Z", "2026-06-10T13:25:00Z").plan();
    assert_eq!(locals(&plan, Sleep)[0], "20:15–07:00");
    assert!(of_kind(&plan, Nap)[0].start > utc("2026-06-11T06:00:00Z"), "{}", as_text(&plan));
}

#[test]
fn whichever_nap_a_baby_missed_no_time_awake_after_the_next_sleep_is_longer_than_one_and_a_half_wake_windows() {
    for (missed, awake_since) in [("08:45", "06:00"), ("12:30", "09:40"), ("16:20", "13:25")] {
        for minutes in (30..150).step_by(5) {
            let at = |time: &str| utc(&format!("2026-06-10T{time}:00Z"));
            let mut case = with_three_naps("2026-06-10T06:00:00Z");
            case.now = at(missed) + Span::minutes(minutes);
            let (expected, awake_since) = (at(missed), at(awake_since));
            case.repair = Some(Repair { kind: RepairKind::Missed, expected, awake_since, noticed: case.now });
            let plan = case.plan();
            assert!(longest_awake(&plan) <= Span::minutes(270), "{missed} and {minutes} min: {}", as_text(&plan));
        }
    }
}

#[test]
fn a_child_with_one_nap_is_offered_no_second_one_in_the_evening() {
    let mut case = with_three_naps("2026-06-10T15:00:00Z");
    case.naps = vec![UsualNap { start: 750, minutes: 105 }];
    let plan = missing(case, "2026-06-10T11:30:00Z", "2026-06-10T06:00:00Z").plan();
    assert!(of_kind(&plan, Nap).iter().all(|nap| !nap.message.contains("short nap")), "{}", as_text(&plan));
}
