//! The calls into librdkafka that rdkafka does not wrap: batch consumption, positions without a round trip, commits
//! without a poll loop of 100 ms, ids of topics.
//!
//! One of the two modules with unsafe code (the other is `circadian::hannay19::wide`). Pointers never leave it; what is
//! borrowed from a message lives as long as its batch, and a batch keeps its messages until it is dropped.
#![allow(unsafe_code)]

mod topics;
mod transactions;

use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::thread::Thread;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaRespErr;

pub use self::topics::{Described, describe};
pub use self::transactions::{GIVEN_UP, abort_transaction, commit_transaction, send_offsets};
use super::wire;
use crate::engine::log::{Batch, LogError};
use crate::engine::record::{Origin, Position, Record, Topic};
use crate::units::UtcMillis;

/// A queue of our own into which partitions are forwarded. Consuming in batches from the consumer's own queue would
/// drop the assignment at the first rebalance.
pub struct WorkerQueue {
    queue: *mut sys::rd_kafka_queue_t,
    /// Woken when the queue stops being empty. Boxed: librdkafka holds its address.
    _waker: Box<Thread>,
}

// SAFETY: librdkafka's queues may be used from any thread; a worker moves its own to its thread and keeps it there.
unsafe impl Send for WorkerQueue {}

unsafe extern "C" fn wake(_client: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: `opaque` is the `Thread` that the queue owns; the callback is removed before it is dropped.
    let thread = unsafe { &*opaque.cast::<Thread>() };
    thread.unpark();
}

impl WorkerQueue {
    /// `thread` is unparked when records arrive.
    pub fn new<C: ConsumerContext>(consumer: &BaseConsumer<C>, thread: Thread) -> WorkerQueue {
        let mut waker = Box::new(thread);
        // SAFETY: the client outlives the queue (field order of `KafkaLog`), and the waker outlives the callback.
        let queue = unsafe {
            let queue = sys::rd_kafka_queue_new(consumer.client().native_ptr());
            let opaque: *mut Thread = &raw mut *waker;
            sys::rd_kafka_queue_cb_event_enable(queue, Some(wake), opaque.cast());
            queue
        };
        WorkerQueue { queue, _waker: waker }
    }

    /// Routes a partition's records here. Must be called before each assignment: giving a partition up clears it.
    ///
    /// # Errors
    /// The client knows no such partition.
    pub fn take_partition<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        topic: &str,
        partition: i32,
    ) -> Result<(), LogError> {
        let topic = c_string(topic)?;
        // SAFETY: the returned queue is ours to destroy; the forwarding keeps its own reference.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(consumer.client().native_ptr(), topic.as_ptr(), partition);
            if source.is_null() {
                return Err(LogError::Client(format!("partition {partition} has no queue")));
            }
            sys::rd_kafka_queue_forward(source, self.queue);
            sys::rd_kafka_queue_destroy(source);
        }
        Ok(())
    }

    /// Takes up to `max` records that are there.
    ///
    /// # Errors
    /// A partition reports an error instead of a record.
    pub fn consume(&self, max: usize, topic: Topic) -> Result<MessageBatch, LogError> {
        let mut messages: Vec<*mut sys::rd_kafka_message_t> = Vec::with_capacity(max);
        // SAFETY: `messages` has room for `max` pointers, and only as many as were written are used.
        unsafe {
            let count = sys::rd_kafka_consume_batch_queue(self.queue, 0, messages.as_mut_ptr(), max);
            messages.set_len(usize::try_from(count).unwrap_or(0));
        }
        let batch = MessageBatch { messages, topic };
        match batch.first_error() {
            Some(error) => Err(error),
            None => Ok(batch),
        }
    }
}

impl Drop for WorkerQueue {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `rd_kafka_queue_new` and is destroyed once.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// Messages as librdkafka handed them out, destroyed with the batch.
pub struct MessageBatch {
    messages: Vec<*mut sys::rd_kafka_message_t>,
    topic: Topic,
}

impl MessageBatch {
    /// No messages.
    #[must_use]
    pub fn empty(topic: Topic) -> MessageBatch {
        MessageBatch { messages: Vec::new(), topic }
    }

    fn message(&self, index: usize) -> &sys::rd_kafka_message_t {
        // SAFETY: the pointers were filled in by librdkafka and stay valid until they are destroyed on drop.
        unsafe { &*self.messages[index] }
    }

    fn first_error(&self) -> Option<LogError> {
        (0..self.messages.len()).map(|index| self.message(index)).find_map(|message| {
            if message.err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return None;
            }
            let text = bytes(message.payload, message.len).map(String::from_utf8_lossy).unwrap_or_default();
            let what = format!("partition {}: {} ({text})", message.partition, error_name(message.err));
            Some(match message.err {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET => LogError::Fatal(format!(
                    "{} {what}: the next record is no longer in the topic: it was deleted before it was read, by retention or by \
                     hand. The next start says how much is missing, and what to do",
                    topic_name(message)
                )),
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED => LogError::Fatal(what),
                _ => LogError::Client(what),
            })
        })
    }

    fn native_headers(&self, index: usize) -> *mut sys::rd_kafka_headers_t {
        let mut headers = ptr::null_mut();
        // SAFETY: the headers stay with the message.
        let found = unsafe { sys::rd_kafka_message_headers(self.messages[index], &raw mut headers) };
        if found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { headers } else { ptr::null_mut() }
    }
}

