//! The topics of an installation: made with the right settings, checked before anything runs, never altered unasked.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

use super::settings::Cluster;
use crate::engine::record::Topic;

const FOURTEEN_DAYS: &str = "1209600000";
const SEVEN_DAYS: &str = "604800000";

const ROUND_TRIP: Duration = Duration::from_secs(10);

/// How a topic has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub name: String,
    pub partitions: i32,
    /// Partitions must be as many as these (inputs); other topics only need one.
    pub partitions_matter: bool,
    pub settings: BTreeMap<&'static str, String>,
}

/// What an installation chooses.
#[derive(Clone, Debug)]
pub struct Layout {
    pub partitions: i32,
    pub replication: i32,
    /// Stamps are the producers' (replays, simulations), not the broker's.
    pub create_time: bool,
}

/// The topics of an installation, inputs first.
#[must_use]
pub fn wanted(cluster: &Cluster, layout: &Layout) -> Vec<Wanted> {
    let stamps = if layout.create_time { "CreateTime" } else { "LogAppendTime" };
    let topic = |name: String, partitions: i32, partitions_matter: bool, settings: &[(&'static str, &str)]| Wanted {
        name,
        partitions,
        partitions_matter,
        settings: settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect(),
    };
    // Simulated time lies in the past: what is stamped by its producer must not be deleted by its stamp.
    let kept = |production: &'static str| if layout.create_time { "-1" } else { production };
    let input = |retention| {
        [
            ("cleanup.policy", "delete"),
            ("retention.ms", kept(retention)),
            ("retention.bytes", "-1"),
            ("message.timestamp.type", stamps),
        ]
    };
    // A restore reads the whole topic: segments are closed early enough to be compacted. What somebody has asked to be
    // forgotten leaves it within a day.
    let states: &[(&'static str, &str)] = &[
        ("cleanup.policy", "compact"),
        ("message.timestamp.type", "LogAppendTime"),
        ("segment.bytes", "134217728"),
        ("max.compaction.lag.ms", "86400000"),
    ];
    let thirty_days: &[(&'static str, &str)] = &[("cleanup.policy", "delete"), ("retention.ms", "2592000000")];
    vec![
        topic(cluster.topic(Topic::UserActivity), layout.partitions, true, &input(FOURTEEN_DAYS)),
        topic(cluster.topic(Topic::FlightStatus), layout.partitions, true, &input(SEVEN_DAYS)),
        topic(cluster.state_topic(Topic::UserActivity.processor()), layout.partitions, true, states),
        topic(cluster.state_topic(Topic::FlightStatus.processor()), layout.partitions, true, states),
        topic(cluster.recommendations(), layout.partitions, false, thirty_days),
        topic(cluster.dead_letters(), 1, false, thirty_days),
    ]
}

/// What is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Missing { topic: String },
    Partitions { topic: String, is: i32, wanted: i32 },
    Setting { topic: String, name: &'static str, is: String, wanted: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Missing { topic } => write!(f, "topic {topic} does not exist"),
            Finding::Partitions { topic, is, wanted } => {
                write!(f, "topic {topic} has {is} partitions, wanted {wanted}")
            }
            Finding::Setting { topic, name, is, wanted } => write!(f, "topic {topic} has {name}={is}, wanted {wanted}"),
        }
    }
}

/// # Errors
/// The cluster did not answer, or refused.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    #[error("no answer from {brokers}: {reason}")]
    Unreachable { brokers: String, reason: String },
    #[error("kafka.properties: {0}")]
    Settings(String),
    #[error("{topic}: {reason}")]
    Refused { topic: String, reason: String },
}

/// Who made a topic that was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    Made,
    /// Somebody else, since it was found missing: it may be another than is wanted.
    WasThere,
}

/// Talks to the cluster about topics.
pub struct Topics {
    admin: AdminClient<DefaultClientContext>,
    metadata: BaseConsumer,
    brokers: String,
}

impl Topics {
    /// # Errors
    /// A property that librdkafka refuses.
    pub fn connect(cluster: &Cluster) -> Result<Topics, TopicError> {
        let refused = |error: rdkafka::error::KafkaError| TopicError::Settings(super::describe(&error));
        let admin = AdminClient::from_config(&cluster.admin()).map_err(refused)?;
        let metadata = BaseConsumer::from_config(&cluster.reader("topics")).map_err(refused)?;
        Ok(Topics { admin, metadata, brokers: cluster.brokers.clone() })
    }

    /// Partitions of a topic; `None` where it does not exist.
    ///
    /// # Errors
    /// The cluster did not answer.
    pub fn partitions(&self, topic: &str) -> Result<Option<i32>, TopicError> {
        // Asking for all topics, not for this one, cannot create it by asking.
        let metadata = self.metadata.fetch_metadata(None, ROUND_TRIP).map_err(|error| self.unreachable(&error))?;
        Ok(metadata
            .topics()
            .iter()
            .find(|known| known.name() == topic && !known.partitions().is_empty())
            .map(|known| i32::try_from(known.partitions().len()).unwrap_or(i32::MAX)))
    }

    /// What the brokers call their cluster; `None` where they have no name for it, or do not answer.
    #[must_use]
    pub fn cluster_id(&self) -> Option<String> {
        self.metadata.client().fetch_cluster_id(ROUND_TRIP).filter(|id| !id.is_empty())
    }

