//! Records to changes.

use std::collections::BTreeSet;

use super::recommend::{Occasion, Topic};
use super::timers::NapCause;
use super::trips::{self, Journey};
use super::{ERASED_FOR, Household, Tombstone};
use crate::engine::{Effect, Effects, Moment};
use crate::event::activity::{Activity, ActivityEvent, Sleep, Trip};
use crate::event::flight::{FlightKey, Iata, Watch, WatchChange};
use crate::event::recommendation::Reason;
use crate::planner;
use crate::traveller::Models;
use crate::traveller::reports::{Noted, SleepReport};
use crate::units::UtcMillis;

impl Household {
    /// Changes the household by an event of one of its people, or of its flights.
    pub fn apply(&mut self, models: &Models, event: ActivityEvent<'_>, moment: &Moment, effects: &mut Effects) {
        let user_id: &str = &event.user_id;
        let now = moment.now;
        match event.activity {
            Activity::Tick => return,
            Activity::FlightUpdate(update) => return self.hear_of_flight(models, &update.status, moment, effects),
            Activity::Trip(trip) => return self.plan_trip(models, *trip, moment, effects),
            Activity::Erase => return self.erase(models, user_id, moment, effects),
            _ if self.is_erased(user_id, moment.judged_at) => return,
            _ => {}
        }
        let place = self.traveller_at(user_id, now);
        let noted = match event.activity {
            Activity::Light(light) => {
                let noted = self.travellers[place].note_light(&models.light, &light, now);
                self.cut_down(models, place, moment);
                noted
            }
            Activity::Meal(meal) => {
                let noted = self.travellers[place].note_meal(&meal, now);
                self.cut_down(models, place, moment);
                noted
            }
            Activity::Sleep(Sleep::SeenAsleep { at }) => {
                let noted = self.travellers[place].note_seen_asleep(at, now);
                self.cut_down(models, place, moment);
                noted
            }
            Activity::Sleep(Sleep::Interval { start, end, kind, deleted }) => {
                let report = SleepReport { start, end, kind, deleted, stamp: moment.judged_at };
                let noted = self.with_view(models, place, now, |traveller, view| traveller.note_sleep(view, &report));
                let key = format!("{} {}", start.0, end.map_or(0, |end| end.0));
                let cause = NapCause { activity: "sleep", timer: None, at: end.unwrap_or(start), key: &key };
                self.tell_if_noted(models, place, noted, &cause, moment, effects);
                noted
            }
            Activity::NapSkipped(skipped) => {
                let noted =
                    self.with_view(models, place, now, |traveller, view| traveller.note_nap_skipped(view, &skipped));
                let key = skipped.at.0.to_string();
                let cause = NapCause { activity: "nap_skipped", timer: None, at: skipped.at, key: &key };
                self.tell_if_noted(models, place, noted, &cause, moment, effects);
                noted
            }
            Activity::PhaseMeasurement(measured) => {
                let stamp = moment.judged_at;
                self.with_view(models, place, now, |traveller, view| traveller.note_measurement(view, &measured, stamp))
            }
            Activity::Profile(profile) => {
                let judged_at = moment.judged_at;
                let is_new = self
                    .with_view(models, place, now, |traveller, view| traveller.note_profile(view, *profile, judged_at));
                if is_new {
                    // Home itself may have moved: seen anew.
                    self.after_moving(models, place, now);
                    self.count_travelling(models, now);
                    self.set_next_due();
                }
                Noted::default()
            }
            // What people did with advice is evidence for later models; until then it proves that they were there.
            Activity::Adherence(_)
            | Activity::Trip(_)
            | Activity::Erase
            | Activity::FlightUpdate(_)
            | Activity::Tick => Noted::default(),
        };
        effects.late_events += u32::from(noted.late);
    }

    /// Lists of facts do not grow beyond a few days, whoever never asks.
    fn cut_down(&mut self, models: &Models, place: usize, moment: &Moment) {
        if self.travellers[place].has_gathered_facts(moment.now) {
            self.settle(models, place, moment.now);
        }
    }

    fn tell_if_noted(
        &mut self,
        models: &Models,
        place: usize,
        noted: Noted,
        cause: &NapCause<'_>,
        moment: &Moment,
        effects: &mut Effects,
    ) {
        if let Some(news) = noted.news {
            self.tell_of_nap(models, place, news, cause, moment, effects);
        }
        self.set_next_due();
    }