impl Drop for MessageBatch {
    fn drop(&mut self) {
        for message in &self.messages {
            // SAFETY: each message is destroyed once.
            unsafe { sys::rd_kafka_message_destroy(*message) };
        }
    }
}

fn bytes<'a>(data: *mut c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: librdkafka gives a pointer with its length, or null; callers bind the lifetime to the batch.
    (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) })
}

impl Batch for MessageBatch {
    fn len(&self) -> usize {
        self.messages.len()
    }

    fn record(&self, index: usize) -> Record<'_> {
        let message = self.message(index);
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is valid.
        let stamp = unsafe { sys::rd_kafka_message_timestamp(self.messages[index], &raw mut kind) };
        Record {
            position: self.position(index),
            stamp: UtcMillis(stamp.max(0)),
            key: self.key(index),
            value: bytes(message.payload, message.len),
            origin: None,
        }
    }

    #[inline]
    fn position(&self, index: usize) -> Position {
        let message = self.message(index);
        Position { topic: self.topic, partition: message.partition, offset: message.offset }
    }

    #[inline]
    fn key(&self, index: usize) -> Option<&[u8]> {
        let message = self.message(index);
        bytes(message.key, message.key_len)
    }

    fn origin(&self, index: usize) -> Option<Origin> {
        let headers = self.native_headers(index);
        if headers.is_null() {
            return None;
        }
        let mut value = ptr::null();
        let mut size = 0;
        // SAFETY: `headers` is valid, the name is a C string.
        let found = unsafe {
            sys::rd_kafka_header_get_last(headers, wire::FORWARDED_C.as_ptr(), &raw mut value, &raw mut size)
        };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        bytes(value.cast_mut(), size).and_then(Origin::parse)
    }

    fn headers(&self, index: usize) -> Vec<(String, Option<Vec<u8>>)> {
        let headers = self.native_headers(index);
        let mut all = Vec::new();
        if headers.is_null() {
            return all;
        }
        for place in 0.. {
            let mut name = ptr::null();
            let mut value = ptr::null();
            let mut size = 0;
            // SAFETY: `headers` is valid; the call says when there are no more.
            let found =
                unsafe { sys::rd_kafka_header_get_all(headers, place, &raw mut name, &raw mut value, &raw mut size) };
            if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                break;
            }
            // SAFETY: header names are C strings.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
            all.push((name, bytes(value.cast_mut(), size).map(<[u8]>::to_vec)));
        }
        all
    }
}

/// The offset after the last message handed out or control record passed over; no round trip.
#[must_use]
pub fn position<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &CStr, partition: i32) -> Option<i64> {
    // SAFETY: the list is made and destroyed here; `elems` has the one element that was added.
    unsafe {
        let list = sys::rd_kafka_topic_partition_list_new(1);
        sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), partition);
        let result = sys::rd_kafka_position(consumer.client().native_ptr(), list);
        let offset = (*(*list).elems).offset;
        sys::rd_kafka_topic_partition_list_destroy(list);
        (result == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && offset >= 0).then_some(offset)
    }
}

/// The end of a partition as of the last fetch; no round trip.
#[must_use]
pub fn known_end<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &CStr, partition: i32) -> Option<i64> {
    let mut low = -1;
    let mut high = -1;
    // SAFETY: plain out-parameters.
    let result = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (result == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

/// The id that the group knows this member by; `None` outside the group.
#[must_use]
pub fn member_id<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<String> {
    // SAFETY: the metadata is made and destroyed here, and its string copied before.
    unsafe {
        let metadata = sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr());
        if metadata.is_null() {
            return None;
        }
        let member = sys::rd_kafka_consumer_group_metadata_member_id(metadata);
        let id = (!member.is_null()).then(|| CStr::from_ptr(member).to_string_lossy().into_owned());
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        id.filter(|id| !id.is_empty())
    }
}

fn topic_name(message: &sys::rd_kafka_message_t) -> String {
    if message.rkt.is_null() {
        return String::new();
    }
    // SAFETY: the message keeps its topic, whose name is a C string.
    unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) }.to_string_lossy().into_owned()
}

fn error_name(code: RDKafkaRespErr) -> String {
    // SAFETY: librdkafka returns a static C string for every code.
    unsafe { CStr::from_ptr(sys::rd_kafka_err2name(code)) }.to_string_lossy().into_owned()
}

/// # Errors
/// The text holds a NUL byte.
pub fn c_string(text: &str) -> Result<CString, LogError> {
    CString::new(text).map_err(|_| LogError::Fatal(format!("topic name {text:?} holds a NUL byte")))
}

/// librdkafka's version, e.g. `2.12.1`.
#[must_use]
pub fn version() -> String {
    rdkafka::util::get_rdkafka_version().1
}

/// The embedded cluster waits 3 s for further members before a new group's first assignment; with one process there is
/// nobody to wait for.
pub fn join_groups_at_once(host: &rdkafka::producer::BaseProducer) {
    // SAFETY: the handle is the client's own embedded cluster, or null.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(host.client().native_ptr());
        if !cluster.is_null() {
            sys::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        }
    }
}
