//! Where the sun stands: how much daylight a stretch of time has at a place.
//!
//! The equations of the NOAA solar calculator (gml.noaa.gov/grad/solcalc), a short form of Meeus (1998) *Astronomical
//! Algorithms*, chapters 22, 25 and 28: good to about 0.01° until 2100, a minute of sunrise even at high latitudes. Computed
//! here, with `libm`, so that a plan has the same bits on every machine; the sun's height is asked for directly, so that days
//! and nights without a sunrise need no case of their own.
//!
//! Knows places by coordinates: of an airport, or of the town after which a time zone is named (models/zones.csv).

use std::sync::OnceLock;

use chrono_tz::Tz;

use super::{airports, zones};
use crate::event::flight::Iata;
use crate::units::{Span, UtcMillis};

/// Sunrise and sunset: the sun's upper limb on the horizon, bent up by the air (NOAA's value), degrees.
const HORIZON: f64 = -0.833;

/// Daylight is counted in such steps, each by its middle.
const STEP: Span = Span::minutes(5);

/// A place on earth, degrees: north and east positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    pub latitude: f64,
    pub longitude: f64,
}

/// Where an airport is.
#[must_use]
pub fn of_airport(airport: Iata) -> Option<Coordinates> {
    let airport = airports::lookup(airport)?;
    Some(Coordinates { latitude: f64::from(airport.latitude), longitude: f64::from(airport.longitude) })
}

/// Where the town is after which a zone is named; `None` for zones that are no place (`Etc/GMT+5`).
#[must_use]
pub fn of_zone(tz: Tz) -> Option<Coordinates> {
    static TABLE: OnceLock<Vec<(&'static str, Coordinates)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: Vec<_> = TEXT.lines().skip(1).filter_map(parse_row).collect();
        table.sort_unstable_by_key(|(name, _)| *name);
        table
    });
    let place = table.binary_search_by_key(&tz.name(), |(name, _)| name).ok()?;
    Some(table[place].1)
}

const TEXT: &str = include_str!("../../models/zones.csv");

/// `zone,lat,lon`
fn parse_row(row: &'static str) -> Option<(&'static str, Coordinates)> {
    let mut columns = row.split(',');
    let (name, latitude, longitude) = (columns.next()?, columns.next()?, columns.next()?);
    zones::parse(name)?;
    Some((name, Coordinates { latitude: latitude.parse().ok()?, longitude: longitude.parse().ok()? }))
}

/// How much of `from` ..< `until` the sun is up.
#[must_use]
pub fn daylight(place: Coordinates, from: UtcMillis, until: UtcMillis) -> Span {
    let mut light = Span::ZERO;
    let mut at = from;
    while at < until {
        let step = (until - at).min(STEP);
        if sun_altitude(place, at + Span(step.0 / 2)) > HORIZON {
            light = light + step;
        }
        at += step;
    }
    light
}

