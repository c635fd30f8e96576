//! How fast records were taken, and what this process used of the machine meanwhile (Linux).

use std::time::{Duration, Instant};

/// How far it had come at a moment, and what that had taken.
#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    count: u64,
    spent: Spent,
}

/// Progress between the first records that count and nine tenths of all: what starting costs, and what a last transaction
/// waits for when nothing more comes, is not in it. The second half is looked at by itself: by then everybody is known.
#[derive(Default)]
pub struct Progress {
    first: Option<Mark>,
    half: Option<Mark>,
    last: Option<Mark>,
}

impl Progress {
    pub fn observe(&mut self, count: u64, events: u64, spent: impl Fn() -> Spent) {
        if count == 0 || self.last.is_some() {
            return;
        }
        let mark = |due: bool, place: &mut Option<Mark>| {
            if due && place.is_none() {
                *place = Some(Mark { at: Instant::now(), count, spent: spent() });
            }
        };
        mark(true, &mut self.first);
        mark(count * 2 >= events, &mut self.half);
        mark(count * 10 >= events * 9, &mut self.last);
    }

    fn between(from: Option<Mark>, to: Option<Mark>) -> Option<(u64, Duration, Spent)> {
        let (from, to) = (from?, to?);
        (to.count > from.count).then(|| (to.count - from.count, to.at - from.at, to.spent.since(from.spent)))
    }

    /// Events a second.
    fn rate(from: Option<Mark>, to: Option<Mark>) -> f64 {
        Progress::between(from, to).map_or(f64::NAN, |(events, took, _)| events as f64 / took.as_secs_f64())
    }

    /// Of the threads that take the records.
    fn takers_ns(from: Option<Mark>, to: Option<Mark>) -> f64 {
        Progress::between(from, to)
            .map_or(f64::NAN, |(events, _, spent)| spent.takers.as_secs_f64() * 1e9 / events as f64)
    }
}

pub struct Measure {
    pub progress: Progress,
    pub spent: Spent,
}

impl Measure {
    pub fn rate(&self) -> f64 {
        Progress::rate(self.progress.first, self.progress.last)
    }

    pub fn second_half_rate(&self) -> f64 {
        Progress::rate(self.progress.half, self.progress.last)
    }

    pub fn second_half_takers_ns(&self) -> f64 {
        Progress::takers_ns(self.progress.half, self.progress.last)
    }

    pub fn per_cpu(&self, events: u64) -> f64 {
        events as f64 / self.spent.process.as_secs_f64()
    }

    pub fn takers_ns(&self, events: u64) -> f64 {
        self.spent.takers.as_secs_f64() * 1e9 / events as f64
    }

    pub fn clients_ns(&self, events: u64) -> f64 {
        self.spent.clients.as_secs_f64() * 1e9 / events as f64
    }
}

/// What this process has used of the machine. CPU time depends less than rates on what else the machine does.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    pub process: Duration,
    /// The threads that take the records from the queue.
    pub takers: Duration,
    /// librdkafka's own.
    pub clients: Duration,
    /// Pages that the kernel had to find memory for.
    pub faults: u64,
}

impl Spent {
    /// Up to now, by the threads that live. `takes` tells the threads that take records by their names.
    pub fn so_far(takes: impl Fn(&str) -> bool) -> Spent {
        let mut spent = Spent { process: cpu_time(), faults: faults(), ..Spent::default() };
        for task in std::fs::read_dir("/proc/self/task").expect("Linux").filter_map(Result::ok) {
            let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let on_cpu = on_cpu(&task.path().join("schedstat"));
            if takes(name.trim_end()) {
                spent.takers += on_cpu;
            } else if name.starts_with("rdk:") {
                spent.clients += on_cpu;
            }
        }
        spent
    }

    /// Threads that have ended meanwhile are missing from the groups, not from the process.
    pub fn since(self, before: Spent) -> Spent {
        Spent {
            process: self.process - before.process,
            takers: self.takers.saturating_sub(before.takers),
            clients: self.clients.saturating_sub(before.clients),
            faults: self.faults - before.faults,
        }
    }
}

/// The first number of a `schedstat` file of Linux.
fn on_cpu(schedstat: &std::path::Path) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// A field of `/proc/self/stat`, counted from the state, which follows the name.
fn stat(field: usize) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a process name in parentheses");
    after_name.split_whitespace().nth(field).and_then(|field| field.parse().ok()).expect("a number")
}

/// User and system time of this process, threads that have ended included.
fn cpu_time() -> Duration {
    const TICKS_PER_SECOND: f64 = 100.0;
    Duration::from_secs_f64((stat(11) + stat(12)) as f64 / TICKS_PER_SECOND)
}

/// Page faults of this process that needed no disk.
fn faults() -> u64 {
    stat(7)
}

/// Resident bytes of this process.
pub fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("resident pages") * PAGE
}
