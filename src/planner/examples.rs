//! Plans that people can check against what they would do themselves.

use chrono_tz::Tz;

use super::fixtures::{Case, adult, as_text, baby, locals, of_kind, toddler, utc};
use super::{Place, Repair, RepairKind, Stretch};
use crate::event::activity::UsualNap;
use crate::event::recommendation::ActionKind::{BrightLight, CaffeineUntil, DimLight, Meal, Melatonin, Nap, Sleep};
use crate::flight::zones;
use crate::units::{Hours, Span};

fn noticing(mut case: Case, kind: RepairKind, expected: &str, awake_since: &str) -> Case {
    let [expected, awake_since] = [expected, awake_since].map(utc);
    case.repair = Some(Repair { kind, expected, awake_since, noticed: case.now });
    case
}

/// 18 months, noticed 13:45 that the nap of 12:30 did not come.
fn toddler_without_nap() -> Case {
    noticing(toddler("2026-06-10T11:45:00Z"), RepairKind::Missed, "2026-06-10T10:30:00Z", "2026-06-10T04:30:00Z")
}

/// Amsterdam to Tokyo, 7 h ahead in summer: from 20:00 to 15:00 the next day.
fn to_tokyo(case: Case) -> Case {
    case.flying("2026-06-12T18:00:00Z", "2026-06-13T06:00:00Z", "NRT", Tz::Asia__Tokyo)
}

/// To New York, 6 h behind Amsterdam and 5 h behind London: from 10:00 UTC to 14:00 local time.
fn to_new_york(case: Case) -> Case {
    case.flying("2026-06-12T10:00:00Z", "2026-06-12T18:00:00Z", "JFK", Tz::America__New_York)
}

#[test]
fn settled_life_is_usual_naps_and_nights_and_nothing_else() {
    let plan = toddler("2026-06-10T06:00:00Z").plan();
    assert_eq!(locals(&plan, Nap), ["12:30–14:15"; 3]);
    assert_eq!(locals(&plan, Sleep), ["19:15–06:30"; 3]);
    assert_eq!(plan.actions.len(), 6);
    assert!(plan.expect.is_none());
}

#[test]
fn a_missed_nap_brings_bedtime_forward_by_half_an_hour_and_keeps_the_morning() {
    let plan = toddler_without_nap().plan();
    assert_eq!(locals(&plan, Sleep)[..2], ["18:45–06:30", "19:15–06:30"]);
    assert!(of_kind(&plan, Sleep)[0].message.starts_with("Put Mia to bed at 18:45"));
    assert_eq!(locals(&plan, Nap)[0], "14:00–14:30", "a bridge of half an hour that ends 0.8 wake windows before bed");
}

#[test]
fn no_bridge_nap_close_to_bedtime() {
    let late =
        noticing(toddler("2026-06-10T13:15:00Z"), RepairKind::Missed, "2026-06-10T10:30:00Z", "2026-06-10T04:30:00Z");
    let plan = late.plan();
    assert_eq!(locals(&plan, Sleep)[0], "18:45–06:30");
    assert!(of_kind(&plan, Nap).iter().all(|nap| nap.start > late.now + Span::hours(12)), "{}", as_text(&plan));
}

#[test]
fn after_the_first_of_two_naps_both_find_room_before_an_earlier_night() {
    let case =
        noticing(baby("2026-06-10T10:20:00Z"), RepairKind::Missed, "2026-06-10T09:00:00Z", "2026-06-10T05:45:00Z");
    let plan = case.plan();
    // 0.8 wake windows (2 h 48 min) between the naps and before bed.
    assert_eq!(locals(&plan, Nap)[..2], ["11:35–12:25", "15:15–15:45"]);
    assert_eq!(locals(&plan, Sleep)[0], "18:35–06:45", "a third of the nap's 75 min earlier, on the five-minute grid");
}

#[test]
fn the_advice_after_a_missed_nap_stands_still_while_the_day_goes_on() {
    let case = toddler_without_nap();
    let mut later = case.clone();
    later.now += Span::minutes(12);
    assert_eq!(locals(&case.plan(), Sleep), locals(&later.plan(), Sleep));
    assert_eq!(locals(&case.plan(), Nap)[0], locals(&later.plan(), Nap)[0]);
}

#[test]
fn bedtime_is_not_brought_forward_into_the_hours_before_melatonin() {
    let mut case = toddler_without_nap();
    // CBTmin 04:00, so melatonin onset at 21:00: no use in bed before the usual time.
    case.clock.as_mut().unwrap().cbt_min = utc("2026-06-11T02:00:00Z");
    assert_eq!(locals(&case.plan(), Sleep)[0], "19:15–06:30");
}

