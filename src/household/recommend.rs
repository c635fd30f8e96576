//! What is said: a cause, the plan as it is now, what it changes, and one sentence.
//!
//! The plan is made anew on every cause. It is published when something of the next day moved, or when the cause is one
//! that people wait to hear about; else it is only counted.

use chrono_tz::Tz;
use uuid::Uuid;

use super::headline::headline;
use super::identity::Identity;
use super::{Household, trips};
use crate::engine::effects::ClockSaid;
use crate::engine::{Effects, Moment};
use crate::event::flight::Iata;
use crate::event::recommendation::{
    Action, ActionKind, Cause, ClockQuality, Estimate, Reason, Recommendation, Urgency, Window,
};
use crate::planner::{self, Clock, FlightTime, Person, Plan, Published, Reader, Repair, Situation, Stretch, When};
use crate::traveller::clock::stretch_at;
use crate::traveller::{Assessment, LastSaid, Models, Traveller, View};
use crate::units::{Span, UtcMillis};

/// What begins sooner is worth breaking through a phone's silence for.
const ACT_WITHIN: Span = Span::minutes(30);

/// A nap that should have begun is still the next one for so long.
const JUST_BEGUN: Span = Span::minutes(15);

/// How long advice holds that has no end of its own.
const HOLDS_FOR: Span = Span::hours(24);
const HOLDS_UNTIL_BED: Span = Span::hours(12);

/// Why something may be said.
#[derive(Clone, Debug)]
pub struct Occasion<'a> {
    pub reason: Reason,
    /// The activity that brought it up, or `timer`.
    pub activity: &'static str,
    /// Kind of the timer.
    pub timer: Option<&'static str>,
    /// When: the fact's time, or the timer's due time.
    pub at: UtcMillis,
    /// Tells this cause from others of its kind.
    pub key: &'a str,
    pub topic: Topic<'a>,
    /// Said even if the plan holds.
    pub in_any_case: bool,
    /// It leaves less time than people count on: worth breaking through a phone's silence for, whoever sleeps.
    pub presses: bool,
    /// The recommendation that it takes back or replaces; without one, the last that still holds.
    pub supersedes: Option<Uuid>,
}

/// What it is about: decides the sentence and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Topic<'a> {
    NapMissed,
    NapShort {
        slept: Span,
    },
    NapFound,
    /// `late_by`: against the booking.
    Delayed {
        flight: &'a str,
        late_by: Span,
        time: FlightTime,
        arrives: UtcMillis,
    },
    /// A delay that leaves too little time to change, or none: see [`News::Connection`].
    Connection {
        changed: &'a str,
        late_by: Span,
        departs: When,
        other: &'a str,
        changed_comes_first: bool,
        airport: Iata,
        left: Option<Span>,
        arrives: UtcMillis,
    },
    /// A connection that was missed or at risk is one again.
    ConnectionMended {
        flight: &'a str,
        late_by: Span,
        departs: When,
        airport: Iata,
        arrives: UtcMillis,
    },
    /// Cancelled or diverted was taken back.
    Reinstated {
        flight: &'a str,
        was_diverted: bool,
        departs: When,
        arrives: UtcMillis,
    },
    Cancelled {
        flight: &'a str,
        certain: bool,
        departs: UtcMillis,
    },
    Diverted {
        flight: &'a str,
        to: Option<Iata>,
        arrives: UtcMillis,
    },
    Trip {
        destination: Iata,
        departs: UtcMillis,
        arrives: UtcMillis,
    },
    CalledOff {
        destination: Option<Iata>,
    },
    Refreshed,
}

impl Occasion<'_> {
    /// The id of the recommendation that this will be.
    #[must_use]
    pub fn id(&self, household_id: &str, user_id: &str, now: UtcMillis) -> Uuid {
        let (cause, cause_key) = (self.activity, self.key);
        Identity { household_id, user_id, reason: self.reason, cause, cause_key, stream_time: now }.id()
    }
}

/// A person's plan with what it was made from.
pub(super) struct Advice<'a> {
    pub assessment: Assessment<'a>,
    pub plan: Plan,
}

