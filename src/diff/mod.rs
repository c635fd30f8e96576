//! Where two collections of recommendations differ, traveller by traveller.
//!
//! Two passes, so that millions of lines need no memory of their own. The first adds up, for each traveller, digests of
//! what either side says, in any order. The second keeps only what is said to travellers whose sums differ, until both
//! sides have said all they have to say to that traveller.
//!
//! Knows recommendations and estimates as JSON, as versions other than this one may write them; knows nothing of files
//! or Kafka.

mod compare;
mod said;

use std::collections::BTreeMap;

pub use compare::{Difference, Field};
pub use said::{NotSaid, Said, Traveller};

/// Which of the two collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    A,
    B,
}

/// What was said to one traveller, added up: 40 bytes a side, however much it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    digests: u128,
}

/// The first pass.
#[derive(Debug, Default)]
pub struct Tally {
    sums: BTreeMap<Traveller, [Sum; 2]>,
}

impl Tally {
    pub fn add(&mut self, side: Side, said: &Said) {
        let sum = &mut self.sums.entry(said.traveller.clone()).or_default()[side as usize];
        sum.count += 1;
        // Addition does not mind the order, and what is said twice counts twice.
        sum.digests = sum.digests.wrapping_add(said.digest);
    }

    /// Travellers of both sides together.
    #[must_use]
    pub fn travellers(&self) -> u64 {
        self.sums.len() as u64
    }

    /// The second pass: what it will hear of whom. Everybody to whom both sides say the same is forgotten.
    #[must_use]
    pub fn second_pass(self) -> SecondPass {
        let open: BTreeMap<Traveller, Open> = self
            .sums
            .into_iter()
            .filter(|(_, [a, b])| a != b)
            .map(|(traveller, sums)| (traveller, Open { left: sums.map(|sum| sum.count), said: Default::default() }))
            .collect();
        SecondPass { open }
    }
}

/// Hears everything a second time, and tells the differences of each traveller as soon as they are complete.
#[derive(Debug)]
pub struct SecondPass {
    open: BTreeMap<Traveller, Open>,
}

#[derive(Debug)]
struct Open {
    /// Still to come.
    left: [u64; 2],
    /// What the other side has not said too.
    said: [Vec<Said>; 2],
}

impl SecondPass {
    /// Nobody is told anything else.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    /// Hears one more. Returns what differs for this traveller, if this was the last that concerns them.
    pub fn hear(&mut self, side: Side, said: Said) -> Option<(Traveller, Vec<Difference>)> {
        let traveller = said.traveller.clone();
        let open = self.open.get_mut(&traveller)?;
        let (own, other) = match side {
            Side::A => (0, 1),
            Side::B => (1, 0),
        };
        open.left[own] = open.left[own].saturating_sub(1);
        match open.said[other].iter().position(|there| there.digest == said.digest) {
            Some(same) => {
                open.said[other].remove(same);
            }
            None => open.said[own].push(said),
        }
        if open.left != [0, 0] {
            return None;
        }
        let Open { said: [a, b], .. } = self.open.remove(&traveller)?;
        Some((traveller, compare::differences(a, b)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn recommendation(user: &str, offset: u64, headline: &str) -> Value {
        json!({
            "schema": 1, "recommendation_id": format!("id-{user}-{offset}"), "user_id": user, "household_id": "h1",
            "reason": "nap_missed", "issued_at": "2026-12-04T13:00:00Z",
            "cause": {"topic": "user_activity", "partition": 3, "offset": offset, "activity": "timer", "kind": "nap",
                      "at": format!("2026-12-04T13:00:{offset:02}Z")},
            "headline": headline,
            "actions": [{"action_id": "x", "kind": "nap", "start": "2026-12-04T13:20:00Z", "local": "13:20–14:20"}],
        })
    }

    fn said(value: &Value) -> Said {
        Said::parse(value.to_string().as_bytes()).unwrap().unwrap()
    }

    /// Everything that differs, from both passes.
    fn diff(a: &[Value], b: &[Value]) -> Vec<(String, Difference)> {
        let sides = || {
            let a = a.iter().map(|value| (Side::A, said(value)));
            a.chain(b.iter().map(|value| (Side::B, said(value))))
        };
        let mut tally = Tally::default();
        sides().for_each(|(side, said)| tally.add(side, &said));
        let mut second = tally.second_pass();
        let mut found = Vec::new();
        for (side, said) in sides() {
            if let Some((traveller, differences)) = second.hear(side, said) {
                found.extend(differences.into_iter().map(|difference| (traveller.user.clone(), difference)));
            }
        }
        assert!(second.is_over());
        found
    }

    #[test]
    fn the_order_and_the_place_in_the_log_make_no_difference() {
        let (first, second) = (recommendation("mia", 1, "one"), recommendation("anna", 2, "two"));
        let mut moved = first.clone();
        moved["cause"]["offset"] = 977.into();
        moved["cause"]["partition"] = 0.into();
        assert_eq!(diff(&[first, second.clone()], &[second, moved]), []);
    }

    #[test]
    fn what_one_side_lacks_or_says_twice_is_found() {
        let (first, second) = (recommendation("mia", 1, "one"), recommendation("mia", 2, "two"));
        let found = diff(&[first.clone(), second.clone(), second.clone()], &[first.clone(), second.clone()]);
        assert_eq!(found.len(), 1);
        assert!(matches!(&found[0].1, Difference::Only(Side::A, said) if said.digest == self::said(&second).digest));
        let found = diff(&[], &[first]);
        assert!(matches!(&found[..], [(user, Difference::Only(Side::B, _))] if user == "mia"), "{found:?}");
    }

    #[test]
    fn the_same_cause_with_another_advice_says_what_is_other() {
        let first = recommendation("mia", 1, "Mia missed a nap: next one at 13:20");
        let mut other = first.clone();
        other["headline"] = "Mia missed a nap: next one at 13:40".into();
        other["actions"][0]["start"] = "2026-12-04T13:40:00Z".into();
        other["actions"][0]["local"] = "13:40–14:40".into();
        let found = diff(&[first], &[other]);
        let [(_, Difference::Differs { fields, .. })] = &found[..] else { panic!("{found:?}") };
        let texts: Vec<String> = fields.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "headline: Mia missed a nap: next one at 13:20 → Mia missed a nap: next one at 13:40",
                "actions: nap 13:20–14:20 → nap 13:40–14:40",
            ]
        );
    }

    #[test]
    fn the_same_cause_at_another_time_is_one_difference_and_not_two_strangers() {
        let first = recommendation("mia", 1, "one");
        let mut later = first.clone();
        later["issued_at"] = "2026-12-04T13:05:00Z".into();
        later["recommendation_id"] = "another".into();
        let found = diff(&[first], &[later]);
        let [(_, Difference::Differs { fields, .. })] = &found[..] else { panic!("{found:?}") };
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["issued_at"], "the ids follow from it");
    }

