//! Airports: where they are and which clock hangs on their wall.
//!
//! The table is models/airports.csv (credits: models/AIRPORTS-LICENCE.md), embedded, sorted by IATA code, parsed on
//! first use. Knows zones; knows no flights.

use std::sync::OnceLock;

use chrono_tz::Tz;

use super::zones;
use crate::event::flight::Iata;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Airport {
    pub iata: Iata,
    /// Degrees, north positive.
    pub latitude: f32,
    /// Degrees, east positive.
    pub longitude: f32,
    pub time_zone: Tz,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: [u8; 2],
}

/// The airport of a code, if there is one.
#[must_use]
pub fn lookup(iata: Iata) -> Option<&'static Airport> {
    let table = all();
    table.binary_search_by_key(&iata, |airport| airport.iata).ok().map(|index| &table[index])
}

/// Every airport, sorted by IATA code.
#[must_use]
pub fn all() -> &'static [Airport] {
    static TABLE: OnceLock<Vec<Airport>> = OnceLock::new();
    TABLE.get_or_init(|| parse_table(TEXT))
}

/// The place that gives a zone its name, as people write it: `New York` of `America/New_York`.
///
/// Not always the city of the airport (BOS is in `America/New_York`): it fits sentences about a time, not about a
/// place.
#[must_use]
pub fn city_of_zone(tz: Tz) -> String {
    let name = tz.name();
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

const TEXT: &str = include_str!("../../models/airports.csv");

/// Rows that cannot be read are left out rather than stopping the program: a test reads every row of the file built
/// in, so that there are none.
fn parse_table(text: &str) -> Vec<Airport> {
    let mut table: Vec<Airport> = text.lines().skip(1).filter_map(parse_row).collect();
    table.sort_unstable_by_key(|airport| airport.iata);
    table
}

/// `iata,icao,lat,lon,tz,country`
fn parse_row(row: &str) -> Option<Airport> {
    let mut columns = row.split(',');
    let mut next = || columns.next();
    let (iata, _icao, latitude, longitude, zone, country) = (next()?, next()?, next()?, next()?, next()?, next()?);
    Some(Airport {
        iata: Iata::parse(iata)?,
        latitude: latitude.parse().ok()?,
        longitude: longitude.parse().ok()?,
        time_zone: zones::parse(zone)?,
        country: country.as_bytes().try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn airport(code: &str) -> &'static Airport {
        lookup(Iata::parse(code).unwrap()).unwrap_or_else(|| panic!("no airport {code}"))
    }

    #[test]
    fn every_row_of_the_table_is_an_airport_once() {
        let unreadable: Vec<_> = TEXT.lines().skip(1).filter(|row| parse_row(row).is_none()).collect();
        assert!(unreadable.is_empty(), "unknown zone or bad field: {unreadable:?}");
        assert_eq!(all().len(), 7_884);
        for pair in all().windows(2) {
            assert!(pair[0].iata < pair[1].iata, "{} twice", pair[0].iata);
        }
        for airport in all() {
            assert!((-90.0..=90.0).contains(&airport.latitude), "{airport:?}");
            assert!((-180.0..=180.0).contains(&airport.longitude), "{airport:?}");
            assert!(airport.country.iter().all(u8::is_ascii_uppercase), "{airport:?}");
        }
    }

    #[test]
    fn zones_are_those_of_the_place_and_not_of_the_nearest_big_neighbour() {
        // Each of these is an hour or more off in tables that name zones by country or by an old map.
        let expected = [
            ("CUU", "America/Chihuahua"),
            ("CJS", "America/Ciudad_Juarez"),
            ("NLD", "America/Matamoros"),
            ("REX", "America/Matamoros"),
            ("MAM", "America/Matamoros"),
            ("UUS", "Asia/Sakhalin"),
            ("YDA", "America/Dawson"),
            ("YQH", "America/Whitehorse"),
            ("YEU", "America/Resolute"),
            ("PNT", "America/Punta_Arenas"),
            ("BBA", "America/Coyhaique"),
            ("BUA", "Pacific/Bougainville"),
            ("FEN", "America/Noronha"),
            ("UGL", "Antarctica/Palmer"),
            ("AMS", "Europe/Amsterdam"),
            ("YVR", "America/Vancouver"),
            ("KTM", "Asia/Kathmandu"),
            ("LDH", "Australia/Lord_Howe"),
        ];
        for (code, zone) in expected {
            assert_eq!(airport(code).time_zone.name(), zone, "{code}");
        }
    }

    #[test]
    fn a_code_that_no_airport_has_is_not_found() {
        assert!(lookup(Iata::parse("QQQ").unwrap()).is_none());
        assert_eq!(airport("jfk").iata.as_str(), "JFK");
        assert_eq!(&airport("JFK").country, b"US");
        assert!((airport("AMS").latitude - 52.3086).abs() < 1e-4);
    }

    #[test]
    fn a_zone_reads_like_a_place() {
        assert_eq!(city_of_zone(airport("JFK").time_zone), "New York");
        assert_eq!(city_of_zone(airport("EZE").time_zone), "Buenos Aires");
        assert_eq!(city_of_zone(Tz::UTC), "UTC");
    }

    #[test]
    #[ignore = "a measurement, not a check: cargo test --release -- --ignored --nocapture measure_airports"]
    fn measure_airports() {
        let began = std::time::Instant::now();
        let airports = all();
        println!("parsing: {:?}", began.elapsed());
        let rounds = 2_000_000;
        let began = std::time::Instant::now();
        for round in 0..rounds {
            let code = airports[round * 7_919 % airports.len()].iata;
            std::hint::black_box(lookup(std::hint::black_box(code)));
        }
        println!("lookup: {:.1} ns", began.elapsed().as_nanos() as f64 / rounds as f64);
    }
}
