//! Sleeps as they were reported, and what they come to.
//!
//! One record a start. Records of the same start compete by rules that do not look at the order of arrival; sleeps that
//! overlap or follow one another within the length of a feed are one bout.

use serde::{Deserialize, Serialize};

use crate::event::activity::SleepKind;
use crate::units::{Span, UtcMillis};

/// So many starts are kept of one person; of more, the latest.
pub const MOST_KEPT: usize = 64;

const GROWTH: usize = 2;

/// The contract's limit for one sleep.
const LONGEST: Span = Span::hours(24);

/// Stamps are kept as milliseconds from this long before the start.
const STAMP_BEFORE_START: Span = Span::hours(1);

const LENGTH_BITS: u32 = 27;
const OPEN: u32 = (1 << LENGTH_BITS) - 1;
const DELETED: u32 = 1 << LENGTH_BITS;
const NIGHT: u32 = 1 << (LENGTH_BITS + 1);
const NAP: u32 = 1 << (LENGTH_BITS + 2);
/// Some record of this start was open: the sleep was reported while it went on. No part of the contradictions.
const ANNOUNCED: u32 = 1 << (LENGTH_BITS + 3);

/// What the log says about the sleep that began at one instant, in 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SleepRecord {
    start: UtcMillis,
    /// Milliseconds from one hour before the start to the stamp of the record that said so; it settles contradictions.
    stamp: u32,
    /// Length in milliseconds, or open; deleted; the kind that was given.
    content: u32,
}

impl SleepRecord {
    /// `end` beyond 24 h after `start`, or before it, is cut to that range; the wire's checks let neither pass.
    #[must_use]
    pub fn new(
        start: UtcMillis,
        end: Option<UtcMillis>,
        kind: Option<SleepKind>,
        deleted: bool,
        stamp: UtcMillis,
    ) -> SleepRecord {
        let length = end.map_or(OPEN, |end| (end - start).0.clamp(0, LONGEST.0) as u32);
        let kind = match kind {
            None => 0,
            Some(SleepKind::Night) => NIGHT,
            Some(SleepKind::Nap) => NAP,
        };
        let deleted = if deleted { DELETED } else { 0 };
        let announced = if length == OPEN && deleted == 0 { ANNOUNCED } else { 0 };
        let since = stamp.0.saturating_sub(start.0).saturating_add(STAMP_BEFORE_START.0);
        let stamp = since.clamp(0, i64::from(u32::MAX)) as u32;
        SleepRecord { start, stamp, content: length | kind | deleted | announced }
    }

    #[must_use]
    pub fn start(&self) -> UtcMillis {
        self.start
    }

    /// `None` while it is in progress, as far as is known.
    #[must_use]
    pub fn end(&self) -> Option<UtcMillis> {
        let length = self.content & OPEN;
        (length != OPEN).then(|| self.start + Span(i64::from(length)))
    }

    #[must_use]
    pub fn kind(&self) -> Option<SleepKind> {
        match self.content & (NIGHT | NAP) {
            NIGHT => Some(SleepKind::Night),
            NAP => Some(SleepKind::Nap),
            _ => None,
        }
    }

    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.content & DELETED != 0
    }

    fn said(&self) -> u32 {
        self.content & !ANNOUNCED
    }

    fn is_final(&self) -> bool {
        self.is_deleted() || self.end().is_some()
    }

    /// Whether this record of a start stands against another: closed or deleted before open, then the larger stamp, then
    /// the larger content.
    fn beats(&self, other: &SleepRecord) -> bool {
        let rank = |record: &SleepRecord| (record.is_final(), record.stamp, record.said());
        rank(self) > rank(other)
    }
}

/// Everything known of a person's sleeps, by start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sleeps(Vec<SleepRecord>);

impl Sleeps {
    #[must_use]
    pub const fn none() -> Sleeps {
        Sleeps(Vec::new())
    }

    /// Takes a record in; whether it says anything that was not known.
    pub fn note(&mut self, record: SleepRecord) -> bool {
        match self.0.binary_search_by_key(&record.start, SleepRecord::start) {
            Ok(place) => {
                let known = &mut self.0[place];
                let announced = (known.content | record.content) & ANNOUNCED;
                known.content |= announced;
                if !record.beats(known) {
                    return false;
                }
                let news = known.said() != record.said();
                *known = record;
                known.content |= announced;
                news
            }
            Err(place) => {
                if self.0.len() < MOST_KEPT {
                    if self.0.len() == self.0.capacity() {
                        // By little: most people's list never doubles.
                        self.0.reserve_exact(GROWTH);
                    }
                    self.0.insert(place, record);
                } else if place == 0 {
                    return false;
                } else {
                    self.0.remove(0);
                    self.0.insert(place - 1, record);
                }
                true
            }
        }
    }

