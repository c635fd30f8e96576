//! Journeys near the line between both ways round, walked through day by day, and clocks that are not known well.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::fixtures::{Case, adult, as_text, locals, of_kind};
use super::{Direction, Heading};
use crate::event::recommendation::ActionKind::{self, BrightLight};
use crate::flight::zones;
use crate::units::{Hours, Span};

/// What the estimate is off by, morning after morning.
const WOBBLE: [f64; 5] = [0.0, 0.8, -0.9, 0.6, -0.7];

/// A flight from Amsterdam on 12 June, looked at every morning from four days before to ten days after it. The clock follows
/// the plan; the estimate of it wobbles. The ways that the plans took, and those that their nights moved.
fn walk(airport: &str, zone: Tz, remembers: bool) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let mut case: Case =
        adult("2026-06-08T05:30:00Z").flying("2026-06-12T10:00:00Z", "2026-06-13T06:00:00Z", airport, zone);
    let (mut ways, mut nights) = (BTreeSet::new(), BTreeSet::new());
    let mut true_cbt_min = case.clock.unwrap().cbt_min;
    let mut heading: Option<Heading> = None;
    for wobble in WOBBLE.iter().cycle().take(15) {
        while true_cbt_min <= case.now + Span::hours(2) {
            true_cbt_min += Span::days(1);
        }
        case.clock.as_mut().unwrap().cbt_min = true_cbt_min + Span::from_hours(Hours(*wobble));
        case.heading = heading.filter(|_| remembers);
        let plan = case.plan();
        heading = plan.heading;
        if let Some(Heading { direction, .. }) = heading {
            ways.insert(if direction == Direction::Advance { "advance" } else { "delay" });
            let landed = case.whereabouts[2].from <= case.now;
            // Nobody goes on once they are there.
            let adapted = Hours(3.9);
            let to_go = (zones::hour_of_day(zone, true_cbt_min) - adapted).wrap_12();
            let has_begun = case.now >= case.whereabouts[1].from - Span::days(3);
            let fastest = Span::minutes(if landed { 90 } else { 60 * i64::from(has_begun) });
            let a_day = fastest.min(Span::from_hours(to_go).abs());
            true_cbt_min = if direction == Direction::Advance { true_cbt_min - a_day } else { true_cbt_min + a_day };
        }
        let usual = Hours(23.0);
        for night in of_kind(&plan, ActionKind::Sleep).into_iter().filter(|night| night.why.contains("each night")) {
            let moved = (zones::hour_of_day(Tz::Europe__Amsterdam, night.start) - usual).wrap_12();
            nights.insert(if moved.0 < 0.0 { "earlier" } else { "later" });
        }
        case.now += Span::days(1);
    }
    (ways, nights)
}

#[test]
fn nine_to_eleven_hours_east_or_west_the_plan_never_turns_round() {
    // Hours ahead of Amsterdam in June: 9, 10, 11; -9, -10, -12.
    let places = [
        ("GDX", Tz::Asia__Magadan),
        ("AKL", Tz::Pacific__Auckland),
        ("APW", Tz::Pacific__Apia),
        ("LAX", Tz::America__Los_Angeles),
        ("ANC", Tz::America__Anchorage),
        ("HNL", Tz::Pacific__Honolulu),
    ];
    let mut turned_without_memory = 0;
    for (airport, zone) in places {
        let (ways, nights) = walk(airport, zone, true);
        assert_eq!(ways.len(), 1, "{airport} {ways:?}");
        assert_eq!(nights.len(), 1, "{airport} {nights:?}");
        turned_without_memory += usize::from(walk(airport, zone, false).0.len() > 1);
    }
    assert!(turned_without_memory > 0, "these journeys are near the line");
}

#[test]
fn the_plan_turns_where_the_place_is_another_one_or_the_other_way_is_much_shorter() {
    let mut case =
        adult("2026-06-13T14:30:00Z").flying("2026-06-12T18:00:00Z", "2026-06-13T06:00:00Z", "NRT", Tz::Asia__Tokyo);
    let towards = |time_zone, direction| Some(Heading { time_zone, direction });
    let direction = |case: &Case| case.plan().heading.unwrap().direction;
    case.heading = towards(Tz::Asia__Tokyo, Direction::Delay);
    assert_eq!(direction(&case), Direction::Advance, "7 h rather than 17");
    let clock = case.clock.as_mut().unwrap();
    clock.cbt_min += Span::from_hours(Hours(1.5));
    assert_eq!(direction(&case), Direction::Delay, "8.5 h are no reason to turn round");
    case.heading = towards(Tz::Australia__Sydney, Direction::Delay);
    assert_eq!(direction(&case), Direction::Advance, "it led somewhere else");
}

#[test]
fn light_of_the_days_to_come_is_promised_only_where_it_will_still_be_right_when_they_know_less() {
    let promised = |sd| {
        let mut case = adult("2026-06-13T14:30:00Z").flying(
            "2026-06-12T18:00:00Z",
            "2026-06-13T06:00:00Z",
            "NRT",
            Tz::Asia__Tokyo,
        );
        case.clock.as_mut().unwrap().sd = Hours(sd);
        case.plan()
    };
    assert_eq!(of_kind(&promised(0.8), BrightLight).len(), 3);
    let plan = promised(2.5);
    assert_eq!(
        locals(&plan, BrightLight),
        ["10:55–14:50"],
        "two hours from the clock on average: more than 0.67 × 2.5 h, less than 0.67 × 3.5 h"
    );
    assert!(
        plan.actions.iter().all(|action| !action.why.contains("left out")),
        "not denied either: {}",
        as_text(&plan)
    );
}