    fn flight_news(user: &str, second: u32, headline: &str) -> Value {
        let mut news = recommendation(user, 1, headline);
        news["recommendation_id"] = format!("id-{second}").into();
        news["reason"] = "flight_delayed".into();
        news["issued_at"] = format!("2026-12-04T13:00:{second:02}Z").into();
        news["cause"] = json!({"activity": "flight_update", "at": format!("2026-12-04T13:00:{second:02}.250Z")});
        news
    }

    #[test]
    fn news_of_a_flight_a_moment_later_is_the_same_news_unless_it_says_something_else() {
        let mut after = recommendation("mia", 2, "Mia missed a nap");
        let mut after_later = after.clone();
        after["supersedes"] = "id-10".into();
        after_later["supersedes"] = "id-12".into();
        let first = [flight_news("mia", 10, "KL641 is 3 h late"), after];
        assert_eq!(diff(&first, &[flight_news("mia", 12, "KL641 is 3 h late"), after_later.clone()]), []);

        let found = diff(&first, &[flight_news("mia", 12, "KL641 is 4 h late"), after_later]);
        let [(_, Difference::Differs { fields, .. })] = &found[..] else { panic!("{found:?}") };
        assert_eq!(fields[0].name, "headline");
        let mut much_later = flight_news("anna", 10, "KL641 is 3 h late");
        much_later["issued_at"] = "2026-12-04T13:02:00Z".into();
        assert_eq!(diff(&[flight_news("anna", 10, "KL641 is 3 h late")], &[much_later]).len(), 1);
    }

    #[test]
    fn an_id_that_differs_alone_is_a_difference() {
        let first = recommendation("mia", 1, "one");
        let mut other = first.clone();
        other["recommendation_id"] = "another".into();
        let found = diff(&[first], &[other]);
        let [(_, Difference::Differs { fields, .. })] = &found[..] else { panic!("{found:?}") };
        assert_eq!(fields[0].name, "recommendation_id");
    }

    #[test]
    fn estimates_are_compared_with_estimates() {
        let estimate = |misalignment: f64| {
            json!({"estimate_of": "mia", "household_id": "h1", "at": "2026-12-04T13:00:00Z",
                   "circadian": {"misalignment_hours": misalignment}, "plan": []})
        };
        assert_eq!(diff(&[estimate(1.0)], &[estimate(1.0)]), []);
        let found = diff(&[estimate(1.0)], &[estimate(1.5)]);
        let [(_, Difference::Differs { fields, .. })] = &found[..] else { panic!("{found:?}") };
        assert_eq!(fields[0].to_string(), "circadian.misalignment_hours: 1.0 → 1.5");
    }

    #[test]
    fn what_is_no_recommendation_is_said() {
        let activity = br#"{"user_id": "mia", "household_id": "h1", "activity": "meal"}"#;
        for line in [&b"{\"user_id\": 1}"[..], &activity[..], b"17"] {
            assert_eq!(Said::parse(line), Err(NotSaid::Another));
        }
        assert!(matches!(Said::parse(b"not JSON"), Err(NotSaid::Unreadable(_))));
        assert_eq!(Said::parse(b"  \r\n").unwrap(), None);
    }
}
