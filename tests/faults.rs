//! Errors on demand, on the embedded cluster: which way a worker takes out of them, and that its states and positions
//! survive in the process.
//!
//! The embedded cluster shows aborted records and stores no transactional offsets, so what is asserted here is the path
//! and the memory. That nothing is lost or said twice is asserted on a real Kafka.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Error};
use tokio::sync::oneshot;
use zoner::engine::clock::SystemClock;
use zoner::engine::directory::Query;
use zoner::engine::record::Topic;
use zoner::kafka::Cluster;
use zoner::kafka::embedded::EmbeddedCluster;
use zoner::kafka::feed::Feed;
use zoner::kafka::tail::Tail;
use zoner::kafka::topics::wanted;
use zoner::service::{Plan, Service};
use zoner::settings::Config;
use zoner::telemetry;
use zoner::units::Span;

use common::records::{Child, MONDAY, Sent, light};
use common::wait_for;

const LIMIT: Duration = Duration::from_secs(30);
const NO_ERROR: Error = Error::RD_KAFKA_RESP_ERR_NO_ERROR;

/// Metrics belong to the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn metrics() -> &'static PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| {
        // Shown where a test fails.
        tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::INFO).init();
        telemetry::install().expect("the first recorder of the process")
    })
}

/// The sum over the series of a metric whose labels contain a text.
fn metric(name: &str, label: &str) -> i64 {
    let rendered = metrics().render();
    let own =
        |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label);
    rendered.lines().filter(own).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as i64
}

/// What the counters say that these tests look at.
#[derive(Clone, Copy, Debug)]
struct Counters {
    aborted: i64,
    regrouped: i64,
    fenced: i64,
    missed: i64,
    events: i64,
}

impl Counters {
    fn read() -> Counters {
        Counters {
            aborted: metric("zoner_transactions_total", "\"aborted\""),
            regrouped: metric("zoner_transactions_total", "\"regrouped\""),
            fenced: metric("zoner_fenced_total", ""),
            missed: metric("zoner_recommendations_total", "\"nap_missed\""),
            events: metric("zoner_events_total", "topic=\"user_activity\""),
        }
    }

    fn since(before: Counters) -> Counters {
        let now = Counters::read();
        Counters {
            aborted: now.aborted - before.aborted,
            regrouped: now.regrouped - before.regrouped,
            fenced: now.fenced - before.fenced,
            missed: now.missed - before.missed,
            events: now.events - before.events,
        }
    }
}

/// A service on an embedded cluster, with one partition of each topic.
struct Stage {
    feed: Feed,
    service: Service,
    cluster: Arc<Cluster>,
    embedded: EmbeddedCluster,
    before: Counters,
    sent: i64,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    fn set() -> Stage {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        metrics();
        let embedded = EmbeddedCluster::start().expect("an embedded cluster");
        let mut config = Config::default();
        config.kafka.brokers = embedded.address();
        config.topics.partitions = 1;
        let mut cluster = config.cluster();
        cluster.embedded = true;
        // The embedded cluster lets a group wait a session, less a second, for members that have left.
        cluster.properties.insert("session.timeout.ms".to_owned(), "2000".to_owned());
        cluster.properties.insert("heartbeat.interval.ms".to_owned(), "300".to_owned());
        for topic in wanted(&cluster, &config.layout(true)) {
            embedded.create_topic(&topic.name, topic.partitions).expect("a topic");
        }
        let cluster = Arc::new(cluster);
        let plan = Plan {
            cluster: Arc::clone(&cluster),
            travellers: config.worker(1, false, false),
            flights: config.worker(1, false, false),
            traveller_workers: 1,
            flight_workers: 1,
            leave: true,
        };
        let before = Counters::read();
        let service = Service::start(&plan, Arc::new(SystemClock)).expect("threads");
        let shared = service.shared();
        wait_for("both workers", LIMIT, || shared.directory.not_ready().is_none().then_some(()));
        let feed = Feed::connect(&cluster).expect("a producer");
        Stage { feed, service, cluster, embedded, before, sent: 0, _alone: alone }
    }

