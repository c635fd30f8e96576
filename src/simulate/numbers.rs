//! The numbers of `models/simulate.toml`: units and sources stand there.

use std::sync::OnceLock;

use crate::circadian::model_file::{ModelError, ModelFile};

/// The model file as shipped.
const EMBEDDED: &str = include_str!("../../models/simulate.toml");

macro_rules! numbers {
    ($($(#[$doc:meta])* $section:ident: $Section:ident { $($key:ident $unit:literal $range:expr,)* })*) => {
        /// Every section of the file.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Numbers {
            $($(#[$doc])* pub $section: $Section,)*
        }

        $($(#[$doc])* #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $Section {
            $(pub $key: f64,)*
        })*

        impl Numbers {
            /// Reads a simulation model file.
            ///
            /// # Errors
            /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
            pub fn from_toml(text: &str) -> Result<Numbers, ModelError> {
                let mut file = ModelFile::parse("simulate.toml", text)?;
                $(let $section = {
                    let mut section = file.section(stringify!($section))?;
                    let numbers = $Section { $($key: section.number(stringify!($key), $unit, $range)?,)* };
                    section.finish()?;
                    numbers
                };)*
                Ok(Numbers { $($section,)* })
            }
        }
    };
}

numbers! {
    /// Who lives together.
    household: HouseholdNumbers {
        second_adult "1" 0.0..=5.0,
        second_child "1" 0.0..=5.0,
        third_child "1" 0.0..=5.0,
        youngest_least "months" 0.0..=216.0,
        youngest_most "months" 0.0..=216.0,
        siblings_least "months" 0.0..=216.0,
        siblings_most "months" 0.0..=216.0,
        adult_least "years" 18.0..=100.0,
        adult_most "years" 18.0..=100.0,
    }
    /// Usual nights and how they vary.
    night: NightNumbers {
        child_wake "h" -24.0..=24.0,
        school_wake "h" -24.0..=24.0,
        adult_wake "h" -24.0..=24.0,
        family_wake_sd "h" -24.0..=24.0,
        own_wake_sd "h" -24.0..=24.0,
        adult_length "h" -24.0..=24.0,
        adult_length_sd "h" -24.0..=24.0,
        need_level "h" 0.0..=24.0,
        need_slope "h" 0.0..=24.0,
        need_centre "1" 0.0..=5.0,
        need_sd "h" -24.0..=24.0,
        middle_sd_adult "h" -24.0..=24.0,
        middle_sd_child "h" -24.0..=24.0,
        middle_sd_young "h" -24.0..=24.0,
        length_sd "h" -24.0..=24.0,
        early_type "h" -24.0..=24.0,
        late_type "h" -24.0..=24.0,
    }
    /// How many, when, how long.
    naps: NapsNumbers {
        window_factor "h" -24.0..=24.0,
        window_exponent "1" 0.0..=5.0,
        window_log_sd "1" 0.0..=5.0,
        window_log_sd_from_1_year "1" 0.0..=5.0,
        length_of_1 "h" -24.0..=24.0,
        length_of_2 "h" -24.0..=24.0,
        length_of_3 "h" -24.0..=24.0,
        length_of_4 "h" -24.0..=24.0,
        length_of_5 "h" -24.0..=24.0,
        length_log_sd "1" 0.0..=5.0,
        nappers_at_3 "1" 0.0..=5.0,
        nappers_at_4 "1" 0.0..=5.0,
        nappers_at_5 "1" 0.0..=5.0,
        short_least "min" 0.0..=1_440.0,
        short_most "min" 0.0..=1_440.0,
        earlier_bed "min" 0.0..=1_440.0,
        young_after_short "1" 0.0..=5.0,
        said_after_least "min" 0.0..=1_440.0,
        said_after_most "min" 0.0..=1_440.0,
    }
    /// The spread of true clocks.
    clock: ClockNumbers {
        tau "h" -24.0..=24.0,
        tau_sd "h" -24.0..=24.0,
        gain "1" 0.0..=5.0,
        gain_log_sd "1" 0.0..=5.0,
        phase_noise "h" -24.0..=24.0,
        delta_with_tau "1" 0.0..=5.0,
        delta_with_gain "1" 0.0..=5.0,
        delta_child "h" -24.0..=24.0,
        delta_preschool "h" -24.0..=24.0,
        delta_adult "h" -24.0..=24.0,
        delta_sd_child "h" -24.0..=24.0,
        delta_sd_adult "h" -24.0..=24.0,
        delta_early "h" -24.0..=24.0,
        delta_late "h" -24.0..=24.0,
    }
    /// The spread of light around its levels.
    light: LightNumbers {
        day_log_sd "1" 0.0..=5.0,
        outdoor_least "h" -24.0..=24.0,
        outdoor_most "h" -24.0..=24.0,
        outdoor_from "h" -24.0..=24.0,
        outdoor_until "h" -24.0..=24.0,
        outdoor_hour_sd "h" -24.0..=24.0,
        reading_log_sd "1" 0.0..=5.0,
    }
    /// What is written down, and when it arrives.
    reports: ReportsNumbers {
        delay_mean "s" 0.0..=3_600.0,
        delay_least "s" 0.0..=3_600.0,
        delay_most "s" 0.0..=3_600.0,
        late_least "h" -24.0..=24.0,
        late_most "h" -24.0..=24.0,
        outdoor "1" 0.0..=1.0,
        reading "1" 0.0..=1.0,
        meal_adult "1" 0.0..=1.0,
        meal_child "1" 0.0..=1.0,
        night_adult "1" 0.0..=1.0,
    }
    /// How often what goes wrong.
    rates: Rates {
        nap_missed "1" 0.0..=1.0,
        nap_said "1" 0.0..=1.0,
        nap_short "1" 0.0..=1.0,
        late "1" 0.0..=1.0,
        journeys_a_day "1/d" 0.0..=1.0,
        flight_delayed "1" 0.0..=1.0,
        flight_cancelled "1" 0.0..=1.0,
        flight_diverted "1" 0.0..=1.0,
        flight_five_minutes "1" 0.0..=1.0,
    }
    /// Flights there and back, and life between two clocks.
    journeys: JourneysNumbers {
        lead_least "d" 0.0..=365.0,
        lead_most "d" 0.0..=365.0,
        stay_least "d" 0.0..=365.0,
        stay_most "d" 0.0..=365.0,
        rest "d" 0.0..=365.0,
        shift_least "h" -24.0..=24.0,
        departs_from "h" -24.0..=24.0,
        departs_until "h" -24.0..=24.0,
        alone "1" 0.0..=5.0,
        speed "km/h" 100.0..=2_000.0,
        manoeuvres "h" -24.0..=24.0,
        taxi_out "min" 0.0..=1_440.0,
        taxi_in "min" 0.0..=1_440.0,
        one_stop "1" 0.0..=5.0,
        direct_most "km" 100.0..=20_000.0,
        detour_most "1" 0.0..=5.0,
        change_least "h" -24.0..=24.0,
        change_most "h" -24.0..=24.0,
        change_needs "h" -24.0..=24.0,
        airport "h" -24.0..=24.0,
        leaving "h" -24.0..=24.0,
        belts "h" -24.0..=24.0,
        wall_least "1" 0.0..=5.0,
        wall_most "1" 0.0..=5.0,
        between_clocks "d" 0.0..=365.0,
        delay_least "min" 0.0..=1_440.0,
        delay_most "min" 0.0..=1_440.0,
        told_least "h" -24.0..=24.0,
        told_most "h" -24.0..=24.0,
        overland "h" -24.0..=24.0,
    }
    /// Minutes after the live part of a demonstration begins.
    demo: DemoNumbers {
        history "d" 0.0..=365.0,
        live_hour "h" -24.0..=24.0,
        steadiness "min" 0.0..=1_440.0,
        nap_time "min" 0.0..=1_440.0,
        small_delay "min" 0.0..=1_440.0,
        long_delay "min" 0.0..=1_440.0,
        long_delay_by "min" 0.0..=1_440.0,
        long_delay_departs "min" 0.0..=1_440.0,
        short_nap "min" 0.0..=1_440.0,
        late_nap "min" 0.0..=1_440.0,
        late_nap_told "min" 0.0..=1_440.0,
        cancelled "min" 0.0..=1_440.0,
        cancelled_departs "min" 0.0..=1_440.0,
        second_nap "min" 0.0..=1_440.0,
        diverted_departs "min" 0.0..=1_440.0,
        said_nap "min" 0.0..=1_440.0,
    }
}

impl Numbers {
    /// The numbers shipped with the program.
    ///
    /// # Panics
    /// Never: the text is part of the program and is read by its tests.
    #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
    pub fn embedded() -> &'static Numbers {
        static NUMBERS: OnceLock<Numbers> = OnceLock::new();
        // See "Panics": there is nothing that a caller could do.
        NUMBERS.get_or_init(|| Self::from_toml(EMBEDDED).expect("the embedded simulate.toml is valid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_refused_with_the_key_that_is_wrong() {
        let broken = EMBEDDED.replace("nap_missed      = { value = 0.05", "nap_missed      = { value = 1.05");
        assert_ne!(broken, EMBEDDED);
        assert!(Numbers::from_toml(&broken).unwrap_err().to_string().contains("rates.nap_missed"));
    }
}
