//! What the group tells a member, kept until its worker is ready to answer, and what the client logs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{TopicPartitionList, TopicPartitionListElem};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use tracing::{debug, error, info, warn};

use super::repeats::Repeats;
use crate::engine::log::GroupEvent;

/// How long clients may take to end: a broker that is gone is not waited for.
const LONGEST_CLOSE: Duration = Duration::from_secs(15);

/// librdkafka's facility of what ends a client.
const FATAL: &str = "FATAL";

/// Of all clients of the process: what one has lost, the others have.
static COMPLAINTS: Repeats = Repeats::new();

/// Tells what a client complains of, unless it was told a moment ago.
pub(super) fn complain(error: &KafkaError, reason: &str) {
    // Of one kind, not of one text: addresses and times differ.
    let kind = format!("{:?}", error.rdkafka_error_code());
    if let Some(kept_quiet) = COMPLAINTS.note(&kind, Instant::now()) {
        let meaning = match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                "no broker answers; nothing is lost, and it goes on by itself when one does"
            }
            _ => "kafka client",
        };
        warn!(%error, reason, kept_quiet, "{meaning}");
    }
}

/// Collects what the group does, so that the worker answers when it is ready to.
#[derive(Default)]
pub struct GroupContext {
    events: Mutex<Vec<GroupEvent>>,
    /// The consumer is being closed: nobody will answer any more.
    closing: AtomicBool,
    /// … and the context has.
    has_answered: AtomicBool,
}

impl GroupContext {
    /// What has happened since this was asked last.
    pub fn take_events(&self) -> Vec<GroupEvent> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on the context answers by itself.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What is fatal comes to whoever polls the client as well, who says what follows from it.
        let level = if facility == FATAL { RDKafkaLogLevel::Debug } else { level };
        log_line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) {
            debug!(%error, reason, "kafka client");
        } else {
            complain(&error, reason);
        }
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(TopicPartitionListElem::partition).collect();
        if self.closing.load(Ordering::Acquire) {
            // One answer ends everything, whatever the question was. A second would wait for ever: nobody is left to hear it,
            // nor to tell which protocol the group has.
            if !self.has_answered.swap(true, Ordering::AcqRel)
                && let Err(error) = consumer.unassign()
            {
                debug!(%error, "giving partitions up while closing");
            }
            return;
        }
        let event = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            GroupEvent::Assigned(partitions)
        } else {
            GroupEvent::Revoked { partitions, lost: consumer.assignment_lost() }
        };
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

/// Answers an assignment without taking any of it. Unanswered, the client would wait for ever when it is closed.
///
/// # Errors
/// The client refused.
pub fn take_nothing(consumer: &BaseConsumer<GroupContext>) -> Result<(), KafkaError> {
    let nothing = TopicPartitionList::new();
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(&nothing),
        _ => consumer.assign(&nothing),
    }
}

/// Answers a revocation.
///
/// # Errors
/// The client refused.
pub fn give_up(consumer: &BaseConsumer<GroupContext>, list: &TopicPartitionList) -> Result<(), KafkaError> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        _ => consumer.unassign(),
    }
}

/// Ends clients in a thread of its own, because one that waits for something that never comes must not keep the process.
pub fn end_aside(end: impl FnOnce() + Send + 'static) {
    let (ended, has_ended) = mpsc::channel();
    let closing = thread::Builder::new().name("closing".to_owned()).spawn(move || {
        end();
        // Whoever waited may have gone on.
        let _ = ended.send(());
    });
    if closing.is_err() || has_ended.recv_timeout(LONGEST_CLOSE).is_err() {
        warn!(seconds = LONGEST_CLOSE.as_secs(), "clients that do not end are left behind");
    }
}

/// librdkafka's log lines, at the level at which an operator should see them.
pub fn log_line(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            error!(facility, "{message}");
        }
        RDKafkaLogLevel::Warning => warn!(facility, "{message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(facility, "{message}"),
        RDKafkaLogLevel::Debug => debug!(facility, "{message}"),
    }
}
