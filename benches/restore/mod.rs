//! A takeover from the state topic: a million states, each in it twice, against raw consumption of the same bytes.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;
use zoner::engine::clock::{Clock as _, SystemClock};
use zoner::engine::codec::{MARKER_KEY, Marker, encode_marker, encode_unit};
use zoner::engine::effects::Effects;
use zoner::engine::log::{Batch as _, TopicIds};
use zoner::engine::partition::{Partition, Routing};
use zoner::engine::record::{Position, Record, Topic};
use zoner::household::Travellers;
use zoner::kafka::native::WorkerQueue;
use zoner::settings::Config;
use zoner::units::{Span, UtcMillis};

use super::{say, start};

const HOUSEHOLD: &str = "household-0000000";

/// A state of at least so many bytes: a person with a profile and light of many minutes.
fn template(bytes: usize) -> Vec<u8> {
    let processor = Travellers::embedded();
    let mut partition: Partition<Travellers> = Partition::new(0, 0);
    let mut effects = Effects::default();
    let mut apply = |value: serde_json::Value, stamp: UtcMillis| {
        let value = value.to_string();
        let record = Record {
            position: Position { topic: Topic::UserActivity, partition: 0, offset: partition.next_offset() },
            stamp,
            key: Some(HOUSEHOLD.as_bytes()),
            value: Some(value.as_bytes()),
            origin: None,
        };
        partition.move_time(stamp);
        let _ = partition.take(&processor, &record, &|| None, Routing::Anywhere, &mut effects);
        partition.commit();
        effects.clear();
        let mut encoded = Vec::new();
        encode_unit(partition.unit(HOUSEHOLD).expect("the household"), 0, &mut encoded).expect("a state");
        encoded
    };
    let begin = SystemClock.now() - Span::days(1);
    let sleep = json!({"bedtime": "22:30", "wake": "07:00"});
    let profile = json!({"user_id": "anna", "activity": "profile", "age_band": "adult", "display_name": "Anna",
        "home_time_zone": "Europe/Amsterdam", "sleep": sleep});
    let mut encoded = apply(profile, begin);
    for minute in 0.. {
        if encoded.len() >= bytes {
            break;
        }
        let at = begin + Span::minutes(minute);
        encoded = apply(
            json!({"user_id": "anna", "activity": "light_exposure", "timestamp": at.to_rfc3339(), "lux": 50 + minute}),
            at,
        );
    }
    encoded
}

/// Bytes of the values, and of those that count.
#[derive(Clone, Copy)]
pub struct Written {
    all: u64,
    state: usize,
}

pub fn load(config: &Config, travellers: u64, bytes: usize) -> Written {
    let cluster = config.cluster();
    let topic = cluster.state_topic(Topic::UserActivity.processor());
    let producer: ThreadedProducer<DefaultProducerContext> =
        ThreadedProducer::from_config(&cluster.plain_producer("states")).expect("a producer");
    let mut state = template(bytes);
    let place = state.windows(HOUSEHOLD.len()).position(|text| text == HOUSEHOLD.as_bytes()).expect("its id");
    let mut all = 0;
    let send = |partition: i32, key: &[u8], value: &[u8]| {
        let mut record = BaseRecord::to(&topic).partition(partition).key(key).payload(value);
        while let Err((_, back)) = producer.send(record) {
            record = back;
            thread::sleep(Duration::from_millis(1));
        }
    };
    eprintln!("writing {travellers} states of {} bytes twice", state.len());
    for _ in 0..2 {
        for number in 0..travellers {
            let household = format!("household-{number:07}");
            state[place..place + household.len()].copy_from_slice(household.as_bytes());
            all += state.len() as u64;
            let partition = config.topics.placement.partition(household.as_bytes(), config.topics.partitions);
            send(partition, household.as_bytes(), &state);
        }
    }
    let marker = Marker {
        offset: 0,
        stream_time: Some(SystemClock.now()),
        committed: 0,
        partitions: config.topics.partitions,
        placement: config.topics.placement.to_string(),
        program: String::new(),
        // As markers of before topics had ids: nothing is compared.
        topics: TopicIds::default(),
    };
    let marker = encode_marker(&marker).expect("a marker");
    for partition in 0..config.topics.partitions {
        send(partition, MARKER_KEY, &marker);
    }
    producer.flush(Duration::from_secs(120)).expect("everything written");
    commit_the_beginning(config);
    Written { all, state: state.len() }
}

/// States are restored by members of a group that has been here.
fn commit_the_beginning(config: &Config) {
    let cluster = config.cluster();
    let mut settings = cluster.reader("begin");
    settings.set("group.id", cluster.group(Topic::UserActivity.processor()));
    let consumer: BaseConsumer = BaseConsumer::from_config(&settings).expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..config.topics.partitions {
        let topic = cluster.topic(Topic::UserActivity);
        list.add_partition_offset(&topic, partition, Offset::Offset(0)).expect("an offset");
    }
    consumer.commit(&list, CommitMode::Sync).expect("committed");
}

fn consume_raw(config: &Config, records: u64) -> Duration {
    let cluster = config.cluster();
    let consumer: BaseConsumer = BaseConsumer::from_config(&cluster.state_reader("raw")).expect("a consumer");
    let queue = WorkerQueue::new(&consumer, thread::current());
    let topic = cluster.state_topic(Topic::UserActivity.processor());
    let mut list = TopicPartitionList::new();
    for partition in 0..config.topics.partitions {
        queue.take_partition(&consumer, &topic, partition).expect("a partition's queue");
        list.add_partition_offset(&topic, partition, Offset::Beginning).expect("an offset");
    }
    let started = Instant::now();
    consumer.assign(&list).expect("assigned");
    let mut seen = 0;
    while seen < records {
        let _ = consumer.poll(Duration::ZERO);
        let batch = queue.consume(5_000, Topic::UserActivity).expect("records");
        if batch.is_empty() {
            thread::park_timeout(Duration::from_millis(5));
        }
        seen += batch.len() as u64;
    }
    started.elapsed()
}

pub fn measure(config: &Config, travellers: u64, written: Written, round: u32) {
    let records = 2 * travellers + u64::try_from(config.topics.partitions).expect("small");
    let raw = consume_raw(config, records);
    let service = start(config, config.topics.partitions);
    let directory = &service.shared().directory;
    while directory.partitions(Topic::UserActivity).len() < config.topics.partitions as usize {
        assert!(!service.has_failed(), "a worker failed");
        thread::sleep(Duration::from_millis(2));
    }
    let assigned = Instant::now();
    while directory.restoring().partitions > 0 {
        assert!(!service.has_failed(), "a worker failed");
        thread::sleep(Duration::from_millis(2));
    }
    let restored = assigned.elapsed();
    service.stop().expect("a clean stop");
    say(&json!({
        "bench": "restore", "round": round, "travellers": travellers, "state_bytes": written.state,
        "topic_bytes": written.all, "partitions": config.topics.partitions,
        "raw_s": raw.as_secs_f64(), "restore_s": restored.as_secs_f64(),
        "restore_share_of_raw": raw.as_secs_f64() / restored.as_secs_f64(),
    }));
}
