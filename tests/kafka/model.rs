//! The model of Kafka on which the simulation rests, against a real broker: the same histories on both.

use std::time::Duration;

use rdkafka::admin::AdminOptions;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientConfig, Message as _};

use super::installation::brokers;
use crate::common::{unique, wait_for};
use crate::history::{
    Broker, CLIENTS, Extent, Model, Observation, Outcome, PARTITIONS, Step, Visible, history, observe,
};
use crate::kafka_model::partition_log::Isolation;

const ROUND_TRIP: Duration = Duration::from_secs(20);

type Client = ThreadedProducer<DefaultProducerContext>;

fn settings() -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings.set("bootstrap.servers", brokers());
    settings
}

/// A real broker, and a topic of the test's own.
struct Real {
    topic: String,
    clients: Vec<Option<Client>>,
    plain: Client,
    readers: [BaseConsumer; 2],
    runtime: tokio::runtime::Runtime,
    admin: rdkafka::admin::AdminClient<rdkafka::client::DefaultClientContext>,
}

fn reader(isolation: &str) -> BaseConsumer {
    let mut settings = settings();
    settings.set("group.id", unique("reader")).set("isolation.level", isolation).set("fetch.wait.max.ms", "20");
    BaseConsumer::from_config(&settings).expect("a consumer")
}

impl Real {
    fn new() -> Real {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let admin: rdkafka::admin::AdminClient<_> = FromClientConfig::from_config(&settings()).expect("an admin");
        let topic = unique("history");
        let new = rdkafka::admin::NewTopic::new(&topic, PARTITIONS, rdkafka::admin::TopicReplication::Fixed(1));
        let made = runtime.block_on(admin.create_topics(&[new], &AdminOptions::new())).expect("an answer");
        assert!(made.iter().all(Result::is_ok), "{made:?}");
        let mut plain = settings();
        plain.set("linger.ms", "0");
        Real {
            topic,
            clients: (0..CLIENTS).map(|_| None).collect(),
            plain: ThreadedProducer::from_config(&plain).expect("a producer"),
            readers: [reader("read_committed"), reader("read_uncommitted")],
            runtime,
            admin,
        }
    }

    fn transactional(&self, client: usize) -> Client {
        let mut settings = settings();
        settings
            .set("transactional.id", format!("{}-{}", self.topic, client / 2))
            .set("transaction.timeout.ms", "60000")
            .set("linger.ms", "0");
        ThreadedProducer::from_config(&settings).expect("a producer")
    }

    fn reader(&self, isolation: Isolation) -> &BaseConsumer {
        &self.readers[usize::from(isolation == Isolation::ReadUncommitted)]
    }

    fn bounds(&self, partition: i32, isolation: Isolation) -> (i64, i64) {
        let reader = self.reader(isolation);
        wait_for("watermarks", ROUND_TRIP, || reader.fetch_watermarks(&self.topic, partition, ROUND_TRIP).ok())
    }
}

fn outcome<E>(result: &Result<(), E>) -> Outcome {
    if result.is_ok() { Outcome::Done } else { Outcome::Refused }
}

impl Broker for Real {
    fn play(&mut self, step: &Step, text: &str) -> Outcome {
        match *step {
            Step::Init(client) => {
                self.clients[client] = None;
                let made = self.transactional(client);
                let result = outcome(&made.init_transactions(ROUND_TRIP));
                self.clients[client] = Some(made);
                result
            }
            Step::Begin(client) => {
                // One that is fenced may know of it already; the end of its transaction says so in any case.
                let _ = self.clients[client].as_ref().expect("a client").begin_transaction();
                Outcome::Done
            }
            Step::Produce(client, partition) => {
                let record: BaseRecord<'_, (), str> = BaseRecord::to(&self.topic).partition(partition).payload(text);
                let client = self.clients[client].as_ref().expect("a client");
                if client.send(record).is_ok() {
                    // Delivered or refused: the next step of another client must not overtake it.
                    let _ = client.flush(ROUND_TRIP);
                }
                Outcome::Done
            }
            Step::Commit(client) => {
                outcome(&self.clients[client].as_ref().expect("a client").commit_transaction(ROUND_TRIP))
            }
            Step::Abort(client) => {
                outcome(&self.clients[client].as_ref().expect("a client").abort_transaction(ROUND_TRIP))
            }
            Step::Plain(partition) => {
                let record: BaseRecord<'_, (), str> = BaseRecord::to(&self.topic).partition(partition).payload(text);
                self.plain.send(record).map_err(|(error, _)| error).expect("a queued record");
                outcome(&self.plain.flush(ROUND_TRIP))
            }
            Step::Delete(partition, share) => {
                let extent = self.extent(partition);
                let before = extent.start + (extent.stable - extent.start) * share / 100;
                let mut list = TopicPartitionList::new();
                list.add_partition_offset(&self.topic, partition, Offset::Offset(before)).expect("an offset");
                outcome(&self.runtime.block_on(self.admin.delete_records(&list, &AdminOptions::new())).map(|_| ()))
            }
        }
    }

    fn extent(&mut self, partition: i32) -> Extent {
        let (start, stable) = self.bounds(partition, Isolation::ReadCommitted);
        let (_, end) = self.bounds(partition, Isolation::ReadUncommitted);
        Extent { start, stable, end }
    }

