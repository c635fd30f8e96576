//! What a family has to say, in order of when it arrives.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::engine::record::Topic;
use crate::simulate::numbers::ReportsNumbers;
use crate::simulate::random::Random;
use crate::units::{Span, UtcMillis};

#[derive(Debug)]
pub enum Saying {
    Record {
        topic: Topic,
        key: String,
        value: String,
    },
    /// True CBTmin of a member of the family, by user id.
    Truth {
        user: &'static str,
    },
}

#[derive(Debug)]
struct Entry {
    stamp: UtcMillis,
    sequence: u64,
    saying: Saying,
}

impl Entry {
    fn rank(&self) -> (UtcMillis, u64) {
        (self.stamp, self.sequence)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// Records and truths not yet handed out. Of two with the same stamp, the one put in first comes out first.
#[derive(Debug, Default)]
pub struct Pending {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Pending {
    pub fn put(&mut self, stamp: UtcMillis, saying: Saying) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { stamp, sequence: self.sequence, saying }));
    }

    pub fn activity(&mut self, stamp: UtcMillis, household: &str, value: String) {
        self.put(stamp, Saying::Record { topic: Topic::UserActivity, key: household.to_owned(), value });
    }

    pub fn next_stamp(&self) -> Option<UtcMillis> {
        self.heap.peek().map(|entry| entry.0.stamp)
    }

    pub fn take(&mut self) -> Option<(UtcMillis, Saying)> {
        self.heap.pop().map(|entry| (entry.0.stamp, entry.0.saying))
    }
}

/// How long after the fact a record of it arrives: seconds to minutes.
pub fn soon(random: &mut Random, numbers: &ReportsNumbers) -> Span {
    let seconds = (numbers.delay_least + random.waiting(numbers.delay_mean)).min(numbers.delay_most);
    Span(libm::round(seconds * 1_000.0) as i64)
}

/// As [`soon`], or, with probability `late`, hours.
pub fn sooner_or_later(random: &mut Random, numbers: &ReportsNumbers, late: f64) -> Span {
    let soon = soon(random, numbers);
    if random.chance(late) { soon + random.hours(numbers.late_least, numbers.late_most) } else { soon }
}