/// Height of the sun's centre above the horizon, degrees, without refraction.
#[must_use]
pub fn sun_altitude(place: Coordinates, at: UtcMillis) -> f64 {
    let days = at.0 as f64 / 86_400_000.0;
    // Julian centuries since 2000-01-01T12:00Z, which is 10,957.5 days after the Unix epoch.
    let century = (days - 10_957.5) / 36_525.0;
    let mean_longitude = 280.466_46 + century * (36_000.769_83 + century * 0.000_303_2);
    let mean_anomaly = 357.529_11 + century * (35_999.050_29 - 0.000_153_7 * century);
    let eccentricity = 0.016_708_634 - century * (0.000_042_037 + 0.000_000_126_7 * century);
    let centre = sin(mean_anomaly) * (1.914_602 - century * (0.004_817 + 0.000_014 * century))
        + sin(2.0 * mean_anomaly) * (0.019_993 - 0.000_101 * century)
        + sin(3.0 * mean_anomaly) * 0.000_289;
    let node = 125.04 - 1_934.136 * century;
    let apparent_longitude = mean_longitude + centre - 0.005_69 - 0.004_78 * sin(node);
    let mean_obliquity =
        23.0 + (26.0 + (21.448 - century * (46.815 + century * (0.000_59 - century * 0.001_813))) / 60.0) / 60.0;
    let obliquity = mean_obliquity + 0.002_56 * cos(node);
    let sin_declination = sin(obliquity) * sin(apparent_longitude);
    let cos_declination = libm::sqrt((1.0 - sin_declination * sin_declination).max(0.0));

    let y = {
        let tangent = libm::tan((obliquity / 2.0).to_radians());
        tangent * tangent
    };
    let equation_of_time = y * sin(2.0 * mean_longitude) - 2.0 * eccentricity * sin(mean_anomaly)
        + 4.0 * eccentricity * y * sin(mean_anomaly) * cos(2.0 * mean_longitude)
        - 0.5 * y * y * sin(4.0 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * sin(2.0 * mean_anomaly);
    // Degrees by which the sun has passed the meridian; the equation of time is in radians.
    let day = days - libm::floor(days);
    let hour_angle = day * 360.0 + equation_of_time.to_degrees() + place.longitude - 180.0;

    let sin_altitude = sin(place.latitude) * sin_declination + cos(place.latitude) * cos_declination * cos(hour_angle);
    libm::asin(sin_altitude.clamp(-1.0, 1.0)).to_degrees()
}

/// Of degrees.
fn sin(degrees: f64) -> f64 {
    libm::sin(degrees.to_radians())
}

/// Of degrees.
fn cos(degrees: f64) -> f64 {
    libm::cos(degrees.to_radians())
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;

    use super::*;
    use crate::event::decode::time::rfc3339;

    fn airport(code: &str) -> Coordinates {
        of_airport(Iata::parse(code).unwrap()).unwrap()
    }

    fn utc(text: &str) -> UtcMillis {
        rfc3339(text).unwrap()
    }

    /// Local sunrise and sunset of published almanacs, to the minute.
    #[test]
    fn the_sun_rises_and_sets_when_almanacs_say() {
        for (place, rise, set) in [
            (of_zone(Tz::Europe__London).unwrap(), "2026-12-21T08:04:00Z", "2026-12-21T15:53:00Z"),
            (of_zone(Tz::Europe__Amsterdam).unwrap(), "2026-06-21T05:18:00+02:00", "2026-06-21T22:06:00+02:00"),
            (of_zone(Tz::Australia__Sydney).unwrap(), "2026-12-21T05:41:00+11:00", "2026-12-21T20:05:00+11:00"),
            (of_zone(Tz::America__New_York).unwrap(), "2026-03-20T06:59:00-04:00", "2026-03-20T19:09:00-04:00"),
        ] {
            let margin = Span::minutes(4);
            for (time, is_rise) in [(utc(rise), true), (utc(set), false)] {
                let is_up = |at| sun_altitude(place, at) > HORIZON;
                assert_eq!((is_up(time - margin), is_up(time + margin)), (!is_rise, is_rise), "{place:?} {time}");
            }
        }
    }

    #[test]
    fn polar_night_has_no_daylight_and_polar_day_nothing_else() {
        let day = |date: &str| {
            let from = utc(&format!("{date}T00:00:00Z"));
            daylight(airport("TOS"), from, from + Span::days(1))
        };
        assert_eq!(day("2026-12-21"), Span::ZERO);
        assert_eq!(day("2026-06-21"), Span::days(1));
        let equinox = day("2026-03-20").as_hours().0;
        assert!((12.0..12.6).contains(&equinox), "{equinox}");
    }

    #[test]
    fn every_zone_that_is_named_after_a_place_has_one_in_its_own_half_of_the_day() {
        assert_eq!(TEXT.lines().skip(1).filter(|row| parse_row(row).is_none()).count(), 0);
        let without: Vec<&str> = TZ_VARIANTS.iter().filter(|tz| of_zone(**tz).is_none()).map(|tz| tz.name()).collect();
        let is_no_place = |name: &&&str| name.starts_with("Etc/") || !name.contains('/');
        assert!(without.iter().filter(|name| !is_no_place(name)).count() == 0, "{without:?}");
        for tz in TZ_VARIANTS {
            let Some(place) = of_zone(tz) else { continue };
            let clock = zones::offset_at(tz, utc("2026-01-01T00:00:00Z")).as_hours();
            let apart = (clock - crate::units::Hours(place.longitude / 15.0)).wrap_12();
            assert!(apart.0.abs() < 4.0, "{tz} {apart:?}");
        }
        assert!(of_zone(Tz::US__Eastern).is_some() && of_zone(Tz::UTC).is_none());
    }
}
