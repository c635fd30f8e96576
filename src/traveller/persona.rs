//! Who somebody is at a time: the profile as far as there is one, with what is typical of the age for the rest.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::circadian::filter::FilterNumbers;
use crate::event::activity::{Profile, UsualNap};
use crate::rare::Rare;
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
    pub measurements: Rare<Measurement>,
}

/// A measured CBTmin (or DLMO, moved to it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Measurement {
    pub cbt_min: UtcMillis,
    /// CBTmin minus the usual mid-sleep at home, minutes.
    pub delta_minutes: i16,
    pub sd_minutes: u16,
    /// On a journey or in the weeks after one, where it says nothing of how this person's clock lies to their usual sleep,
    /// but where the clock was just then.
    pub displaced: bool,
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

    /// Laboratory results, by time.
    #[must_use]
    pub fn measurements(&self) -> &'a [Measurement] {
        self.known.map_or(&[], |known| known.measurements.as_slice())
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
    #[must_use]
    pub fn delta(&self) -> Hours {
        Hours(f64::from(self.delta_minutes) / 60.0)
    }

    /// Variance (h²) as an observation of δ at a time: the test's own error, that of the week's mid-sleep, and what δ may
    /// have changed since, which in the end is as much as it differs between people.
    #[must_use]
    pub fn variance_at(&self, at: UtcMillis, numbers: &FilterNumbers, between_people: Hours) -> f64 {
        let own = f64::from(self.sd_minutes) / 60.0;
        let days = (at - self.cbt_min).as_hours().0.max(0.0) / 24.0;
        let changed = 1.0 - libm::exp(-2.0 * days / numbers.reversion_days);
        own * own + MID_SLEEP_SD * MID_SLEEP_SD + changed * between_people.0 * between_people.0
    }
}