    /// Errors that the cluster will answer the next requests of a kind with.
    fn answer(&self, api: Api, errors: &[Error]) {
        self.embedded.faults().expect("a running cluster").request_errors(api, errors);
    }

    /// Writes records and waits until they are there.
    fn send(&mut self, records: &[Sent]) {
        for record in records {
            self.feed
                .send(record.topic, &record.key, &record.value.to_string(), record.stamp)
                .expect("a queued record");
            self.feed.flush(LIMIT).expect("everything written");
        }
        self.sent += i64::try_from(records.len()).expect("few");
    }

    fn counters(&self) -> Counters {
        Counters::since(self.before)
    }

    /// Waits until everything sent is counted, which is when its transaction stands.
    fn settle(&self) {
        wait_for("everything to be committed", LIMIT, || {
            assert!(!self.service.has_failed(), "a worker failed");
            (self.counters().events >= self.sent).then_some(())
        });
    }

    /// Who is known, from the worker's memory.
    fn known(&self) -> BTreeSet<String> {
        let owner = wait_for("an owner", LIMIT, || self.service.shared().directory.owner(Topic::UserActivity, 0));
        let (reply, answer) = oneshot::channel();
        assert!(owner.mailbox.ask(Query::Everybody { partition: 0, after: None, reply }));
        answer.blocking_recv().expect("an answer").estimates.into_iter().map(|estimate| estimate.household_id).collect()
    }

    /// Ids of missed naps in the topic, those of aborted transactions among them.
    fn missed(&self) -> BTreeSet<String> {
        let tail = Tail::open(&self.cluster, "recommendations").expect("recommendations");
        let mut ids = BTreeSet::new();
        let mut last = tail.next(Duration::from_secs(5));
        while let Some(value) = last {
            let value: serde_json::Value = serde_json::from_slice(&value).expect("JSON");
            if value["reason"] == "nap_missed" {
                ids.insert(value["recommendation_id"].to_string());
            }
            last = tail.next(Duration::from_millis(300));
        }
        ids
    }

    fn end(self) {
        self.service.stop().expect("an orderly end");
    }
}

fn child(number: i64) -> Child {
    Child::toddler(&format!("household-{number}"), "mia")
}

/// Regular days of a child and a morning on which the nap is still to come.
fn until_the_morning(number: i64) -> Vec<Sent> {
    let child = child(number);
    let mut records = vec![child.profile(MONDAY)];
    records.extend(child.days(MONDAY, 5));
    records.push(child.night(MONDAY + Span::days(5)));
    records
}

/// The record that moves time past the alarm of that nap.
fn afternoon() -> Sent {
    light("somebody else", "noah", MONDAY + Span::days(5) + Span::hours(15))
}

/// Two children; errors when the missed naps are said. Returns what the counters made of it, after more has happened.
fn said_in_spite_of(answers: &[(Api, &[Error])]) -> Counters {
    let mut stage = Stage::set();
    let mut records = until_the_morning(1);
    records.extend(until_the_morning(2));
    records.sort_by_key(|record| record.stamp);
    stage.send(&records);
    stage.settle();
    assert_eq!(stage.counters().aborted, 0);

    for (api, errors) in answers {
        stage.answer(*api, errors);
    }
    stage.send(&[afternoon()]);
    stage.settle();
    assert_eq!(stage.counters().missed, 2, "both are committed, once");
    assert_eq!(stage.missed().len(), 2, "what was read again has the ids that it had");

    // The worker goes on where it was, with everybody whom it knew.
    stage.send(&[child(1).night(MONDAY + Span::days(6))]);
    stage.send(&[light("household-3", "ben", MONDAY + Span::days(6) + Span::hours(15))]);
    stage.settle();
    let counters = stage.counters();
    assert_eq!(counters.missed, 3);
    assert_eq!(counters.events, stage.sent, "every record counted once");
    let known: Vec<String> = stage.known().into_iter().collect();
    assert_eq!(known, ["household-1", "household-2", "household-3", "somebody else"]);
    stage.end();
    counters
}

