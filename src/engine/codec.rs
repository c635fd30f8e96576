//! States and markers as bytes: what lies in a state topic.
//!
//! One byte of format, two of the schema's version (little-endian), then for a state the offset up to which it is complete
//! (eight bytes) and the state as postcard; for a marker the marker as postcard. An older state is brought up to date one
//! version at a time ([`Unit::upgrade`]); a newer one is refused.

use serde::{Deserialize, Serialize};

use super::log::TopicIds;
use super::placement::Placement;
use super::processor::Unit;
use super::record::Topic;
use crate::units::UtcMillis;

const FORMAT: u8 = 1;
/// The first had no topics.
const MARKER_VERSION: u16 = 2;

/// What the topics of a marker look like that does not know them: two strings of no length.
const NO_TOPICS: [u8; 2] = [0, 0];
const HEAD: usize = 3;
const POSITION: usize = 8;

/// The key of a partition's marker: no household id or flight key begins with this byte.
pub const MARKER_KEY: &[u8] = &[0];

/// Why bytes of a state topic can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error("it is of state version {found}, this program knows versions up to {known}: run the newer program")]
    Newer { found: u16, known: u16 },
    #[error("its format {0} is not known to this program")]
    Format(u8),
    #[error("it can't be read as version {version}: {why}")]
    Broken { version: u16, why: String },
}

/// "Every effect of the records before `offset` is in the states before this marker."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Where reading the input begins after a restore.
    pub offset: i64,
    /// Stream time at `offset`; `None` where no record came before it.
    pub stream_time: Option<UtcMillis>,
    /// What the group had committed with the marker.
    pub committed: i64,
    /// Partitions of the input, and where its records belong: states of another layout would be split.
    pub partitions: i32,
    pub placement: String,
    /// The program, its models and its time-zone rules.
    pub program: String,
    /// The marker speaks of these topics, and of no others of their names; unknown in markers of the first version.
    pub topics: TopicIds,
}

impl Marker {
    /// States of another layout can't be used: a household would have one in each.
    ///
    /// # Errors
    /// What differs, for partition `number` of `topic`, and what to do.
    pub fn check_layout(&self, topic: Topic, number: i32, partitions: i32, placement: Placement) -> Result<(), String> {
        let placement = placement.to_string();
        if self.partitions == partitions && self.placement == placement {
            return Ok(());
        }
        Err(format!(
            "the states of partition {number} of {} were stored with {} partitions and {} placement, now there are \
             {partitions} and {placement}: households would be split. Set topics.placement back, or replay the input into \
             topics of another prefix",
            topic.as_str(),
            self.partitions,
            self.placement,
        ))
    }
}

/// Puts a state, complete up to `position`, behind what `into` holds.
///
/// # Errors
/// A state that can't be serialised: a fault of the program.
pub fn encode_unit<U: Unit>(unit: &U, position: i64, into: &mut Vec<u8>) -> Result<(), CodecError> {
    into.push(FORMAT);
    into.extend_from_slice(&U::SCHEMA.to_le_bytes());
    into.extend_from_slice(&position.to_le_bytes());
    append(unit, U::SCHEMA, into)
}

/// A state and the offset up to which it is complete.
///
/// # Errors
/// What is wrong with the bytes.
pub fn decode_unit<U: Unit>(bytes: &[u8]) -> Result<(i64, U), CodecError> {
    let (version, rest) = head(bytes, U::SCHEMA)?;
    let Some((position, state)) = rest.split_first_chunk::<POSITION>() else {
        return Err(CodecError::Broken { version, why: format!("{} bytes are too short", bytes.len()) });
    };
    let unit = if version == U::SCHEMA {
        parse(version, state)?
    } else {
        let mut upgraded = state.to_vec();
        for from in version..U::SCHEMA {
            upgraded = U::upgrade(from, &upgraded).map_err(|why| CodecError::Broken { version: from, why })?;
        }
        parse(U::SCHEMA, &upgraded)?
    };
    Ok((i64::from_le_bytes(*position), unit))
}

/// # Errors
/// A marker that can't be serialised: a fault of the program.
pub fn encode_marker(marker: &Marker) -> Result<Vec<u8>, CodecError> {
    let mut bytes = vec![FORMAT];
    bytes.extend_from_slice(&MARKER_VERSION.to_le_bytes());
    append(marker, MARKER_VERSION, &mut bytes)?;
    Ok(bytes)
}

/// # Errors
/// What is wrong with the bytes.
pub fn decode_marker(bytes: &[u8]) -> Result<Marker, CodecError> {
    let (version, rest) = head(bytes, MARKER_VERSION)?;
    if version < MARKER_VERSION { parse(version, &[rest, &NO_TOPICS].concat()) } else { parse(version, rest) }
}

