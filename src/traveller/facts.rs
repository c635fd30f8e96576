//! What was reported of light, meals and dozing, kept as facts and not as their result.
//!
//! One sorted list of 32-bit words: minute, and what was reported. The list is a set, so neither the order in which
//! facts arrive nor how often they are told makes a difference, and taking one in is an insertion, mostly at the end.
//! What the facts mean for the clock is decided when an answer is needed ([`super::light`]).

use serde::{Deserialize, Serialize};

use crate::circadian::{BIN, LightContext};
use crate::event::activity::MealKind;
use crate::traveller::level::{LEVELS, Level};
use crate::traveller::words::Words;
use crate::units::{Span, UtcMillis};

/// One report about one minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Report {
    /// Light that was measured, in one of 120 levels (7 % either way, far below the error of any such reading).
    Measured(Level),
    Context(LightContext),
    /// Light without a level: what is usual at that hour.
    Usual,
    Meal(MealKind),
    /// Seen asleep, nothing known of start and end.
    SeenAsleep,
}

/// The tag is the low byte of a word. Of two reports of one kind for one minute the larger tag stays: the brighter light.
const CONTEXTS: [LightContext; 5] =
    [LightContext::Dark, LightContext::Dim, LightContext::Aircraft, LightContext::Indoor, LightContext::Outdoor];
const FIRST_CONTEXT: u8 = LEVELS;
const USUAL: u8 = FIRST_CONTEXT + CONTEXTS.len() as u8;
const MEALS: [MealKind; 6] =
    [MealKind::Unknown, MealKind::Snack, MealKind::Meal, MealKind::Solid, MealKind::Breast, MealKind::Bottle];
const FIRST_MEAL: u8 = USUAL + 1;
const SEEN_ASLEEP: u8 = FIRST_MEAL + MEALS.len() as u8;

impl Report {
    fn tag(self) -> u8 {
        match self {
            Report::Measured(level) => level.to_number(),
            Report::Context(context) => FIRST_CONTEXT + place_of(&CONTEXTS, &context),
            Report::Usual => USUAL,
            Report::Meal(kind) => FIRST_MEAL + place_of(&MEALS, &kind),
            Report::SeenAsleep => SEEN_ASLEEP,
        }
    }

    fn of_tag(tag: u8) -> Report {
        match tag {
            0..FIRST_CONTEXT => Report::Measured(Level::from_number(tag)),
            FIRST_CONTEXT..USUAL => Report::Context(CONTEXTS[usize::from(tag - FIRST_CONTEXT)]),
            USUAL => Report::Usual,
            FIRST_MEAL..SEEN_ASLEEP => Report::Meal(MEALS[usize::from(tag - FIRST_MEAL)]),
            // Nothing writes a larger one.
            SEEN_ASLEEP.. => Report::SeenAsleep,
        }
    }

    /// Reports of the same class exclude one another within a minute.
    fn class(tag: u8) -> u8 {
        match tag {
            0..FIRST_CONTEXT => 0,
            FIRST_CONTEXT..USUAL => 1,
            USUAL => 2,
            FIRST_MEAL..SEEN_ASLEEP => 3,
            SEEN_ASLEEP.. => 4,
        }
    }
}

fn place_of<T: PartialEq>(list: &[T], item: &T) -> u8 {
    list.iter().position(|one| one == item).map_or(0, |place| place as u8)
}

/// What a reversible note did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing: it was known.
    Known,
    Added {
        word: u32,
    },
    Replaced {
        word: u32,
        tag_before: u8,
    },
}

impl Reading {
    const REPLACED: u64 = 1 << 40;
    const ADDED: u64 = 1 << 41;

    /// In the low 48 bits.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        match self {
            Reading::Known => 0,
            Reading::Added { word } => Self::ADDED | u64::from(word),
            Reading::Replaced { word, tag_before } => Self::REPLACED | u64::from(tag_before) << 32 | u64::from(word),
        }
    }

    #[must_use]
    pub fn from_bits(bits: u64) -> Reading {
        let word = (bits & u64::from(u32::MAX)) as u32;
        if bits & Self::ADDED != 0 {
            Reading::Added { word }
        } else if bits & Self::REPLACED != 0 {
            Reading::Replaced { word, tag_before: (bits >> 32 & 0xff) as u8 }
        } else {
            Reading::Known
        }
    }
}

/// How far before the first fact the count of minutes begins: a later one may be older, but not by more than the window.
const BEFORE_FIRST: Span = Span::days(4);

/// Minutes that a word can count: 31 years.
const MOST_MINUTES: i64 = 1 << 24;

const MINUTE: Span = Span::minutes(1);

/// The reports of the window and a little more, sorted by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Minutes from 1970 to the minute that words count from.
    origin: i32,
    words: Words,
}

