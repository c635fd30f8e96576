//! [`Log`] on librdkafka: one consumer in a group, one transactional producer, one for ticks.

use std::ffi::CString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::group::{GroupContext, complain, end_aside, give_up, take_nothing};
use super::identity::{self, Verdict};
use super::instance::{Instance, taken_over};
use super::native::{self, MessageBatch, WorkerQueue};
use super::producers::Producers;
use super::settings::Cluster;
use super::states::StateReader;
use crate::engine::log::{Batch, Bounds, Commit, Committed, GroupEvent, Log, LogError, Output, Start, TopicIds};
use crate::engine::record::Topic;
use crate::units::UtcMillis;

/// Round trips to the cluster that a worker waits for.
const ROUND_TRIP: Duration = Duration::from_secs(10);

/// One worker's clients. Fields are dropped in this order: the queue before the consumer it belongs to.
pub struct KafkaLog {
    queue: WorkerQueue,
    consumer: BaseConsumer<GroupContext>,
    producers: Producers,
    cluster: Arc<Cluster>,
    topic: Topic,
    topic_name: String,
    topic_name_c: CString,
    /// What the group did and nobody has answered yet.
    unanswered: Vec<GroupEvent>,
    /// The member id under which partitions are held, from the first assignment on.
    held_as: Option<String>,
    /// While states are being read.
    states: Option<StateReader>,
    /// Of a static member.
    instance: Option<Instance>,
    /// Of the topics that partitions were taken over of.
    ids: TopicIds,
    processor: &'static str,
    worker: usize,
}

fn client_error(what: &str, error: &KafkaError) -> LogError {
    LogError::Client(format!("{what}: {error}"))
}

impl KafkaLog {
    /// Connects a worker and joins its group. The calling thread is woken when records arrive.
    ///
    /// # Errors
    /// A property that librdkafka refuses is fatal; a cluster that does not answer is not.
    pub fn join(
        cluster: Arc<Cluster>,
        topic: Topic,
        processor: &'static str,
        worker: usize,
    ) -> Result<KafkaLog, LogError> {
        let topic_name = cluster.topic(topic);
        let topic_name_c = native::c_string(&topic_name)?;
        let producers = Producers::connect(Arc::clone(&cluster), topic, processor, worker)?;
        let consumer: BaseConsumer<GroupContext> =
            BaseConsumer::from_config_and_context(&cluster.group_consumer(processor, worker), GroupContext::default())
                .map_err(|error| LogError::Fatal(format!("consumer settings: {}", super::describe(&error))))?;
        let queue = WorkerQueue::new(&consumer, std::thread::current());
        let instance = cluster
            .instance_of(processor, worker)
            .map(|name| Instance::about_to_join(&consumer, &cluster.group(processor), &name));
        consumer.subscribe(&[&topic_name]).map_err(|error| client_error("subscribe", &error))?;
        Ok(KafkaLog {
            queue,
            consumer,
            producers,
            cluster,
            topic,
            topic_name,
            topic_name_c,
            unanswered: Vec::new(),
            held_as: None,
            states: None,
            instance,
            ids: TopicIds::default(),
            processor,
            worker,
        })
    }