#[test]
fn a_record_that_the_cluster_refuses_aborts_the_transaction_and_its_input_is_read_again() {
    // The first request is that of whoever sends the afternoon.
    let counters = said_in_spite_of(&[(Api::Produce, &[NO_ERROR, Error::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE])]);
    // The client finds the gap in its sequence numbers with the next transaction, and that is aborted too.
    assert!(counters.aborted >= 1 && counters.fenced == 0, "{counters:?}");
}

#[test]
fn what_can_not_become_part_of_a_transaction_aborts_it_and_the_input_is_read_again() {
    for (api, error) in [
        (Api::TxnOffsetCommit, Error::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID),
        (Api::AddPartitionsToTxn, Error::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED),
        (Api::AddOffsetsToTxn, Error::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED),
    ] {
        let counters = said_in_spite_of(&[(api, &[error])]);
        assert_eq!((counters.aborted, counters.regrouped, counters.fenced), (1, 0, 0), "{error:?}: {counters:?}");
    }
}

#[test]
fn a_transaction_that_a_rebalance_overtakes_is_given_up_and_does_not_count_as_a_fault() {
    let counters = said_in_spite_of(&[(Api::TxnOffsetCommit, &[Error::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION])]);
    // Where records were under way, the next transaction of the same producer follows it.
    assert!((1..=2).contains(&counters.regrouped), "{counters:?}");
    assert_eq!((counters.aborted, counters.fenced), (0, 0), "{counters:?}");
}

#[test]
fn a_worker_that_is_fenced_joins_again_with_its_states() {
    for (api, error) in [
        (Api::AddPartitionsToTxn, Error::RD_KAFKA_RESP_ERR_PRODUCER_FENCED),
        (Api::EndTxn, Error::RD_KAFKA_RESP_ERR_PRODUCER_FENCED),
        (Api::EndTxn, Error::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH),
        // The group has given it up: whatever it holds may be somebody else's by now.
        (Api::TxnOffsetCommit, Error::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID),
    ] {
        let counters = said_in_spite_of(&[(api, &[error])]);
        assert_eq!(counters.fenced, 1, "{error:?}: {counters:?}");
    }
}

#[test]
fn joining_again_waits_for_a_coordinator_that_is_not_ready() {
    let not_ready = [Error::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, Error::RD_KAFKA_RESP_ERR__TRANSPORT];
    let counters = said_in_spite_of(&[
        (Api::EndTxn, &[Error::RD_KAFKA_RESP_ERR_PRODUCER_FENCED]),
        (Api::InitProducerId, &not_ready),
    ]);
    assert_eq!(counters.fenced, 1, "{counters:?}");
}

#[test]
fn a_commit_that_failed_for_good_is_not_taken_for_one() {
    let counters = said_in_spite_of(&[(Api::EndTxn, &[Error::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE])]);
    assert_eq!(counters.fenced, 0, "{counters:?}");
}

#[test]
fn what_passes_by_itself_is_waited_out() {
    for (api, error) in [
        (Api::AddPartitionsToTxn, Error::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS),
        (Api::TxnOffsetCommit, Error::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS),
        (Api::EndTxn, Error::RD_KAFKA_RESP_ERR_NOT_COORDINATOR),
        (Api::EndTxn, Error::RD_KAFKA_RESP_ERR__TRANSPORT),
    ] {
        let counters = said_in_spite_of(&[(api, &[error])]);
        assert_eq!((counters.aborted, counters.fenced), (0, 0), "{error:?}: {counters:?}");
    }
}
