//! People planned together: the unit of state of the `travellers` processor.
//!
//! A household holds its travellers, their trips and how every leg stands as it was last announced. Records and timers
//! change it; what should be said comes out as effects. Everything here is a function of the household's own log.
//!
//! | file | what |
//! |---|---|
//! | [`processor`] | the seam to the engine |
//! | [`members`] | the travellers, without an allocation where there is one |
//! | [`apply`], [`small`] | records to changes; light readings without a copy to go back by |
//! | [`trips`] | trips, legs and where everybody is |
//! | [`onward`] | which flights of a trip people can get to, and how they get on without |
//! | [`flights`] | news of a flight |
//! | [`timers`] | what happens when nothing happens |
//! | [`recommend`] | what is said, to whom, with which plan |
//! | [`headline`] | the sentence, with the times that it names |
//! | [`identity`] | ids that a replay gives again |

pub mod apply;
pub mod flights;
mod headline;
pub mod identity;
pub mod members;
mod onward;
pub mod processor;
pub mod recommend;
mod small;
pub mod timers;
pub mod trips;

#[cfg(test)]
mod advice_tests;
#[cfg(test)]
mod connection_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod journey_tests;
#[cfg(test)]
mod late_nap_tests;
#[cfg(test)]
mod nap_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::members::Members;
pub use self::processor::Travellers;
use self::trips::Journey;
use crate::engine::Unit;
use crate::engine::processor::Population;
use crate::planner::{Place, Stretch};
use crate::traveller::clock::stretch_at;
use crate::traveller::name::Name;
use crate::traveller::{Due, Models, Traveller, View};
use crate::units::{Span, UtcMillis};

/// An erased person is not brought back by anything that was written before, for this long.
pub const ERASED_FOR: Span = Span::days(14);

/// People planned together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Household {
    id: Name,
    /// By user id.
    travellers: Members,
    /// Boxed: few households fly at any time.
    more: Option<Box<More>>,
    next_due: Due,
}

/// What few households have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct More {
    /// By trip id.
    journeys: Vec<Journey>,
    /// By user id.
    tombstones: Vec<Tombstone>,
    /// How many are away from home.
    travelling: u32,
    /// When somebody leaves or arrives next: only the gauge of travelling people waits for it.
    next_move: Due,
}

impl More {
    /// Hardly anybody has two: room for more would be most of what a journey costs.
    fn keep_journey(&mut self, place: usize, journey: Journey) {
        self.journeys.reserve_exact(1);
        self.journeys.insert(place, journey);
    }
}

/// Somebody who asked to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tombstone {
    user_id: Box<str>,
    /// Records judged no later than this do not count.
    erased_at: UtcMillis,
    until: UtcMillis,
}

impl Household {
    #[must_use]
    pub fn new(id: &str) -> Household {
        Household { id: Name::new(id), travellers: Members::default(), more: None, next_due: Due::NEVER }
    }

    #[must_use]
    pub fn travellers(&self) -> &[Traveller] {
        &self.travellers
    }

    fn journeys(&self) -> &[Journey] {
        self.more.as_ref().map_or(&[], |more| &more.journeys)
    }

    fn tombstones(&self) -> &[Tombstone] {
        self.more.as_ref().map_or(&[], |more| &more.tombstones)
    }

    /// The traveller of that name, made at first sight.
    fn traveller_at(&mut self, user_id: &str, now: UtcMillis) -> usize {
        match self.travellers.place_of(user_id) {
            Ok(place) => place,
            Err(place) => {
                self.travellers.insert(place, Traveller::new(user_id, now));
                place
            }
        }
    }

    fn is_erased(&self, user_id: &str, judged_at: UtcMillis) -> bool {
        self.tombstones().iter().any(|tombstone| *tombstone.user_id == *user_id && judged_at <= tombstone.erased_at)
    }

    /// Whether somebody was erased here of late.
    #[must_use]
    pub fn remembers_erased(&self) -> bool {
        !self.tombstones().is_empty()
    }

    /// Where one of the household is, was and will be, as announced.
    fn whereabouts(&self, models: &Models, traveller: &Traveller) -> Vec<Stretch> {
        self.whereabouts_assumed_until(models, traveller, UtcMillis::MAX)
    }

