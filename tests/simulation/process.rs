//! A worker of either processor as the world runs it.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use serde::Serialize;
use zoner::engine::clock::Clock;
use zoner::engine::directory::Directory;
use zoner::engine::log::LogError;
use zoner::engine::partition::Partition;
use zoner::engine::processor::{Processor, Unit};
use zoner::engine::worker::{Exit, Settings, Shared, Worker};
use zoner::event::recommendation::Estimate;
use zoner::flight::Flights;
use zoner::household::Travellers;

use crate::invariants::{Invariant, Violation};
use crate::kafka_model::Kafka;
use crate::model_log::ModelLog;
use crate::reference::Reference;
use crate::slot::{Kind, Slot};
use crate::watched::Watched;

/// The numbers shipped with the program take a while to read: once for all seeds.
pub fn travellers() -> Arc<Travellers> {
    static TRAVELLERS: LazyLock<Arc<Travellers>> = LazyLock::new(|| Arc::new(Travellers::embedded()));
    Arc::clone(&TRAVELLERS)
}

/// Undisturbed runs of both inputs, as far as anybody had to look.
pub struct References {
    pub travellers: Reference<Travellers>,
    pub flights: Reference<Flights>,
}

/// A processor that can be held against its reference.
pub trait Comparable: Processor<Unit: PartialEq + Debug + Serialize> {
    fn reference(references: &mut References) -> &mut Reference<Self>
    where
        Self: Sized;
}

impl Comparable for Travellers {
    fn reference(references: &mut References) -> &mut Reference<Travellers> {
        &mut references.travellers
    }
}

impl Comparable for Flights {
    fn reference(references: &mut References) -> &mut Reference<Flights> {
        &mut references.flights
    }
}

/// A partition as its owner sees it.
#[derive(Clone, Copy, Debug)]
pub struct Owned {
    pub partition: i32,
    pub is_live: bool,
    /// The next record; everything before it is committed, unless `is_changed`.
    pub next_offset: i64,
    pub is_changed: bool,
}

pub trait Process {
    /// One round of the worker.
    fn step(&mut self) -> Result<(), LogError>;

    /// SIGTERM.
    fn stop(self: Box<Self>, leave: bool) -> Exit;

    fn owned(&self) -> Vec<Owned>;

    /// ST-1 for one partition that is live and unchanged.
    fn compare(&self, owned: Owned, kafka: &Kafka, references: &mut References) -> Result<(), Violation>;

    /// Of everybody in a partition.
    fn estimates(&self, partition: i32) -> Vec<Estimate>;
}

struct Running<P: Comparable> {
    worker: Worker<Watched<P>, ModelLog>,
    processor: Arc<P>,
    shared: Arc<Shared>,
}

pub fn start(slot: &Slot, log: ModelLog, settings: &Settings) -> Box<dyn Process> {
    match slot.kind {
        Kind::Travellers => Box::new(Running::start(slot, log, settings, travellers())),
        Kind::Flights => Box::new(Running::start(slot, log, settings, Arc::new(Flights))),
    }
}

impl<P: Comparable> Running<P> {
    fn start(slot: &Slot, log: ModelLog, settings: &Settings, processor: Arc<P>) -> Running<P> {
        let clock: Arc<dyn Clock> = slot.clock.clone();
        let shared = Arc::new(Shared { directory: Directory::default(), clock, stop: AtomicBool::new(false) });
        let watched = Arc::new(Watched::new(Arc::clone(&processor), Arc::clone(&slot.journal)));
        let worker = Worker::new(watched, log, Arc::clone(&shared), settings.clone(), 0);
        Running { worker, processor, shared }
    }
}

/// The lines in which two texts part.
fn difference(one: &str, other: &str) -> String {
    let (ones, others): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let same_before = ones.iter().zip(&others).take_while(|(one, other)| one == other).count();
    let same_after = ones.iter().rev().zip(others.iter().rev()).take_while(|(one, other)| one == other).count();
    let part = |lines: &[&str]| {
        let end = lines.len().saturating_sub(same_after).max(same_before);
        lines[same_before.saturating_sub(4)..end].join("\n")
    };
    format!("{}\n{}\ninstead of\n{}", one.lines().nth(1).unwrap_or_default(), part(&ones), part(&others))
}

impl<P: Comparable> Process for Running<P> {
    fn step(&mut self) -> Result<(), LogError> {
        self.worker.step(0, None)
    }

    fn stop(self: Box<Self>, leave: bool) -> Exit {
        self.shared.stop.store(true, Ordering::Release);
        self.worker.run(0, None, leave)
    }

    fn owned(&self) -> Vec<Owned> {
        let live = |number| self.shared.directory.owner(P::INPUT, number).is_some_and(|owner| owner.live);
        self.worker
            .partitions()
            .map(|partition| Owned {
                partition: partition.number(),
                is_live: live(partition.number()),
                next_offset: partition.next_offset(),
                is_changed: !partition.is_unchanged(),
            })
            .collect()
    }

    fn compare(&self, owned: Owned, kafka: &Kafka, references: &mut References) -> Result<(), Violation> {
        let Some(partition) = self.worker.partitions().find(|known| known.number() == owned.partition) else {
            return Ok(());
        };
        let reference = P::reference(references);
        if owned.next_offset < reference.partition(owned.partition).next_offset() {
            return Ok(());
        }
        reference.advance(kafka, owned.partition, owned.next_offset);
        let wanted = reference.partition(owned.partition);
        let at = format!("{} partition {} at offset {}", P::NAME, owned.partition, owned.next_offset);
        let differs = |detail: String| Err(Violation::new(Invariant::St1, format!("{at}: {detail}")));
        if partition.stream_time() != wanted.stream_time() {
            return differs(format!("stream time {:?} instead of {:?}", partition.stream_time(), wanted.stream_time()));
        }
        // A state that is vacant says nothing; it is forgotten when the state topic knows.
        let known = |partition: &'_ Partition<Watched<P>>| -> Vec<P::Unit> {
            partition.units().into_iter().filter(|unit| !unit.is_vacant()).cloned().collect()
        };
        let (units, wanted_units) = (known(partition), known(wanted));
        let keys = |units: &[P::Unit]| units.iter().map(|unit| unit.key().to_owned()).collect::<Vec<_>>();
        if keys(&units) != keys(&wanted_units) {
            return differs(format!("{:?} instead of {:?}", keys(&units), keys(&wanted_units)));
        }
        for (unit, wanted_unit) in units.iter().zip(&wanted_units) {
            let bytes = |unit: &P::Unit| serde_json::to_vec(unit).expect("a state as JSON");
            if unit != wanted_unit || bytes(unit) != bytes(wanted_unit) {
                return differs(difference(&format!("{unit:#?}"), &format!("{wanted_unit:#?}")));
            }
        }
        Ok(())
    }

    fn estimates(&self, number: i32) -> Vec<Estimate> {
        let Some(partition) = self.worker.partitions().find(|known| known.number() == number) else {
            return Vec::new();
        };
        let Some(at) = partition.stream_time() else { return Vec::new() };
        partition.units().into_iter().flat_map(|unit| self.processor.estimates(unit, None, at)).collect()
    }
}
