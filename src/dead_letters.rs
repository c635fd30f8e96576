//! The records of `zoner.dead_letters`: what each says, and which of them go back to where they came from.
//!
//! The topic holds *letters*, records that could not be used, and *receipts*: a record without a key or value whose
//! headers say which letters of its partition were written back, put there by the transaction that did. A receipt lives
//! at least as long as the letters it speaks of, whatever filters the runs had; a group's offset would do neither.
//!
//! Knows no Kafka, and no clock.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::placement::Placement;
use crate::engine::record::{FORWARDED_HEADER, Received, Topic};
use crate::event::line::Headers;
use crate::units::UtcMillis;

/// Header of a record that was written back: topic, partition and offset of its letter, separated by slashes.
pub const REDRIVEN_HEADER: &str = "zoner.redriven";

/// Header of a receipt: offsets in its own partition, separated by commas.
pub const RECEIPT_HEADER: &str = "zoner.receipt";

/// A record of the topic, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    Letter(Letter<'a>),
    /// These letters of this partition were written back.
    Receipt(Vec<i64>),
    /// Nothing that Zoner wrote.
    Foreign,
}

/// A record that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter<'a> {
    pub record: &'a Received,
    /// Its headers as they were received, before ours were put behind them.
    pub headers: &'a [(String, Option<Vec<u8>>)],
    pub code: &'a str,
    pub message: &'a str,
    pub stage: &'a str,
    /// The topic that it came from, as written: with the installation's prefix, but for letters of the first versions.
    pub topic: &'a str,
    /// Which input of the installation that is; `None`: none.
    pub role: Option<Topic>,
    pub partition: i32,
    pub offset: i64,
    /// The record's own stamp; the letter's, where it was written before letters said it.
    pub timestamp: UtcMillis,
    /// Only its first part was kept.
    pub is_cut: bool,
    /// The letter from which it was written back, to be refused again.
    pub redriven_from: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// `prefix`: that of the installation's topics.
    #[must_use]
    pub fn of(record: &'a Received, prefix: &str) -> Entry<'a> {
        if let Some(offsets) = text(record, RECEIPT_HEADER) {
            return offsets_of(offsets).map_or(Entry::Foreign, Entry::Receipt);
        }
        Letter::of(record, prefix).map_or(Entry::Foreign, Entry::Letter)
    }
}

fn offsets_of(receipt: &str) -> Option<Vec<i64>> {
    receipt.split(',').map(|offset| offset.parse().ok()).collect()
}

/// The input of that name, with or without the prefix.
fn role_of(topic: &str, prefix: &str) -> Option<Topic> {
    let name = topic.strip_prefix(prefix).unwrap_or(topic);
    [Topic::UserActivity, Topic::FlightStatus].into_iter().find(|role| role.as_str() == name)
}

fn text<'a>(record: &'a Received, name: &str) -> Option<&'a str> {
    std::str::from_utf8(record.header(name)?).ok()
}

impl<'a> Letter<'a> {
    fn of(record: &'a Received, prefix: &str) -> Option<Letter<'a>> {
        // Ours are the last; a producer may have had headers of these names too.
        let ours = record.headers.iter().rposition(|(name, _)| name == "error.code")?;
        let headers = &record.headers[..ours];
        let redriven = headers.iter().rev().find(|(name, _)| name == REDRIVEN_HEADER);
        let topic = text(record, "error.topic")?;
        let timestamp = text(record, "error.timestamp").and_then(crate::event::decode::time::rfc3339);
        Some(Letter {
            record,
            headers,
            code: text(record, "error.code")?,
            message: text(record, "error.message")?,
            stage: text(record, "error.stage").unwrap_or_default(),
            topic,
            role: role_of(topic, prefix),
            partition: text(record, "error.partition")?.parse().ok()?,
            offset: text(record, "error.offset")?.parse().ok()?,
            timestamp: timestamp.unwrap_or(record.stamp),
            is_cut: record.headers[ours..].iter().any(|(name, _)| name == "error.value_bytes"),
            redriven_from: redriven
                .map(|(_, from)| from.as_deref().and_then(|from| std::str::from_utf8(from).ok()).unwrap_or("unknown")),
        })
    }
}

/// Which letters are wanted; empty: all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub codes: Vec<String>,
    /// Without the prefix.
    pub topic: Option<String>,
    pub key: Option<String>,
}