#[test]
fn after_a_short_nap_the_next_one_comes_a_wake_window_later_and_sooner_under_six_months() {
    let short = |case: Case| noticing(case, RepairKind::Short, "2026-06-10T09:00:00Z", "2026-06-10T09:15:00Z");
    let older = short(baby("2026-06-10T09:20:00Z"));
    assert_eq!(locals(&older.plan(), Nap)[0], "13:45–15:00", "10:15 and 3.5 h");
    let mut younger = short(baby("2026-06-10T09:20:00Z"));
    younger.age_months = 5.0;
    younger.wake_window = Some(Hours(2.2));
    assert_eq!(locals(&younger.plan(), Nap)[0], "12:00–13:15", "10:15 and 0.78 of 2.2 h");
}

#[test]
fn a_sleeping_child_is_let_sleep_and_the_next_nap_waits() {
    let mut case = baby("2026-06-10T09:40:00Z");
    case.asleep_since = Some(utc("2026-06-10T09:35:00Z"));
    let plan = case.plan();
    assert_eq!(locals(&plan, Nap)[..2], ["10:35–11:50", "14:45–16:00"]);
    assert!(of_kind(&plan, Nap)[0].message.starts_with("Let Mia sleep"));
    let mut night = baby("2026-06-10T22:00:00Z");
    night.asleep_since = Some(utc("2026-06-10T18:10:00Z"));
    assert!(of_kind(&night.plan(), Sleep)[0].message.starts_with("Let Mia sleep"));
}

#[test]
fn flying_east_the_clock_has_to_advance() {
    let plan = to_tokyo(adult("2026-06-13T14:30:00Z")).plan();
    // 23:30 in Tokyo; CBTmin at 10:54 local time, seven hours late.
    assert_eq!(locals(&plan, Sleep)[0], "23:00–07:00", "the local night, from the first one on");
    assert_eq!(locals(&plan, DimLight)[0], "07:00–10:50");
    assert_eq!(locals(&plan, BrightLight)[0], "10:55–14:50");
    let expect = plan.expect.unwrap();
    assert_eq!(expect.adapted_on, "2026-06-17", "6 h to within one, 1.5 h a day");
    assert_eq!(expect.unassisted_on, "2026-06-20", "57 min a day");
}

#[test]
fn flying_west_the_clock_has_to_delay() {
    let plan = to_new_york(adult("2026-06-12T19:00:00Z")).plan();
    // 15:00 in New York; CBTmin at 21:54 local time, six hours early.
    assert_eq!(locals(&plan, BrightLight)[0], "17:55–21:30", "before it, and not into the night");
    assert_eq!(locals(&plan, Sleep)[0], "23:00–07:00");
    assert!(plan.expect.unwrap().adapted_on.as_str() <= "2026-06-15");
}

#[test]
fn far_east_is_a_delay_the_other_way_round() {
    let auckland = adult("2026-06-13T20:00:00Z").flying(
        "2026-06-12T10:00:00Z",
        "2026-06-13T10:00:00Z",
        "AKL",
        Tz::Pacific__Auckland,
    );
    let plan = auckland.plan();
    assert!(of_kind(&plan, BrightLight).iter().all(|block| block.why.contains("later")), "{}", as_text(&plan));
}

#[test]
fn before_departure_sleep_moves_by_the_cap_a_night_from_when_the_journey_is_known() {
    let mut case = to_tokyo(adult("2026-06-10T08:00:00Z"));
    assert_eq!(locals(&case.plan(), Sleep)[..2], ["21:00–05:00", "20:00–04:00"], "the second and third night of three");
    case.trip_known_at = Some(case.now);
    assert_eq!(locals(&case.plan(), Sleep)[..2], ["22:00–06:00", "21:00–05:00"], "entered this morning");
    case.keep_home_time = true;
    assert_eq!(locals(&case.plan(), Sleep)[..2], ["23:00–07:00"; 2]);
    let toddler = to_new_york(toddler("2026-06-10T08:00:00Z"));
    assert_eq!(locals(&toddler.plan(), Sleep)[..2], ["20:15–07:30", "20:45–08:00"]);
    let mut newborn = to_new_york(baby("2026-06-10T08:00:00Z"));
    newborn.age_months = 2.0;
    assert_eq!(locals(&newborn.plan(), Sleep)[..2], ["19:00–06:45"; 2], "no clock to shift");
}

