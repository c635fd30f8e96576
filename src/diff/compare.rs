//! What one side said to a traveller against what the other said.

use std::collections::BTreeSet;
use std::fmt;

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

/// Pairs what is left of both sides: by id, then by cause in the order in which it was said. In the order of their times.
pub fn differences(a: Vec<Said>, mut b: Vec<Said>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut unpaired = Vec::new();
    for one in a {
        match b.iter().position(|other| same_id(&one, other)) {
            Some(index) => found.push(differs(one, b.remove(index))),
            None => unpaired.push(one),
        }
    }
    for one in unpaired {
        match b.iter().position(|other| one.is_estimate == other.is_estimate && one.cause() == other.cause()) {
            Some(index) => found.push(differs(one, b.remove(index))),
            None => found.push(Difference::Only(Side::A, one)),
        }
    }
    found.extend(b.into_iter().map(|other| Difference::Only(Side::B, other)));
    found.sort_by(|one, other| one.issued_at().cmp(other.issued_at()));
    found
}

fn same_id(a: &Said, b: &Said) -> bool {
    !a.text("recommendation_id").is_empty() && a.text("recommendation_id") == b.text("recommendation_id")
}

fn differs(a: Said, b: Said) -> Difference {
    let mut fields = Vec::new();
    compare("", &a.value, &b.value, &mut fields);
    // Ids are made of the time of issue, among others, and would only say again that it differs.
    if fields.iter().any(|field| field.name == "issued_at") {
        fields.retain(|field| !matches!(field.name.as_str(), "recommendation_id" | "supersedes"));
    }
    Difference::Differs { a, b, fields }
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
