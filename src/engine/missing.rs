//! What partitions lack when they are taken over, and how all of them are told at once: what it is, what it costs, what to do.
//!
//! Knows topics and numbers of records; found out in [`super::worker`].

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::record::Topic;

/// What does not fit together: the input, the group's offset, the stored states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The input ends before the states: no flag helps.
    Emptied,
    /// The input is another than the one whose records the states have seen: no flag helps.
    Remade,
    /// The input begins after the states.
    Deleted,
    /// The input does not begin at its beginning, and no states are stored.
    Unstored,
    /// The group's offset lies before what the states have seen.
    SetBack,
    /// No worker has committed the group's offset, which lies beyond what the states have seen.
    SetForward,
    /// The group has no offset.
    Expired,
}

/// Of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub kind: Kind,
    /// Records (control records count) between what is there and what should be.
    pub records: i64,
    /// The offset up to which states were stored; 0 where there are none.
    pub stored: i64,
}

impl Missing {
    /// It is possible to go on without.
    #[must_use]
    pub fn is_acceptable(self) -> bool {
        !matches!(self.kind, Kind::Emptied | Kind::Remade)
    }

    /// Records whose effects never come.
    #[must_use]
    pub fn lost(self) -> u64 {
        match self.kind {
            Kind::Deleted | Kind::Unstored | Kind::SetForward => self.records.unsigned_abs(),
            Kind::Emptied | Kind::Remade | Kind::SetBack | Kind::Expired => 0,
        }
    }
}

/// What is missing in an installation's partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account(BTreeMap<(Topic, Kind), BTreeMap<i32, Missing>>);

impl Account {
    pub fn add(&mut self, topic: Topic, partition: i32, missing: Missing) {
        self.0.entry((topic, missing.kind)).or_default().insert(partition, missing);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a start is refused: a paragraph for each topic and kind.
    #[must_use]
    pub fn refusal(&self, prefix: &str) -> String {
        let say = |paragraph: &Paragraph| {
            let accept = paragraph.accepting();
            let separator = if accept.is_empty() { "" } else { "; " };
            format!("{}. {}{separator}{accept}", paragraph.what(), paragraph.remedy())
        };
        self.paragraphs(prefix).iter().map(say).collect::<Vec<_>>().join("\n  ")
    }

    /// What is gone on without: a sentence for each topic and kind.
    #[must_use]
    pub fn accepted(&self, prefix: &str) -> Vec<String> {
        self.paragraphs(prefix).iter().map(Paragraph::what).collect()
    }

    fn paragraphs(&self, prefix: &str) -> Vec<Paragraph> {
        let paragraph = |((topic, kind), partitions): (&(Topic, Kind), &BTreeMap<i32, Missing>)| Paragraph {
            kind: *kind,
            places: format!("{prefix}{} {}", topic.as_str(), list(partitions.keys().copied())),
            group: format!("{prefix}zoner-{}", topic.processor()),
            states: format!("{prefix}zoner.state.{}", topic.processor()),
            records: partitions.values().map(|missing| missing.records).sum(),
            stored: partitions.iter().map(|(partition, missing)| format!("{partition}:{}", missing.stored)).collect(),
        };
        self.0.iter().map(paragraph).collect()
    }
}

struct Paragraph {
    kind: Kind,
    /// Topic and partitions.
    places: String,
    group: String,
    states: String,
    /// In all of them.
    records: i64,
    /// Where the states of each stand.
    stored: Vec<String>,
}

impl Paragraph {
    fn what(&self) -> String {
        let Paragraph { places, group, records, .. } = self;
        match self.kind {
            Kind::Emptied => format!(
                "{places}: the stored states have seen {records} records more than there are: the topic was emptied or \
                 made anew"
            ),
            Kind::Remade => format!(
                "{places}: the topic was deleted and made anew since these states were stored: its records are others than \
                 they have seen, and its offsets mean nothing to them"
            ),
            Kind::Deleted => format!(
                "{places}: {records} records were deleted before their effects were stored, and what they did is lost"
            ),
            Kind::Unstored => format!(
                "{places}: the log no longer begins at its beginning, no states are stored, and group {group} has been there: \
                 what the first {records} records did is lost"
            ),
            Kind::SetBack => format!(
                "{places}: the offsets of group {group} were set back, to {records} records in all before what the stored states \
                 have seen. Nothing is lost, and no record can be processed twice"
            ),
            Kind::SetForward => format!(
                "{places}: the offsets of group {group} were set by hand, to {records} records in all beyond what the stored states \
                 have seen. The states learn from these records, but what they recommend, forward or refuse is not written"
            ),
            Kind::Expired => format!(
                "{places}: states are stored, but group {group} has no offsets: they expired (offsets.retention.minutes) or \
                 were deleted"
            ),
        }
    }