#[test]
fn a_schedule_on_its_way_keeps_moving_when_the_clock_has_followed_it() {
    // Amsterdam to Baku, 2 h ahead in summer, is too little; to Dubai by 2026 rules also 2 h; Almaty is 3 h.
    let almaty = |case: Case| case.flying("2026-06-12T08:00:00Z", "2026-06-12T15:00:00Z", "ALA", Tz::Asia__Almaty);
    let mut case = almaty(adult("2026-06-11T15:00:00Z"));
    case.clock.as_mut().unwrap().cbt_min = utc("2026-06-11T23:30:00Z");
    let plan = case.plan();
    assert_eq!(locals(&plan, Sleep)[0], "20:00–04:00", "{}", as_text(&plan));
    assert!(of_kind(&plan, BrightLight).is_empty() && plan.expect.is_none());
}

#[test]
fn light_that_may_push_the_wrong_way_is_left_out_and_the_night_says_so() {
    let mut case = to_tokyo(adult("2026-06-13T14:30:00Z"));
    case.clock.as_mut().unwrap().sd = Hours(4.0);
    let plan = case.plan();
    assert!(of_kind(&plan, BrightLight).is_empty());
    let why = "bright light from 10:55 to 14:50 on 14 Jun could as well shift the clock the wrong way and is left out";
    assert!(of_kind(&plan, Sleep)[0].why.ends_with(why), "{}", as_text(&plan));
}

#[test]
fn a_night_that_is_too_short_for_the_age_says_why_it_begins_earlier() {
    let mut case = adult("2026-06-10T08:00:00Z");
    (case.bedtime, case.wake) = (3 * 60, 5 * 60);
    let night = of_kind(&case.plan(), Sleep)[0].clone();
    assert_eq!(night.local, "22:00–05:00");
    assert_eq!(night.why, "the usual morning; the usual night is too short for the age");
}

#[test]
fn adults_who_asked_hear_of_caffeine_and_melatonin_and_minors_never_do() {
    let mut case = to_tokyo(adult("2026-06-10T08:00:00Z"));
    (case.caffeine, case.melatonin) = (true, true);
    let plan = case.plan();
    assert_eq!(locals(&plan, CaffeineUntil)[0], "10:00–13:00", "8 h before bed at 21:00");
    assert!(!of_kind(&plan, Melatonin).is_empty());
    case.age_months = 215.0;
    let plan = case.plan();
    assert!(of_kind(&plan, CaffeineUntil).is_empty() && of_kind(&plan, Melatonin).is_empty());
}

#[test]
fn nothing_is_bright_outdoors_in_the_air_and_sleep_aboard_follows_the_destination() {
    let by_afternoon = adult("2026-06-12T14:00:00Z");
    let by_afternoon =
        by_afternoon.flying("2026-06-12T14:30:00Z", "2026-06-13T02:30:00Z", "NRT", Tz::Asia__Tokyo).plan();
    let first = of_kind(&by_afternoon, Sleep)[0];
    assert_eq!((first.local.as_str(), first.time_zone.as_str()), ("00:15–07:00", "Asia/Tokyo"));
    assert!(first.message.contains("on board"));
    assert_eq!(first.why, "it is night at the destination");
    let case = to_tokyo(adult("2026-06-12T17:00:00Z"));
    let mut by_home = case.clone();
    by_home.keep_home_time = true;
    let plan = by_home.plan();
    let first = of_kind(&plan, Sleep)[0];
    assert_eq!(
        (first.local.as_str(), first.why.as_str()),
        ("06:00–14:00", "it is night at home"),
        "{}",
        as_text(&plan)
    );
    // Who works at night sleeps by day there too.
    let mut by_day = case;
    (by_day.bedtime, by_day.wake) = (8 * 60, 15 * 60);
    let plan = by_day.plan();
    let aboard = of_kind(&plan, Sleep).into_iter().find(|sleep| sleep.message.contains("on board")).unwrap();
    assert_eq!(aboard.why, "the usual hours of sleep, by the destination's clock", "{}", as_text(&plan));
}

#[test]
fn times_aboard_name_their_clock() {
    let mut case = to_tokyo(adult("2026-06-12T17:00:00Z"));
    let plan = case.plan();
    assert_eq!(
        of_kind(&plan, Sleep)[0].message,
        "Sleep on board between 06:00 and 14:00 as well as you can (Tokyo time)."
    );
    case.keep_home_time = true;
    let plan = case.plan();
    let message = &of_kind(&plan, Sleep)[0].message;
    assert!(message.ends_with("(Tokyo time; at home 23:00–07:00)."), "{message}");
}