impl Facts {
    /// Takes in what was reported for the minute of `at`; whether it was news.
    pub fn note(&mut self, at: UtcMillis, report: Report) -> bool {
        let Some(minute) = self.minute_of(at) else { return false };
        let tag = report.tag();
        let word = minute << 8 | u32::from(tag);
        let words = self.words.as_mut_slice();
        let place = match words.last() {
            Some(last) if *last >= word => words.partition_point(|other| *other < word),
            _ => words.len(),
        };
        let same_slot = |other: u32| other >> 8 == minute && Report::class((other & 0xff) as u8) == Report::class(tag);
        if words.get(place).is_some_and(|next| same_slot(*next)) {
            return false;
        }
        match place.checked_sub(1).and_then(|before| words.get_mut(before)) {
            Some(before) if same_slot(*before) => *before = word,
            _ => self.words.insert(place, word),
        }
        true
    }

    /// As [`Facts::note`], and how to take it back. `None`, and nothing changed, where more than one word would change: for
    /// the first fact, which also decides where minutes count from.
    pub fn note_reversibly(&mut self, at: UtcMillis, report: Report) -> Option<Reading> {
        let minute = u32::try_from(at.0.div_euclid(MINUTE.0) - i64::from(self.origin)).ok()?;
        if self.is_empty() || i64::from(minute) >= MOST_MINUTES {
            return None;
        }
        let tag = report.tag();
        let word = minute << 8 | u32::from(tag);
        let words = self.words.as_slice();
        let place = words.partition_point(|other| *other < word);
        let before = place.checked_sub(1).and_then(|before| words.get(before)).copied();
        let length = words.len();
        if !self.note(at, report) {
            return Some(Reading::Known);
        }
        if self.words.as_slice().len() > length {
            return Some(Reading::Added { word });
        }
        // A dimmer reading of the same minute gave way.
        before.map(|before| Reading::Replaced { word, tag_before: (before & 0xff) as u8 })
    }

    /// Takes back the latest change.
    pub fn take_back(&mut self, reading: Reading) {
        match reading {
            Reading::Known => {}
            Reading::Added { word } => {
                if let Ok(place) = self.words.as_slice().binary_search(&word) {
                    self.words.remove(place);
                }
            }
            Reading::Replaced { word, tag_before } => {
                if let Ok(place) = self.words.as_slice().binary_search(&word) {
                    self.words.as_mut_slice()[place] = word & !0xff | u32::from(tag_before);
                }
            }
        }
    }

    /// Takes in what was reported for a while: for every quarter hour of which it covers at least half, or the one that
    /// it covers most; whether any of it was news.
    pub fn note_span(&mut self, start: UtcMillis, end: UtcMillis, report: Report) -> bool {
        let mut news = false;
        let first = start.round_to(BIN);
        let last = end.round_to(BIN);
        if first >= last {
            return self.note((start + Span((end - start).0 / 2)).floor_to(BIN), report);
        }
        let mut bin = first;
        while bin < last {
            news |= self.note(bin, report);
            bin += BIN;
        }
        news
    }

    fn minute_of(&mut self, at: UtcMillis) -> Option<u32> {
        let minute = at.0.div_euclid(MINUTE.0);
        if self.is_empty() {
            self.origin = i32::try_from(minute - BEFORE_FIRST.0 / MINUTE.0).ok()?;
        }
        let since_origin = minute - i64::from(self.origin);
        if since_origin >= MOST_MINUTES {
            // Silent for 31 years; nothing of that is in any window.
            self.words = Words::default();
            return self.minute_of(at);
        }
        u32::try_from(since_origin).ok()
    }

    fn time_of(&self, word: u32) -> UtcMillis {
        UtcMillis((i64::from(self.origin) + i64::from(word >> 8)) * MINUTE.0)
    }

