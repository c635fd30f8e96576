//! Which topics there are under some names: their ids (KIP-516), by `DescribeTopics`, which rdkafka does not wrap.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::bindings as sys;
use rdkafka::client::Client;
use rdkafka::types::RDKafkaRespErr;

use super::error_name;

/// What the cluster says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Described {
    /// A topic with this id; empty where the cluster gives topics none.
    Topic(String),
    /// There is no topic of that name.
    Missing,
    /// It will not say, and why.
    Refused(String),
}

/// Asks for the ids of topics, in the order asked for. Asking makes no topic.
///
/// # Errors
/// The cluster did not answer in time.
pub fn describe<C: ClientContext>(
    client: &Client<C>,
    names: &[&CStr],
    timeout: Duration,
) -> Result<Vec<Described>, String> {
    let answer = Answer::ask(client, names, timeout)?;
    let described: Vec<(CString, Described)> = answer.topics();
    let of =
        |name: &&CStr| described.iter().find(|(known, _)| known.as_c_str() == *name).map(|(_, found)| found.clone());
    Ok(names.iter().map(|name| of(name).unwrap_or_else(|| Described::Refused("no word of it".to_owned()))).collect())
}

/// An event with the result of a `DescribeTopics`, destroyed with this value.
struct Answer(*mut sys::rd_kafka_event_t);

impl Answer {
    fn ask<C: ClientContext>(client: &Client<C>, names: &[&CStr], timeout: Duration) -> Result<Answer, String> {
        let client = client.native_ptr();
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: the client outlives the call; options, collection and queue are made and destroyed here, and the call
        // copies what it needs of the first two. An answer that comes later than we wait goes with its queue. No text of an
        // error is asked for.
        let event = unsafe {
            let options =
                sys::rd_kafka_AdminOptions_new(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
            sys::rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, ptr::null_mut(), 0);
            let collection = sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            let queue = sys::rd_kafka_queue_new(client);
            sys::rd_kafka_DescribeTopics(client, collection, options, queue);
            sys::rd_kafka_TopicCollection_destroy(collection);
            sys::rd_kafka_AdminOptions_destroy(options);
            let event = sys::rd_kafka_queue_poll(queue, milliseconds);
            sys::rd_kafka_queue_destroy(queue);
            event
        };
        if event.is_null() {
            return Err("no answer in time".to_owned());
        }
        let answer = Answer(event);
        // SAFETY: the event is ours until it is dropped.
        match unsafe { sys::rd_kafka_event_error(answer.0) } {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(answer),
            code => Err(error_name(code)),
        }
    }

    fn topics(&self) -> Vec<(CString, Described)> {
        let mut count = 0;
        // SAFETY: the event is ours; topics live as long as it, and there are `count` of them where there are any.
        let topics = unsafe {
            let result = sys::rd_kafka_event_DescribeTopics_result(self.0);
            if result.is_null() {
                return Vec::new();
            }
            let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
            if topics.is_null() || count == 0 {
                return Vec::new();
            }
            std::slice::from_raw_parts(topics, count)
        };
        // SAFETY: each pointer is a topic of the event.
        topics.iter().map(|topic| unsafe { described(*topic) }).collect()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: the event came from `rd_kafka_queue_poll` and is destroyed once.
        unsafe { sys::rd_kafka_event_destroy(self.0) };
    }
}

/// # Safety
/// `topic` belongs to an event that is still there.
unsafe fn described(topic: *const sys::rd_kafka_TopicDescription_t) -> (CString, Described) {
    // SAFETY: name, error and id belong to the topic. The text of an id is written into the id where it is asked for the
    // first time: nobody else has this event.
    unsafe {
        let name = CStr::from_ptr(sys::rd_kafka_TopicDescription_name(topic)).to_owned();
        let error = sys::rd_kafka_TopicDescription_error(topic);
        let code =
            if error.is_null() { RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR } else { sys::rd_kafka_error_code(error) };
        let found = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => {
                let id = sys::rd_kafka_TopicDescription_topic_id(topic);
                Described::Topic(text(id))
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART => Described::Missing,
            code => Described::Refused(error_name(code)),
        };
        (name, found)
    }
}

/// # Safety
/// `id` is null or belongs to an event that is still there and that nobody else has.
unsafe fn text(id: *const sys::rd_kafka_Uuid_t) -> String {
    if id.is_null() {
        return String::new();
    }
    // SAFETY: as above; the text, where there is one, ends with NUL and is copied.
    unsafe {
        let is_none =
            sys::rd_kafka_Uuid_most_significant_bits(id) == 0 && sys::rd_kafka_Uuid_least_significant_bits(id) == 0;
        let text = if is_none { ptr::null() } else { sys::rd_kafka_Uuid_base64str(id) };
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}