#[test]
fn a_nap_in_the_air_is_over_before_landing_or_waits_for_the_ground() {
    let first_nap_landing_at = |arrives: &str| {
        let mut case = toddler("2026-06-12T07:00:00Z");
        case.wake_window = Some(Hours(6.5));
        let case = case.flying("2026-06-12T08:00:00Z", arrives, "JFK", Tz::America__New_York);
        let plan = case.plan();
        let nap = of_kind(&plan, Nap)[0];
        (nap.local.clone(), nap.message.clone())
    };
    // Usual is 12:30 to 14:15, by New York's clock.
    let on_board = |start: &str| format!("Offer Mia a nap on board around {start} (New York time).");
    assert_eq!(first_nap_landing_at("2026-06-12T19:00:00Z"), ("12:30–14:15".to_owned(), on_board("12:30")));
    assert_eq!(first_nap_landing_at("2026-06-12T18:30:00Z"), ("12:00–13:45".to_owned(), on_board("12:00")));
    assert_eq!(first_nap_landing_at("2026-06-12T17:30:00Z"), ("11:30–12:45".to_owned(), on_board("11:30")));
    let (nap, message) = first_nap_landing_at("2026-06-12T16:32:00Z");
    assert!(nap.as_str() > "13:05" && !message.contains("on board"), "{nap}: {message}");
}

#[test]
fn a_nap_that_comes_due_while_the_aircraft_climbs_begins_later_and_is_as_long_as_ever() {
    let first_nap_leaving_at = |departs: &str| {
        let case = toddler("2026-06-13T00:30:00Z").flying(departs, "2026-06-13T14:00:00Z", "NRT", Tz::Asia__Tokyo);
        of_kind(&case.plan(), Nap)[0].local.clone()
    };
    // Usual is 12:30 to 14:15, by Tokyo's clock.
    assert_eq!(first_nap_leaving_at("2026-06-13T02:40:00Z"), "12:30–14:15");
    assert_eq!(first_nap_leaving_at("2026-06-13T03:25:00Z"), "13:10–14:55", "12:25 and three quarters of an hour");
}

#[test]
fn breakfast_is_offered_in_the_morning_only() {
    let mut case = to_tokyo(adult("2026-06-13T14:30:00Z"));
    assert_eq!(locals(&case.plan(), Meal)[0], "07:30–08:30");
    (case.bedtime, case.wake) = (3 * 60, 11 * 60);
    assert!(of_kind(&case.plan(), Meal).is_empty(), "at half past eleven it is none");
}

#[test]
fn keeping_home_time_abroad_gives_home_hours_in_local_words() {
    let mut case = toddler("2026-06-12T19:00:00Z");
    let london = Place::Away { airport: crate::event::flight::Iata::parse("LHR").unwrap() };
    case.whereabouts =
        vec![Stretch { from: utc("2026-06-12T08:00:00Z"), to: None, time_zone: Tz::Europe__London, place: london }];
    case.now = utc("2026-06-12T15:00:00Z");
    case.keep_home_time = true;
    let plan = case.plan();
    assert_eq!(locals(&plan, Sleep)[0], "18:15–05:30");
    assert_eq!(of_kind(&plan, Sleep)[0].time_zone, "Europe/London");
}

#[test]
fn an_action_keeps_its_id_when_only_its_time_moves() {
    let usual = toddler("2026-06-10T11:45:00Z").plan();
    let repaired = toddler_without_nap().plan();
    let (before, after) = (of_kind(&usual, Sleep)[0], of_kind(&repaired, Sleep)[0]);
    assert_ne!(before.start, after.start);
    assert_eq!(before.action_id, after.action_id);
}

#[test]
fn light_is_outdoors_where_the_sun_is_up_and_by_lamps_where_it_is_not() {
    let tromso = |departs: &str, arrives: &str, now: &str| {
        let mut case = adult(now);
        case.home = Tz::America__Los_Angeles;
        case.whereabouts[0].time_zone = Tz::America__Los_Angeles;
        // At home in Los Angeles CBTmin comes at 04:00 there, which is 13:00 in Norway.
        let hour = zones::hour_of_day(Tz::America__Los_Angeles, case.now);
        case.clock.as_mut().unwrap().cbt_min = case.now + Span::from_hours((Hours(4.0) - hour).wrap_24());
        case.flying(departs, arrives, "TOS", Tz::Europe__Oslo).plan()
    };
    let messages = |plan: &super::Plan| -> Vec<String> {
        of_kind(plan, BrightLight).into_iter().map(|action| action.message.clone()).collect()
    };
    let night = messages(&tromso("2026-12-19T10:00:00Z", "2026-12-20T02:00:00Z", "2026-12-20T08:00:00Z"));
    assert!(!night.is_empty() && night.iter().all(|message| message.contains("lamp")), "polar night: {night:?}");
    let day = messages(&tromso("2026-06-19T10:00:00Z", "2026-06-20T02:00:00Z", "2026-06-20T08:00:00Z"));
    assert!(!day.is_empty() && day.iter().all(|message| message.contains("outdoors")), "polar day: {day:?}");
}

