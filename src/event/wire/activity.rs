//! The JSON forms of `user_activity`, one struct an activity.

use schemars::JsonSchema;
use serde::Deserialize;

use super::field::{
    Airport, Amount, Clock, Flag, Flight, Id, Key, Month, Name, Nested, Text, Time, Unread, Whole, Zone,
};
use super::flight::StatusWire;

/// What every activity has.
#[derive(Clone, Copy, Debug)]
pub struct Head<'w, 'a> {
    pub user_id: Option<&'w Id<'a>>,
    pub household_id: Option<&'w Id<'a>>,
    pub activity: Option<&'w Text<'a>>,
    pub time_zone: Option<&'w Zone<'a>>,
}

/// An activity's JSON form.
pub trait ActivityWire<'a>: Deserialize<'a> {
    /// The common fields.
    fn head(&self) -> Head<'_, 'a>;
}

macro_rules! activity {
    ($(#[$meta:meta])* $name:ident<$a:lifetime> { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Deserialize, JsonSchema)]
        $(#[$meta])*
        pub struct $name<$a> {
            /// Who: unique within the household. An integer stands for its decimal digits.
            #[serde(borrow)]
            #[schemars(required)]
            pub user_id: Option<Id<$a>>,
            /// The people planned together. Default: the record key, else `user_id`; must equal the key where both
            /// are given.
            #[serde(borrow)]
            pub household_id: Option<Id<$a>>,
            /// Which activity this is.
            #[serde(borrow)]
            #[schemars(required)]
            pub activity: Option<Text<$a>>,
            /// When it happened, or was said.
            #[serde(borrow)]
            pub timestamp: Option<Time<$a>>,
            /// Where the person's local clock is, as an IANA name.
            #[serde(borrow)]
            pub time_zone: Option<Zone<$a>>,
            /// The producer's own id. Not used: a fact told twice is recognised by its content.
            #[serde(borrow)]
            pub event_id: Option<Unread<$a>>,
            /// What observed or wrote it: an app, a device.
            #[serde(borrow)]
            pub source: Option<Unread<$a>>,
            $($(#[$field_meta])* #[serde(borrow)] pub $field: Option<$type>,)*
        }

        impl<$a> ActivityWire<$a> for $name<$a> {
            fn head(&self) -> Head<'_, $a> {
                Head {
                    user_id: self.user_id.as_ref(),
                    household_id: self.household_id.as_ref(),
                    activity: self.activity.as_ref(),
                    time_zone: self.time_zone.as_ref(),
                }
            }
        }
    };
}

macro_rules! nested {
    ($(#[$meta:meta])* $name:ident<$a:lifetime> { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Debug, Deserialize, JsonSchema)]
        $(#[$meta])*
        #[schemars(inline)]
        pub struct $name<$a> {
            $($(#[$field_meta])* #[serde(borrow)] pub $field: Option<$type>,)*
        }
    };
}

activity!(
    /// A sleep. Without `end` it is in progress, and a later record with the same start closes it. With `timestamp`
    /// alone: seen asleep at that time.
    #[schemars(extend(
        "anyOf" = [{ "required": ["start"] }, { "required": ["timestamp"] }],
        "dependentRequired" = { "end": ["start"] }
    ))]
    SleepWire<'a> {
        /// When it began.
        start: Time<'a>,
        /// When it ended: after `start`, at most 24 hours later.
        end: Time<'a>,
        /// `night` or `nap`. Absent, or another word: the biological day decides.
        #[schemars(extend("examples" = ["night", "nap"]))]
        kind: Text<'a>,
        /// Where the person slept.
        place: Unread<'a>,
        /// Takes back the sleep with this start.
        deleted: Flag<'a>,
    }
);

activity!(
    /// A meal, a snack or a feed.
    #[schemars(extend(
        "anyOf" = [{ "required": ["start"] }, { "required": ["timestamp"] }],
        "dependentRequired" = { "end": ["start"] }
    ))]
    MealWire<'a> {
        /// When it began, where more than a moment is known.
        start: Time<'a>,
        /// When it ended: after `start`, at most 6 hours later.
        end: Time<'a>,
        /// `meal`, `snack`, `breast`, `bottle` or `solid`.
        #[schemars(extend("examples" = ["meal", "snack", "breast", "bottle", "solid"]))]
        kind: Text<'a>,
    }
);