    fn visible(&mut self, partition: i32, isolation: Isolation) -> Visible {
        let (start, end) = self.bounds(partition, isolation);
        let reader = self.reader(isolation);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(start)).expect("an offset");
        reader.assign(&list).expect("an assignment");
        let mut visible = Visible::new();
        wait_for("the end of the partition", ROUND_TRIP, || {
            while let Some(message) = reader.poll(Duration::from_millis(5)) {
                let message = message.expect("a record");
                let text = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
                visible.push((message.offset(), text));
            }
            let positions = reader.position().expect("positions");
            let position = positions.find_partition(&self.topic, partition).map(|element| element.offset());
            let is_there = matches!(position, Some(Offset::Offset(offset)) if offset >= end);
            (start == end || is_there).then_some(())
        });
        reader.unassign().expect("no assignment");
        visible
    }
}

#[test]
fn the_model_and_a_real_broker_show_the_same_of_the_same_histories() {
    for seed in 1..=histories() {
        let (mut model, mut real) = (Model::new(), Real::new());
        for (number, step) in history(seed, 40).iter().enumerate() {
            let wanted = observe(&mut model, step, number);
            let outcome = real.play(step, &number.to_string());
            let what = format!("history {seed}, step {number}, {step:?}: {wanted:?}");
            assert_eq!(outcome, wanted.outcome, "{what}");
            // Markers are written after the answer.
            wait_for(&what, ROUND_TRIP, || {
                let extents = (0..PARTITIONS).map(|partition| real.extent(partition)).collect();
                (Observation { outcome, extents } == wanted).then_some(())
            });
        }
        for partition in 0..PARTITIONS {
            for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
                let (wanted, seen) = (model.visible(partition, isolation), real.visible(partition, isolation));
                assert_eq!(seen, wanted, "history {seed}, partition {partition}, {isolation:?}");
            }
        }
    }
}

/// Few, unless told otherwise: each takes some seconds.
fn histories() -> u64 {
    std::env::var("ZONER_SIM_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// A member of a group on the real broker, joined.
fn member(group: &str, topic: &str) -> (BaseConsumer, ConsumerGroupMetadata) {
    let mut settings = settings();
    settings
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "6000")
        .set("enable.auto.commit", "false");
    let consumer: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    let metadata = wait_for("an assignment", Duration::from_secs(40), || {
        let _ = consumer.poll(Duration::from_millis(50));
        let assigned = consumer.assignment().is_ok_and(|list| list.count() > 0);
        assigned.then(|| consumer.group_metadata()).flatten()
    });
    (consumer, metadata)
}

#[test]
fn both_refuse_the_offsets_of_a_member_that_has_been_replaced() {
    use crate::kafka_model::group::{Answer, Committed, Group, Standing};
    use crate::kafka_model::{GroupName, Kafka};

    // The model.
    const GROUP: GroupName = "group";
    let mut kafka = Kafka::new(0);
    kafka.create_group(GROUP, Group::new(PARTITIONS, 6_000, 60_000));
    let first = kafka.group_mut(GROUP).join(None, 0);
    let Answer::Assigned { generation, .. } = kafka.group_mut(GROUP).heartbeat(first, 0) else { panic!("no answer") };
    let standing = Standing { member: first, generation };
    let producer = kafka.init_transactions("id", 60_000).expect("a producer");
    let offsets = |offset| [(0, Committed { offset, metadata: String::new() })].into();
    kafka.send_offsets(&producer, GROUP, &standing, &offsets(1)).expect("offsets of a member");
    assert!(kafka.group(GROUP).committed(0).is_none(), "not before the transaction ends");
    kafka.end_transaction(&producer, true).expect("an end");
    kafka.write_all_markers("id");
    assert_eq!(kafka.group(GROUP).committed(0).map(|committed| committed.offset), Some(1));
    kafka.group_mut(GROUP).leave(first, 0);
    kafka.group_mut(GROUP).join(None, 0);
    assert!(kafka.send_offsets(&producer, GROUP, &standing, &offsets(2)).is_err(), "a member that is gone");

    // The broker.
    let mut real = Real::new();
    let group = unique("group");
    assert_eq!(real.play(&Step::Init(0), ""), Outcome::Done);
    let client = real.clients[0].take().expect("a client");
    let (consumer, metadata) = member(&group, &real.topic);
    let offsets = |offset| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&real.topic, 0, Offset::Offset(offset)).expect("an offset");
        list
    };
    client.begin_transaction().expect("a beginning");
    client.send_offsets_to_transaction(&offsets(1), &metadata, ROUND_TRIP).expect("offsets of a member");
    client.commit_transaction(ROUND_TRIP).expect("a commit");
    drop(consumer);
    let (second, _) = member(&group, &real.topic);
    client.begin_transaction().expect("a beginning");
    client.send_offsets_to_transaction(&offsets(2), &metadata, ROUND_TRIP).expect_err("a member that is gone");
    client.abort_transaction(ROUND_TRIP).expect("an abort");
    let mut list = TopicPartitionList::new();
    list.add_partition(&real.topic, 0);
    let committed = second.committed_offsets(list, ROUND_TRIP).expect("offsets");
    let offset = committed.find_partition(&real.topic, 0).map(|element| element.offset());
    assert_eq!(offset, Some(Offset::Offset(1)));
}
