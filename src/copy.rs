//! A topic played again into another: which record is next, when it is due, and where it goes.
//!
//! Knows no Kafka and no clock: it is told how much time has passed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::dead_letters::REDRIVEN_HEADER;
use crate::engine::placement::Placement;
use crate::engine::processor::Processor;
use crate::engine::record::{FORWARDED_HEADER, Position, Received, Record, Topic};
use crate::flight::Flights;
use crate::household::Travellers;
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

/// What a version that is fed with a topic makes anew: flight updates, watches, and the forwarded copies of what lies in
/// another partition than it belongs to (its copies of before are in the topic already, in their place).
pub struct MadeAgain {
    topic: Topic,
    partitions: i32,
    placement: Placement,
    travellers: Travellers,
}

impl MadeAgain {
    /// Of an input topic with so many partitions.
    #[must_use]
    pub fn of(topic: Topic, partitions: i32, placement: Placement) -> MadeAgain {
        MadeAgain { topic, partitions, placement, travellers: Travellers::embedded() }
    }

    /// Whether the version makes this record, or its like. Ticks are no such record, they are the time; nor is a dead letter
    /// that was written back, nor what nobody can read.
    #[must_use]
    pub fn includes(&self, record: &Received) -> bool {
        if record.header(FORWARDED_HEADER).is_some() || record.header(REDRIVEN_HEADER).is_some() {
            return false;
        }
        match self.topic {
            Topic::UserActivity => self.is_made_by(&self.travellers, record),
            Topic::FlightStatus => self.is_made_by(&Flights, record),
        }
    }

    /// As [`crate::engine::partition::Partition::take`] decides it.
    fn is_made_by<P: Processor>(&self, processor: &P, received: &Received) -> bool {
        let record = Record {
            position: Position { topic: self.topic, partition: received.partition, offset: received.offset },
            stamp: received.stamp,
            key: received.key.as_deref(),
            value: received.value.as_deref(),
            origin: None,
        };
        let Ok(decoded) = processor.decode(&record) else { return false };
        let Some(key) = decoded.key else { return false };
        let is_at_home = || self.placement.partition(key.as_bytes(), self.partitions) == received.partition;
        decoded.internal || !is_at_home() || record.key.is_none_or(<[u8]>::is_empty)
    }
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

    /// The afternoon of the day of which the records below tell.
    const LATER: UtcMillis = UtcMillis(1_796_400_000_000);

    #[test]
    fn what_a_version_under_test_makes_anew_is_known() {
        let made_again = MadeAgain::of(Topic::UserActivity, 4, Placement::Murmur2);
        let home = Placement::Murmur2.partition(b"h1", 4);
        let keyed = |partition: i32, key: &str, value: &str| Received {
            key: Some(key.as_bytes().to_vec()),
            value: Some(value.as_bytes().to_vec()),
            ..record(partition, 0, LATER.0)
        };
        let meal = r#"{"user_id":"anna","household_id":"h1","activity":"meal","timestamp":"2026-12-04T13:00:00Z"}"#;
        let tick = r#"{"activity":"tick","timestamp":"2026-12-04T13:00:00Z"}"#;
        for own in [tick, meal, r#"{"activity":"flying"}"#, "no JSON"] {
            assert!(!made_again.includes(&keyed(home, "h1", own)), "{own}");
        }
        let elsewhere = keyed((home + 1) % 4, "h1", meal);
        assert!(made_again.includes(&elsewhere), "its forwarded copy comes as well");
        let without_key = Received { key: None, ..keyed(home, "", meal) };
        assert!(made_again.includes(&without_key), "it is forwarded for the sake of its key");
        let under_another_key = keyed((home + 1) % 4, "h2", meal);
        assert!(!made_again.includes(&under_another_key), "it is a dead letter here and there");
        let mut moved = keyed(home, "h1", meal);
        moved.headers.push((FORWARDED_HEADER.to_owned(), Some(b"user_activity/0/1/2".to_vec())));
        assert!(!made_again.includes(&moved));
        let mut redriven = elsewhere;
        redriven.headers.push((REDRIVEN_HEADER.to_owned(), Some(b"zoner.dead_letters/0/1".to_vec())));
        assert!(!made_again.includes(&redriven));
    }

    #[test]
    fn flights_have_no_activity_and_belong_somewhere_as_well() {
        let made_again = MadeAgain::of(Topic::FlightStatus, 4, Placement::Murmur2);
        let key = "KL641|2026-12-04|AMS";
        let status = format!(r#"{{"flight_key":"{key}","state":"scheduled","observed_at":"2026-12-04T10:00:00Z"}}"#);
        let in_partition = |partition: i32| {
            made_again.includes(&Received {
                key: Some(key.as_bytes().to_vec()),
                value: Some(status.as_bytes().to_vec()),
                ..record(partition, 0, LATER.0)
            })
        };
        assert_eq!((0..4).filter(|partition| !in_partition(*partition)).count(), 1, "one of them is its home");
    }
}
