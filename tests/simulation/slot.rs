//! A place for a process: who runs there, whether it lives, what it has fired.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use zoner::engine::clock::Clock;
use zoner::engine::record::Topic;
use zoner::units::UtcMillis;

use crate::kafka_model::GroupName;
use crate::membership::Membership;
use crate::process::Process;
use crate::watched::{Journal, Noted, note};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Travellers,
    Flights,
}

impl Kind {
    pub const fn group(self) -> GroupName {
        match self {
            Kind::Travellers => "zoner-travellers",
            Kind::Flights => "zoner-flights",
        }
    }

    pub const fn input(self) -> Topic {
        match self {
            Kind::Travellers => Topic::UserActivity,
            Kind::Flights => Topic::FlightStatus,
        }
    }
}

/// A machine's clock: the world's, off by what it is off.
#[derive(Debug)]
pub struct ModelClock {
    wall: Arc<AtomicI64>,
    elapsed: Arc<AtomicI64>,
    skew: AtomicI64,
    is_simulated: bool,
}

impl ModelClock {
    pub fn new(wall: Arc<AtomicI64>, elapsed: Arc<AtomicI64>, is_simulated: bool) -> ModelClock {
        ModelClock { wall, elapsed, skew: AtomicI64::new(0), is_simulated }
    }

    pub fn wall(&self) -> i64 {
        self.wall.load(Ordering::Relaxed) + self.skew.load(Ordering::Relaxed)
    }

    pub fn set_skew(&self, milliseconds: i64) {
        self.skew.store(milliseconds, Ordering::Relaxed);
    }
}

impl Clock for ModelClock {
    fn now(&self) -> UtcMillis {
        UtcMillis(self.wall())
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(Ordering::Relaxed).unsigned_abs())
    }

    fn is_simulated(&self) -> bool {
        self.is_simulated
    }
}

pub struct Slot {
    pub kind: Kind,
    pub number: usize,
    /// A static member's name.
    pub instance: Option<String>,
    pub clock: Arc<ModelClock>,
    pub process: RefCell<Option<Box<dyn Process>>>,
    /// The consumer of the process that runs, shared with its background threads.
    pub membership: RefCell<Option<Rc<RefCell<Membership>>>>,
    /// Its worker is between two calls, further up the stack.
    pub is_busy: Cell<bool>,
    pub is_frozen: Cell<bool>,
    /// What runs here was killed and has not noticed yet.
    pub is_killed: Cell<bool>,
    /// Nobody starts it again.
    pub is_retired: Cell<bool>,
    pub rests_until: Cell<i64>,
    /// A process without an instance id has a name that nobody had before.
    pub incarnation: Cell<u32>,
    pub journal: Journal,
    /// When its states were refused.
    pub refused: RefCell<Vec<i64>>,
}

impl Slot {
    pub fn new(kind: Kind, number: usize, instance: Option<String>, clock: ModelClock) -> Slot {
        Slot {
            kind,
            number,
            instance,
            clock: Arc::new(clock),
            process: RefCell::new(None),
            membership: RefCell::new(None),
            is_busy: Cell::new(false),
            is_frozen: Cell::new(false),
            is_killed: Cell::new(false),
            is_retired: Cell::new(false),
            rests_until: Cell::new(0),
            incarnation: Cell::new(0),
            journal: Journal::default(),
            refused: RefCell::default(),
        }
    }

    /// What its transactional ids contain.
    pub fn identity(&self) -> String {
        self.instance.clone().unwrap_or_else(|| format!("{}-{}", self.number, self.incarnation.get()))
    }

    pub fn journal_begins_anew(&self, partitions: impl IntoIterator<Item = i32>) {
        for partition in partitions {
            note(&self.journal, Noted::BeginsAnew(partition));
        }
    }
}
