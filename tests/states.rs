//! Stored states of every version that was ever released can be read, and a change of the form is not made by accident.
//!
//! `tests/data/states` has one file a processor and version: states one after the other, each behind its length. Where a
//! form was changed: raise `Unit::SCHEMA`, write `Unit::upgrade` from the last version, and make the new file with
//! `ZONER_BLESS=1 cargo test --release --test states`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use zoner::engine::codec::{decode_unit, encode_unit};
use zoner::engine::effects::Effects;
use zoner::engine::partition::{Partition, Routing};
use zoner::engine::{Effect, Position, Processor, Record, Topic, Unit};
use zoner::event::encode;
use zoner::flight::{Flight, Flights};
use zoner::household::{Household, Travellers};
use zoner::units::{Span, UtcMillis};

use common::families::families;
use common::records::MONDAY;

fn file(name: &str, version: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/states/{name}-v{version}.bin"))
}

fn read_states(path: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rest = bytes.as_slice();
    let mut states = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (state, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
        states.push(state.to_vec());
        rest = behind;
    }
    assert!(rest.is_empty());
    states
}

/// Both processors after most of a week of two families, one of which is going to fly.
struct Week {
    travellers: Partition<Travellers>,
    flights: Partition<Flights>,
}

impl Week {
    fn lived() -> Week {
        let mut week = Week { travellers: Partition::new(0, 0), flights: Partition::new(0, 0) };
        let (households, flights) = (Travellers::embedded(), Flights);
        let until = MONDAY + Span::hours(5 * 24 + 13);
        for sent in families(2).iter().filter(|sent| sent.stamp < until) {
            week.take(&households, flights, sent.topic, &sent.key, sent.value.to_string().as_bytes(), sent.stamp);
        }
        week
    }

    /// Hands a record to its processor, and what follows to the other.
    fn take(
        &mut self,
        households: &Travellers,
        flights: Flights,
        topic: Topic,
        key: &str,
        value: &[u8],
        stamp: UtcMillis,
    ) {
        let effects = match topic {
            Topic::UserActivity => apply(&mut self.travellers, households, key, value, stamp),
            Topic::FlightStatus => apply(&mut self.flights, &flights, key, value, stamp),
        };
        for effect in effects.list {
            match effect {
                Effect::Recommend(_) => {}
                Effect::FlightUpdate { household_id, update } => {
                    let value = encode::flight_update(&household_id, &update);
                    self.take(households, flights, Topic::UserActivity, &household_id, &value, stamp);
                }
                Effect::Watch(watch) => {
                    let value = encode::watch(&watch);
                    self.take(households, flights, Topic::FlightStatus, watch.flight_key.as_str(), &value, stamp);
                }
            }
        }
    }
}

fn apply<P: Processor>(
    partition: &mut Partition<P>,
    processor: &P,
    key: &str,
    value: &[u8],
    stamp: UtcMillis,
) -> Effects {
    let mut effects = Effects::default();
    let position = Position { topic: P::INPUT, partition: 0, offset: partition.next_offset() };
    while let Some(timer) = partition.next_timer(stamp) {
        partition.fire(processor, timer, Some(position), &mut effects);
    }
    partition.move_time(stamp);
    let record = Record { position, stamp, key: Some(key.as_bytes()), value: Some(value), origin: None };
    let _ = partition.take(processor, &record, &|| None, Routing::Anywhere, &mut effects);
    partition.done_with(position.offset);
    partition.commit();
    effects
}

fn check<U: Unit + PartialEq + Debug>(name: &str, made_now: &[&U]) {
    assert!(!made_now.is_empty());
    let current = file(name, U::SCHEMA);
    if std::env::var_os("ZONER_BLESS").is_some() && !current.exists() {
        let mut bytes = Vec::new();
        for unit in made_now {
            let mut state = Vec::new();
            encode_unit(*unit, 42, &mut state).expect("a state");
            bytes.extend_from_slice(&u32::try_from(state.len()).expect("small").to_le_bytes());
            bytes.extend_from_slice(&state);
        }
        std::fs::write(&current, bytes).expect("the golden file");
    }
    for version in 1..=U::SCHEMA {
        let states = read_states(&file(name, version));
        assert!(!states.is_empty());
        for state in states {
            let (position, unit) = decode_unit::<U>(&state).unwrap_or_else(|error| {
                panic!("{name} of version {version}: {error}; see the head of this file for what a changed form needs")
            });
            assert_eq!(position, 42);
            assert!(!unit.key().is_empty() && !unit.is_vacant());
            if version == U::SCHEMA {
                let mut again = Vec::new();
                encode_unit(&unit, 42, &mut again).expect("a state");
                assert!(again == state, "{name}: what is written has another form than version {version}");
            }
        }
    }
    // Not only what was stored once: what is known now survives as well.
    for unit in made_now {
        let mut state = Vec::new();
        encode_unit(*unit, 7, &mut state).expect("a state");
        assert_eq!(&decode_unit::<U>(&state).expect("what was written").1, *unit);
    }
}

#[test]
fn households_of_every_version_are_read_and_written_in_their_form() {
    let week = Week::lived();
    let units = week.travellers.units();
    assert!(units.iter().any(|unit| unit.travellers().iter().any(|traveller| traveller.said().is_some())));
    check::<Household>("travellers", &units);
}

#[test]
fn flights_of_every_version_are_read_and_written_in_their_form() {
    let week = Week::lived();
    let units = week.flights.units();
    assert!(units.iter().any(|unit| unit.status().is_some()));
    check::<Flight>("flights", &units);
}
