//! Which clients a property of `kafka.properties` is meant for: librdkafka warns of a consumer's property on a producer.

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Consumer,
    Producer,
    /// Asks about topics, and changes them.
    Admin,
}

/// Properties of consumers alone, by librdkafka 2.12's CONFIGURATION.md.
const OF_CONSUMERS: [&str; 31] = [
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];

/// Properties of producers alone, by the same source.
const OF_PRODUCERS: [&str; 26] = [
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.codec",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "linger.ms",
    "message.send.max.retries",
    "message.timeout.ms",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// What Zoner sets itself, because names, assignment and exactly once rest on it, with what there is instead.
const OWN: [(&str, &str); 20] = [
    ("acks", ""),
    ("auto.commit.enable", ""),
    ("auto.offset.reset", ""),
    ("bootstrap.servers", "kafka.brokers"),
    ("client.id", ""),
    ("enable.auto.commit", ""),
    ("enable.auto.offset.store", ""),
    ("enable.idempotence", ""),
    ("enable.partition.eof", ""),
    ("group.id", "topics.prefix"),
    ("group.instance.id", "kafka.instance_id"),
    ("group.protocol", ""),
    ("isolation.level", ""),
    ("max.in.flight", ""),
    ("max.in.flight.requests.per.connection", ""),
    ("metadata.broker.list", "kafka.brokers"),
    ("partition.assignment.strategy", ""),
    ("partitioner", "topics.placement"),
    ("request.required.acks", ""),
    ("transactional.id", "kafka.instance_id"),
];

/// Why nobody may set a property: which setting there is instead, empty for none. `None` where everybody may.
#[must_use]
pub fn reserved(property: &str) -> Option<&'static str> {
    OWN.iter().find(|(own, _)| *own == property).map(|(_, instead)| *instead)
}

impl Kind {
    /// A property that is nobody's own, known or not, is everybody's: a client refuses what it does not know.
    #[must_use]
    pub fn wants(self, property: &str) -> bool {
        match self {
            Kind::Consumer => !OF_PRODUCERS.contains(&property),
            Kind::Producer => !OF_CONSUMERS.contains(&property),
            Kind::Admin => !OF_CONSUMERS.contains(&property) && !OF_PRODUCERS.contains(&property),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_the_consumers_and_a_transaction_the_producers() {
        for (property, consumer, producer) in
            [("session.timeout.ms", true, false), ("transaction.timeout.ms", false, true), ("linger.ms", false, true)]
        {
            assert_eq!((Kind::Consumer.wants(property), Kind::Producer.wants(property)), (consumer, producer));
            assert!(!Kind::Admin.wants(property), "{property}");
        }
    }

    #[test]
    fn what_is_nobodys_own_or_not_known_goes_to_everybody() {
        for property in ["security.protocol", "sasl.password", "reconnect.backoff.max.ms", "sesion.timeout.ms"] {
            assert!(
                [Kind::Consumer, Kind::Producer, Kind::Admin].iter().all(|kind| kind.wants(property)),
                "{property}"
            );
        }
    }
}
