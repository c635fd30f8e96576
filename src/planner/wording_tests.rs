//! Headlines as people read them.

use chrono_tz::Tz;
use proptest::option;
use proptest::prelude::*;

use super::fixtures::utc;
use super::{FlightTime, HeadlineInput, News, Nights, Reader, Step, StepTime, When, headline};
use crate::event::flight::Iata;
use crate::event::recommendation::ActionKind;
use crate::units::{Span, UtcMillis};

fn at(text: &str) -> When {
    When { at: utc(text), time_zone: Tz::Europe__Amsterdam }
}

fn say(name: Option<&str>, adult: bool, news: News<'_>) -> String {
    let reader = Reader { now: utc("2026-12-04T12:00:00Z"), time_zone: Tz::Europe__Amsterdam };
    headline(&HeadlineInput { name, adult, reader, news })
}

fn starts(kind: ActionKind, at: When) -> Step {
    Step { kind, is_aboard: false, time: StepTime::Start(at) }
}

fn ends(kind: ActionKind, at: When) -> Step {
    Step { kind, is_aboard: false, time: StepTime::End(at) }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a list")]
fn headlines_read_like_a_calm_friend() {
    let tonight = at("2026-12-04T17:45:00Z");
    let bed = Some(tonight);
    let nap = Some(at("2026-12-04T13:30:00Z"));
    let mia = Some("Mia");
    let tokyo = Iata::parse("NRT").unwrap();
    let leaves = at("2026-12-04T16:10:00Z");
    let (flight, boarding) = ("KL641", Some(leaves));
    let late =
        |minutes, time, plan_holds| News::FlightDelayed { flight, late_by: Span::minutes(minutes), time, plan_holds };
    let left = FlightTime::Left { lands: leaves };
    let tomorrow = Some(at("2026-12-05T17:45:00Z"));
    let in_tokyo = bed.map(|bed| When { time_zone: Tz::Asia__Tokyo, ..bed });
    let connection = |other, changed_comes_first, left| {
        let airport = Iata::parse("AMS").unwrap();
        News::Connection {
            changed: flight,
            late_by: Span::hours(2),
            boarding,
            other,
            changed_comes_first,
            airport,
            left,
        }
    };
    for (name, adult, news, expected) in [
        (mia, false, News::NapMissed { bed, nap: None }, "Mia missed a nap: bed at 18:45 tonight."),
        (mia, false, News::NapMissed { bed, nap }, "Mia missed a nap: next one at 14:30, bed at 18:45 tonight."),
        (None, false, News::NapMissed { bed, nap: None }, "Your child missed a nap: bed at 18:45 tonight."),
        (mia, false, News::NapMissed { bed: None, nap: tomorrow }, "Mia missed a nap: next one at 18:45 on 5 Dec."),
        (
            mia,
            false,
            News::NapShort { slept: Span::minutes(15), bed, nap },
            "Mia slept only 15 min: next nap around 14:30.",
        ),
        (mia, false, News::NapFound { bed }, "Found: Mia did nap, so bedtime is 18:45 again."),
        (None, false, News::NapFound { bed: None }, "Found: your child did nap, so the usual plan holds."),
        (
            None,
            true,
            late(180, FlightTime::Leaves(leaves), false),
            "KL641 is 3 h late, leaving at 17:10: your plan is adjusted.",
        ),
        (
            mia,
            false,
            late(25, FlightTime::Leaves(leaves), true),
            "KL641 is 25 min late, leaving at 17:10: Mia's plan stays as it is.",
        ),
        (
            None,
            true,
            late(180, FlightTime::LeavesLaterStill(leaves), false),
            "KL641 is now 3 h late, leaving at 17:10: your plan is adjusted.",
        ),
        (
            None,
            true,
            late(5, FlightTime::LeavesSooner(leaves), false),
            "KL641 leaves earlier than last said, at 17:10: your plan is adjusted.",
        ),
        (
            mia,
            false,
            late(40, FlightTime::LandsOtherwise { leaves }, true),
            "KL641 leaves at 17:10 and lands 40 min late: Mia's plan stays as it is.",
        ),
        (
            None,
            true,
            late(-135, left, false),
            "KL641 is 2 h 15 min early, landing at 17:10: your plan has moved with it.",
        ),
        (None, true, late(0, left, false), "KL641 is on time, landing at 17:10: your plan has moved with it."),
        (None, true, late(182, left, false), "KL641 is 3 h late, landing at 17:10: your plan has moved with it."),
        (
            None,
            true,
            late(47 * 60 + 2, left, false),
            "KL641 is 47 h late, landing at 17:10: your plan has moved with it.",
        ),
        (
            None,
            true,
            late(47 * 60 + 58, left, false),
            "KL641 is 2 days late, landing at 17:10: your plan has moved with it.",
        ),
        (
            None,
            true,
            late(236 * 60 + 20, left, false),
            "KL641 is 9 days 20 h late, landing at 17:10: your plan has moved with it.",
        ),
        (
            None,
            true,
            late(-68, left, false),
            "KL641 is 1 h 10 min early, landing at 17:10: your plan has moved with it.",
        ),
        (None, true, late(58, left, false), "KL641 is 58 min late, landing at 17:10: your plan has moved with it."),
        (
            mia,
            false,
            News::FlightCancelled { flight, confirmed: true },
            "KL641 is cancelled: Mia's plan stays on local time for now.",
        ),
        (
            None,
            true,
            News::FlightCancelled { flight, confirmed: false },
            "KL641 may be cancelled: your plan counts on the flight until that is certain.",
        ),
        (
            None,
            true,
            News::FlightDiverted { flight, to: Iata::parse("BRU") },
            "KL641 is diverted to BRU: your plan follows local time there.",
        ),
        (
            mia,
            false,
            News::TripPlanned { destination: tokyo, nights: Nights::MoveFrom(tonight) },
            "Mia's plan for NRT: bed moves to 18:45 tonight.",
        ),
        (
            None,
            true,
            News::TripPlanned { destination: tokyo, nights: Nights::Usual },
            "Your plan for NRT is ready: usual nights until the flight.",
        ),
        (
            None,
            true,
            News::PlanRefreshed { change: bed.map(|bed| starts(ActionKind::Sleep, bed)), dropped: None },
            "Your plan has changed: bed at 18:45 tonight.",
        ),
        (
            None,
            true,
            News::PlanRefreshed {
                change: in_tokyo.map(|bed| Step { is_aboard: true, ..starts(ActionKind::Sleep, bed) }),
                dropped: None,
            },
            "Your plan has changed: sleep on board from 02:45 on 5 Dec, Tokyo time.",
        ),
        (
            None,
            true,
            News::PlanRefreshed { change: tomorrow.map(|bed| starts(ActionKind::Sleep, bed)), dropped: None },
            "Your plan has changed: bed at 18:45 on 5 Dec.",
        ),
        (
            mia,
            false,
            News::PlanRefreshed { change: in_tokyo.map(|bed| starts(ActionKind::Sleep, bed)), dropped: None },
            "Mia's plan has changed: bed at 02:45, night to 5 Dec, Tokyo time.",
        ),
        (
            mia,
            false,
            News::PlanRefreshed { change: None, dropped: bed.map(|bed| (ActionKind::DimLight, bed)) },
            "Mia's plan has changed: no more low light from 18:45.",
        ),
        (
            None,
            true,
            connection("BA117", true, None),
            "KL641 is 2 h late, leaving at 17:10: the connection to BA117 in AMS is missed.",
        ),
        (
            None,
            true,
            connection("BA117", true, Some(Span::minutes(35))),
            "KL641 is 2 h late, leaving at 17:10: 35 min are left to change to BA117 in AMS.",
        ),
        (
            None,
            true,
            connection("KL641", true, None),
            "KL641 is 2 h late, leaving at 17:10: the connection in AMS is missed.",
        ),
        (
            None,
            true,
            connection("BA117", false, None),
            "KL641 is 2 h late, leaving at 17:10: the connection from BA117 in AMS is missed.",
        ),
        (
            mia,
            false,
            News::FlightReinstated { flight, was_diverted: false, boarding },
            "KL641 is on again, leaving at 17:10: Mia's plan counts on it.",
        ),
        (
            None,
            true,
            News::FlightReinstated { flight, was_diverted: false, boarding: None },
            "KL641 is on again: your plan counts on it.",
        ),
        (
            None,
            true,
            News::FlightReinstated { flight, was_diverted: true, boarding },
            "KL641 goes where it was booked to: your plan follows.",
        ),
        (
            mia,
            false,
            News::TripCalledOff { destination: Some(tokyo), away: false },
            "The trip to NRT is called off: Mia's plan is the usual day at home.",
        ),
        (
            None,
            true,
            News::TripCalledOff { destination: None, away: true },
            "The trip is called off: your plan stays on local time.",
        ),
        (
            None,
            true,
            News::PlanRefreshed { change: bed.map(|bed| starts(ActionKind::Meal, bed)), dropped: None },
            "Your plan has changed: breakfast at 18:45.",
        ),
        (
            None,
            true,
            News::PlanRefreshed { change: bed.map(|bed| ends(ActionKind::BrightLight, bed)), dropped: None },
            "Your plan has changed: bright light until 18:45.",
        ),
        (mia, false, News::PlanRefreshed { change: None, dropped: None }, "Mia's plan has changed from tomorrow on."),
    ] {
        assert_eq!(say(name, adult, news), expected);
    }
}

#[test]
fn only_what_is_soon_and_by_the_clock_of_here_is_near() {
    let (bed, here) = (at("2026-12-04T17:45:00Z"), Tz::Europe__Amsterdam);
    assert!(bed.is_near(utc("2026-12-04T12:00:00Z"), here));
    assert!(!bed.is_near(utc("2026-12-04T12:00:00Z"), Tz::Asia__Tokyo), "another clock");
    assert!(!bed.is_near(utc("2026-12-04T03:00:00Z"), here), "more than 14 h ahead");
    let there = Some(When { time_zone: Tz::Asia__Tokyo, ..bed });
    let news = News::NapMissed { bed: there, nap: Some(at("2026-12-04T13:30:00Z")) };
    assert_eq!(say(Some("Mia"), false, news), "Mia missed a nap: next one at 14:30.");
}

#[test]
fn a_name_with_a_blaming_word_or_an_exclamation_mark_does_not_spoil_the_sentence() {
    let news = || News::NapFound { bed: None };
    assert_eq!(say(Some("Bad!"), false, news()), "Found: your child did nap, so the usual plan holds.");
    assert_eq!(say(Some("Sinbad!\n"), false, news()), "Found: Sinbad did nap, so the usual plan holds.");
}

fn when() -> impl Strategy<Value = Option<When>> {
    let zone = prop_oneof![Just(Tz::Asia__Kathmandu), Just(Tz::America__New_York)];
    option::of((0..4_000_000_000_000i64, zone).prop_map(|(at, time_zone)| When { at: UtcMillis(at), time_zone }))
}

fn iata() -> impl Strategy<Value = Option<Iata>> {
    option::of("[A-Z]{3}".prop_map(|code| Iata::parse(&code).unwrap()))
}

proptest! {
    #[test]
    fn no_headline_is_longer_than_ninety_characters_or_loud(
        name in option::of(prop_oneof![".{0,40}", "\\PC{24}", "[ß-ﬀ]{24}"]),
        flight in prop_oneof![".{0,30}", "[A-Z0-9]{2,12}"],
        (first, second) in (when(), when()),
        to in iata(),
        minutes in -3000..3000i64,
        (adult, flag) in (any::<bool>(), any::<bool>()),
    ) {
        let flight = flight.as_str();
        let destination = to.unwrap_or(Iata(*b"NRT"));
        let kinds = [ActionKind::Sleep, ActionKind::WindDown, ActionKind::BrightLight, ActionKind::Melatonin];
        let leaves = first.or(second).unwrap_or(at("2026-12-04T17:45:00Z"));
        let times = [
            FlightTime::Leaves(leaves),
            FlightTime::LeavesLaterStill(leaves),
            FlightTime::LeavesSooner(leaves),
            FlightTime::LandsOtherwise { leaves },
            FlightTime::Left { lands: leaves },
        ];
        let time = times[minutes.unsigned_abs() as usize % times.len()];
        let kind = kinds[minutes.unsigned_abs() as usize % kinds.len()];
        for news in [
            News::NapMissed { bed: first, nap: second },
            News::NapShort { slept: Span::minutes(minutes), bed: first, nap: second },
            News::NapFound { bed: first },
            News::FlightDelayed { flight, late_by: Span::minutes(minutes), time, plan_holds: flag },
            News::FlightCancelled { flight, confirmed: flag },
            News::FlightDiverted { flight, to },
            News::TripPlanned { destination, nights: first.map_or(Nights::AsPlannedBefore, Nights::MoveFrom) },
            News::PlanRefreshed { change: first.map(|first| starts(kind, first)), dropped: None },
            News::PlanRefreshed { change: None, dropped: second.map(|second| (kind, second)) },
            News::PlanRefreshed { change: first.map(|first| ends(kind, first)), dropped: None },
            News::TripCalledOff { destination: to, away: flag },
            News::FlightReinstated { flight, was_diverted: flag, boarding: first },
            News::Connection {
                changed: flight,
                late_by: Span::minutes(minutes),
                boarding: second,
                other: flight,
                changed_comes_first: flag,
                airport: destination,
                left: first.map(|_| Span::minutes(minutes)),
            },
        ] {
            let sentence = say(name.as_deref(), adult, news);
            prop_assert!((10..=90).contains(&sentence.chars().count()), "{}: {sentence:?}", sentence.chars().count());
            prop_assert!(!sentence.contains('!') && !sentence.contains('\n') && sentence.ends_with('.'));
            let lower = sentence.to_lowercase();
            let mut words = lower.split(|c: char| !c.is_alphanumeric());
            prop_assert!(!words.any(|word| matches!(word, "bad" | "wrong" | "fault" | "failed" | "should")), "{sentence}");
        }
    }
}
