//! The numbers and oscillators that every traveller's state is computed with.

use crate::circadian::entrain::habitual_cbt_min;
use crate::circadian::filter::{FilterModel, FilterNumbers, Person};
use crate::circadian::gut::GutModel;
use crate::circadian::{EntrainedDay, Hannay19, Hannay19State, LightModel, likely_midnight_state};
use crate::event::activity::Chronotype;
use crate::traveller::habit::UsualDay;
use crate::traveller::nap_model::NapModel;
use crate::traveller::people::PeopleModel;
use crate::traveller::persona::Persona;
use crate::traveller::priors::{Priors, evening_light, sleep_sd};
use crate::units::{Hours, UtcMillis};

/// Shared by all travellers, read only. States computed with one set do not fit another: markers carry its digest.
#[derive(Clone, Debug)]
pub struct Models {
    pub light: LightModel,
    pub people: PeopleModel,
    pub naps: NapModel,
    pub filter: FilterModel,
    pub priors: Priors,
    pub gut: GutModel,
    /// An oscillator of mean period and gain.
    pub(super) typical: Hannay19,
    /// The usual day of somebody without a profile, and where it holds the clock.
    pub(super) stranger_day: UsualDay,
    pub(super) stranger_clock: EntrainedDay<Hannay19State>,
}

impl Models {
    #[must_use]
    pub fn new(
        oscillator: Hannay19,
        light: LightModel,
        people: PeopleModel,
        naps: NapModel,
        numbers: FilterNumbers,
        priors: Priors,
        gut: GutModel,
    ) -> Models {
        let filter = FilterModel::new(oscillator, numbers);
        let typical = oscillator.personal(Hours(filter.numbers.period), libm::exp(filter.numbers.log_gain));
        let stranger_day = UsualDay::new(people.adult_bedtime, people.adult_wake, &[]);
        let start = likely_midnight_state(&typical, stranger_day.mid_sleep());
        let stranger_clock = habitual_cbt_min(&typical, &stranger_day.light(&light), start);
        Models { light, people, naps, filter, priors, gut, typical, stranger_day, stranger_clock }
    }

    /// The numbers shipped with the program.
    #[must_use]
    pub fn embedded() -> Models {
        Models::new(
            Hannay19::embedded(),
            LightModel::embedded(),
            PeopleModel::embedded(),
            NapModel::embedded(),
            FilterNumbers::embedded(),
            Priors::embedded(),
            GutModel::embedded(),
        )
    }

    /// Where a usual day holds a typical clock: some dozens of simulated days, the dearest computation of the core.
    pub(super) fn entrained(&self, persona: &Persona<'_>) -> EntrainedDay<Hannay19State> {
        let day = &persona.day;
        if !persona.is_known() && *day == self.stranger_day {
            return self.stranger_clock;
        }
        let cbt_min = day.mid_sleep() + persona.delta.mean;
        let light = evening_light(&self.filter.numbers, persona.months).over(&day.light(&self.light), cbt_min);
        habitual_cbt_min(&self.typical, &light, likely_midnight_state(&self.typical, day.mid_sleep()))
    }

    /// What the filter needs to know of somebody at an age.
    pub(super) fn person(&self, persona: &Persona<'_>, at: UtcMillis, usual_angle: Hours) -> Person {
        let months = persona.profile.map_or(self.people.stranger_months(), |profile| self.people.months(profile, at));
        let chronotype = persona.profile.map_or(Chronotype::Neither, |profile| profile.chronotype);
        let numbers = &self.filter.numbers;
        Person {
            prior: self.priors.of(numbers, &self.people, months, chronotype, usual_angle),
            sleep_sd: sleep_sd(numbers, months),
            evening: evening_light(numbers, months),
            knows_hours: persona.is_known(),
        }
    }
}