    /// Every record that stands and is not deleted, by start.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &SleepRecord> + Clone {
        self.0.iter().filter(|record| !record.is_deleted())
    }

    #[must_use]
    pub fn oldest(&self) -> Option<UtcMillis> {
        self.0.first().map(SleepRecord::start)
    }

    /// Whether there were more sleeps since `from` than are kept, as far as can be told.
    #[must_use]
    pub fn may_lack_some_since(&self, from: UtcMillis) -> bool {
        self.0.len() >= MOST_KEPT && self.oldest().is_some_and(|oldest| oldest >= from)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn forget_before(&mut self, time: UtcMillis) {
        let kept_from = self.0.partition_point(|record| record.start < time);
        if kept_from > 0 {
            self.0.drain(..kept_from);
        }
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<SleepRecord>()
    }

    /// Stretches of sleep: records that overlap, touch or lie within `merged_gap` are one. A sleep that nobody closed ends
    /// when the next one begins, else `open_ends_after` its start; until then it is going on. Of records that begin before
    /// `from` or after `now` nothing is known.
    #[must_use]
    pub fn bouts(&self, merged_gap: Span, open_ends_after: Span, from: UtcMillis, now: UtcMillis) -> Vec<Bout> {
        let mut bouts: Vec<Bout> = Vec::with_capacity(self.0.len());
        let mut records = self.iter().skip_while(|record| record.start < from).peekable();
        while let Some(record) = records.next() {
            if record.start > now {
                break;
            }
            let next_start = records.peek().map(|next| next.start);
            let given_up = record.start + open_ends_after;
            let (end, known) = match (record.end(), next_start) {
                (Some(end), _) => (end, true),
                (None, Some(next)) => (next.min(given_up), false),
                (None, None) => (given_up, false),
            };
            let bout = Bout {
                start: record.start,
                end,
                going_on: !known && next_start.is_none() && now < given_up,
                end_known: known,
                kind: record.kind(),
                announced: record.content & ANNOUNCED != 0,
            };
            match bouts.last_mut() {
                Some(last) if last.continues_with(&bout, merged_gap) => {
                    last.going_on = bout.going_on;
                    last.kind = last.kind.or(bout.kind);
                    last.announced |= bout.announced;
                    if bout.end >= last.end {
                        last.end = bout.end;
                        last.end_known = bout.end_known;
                    }
                }
                _ => bouts.push(bout),
            }
        }
        bouts
    }
}

/// One stretch of sleep, as far as the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bout {
    pub start: UtcMillis,
    /// Of a sleep that is going on or was never closed: when it is given up.
    pub end: UtcMillis,
    pub end_known: bool,
    pub going_on: bool,
    pub kind: Option<SleepKind>,
    /// Reported while it went on, not only when it was over.
    pub announced: bool,
}

impl Bout {
    /// Whether `next`, which begins later, is a part of the same stretch. Where nobody saw this one end, it is only if it
    /// begins at about the same time: two people logging one sleep.
    fn continues_with(&self, next: &Bout, merged_gap: Span) -> bool {
        let from = if self.end_known { self.end } else { self.start };
        next.start <= from + merged_gap
    }

    /// `None` where the end is not known.
    #[must_use]
    pub fn length(&self) -> Option<Span> {
        self.end_known.then(|| self.end - self.start)
    }

    /// Whether it is known how long it was, or is until now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.end_known || self.going_on
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: UtcMillis = UtcMillis(1_772_366_400_000);
    const GAP: Span = Span::minutes(30);
    const GIVEN_UP: Span = Span::hours(14);

    fn at(minutes: i64) -> UtcMillis {
        START + Span::minutes(minutes)
    }

    fn closed(start: i64, end: i64, stamp: i64) -> SleepRecord {
        SleepRecord::new(at(start), Some(at(end)), None, false, at(stamp))
    }

    fn open(start: i64) -> SleepRecord {
        SleepRecord::new(at(start), None, None, false, at(start + 1))
    }

    fn of(records: &[SleepRecord]) -> Sleeps {
        let mut sleeps = Sleeps::default();
        for record in records {
            sleeps.note(*record);
        }
        sleeps
    }

    #[test]
    fn a_record_comes_back_as_it_was_told() {
        let record = SleepRecord::new(START, Some(at(90)), Some(SleepKind::Nap), false, at(91));
        assert_eq!((record.start(), record.end(), record.kind()), (START, Some(at(90)), Some(SleepKind::Nap)));
        assert!(!record.is_deleted());
        let record = SleepRecord::new(START, None, Some(SleepKind::Night), true, at(-2));
        assert_eq!((record.end(), record.kind(), record.is_deleted()), (None, Some(SleepKind::Night), true));
        assert_eq!(size_of::<SleepRecord>(), 16);
    }

