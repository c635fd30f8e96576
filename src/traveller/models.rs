//! The numbers and oscillators that every traveller's state is computed with.

use crate::circadian::entrain::habitual_cbt_min;
use crate::circadian::{EntrainedDay, Hannay19, Hannay19State, LightModel, likely_midnight_state};
use crate::traveller::habit::UsualDay;
use crate::traveller::nap_model::NapModel;
use crate::traveller::people::PeopleModel;

/// Shared by all travellers, read only. States computed with one set do not fit another: markers carry its digest.
#[derive(Clone, Debug)]
pub struct Models {
    pub oscillator: Hannay19,
    pub light: LightModel,
    pub people: PeopleModel,
    pub naps: NapModel,
    /// The usual day of somebody without a profile, and where it holds the clock.
    pub(super) stranger_day: UsualDay,
    pub(super) stranger_clock: EntrainedDay<Hannay19State>,
}

impl Models {
    #[must_use]
    pub fn new(oscillator: Hannay19, light: LightModel, people: PeopleModel, naps: NapModel) -> Models {
        let stranger_day = UsualDay::new(people.adult_bedtime, people.adult_wake, &[]);
        let stranger_clock = entrained(&oscillator, &light, &stranger_day);
        Models { oscillator, light, people, naps, stranger_day, stranger_clock }
    }

    /// The numbers shipped with the program.
    #[must_use]
    pub fn embedded() -> Models {
        Models::new(Hannay19::embedded(), LightModel::embedded(), PeopleModel::embedded(), NapModel::embedded())
    }

    /// Where a usual day holds the clock: some dozens of simulated days, the dearest computation of the core.
    pub(super) fn entrained(&self, day: &UsualDay) -> EntrainedDay<Hannay19State> {
        if *day == self.stranger_day { self.stranger_clock } else { entrained(&self.oscillator, &self.light, day) }
    }
}

fn entrained(oscillator: &Hannay19, light: &LightModel, day: &UsualDay) -> EntrainedDay<Hannay19State> {
    habitual_cbt_min(oscillator, &day.light(light), likely_midnight_state(oscillator, day.mid_sleep()))
}
