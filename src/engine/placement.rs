//! Which partition a key belongs to.
//!
//! murmur2 is what the Java client, Kafka Streams and kafka-python do by default; CRC-32 is librdkafka's default. The
//! two must be computed here, not asked of the producing client: a record found in another partition has to be
//! recognised while it is read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The rule by which an installation's records find their partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// `murmur2(key) & 0x7fffffff mod n`, as Apache Kafka's clients.
    #[default]
    Murmur2,
    /// `crc32(key) mod n`, as librdkafka's `consistent`; for installations whose producers are all librdkafka's.
    Crc32,
}

impl Placement {
    /// The partition of `key` among `partitions` (> 0).
    #[must_use]
    pub fn partition(self, key: &[u8], partitions: i32) -> i32 {
        debug_assert!(partitions > 0, "a topic has at least one partition");
        match self {
            Placement::Murmur2 => (murmur2(key) & 0x7fff_ffff).cast_signed() % partitions,
            Placement::Crc32 => (crc32fast::hash(key) % partitions.cast_unsigned()).cast_signed(),
        }
    }

    /// librdkafka's name of the same rule (`partitioner`).
    #[must_use]
    pub const fn librdkafka_name(self) -> &'static str {
        match self {
            Placement::Murmur2 => "murmur2_random",
            Placement::Crc32 => "consistent_random",
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Placement::Murmur2 => "murmur2",
            Placement::Crc32 => "crc32",
        })
    }
}

/// `MurmurHash2` (Austin Appleby, 2008), 32 bits, with the seed of Kafka's default partitioner.
fn murmur2(key: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MULTIPLIER: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in &mut words {
        let mut mixed = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(MULTIPLIER);
        mixed ^= mixed >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ mixed.wrapping_mul(MULTIPLIER);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_agrees_with_the_values_that_apache_kafka_tests_its_own_against() {
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn every_key_has_a_partition() {
        for placement in [Placement::Murmur2, Placement::Crc32] {
            for key in 0..1_000 {
                assert!((0..7).contains(&placement.partition(key.to_string().as_bytes(), 7)));
            }
        }
    }
}