impl Household {
    /// Plans for one traveller and says what there is to say. Whether anything was said.
    pub(super) fn say(
        &mut self,
        models: &Models,
        place: usize,
        occasion: &Occasion<'_>,
        moment: &Moment,
        effects: &mut Effects,
    ) -> bool {
        let now = moment.now;
        let whereabouts = self.whereabouts(models, &self.travellers[place]);
        let view = View { models, whereabouts: &whereabouts, now };
        self.travellers[place].settle(&view);

        let traveller = &self.travellers[place];
        let advice = self.advise(traveller, &view);
        let before = traveller.said().map_or(&[][..], |said| &said.plan);
        let here = stretch_at(&whereabouts, now);
        let reader = Reader { now, time_zone: here.time_zone };
        let difference = planner::compare(before, &advice.plan, reader);
        let heading = advice.plan.heading;
        let turns_round = traveller
            .heading()
            .zip(heading)
            .is_some_and(|(before, after)| before.time_zone == after.time_zone && before.direction != after.direction);
        if !occasion.in_any_case && !difference.worth_a_refresh && !turns_round {
            effects.held_unchanged += 1;
            self.travellers[place].set_heading(heading);
            return false;
        }
        let last = traveller.said().and_then(|said| said.last);
        if let Some(width) = advice.assessment.clock.width() {
            effects.clocks.push(ClockSaid { width: width.0, nis: advice.assessment.clock.nis });
        }
        let still_holds = last.filter(|last| last.expires_at > now).map(|last| last.recommendation);
        let id = occasion.id(self.id.as_str(), traveller.id(), now);
        let recommendation = Recommendation {
            schema: 1,
            recommendation_id: id,
            supersedes: occasion.supersedes.or(still_holds).filter(|other| *other != id),
            user_id: traveller.id().to_owned(),
            household_id: self.id.as_str().to_owned(),
            reason: occasion.reason,
            cause: cause(occasion, moment),
            issued_at: now,
            expires_at: expires_at(&occasion.topic, &advice.plan, now),
            urgency: urgency(occasion, &advice, before, now),
            time_zone: here.time_zone.name().to_owned(),
            headline: headline(&occasion.topic, &advice, &difference, before, &whereabouts, now),
            circadian: advice.assessment.clock.summary(),
            sleep: advice.assessment.sleep.clone(),
            changes: difference.changes,
            expect: advice.plan.expect,
            actions: advice.plan.actions,
        };
        let said = self.travellers[place].said_mut();
        said.heading = heading;
        said.plan = recommendation.actions.iter().map(Published::of).collect();
        said.last = Some(LastSaid { recommendation: id, expires_at: recommendation.expires_at });
        effects.recommend(recommendation);
        true
    }

    fn advise<'a>(&self, traveller: &'a Traveller, view: &View<'_>) -> Advice<'a> {
        let mut assessment = traveller.assess(view);
        let plan = self.plan(traveller, &assessment, view);
        follow_plan(&mut assessment, &plan, traveller.alarm().is_some(), view.now);
        Advice { assessment, plan }
    }

    fn plan(&self, traveller: &Traveller, assessment: &Assessment<'_>, view: &View<'_>) -> Plan {
        let persona = &assessment.persona;
        let clock = &assessment.clock;
        let Some(home_time_zone) = trips::home_of(self.journeys(), traveller) else { return Plan::default() };
        // Of a stranger not even the age is known: nothing to shift a clock by.
        let has_clock = persona.is_known() && clock.quality != ClockQuality::NotYet;
        let estimate = has_clock.then_some(clock.cbt_min).flatten();
        let repair = traveller.alarm().map(|alarm| Repair {
            // The rest of the day follows from the sleep that came last.
            awake_since: assessment.awake_since.map_or(alarm.repair.awake_since, |at| at.max(alarm.repair.awake_since)),
            ..alarm.repair
        });
        let told;
        let whereabouts = if self.journeys().is_empty() {
            view.whereabouts
        } else {
            told = self.whereabouts_to_plan_by(view.models, traveller, view.now);
            &told
        };
        let situation = Situation {
            now: view.now,
            person: Person {
                user_id: traveller.id(),
                display_name: persona.profile.and_then(|profile| profile.display_name.as_deref()),
                band: persona.group().band(),
                age_months: persona.months,
                home_time_zone,
                bedtime: persona.day.bedtime,
                wake: persona.day.wake,
                naps: &assessment.usual_naps,
                wake_window: assessment.wake_window,
                melatonin: persona.profile.is_some_and(|profile| profile.melatonin),
                caffeine: persona.profile.is_some_and(|profile| profile.caffeine),
                no_bright_light: persona.profile.is_some_and(|profile| profile.conditions.forbid_bright_light()),
            },
            clock: estimate.map(|cbt_min| Clock { cbt_min, sd: clock.sd, delta: clock.delta }),
            whereabouts,
            repair,
            asleep_since: assessment.asleep_since,
            keep_home_time: self.keeps_home_time(traveller, home_time_zone, view),
            trip_known_at: self.trip_known_at(traveller, view.now),
            heading: traveller.heading(),
        };
        planner::make(&situation, self.id.as_str())
    }

    fn keeps_home_time(&self, traveller: &Traveller, home: Tz, view: &View<'_>) -> bool {
        if self.journeys().is_empty() {
            return false;
        }
        let booked: Vec<Stretch> = trips::whereabouts(self.journeys(), traveller, trips::Times::Booked);
        trips::keeps_home_time(&booked, home, view.now, &view.models.people.journey)
    }

    /// When the household heard of the trip on which this traveller leaves next.
    fn trip_known_at(&self, traveller: &Traveller, now: UtcMillis) -> Option<UtcMillis> {
        let ahead = self.journeys().iter().filter(|journey| journey.is_of(traveller.id()));
        let ahead = ahead.filter_map(|journey| Some((journey.begins()?, journey.known_at)));
        ahead.filter(|(begins, _)| *begins > now).min().map(|(_, known_at)| known_at)
    }

