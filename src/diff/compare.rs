//! What one side said to a traveller against what the other said.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use super::{Said, Side};

/// One thing in which the sides differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Only(Side, Said),
    /// The same cause, another answer.
    Differs {
        a: Said,
        b: Said,
        fields: Vec<Field>,
    },
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// `headline`, `circadian.cbt_min`.
    pub name: String,
    pub a: Value,
    pub b: Value,
}

/// News of a flight reaches households through a record of Zoner's own, whose stamp is that of the moment: where a version
/// hears of the same news again, it is another one.
const MOMENT: TimeDelta = TimeDelta::seconds(60);

/// What follows from that moment.
const OF_THE_MOMENT: [&str; 4] = ["cause.at", "issued_at", "recommendation_id", "supersedes"];

/// Pairs what is left of both sides: by id, then by cause in the order in which it was said, then news of a flight with the
/// same news a moment earlier or later, which differs only if it says something else. In the order of their times.
pub fn differences(a: Vec<Said>, b: Vec<Said>) -> Vec<Difference> {
    let mut pairs = Vec::new();
    let (a, b) = pair(a, b, &mut pairs, same_id);
    let (a, b) =
        pair(a, b, &mut pairs, |one, other| one.is_estimate == other.is_estimate && one.cause() == other.cause());
    let (a, b) = pair(a, b, &mut pairs, same_news);

    // What supersedes a recommendation that is the same but for its moment names another id.
    let same_but_for_ids: BTreeSet<(String, String)> = pairs
        .iter()
        .filter(|(one, other)| same_news(one, other))
        .map(|(one, other)| (one.text("recommendation_id").to_owned(), other.text("recommendation_id").to_owned()))
        .collect();
    let compared = pairs.into_iter().filter_map(|(one, other)| differs(one, other, &same_but_for_ids));
    let only = |side| move |said| Difference::Only(side, said);
    let mut found: Vec<Difference> =
        compared.chain(a.into_iter().map(only(Side::A))).chain(b.into_iter().map(only(Side::B))).collect();
    found.sort_by(|one, other| one.issued_at().cmp(other.issued_at()));
    found
}

/// Moves what belongs together to `pairs`, in order; returns what is left.
fn pair(
    a: Vec<Said>,
    mut b: Vec<Said>,
    pairs: &mut Vec<(Said, Said)>,
    belongs: impl Fn(&Said, &Said) -> bool,
) -> (Vec<Said>, Vec<Said>) {
    let mut left = Vec::new();
    for one in a {
        match b.iter().position(|other| belongs(&one, other)) {
            Some(index) => pairs.push((one, b.remove(index))),
            None => left.push(one),
        }
    }
    (left, b)
}

fn same_id(a: &Said, b: &Said) -> bool {
    !a.text("recommendation_id").is_empty() && a.text("recommendation_id") == b.text("recommendation_id")
}

fn same_news(a: &Said, b: &Said) -> bool {
    let ([reason, activity, kind, at], [other_reason, other_activity, other_kind, other_at]) = (a.cause(), b.cause());
    (reason, activity, kind) == (other_reason, other_activity, other_kind)
        && activity == "flight_update"
        && within_a_moment(at, other_at)
        && within_a_moment(a.text("issued_at"), b.text("issued_at"))
}

fn within_a_moment(one: &str, other: &str) -> bool {
    match (DateTime::parse_from_rfc3339(one), DateTime::parse_from_rfc3339(other)) {
        (Ok(one), Ok(other)) => (one - other).abs() <= MOMENT,
        _ => false,
    }
}

/// `None` where both say the same.
fn differs(a: Said, b: Said, same_but_for_ids: &BTreeSet<(String, String)>) -> Option<Difference> {
    let mut fields = Vec::new();
    compare("", &a.value, &b.value, &mut fields);
    let superseded = (a.text("supersedes").to_owned(), b.text("supersedes").to_owned());
    if same_news(&a, &b) {
        fields.retain(|field| !OF_THE_MOMENT.contains(&field.name.as_str()));
    } else if fields.iter().any(|field| field.name == "issued_at") {
        // Ids are made of the time of issue, among others, and would only say again that it differs.
        fields.retain(|field| !matches!(field.name.as_str(), "recommendation_id" | "supersedes"));
    } else if same_but_for_ids.contains(&superseded) {
        fields.retain(|field| field.name != "supersedes");
    }
    (!fields.is_empty()).then_some(Difference::Differs { a, b, fields })
}

/// Objects field by field, anything else as a whole.
fn compare(path: &str, a: &Value, b: &Value, fields: &mut Vec<Field>) {
    if a == b {
        return;
    }
    let (Value::Object(in_a), Value::Object(in_b)) = (a, b) else {
        fields.push(Field { name: path.to_owned(), a: a.clone(), b: b.clone() });
        return;
    };
    let names = in_a.keys().chain(in_b.keys().filter(|name| !in_a.contains_key(*name)));
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(&path, in_a.get(name).unwrap_or(&Value::Null), in_b.get(name).unwrap_or(&Value::Null), fields);
    }
}

impl Difference {
    /// When it was said, or for when it holds.
    #[must_use]
    pub fn issued_at(&self) -> &str {
        let (Difference::Only(_, said) | Difference::Differs { a: said, .. }) = self;
        said.text(if said.is_estimate { "at" } else { "issued_at" })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Value::Array(a), Value::Array(b)) = (&self.a, &self.b) {
            let (a, b): (Vec<String>, Vec<String>) = (words(a), words(b));
            let (in_a, in_b): (BTreeSet<&String>, BTreeSet<&String>) = (a.iter().collect(), b.iter().collect());
            let only = |list: &[String], other: &BTreeSet<&String>| {
                let own: Vec<&str> = list.iter().filter(|word| !other.contains(word)).map(String::as_str).collect();
                if own.is_empty() { "–".to_owned() } else { own.join(", ") }
            };
            return write!(f, "{}: {} → {}", self.name, only(&a, &in_b), only(&b, &in_a));
        }
        write!(f, "{}: {} → {}", self.name, word(&self.a), word(&self.b))
    }
}

/// Elements by what people would call them, where that tells them apart; as JSON otherwise.
fn words(elements: &[Value]) -> Vec<String> {
    elements
        .iter()
        .map(|element| match (element["kind"].as_str(), element["local"].as_str()) {
            (Some(kind), Some(local)) => format!("{kind} {local}"),
            _ => word(element),
        })
        .collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
