//! Light where nobody measured it.
//!
//! People report a context ("outdoors"), a melanopic reading, or nothing at all. Unobserved time is not darkness, so every
//! waking quarter hour gets a level: from the report, or else imputed from the local hour and the place. One rule serves the
//! past and the future. All levels are photopic lux at the eye and stand for a wide spread (a factor of about 1.6 to 2 either
//! way); values and sources are in `models/light.toml`.

use serde::{Deserialize, Serialize};

use crate::circadian::model_file::{ModelError, ModelFile, Section};
use crate::units::{Hours, Lux, Span};

/// The model file as shipped.
const EMBEDDED: &str = include_str!("../../models/light.toml");

/// What a person says about the light around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LightContext {
    Outdoor,
    Indoor,
    Dim,
    Dark,
    Aircraft,
}

/// Where a person is, as far as light is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Home, hotel, office: lamps and windows.
    #[default]
    Home,
    /// On board, between doors closed and doors open.
    Cabin,
    Outdoors,
}

/// Melanopic equivalent daylight (D65) illuminance, lux (CIE S 026:2018).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MelanopicEdi(pub f64);

/// Light for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    pub light: Lux,
    pub length: Span,
}

/// An hour of the day from which, and one until which, something holds; the interval may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct DayPart {
    begins: f64,
    ends: f64,
}

impl DayPart {
    fn contains(self, local_hour: Hours) -> bool {
        let hour = local_hour.wrap_24().0;
        if self.begins <= self.ends {
            self.begins <= hour && hour < self.ends
        } else {
            self.begins <= hour || hour < self.ends
        }
    }
}

/// Levels of light by context, hour and place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightModel {
    asleep: Lux,
    outdoor_day: Lux,
    outdoor_night: Lux,
    indoor: Lux,
    dim: Lux,
    dark: Lux,
    home_day: Lux,
    home_evening: Lux,
    cabin_lit: Lux,
    cabin_dimmed: Lux,
    reported_day: Lux,
    reported_length: Span,
    day: DayPart,
    cabin_night: DayPart,
    lux_per_edi_outdoor: f64,
    lux_per_edi_indoor: f64,
    lux_per_edi_dim: f64,
    lux_per_edi_aircraft: f64,
}

impl LightModel {
    /// Reads a light model file.
    ///
    /// # Errors
    /// [`ModelError`], naming the key that is missing, unknown, in a wrong unit, unsourced or out of range.
    pub fn from_toml(text: &str) -> Result<LightModel, ModelError> {
        let mut file = ModelFile::parse("light.toml", text)?;

        let mut levels = file.section("levels")?;
        let asleep = lux(&mut levels, "asleep")?;
        let outdoor_day = lux(&mut levels, "outdoor_day")?;
        let outdoor_night = lux(&mut levels, "outdoor_night")?;
        let indoor = lux(&mut levels, "indoor")?;
        let dim = lux(&mut levels, "dim")?;
        let dark = lux(&mut levels, "dark")?;
        let home_day = lux(&mut levels, "home_day")?;
        let home_evening = lux(&mut levels, "home_evening")?;
        let cabin_lit = lux(&mut levels, "cabin_lit")?;
        let cabin_dimmed = lux(&mut levels, "cabin_dimmed")?;
        let reported_day = lux(&mut levels, "reported_day")?;
        levels.finish()?;

        let mut hours = file.section("hours")?;
        let day = DayPart { begins: hour(&mut hours, "day_begins")?, ends: hour(&mut hours, "evening_begins")? };
        let cabin_night =
            DayPart { begins: hour(&mut hours, "cabin_dimmed_from")?, ends: hour(&mut hours, "cabin_dimmed_until")? };
        let reported_length = Span::from_hours(Hours(hours.number("reported_length", "h", 0.25..=4.0)?));
        hours.finish()?;

        let mut ratios = file.section("lux_per_melanopic_edi")?;
        let mut ratio = |key| ratios.number(key, "1", 0.5..=5.0);
        let (lux_per_edi_outdoor, lux_per_edi_indoor) = (ratio("outdoor")?, ratio("indoor")?);
        let (lux_per_edi_dim, lux_per_edi_aircraft) = (ratio("dim")?, ratio("aircraft")?);
        ratios.finish()?;

        Ok(LightModel {
            asleep,
            outdoor_day,
            outdoor_night,
            indoor,
            dim,
            dark,
            home_day,
            home_evening,
            cabin_lit,
            cabin_dimmed,
            reported_day,
            reported_length,
            day,
            cabin_night,
            lux_per_edi_outdoor,
            lux_per_edi_indoor,
            lux_per_edi_dim,
            lux_per_edi_aircraft,
        })
    }

    /// The levels shipped with the program.
    ///
    /// # Panics
    /// Never: the text is part of the program and is read by its tests.
    #[expect(clippy::expect_used, reason = "the file is part of the program and tested")]
    #[must_use]
    pub fn embedded() -> LightModel {
        // See "Panics": there is nothing that a caller could do.
        Self::from_toml(EMBEDDED).expect("the embedded light.toml is valid")
    }

    /// Light behind closed eyes.
    #[must_use]
    pub fn asleep(&self) -> Lux {
        self.asleep
    }

    /// Light in a reported context. Outdoors it depends on whether the sun is up, for which the local hour stands in; a
    /// cabin that is reported counts as lit.
    #[must_use]
    pub fn in_context(&self, context: LightContext, local_hour: Hours) -> Lux {
        match context {
            LightContext::Outdoor => self.outdoors(local_hour),
            LightContext::Indoor => self.indoor,
            LightContext::Dim => self.dim,
            LightContext::Dark => self.dark,
            LightContext::Aircraft => self.cabin_lit,
        }
    }

