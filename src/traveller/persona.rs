//! Who somebody is at a time: the profile as far as there is one, with what is typical of the age for the rest.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::event::activity::{Profile, UsualNap};
use crate::traveller::habit::UsualDay;
use crate::traveller::models::Models;
use crate::traveller::people::{Group, Spread};
use crate::units::{Hours, UtcMillis};

/// What is kept of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    pub profile: Profile,
    /// Stamp of the record; an older one does not replace it.
    pub judged_at: UtcMillis,
    /// Laboratory results, by time.
    pub measurements: Vec<Measurement>,
}

/// A measured CBTmin (or DLMO, moved to it) as an observation of δ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Measurement {
    pub cbt_min: UtcMillis,
    /// CBTmin minus the usual mid-sleep, minutes.
    pub delta_minutes: i16,
    pub sd_minutes: u16,
}

/// What the mid-sleep of the week around a laboratory test adds to the test's own error.
const MID_SLEEP_SD: f64 = 0.4;

/// One person at one time.
#[derive(Clone, Debug)]
pub struct Persona<'a> {
    pub profile: Option<&'a Profile>,
    /// Corrected age.
    pub months: f64,
    pub delta: Spread,
    pub home: Tz,
    pub day: UsualDay,
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
            };
        };
        let profile = &known.profile;
        let months = models.people.months(profile, time);
        let prior = models.people.delta(months, profile.chronotype);
        Persona {
            profile: Some(profile),
            months,
            delta: known.measurements.iter().fold(prior, |delta, measured| measured.sharpen(delta)),
            home: profile.home_time_zone,
            day: UsualDay::new(profile.bedtime, profile.wake, profile.naps.as_deref().unwrap_or(&[])),
        }
    }

    #[must_use]
    pub fn is_known(&self) -> bool {
        self.profile.is_some()
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

impl Measurement {
    /// The mean of two normal observations of δ, weighted by precision.
    fn sharpen(&self, prior: Spread) -> Spread {
        let own_sd = f64::from(self.sd_minutes) / 60.0;
        let variance = own_sd * own_sd + MID_SLEEP_SD * MID_SLEEP_SD;
        let prior_variance = prior.sd.0 * prior.sd.0;
        let weight = prior_variance / (prior_variance + variance);
        let measured = f64::from(self.delta_minutes) / 60.0;
        Spread {
            mean: Hours(prior.mean.0 + weight * (measured - prior.mean.0)),
            sd: Hours(libm::sqrt(prior_variance * (1.0 - weight))),
        }
    }
}