#[test]
fn a_block_that_begins_before_sunrise_says_so() {
    // Delhi to Amsterdam in December: bright light before the evening is long after sunset at 16:28.
    let mut case = adult("2026-12-10T12:30:00Z");
    case.clock.as_mut().unwrap().cbt_min = utc("2026-12-10T21:30:00Z");
    let plan = case.flying("2026-12-08T12:00:00Z", "2026-12-08T20:00:00Z", "AMS", Tz::Europe__Amsterdam).plan();
    let evening = &of_kind(&plan, BrightLight)[0].message;
    assert!(evening.contains("lamp"), "{evening}");
}

#[test]
fn of_a_night_that_runs_no_bedtime_is_said_however_it_came_to_lie_there() {
    // 21:00 in Amsterdam: the night moved to 20:15 has begun.
    let mut case = to_new_york(toddler("2026-06-10T19:00:00Z"));
    let running = |case: &Case| of_kind(&case.plan(), Sleep)[0].clone();
    assert_eq!(running(&case).local, "20:15–07:30");
    assert_eq!(running(&case).message, "Mia's night runs until about 07:30.");
    assert_eq!(running(&case).why, "a little later each night before the flight");
    // Asleep since the usual bedtime, an hour before the moved one.
    case.asleep_since = Some(utc("2026-06-10T17:10:00Z"));
    assert_eq!(running(&case).message, "Let Mia sleep; the night runs until about 07:30.");
    let grown = to_new_york(adult("2026-06-11T03:00:00Z"));
    assert_eq!(running(&grown).message, "Your night runs until about 09:00.");
    assert_eq!(running(&grown).local, "01:00–09:00");
}

#[test]
fn a_nap_before_a_flight_ends_before_boarding_on_the_way_or_comes_after_take_off() {
    // Naps at 10:00 and 14:45 London time, for 75 minutes.
    let flying = |departs| {
        let mut case = baby("2026-06-10T06:00:00Z");
        case.trip_known_at = Some(case.now);
        let plan = case.flying(departs, "2026-06-10T22:00:00Z", "JFK", Tz::America__New_York).plan();
        of_kind(&plan, Nap)[..2].iter().map(|nap| (nap.local.clone(), nap.message.clone())).collect::<Vec<_>>()
    };
    let words = "Offer Mia a nap on the way, in a pram or carrier, between 14:45 and 15:30.";
    assert_eq!(flying("2026-06-10T15:00:00Z")[1], ("14:45–15:30".to_owned(), words.to_owned()), "leaves at 16:00");
    assert_eq!(flying("2026-06-10T17:00:00Z")[1].0, "14:45–16:00", "leaves at 18:00");
    assert!(!flying("2026-06-10T17:00:00Z")[1].1.contains("on the way"));
    let (local, message) = &flying("2026-06-10T14:00:00Z")[1];
    assert!(local.starts_with("10:45–"), "leaves at 15:00; 45 minutes later, by the clock of New York: {local}");
    assert!(message.contains("nap on board around 10:45"), "{message}");
}

#[test]
fn who_naps_now_has_no_other_nap_beside_it_even_where_the_profile_names_two_of_one_time() {
    let mut case = baby("2026-06-10T09:40:00Z");
    // 08:30 in London, and asleep since 10:35.
    case.naps = [25, 150].map(|minutes| UsualNap { start: 510, minutes }).to_vec();
    case.wake_window = None;
    case.asleep_since = Some(utc("2026-06-10T09:35:00Z"));
    let plan = case.plan();
    let naps = of_kind(&plan, Nap);
    assert!(naps.windows(2).all(|two| two[0].end <= two[1].start), "{naps:?}");
}

#[test]
fn a_breakfast_of_which_little_is_left_is_not_offered() {
    let first_meal = |now: &str| {
        let plan = to_tokyo(adult(now)).plan();
        of_kind(&plan, Meal)[0].local.clone()
    };
    // Breakfast from 05:50 to 06:50.
    assert_eq!(first_meal("2026-06-11T03:58:00Z"), "06:00–06:50");
    assert_ne!(first_meal("2026-06-11T04:23:00Z"), "06:25–06:50");
}