    /// The same as a plan made at `now` counts on it: nobody is sent off in a way that nobody told of.
    fn whereabouts_to_plan_by(&self, models: &Models, traveller: &Traveller, now: UtcMillis) -> Vec<Stretch> {
        self.whereabouts_assumed_until(models, traveller, now)
    }

    fn whereabouts_assumed_until(&self, models: &Models, traveller: &Traveller, until: UtcMillis) -> Vec<Stretch> {
        let connections = &models.people.journey.connections;
        let announced = trips::Times::Announced { connections, assumed_until: until };
        trips::whereabouts(self.journeys(), traveller, announced)
    }

    /// Does something to one traveller in the light of where that person is.
    fn with_view<R>(
        &mut self,
        models: &Models,
        place: usize,
        now: UtcMillis,
        act: impl FnOnce(&mut Traveller, &View<'_>) -> R,
    ) -> R {
        let whereabouts = self.whereabouts(models, &self.travellers[place]);
        act(&mut self.travellers[place], &View { models, whereabouts: &whereabouts, now })
    }

    /// To be called before anything changes where somebody was or will be: what is settled must not depend on it.
    fn settle(&mut self, models: &Models, place: usize, now: UtcMillis) {
        self.with_view(models, place, now, Traveller::settle);
    }

    /// To be called after anything that timers depend on has changed.
    fn set_next_due(&mut self) {
        let travellers = self.travellers.iter().map(Traveller::next_due).min().unwrap_or(Due::NEVER);
        let tombstones = self.tombstones().iter().map(|tombstone| tombstone.until).min();
        self.next_due = travellers.min(tombstones.into()).min(self.next_move());
    }

    fn next_move(&self) -> Due {
        self.more.as_ref().map_or(Due::NEVER, |more| more.next_move)
    }

    /// To be called after anything has changed where somebody is, and when the next change has come.
    fn count_travelling(&mut self, models: &Models, now: UtcMillis) {
        let (mut away, mut next_move) = (0, Due::NEVER);
        if !self.journeys().is_empty() {
            for traveller in &*self.travellers {
                let whereabouts = self.whereabouts(models, traveller);
                let here = stretch_at(&whereabouts, now);
                away += u32::from(here.place != Place::Home);
                next_move = next_move.min(here.to.into());
            }
        }
        if let Some(more) = &mut self.more {
            more.travelling = away;
            more.next_move = next_move;
        }
    }
}

impl Unit for Household {
    const SCHEMA: u16 = 1;

    fn key(&self) -> &str {
        self.id.as_str()
    }

    fn has_key(&self, key: &str) -> bool {
        self.id.as_bytes() == key.as_bytes()
    }

    fn next_due(&self) -> Option<UtcMillis> {
        self.next_due.get()
    }

    fn is_vacant(&self) -> bool {
        self.travellers.is_empty() && self.more.as_ref().is_none_or(|more| *more.as_ref() == More::default())
    }

    fn population(&self) -> Population {
        let travelling = self.more.as_ref().map_or(0, |more| more.travelling);
        Population { travellers: self.travellers.len() as u32, travelling }
    }

    fn resident_bytes(&self) -> usize {
        let inline = size_of::<Household>() + self.id.heap_bytes();
        let more = self.more.as_ref().map_or(0, |more| {
            let journeys = more.journeys.capacity() * size_of::<Journey>();
            let tombstones = more.tombstones.capacity() * size_of::<Tombstone>();
            let tombstone_texts: usize = more.tombstones.iter().map(|tombstone| tombstone.user_id.len()).sum();
            let journeys_own: usize = more.journeys.iter().map(Journey::heap_bytes).sum();
            size_of::<More>() + journeys + journeys_own + tombstones + tombstone_texts
        });
        inline + self.travellers.heap_bytes() + more
    }

    fn glance(&self) -> u64 {
        self.travellers.glance() ^ u64::from(self.id.short_length()) ^ u64::from(self.more.is_some())
    }

    fn glance_deeper(&self) -> u64 {
        self.travellers.glance_deeper()
    }
}