impl Filter {
    #[must_use]
    pub fn takes(&self, letter: &Letter<'_>) -> bool {
        (self.codes.is_empty() || self.codes.iter().any(|code| code == letter.code))
            && self.topic.as_deref().is_none_or(|topic| letter.role.is_some_and(|role| role.as_str() == topic))
            && self.key.as_deref().is_none_or(|key| letter.record.key.as_deref() == Some(key.as_bytes()))
    }
}

/// The letters that were written back, by partition.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    offsets: BTreeMap<i32, BTreeSet<i64>>,
}

impl Receipts {
    /// Remembers what a receipt says; anything else is passed over.
    pub fn note(&mut self, record: &Received) {
        if let Some(offsets) = text(record, RECEIPT_HEADER).and_then(offsets_of) {
            self.offsets.entry(record.partition).or_default().extend(offsets);
        }
    }

    #[must_use]
    pub fn has(&self, letter: &Received) -> bool {
        self.offsets.get(&letter.partition).is_some_and(|offsets| offsets.contains(&letter.offset))
    }
}

/// The header of a receipt for letters of one partition.
#[must_use]
pub fn receipt(offsets: &[i64]) -> Headers {
    let offsets: Vec<String> = offsets.iter().map(i64::to_string).collect();
    vec![(RECEIPT_HEADER.to_owned(), Some(offsets.join(",").into_bytes()))]
}

/// Why a letter stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stays {
    WrittenBack,
    RefusedAgain,
    Cut,
    NoValue,
    UnknownTopic,
}

impl Stays {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Stays::WrittenBack => "written back before",
            Stays::RefusedAgain => "written back once and refused again (--again writes it back once more)",
            Stays::Cut => "too large: only its beginning was kept",
            Stays::NoValue => "without a value",
            Stays::UnknownTopic => "from a topic that is no input of this installation",
        }
    }
}

/// Where a letter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    pub topic: Topic,
    /// Of the record as it was refused: a record without a key goes back there.
    came_from: i32,
}

/// Whether a letter may be written back, and to which topic.
///
/// # Errors
/// Why not.
pub fn destination(letter: &Letter<'_>, receipts: &Receipts, again: bool) -> Result<Destination, Stays> {
    if receipts.has(letter.record) {
        return Err(Stays::WrittenBack);
    }
    if letter.redriven_from.is_some() && !again {
        return Err(Stays::RefusedAgain);
    }
    if letter.is_cut {
        return Err(Stays::Cut);
    }
    if letter.record.value.is_none() {
        return Err(Stays::NoValue);
    }
    let topic = letter.role.ok_or(Stays::UnknownTopic)?;
    Ok(Destination { topic, came_from: letter.partition })
}

impl Destination {
    /// The partition among so many (> 0).
    #[must_use]
    pub fn partition(&self, key: Option<&[u8]>, placement: Placement, partitions: i32) -> i32 {
        match key {
            Some(key) => placement.partition(key, partitions),
            None => self.came_from.rem_euclid(partitions),
        }
    }
}