    /// Forgets a person, but for what was judged after the erasure and came in before it.
    fn erase(&mut self, models: &Models, user_id: &str, moment: &Moment, effects: &mut Effects) {
        let flights_before = trips::flight_keys(self.journeys());
        let is_newer = |judged_at: UtcMillis| judged_at > moment.judged_at;
        let mut restored = None;
        if let Ok(place) = self.travellers.place_of(user_id) {
            let newer = self.travellers[place].known().filter(|known| is_newer(known.judged_at)).cloned();
            self.travellers.remove(place);
            if let Some(known) = newer {
                let place = self.traveller_at(user_id, moment.now);
                self.with_view(models, place, moment.now, |traveller, view| {
                    traveller.note_profile(view, known.profile, known.judged_at)
                });
                restored = Some(place);
            }
        }
        let more = self.more.get_or_insert_default();
        for journey in more.journeys.iter_mut().filter(|journey| !is_newer(journey.judged_at)) {
            journey.trip.travellers.retain(|traveller| **traveller != *user_id);
        }
        more.journeys.retain(|journey| !journey.trip.travellers.is_empty());
        if let Some(place) = restored {
            self.after_moving(models, place, moment.now);
        }
        let more = self.more.get_or_insert_default();
        let until = moment.now + ERASED_FOR;
        match more.tombstones.binary_search_by(|tombstone| (*tombstone.user_id).cmp(user_id)) {
            Ok(place) => {
                let tombstone = &mut more.tombstones[place];
                tombstone.erased_at = tombstone.erased_at.max(moment.judged_at);
                tombstone.until = tombstone.until.max(until);
            }
            Err(place) => {
                let tombstone = Tombstone { user_id: user_id.into(), erased_at: moment.judged_at, until };
                more.tombstones.insert(place, tombstone);
            }
        }
        self.watch_the_difference(&flights_before, effects);
        self.count_travelling(models, moment.now);
        self.set_next_due();
    }

    /// A trip that is new, revised or called off.
    fn plan_trip(&mut self, models: &Models, mut trip: Trip, moment: &Moment, effects: &mut Effects) {
        let now = moment.now;
        trip.travellers.retain(|user_id| !self.is_erased(user_id, moment.judged_at));
        let place = self.journeys().binary_search_by(|journey| journey.trip.trip_id.cmp(&trip.trip_id));
        let before = place.ok().map(|place| self.journeys()[place].clone());
        let is_news = before.as_ref().is_none_or(|before| before.yields_to(&trip));
        if !is_news || (before.is_none() && trip.travellers.is_empty()) {
            return;
        }
        if let (Err(place), true) = (place, trip.legs.is_empty()) {
            // Called off before it was heard of: kept, so that the older revision that is still to come stays off.
            let more = self.more.get_or_insert_default();
            more.keep_journey(place, Journey::new(trip, moment.judged_at, now));
            trips::forget_old(&mut more.journeys, &self.travellers, now, &models.people);
            return;
        }

        let mut concerned: BTreeSet<Box<str>> = trip.travellers.iter().cloned().collect();
        concerned.extend(before.iter().flat_map(|before| before.trip.travellers.iter().cloned()));
        for user_id in &concerned {
            let place = self.traveller_at(user_id, now);
            self.settle(models, place, now);
        }

        let flights_before = trips::flight_keys(self.journeys());
        let journey = match &before {
            Some(before) => before.revised(trip, moment.judged_at),
            None => Journey::new(trip, moment.judged_at, now),
        };
        let more = self.more.get_or_insert_default();
        match place {
            Ok(place) => more.journeys[place] = journey.clone(),
            Err(place) => more.keep_journey(place, journey.clone()),
        }
        trips::forget_old(&mut more.journeys, &self.travellers, now, &models.people);
        self.watch_the_difference(&flights_before, effects);

        for user_id in &concerned {
            if let Ok(place) = self.travellers.place_of(user_id) {
                self.after_moving(models, place, now);
                self.tell_of_trip(models, place, before.as_ref(), &journey, moment, effects);
            }
        }
        self.count_travelling(models, moment.now);
        self.set_next_due();
    }