    /// The reports from `from` on, in order of time.
    pub fn since(&self, from: UtcMillis) -> impl Iterator<Item = (UtcMillis, Report)> + '_ {
        let words = self.words.as_slice();
        let first = words.partition_point(|word| self.time_of(*word) < from);
        words[first..].iter().map(|word| (self.time_of(*word), Report::of_tag((*word & 0xff) as u8)))
    }

    #[must_use]
    pub fn oldest(&self) -> Option<UtcMillis> {
        self.words.as_slice().first().map(|word| self.time_of(*word))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.words.as_slice().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.as_slice().is_empty()
    }

    pub fn forget_before(&mut self, time: UtcMillis) {
        let forgotten = self.words.as_slice().partition_point(|word| self.time_of(*word) < time);
        self.words.remove_first(forgotten);
    }

    /// Reads where the list is, to bring that into the cache. The result means nothing.
    #[must_use]
    pub fn glance(&self) -> u64 {
        self.len() as u64 ^ u64::from(self.origin.unsigned_abs())
    }

    /// The same for the list's end, where most of what comes is put.
    #[must_use]
    pub fn glance_deeper(&self) -> u64 {
        self.words.as_slice().last().copied().map_or(0, u64::from)
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.words.heap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Lux;

    const NOON: UtcMillis = UtcMillis(1_772_366_400_000);

    fn reports(facts: &Facts) -> Vec<(UtcMillis, Report)> {
        facts.since(UtcMillis::MIN).collect()
    }

    #[test]
    fn every_report_comes_back_as_it_was_told() {
        let all = [Report::Usual, Report::SeenAsleep, Report::Measured(Level::of(Lux(300.0)))];
        let contexts = CONTEXTS.map(Report::Context);
        let meals = MEALS.map(Report::Meal);
        for report in all.into_iter().chain(contexts).chain(meals) {
            let mut facts = Facts::default();
            assert!(facts.note(NOON, report));
            assert_eq!(reports(&facts), [(NOON, report)]);
        }
    }

    #[test]
    fn of_two_readings_of_one_minute_the_brighter_stays() {
        let (dim, bright) = (Report::Measured(Level::of(Lux(10.0))), Report::Measured(Level::of(Lux(500.0))));
        for order in [[dim, bright], [bright, dim]] {
            let mut facts = Facts::default();
            facts.note(NOON, order[0]);
            facts.note(NOON, order[1]);
            assert_eq!(reports(&facts), [(NOON, bright)]);
        }
    }

    #[test]
    fn a_span_covers_the_quarter_hours_of_which_it_has_half() {
        let mut facts = Facts::default();
        facts.note_span(NOON + Span::minutes(5), NOON + Span::minutes(50), Report::Usual);
        let minutes: Vec<i64> = reports(&facts).iter().map(|(at, _)| (*at - NOON).as_minutes()).collect();
        assert_eq!(minutes, [0, 15, 30]);

        let mut short = Facts::default();
        short.note_span(NOON + Span::minutes(13), NOON + Span::minutes(14), Report::Usual);
        assert_eq!(reports(&short), [(NOON, Report::Usual)]);
    }

    #[test]
    fn an_hour_of_light_readings_costs_four_to_six_bytes_each() {
        let mut facts = Facts::default();
        for minute in 0..60 {
            facts.note(NOON + Span::minutes(minute), Report::Usual);
        }
        assert!((60 * 4..=60 * 6).contains(&facts.heap_bytes()), "{}", facts.heap_bytes());
    }

    fn any_report() -> impl Strategy<Value = Report> {
        prop_oneof![
            (0.0..100_000.0f64).prop_map(|lux| Report::Measured(Level::of(Lux(lux)))),
            (0usize..5).prop_map(|index| Report::Context(CONTEXTS[index])),
            (0usize..6).prop_map(|index| Report::Meal(MEALS[index])),
            Just(Report::Usual),
            Just(Report::SeenAsleep),
        ]
    }

    proptest! {
        #[test]
        fn what_was_noted_reversibly_can_be_taken_back(
            told in proptest::collection::vec((0i64..200, any_report()), 2..40),
        ) {
            let mut facts = Facts::default();
            facts.note(NOON + Span::minutes(told[0].0), told[0].1);
            let before = facts.clone();
            let mut plain = facts.clone();
            let mut done = Vec::new();
            for (minute, report) in &told[1..] {
                let at = NOON + Span::minutes(*minute);
                done.push(facts.note_reversibly(at, *report).expect("not the first fact"));
                plain.note(at, *report);
            }
            prop_assert_eq!(reports(&facts), reports(&plain));
            for reading in done.iter().rev() {
                facts.take_back(Reading::from_bits(reading.to_bits()));
            }
            prop_assert_eq!(reports(&facts), reports(&before));
        }

        #[test]
        fn neither_order_nor_repetition_makes_a_difference(
            told in proptest::collection::vec((0i64..2 * 86_400_000, any_report()), 1..60),
            order in any::<u64>(),
        ) {
            let mut once = Facts::default();
            for (after, report) in &told {
                once.note(NOON + Span(*after), *report);
            }
            let mut shuffled = told.clone();
            shuffled.extend_from_slice(&told[..told.len() / 2]);
            let length = shuffled.len() as u64;
            shuffled.sort_by_key(|(after, _)| (*after as u64).wrapping_mul(order | 1) % (length + 7));
            let mut again = Facts::default();
            for (after, report) in &shuffled {
                again.note(NOON + Span(*after), *report);
            }
            prop_assert_eq!(reports(&once), reports(&again));
        }
    }
}
