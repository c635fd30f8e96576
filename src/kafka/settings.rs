//! What the clients are told: addresses, names, and librdkafka's properties.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::config::ClientConfig;

use super::properties::Kind;
use crate::engine::log::Destination;
use crate::engine::placement::Placement;
use crate::engine::record::Topic;

/// Where an installation's topics are and how its clients are set.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// `bootstrap.servers`.
    pub brokers: String,
    /// Before every topic and group name; empty for none.
    pub prefix: String,
    pub placement: Placement,
    /// Any librdkafka property, applied last, to the clients that it is meant for.
    pub properties: BTreeMap<String, String>,
    /// A static member's name; `None` for members that come and go.
    pub instance_id: Option<String>,
    /// What tells this process's clients from others'.
    pub process_id: String,
    /// The embedded cluster of the demo: it answers an empty fetch only after the full wait.
    pub embedded: bool,
}

impl Cluster {
    #[must_use]
    pub fn topic(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.as_str())
    }

    #[must_use]
    pub fn recommendations(&self) -> String {
        format!("{}recommendations", self.prefix)
    }

    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}zoner.dead_letters", self.prefix)
    }

    /// Where a processor's worker writes to.
    #[must_use]
    pub fn destination(&self, destination: Destination, processor: &str) -> String {
        match destination {
            Destination::UserActivity => self.topic(Topic::UserActivity),
            Destination::FlightStatus => self.topic(Topic::FlightStatus),
            Destination::Recommendations => self.recommendations(),
            Destination::DeadLetters => self.dead_letters(),
            Destination::State => self.state_topic(processor),
        }
    }

    /// The compacted topic of a processor's states.
    #[must_use]
    pub fn state_topic(&self, processor: &str) -> String {
        format!("{}zoner.state.{processor}", self.prefix)
    }

    /// The consumer group of a processor.
    #[must_use]
    pub fn group(&self, processor: &str) -> String {
        format!("{}zoner-{processor}", self.prefix)
    }

    /// A static member's name in its group.
    #[must_use]
    pub fn instance_of(&self, processor: &str, worker: usize) -> Option<String> {
        self.instance_id.as_ref().map(|instance| format!("{instance}-{processor}-{worker}"))
    }

    /// What every client has in common.
    #[must_use]
    pub fn client(&self, role: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("zoner-{}-{role}", self.process_id))
            .set("socket.keepalive.enable", "true");
        config
    }

    /// What the operator has set counts last.
    fn finish(&self, mut config: ClientConfig, kind: Kind) -> ClientConfig {
        for (name, value) in self.properties.iter().filter(|(name, _)| kind.wants(name)) {
            config.set(name, value);
        }
        config
    }

    /// Asks about topics, and changes them.
    #[must_use]
    pub fn admin(&self) -> ClientConfig {
        self.finish(self.client("admin"), Kind::Admin)
    }

    /// A member of a processor's group.
    #[must_use]
    pub fn group_consumer(&self, processor: &str, worker: usize) -> ClientConfig {
        let mut config = self.client(&format!("{processor}-{worker}"));
        config
            .set("group.id", self.group(processor))
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "error")
            .set("session.timeout.ms", "10000")
            .set("heartbeat.interval.ms", "1000")
            // For so long a rebalance waits for a member that neither joins nor ends. A coordinator that was killed may know
            // such members from before, and not time their sessions (docs/reliability.md). A worker polls every few
            // milliseconds; one that is stuck for a minute is better replaced.
            .set("max.poll.interval.ms", "60000")
            // At its default of a second, a partition whose queue was full once is not fetched for that long.
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.min.messages", "100000")
            .set("queued.max.messages.kbytes", "65536")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.wait.max.ms", if self.embedded { "5" } else { "100" });
        if let Some(instance) = self.instance_of(processor, worker) {
            config.set("group.instance.id", instance);
        }
        self.finish(config, Kind::Consumer)
    }

    /// What the group's coordinator puts before the member ids of a worker.
    #[must_use]
    pub fn member_prefix(&self, processor: &str, worker: usize) -> String {
        let config = self.group_consumer(processor, worker);
        let name = config.get("group.instance.id").or_else(|| config.get("client.id"));
        format!("{}-", name.unwrap_or_default())
    }

    /// How long a member may be silent before its group goes on without it.
    #[must_use]
    pub fn session(&self, processor: &str) -> Duration {
        let config = self.group_consumer(processor, 0);
        let millis = config.get("session.timeout.ms").and_then(|text| text.parse().ok());
        Duration::from_millis(millis.unwrap_or(10_000))
    }

    /// A member that joins a processor's group for a moment: it comes and goes, whatever the others do.
    #[must_use]
    pub fn knocker(&self, processor: &str) -> ClientConfig {
        let mut config = self.group_consumer(processor, 0);
        config.remove("group.instance.id").set("client.id", format!("zoner-{}-{processor}-knock", self.process_id));
        config
    }

    /// A reader that is in no group.
    #[must_use]
    pub fn reader(&self, role: &str) -> ClientConfig {
        let mut config = self.client(role);
        config
            // Nothing is committed to it; librdkafka wants a name before it assigns partitions by hand.
            .set("group.id", format!("{}zoner-reader-{}", self.prefix, self.process_id))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("fetch.queue.backoff.ms", "5")
            .set("fetch.wait.max.ms", if self.embedded { "5" } else { "100" });
        self.finish(config, Kind::Consumer)
    }

    /// A reader of a state topic: the whole of it, as fast as it comes.
    #[must_use]
    pub fn state_reader(&self, role: &str) -> ClientConfig {
        let mut config = self.reader(role);
        config
            .set("queued.min.messages", "100000")
            .set("queued.max.messages.kbytes", "131072")
            .set("fetch.message.max.bytes", "4194304");
        self.finish(config, Kind::Consumer)
    }

    /// A producer whose records become visible with the offsets they follow from; a worker has one for every other `turn`.
    #[must_use]
    pub fn transactional_producer(&self, processor: &str, worker: usize, turn: usize) -> ClientConfig {
        let instance = self.instance_id.as_deref().unwrap_or(&self.process_id);
        let mut config = self.plain_producer(&format!("{processor}-{worker}-out-{turn}"));
        config
            .set("transactional.id", format!("{}-{instance}-{worker}-{turn}", self.group(processor)))
            .set("transaction.timeout.ms", "10000")
            // Must not be longer than the transaction may last.
            .set("message.timeout.ms", "10000")
            // While the broker still writes the markers of the transaction before, it answers "concurrent transactions":
            // at the default of 100 ms every second recommendation would wait that long.
            .set("retry.backoff.ms", "2")
            .set("retry.backoff.max.ms", "200");
        self.finish(config, Kind::Producer)
    }

    /// The one producer of a role in this installation, wherever it runs: who connects next fences it.
    #[must_use]
    pub fn only_producer(&self, role: &str) -> ClientConfig {
        let mut config = self.plain_producer(role);
        config
            .set("transactional.id", self.group(role))
            .set("transaction.timeout.ms", "30000")
            // Must not be longer than the transaction may last.
            .set("message.timeout.ms", "30000");
        self.finish(config, Kind::Producer)
    }

    /// An idempotent producer outside transactions: ticks, simulated families.
    #[must_use]
    pub fn plain_producer(&self, role: &str) -> ClientConfig {
        let mut config = self.client(role);
        config
            .set("enable.idempotence", "true")
            .set("partitioner", self.placement.librdkafka_name())
            .set("linger.ms", "1")
            .set("batch.size", "1000000")
            .set("queue.buffering.max.messages", "1000000")
            .set("compression.codec", "lz4")
            .set("delivery.report.only.error", "true");
        self.finish(config, Kind::Producer)
    }
}