    fn list(&self, partitions: impl IntoIterator<Item = (i32, Option<i64>)>) -> Result<TopicPartitionList, LogError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            match offset {
                Some(offset) => list
                    .add_partition_offset(&self.topic_name, partition, Offset::Offset(offset))
                    .map_err(|error| client_error("partition list", &error))?,
                None => {
                    list.add_partition(&self.topic_name, partition);
                }
            }
        }
        Ok(list)
    }

    /// The first assignment, or else the first revocation, that waits for an answer has got it.
    fn answered(&mut self, assignment: bool) {
        let is_assignment = |event: &GroupEvent| matches!(event, GroupEvent::Assigned(_));
        if let Some(place) = self.unanswered.iter().position(|event| is_assignment(event) == assignment) {
            self.unanswered.remove(place);
        }
    }

    /// Answers what the worker has not answered, because it failed before or did not ask any more.
    fn answer_the_rest(&mut self) -> Result<(), LogError> {
        let pending = self.consumer.context().take_events();
        for event in self.unanswered.drain(..).chain(pending).collect::<Vec<_>>() {
            match event {
                GroupEvent::Assigned(_) => take_nothing(&self.consumer),
                GroupEvent::Revoked { partitions, .. } => {
                    let list = self.list(partitions.into_iter().map(|partition| (partition, None)))?;
                    give_up(&self.consumer, &list)
                }
            }
            .map_err(|error| client_error("answering the group", &error))?;
        }
        Ok(())
    }

    fn states(&mut self) -> Result<&mut StateReader, LogError> {
        Ok(match &mut self.states {
            Some(states) => states,
            none => none.insert(StateReader::connect(&self.cluster, self.processor, self.worker)?),
        })
    }

    /// Notes under which id partitions are held.
    ///
    /// # Errors
    /// [`LogError::Fenced`] where it is another than before: the group has given this member up since, and the client has
    /// joined again by itself. What it was taught before is no longer so, and not all of it is always revoked.
    fn note_membership(&mut self, event: &GroupEvent) -> Result<(), LogError> {
        if let GroupEvent::Revoked { lost: true, .. } = event {
            self.held_as = None;
            return Ok(());
        }
        let id = native::member_id(&self.consumer);
        match &self.held_as {
            Some(held_as) if id.as_ref() != Some(held_as) => Err(LogError::Fenced(native::GIVEN_UP.to_owned())),
            _ => {
                self.held_as = id;
                Ok(())
            }
        }
    }

    /// Records that are no longer there may have gone with their topic.
    fn explain(&self, error: LogError) -> LogError {
        let LogError::Fatal(_) = &error else { return error };
        let mut topics = identity::Sameness::since(&self.cluster, self.topic, &self.ids);
        match topics.look(self.consumer.client(), ROUND_TRIP) {
            Verdict::Doubtful(why) | Verdict::Certain(why) => LogError::Fatal(why),
            Verdict::Same | Verdict::Unknown => error,
        }
    }

    /// An error that the consumer reports outside any call.
    fn judge(&self, error: KafkaError) -> Result<(), LogError> {
        match error {
            KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId) => {
                let id = self.cluster.instance_id.as_deref().unwrap_or_default();
                Err(match &self.instance {
                    Some(instance) => instance.on_fenced(&self.consumer, id),
                    None => taken_over(id),
                })
            }
            KafkaError::MessageConsumptionFatal(_) => Err(LogError::Client(format!("consumer: {error}"))),
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
            ) => Err(LogError::Fatal(format!("consumer: {error}"))),
            other => {
                complain(&other, &self.topic_name);
                Ok(())
            }
        }
    }
}

impl Log for KafkaLog {
    type Batch = MessageBatch;

    fn topic_name(&self) -> &str {
        &self.topic_name
    }

    fn group_events(&mut self) -> Result<Vec<GroupEvent>, LogError> {
        while let Some(event) = self.consumer.poll(Duration::ZERO) {
            match event {
                // Partitions are forwarded before they are assigned: a message here slipped past that.
                Ok(message) => {
                    use rdkafka::Message as _;
                    return Err(LogError::Client(format!(
                        "partition {} delivered a record outside its queue",
                        message.partition()
                    )));
                }
                Err(error) => self.judge(error)?,
            }
        }
        let events = self.consumer.context().take_events();
        if let Some(instance) = self.instance.as_mut().filter(|_| !events.is_empty()) {
            instance.note_own(&self.consumer);
        }
        self.unanswered.extend(events.iter().cloned());
        for event in &events {
            self.note_membership(event)?;
        }
        Ok(events)
    }