    /// A trip that is new to somebody is said; of one that changed otherwise, what it changes.
    fn tell_of_trip(
        &mut self,
        models: &Models,
        place: usize,
        before: Option<&Journey>,
        journey: &Journey,
        moment: &Moment,
        effects: &mut Effects,
    ) {
        let user_id = self.travellers[place].id();
        let was_on_it = before.is_some_and(|before| before.is_of(user_id) && before.trip.legs == journey.trip.legs);
        let matters_until = journey.ends() + models.people.journey.planned_after;
        let key = format!("{} {}", journey.trip.trip_id, journey.trip.revision);
        let occasion = Occasion {
            reason: Reason::PlanRefreshed,
            activity: "trip",
            timer: None,
            at: moment.now,
            key: &key,
            topic: Topic::Refreshed,
            in_any_case: false,
            presses: false,
            supersedes: None,
        };
        match (journey.standings.first(), journey.standings.last(), journey.trip.legs.last()) {
            (Some(first), Some(last), Some(leg)) if journey.is_of(user_id) && !was_on_it => {
                if matters_until <= moment.now {
                    return;
                }
                let (departs, arrives) = (first.times.departs, last.times.arrives);
                let topic = Topic::Trip {
                    destination: main_destination(journey, leg.destination, moment.now),
                    departs,
                    arrives,
                };
                let occasion = Occasion { reason: Reason::TripPlanned, topic, in_any_case: true, ..occasion };
                self.say(models, place, &occasion, moment, effects);
            }
            _ => {
                // A trip that is called off, for all or for this person, is answered, whatever it moves.
                let is_off = journey.trip.legs.is_empty() || !journey.is_of(user_id);
                let was_near = before.filter(|before| {
                    let is_near = before.ends() + models.people.journey.planned_after > moment.now;
                    is_off && is_near && before.is_of(user_id)
                });
                let called_off = was_near.and_then(|before| Some((before, before.trip.legs.last()?)));
                let occasion = match called_off {
                    Some((before, leg)) => {
                        let destination = Some(main_destination(before, leg.destination, moment.now));
                        Occasion { topic: Topic::CalledOff { destination }, in_any_case: true, ..occasion }
                    }
                    None => occasion,
                };
                self.say(models, place, &occasion, moment, effects);
            }
        }
    }

    /// Asks for news of flights that somebody flies now, and no longer for those that nobody does.
    pub(super) fn watch_the_difference(&mut self, before: &BTreeSet<FlightKey>, effects: &mut Effects) {
        let after = trips::flight_keys(self.journeys());
        for (flight_key, watch) in before
            .difference(&after)
            .map(|key| (key, WatchChange::Stop))
            .chain(after.difference(before).map(|key| (key, WatchChange::Start)))
        {
            let household_id = self.id.as_str().into();
            effects.push(Effect::Watch(Watch { flight_key: flight_key.clone(), household_id, watch }));
        }
    }
}

/// Where a journey that comes back leads from `now` on: the stop at which most time is spent; once that is reached, the
/// longest stay that is still ahead; then its end, which is home.
fn main_destination(journey: &Journey, end: Iata, now: UtcMillis) -> Iata {
    let comes_back = journey.trip.legs.first().is_some_and(|first| first.origin == end);
    if !comes_back {
        return end;
    }
    let legs = journey.standings.windows(2).zip(&journey.trip.legs);
    let stops = || legs.clone().map(|(pair, leg)| (pair[0].times.arrives, pair[1].times.departs, leg.destination));
    let length = |(arrives, departs, _): &(UtcMillis, UtcMillis, Iata)| *departs - *arrives;
    let is_ahead = |(arrives, ..): &(UtcMillis, UtcMillis, Iata)| *arrives > now;
    let main = stops().max_by_key(length).filter(is_ahead);
    // What is left of a journey after its main stop has connections as well as stays.
    let is_stay = |stop: &(UtcMillis, UtcMillis, Iata)| length(stop) >= planner::numbers::numbers().horizon.stay;
    let next = || stops().filter(is_ahead).filter(is_stay).max_by_key(length);
    main.or_else(next).map_or(end, |(.., destination)| destination)
}