    #[test]
    fn a_closed_sleep_stands_against_an_open_one_whichever_came_first() {
        assert_eq!(of(&[open(0), closed(0, 60, 61)]), of(&[closed(0, 60, 61), open(0)]));
        assert_eq!(of(&[open(0), closed(0, 60, 61)]).iter().next().unwrap().end(), Some(at(60)));
    }

    #[test]
    fn of_two_ends_the_one_said_last_stands() {
        for order in [[closed(0, 60, 61), closed(0, 50, 70)], [closed(0, 50, 70), closed(0, 60, 61)]] {
            assert_eq!(of(&order).iter().next().unwrap().end(), Some(at(50)));
        }
    }

    #[test]
    fn a_deletion_takes_that_start_out_until_something_newer_is_said() {
        let deletion = SleepRecord::new(START, None, None, true, at(80));
        assert_eq!(of(&[closed(0, 60, 61), deletion, open(0)]).iter().count(), 0);
        assert_eq!(of(&[deletion, closed(0, 60, 61)]).iter().count(), 0);
        assert_eq!(of(&[closed(0, 60, 90), deletion]).iter().count(), 1);
    }

    #[test]
    fn the_same_record_twice_is_no_news() {
        let mut sleeps = of(&[closed(0, 60, 61)]);
        assert!(!sleeps.note(closed(0, 60, 61)));
        assert!(!sleeps.note(closed(0, 60, 90)), "said again, later");
        assert!(sleeps.note(closed(0, 70, 95)));
    }

    #[test]
    fn a_feed_does_not_end_a_sleep_and_an_hour_awake_does() {
        let bouts = of(&[closed(0, 60, 61), closed(85, 200, 201), closed(270, 300, 301)]).bouts(
            GAP,
            GIVEN_UP,
            UtcMillis::MIN,
            at(400),
        );
        let spans: Vec<_> = bouts.iter().map(|bout| (bout.start, bout.end)).collect();
        assert_eq!(spans, [(at(0), at(200)), (at(270), at(300))]);
    }

    #[test]
    fn the_same_nap_logged_by_two_people_is_one() {
        let bouts = of(&[closed(0, 60, 61), closed(4, 57, 58)]).bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(400));
        assert_eq!(bouts.len(), 1);
        assert_eq!(bouts[0].length(), Some(Span::minutes(60)));
        let forgotten = of(&[open(0), closed(4, 57, 58)]).bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(400));
        assert_eq!((forgotten.len(), forgotten[0].end, forgotten[0].end_known), (1, at(57), true));
    }

    #[test]
    fn an_open_sleep_goes_on_until_it_is_given_up_or_another_begins() {
        assert!(of(&[open(0)]).bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(100))[0].going_on);
        let given_up = of(&[open(0)]).bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(15 * 60));
        assert_eq!((given_up[0].going_on, given_up[0].length(), given_up[0].end), (false, None, at(14 * 60)));
        let cut = of(&[open(0), closed(200, 260, 261)]).bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(300));
        assert_eq!(cut.len(), 2);
        assert_eq!((cut[0].end, cut[0].length(), cut[0].going_on), (at(200), None, false));
    }

    proptest! {
        #[test]
        fn contradictions_end_the_same_way_in_any_order_and_never_grow_beyond_the_cap(
            told in proptest::collection::vec((0i64..3_000, 0i64..200, 0i64..4_000, 0u8..8), 1..300),
            rotation in 0usize..300,
        ) {
            let records: Vec<SleepRecord> = told
                .iter()
                .map(|(start, length, stamp, flags)| {
                    let end = (flags & 1 == 0).then(|| at(start * 7 + length));
                    let kind = (flags & 4 != 0).then_some(SleepKind::Nap);
                    SleepRecord::new(at(start * 7), end, kind, flags & 2 != 0, at(start * 7 + stamp))
                })
                .collect();
            let mut turned = records.clone();
            turned.rotate_left(rotation % records.len());
            turned.reverse();
            turned.extend_from_slice(&records[..records.len() / 2]);
            let (one, other) = (of(&records), of(&turned));
            prop_assert!(one.len() <= MOST_KEPT);
            prop_assert_eq!(&one, &other);
            let bouts = one.bouts(GAP, GIVEN_UP, UtcMillis::MIN, at(40_000));
            prop_assert!(bouts.windows(2).all(|pair| pair[0].start <= pair[1].start));
        }
    }
}
