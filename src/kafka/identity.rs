//! Which topics an installation's names stand for: a topic that is deleted and made anew has another id. And what to say where
//! one is gone, or another, under a running member.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use tracing::debug;

use super::native::{self, Described};
use super::settings::Cluster;
use crate::engine::log::TopicIds;
use crate::engine::record::Topic;

/// What the names stand for.
///
/// # Errors
/// The cluster did not answer in time, or a name is nothing to it.
pub fn look<C: ClientContext, const N: usize>(
    client: &Client<C>,
    names: [&String; N],
    timeout: Duration,
) -> Result<[Described; N], String> {
    let mut terminated = Vec::with_capacity(N);
    for name in names {
        terminated.push(CString::new(name.as_str()).map_err(|_| format!("topic name {name:?} holds a NUL byte"))?);
    }
    let borrowed: Vec<_> = terminated.iter().map(CString::as_c_str).collect();
    let found = native::describe(client, &borrowed, timeout).map_err(|why| format!("topics {names:?}: {why}"))?;
    found.try_into().map_err(|_| format!("topics {names:?}: an answer to another question"))
}

/// Ids of topics that must be there; empty where the cluster gives them none.
///
/// # Errors
/// As [`look`], or there is no such topic.
pub fn ids<C: ClientContext, const N: usize>(
    client: &Client<C>,
    names: [&String; N],
    timeout: Duration,
) -> Result<[String; N], String> {
    let mut ids = [const { String::new() }; N];
    for ((id, found), name) in ids.iter_mut().zip(look(client, names, timeout)?).zip(names) {
        *id = match found {
            Described::Topic(known) => known,
            Described::Missing => return Err(format!("topic {name} does not exist")),
            Described::Refused(why) => return Err(format!("topic {name}: {why}")),
        };
    }
    Ok(ids)
}

/// What has become of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Deleted,
    Remade,
}

/// What a look at a processor's topics says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Same,
    /// Nobody has answered.
    Unknown,
    /// One look may be wrong: a broker may have heard of nothing yet, or of something that is long past.
    Doubtful(String),
    /// Nobody can go on, and what to do.
    Certain(String),
}

/// Whether a processor's topics are still those that they were.
pub struct Sameness {
    /// The input and the state topic.
    names: [String; 2],
    group: String,
    /// As first seen; empty where that is unknown.
    ids: [String; 2],
    /// The place of the topic that was not as it was, at the last look that was answered.
    suspect: Option<usize>,
}

impl Sameness {
    /// As of the first look.
    pub fn of(cluster: &Cluster, topic: Topic) -> Sameness {
        Sameness::since(cluster, topic, &TopicIds::default())
    }

    /// As of when these were their ids.
    pub fn since(cluster: &Cluster, topic: Topic, ids: &TopicIds) -> Sameness {
        Sameness {
            names: [cluster.topic(topic), cluster.state_topic(topic.processor())],
            group: cluster.group(topic.processor()),
            ids: [ids.input.clone(), ids.states.clone()],
            suspect: None,
        }
    }

    pub fn look<C: ClientContext>(&mut self, client: &Client<C>, timeout: Duration) -> Verdict {
        match look(client, self.names.each_ref(), timeout) {
            Ok(found) => self.note(found),
            Err(why) => {
                debug!(why, "asking which topics there are");
                Verdict::Unknown
            }
        }
    }

    fn note(&mut self, found: [Described; 2]) -> Verdict {
        let before = self.suspect.take();
        let mut changed = None;
        for (place, (known, found)) in self.ids.iter_mut().zip(found).enumerate() {
            let change = match found {
                Described::Missing => Change::Deleted,
                Described::Topic(id) if !known.is_empty() && !id.is_empty() && *known != id => Change::Remade,
                Described::Topic(id) => {
                    if known.is_empty() {
                        *known = id;
                    }
                    continue;
                }
                Described::Refused(why) => {
                    debug!(why, topic = self.names[place], "asking which topics there are");
                    continue;
                }
            };
            // The input first: where it is another, no states help.
            changed = changed.or(Some((place, change)));
        }
        let Some((place, change)) = changed else { return Verdict::Same };
        self.suspect = Some(place);
        let why = self.sentence(place, change);
        if before == Some(place) { Verdict::Certain(why) } else { Verdict::Doubtful(why) }
    }

    fn sentence(&self, place: usize, change: Change) -> String {
        let Sameness { names: [input, states], group, .. } = self;
        let unfit = format!(
            "what nobody had read of it is lost. The stored states belong to its old records: delete {states} and the offsets of \
             group {group} as well to begin from nothing, or use another prefix"
        );
        match (place, change) {
            (0, Change::Deleted) => format!(
                "topic {input} was deleted under this running member: {unfit}; `zoner topics create` makes what is missing"
            ),
            (0, Change::Remade) => {
                format!("topic {input} was deleted and made anew under this running member: {unfit}")
            }
            (_, Change::Deleted) => format!(
                "topic {states} was deleted under this running member, and nothing can be committed without it. Nothing is lost \
                 as long as {input} reaches back to its beginning: `zoner topics create` makes what is missing, and the next \
                 start rebuilds the states from there"
            ),
            (_, Change::Remade) => format!(
                "topic {states} was deleted and made anew under this running member: states that have not changed since are not \
                 in it. Nothing is lost as long as {input} reaches back to its beginning: the next start rebuilds them from there"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics() -> Sameness {
        let mut topics = Sameness {
            names: ["a.user_activity".to_owned(), "a.zoner.state.travellers".to_owned()],
            group: "a.zoner-travellers".to_owned(),
            ids: [String::new(), String::new()],
            suspect: None,
        };
        assert_eq!(topics.note(found("i1", "s1")), Verdict::Same);
        topics
    }

    fn found(input: &str, states: &str) -> [Described; 2] {
        [input, states].map(|id| if id == "gone" { Described::Missing } else { Described::Topic(id.to_owned()) })
    }

    #[test]
    fn a_topic_that_is_missing_at_one_look_alone_is_a_doubt_and_no_certainty() {
        let mut topics = topics();
        assert!(matches!(topics.note(found("i1", "gone")), Verdict::Doubtful(_)));
        assert_eq!(topics.note(found("i1", "s1")), Verdict::Same);
        assert!(matches!(topics.note(found("i1", "gone")), Verdict::Doubtful(_)));
        let Verdict::Certain(why) = topics.note(found("i1", "s2")) else { panic!("twice is certain") };
        assert!(why.contains("a.zoner.state.travellers was deleted and made anew"), "{why}");
    }

    #[test]
    fn of_both_topics_the_input_is_told() {
        let mut topics = topics();
        topics.note(found("i2", "s2"));
        let Verdict::Certain(why) = topics.note(found("i2", "gone")) else { panic!("twice is certain") };
        assert!(why.contains("topic a.user_activity was deleted and made anew"), "{why}");
    }

    #[test]
    fn what_the_cluster_does_not_tell_is_no_change() {
        let mut topics = topics();
        for _ in 0..3 {
            assert_eq!(topics.note(found("", "")), Verdict::Same, "brokers that know no ids");
            assert_eq!(
                topics.note([Described::Refused("no".to_owned()), Described::Topic("s1".to_owned())]),
                Verdict::Same
            );
        }
    }
}
