//! The service in a process: the workers of both processors, and what happens when one of them ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use crate::engine::clock::Clock;
use crate::engine::directory::Directory;
use crate::engine::log::LogError;
use crate::engine::processor::Processor;
use crate::engine::worker::{Exit, Kept, Settings, Shared, Worker};
use crate::flight::Flights;
use crate::household::Travellers;
use crate::kafka::{Cluster, KafkaLog, knock};

/// How long a worker waits before it joins again; doubled up to the second value while joining fails.
const REJOIN_PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How long stopping may take: less than an orchestrator's usual patience (30 s), after which it kills without a word.
pub const LONGEST_STOP: Duration = Duration::from_secs(25);
const STOP_PAUSE: Duration = Duration::from_millis(5);

/// What a service needs to know.
#[derive(Clone)]
pub struct Plan {
    pub cluster: Arc<Cluster>,
    pub travellers: Settings,
    pub flights: Settings,
    pub traveller_workers: usize,
    pub flight_workers: usize,
    /// Give partitions up at the end, even as a static member.
    pub leave: bool,
}

/// Running workers. Stop them with [`Service::stop`]; dropping does not.
pub struct Service {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Option<String>>>,
}

impl Service {
    /// Starts every worker in a thread of its own.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(plan: &Plan, clock: Arc<dyn Clock>) -> std::io::Result<Service> {
        let shared = Arc::new(Shared { directory: Directory::default(), clock, stop: AtomicBool::new(false) });
        let mut threads = Vec::new();
        let travellers = Arc::new(Travellers::embedded());
        for worker in 0..plan.traveller_workers {
            threads.push(spawn(Arc::clone(&travellers), plan, &plan.travellers, Arc::clone(&shared), worker)?);
        }
        let flights = Arc::new(Flights);
        for worker in 0..plan.flight_workers {
            threads.push(spawn(Arc::clone(&flights), plan, &plan.flights, Arc::clone(&shared), worker)?);
        }
        threads.push(look_after(
            plan,
            Arc::clone(&shared),
            charge::<Travellers>(plan.traveller_workers, &plan.travellers),
        )?);
        threads.push(look_after(plan, Arc::clone(&shared), charge::<Flights>(plan.flight_workers, &plan.flights))?);
        Ok(Service { shared, threads })
    }

    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// A worker has ended although nobody asked it to.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.shared.directory.has_failed()
    }

    /// Lets every worker commit and leave; those that have not done so after [`LONGEST_STOP`] are left behind.
    ///
    /// # Errors
    /// Why workers failed, and that some were left behind.
    pub fn stop(self) -> Result<(), String> {
        self.shared.stop.store(true, Ordering::Release);
        let deadline = Instant::now() + LONGEST_STOP;
        self.threads.iter().for_each(|thread| thread.thread().unpark());
        let mut failures = Vec::new();
        for thread in self.threads {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(STOP_PAUSE);
            }
            let why = if thread.is_finished() {
                thread.join().unwrap_or_else(|_| Some("a worker panicked".to_owned()))
            } else {
                Some(format!(
                    "no broker took the last transaction within {} seconds: ended without it. Nothing is lost, the next start \
                     takes its records in again",
                    LONGEST_STOP.as_secs()
                ))
            };
            // A worker and who looks after its group may notice the same.
            failures.extend(why.filter(|why| !failures.contains(why)));
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
    }
}

fn spawn<P: Processor>(
    processor: Arc<P>,
    plan: &Plan,
    settings: &Settings,
    shared: Arc<Shared>,
    worker: usize,
) -> std::io::Result<JoinHandle<Option<String>>> {
    let cluster = Arc::clone(&plan.cluster);
    let mut settings = settings.clone();
    if cluster.embedded {
        // Nothing that is written in a transaction can be relied on there.
        settings.checkpoints = None;
    }
    let leave = plan.leave;
    shared.directory.expect_worker(P::INPUT, worker);
    thread::Builder::new().name(format!("{}-{worker}", P::NAME)).spawn(move || {
        let ended = Alarm(Arc::clone(&shared));
        let failure = keep_working(&processor, &cluster, &settings, &shared, worker, leave);
        if let Some(why) = &failure {
            // Whoever stops the service is told, and tells it once.
            debug!(processor = P::NAME, worker, why, "worker failed");
        } else {
            std::mem::forget(ended);
        }
        failure
    })
}

fn charge<P: Processor>(workers: usize, settings: &Settings) -> knock::Charge {
    knock::Charge { topic: P::INPUT, processor: P::NAME, workers, partitions: settings.partitions }
}

/// A thread that sees to it that every partition of a processor's input has an owner, and that its topics stay what they are.
fn look_after(plan: &Plan, shared: Arc<Shared>, charge: knock::Charge) -> std::io::Result<JoinHandle<Option<String>>> {
    let cluster = Arc::clone(&plan.cluster);
    thread::Builder::new().name(format!("{}-watch", charge.processor)).spawn(move || {
        let failure = knock::watch(&cluster, charge, &shared).err();
        if let Some(why) = &failure {
            debug!(processor = charge.processor, why, "nobody can go on");
            shared.directory.set_failed();
        }
        failure
    })
}

/// Raised when a worker's thread ends without having been asked to, by an error or a panic.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.directory.set_failed();
    }
}

fn keep_working<P: Processor>(
    processor: &Arc<P>,
    cluster: &Arc<Cluster>,
    settings: &Settings,
    shared: &Arc<Shared>,
    worker: usize,
    leave: bool,
) -> Option<String> {
    let mut pause = REJOIN_PAUSES.0;
    // The embedded cluster stores no transactional offsets: there, memory is all that a rejoin can go on from.
    let mut kept: Option<Kept<P>> = cluster.embedded.then(Vec::new);
    while !shared.stop.load(Ordering::Acquire) {
        let log = match KafkaLog::join(Arc::clone(cluster), P::INPUT, P::NAME, worker) {
            Ok(log) => log,
            Err(LogError::Fatal(why)) => return Some(why),
            Err(error) => {
                warn!(processor = P::NAME, worker, %error, "could not join; trying again");
                thread::park_timeout(pause);
                pause = (pause * 2).min(REJOIN_PAUSES.1);
                continue;
            }
        };
        pause = REJOIN_PAUSES.0;
        let run = Worker::new(Arc::clone(processor), log, Arc::clone(shared), settings.clone(), worker);
        match run.run(worker, kept.as_mut(), leave) {
            Exit::Stopped => break,
            Exit::Rejoin(why) => {
                warn!(processor = P::NAME, worker, why, "joining again");
                thread::park_timeout(pause);
            }
            Exit::Failed(why) => return Some(why),
        }
    }
    info!(processor = P::NAME, worker, "worker stopped");
    None
}