    fn remedy(&self) -> String {
        let Paragraph { group, states, stored, .. } = self;
        match self.kind {
            Kind::Emptied | Kind::Remade => {
                format!("Delete {states} and the offsets of group {group} as well to begin from nothing")
            }
            Kind::Deleted | Kind::Unstored => "Lengthen the topic's retention".to_owned(),
            Kind::SetBack => "Use another prefix to process records again".to_owned(),
            Kind::SetForward => format!("Set them back ({}) to have it written", stored.join(", ")),
            Kind::Expired => "Lengthen that time".to_owned(),
        }
    }

    fn accepting(&self) -> &'static str {
        match self.kind {
            Kind::Emptied | Kind::Remade => "",
            Kind::Deleted | Kind::Unstored | Kind::SetForward => "--accept-gap goes on without",
            Kind::SetBack => "--accept-gap goes on where the states are",
            Kind::Expired => {
                "--accept-gap goes on where the states are, and what was recommended since they were stored is said again"
            }
        }
    }
}

/// Numbers in ascending order, runs of three and more as one: `0, 3–7, 12`.
fn list(numbers: impl Iterator<Item = i32>) -> String {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let mut text = String::new();
    for (first, last) in runs {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = match last - first {
            0 => write!(text, "{separator}{first}"),
            1 => write!(text, "{separator}{first}, {last}"),
            _ => write!(text, "{separator}{first}–{last}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_listed_with_their_runs() {
        let listed = |numbers: &[i32]| list(numbers.iter().copied());
        assert_eq!(listed(&[0, 3, 4, 5, 6, 7, 12]), "0, 3–7, 12");
        assert_eq!(listed(&[0, 1, 5, 6]), "0, 1, 5, 6");
        assert_eq!(listed(&[0, 1, 2]), "0–2");
        assert_eq!(listed(&[]), "");
    }

    #[test]
    fn a_refusal_names_every_partition_of_every_topic_once_for_each_kind() {
        let mut account = Account::default();
        for partition in [1, 2, 3, 7] {
            account.add(Topic::UserActivity, partition, Missing { kind: Kind::Deleted, records: 10, stored: 2 });
        }
        account.add(Topic::FlightStatus, 0, Missing { kind: Kind::SetBack, records: 5, stored: 7 });
        account.add(Topic::FlightStatus, 0, Missing { kind: Kind::SetBack, records: 5, stored: 7 });
        let said = account.refusal("test.");
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(said.contains("test.user_activity 1–3, 7: 40 records were deleted"), "{said}");
        assert!(said.contains("test.flight_status 0: the offsets of group test.zoner-flights"), "{said}");
        assert_eq!(said.matches("--accept-gap").count(), 2, "{said}");
    }

    #[test]
    fn what_no_flag_helps_against_is_not_offered_one() {
        let mut account = Account::default();
        for kind in [Kind::Emptied, Kind::Remade] {
            let missing = Missing { kind, records: 3, stored: 9 };
            account.add(Topic::UserActivity, 0, missing);
            assert!(!missing.is_acceptable());
        }
        let said = account.refusal("");
        assert!(said.lines().count() == 2 && !said.contains("--accept-gap"), "{said}");
    }
}
