//! A topic played again into another: which record is next, when it is due, and where it goes.
//!
//! Knows no Kafka and no clock: it is told how much time has passed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Deserialize;

use crate::dead_letters::REDRIVEN_HEADER;
use crate::engine::placement::Placement;
use crate::engine::record::{FORWARDED_HEADER, Received};
use crate::units::UtcMillis;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many seconds of the records in a second (> 0).
    Times(f64),
    Max,
}

impl Speed {
    /// Reads `60`, `0.5` or `max`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Speed> {
        if text == "max" {
            return Some(Speed::Max);
        }
        let times = text.parse::<f64>().ok().filter(|times| times.is_finite() && *times > 0.0)?;
        Some(Speed::Times(times))
    }

    /// How long after the first record one is due, or `None` where nothing waits.
    #[must_use]
    pub fn due(self, first: UtcMillis, stamp: UtcMillis) -> Option<Duration> {
        match self {
            Speed::Max => None,
            Speed::Times(times) => {
                let seconds = (stamp - first).0.max(0) as f64 / 1_000.0 / times;
                Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
            }
        }
    }
}

/// Puts the partitions of a topic together in the order of their stamps. Within a partition records keep their order,
/// whatever their stamps are.
#[derive(Default)]
pub struct Merge {
    waiting: BTreeMap<i32, VecDeque<Received>>,
}

impl Merge {
    pub fn push(&mut self, record: Received) {
        self.waiting.entry(record.partition).or_default().push_back(record);
    }

    /// Records of a partition that wait here.
    #[must_use]
    pub fn held(&self, partition: i32) -> usize {
        self.waiting.get(&partition).map_or(0, VecDeque::len)
    }

    /// The partition whose record is next. `None` where that is not known yet: a partition that is not `done` may still
    /// give an earlier one.
    #[must_use]
    pub fn next(&self, partitions: i32, done: impl Fn(i32) -> bool) -> Option<(i32, UtcMillis)> {
        let mut next: Option<(UtcMillis, i32)> = None;
        for partition in 0..partitions {
            match self.waiting.get(&partition).and_then(VecDeque::front) {
                Some(record) => {
                    let candidate = (record.stamp, partition);
                    next = Some(next.map_or(candidate, |known| known.min(candidate)));
                }
                None if done(partition) => {}
                None => return None,
            }
        }
        next.map(|(stamp, partition)| (partition, stamp))
    }

    pub fn pop(&mut self, partition: i32) -> Option<Received> {
        self.waiting.get_mut(&partition)?.pop_front()
    }
}

/// The partition of the copy: the same where there are as many, that of the key otherwise.
#[must_use]
pub fn target_partition(record: &Received, from: i32, to: i32, placement: Placement) -> i32 {
    match &record.key {
        _ if from == to => record.partition,
        Some(key) => placement.partition(key, to),
        None => record.partition.rem_euclid(to),
    }
}

