//! What happens when nothing happens: a nap that does not come, the daily look at the plan, the end of a tombstone.

use uuid::Uuid;

use super::recommend::{Occasion, Topic};
use super::trips;
use super::{Household, More};
use crate::engine::{Effects, Moment};
use crate::event::recommendation::Reason;
use crate::flight::zones;
use crate::planner::{Place, RepairKind, Stretch};
use crate::traveller::nap_watch::{NapAlarm, NapNews};
use crate::traveller::{Due, Models, Traveller, View};
use crate::units::UtcMillis;

/// The kinds of timers, as causes name them.
pub const NAP: &str = "nap";
pub const PLAN: &str = "plan";

impl Household {
    /// Fires the first timer that is due at `next_due`: by user, nap before plan; then who is travelling,
    /// then tombstones.
    pub(super) fn fire_first(&mut self, models: &Models, moment: &Moment, effects: &mut Effects) {
        let Some(due) = self.next_due.get() else { return };
        let is_due = |timer: Due| timer.get() == Some(due);
        let nap_or_plan = self.travellers.iter().position(|traveller| is_due(traveller.next_due()));
        match nap_or_plan {
            Some(place) if is_due(self.travellers[place].timers().nap) => {
                self.fire_nap(models, place, due, moment, effects);
            }
            Some(place) => self.fire_plan(models, place, due, moment, effects),
            None if is_due(self.next_move()) => self.count_travelling(models, moment.now),
            None => self.forget_tombstones(moment.now),
        }
        self.set_next_due();
    }

    fn fire_nap(&mut self, models: &Models, place: usize, due: UtcMillis, moment: &Moment, effects: &mut Effects) {
        let news = self.with_view(models, place, moment.now, Traveller::nap_timer_fired);
        if let Some(news) = news {
            let key = format!("{NAP} {}", due.0);
            let cause = NapCause { activity: "timer", timer: Some(NAP), at: due, key: &key };
            self.tell_of_nap(models, place, news, &cause, moment, effects);
        }
    }

    /// Says what there is to say about a nap, and remembers that it was said.
    pub(super) fn tell_of_nap(
        &mut self,
        models: &Models,
        place: usize,
        news: NapNews,
        cause: &NapCause<'_>,
        moment: &Moment,
        effects: &mut Effects,
    ) {
        let (reason, topic, supersedes) = match news {
            NapNews::Alarm { repair, slept } => match repair.kind {
                RepairKind::Missed | RepairKind::Early | RepairKind::Late => {
                    (Reason::NapMissed, Topic::NapMissed, None)
                }
                RepairKind::Short => (Reason::NapShort, Topic::NapShort { slept }, None),
            },
            NapNews::Found { alarm } => (Reason::NapFound, Topic::NapFound, Some(alarm.recommendation)),
        };
        let occasion = Occasion {
            reason,
            activity: cause.activity,
            timer: cause.timer,
            at: cause.at,
            key: cause.key,
            topic,
            in_any_case: true,
            presses: false,
            supersedes,
        };
        if let NapNews::Alarm { repair, .. } = news {
            // The plan that is about to be made repairs it.
            let recommendation: Uuid = occasion.id(self.id.as_str(), self.travellers[place].id(), moment.now);
            let alarm = NapAlarm { repair, recommendation, by_silence: cause.timer.is_some() };
            self.with_view(models, place, moment.now, |traveller, view| traveller.nap_was_said(alarm, view));
        }
        self.say(models, place, &occasion, moment, effects);
    }

    fn fire_plan(&mut self, models: &Models, place: usize, due: UtcMillis, moment: &Moment, effects: &mut Effects) {
        let key = format!("{PLAN} {}", due.0);
        let occasion = Occasion {
            reason: Reason::PlanRefreshed,
            activity: "timer",
            timer: Some(PLAN),
            at: due,
            key: &key,
            topic: Topic::Refreshed,
            in_any_case: false,
            presses: false,
            supersedes: None,
        };
        self.say(models, place, &occasion, moment, effects);
        self.forget_old_trips(models, moment.now, effects);
        self.set_plan_timer(models, place, moment.now);
        if self.travellers[place].timers().plan == Due::NEVER {
            self.travellers[place].set_heading(None);
        }
        self.count_travelling(models, moment.now);
    }

    /// After it has changed where somebody is, or will be.
    pub(super) fn after_moving(&mut self, models: &Models, place: usize, now: UtcMillis) {
        self.with_view(models, place, now, Traveller::set_nap_timer);
        self.set_plan_timer(models, place, now);
    }

