//! The seam to the engine.

use super::Household;
use crate::engine::processor::{Revert, Small};
use crate::engine::{Decoded, Effects, Moment, Processor, Record, Topic};
use crate::event::activity::Sleep;
use crate::event::decode;
use crate::event::recommendation::Estimate;
use crate::event::rejection::Rejection;
use crate::event::{Activity, ActivityEvent};
use crate::traveller::Models;
use crate::units::UtcMillis;

/// The processor of `user_activity`.
#[derive(Clone, Debug)]
pub struct Travellers {
    models: Models,
}

impl Travellers {
    #[must_use]
    pub fn new(models: Models) -> Travellers {
        Travellers { models }
    }

    /// With the numbers shipped with the program.
    #[must_use]
    pub fn embedded() -> Travellers {
        Travellers::new(Models::embedded())
    }

    #[must_use]
    pub fn models(&self) -> &Models {
        &self.models
    }
}

impl Processor for Travellers {
    type Unit = Household;
    type Event<'a> = ActivityEvent<'a>;

    const NAME: &'static str = "travellers";
    const INPUT: Topic = Topic::UserActivity;

    fn decode<'a>(&self, record: &Record<'a>) -> Result<Decoded<'a, ActivityEvent<'a>>, Rejection> {
        decode::activity(record)
    }

    fn new_unit(&self, key: &str) -> Household {
        Household::new(key)
    }

    /// Of what is only put into a list, the stamp matters to somebody who was erased alone.
    fn asks_for_origin(&self, unit: &Household, event: &ActivityEvent<'_>) -> bool {
        let is_sensor = matches!(
            event.activity,
            Activity::Light(_) | Activity::Meal(_) | Activity::Sleep(Sleep::SeenAsleep { .. })
        );
        !is_sensor || unit.remembers_erased()
    }

    fn apply(&self, unit: &mut Household, event: ActivityEvent<'_>, moment: &Moment, effects: &mut Effects) {
        unit.apply(&self.models, event, moment, effects);
    }

    fn apply_small(&self, unit: &mut Household, event: &ActivityEvent<'_>, moment: &Moment) -> Option<Small> {
        let Activity::Light(light) = &event.activity else { return None };
        unit.apply_light_reading(&self.models, &event.user_id, light, moment.now)
    }

    fn revert(&self, unit: &mut Household, revert: Revert) {
        unit.revert_light_reading(revert);
    }

    fn fire(&self, unit: &mut Household, moment: &Moment, effects: &mut Effects) {
        unit.fire_first(&self.models, moment, effects);
    }

    fn estimates(&self, unit: &Household, user: Option<&str>, at: UtcMillis) -> Vec<Estimate> {
        let wanted = |id: &str| user.is_none_or(|user| user == id);
        let travellers = unit.travellers().iter().filter(|traveller| wanted(traveller.id()));
        travellers.map(|traveller| unit.estimate(&self.models, traveller, at)).collect()
    }
}