fn head(bytes: &[u8], known: u16) -> Result<(u16, &[u8]), CodecError> {
    let Some(([format, low, high], rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Err(CodecError::Broken { version: 0, why: format!("{} bytes are too short", bytes.len()) });
    };
    if *format != FORMAT {
        return Err(CodecError::Format(*format));
    }
    let version = u16::from_le_bytes([*low, *high]);
    if version > known {
        return Err(CodecError::Newer { found: version, known });
    }
    Ok((version, rest))
}

fn parse<'a, T: Deserialize<'a>>(version: u16, bytes: &'a [u8]) -> Result<T, CodecError> {
    let broken = |why: String| CodecError::Broken { version, why };
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|error| broken(error.to_string()))?;
    if rest.is_empty() { Ok(value) } else { Err(broken(format!("{} bytes are left over", rest.len()))) }
}

fn append<T: Serialize>(value: &T, version: u16, into: &mut Vec<u8>) -> Result<(), CodecError> {
    let written = postcard::to_extend(value, std::mem::take(into));
    *into = written.map_err(|error| CodecError::Broken { version, why: error.to_string() })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::engine::processor::Population;

    /// Stands for a state of which two versions were released: the first had no colour.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Painted {
        name: String,
        colour: String,
    }

    #[derive(Serialize, Deserialize)]
    struct Unpainted {
        name: String,
    }

    impl Unit for Painted {
        const SCHEMA: u16 = 2;

        fn upgrade(from: u16, state: &[u8]) -> Result<Vec<u8>, String> {
            fn read<T: DeserializeOwned>(state: &[u8]) -> Result<T, String> {
                postcard::from_bytes(state).map_err(|error| error.to_string())
            }
            match from {
                1 => {
                    let old: Unpainted = read(state)?;
                    let new = Painted { name: old.name, colour: "grey".to_owned() };
                    postcard::to_stdvec(&new).map_err(|error| error.to_string())
                }
                _ => Err("no such version was ever released".to_owned()),
            }
        }

        fn key(&self) -> &str {
            &self.name
        }
        fn next_due(&self) -> Option<UtcMillis> {
            None
        }
        fn is_vacant(&self) -> bool {
            false
        }
        fn population(&self) -> Population {
            Population::default()
        }
        fn resident_bytes(&self) -> usize {
            0
        }
    }

    fn written(version: u16, state: &impl Serialize) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&version.to_le_bytes());
        bytes.extend_from_slice(&77_i64.to_le_bytes());
        bytes.extend_from_slice(&postcard::to_stdvec(state).unwrap());
        bytes
    }

    #[test]
    fn a_state_comes_back_as_it_was_with_its_position() {
        let state = Painted { name: "lee".to_owned(), colour: "green".to_owned() };
        let mut bytes = Vec::new();
        encode_unit(&state, 77, &mut bytes).unwrap();
        assert_eq!(bytes, written(2, &state));
        assert_eq!(decode_unit::<Painted>(&bytes).unwrap(), (77, state));
    }

    #[test]
    fn a_state_of_an_older_version_is_brought_up_to_date() {
        let bytes = written(1, &Unpainted { name: "lee".to_owned() });
        let (position, state) = decode_unit::<Painted>(&bytes).unwrap();
        assert_eq!((position, state.name.as_str(), state.colour.as_str()), (77, "lee", "grey"));
    }

    #[test]
    fn a_state_of_a_newer_version_is_refused_and_says_what_to_do() {
        let error = decode_unit::<Painted>(&written(3, &"whatever")).unwrap_err();
        assert_eq!(error, CodecError::Newer { found: 3, known: 2 });
        assert!(error.to_string().contains("run the newer program"), "{error}");
    }

    #[test]
    fn broken_bytes_are_refused_wherever_they_break() {
        let mut bytes = written(2, &Painted { name: "lee".to_owned(), colour: "green".to_owned() });
        for length in 0..bytes.len() {
            assert!(decode_unit::<Painted>(&bytes[..length]).is_err(), "{length} bytes");
        }
        bytes.push(0);
        assert!(decode_unit::<Painted>(&bytes).unwrap_err().to_string().contains("left over"));
        bytes[0] = 9;
        assert_eq!(decode_unit::<Painted>(&bytes).unwrap_err(), CodecError::Format(9));
    }

    fn marker() -> Marker {
        Marker {
            offset: 41,
            stream_time: Some(UtcMillis(1_700_000_000_000)),
            committed: 43,
            partitions: 16,
            placement: "murmur2".to_owned(),
            program: "zoner 0.1.0".to_owned(),
            topics: TopicIds { input: "Zq4x".to_owned(), states: "b_0-".to_owned() },
        }
    }

    #[test]
    fn a_marker_comes_back_as_it_was() {
        assert_eq!(decode_marker(&encode_marker(&marker()).unwrap()).unwrap(), marker());
    }

    #[test]
    fn a_marker_of_the_first_version_does_not_know_its_topics() {
        // Written by a program of that version, with the other fields of the marker above.
        let first = b"\x01\x01\0\x52\x01\x80\xa0\xab\xfe\xf9\x62\x56\x20\x07murmur2\x0bzoner 0.1.0";
        assert_eq!(decode_marker(first).unwrap(), Marker { topics: TopicIds::default(), ..marker() });
        for length in 0..first.len() {
            assert!(decode_marker(&first[..length]).is_err(), "{length} bytes");
        }
    }
}