    /// The next morning on which the plan is looked at: while a journey is near, and until the body has arrived.
    pub(super) fn set_plan_timer(&mut self, models: &Models, place: usize, now: UtcMillis) {
        let due = if self.journeys().is_empty() {
            None
        } else {
            let traveller = &self.travellers[place];
            let whereabouts = self.whereabouts(models, traveller);
            next_look(&View { models, whereabouts: &whereabouts, now }, traveller)
        };
        self.travellers[place].set_plan_timer(due);
    }

    fn forget_tombstones(&mut self, now: UtcMillis) {
        if let Some(more) = &mut self.more {
            more.tombstones.retain(|tombstone| tombstone.until > now);
        }
        self.drop_more_if_empty();
    }

    pub(super) fn drop_more_if_empty(&mut self) {
        if self.more.as_ref().is_some_and(|more| **more == More::default()) {
            self.more = None;
        }
    }

    /// Trips that are over and far from anybody's thoughts.
    fn forget_old_trips(&mut self, models: &Models, now: UtcMillis, effects: &mut Effects) {
        let remembered = models.people.shift_remembered;
        if !self.journeys().iter().any(|journey| journey.ends() + remembered < now) {
            return;
        }
        for place in 0..self.travellers.len() {
            self.settle(models, place, now);
        }
        let before = trips::flight_keys(self.journeys());
        if let Some(more) = &mut self.more {
            trips::forget_old(&mut more.journeys, &self.travellers, now, &models.people);
        }
        self.watch_the_difference(&before, effects);
        self.count_travelling(models, now);
        self.drop_more_if_empty();
    }
}

/// What brought news of a nap up.
#[derive(Clone, Copy, Debug)]
pub struct NapCause<'a> {
    pub activity: &'static str,
    pub timer: Option<&'static str>,
    pub at: UtcMillis,
    pub key: &'a str,
}

/// The next wake-up after now that lies from some days before a departure until some time after a landing; after a
/// landing only until the body has arrived. Also the moment at which somebody is taken to be somewhere else.
fn next_look(view: &View<'_>, traveller: &Traveller) -> Option<UtcMillis> {
    let numbers = &view.models.people.journey;
    let is_aboard = |stretch: &Stretch| matches!(stretch.place, Place::Aboard { .. });
    let flights = view.whereabouts.iter().filter(|stretch| is_aboard(stretch));
    let flights = flights.filter_map(|flight| Some((flight.from - numbers.planned_before, flight.to?)));
    // To come somewhere without a flight is not prepared for: the first plan for there is one of that moment.
    let is_untold = |pair: &&[Stretch]| matches!(pair[1].place, Place::Away { .. }) && !is_aboard(&pair[0]);
    let untold = view.whereabouts.windows(2).filter(is_untold).map(|pair| (pair[1].from, pair[1].from));
    let mut adapted: Option<bool> = None;
    let looks = flights.chain(untold.clone()).filter_map(|(begins, lands)| {
        let ends = lands + numbers.planned_after;
        let has_settled_in = lands + numbers.adapted_not_before <= view.now
            && *adapted.get_or_insert_with(|| is_adapted(traveller, view));
        if has_settled_in {
            return None;
        }
        let wake = next_wake(view.whereabouts, traveller.persona(view).day.wake, view.now.max(begins))?;
        (wake <= ends).then_some(wake)
    });
    let next_morning = looks.min();
    let next_untold = untold.map(|(_, comes)| comes).filter(|comes| *comes > view.now).min();
    next_morning.into_iter().chain(next_untold).min()
}

/// Of a stranger nobody can tell: looked after until it is over for everybody.
fn is_adapted(traveller: &Traveller, view: &View<'_>) -> bool {
    let off = traveller.assess(view).clock.misalignment;
    off.is_some_and(|off| off.0.abs() <= view.models.people.journey.adapted_within.0)
}

/// The first time after `after` at which the clock on the wall, wherever that will be, shows the usual wake-up.
fn next_wake(whereabouts: &[Stretch], wake: u16, after: UtcMillis) -> Option<UtcMillis> {
    whereabouts.iter().find_map(|stretch| {
        let from = stretch.from.max(after);
        let is_here = |at: &UtcMillis| *at > from && stretch.to.is_none_or(|to| *at < to);
        let today = zones::local_date(stretch.time_zone, from);
        let days = [Some(today), today.succ_opt()];
        days.into_iter().flatten().map(|day| zones::to_utc(stretch.time_zone, day, i32::from(wake))).find(is_here)
    })
}