activity!(
    /// Light at the eye: a level at a moment or over a time, regular samples, or a word for the surroundings. With a
    /// time alone: what is usual at that local hour.
    #[schemars(extend(
        "anyOf" = [{ "required": ["start"] }, { "required": ["timestamp"] }],
        "dependentRequired" = { "end": ["start"], "samples": ["start", "interval_s"] }
    ))]
    LightWire<'a> {
        /// When it began.
        start: Time<'a>,
        /// When it ended: after `start`, at most 24 hours later.
        end: Time<'a>,
        /// How long it lasted from `timestamp` or `start` on, where there is no `end`; minutes.
        #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1440))]
        minutes: Amount<'a>,
        /// Photopic illuminance, lux.
        #[schemars(extend("minimum" = 0, "maximum" = 200_000))]
        lux: Amount<'a>,
        /// Melanopic equivalent daylight illuminance (CIE S 026), lux. Goes before `lux`.
        #[schemars(extend("minimum" = 0, "maximum" = 200_000))]
        melanopic_edi_lx: Amount<'a>,
        /// `outdoor`, `indoor`, `dim`, `dark` or `aircraft`: the level where none is measured, and the kind of light
        /// behind a melanopic value.
        #[schemars(extend("examples" = ["outdoor", "indoor", "dim", "dark", "aircraft"]))]
        context: Text<'a>,
        /// Time between two samples, whole seconds. The samples span at most 24 hours.
        #[schemars(extend("minimum" = 1, "maximum" = 3600))]
        interval_s: Whole<'a>,
        /// Photopic readings, lux, the first at `start`.
        #[schemars(extend("minItems" = 1, "maxItems" = 1440), inner(range(min = 0, max = 200_000)))]
        samples: Nested<'a, Vec<f64>>,
    }
);

activity!(
    /// A caregiver says that a nap did not happen.
    #[schemars(extend("anyOf" = [{ "required": ["timestamp"] }]))]
    NapSkippedWire<'a> {
        /// Why, in the caregiver's words.
        reason: Text<'a>,
    }
);

activity!(
    /// What became of an action of a recommendation. Silence is unknown, not compliance.
    #[schemars(extend(
        "anyOf" = [{ "required": ["timestamp"] }, { "required": ["start"] }],
        "dependentRequired" = { "end": ["start"] }
    ))]
    AdherenceWire<'a> {
        /// The action's `action_id`.
        #[schemars(required)]
        action_id: Name<'a>,
        /// `done`, `modified` or `skipped`.
        #[schemars(required, extend("enum" = ["done", "modified", "skipped"]))]
        outcome: Text<'a>,
        /// When it was begun.
        start: Time<'a>,
        /// When it was ended: after `start`.
        end: Time<'a>,
    }
);

activity!(
    /// A laboratory or home test of the body clock.
    PhaseMeasurementWire<'a> {
        /// `dlmo` (dim-light melatonin onset) or `cbtmin` (core body temperature minimum).
        #[schemars(required, extend("enum" = ["dlmo", "cbtmin"]))]
        marker: Text<'a>,
        /// When the marker was.
        #[schemars(required)]
        at: Time<'a>,
        /// Standard deviation of that time, minutes.
        #[schemars(required, extend("exclusiveMinimum" = 0, "maximum" = 720))]
        sd_minutes: Amount<'a>,
    }
);

