//! What a group published and knows, against a replay of what its topics recorded.

use std::collections::BTreeSet;

use serde_json::Value;

use super::installation::Installation;
use super::member::Member;
use super::reading::Found;
use crate::common::program::run;

/// What a replay of the recorded input says.
pub struct Replayed {
    /// As published, sorted.
    pub recommendations: Vec<String>,
    /// Estimates, sorted.
    pub states: Vec<String>,
    pub dead_letters: Vec<String>,
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

/// The estimates of everybody, from the members that own them.
pub fn states(members: &[&Member]) -> Vec<String> {
    dump(members, &[])
}

/// The same where others own partitions as well.
pub fn own_states(member: &Member) -> Vec<String> {
    dump(&[member], &["--partial"])
}

fn dump(members: &[&Member], options: &[&str]) -> Vec<String> {
    let mut arguments = vec!["state".to_owned(), "dump".to_owned()];
    arguments.extend(options.iter().map(ToString::to_string));
    for member in members {
        arguments.extend(["--member".to_owned(), member.address().to_owned()]);
    }
    sorted(run(arguments).ok().lines().map(str::to_owned).collect())
}

impl Installation {
    /// Records the input topics and replays the recording.
    pub fn replay(&self) -> Replayed {
        let recording = self.directory.file("recording.jsonl").display().to_string();
        let dead_letters = self.directory.file("dead-letters.jsonl");
        self.run(&["record", "--output", &recording]).ok();
        let out = run(["replay", &recording, "--state", "--dead-letters", &dead_letters.display().to_string()]).ok();
        let (states, recommendations) =
            out.lines().map(str::to_owned).partition(|line| line.starts_with("{\"estimate_of\""));
        let dead_letters = std::fs::read_to_string(dead_letters).expect("dead letters");
        Replayed {
            recommendations: sorted(recommendations),
            states: sorted(states),
            dead_letters: dead_letters.lines().map(str::to_owned).collect(),
        }
    }

    /// Nothing lost, nothing twice: what was published and what the members know is what a replay of the recorded
    /// input says, to the byte. Returns the recommendations.
    #[track_caller]
    pub fn assert_equals_replay(&self, members: &[&Member]) -> Vec<Value> {
        let states = states(members);
        let replayed = self.replay();
        assert_same("states", &states, &replayed.states);
        self.assert_published(&replayed)
    }

    /// What was published is what a replay said. Returns the recommendations.
    #[track_caller]
    pub fn assert_published(&self, replayed: &Replayed) -> Vec<Value> {
        let published = self.read("recommendations");
        let recommendations: Vec<Value> = published.iter().map(Found::json).collect();
        let ids: BTreeSet<&str> =
            recommendations.iter().filter_map(|value| value["recommendation_id"].as_str()).collect();
        assert_eq!(ids.len(), published.len(), "a recommendation was published twice");
        let texts = sorted(published.iter().map(|record| record.text().to_owned()).collect());
        assert_same("recommendations", &texts, &replayed.recommendations);
        assert_eq!(self.read("zoner.dead_letters").len(), replayed.dead_letters.len(), "dead letters");
        recommendations
    }
}

/// Two sorted lists of lines, with a message that shows where they part.
#[track_caller]
fn assert_same(what: &str, live: &[String], replayed: &[String]) {
    if live == replayed {
        return;
    }
    let (live_set, replayed_set): (BTreeSet<_>, BTreeSet<_>) = (live.iter().collect(), replayed.iter().collect());
    let only_live: Vec<_> = live_set.difference(&replayed_set).take(3).collect();
    let only_replayed: Vec<_> = replayed_set.difference(&live_set).take(3).collect();
    panic!(
        "{what}: {} live, {} replayed\nonly live: {only_live:#?}\nonly replayed: {only_replayed:#?}",
        live.len(),
        replayed.len()
    );
}