    /// The level to assume for somebody awake about whose light nothing is known, at an hour of the clock on the wall (on
    /// board: the clock that the cabin keeps).
    #[must_use]
    pub fn imputed(&self, local_hour: Hours, place: Place) -> Lux {
        match place {
            Place::Home if self.day.contains(local_hour) => self.home_day,
            Place::Home => self.home_evening,
            Place::Cabin if self.cabin_night.contains(local_hour) => self.cabin_dimmed,
            Place::Cabin => self.cabin_lit,
            Place::Outdoors => self.outdoors(local_hour),
        }
    }

    /// The same of somebody who is up all through the usual night and slept at another time of day: nobody sits in an
    /// evening's light for that long, who does so works.
    #[must_use]
    pub fn up_all_night(&self) -> Lux {
        self.indoor
    }

    /// What a light event means that says when and nothing else. People log light that stands out: by day more than the
    /// imputed level, less than being outdoors; in the evening and at night there is no telling, and the imputed level stays.
    #[must_use]
    pub fn default_exposure(&self, local_hour: Hours) -> Exposure {
        let light = if self.day.contains(local_hour) { self.reported_day } else { self.home_evening };
        Exposure { light, length: self.reported_length }
    }

    /// Photopic lux from a melanopic reading, by the light that the context suggests (none: indoors).
    #[must_use]
    pub fn from_melanopic(&self, edi: MelanopicEdi, context: Option<LightContext>) -> Lux {
        let ratio = match context {
            Some(LightContext::Outdoor) => self.lux_per_edi_outdoor,
            Some(LightContext::Indoor) | None => self.lux_per_edi_indoor,
            Some(LightContext::Dim | LightContext::Dark) => self.lux_per_edi_dim,
            Some(LightContext::Aircraft) => self.lux_per_edi_aircraft,
        };
        Lux(edi.0 * ratio)
    }

    fn outdoors(&self, local_hour: Hours) -> Lux {
        if self.day.contains(local_hour) { self.outdoor_day } else { self.outdoor_night }
    }
}

fn lux(section: &mut Section<'_>, key: &str) -> Result<Lux, ModelError> {
    section.number(key, "lux", 0.0..=100_000.0).map(Lux)
}

fn hour(section: &mut Section<'_>, key: &str) -> Result<f64, ModelError> {
    section.number(key, "h", 0.0..=24.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_is_bright_by_day_and_dim_in_the_evening_and_at_night() {
        let model = LightModel::embedded();
        for hour in [7.0, 12.0, 18.99] {
            assert_eq!(model.imputed(Hours(hour), Place::Home), Lux(250.0));
        }
        for hour in [19.0, 23.5, 3.0, 27.0, -2.0] {
            assert_eq!(model.imputed(Hours(hour), Place::Home), Lux(80.0));
        }
    }

    #[test]
    fn a_walk_at_night_is_not_daylight() {
        let model = LightModel::embedded();
        let noon = model.in_context(LightContext::Outdoor, Hours(12.0));
        let night = model.in_context(LightContext::Outdoor, Hours(23.0));
        assert!(noon.0 >= 2_000.0 && night.0 <= 20.0);
        assert_eq!(model.imputed(Hours(23.0), Place::Outdoors), night);
    }

    #[test]
    fn a_cabin_is_dimmed_over_midnight() {
        let model = LightModel::embedded();
        assert_eq!(model.imputed(Hours(0.5), Place::Cabin), Lux(5.0));
        assert_eq!(model.imputed(Hours(12.0), Place::Cabin), Lux(100.0));
        assert_eq!(model.in_context(LightContext::Aircraft, Hours(0.5)), Lux(100.0));
    }

    #[test]
    fn contexts_are_ordered_as_their_names_say() {
        let model = LightModel::embedded();
        let noon = Hours(12.0);
        let order = [
            LightContext::Dark,
            LightContext::Dim,
            LightContext::Aircraft,
            LightContext::Indoor,
            LightContext::Outdoor,
        ];
        assert!(order.windows(2).all(|pair| model.in_context(pair[0], noon) < model.in_context(pair[1], noon)));
        assert_eq!(model.asleep(), Lux(0.0));
    }

    #[test]
    fn a_bare_light_event_by_day_lies_between_indoors_and_outdoors() {
        let model = LightModel::embedded();
        let exposure = model.default_exposure(Hours(9.0));
        assert!(model.imputed(Hours(9.0), Place::Home) < exposure.light);
        assert!(exposure.light < model.in_context(LightContext::Outdoor, Hours(9.0)));
        assert_eq!(exposure.length, Span::minutes(15));
        assert_eq!(model.default_exposure(Hours(22.0)).light, model.imputed(Hours(22.0), Place::Home));
    }

    #[test]
    fn daylight_has_as_many_lux_as_melanopic_lux_and_warm_lamps_have_more() {
        let model = LightModel::embedded();
        assert_eq!(model.from_melanopic(MelanopicEdi(500.0), Some(LightContext::Outdoor)), Lux(500.0));
        let indoors = model.from_melanopic(MelanopicEdi(100.0), None);
        assert_eq!(indoors, model.from_melanopic(MelanopicEdi(100.0), Some(LightContext::Indoor)));
        assert!(indoors.0 > 100.0 && model.from_melanopic(MelanopicEdi(100.0), Some(LightContext::Dim)) > indoors);
    }

    #[test]
    fn a_broken_file_is_refused_with_the_key_that_is_wrong() {
        let broken = EMBEDDED.replace("home_evening  = { value = 80.0", "home_evening  = { value = -80.0");
        assert_ne!(broken, EMBEDDED);
        assert!(LightModel::from_toml(&broken).unwrap_err().to_string().contains("levels.home_evening"));
    }
}