activity!(
    /// Who somebody is and how they usually live. Replaces the previous profile.
    #[schemars(extend("anyOf" = [{ "required": ["birth_month"] }, { "required": ["age_band"] }]))]
    ProfileWire<'a> {
        /// What sentences call the person; without it they say "you" or "your child".
        #[schemars(extend("maxLength" = 24))]
        display_name: Text<'a>,
        /// Calendar month of birth. Goes before `age_band`.
        birth_month: Month<'a>,
        /// `infant` (under 1 year), `toddler` (1 and 2), `child` (3 to 17) or `adult`.
        #[schemars(extend("enum" = ["infant", "toddler", "child", "adult"]))]
        age_band: Text<'a>,
        /// Where the person lives.
        #[schemars(required)]
        home_time_zone: Zone<'a>,
        /// Usual night.
        #[schemars(required)]
        sleep: Nested<'a, NightWire<'a>>,
        /// Usual naps. An empty array: none. Absent: the age decides.
        #[schemars(extend("maxItems" = 8))]
        naps: Nested<'a, Vec<Nested<'a, NapWire<'a>>>>,
        /// `early`, `neither` or `late`; `morning` and `evening` mean the same.
        #[schemars(extend("examples" = ["early", "neither", "late", "morning", "evening"]))]
        chronotype: Text<'a>,
        /// Looks after the children of the household.
        caregiver: Flag<'a>,
        /// What the person wants to be advised on.
        options: Nested<'a, OptionsWire<'a>>,
        /// Weeks born before the 40th.
        #[schemars(extend("minimum" = 0, "maximum" = 20))]
        weeks_premature: Whole<'a>,
        /// `photosensitive`, `bipolar`, `epilepsy`: with any of them bright light is never advised. Other words are refused.
        #[schemars(extend("items" = { "type": "string", "enum": ["photosensitive", "bipolar", "epilepsy"] }))]
        conditions: Nested<'a, Vec<Text<'a>>>,
    }
);

nested!(
    /// Usual night, home wall clock.
    NightWire<'a> {
        /// Usual bedtime.
        #[schemars(required)]
        bedtime: Clock<'a>,
        /// Usual wake-up.
        #[schemars(required)]
        wake: Clock<'a>,
    }
);

nested!(
    /// A usual nap.
    NapWire<'a> {
        /// Home wall clock.
        #[schemars(required)]
        start: Clock<'a>,
        /// Usual length, minutes.
        #[schemars(required, extend("minimum" = 1, "maximum" = 360))]
        minutes: Whole<'a>,
    }
);

nested!(
    /// What the person wants to be advised on. Never given to anybody under 18.
    OptionsWire<'a> {
        /// Default: false.
        melatonin: Flag<'a>,
        /// Default: false.
        caffeine: Flag<'a>,
    }
);

activity!(
    /// A journey by its legs. Upsert by `trip_id`: the higher revision wins. Empty `legs` call the trip off.
    TripWire<'a> {
        /// Names the journey within the household.
        #[schemars(required)]
        trip_id: Name<'a>,
        /// Counts up with every change.
        #[schemars(required, extend("minimum" = 0, "maximum" = u32::MAX))]
        revision: Whole<'a>,
        /// The flights; they must not overlap.
        #[schemars(required, extend("maxItems" = 32))]
        legs: Nested<'a, Vec<Nested<'a, LegWire<'a>>>>,
        /// User ids of the household. Default: this one.
        #[schemars(extend("maxItems" = 32))]
        travellers: Nested<'a, Vec<Id<'a>>>,
        /// Until when they stay at the last destination.
        stay_until: Time<'a>,
    }
);

nested!(
    /// One flight of a journey.
    LegWire<'a> {
        /// Airline and number; case, spaces and leading zeros do not matter.
        #[schemars(required)]
        flight: Flight<'a>,
        /// IATA code.
        #[schemars(required)]
        origin: Airport<'a>,
        /// IATA code.
        #[schemars(required)]
        destination: Airport<'a>,
        /// As booked.
        #[schemars(required)]
        departs: Time<'a>,
        /// As booked: after `departs`.
        #[schemars(required)]
        arrives: Time<'a>,
        /// Default: `flight`, the departure's date in the origin airport's zone, and `origin`.
        flight_key: Key<'a>,
    }
);

activity!(
    /// Forget this person: what is known, the plan, and when to look again.
    EraseWire<'a> {}
);

/// Internal: the merged status of a flight that this household watches. Written by the engine only.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FlightUpdateWire<'a> {
    /// Always `flight_update`.
    #[serde(borrow)]
    #[schemars(required)]
    pub activity: Option<Text<'a>>,
    /// The household that watches: the record key.
    #[serde(borrow)]
    pub household_id: Option<Id<'a>>,
    /// What is known of the flight.
    #[serde(borrow)]
    #[schemars(required)]
    pub flight: Option<Nested<'a, StatusWire<'a>>>,
}

/// Internal: time has passed, as the record's stamp says. Written by the engine only.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TickWire<'a> {
    /// Always `tick`.
    #[serde(borrow)]
    #[schemars(required)]
    pub activity: Option<Text<'a>>,
    /// What the clock of the owner said, for people who read the topic.
    #[serde(borrow)]
    pub timestamp: Option<Unread<'a>>,
}
