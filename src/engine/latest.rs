//! The latest version of every state of a partition, as bytes, while its state topic is read.
//!
//! A topic that is compacted now and then holds most states several times: only what nothing supersedes is decoded, once
//! the end is known, and by all of the machine's processors, because then nothing else is left to do.

use std::thread;

use hashbrown::HashTable;

use super::codec::{self, CodecError};
use super::processor::Unit;
use super::store::{hash_of, widen};

/// Fewer states than this are decoded faster than a thread begins.
const WORTH_A_THREAD: usize = 2_000;

#[derive(Debug, Default)]
pub struct Latest {
    /// Hash and place in `versions`.
    table: HashTable<(u32, u32)>,
    /// In the order in which their keys came first.
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    /// Where the state topic has it.
    offset: i64,
    /// The key, and from `state` on its state; nothing is known under a key whose state is empty.
    bytes: Vec<u8>,
    state: usize,
}

impl Version {
    fn key(&self) -> &[u8] {
        &self.bytes[..self.state]
    }

    fn state(&self) -> &[u8] {
        &self.bytes[self.state..]
    }
}

/// A state that can't be decoded, and where it lies.
#[derive(Debug)]
pub struct Unreadable {
    pub key: String,
    pub offset: i64,
    pub error: CodecError,
}

impl Latest {
    /// What the topic has under a key at this offset; `None`: nothing is known under it any more.
    pub fn put(&mut self, key: &[u8], state: Option<&[u8]>, offset: i64) {
        let hash = hash_of(key);
        let versions = &mut self.versions;
        let known = self.table.find(widen(hash), |(stored, place)| {
            *stored == hash && versions.get(*place as usize).is_some_and(|version| version.key() == key)
        });
        let place = if let Some((_, place)) = known {
            *place as usize
        } else {
            let place = versions.len();
            let mut bytes = Vec::with_capacity(key.len() + state.map_or(0, <[u8]>::len));
            bytes.extend_from_slice(key);
            versions.push(Version { offset, bytes, state: key.len() });
            let place_in_table = u32::try_from(place).unwrap_or(u32::MAX);
            self.table.insert_unique(widen(hash), (hash, place_in_table), |(stored, _)| widen(*stored));
            place
        };
        let version = &mut versions[place];
        version.offset = offset;
        version.bytes.truncate(version.state);
        version.bytes.extend_from_slice(state.unwrap_or_default());
    }

    /// Decodes what is there, each with the offset up to which it is complete, in the order in which the keys came.
    ///
    /// # Errors
    /// The first state that can't be read.
    pub fn decode<U: Unit>(self) -> Result<Vec<(i64, U)>, Box<Unreadable>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let parts = processors.min(self.versions.len() / WORTH_A_THREAD).max(1);
        let part = self.versions.len().div_ceil(parts).max(1);
        let mut parts = self.versions.chunks(part);
        let own = parts.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(|| decode_all::<U>(part))).collect();
            let mut units = decode_all(own)?;
            for other in others {
                match other.join() {
                    Ok(decoded) => units.append(&mut decoded?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(units)
        })
    }
}

fn decode_all<U: Unit>(versions: &[Version]) -> Result<Vec<(i64, U)>, Box<Unreadable>> {
    versions
        .iter()
        .filter(|version| !version.state().is_empty())
        .map(|version| {
            codec::decode_unit(version.state()).map_err(|error| {
                let key = String::from_utf8_lossy(version.key()).into_owned();
                Box::new(Unreadable { key, offset: version.offset, error })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixtures::Tally;

    fn put(latest: &mut Latest, key: &str, count: u64, offset: i64) {
        let mut bytes = Vec::new();
        codec::encode_unit(&Tally::new(key, count), offset, &mut bytes).unwrap();
        latest.put(key.as_bytes(), Some(&bytes), offset);
    }

    fn decoded(latest: Latest) -> Vec<(String, u64)> {
        let units: Vec<(i64, Tally)> = latest.decode().unwrap();
        units.into_iter().map(|(_, tally)| (tally.name, tally.count)).collect()
    }

    #[test]
    fn of_many_versions_the_last_counts_whatever_lay_between() {
        let mut latest = Latest::default();
        put(&mut latest, "anna", 1, 0);
        put(&mut latest, "ben", 2, 1);
        put(&mut latest, "anna", 300, 2);
        latest.put(b"ben", None, 3);
        latest.put(b"never there", None, 4);
        put(&mut latest, "mia", 5, 5);
        latest.put(b"mia", None, 6);
        put(&mut latest, "mia", 7, 7);
        assert_eq!(decoded(latest), [("anna".to_owned(), 300), ("mia".to_owned(), 7)]);
    }

    #[test]
    fn several_threads_decode_what_one_would_in_the_same_order() {
        let mut latest = Latest::default();
        let count = 5 * WORTH_A_THREAD as u64 + 1;
        for round in 0..2 {
            for number in 0..count {
                put(&mut latest, &format!("h{number}"), number + round, 0);
            }
        }
        let expected: Vec<(String, u64)> = (0..count).map(|number| (format!("h{number}"), number + 1)).collect();
        assert_eq!(decoded(latest), expected);
    }

    #[test]
    fn only_what_is_not_superseded_must_be_readable_and_what_is_not_says_where_it_lies() {
        let mut latest = Latest::default();
        latest.put(b"anna", Some(b"\x09 of another program"), 0);
        put(&mut latest, "anna", 1, 1);
        latest.put(b"ben", Some(b"\x09 of another program"), 17);
        let unreadable = latest.decode::<Tally>().unwrap_err();
        assert_eq!((unreadable.key.as_str(), unreadable.offset), ("ben", 17));
        assert_eq!(unreadable.error, CodecError::Format(9));
    }
}