    fn assign(&mut self, starts: &[Start]) -> Result<(), LogError> {
        for start in starts {
            self.queue.take_partition(&self.consumer, &self.topic_name, start.partition)?;
        }
        let paused = self.list(starts.iter().filter(|start| start.paused).map(|start| (start.partition, None)))?;
        if paused.count() > 0 {
            // Before they are assigned: no record must slip through.
            self.consumer.pause(&paused).map_err(|error| client_error("pause", &error))?;
        }
        let list = self.list(starts.iter().map(|start| (start.partition, Some(start.offset))))?;
        self.answered(true);
        match self.consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => self.consumer.incremental_assign(&list),
            _ => self.consumer.assign(&list),
        }
        .map_err(|error| client_error("assign", &error))
    }

    fn resume(&mut self, partition: i32, offset: i64) -> Result<(), LogError> {
        const NOT_YET: Duration = Duration::from_millis(5);
        let deadline = Instant::now() + ROUND_TRIP;
        loop {
            match self.rewind(&[(partition, offset)]) {
                // The client has not begun with the partition yet.
                Err(_) if Instant::now() < deadline => std::thread::sleep(NOT_YET),
                other => break other?,
            }
        }
        let list = self.list([(partition, None)])?;
        self.consumer.resume(&list).map_err(|error| client_error("resume", &error))
    }

    fn topic_ids(&mut self) -> Result<TopicIds, LogError> {
        let names = [self.topic_name.clone(), self.cluster.state_topic(self.processor)];
        let [input, states] =
            identity::ids(self.consumer.client(), names.each_ref(), ROUND_TRIP).map_err(LogError::Client)?;
        self.ids = TopicIds { input, states };
        Ok(self.ids.clone())
    }

    fn state_bounds(&mut self, partition: i32) -> Result<Bounds, LogError> {
        self.states()?.bounds(partition)
    }

    fn open_state(&mut self, partition: i32, from: i64) -> Result<(), LogError> {
        self.states()?.open(partition, from)
    }

    fn fetch_state(&mut self, max: usize, wait: Duration) -> Result<MessageBatch, LogError> {
        match &mut self.states {
            Some(states) => states.fetch(max, wait, self.topic),
            None => Ok(MessageBatch::empty(self.topic)),
        }
    }

    fn state_position(&self, partition: i32) -> Option<i64> {
        self.states.as_ref()?.position(partition)
    }

    fn close_state(&mut self, partition: i32) -> Result<(), LogError> {
        if let Some(states) = &mut self.states
            && states.close(partition)?
        {
            self.states = None;
        }
        Ok(())
    }

    fn unassign(&mut self, partitions: &[i32]) -> Result<(), LogError> {
        let list = self.list(partitions.iter().map(|partition| (*partition, None)))?;
        self.answered(false);
        give_up(&self.consumer, &list).map_err(|error| client_error("unassign", &error))
    }

    fn committed(&mut self, partitions: &[i32]) -> Result<Vec<Option<Committed>>, LogError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let list = self.list(partitions.iter().map(|partition| (*partition, None)))?;
        let committed = self
            .consumer
            .committed_offsets(list, ROUND_TRIP)
            .map_err(|error| client_error("committed offsets", &error))?;
        Ok(partitions
            .iter()
            .map(|partition| {
                let element = committed.find_partition(&self.topic_name, *partition)?;
                let Offset::Offset(offset) = element.offset() else { return None };
                Some(Committed { offset, metadata: element.metadata().to_owned() })
            })
            .collect())
    }

    fn bounds(&mut self, partition: i32) -> Result<Bounds, LogError> {
        let (low, high) = self
            .consumer
            .fetch_watermarks(&self.topic_name, partition, ROUND_TRIP)
            .map_err(|error| client_error("watermarks", &error))?;
        Ok(Bounds { low, high })
    }

    fn fetch(&mut self, max: usize, wait: Duration) -> Result<MessageBatch, LogError> {
        let batch = self.queue.consume(max, self.topic).map_err(|error| self.explain(error))?;
        if !batch.is_empty() || wait.is_zero() {
            return Ok(batch);
        }
        // The queue's callback unparks this thread; a wake-up that came before counts.
        std::thread::park_timeout(wait);
        self.queue.consume(max, self.topic).map_err(|error| self.explain(error))
    }

    fn position(&self, partition: i32) -> Option<i64> {
        native::position(&self.consumer, &self.topic_name_c, partition)
    }

    fn end(&self, partition: i32) -> Option<i64> {
        native::known_end(&self.consumer, &self.topic_name_c, partition)
    }

    fn rewind(&mut self, offsets: &[(i32, i64)]) -> Result<(), LogError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let list = self.list(offsets.iter().map(|(partition, offset)| (*partition, Some(*offset))))?;
        let results = self.consumer.seek_partitions(list, ROUND_TRIP).map_err(|error| client_error("seek", &error))?;
        for element in results.elements() {
            element.error().map_err(|error| client_error("seek", &error))?;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.producers.begin()
    }

    fn produce(&mut self, output: &Output<'_>) -> Result<(), LogError> {
        self.producers.produce(output)
    }

    fn commit(&mut self, offsets: &[Commit]) -> Result<(), LogError> {
        self.producers.commit(&self.consumer, &self.topic_name_c, offsets, self.held_as.as_deref())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.producers.abort()
    }

    fn tick(&mut self, partition: i32, at: UtcMillis) -> Result<(), LogError> {
        self.producers.tick(partition, at)
    }

    fn close(mut self, leave: bool) {
        if let Err(error) = self.answer_the_rest() {
            debug!(%error, "closing");
        }
        self.consumer.context().close();
        if leave || self.cluster.instance_id.is_none() {
            self.consumer.unsubscribe();
        }
        end_aside(move || self.drop_clients());
    }
}

impl KafkaLog {
    /// Ends every client, the queue before the consumer it belongs to.
    fn drop_clients(self) {
        let KafkaLog { queue, consumer, producers, states, .. } = self;
        drop(states);
        drop(queue);
        producers.flush_ticks();
        drop(consumer);
        drop(producers);
    }
}
