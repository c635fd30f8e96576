//! Who somebody is at a time: the profile as far as there is one, with what is typical of the age for the rest.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::event::activity::{Profile, UsualNap};
use crate::rare::Rare;
use crate::traveller::habit::UsualDay;
use crate::traveller::measurements::{self, Measurement};
use crate::traveller::models::Models;
use crate::traveller::people::{Group, Spread};
use crate::units::UtcMillis;

/// What is kept of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub profile: Profile,
    /// Stamp of the record; an older one does not replace it.
    pub judged_at: UtcMillis,
    /// Laboratory results, by time.
    pub measurements: Rare<Measurement>,
}

/// One person at one time.
#[derive(Clone, Debug)]
pub struct Persona<'a> {
    pub profile: Option<&'a Profile>,
    /// Corrected age.
    pub months: f64,
    pub delta: Spread,
    pub home: Tz,
    pub day: UsualDay,
    known: Option<&'a Known>,
}

impl<'a> Persona<'a> {
    #[must_use]
    pub fn at(models: &Models, known: Option<&'a Known>, time: UtcMillis) -> Persona<'a> {
        let Some(known) = known else {
            let months = models.people.stranger_months();
            return Persona {
                profile: None,
                months,
                delta: models.people.delta(months, crate::event::activity::Chronotype::Neither),
                home: Tz::UTC,
                day: models.stranger_day,
                known: None,
            };
        };
        let profile = &known.profile;
        let months = models.people.months(profile, time);
        Persona {
            profile: Some(profile),
            months,
            delta: models.people.delta(months, profile.chronotype),
            home: profile.home_time_zone,
            day: UsualDay::new(profile.bedtime, profile.wake, profile.naps.as_deref().unwrap_or(&[])),
            known: Some(known),
        }
    }

    #[must_use]
    pub fn is_known(&self) -> bool {
        self.profile.is_some()
    }

    /// The laboratory results that count, by time.
    pub fn measurements(&self) -> impl Iterator<Item = &'a Measurement> + use<'a> {
        measurements::standing(self.known.map_or(&[], |known| known.measurements.as_slice()))
    }

    #[must_use]
    pub fn group(&self) -> Group {
        Group::of_months(self.months)
    }

    /// Naps of a usual day by the profile; `None` where it does not speak of them.
    #[must_use]
    pub fn usual_naps(&self) -> Option<&'a [UsualNap]> {
        self.profile.and_then(|profile| profile.naps.as_deref())
    }
}