    fn unreachable(&self, error: &rdkafka::error::KafkaError) -> TopicError {
        TopicError::Unreachable { brokers: self.brokers.clone(), reason: error.to_string() }
    }

    /// A topic's settings as they are in force.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    pub async fn settings(&self, topic: &str) -> Result<BTreeMap<String, String>, TopicError> {
        let resources = [ResourceSpecifier::Topic(topic)];
        let results = self
            .admin
            .describe_configs(&resources, &AdminOptions::new().request_timeout(Some(ROUND_TRIP)))
            .await
            .map_err(|error| self.unreachable(&error))?;
        let mut settings = BTreeMap::new();
        for result in results {
            let ConfigResource { specifier, entries } =
                result.map_err(|code| TopicError::Refused { topic: topic.to_owned(), reason: code.to_string() })?;
            if specifier == OwnedResourceSpecifier::Topic(topic.to_owned()) {
                settings.extend(entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))));
            }
        }
        Ok(settings)
    }

    /// Compares the cluster with what is wanted.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    pub async fn check(&self, wanted: &[Wanted]) -> Result<Vec<Finding>, TopicError> {
        let mut findings = Vec::new();
        for topic in wanted {
            let Some(partitions) = self.partitions(&topic.name)? else {
                findings.push(Finding::Missing { topic: topic.name.clone() });
                continue;
            };
            if topic.partitions_matter && partitions != topic.partitions {
                findings.push(Finding::Partitions {
                    topic: topic.name.clone(),
                    is: partitions,
                    wanted: topic.partitions,
                });
            }
            let settings = self.settings(&topic.name).await?;
            for (name, value) in &topic.settings {
                let is = settings.get(*name).cloned().unwrap_or_default();
                if is != *value {
                    findings.push(Finding::Setting { topic: topic.name.clone(), name, is, wanted: value.clone() });
                }
            }
        }
        Ok(findings)
    }

    /// Makes a topic, unless somebody else has made one of that name meanwhile.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    pub async fn create(&self, topic: &Wanted, replication: i32) -> Result<Creation, TopicError> {
        let mut new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(replication));
        for (name, value) in &topic.settings {
            new = new.set(name, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(ROUND_TRIP)).request_timeout(Some(ROUND_TRIP));
        let results = self.admin.create_topics([&new], &options).await.map_err(|error| self.unreachable(&error))?;
        let mut creation = Creation::Made;
        for result in results {
            match result {
                Ok(_) => {}
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => creation = Creation::WasThere,
                Err((name, code)) => return Err(TopicError::Refused { topic: name, reason: code.to_string() }),
            }
        }
        // The controller has it; the brokers that clients ask learn of it a moment later.
        let deadline = Instant::now() + ROUND_TRIP;
        while self.partitions(&topic.name)?.is_none() {
            if Instant::now() >= deadline {
                return Err(TopicError::Refused {
                    topic: topic.name.clone(),
                    reason: "created, but no broker knows it yet".to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(creation)
    }

    /// Deletes a topic and waits until no broker knows it any more.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    pub async fn delete(&self, name: &str) -> Result<(), TopicError> {
        let refused = |reason: String| TopicError::Refused { topic: name.to_owned(), reason };
        let options = AdminOptions::new().operation_timeout(Some(ROUND_TRIP)).request_timeout(Some(ROUND_TRIP));
        let results = self.admin.delete_topics(&[name], &options).await.map_err(|error| self.unreachable(&error))?;
        for result in results {
            result.map_err(|(_, code)| refused(code.to_string()))?;
        }
        let deadline = Instant::now() + ROUND_TRIP;
        while self.partitions(name)?.is_some() {
            if Instant::now() >= deadline {
                return Err(refused("deleted, but a broker still knows it".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Sets what is wanted on an existing topic; everything else that was set on it stays.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    pub async fn alter(&self, topic: &Wanted) -> Result<(), TopicError> {
        // The request replaces all of a topic's own settings: carry over those that it does not speak of.
        let in_force = self.settings(&topic.name).await?;
        let defaults = Self::carried_over(&in_force);
        let mut alter = AlterConfig::new(ResourceSpecifier::Topic(&topic.name));
        for (name, value) in &defaults {
            if !topic.settings.contains_key(name.as_str()) {
                alter = alter.set(name, value);
            }
        }
        for (name, value) in &topic.settings {
            alter = alter.set(name, value);
        }
        let results = self
            .admin
            .alter_configs([&alter], &AdminOptions::new().request_timeout(Some(ROUND_TRIP)))
            .await
            .map_err(|error| self.unreachable(&error))?;
        for result in results {
            result.map_err(|(_, code)| TopicError::Refused { topic: topic.name.clone(), reason: code.to_string() })?;
        }
        Ok(())
    }

    fn carried_over(in_force: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        const CARRIED: [&str; 8] = [
            "max.message.bytes",
            "min.insync.replicas",
            "compression.type",
            "segment.bytes",
            "segment.ms",
            "retention.bytes",
            "delete.retention.ms",
            "cleanup.policy",
        ];
        CARRIED.iter().filter_map(|name| in_force.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect()
    }
}
