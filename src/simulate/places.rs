//! Where families live and fly, and what they are called.

use chrono_tz::Tz;

use crate::event::flight::Iata;
use crate::flight::airports::{self, Airport};
use crate::simulate::random::Random;

/// Big airports all over the world, each with one that takes its flights when it cannot.
const AIRPORTS: [([u8; 3], [u8; 3]); 24] = [
    (*b"LHR", *b"LGW"),
    (*b"JFK", *b"BOS"),
    (*b"SIN", *b"KUL"),
    (*b"AMS", *b"BRU"),
    (*b"LAX", *b"ONT"),
    (*b"HND", *b"NRT"),
    (*b"CDG", *b"LYS"),
    (*b"GRU", *b"VCP"),
    (*b"DEL", *b"JAI"),
    (*b"SYD", *b"CBR"),
    (*b"FRA", *b"CGN"),
    (*b"ORD", *b"MKE"),
    (*b"DXB", *b"AUH"),
    (*b"JNB", *b"DUR"),
    (*b"ICN", *b"GMP"),
    (*b"YYZ", *b"YOW"),
    (*b"MAD", *b"VLC"),
    (*b"NBO", *b"MBA"),
    (*b"HKG", *b"SZX"),
    (*b"YVR", *b"SEA"),
    (*b"MEX", *b"GDL"),
    (*b"LIS", *b"OPO"),
    (*b"LOS", *b"ABV"),
    (*b"AKL", *b"WLG"),
];

/// An airport of the list. Small and `Copy`: the table behind it lives as long as the program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place(&'static Airport);

impl Place {
    pub fn of(code: [u8; 3]) -> Option<Place> {
        airports::lookup(Iata(code)).map(Place)
    }

    /// Every place of the list.
    pub fn all() -> impl Iterator<Item = Place> {
        AIRPORTS.iter().filter_map(|(code, _)| Place::of(*code))
    }

    pub fn any(random: &mut Random) -> Option<Place> {
        Place::of(AIRPORTS[random.index(AIRPORTS.len())].0)
    }

    pub fn iata(self) -> Iata {
        self.0.iata
    }

    pub fn zone(self) -> Tz {
        self.0.time_zone
    }

    /// Where flights to here land when they cannot land here.
    pub fn alternate(self) -> Option<Place> {
        let row = AIRPORTS.iter().find(|(code, _)| *code == self.0.iata.0)?;
        Place::of(row.1)
    }

    /// Great-circle distance, km (haversine, mean radius of the earth 6,371 km).
    pub fn distance(self, other: Place) -> f64 {
        let radians = |degrees: f32| f64::from(degrees).to_radians();
        let (north, north_there) = (radians(self.0.latitude), radians(other.0.latitude));
        let half = |difference: f64| {
            let sine = libm::sin(0.5 * difference);
            sine * sine
        };
        let east = half(radians(other.0.longitude) - radians(self.0.longitude));
        let chord = half(north_there - north) + libm::cos(north) * libm::cos(north_there) * east;
        2.0 * 6_371.0 * libm::asin(libm::sqrt(chord.clamp(0.0, 1.0)))
    }
}

/// (user id, display name)
pub type Name = (&'static str, &'static str);

pub const ADULTS: [Name; 24] = [
    ("ana", "Ana"),
    ("kofi", "Kofi"),
    ("mei", "Mei"),
    ("jonas", "Jonas"),
    ("priya", "Priya"),
    ("mateo", "Mateo"),
    ("amina", "Amina"),
    ("soren", "Søren"),
    ("yuki", "Yuki"),
    ("thabo", "Thabo"),
    ("elif", "Elif"),
    ("noel", "Noël"),
    ("leila", "Leila"),
    ("pavel", "Pavel"),
    ("ingrid", "Ingrid"),
    ("rafael", "Rafael"),
    ("chidi", "Chidi"),
    ("hana", "Hana"),
    ("omar", "Omar"),
    ("freya", "Freya"),
    ("arjun", "Arjun"),
    ("lucia", "Lucía"),
    ("minh", "Minh"),
    ("talia", "Talia"),
];

pub const CHILDREN: [Name; 24] = [
    ("ada", "Ada"),
    ("mia", "Mia"),
    ("kai", "Kai"),
    ("zoe", "Zoë"),
    ("leo", "Leo"),
    ("aya", "Aya"),
    ("tomas", "Tomás"),
    ("nia", "Nia"),
    ("emil", "Emil"),
    ("sofia", "Sofía"),
    ("ravi", "Ravi"),
    ("lin", "Lin"),
    ("ines", "Inês"),
    ("noah", "Noah"),
    ("amara", "Amara"),
    ("finn", "Finn"),
    ("sana", "Sana"),
    ("hugo", "Hugo"),
    ("mila", "Mila"),
    ("jun", "Jun"),
    ("oskar", "Oskar"),
    ("elena", "Elena"),
    ("idris", "Idris"),
    ("maya", "Maya"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_on_the_map_and_has_another_near() {
        assert_eq!(Place::all().count(), AIRPORTS.len());
        for place in Place::all() {
            let alternate = place.alternate().expect("an airport");
            let distance = place.distance(alternate);
            assert!((1.0..600.0).contains(&distance), "{} {} {distance}", place.iata(), alternate.iata());
        }
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let (heathrow, kennedy) = (Place::of(*b"LHR").unwrap(), Place::of(*b"JFK").unwrap());
        assert!((heathrow.distance(kennedy) - 5_540.0).abs() < 30.0);
        assert!(heathrow.distance(heathrow) < 1e-9);
    }

    #[test]
    fn names_are_short_and_ids_differ() {
        let ids: std::collections::BTreeSet<_> = ADULTS.iter().chain(&CHILDREN).map(|name| name.0).collect();
        assert_eq!(ids.len(), 48);
        assert!(ADULTS.iter().chain(&CHILDREN).all(|(_, name)| name.chars().count() <= 24));
    }
}