/// Whether a version that is fed with the rest of the topic makes this record, or its like, anew: a flight update, a watch,
/// and what lies in another partition than its key's, for which its forwarded copy stands (forwarding it again would move it
/// to another time). Ticks are no such record, they are the time; nor is a dead letter that was written back.
#[must_use]
pub fn is_made_again(record: &Received, partitions: i32, placement: Placement) -> bool {
    #[derive(Deserialize)]
    struct Name<'a> {
        #[serde(borrow)]
        activity: Option<std::borrow::Cow<'a, str>>,
    }
    if record.header(FORWARDED_HEADER).is_some() || record.header(REDRIVEN_HEADER).is_some() {
        return false;
    }
    let Some(value) = &record.value else { return false };
    let Ok(Name { activity: Some(activity) }) = serde_json::from_slice(value) else { return false };
    if activity == "tick" {
        return false;
    }
    let is_at_home = |key: &Vec<u8>| placement.partition(key, partitions) == record.partition;
    matches!(&*activity, "flight_update" | "watch") || !record.key.as_ref().is_some_and(is_at_home)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: i32, offset: i64, stamp: i64) -> Received {
        Received { partition, offset, stamp: UtcMillis(stamp), key: None, value: None, headers: Vec::new() }
    }

    #[test]
    fn partitions_are_played_together_in_the_order_of_their_stamps() {
        let mut merge = Merge::default();
        for (partition, offset, stamp) in [(0, 0, 10), (0, 1, 40), (1, 0, 20), (1, 1, 15), (1, 2, 50)] {
            merge.push(record(partition, offset, stamp));
        }
        let mut played = Vec::new();
        while let Some((partition, stamp)) = merge.next(3, |partition| partition == 2 || merge.held(partition) == 0) {
            played.push((partition, stamp.0));
            merge.pop(partition).unwrap();
        }
        assert_eq!(played, [(0, 10), (1, 20), (1, 15), (0, 40), (1, 50)], "offset 1 of partition 1 is not overtaken");
    }

    #[test]
    fn a_partition_of_which_nothing_is_known_yet_is_waited_for() {
        let mut merge = Merge::default();
        merge.push(record(0, 0, 10));
        assert_eq!(merge.next(2, |_| false), None);
        assert_eq!(merge.next(2, |partition| partition == 1), Some((0, UtcMillis(10))));
        merge.push(record(1, 0, 5));
        assert_eq!(merge.next(2, |_| false), Some((1, UtcMillis(5))));
    }

    #[test]
    fn records_are_due_in_their_own_time_divided_by_the_speed() {
        let (first, later) = (UtcMillis(1_000), UtcMillis(61_000));
        assert_eq!(Speed::Times(1.0).due(first, later), Some(Duration::from_secs(60)));
        assert_eq!(Speed::parse("60").unwrap().due(first, later), Some(Duration::from_secs(1)));
        assert_eq!(Speed::Times(1.0).due(later, first), Some(Duration::ZERO), "late in its log: at once");
        assert_eq!(Speed::parse("max").unwrap().due(first, later), None);
        for wrong in ["0", "-1", "inf", "NaN", "fast", ""] {
            assert_eq!(Speed::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn partitions_are_kept_where_there_are_as_many() {
        let keyed = Received { key: Some(b"h1".to_vec()), ..record(3, 0, 0) };
        assert_eq!(target_partition(&keyed, 4, 4, Placement::Murmur2), 3);
        assert_eq!(target_partition(&keyed, 4, 7, Placement::Murmur2), Placement::Murmur2.partition(b"h1", 7));
        assert_eq!(target_partition(&record(3, 0, 0), 4, 2, Placement::Murmur2), 1);
    }

    #[test]
    fn what_a_version_under_test_makes_anew_is_left_out() {
        let is_made_again = |record: &Received| is_made_again(record, 4, Placement::Murmur2);
        let home = Placement::Murmur2.partition(b"h1", 4);
        let valued = |partition: i32, value: &str| Received {
            key: Some(b"h1".to_vec()),
            value: Some(value.as_bytes().to_vec()),
            ..record(partition, 0, 0)
        };
        assert!(is_made_again(&valued(home, r#"{"activity":"flight_update","flight":{}}"#)));
        assert!(is_made_again(&valued(home, r#"{"activity":"watch"}"#)));
        for own in [r#"{"activity":"tick"}"#, r#"{"activity":"sleep"}"#, r#"{"flight":"KL641"}"#, "no JSON"] {
            assert!(!is_made_again(&valued(home, own)), "{own}");
        }
        let elsewhere = valued((home + 1) % 4, r#"{"activity":"sleep"}"#);
        assert!(is_made_again(&elsewhere), "its forwarded copy comes as well");
        let mut moved = valued(home, r#"{"activity":"sleep"}"#);
        moved.headers.push((FORWARDED_HEADER.to_owned(), Some(b"user_activity/0/1/2".to_vec())));
        assert!(!is_made_again(&moved));
        let mut redriven = elsewhere;
        redriven.headers.push((REDRIVEN_HEADER.to_owned(), Some(b"zoner.dead_letters/0/1".to_vec())));
        assert!(!is_made_again(&redriven));
    }
}
