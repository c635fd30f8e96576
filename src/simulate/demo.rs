//! The first families of a demonstration: what happens to them, minutes after the live part begins.

use crate::simulate::booking::delayed_in_script;
use crate::simulate::feed::FlightFate;
use crate::simulate::interval::minutes_of;
use crate::simulate::naps::{Fate, Script, Told};
use crate::simulate::numbers::DemoNumbers;
use crate::simulate::places::{Name, Place};
use crate::units::UtcMillis;

/// A family with something to tell.
#[derive(Clone, Copy, Debug)]
pub struct FamilyScript {
    pub household: &'static str,
    pub home: Place,
    pub adults: &'static [(Name, u32)],
    /// With ages in months; a nap that is scripted is the first one's.
    pub children: &'static [(Name, u32)],
    pub nap: Option<ScriptedNap>,
    pub flight: Option<ScriptedFlight>,
}

#[derive(Clone, Copy, Debug)]
pub struct ScriptedNap {
    /// Of the child's usual naps.
    pub index: usize,
    pub script: Script,
}

#[derive(Clone, Copy, Debug)]
pub struct ScriptedFlight {
    pub to: Place,
    pub departs: UtcMillis,
    pub fate: FlightFate,
}

/// The script of family `number`, counted from 0; `None` from the ninth on.
pub fn script(number: u32, live_from: UtcMillis, numbers: &DemoNumbers) -> Option<FamilyScript> {
    let after = |minutes: f64| live_from + minutes_of(minutes);
    let nap = |index, minutes, fate| Some(ScriptedNap { index, script: Script { at: after(minutes), fate } });
    let family = |household, home, adults, children, nap| {
        Some(FamilyScript { household, home: Place::of(home)?, adults, children, nap, flight: None })
    };
    let flying = |family: Option<FamilyScript>, to, departs, fate| {
        let flight = ScriptedFlight { to: Place::of(to)?, departs: after(departs), fate };
        Some(FamilyScript { flight: Some(flight), ..family? })
    };
    match number {
        0 => family(
            "okafor",
            *b"LHR",
            &[(("amina", "Amina"), 408), (("chidi", "Chidi"), 432)],
            &[(("ada", "Ada"), 19)],
            nap(0, numbers.nap_time, Fate::Missed),
        ),
        1 => flying(
            family(
                "moreau",
                *b"JFK",
                &[(("lucia", "Lucía"), 420), (("noel", "Noël"), 444)],
                &[(("leo", "Leo"), 28), (("zoe", "Zoë"), 76)],
                None,
            ),
            *b"CDG",
            numbers.long_delay_departs,
            delayed_in_script(after(numbers.small_delay), after(numbers.long_delay), numbers.long_delay_by),
        ),
        2 => family(
            "costa",
            *b"LIS",
            &[(("rafael", "Rafael"), 396)],
            &[(("ines", "Inês"), 9)],
            nap(1, numbers.short_nap, Fate::Short),
        ),
        3 => family(
            "silva",
            *b"YYZ",
            &[(("ana", "Ana"), 372), (("mateo", "Mateo"), 384)],
            &[(("mila", "Mila"), 9), (("hugo", "Hugo"), 62)],
            nap(0, numbers.late_nap, Fate::Slept(Told::At(after(numbers.late_nap_told)))),
        ),
        4 => flying(
            family(
                "haddad",
                *b"DXB",
                &[(("leila", "Leila"), 400), (("omar", "Omar"), 430)],
                &[(("sana", "Sana"), 50)],
                None,
            ),
            *b"SIN",
            numbers.cancelled_departs,
            FlightFate::Cancelled { told: after(numbers.cancelled) },
        ),
        5 => family(
            "novak",
            *b"ORD",
            &[(("hana", "Hana"), 411), (("pavel", "Pavel"), 423)],
            &[(("emil", "Emil"), 22)],
            nap(0, numbers.said_nap, Fate::Skipped),
        ),
        6 => family(
            "tanaka",
            *b"LAX",
            &[(("yuki", "Yuki"), 390)],
            &[(("aya", "Aya"), 20), (("jun", "Jun"), 64)],
            nap(0, numbers.second_nap, Fate::Missed),
        ),
        7 => flying(
            family(
                "navarro",
                *b"MAD",
                &[(("elif", "Elif"), 405), (("jonas", "Jonas"), 399)],
                &[(("sofia", "Sofía"), 33)],
                None,
            ),
            *b"JFK",
            numbers.diverted_departs,
            FlightFate::Diverted,
        ),
        _ => None,
    }
}
