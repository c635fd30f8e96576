//! What must hold for every family.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use proptest::prelude::*;

use super::fixtures::*;
use crate::engine::Unit;
use crate::event::activity::{
    Activity, LightExposure, LightLevel, Meal, MealKind, NapSkipped, Profile, Sleep, SleepKind, Trip,
};
use crate::event::recommendation::{ActionKind, Recommendation};
use crate::units::{Lux, Span, UtcMillis};

const USERS: [&str; 3] = ["ana", "leo", "mia"];
const ZONES: [Tz; 3] = [Tz::Europe__London, Tz::Asia__Kolkata, Tz::America__Los_Angeles];

/// A record that arrives so many minutes after the one before, told by one of the family.
#[derive(Clone, Debug)]
struct Told {
    after: i64,
    user: usize,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Profile { zone: usize, infant: bool },
    Slept { ago: i64, minutes: i64, open: bool, nap: bool, deleted: bool },
    Light { lux: f64 },
    Meal,
    Seen,
    Skipped,
    Trip { revision: u32, in_hours: i64, hours: i64, back_after: i64, both: bool },
    News { late: i64, sort: u8 },
    Erase,
}

fn told() -> impl Strategy<Value = Told> {
    let sleep = (0i64..2_000, 1i64..800, 0u8..16).prop_map(|(ago, minutes, flags)| What::Slept {
        ago,
        minutes,
        open: flags.trailing_zeros() >= 2,
        nap: flags & 0b1100 == 0b1100,
        deleted: flags == 5,
    });
    let trip = (0u32..4, -40i64..120, 1i64..16, 0i64..400, any::<bool>()).prop_map(
        |(revision, in_hours, hours, back_after, both)| What::Trip { revision, in_hours, hours, back_after, both },
    );
    let what = prop_oneof![
        2 => (0usize..3, any::<bool>()).prop_map(|(zone, infant)| What::Profile { zone, infant }),
        9 => sleep,
        3 => (0.0..20_000.0f64).prop_map(|lux| What::Light { lux }),
        1 => Just(What::Meal),
        1 => Just(What::Seen),
        2 => Just(What::Skipped),
        2 => trip,
        2 => (-60i64..600, 0u8..8).prop_map(|(late, sort)| What::News { late, sort }),
        1 => Just(What::Erase),
    ];
    (0i64..600, 0usize..3, what).prop_map(|(after, user, what)| Told { after, user, what })
}

/// The activity, and whose.
fn activity(told: &Told, now: UtcMillis, last_trip: &mut Option<Trip>) -> Option<(&'static str, Activity)> {
    let user = USERS[told.user];
    let activity = match told.what {
        What::Profile { zone, infant: is_infant } => {
            let profile: Profile = if is_infant { infant(ZONES[zone]) } else { adult(ZONES[zone]) };
            Activity::Profile(Box::new(profile))
        }
        What::Slept { ago, minutes, open, nap, deleted } => {
            // On a coarse grid, so that sleeps meet and contradict one another.
            let start = (now - Span::minutes(ago)).floor_to(Span::minutes(30));
            let end = (start + Span::minutes(minutes)).min(now).max(start + Span::minutes(1));
            let kind = nap.then_some(SleepKind::Nap);
            Activity::Sleep(Sleep::Interval { start, end: (!open).then_some(end), kind, deleted })
        }
        What::Light { lux } => {
            Activity::Light(LightExposure { start: now, end: now, level: LightLevel::Lux(Lux(lux)) })
        }
        What::Meal => Activity::Meal(Meal { start: now, end: now, kind: MealKind::Snack }),
        What::Seen => Activity::Sleep(Sleep::SeenAsleep { at: now }),
        What::Skipped => Activity::NapSkipped(NapSkipped { at: now, reason: None }),
        What::Trip { revision, in_hours, hours, back_after, both } => {
            let departs = (now + Span::hours(in_hours)).floor_to(Span::minutes(5));
            let arrives = departs + Span::hours(hours);
            let mut legs = vec![leg("ZZ1", "LHR", "SIN", departs, arrives)];
            if back_after > 24 {
                let departs = arrives + Span::hours(back_after);
                legs.push(leg("ZZ2", "SIN", "LHR", departs, departs + Span::hours(hours)));
            }
            let travellers: &[&str] = if both { &["ana", "mia"] } else { &["mia"] };
            let trip = trip(revision, travellers, legs);
            *last_trip = Some(trip.clone());
            Activity::Trip(Box::new(trip))
        }
        What::News { late, sort } => {
            let leg = last_trip.as_ref()?.legs.first()?;
            let status = match sort {
                0 => cancelled(leg, now),
                _ => status(leg, now, Span::minutes(late)),
            };
            return Some(("", news(status)));
        }
        What::Erase => Activity::Erase,
    };
    Some((user, activity))
}

fn live(family: &[Told], repeated: bool) -> Story {
    let mut story = Story::new();
    let mut now = at(0, 8.0);
    let mut last_trip = None;
    for told in family {
        now += Span::minutes(told.after);
        let Some((user, activity)) = activity(told, now, &mut last_trip) else { continue };
        if repeated {
            story.tell(now, user, activity.clone());
        }
        story.tell(now, user, activity);
    }
    story.until(now + Span::days(2));
    story
}

fn is_well_formed(said: &Recommendation) {
    assert!(said.expires_at > said.issued_at, "{said:?}");
    assert!((1..=90).contains(&said.headline.chars().count()), "{}", said.headline);
    assert!(!said.headline.contains('!'));
    assert_ne!(said.supersedes, Some(said.recommendation_id));
    for action in &said.actions {
        assert!(action.start <= action.end && action.end > said.issued_at, "{action:?} at {}", said.issued_at);
        assert!(!matches!(action.kind, ActionKind::Melatonin | ActionKind::CaffeineUntil), "nobody asked");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_a_family_lives_what_is_said_is_well_formed(family in proptest::collection::vec(told(), 1..60)) {
        let story = live(&family, false);
        story.said.iter().for_each(is_well_formed);
        let ids: BTreeSet<_> = story.said.iter().map(|said| said.recommendation_id).collect();
        prop_assert_eq!(ids.len(), story.said.len());
        prop_assert!(story.household.travellers().windows(2).all(|pair| pair[0].id() < pair[1].id()));
        prop_assert!(story.household.resident_bytes() < 40_000);
        prop_assert!(story.household.next_due().is_none_or(|due| due > story.now));
    }

    #[test]
    fn a_record_that_is_told_twice_counts_once(family in proptest::collection::vec(told(), 1..60)) {
        let (once, twice) = (live(&family, false), live(&family, true));
        prop_assert_eq!(once.reasons(), twice.reasons());
        prop_assert_eq!(once.estimates(), twice.estimates());
        let ids = |story: &Story| story.said.iter().map(|said| said.recommendation_id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&once), ids(&twice));
    }

    #[test]
    fn the_state_goes_through_its_codec_in_any_life(family in proptest::collection::vec(told(), 1..40)) {
        let household = live(&family, false).household;
        let written = serde_json::to_value(&household).unwrap();
        prop_assert_eq!(&serde_json::from_value::<super::Household>(written).unwrap(), &household);
    }
}
