//! Names of flights.

use crate::event::flight::{FlightKey, Iata};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::bad_field;
use crate::event::wire::field::{Flight, Key, known_airport};
use crate::flight::{airports, zones};
use crate::units::UtcMillis;

use super::time;

/// Airline and number as one word: upper case, without spaces and leading zeros; `BA 0117` is `BA117`.
///
/// The airline is an ICAO code (three letters) or an IATA code (two letters, or a letter and a digit); the number has
/// one to four digits and may end in a letter.
pub fn designator(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let bytes = compact.as_bytes();
    let letters = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let airline = match (letters, bytes) {
        (3.., _) => 3,
        (_, [a, b, ..]) if (a.is_ascii_uppercase() || b.is_ascii_uppercase()) && both_alphanumeric(*a, *b) => 2,
        _ => return None,
    };
    let (airline, number) = compact.split_at_checked(airline)?;
    let digits = number.strip_suffix(|c: char| c.is_ascii_uppercase()).unwrap_or(number);
    let significant = number.trim_start_matches('0');
    let leading_zeros = number.len() - significant.len();
    let well_formed = digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.len() > leading_zeros
        && digits.len() - leading_zeros <= 4;
    well_formed.then(|| format!("{airline}{significant}"))
}

fn both_alphanumeric(a: u8, b: u8) -> bool {
    a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric()
}

/// What every refusal of a key ends with.
const GOOD_KEY: &str = "such as KL641|2026-12-04|AMS";

/// A key in its one form, and the airport in it.
pub fn read(key: &Key<'_>) -> Result<(FlightKey, Iata), Rejection> {
    let malformed = |allowed: &str| bad_field("flight_key", &format!("{allowed}, {GOOD_KEY}"));
    let text = key.0.as_text().ok_or_else(|| malformed("a text of flight, local date and origin"))?;
    let origin = parts(text).map_err(malformed)?;
    let origin = known_airport("flight_key", origin)?;
    Ok((FlightKey(text.into()), origin))
}

/// The origin of a well-formed key; else what its first part that is not in order has to be.
fn parts(text: &str) -> Result<Iata, &'static str> {
    let mut parts = text.split('|');
    let (Some(flight), Some(date), Some(origin), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("three parts with `|` between them: flight, scheduled local date, origin");
    };
    match designator(flight) {
        Some(name) if name == flight => {}
        Some(_) => return Err("with its flight in upper case, without spaces and leading zeros"),
        None => return Err("with an airline code and a number of at most 4 digits as its first part"),
    }
    if !time::is_date(date) {
        return Err("with the scheduled local date of departure, YYYY-MM-DD, as its second part");
    }
    let airport = Iata::parse(origin).filter(|code| code.as_str() == origin);
    airport.ok_or("with the origin's IATA code, three capital letters, as its last part")
}

/// A flight number as people write it, in its one form.
pub fn read_flight(flight: &Flight<'_>) -> Result<String, Rejection> {
    designator(flight.0.as_text().unwrap_or_default())
        .ok_or_else(|| bad_field("flight", "an airline code and a number of at most 4 digits, such as BA117"))
}

/// The key of a flight, whatever offset its departure was written with.
pub fn derive(designator: &str, departs: UtcMillis, origin: Iata) -> Result<FlightKey, Rejection> {
    let airport = airports::lookup(origin).ok_or_else(|| {
        Rejection::validate(Code::UnknownAirport, "`origin` must be the IATA code of a known airport, such as AMS")
    })?;
    let date = zones::local_date(airport.time_zone, departs);
    Ok(FlightKey(format!("{designator}|{date}|{origin}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::time::rfc3339;
    use crate::event::wire::Scalar;

    #[test]
    fn one_flight_has_one_name() {
        for (written, name) in [
            ("BA117", "BA117"),
            ("ba 0117", "BA117"),
            ("BAW 117", "BAW117"),
            ("U2 0008", "U28"),
            ("9W12", "9W12"),
            ("3K 0585d", "3K585D"),
            ("KL641", "KL641"),
            ("EZY12AB", ""),
            ("BA", ""),
            ("BA0", ""),
            ("117", ""),
            ("BA12345", ""),
            ("", ""),
            ("B", ""),
            ("ÄÖ12", ""),
            ("BAÄ", ""),
            ("BA-117", ""),
            ("BA00001", "BA1"),
        ] {
            assert_eq!(designator(written).unwrap_or_default(), name, "{written}");
        }
    }

    #[test]
    fn keys_have_one_form() {
        let form = |text: &'static str| read(&Key(Scalar::Text(text.into()))).map_err(|rejection| rejection.code);
        assert!(form("KL641|2026-12-04|AMS").is_ok());
        assert_eq!(form("KL641|2026-12-04|QQQ"), Err(Code::UnknownAirport));
        for text in [
            "KL0641|2026-12-04|AMS",
            "kl641|2026-12-04|AMS",
            "KL641|2026-02-30|AMS",
            "KL641|2026-12-04|ams",
            "KL641|2026-12-04",
            "KL641|2026-12-04|AMS|",
            "",
            "||",
            "KL641 |2026-12-04|AMS",
        ] {
            assert_eq!(form(text), Err(Code::BadField), "{text}");
        }
    }

    #[test]
    fn a_refused_key_is_told_which_part_is_not_in_order_and_shown_a_good_one() {
        for (text, part) in [
            ("KL641|2026-12-04", "three parts"),
            ("KL641-2026-12-04-AMS", "three parts"),
            ("KL641|2026-12-04|AMS|x", "three parts"),
            ("KL0641|2026-12-04|AMS", "leading zeros"),
            ("kl641|2026-12-04|AMS", "upper case"),
            ("KLM|2026-12-04|AMS", "airline code and a number"),
            ("KL641|2026-12-4|AMS", "YYYY-MM-DD"),
            ("KL641|2026-02-30|AMS", "YYYY-MM-DD"),
            ("KL641|2026-12-04|ams", "three capital letters"),
        ] {
            let rejection = read(&Key(Scalar::Text(text.into()))).unwrap_err();
            let message = rejection.message;
            assert!(message.contains(part) && message.ends_with("such as KL641|2026-12-04|AMS"), "{text}: {message}");
        }
        let number = read(&Key(Scalar::Integer(641))).unwrap_err().message;
        assert!(number.contains("a text") && number.contains("KL641|2026-12-04|AMS"), "{number}");
    }

    #[test]
    fn the_date_in_a_key_is_that_of_the_origin() {
        let departs = rfc3339("2026-12-03T23:30:00-02:00").expect("a time");
        let amsterdam = Iata(*b"AMS");
        assert_eq!(derive("KL641", departs, amsterdam).expect("a key").as_str(), "KL641|2026-12-04|AMS");
        let new_york = Iata(*b"JFK");
        assert_eq!(derive("KL642", departs, new_york).expect("a key").as_str(), "KL642|2026-12-03|JFK");
    }
}