/// The headers of a record that is written back: as received, its mark, and where it first stood, so that it is judged
/// by its own time: an erasure or a profile that came after it still comes after it.
#[must_use]
pub fn redriven_headers(letter: &Letter<'_>, letters_topic: &str) -> Headers {
    let own = |name: &str| name != REDRIVEN_HEADER;
    let mut headers: Headers = letter.headers.iter().filter(|(name, _)| own(name)).cloned().collect();
    let record = letter.record;
    let mark = format!("{letters_topic}/{}/{}", record.partition, record.offset);
    headers.push((REDRIVEN_HEADER.to_owned(), Some(mark.into_bytes())));
    // A record without a key is yet to be forwarded to the household that it names, which happens once.
    if record.key.is_some() && !letter.headers.iter().any(|(name, _)| name == FORWARDED_HEADER) {
        let topic = letter.role.map_or(letter.topic, |role| role.as_str());
        let origin = format!("{topic}/{}/{}/{}", letter.partition, letter.offset, letter.timestamp.0);
        headers.push((FORWARDED_HEADER.to_owned(), Some(origin.into_bytes())));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::record::{Origin, Position, Record};
    use crate::event::dead_letter::DeadLetterError;
    use crate::event::rejection::{Code, Rejection};

    const PREFIX: &str = "test.";

    /// A letter as the engine writes it.
    fn letter(headers: &[(&str, &str)], value: Option<&[u8]>) -> Received {
        let position = Position { topic: Topic::UserActivity, partition: 2, offset: 40 };
        let stamp = UtcMillis(1_796_385_600_123);
        let record = Record { position, stamp, key: Some(b"h1"), value, origin: None };
        let error = DeadLetterError::new(&record, &Rejection::decode(Code::UnknownZone, "`zone` must be known"));
        let error = error.in_topic("test.user_activity");
        let received = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        let ours = error.headers().into_iter().map(|(name, value)| (name.to_owned(), value));
        Received {
            partition: 0,
            offset: 7,
            stamp: UtcMillis(1_796_385_700_000),
            key: Some(b"h1".to_vec()),
            value: value.map(<[u8]>::to_vec),
            headers: received.chain(ours).map(|(name, value)| (name, Some(value.into_bytes()))).collect(),
        }
    }

    fn read(record: &Received) -> Letter<'_> {
        match Entry::of(record, PREFIX) {
            Entry::Letter(letter) => letter,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_letter_says_what_the_engine_wrote_even_where_a_producer_uses_the_same_header_names() {
        let record = letter(&[("error.code", "mine"), ("trace", "abc")], Some(b"{}"));
        let letter = read(&record);
        assert_eq!(
            (letter.code, letter.topic, letter.partition, letter.offset),
            ("unknown_zone", "test.user_activity", 2, 40)
        );
        assert_eq!(letter.timestamp, UtcMillis(1_796_385_600_123));
        assert_eq!(letter.headers, &record.headers[..2]);
    }

    #[test]
    fn a_record_that_is_written_back_is_as_received_marked_and_judged_by_its_own_time() {
        let record = letter(&[("trace", "abc")], Some(b"{}"));
        let headers = redriven_headers(&read(&record), "zoner.dead_letters");
        let texts: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_deref().unwrap_or_default()).unwrap()))
            .collect();
        assert_eq!(texts[..2], [("trace", "abc"), ("zoner.redriven", "zoner.dead_letters/0/7")]);
        let origin = Origin { partition: 2, offset: 40, stamp: UtcMillis(1_796_385_600_123) };
        assert_eq!((texts[2].0, Origin::parse(texts[2].1.as_bytes())), (FORWARDED_HEADER, Some(origin)));
        assert_eq!(texts.len(), 3);
    }

    #[test]
    fn a_letter_that_a_receipt_names_stays() {
        let record = letter(&[], Some(b"{}"));
        let mut receipts = Receipts::default();
        assert!(destination(&read(&record), &receipts, false).is_ok());
        let receipt_for = |partition, offsets: &[i64]| Received {
            headers: receipt(offsets),
            key: None,
            value: None,
            partition,
            ..record.clone()
        };
        receipts.note(&receipt_for(1, &[7]));
        receipts.note(&receipt_for(0, &[5, 6]));
        assert!(destination(&read(&record), &receipts, false).is_ok(), "others were written back");
        receipts.note(&receipt_for(0, &[3, 7]));
        assert_eq!(destination(&read(&record), &receipts, true), Err(Stays::WrittenBack));
    }

    #[test]
    fn a_record_that_is_refused_again_stays_unless_it_is_asked_for() {
        let first = letter(&[], Some(b"{}"));
        let marked = redriven_headers(&read(&first), "zoner.dead_letters");
        let again: Vec<(&str, &str)> = marked
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value.as_deref().unwrap_or_default()).unwrap()))
            .collect();
        let second = letter(&again, Some(b"{}"));
        assert_eq!(destination(&read(&second), &Receipts::default(), false), Err(Stays::RefusedAgain));
        assert!(destination(&read(&second), &Receipts::default(), true).is_ok());
        // Its first place and one mark stay, however often it goes round.
        let third = redriven_headers(&read(&second), "zoner.dead_letters");
        assert_eq!(third.len(), 2);
        assert_eq!(third.iter().find(|(name, _)| name == FORWARDED_HEADER), marked.last());
    }

    #[test]
    fn a_letter_goes_back_by_the_whole_name_of_its_topic_and_by_the_short_one_of_first_versions() {
        let from = |topic: &str, prefix: &str| {
            let mut record = letter(&[], Some(b"{}"));
            let named = record.headers.iter_mut().find(|(name, _)| name == "error.topic").expect("a topic");
            named.1 = Some(topic.as_bytes().to_vec());
            let Entry::Letter(letter) = Entry::of(&record, prefix) else { panic!("{topic} of {prefix:?}") };
            let filter = Filter { topic: Some("flight_status".to_owned()), ..Filter::default() };
            assert_eq!(filter.takes(&letter), letter.role == Some(Topic::FlightStatus), "{topic} of {prefix:?}");
            destination(&letter, &Receipts::default(), false).map(|destination| destination.topic)
        };
        assert_eq!(from("test.flight_status", "test."), Ok(Topic::FlightStatus));
        assert_eq!(from("flight_status", "test."), Ok(Topic::FlightStatus));
        assert_eq!(from("user_activity", ""), Ok(Topic::UserActivity));
        for (topic, prefix) in [("other.user_activity", "test."), ("test.user_activity", ""), ("test.test.x", "test.")]
        {
            assert_eq!(from(topic, prefix), Err(Stays::UnknownTopic), "{topic} of {prefix:?}");
        }
    }

    #[test]
    fn what_was_not_kept_whole_stays() {
        let cut = letter(&[], Some(&vec![b'x'; 70_000]));
        assert_eq!(destination(&read(&cut), &Receipts::default(), false), Err(Stays::Cut));
        let empty = letter(&[], None);
        assert_eq!(destination(&read(&empty), &Receipts::default(), false), Err(Stays::NoValue));
    }

    #[test]
    fn a_record_without_a_key_goes_back_to_its_partition_and_is_not_called_forwarded() {
        let mut record = letter(&[], Some(b"{}"));
        record.key = None;
        let letter = read(&record);
        let destination = destination(&letter, &Receipts::default(), false).unwrap();
        assert_eq!(destination.partition(None, Placement::Murmur2, 16), 2);
        assert_eq!(destination.partition(None, Placement::Murmur2, 2), 0);
        assert!(redriven_headers(&letter, "t").iter().all(|(name, _)| name != FORWARDED_HEADER));
    }

    #[test]
    fn a_filter_wants_everything_it_names() {
        let record = letter(&[], Some(b"{}"));
        let filter = |codes: &[&str], topic: Option<&str>, key: Option<&str>| Filter {
            codes: codes.iter().map(ToString::to_string).collect(),
            topic: topic.map(str::to_owned),
            key: key.map(str::to_owned),
        };
        assert!(Filter::default().takes(&read(&record)));
        assert!(filter(&["bad_field", "unknown_zone"], Some("user_activity"), Some("h1")).takes(&read(&record)));
        assert!(!filter(&["bad_field"], None, None).takes(&read(&record)));
        assert!(!filter(&[], Some("flight_status"), None).takes(&read(&record)));
        assert!(!filter(&[], None, Some("h2")).takes(&read(&record)));
    }

    #[test]
    fn what_others_write_into_the_topic_is_no_letter() {
        let mut record = letter(&[], Some(b"{}"));
        record.headers.clear();
        assert_eq!(Entry::of(&record, PREFIX), Entry::Foreign);
        record.headers.push((RECEIPT_HEADER.to_owned(), Some(b"1,x".to_vec())));
        assert_eq!(Entry::of(&record, PREFIX), Entry::Foreign);
    }
}
