//! Offsets into a transaction, its commit, its abort: by the errors' flags, which say what helps.

use std::ffi::{CStr, c_int};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaRespErr;

use super::error_name;
use crate::engine::log::{Commit, LogError};

/// What became of whoever stood still for longer than its session lasts.
pub const GIVEN_UP: &str = "the group has given this member up, and somebody else may have its partitions";

/// Puts offsets into the open transaction, fenced by the generation that the group has right now. `held_as`: the member id
/// under which the partitions were assigned. A client that the group has given up joins it again under another id by itself,
/// sometimes without a word of what it has lost, and its generation is good for partitions that others have worked on since.
///
/// # Errors
/// [`LogError::Abort`] where the transaction failed, [`LogError::Regrouped`] where the group has another generation by now,
/// [`LogError::Fenced`] where it does not have this member any more; others as librdkafka flags them.
pub fn send_offsets<C: ConsumerContext, PC: ProducerContext>(
    producer: &ThreadedProducer<PC>,
    consumer: &BaseConsumer<C>,
    topic: &CStr,
    commits: &[Commit],
    held_as: Option<&str>,
) -> Result<(), LogError> {
    // SAFETY: list and metadata are made and destroyed here; the metadata strings are copied by librdkafka's allocator
    // because `rd_kafka_topic_partition_list_destroy` frees them.
    unsafe {
        let metadata = sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr());
        if metadata.is_null() {
            return Err(LogError::Client("the consumer has no group metadata".to_owned()));
        }
        let generation = sys::rd_kafka_consumer_group_metadata_generation_id(metadata);
        let member = sys::rd_kafka_consumer_group_metadata_member_id(metadata);
        let is_held = !member.is_null() && held_as.is_some_and(|id| CStr::from_ptr(member).to_bytes() == id.as_bytes());
        if generation < 0 || !is_held {
            sys::rd_kafka_consumer_group_metadata_destroy(metadata);
            return Err(LogError::Fenced(GIVEN_UP.to_owned()));
        }
        let list = sys::rd_kafka_topic_partition_list_new(c_int::try_from(commits.len()).unwrap_or(0));
        for commit in commits {
            let element = sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), commit.partition);
            (*element).offset = commit.offset;
            if !commit.metadata.is_empty() {
                let length = commit.metadata.len();
                let copy = sys::rd_kafka_mem_malloc(ptr::null_mut(), length);
                if !copy.is_null() {
                    ptr::copy_nonoverlapping(commit.metadata.as_ptr(), copy.cast::<u8>(), length);
                    (*element).metadata = copy;
                    (*element).metadata_size = length;
                }
            }
        }
        let mut result;
        loop {
            result = take_error(sys::rd_kafka_send_offsets_to_transaction(
                producer.client().native_ptr(),
                list,
                metadata,
                -1,
            ));
            // The same offsets and metadata are what a retry must carry.
            if result != Some(Verdict::Retry) {
                break;
            }
            std::thread::sleep(RETRY_PAUSE);
        }
        sys::rd_kafka_topic_partition_list_destroy(list);
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        to_result(result)
    }
}

const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// Commits the open transaction. A thread polls the producer, so this does not.
///
/// # Errors
/// [`LogError::Abort`] where aborting helps; [`LogError::Client`] where it is unknown what became of it.
pub fn commit_transaction<PC: ProducerContext>(producer: &ThreadedProducer<PC>) -> Result<(), LogError> {
    // SAFETY: the producer is alive; a timeout of −1 leaves it to transaction.timeout.ms.
    let verdict = unsafe { take_error(sys::rd_kafka_commit_transaction(producer.client().native_ptr(), -1)) };
    match verdict {
        // Whether the transaction was committed is unknown: only a new epoch settles that.
        Some(Verdict::Retry) => Err(LogError::Client("committing timed out".to_owned())),
        verdict => to_result(verdict),
    }
}

/// Aborts the open transaction.
///
/// # Errors
/// The producer can't be used any more.
pub fn abort_transaction<PC: ProducerContext>(producer: &ThreadedProducer<PC>) -> Result<(), LogError> {
    loop {
        // SAFETY: the producer is alive.
        let verdict = unsafe { take_error(sys::rd_kafka_abort_transaction(producer.client().native_ptr(), -1)) };
        match verdict {
            Some(Verdict::Retry) => std::thread::sleep(RETRY_PAUSE),
            Some(Verdict::Abort(why) | Verdict::Regrouped(why)) => return Err(LogError::Client(why)),
            verdict => return to_result(verdict),
        }
    }
}

/// What librdkafka wants done about an error of a transactional call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Retry,
    Abort(String),
    /// Abort, because the group's generation is another by now: this member is in the group, or will be again.
    Regrouped(String),
    Fenced(String),
    /// Unflagged errors count as the end of the producer.
    Broken(String),
}

unsafe fn take_error(error: *mut sys::rd_kafka_error_t) -> Option<Verdict> {
    if error.is_null() {
        return None;
    }
    // SAFETY: `error` is ours and destroyed once, after its strings were copied.
    unsafe {
        let code = sys::rd_kafka_error_code(error);
        let text = CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned();
        let what = format!("{}: {text}", error_name(code));
        let verdict = if matches!(
            code,
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__FENCED
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR_PRODUCER_FENCED
        ) {
            Verdict::Fenced(what)
        } else if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID {
            Verdict::Fenced(format!("{GIVEN_UP}: {what}"))
        } else if sys::rd_kafka_error_is_fatal(error) != 0 {
            Verdict::Broken(what)
        } else if sys::rd_kafka_error_txn_requires_abort(error) != 0 && is_regrouped(code) {
            Verdict::Regrouped(what)
        } else if sys::rd_kafka_error_txn_requires_abort(error) != 0 {
            Verdict::Abort(what)
        } else if sys::rd_kafka_error_is_retriable(error) != 0 {
            Verdict::Retry
        } else {
            Verdict::Broken(what)
        };
        sys::rd_kafka_error_destroy(error);
        Some(verdict)
    }
}

/// What a coordinator answers to a member that it knows, about a generation that is over.
fn is_regrouped(code: RDKafkaRespErr) -> bool {
    matches!(
        code,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION | RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
    )
}

fn to_result(verdict: Option<Verdict>) -> Result<(), LogError> {
    match verdict {
        None => Ok(()),
        Some(Verdict::Abort(why)) => Err(LogError::Abort(why)),
        Some(Verdict::Regrouped(why)) => Err(LogError::Regrouped(why)),
        Some(Verdict::Fenced(why)) => Err(LogError::Fenced(why)),
        Some(Verdict::Broken(why)) => Err(LogError::Client(why)),
        Some(Verdict::Retry) => Err(LogError::Client("gave up retrying".to_owned())),
    }
}