    /// Everything known of one traveller as of `now`; changes nothing.
    pub(super) fn estimate(&self, models: &Models, traveller: &Traveller, now: UtcMillis) -> Estimate {
        let whereabouts = self.whereabouts(models, traveller);
        let view = View { models, whereabouts: &whereabouts, now };
        let mut assessment = traveller.assess(&view);
        // To plan a day one has to know whose.
        let plan =
            if assessment.persona.is_known() { self.plan(traveller, &assessment, &view) } else { Plan::default() };
        follow_plan(&mut assessment, &plan, traveller.alarm().is_some(), now);
        Estimate {
            estimate_of: traveller.id().to_owned(),
            household_id: self.id.as_str().to_owned(),
            at: now,
            circadian: assessment.clock.summary(),
            sleep: assessment.sleep,
            plan: plan.actions,
        }
    }
}

fn cause(occasion: &Occasion<'_>, moment: &Moment) -> Cause {
    Cause {
        topic: moment.position.map(|position| position.topic.as_str().to_owned()),
        partition: moment.position.map(|position| position.partition),
        offset: moment.position.map(|position| position.offset),
        activity: occasion.activity.to_owned(),
        kind: occasion.timer.map(str::to_owned),
        at: occasion.at,
    }
}

pub(super) fn first_ahead(plan: &Plan, kind: ActionKind, now: UtcMillis) -> Option<&Action> {
    plan.actions.iter().find(|action| action.kind == kind && action.start > now)
}

/// The nap before the next night.
pub(super) fn next_nap(plan: &Plan, now: UtcMillis) -> Option<&Action> {
    let bed = first_ahead(plan, ActionKind::Sleep, now).map(|night| night.start);
    first_ahead(plan, ActionKind::Nap, now).filter(|nap| bed.is_none_or(|bed| nap.start < bed))
}

/// The nap that is said to come next is that of the plan, where it has one; nobody who sleeps is told of one. `repairs`:
/// the plan makes up for a nap, and knows better than the habit that there is none.
fn follow_plan(assessment: &mut Assessment<'_>, plan: &Plan, repairs: bool, now: UtcMillis) {
    let is_ahead = |nap: &&Action| nap.kind == ActionKind::Nap && nap.start > now - JUST_BEGUN && nap.end > now;
    let planned = plan.actions.iter().find(is_ahead).map(|nap| Window { start: nap.start, end: nap.end });
    let sleep = &mut assessment.sleep;
    if assessment.asleep_since.is_some() {
        sleep.next_nap = None;
    } else if planned.is_some() || repairs {
        sleep.next_nap = planned;
    }
}

fn expires_at(topic: &Topic<'_>, plan: &Plan, now: UtcMillis) -> UtcMillis {
    let ahead = |time: UtcMillis| (time > now).then_some(time);
    let until = match *topic {
        Topic::NapMissed | Topic::NapShort { .. } | Topic::NapFound => {
            let bed = first_ahead(plan, ActionKind::Sleep, now).map(|night| night.start);
            return bed.unwrap_or(now + HOLDS_UNTIL_BED);
        }
        Topic::Delayed { arrives, .. }
        | Topic::Connection { arrives, .. }
        | Topic::ConnectionMended { arrives, .. }
        | Topic::Reinstated { arrives, .. }
        | Topic::Diverted { arrives, .. } => ahead(arrives),
        Topic::Cancelled { departs, .. } => ahead(departs),
        Topic::Trip { departs, arrives, .. } => ahead(departs).or_else(|| ahead(arrives)),
        Topic::CalledOff { .. } | Topic::Refreshed => None,
    };
    until.unwrap_or(now + HOLDS_FOR)
}

/// As phones know it: what is news, and has to be done within half an hour by somebody who is awake, comes at once. In a
/// night that was advised nobody is taken to be awake.
fn urgency(occasion: &Occasion<'_>, advice: &Advice<'_>, before: &[Published], now: UtcMillis) -> Urgency {
    if occasion.presses {
        return Urgency::TimeSensitive;
    }
    if matches!(occasion.topic, Topic::NapFound | Topic::Trip { .. } | Topic::Refreshed) {
        return Urgency::Passive;
    }
    let begins_soon = |action: &&Action| action.start >= now && action.start <= now + ACT_WITHIN;
    let is_news = |action: &Action| !before.iter().any(|old| planner::is_repeated_by(*old, Published::of(action)));
    let covers_now = |sleep: &Published| sleep.kind == ActionKind::Sleep && sleep.start < now && now < sleep.end;
    let in_bed =
        before.iter().any(covers_now) || advice.plan.actions.iter().map(Published::of).any(|sleep| covers_now(&sleep));
    let is_awake = advice.assessment.asleep_since.is_none() && !in_bed;
    if is_awake && advice.plan.actions.iter().filter(begins_soon).any(is_news) {
        return Urgency::TimeSensitive;
    }
    Urgency::Active
}
