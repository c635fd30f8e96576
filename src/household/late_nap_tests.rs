//! Naps that were said to be missed, and come later.

use chrono_tz::Tz;

use super::fixtures::*;
use crate::event::activity::{Age, Profile, UsualNap};
use crate::event::recommendation::{Action, ActionKind, Reason, Recommendation};
use crate::units::{Span, UtcMillis};

fn first(said: &Recommendation, kind: ActionKind) -> Option<&Action> {
    said.actions.iter().find(|action| action.kind == kind)
}

fn bedtime(said: &Recommendation) -> Option<UtcMillis> {
    first(said, ActionKind::Sleep).map(|night| night.start)
}

#[test]
fn a_nap_that_is_slept_later_than_the_report_that_it_was_skipped_gives_the_usual_bedtime_back() {
    let one_nap = Profile {
        age: Age::Born { year: 2024, month: 10 },
        naps: Some(Box::from([UsualNap { start: 750, minutes: 90 }])),
        ..infant(Tz::Europe__London)
    };
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", one_nap);
    for day in 1..=10 {
        story.slept("mia", at(day - 1, 19.5), at(day, 7.0));
        story.slept("mia", at(day, 12.5), at(day, 14.0));
    }
    story.slept("mia", at(10, 19.5), at(11, 7.0));
    story.skipped("mia", at(11, 13.0));
    assert_eq!(bedtime(&story.said[0]), Some(at(11, 19.0)), "{}", story.said[0].headline);
    story.slept("mia", at(11, 13.5), at(11, 14.0 + 55.0 / 60.0));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed), ("mia", Reason::NapFound)]);
    assert_eq!(bedtime(&story.said[1]), Some(at(11, 19.5)));
    assert_eq!(story.said[1].supersedes, Some(story.said[0].recommendation_id));
    // Once.
    story.slept_told_at(at(11, 15.5), "mia", at(11, 13.5), at(11, 15.0));
    assert_eq!(story.said.len(), 2);
}

#[test]
fn the_second_nap_waits_for_a_first_one_that_was_slept_late() {
    let mut story = Story::new();
    story.profile(at(0, 12.0), "mia", infant(Tz::Europe__London));
    story.regular_days("mia", 1, 10);
    story.until(at(11, 12.5));
    assert_eq!(story.reasons(), [("mia", Reason::NapMissed)]);
    story.slept("mia", at(11, 12.6), at(11, 13.8));
    assert_eq!(story.reasons()[1..], [("mia", Reason::NapFound)]);
    let found = &story.said[1];
    let second = first(found, ActionKind::Nap).unwrap();
    assert!(second.start >= at(11, 13.8) + Span::minutes(150), "{}", second.local);
    assert_eq!(bedtime(found), Some(at(11, 19.5)));
}
