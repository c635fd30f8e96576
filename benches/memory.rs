//! What a traveller costs in memory: bytes resident in the process, everything included, beside the engine's own count.
//!
//! `cargo bench --bench memory -- [TRAVELLERS]` (default 100,000). Each kind of people is a partition of its own in a process
//! of its own, fed with records as they come from Kafka, in order of time, and one JSON object.

use std::process::{Command, ExitCode};

use zoner::engine::partition::{Partition, Routing};
use zoner::engine::record::{Position, Record, Topic};
use zoner::engine::{Effects, Unit};
use zoner::household::Travellers;
use zoner::units::{Span, UtcMillis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 2026-09-21 00:00 UTC.
const START: UtcMillis = UtcMillis(1_789_948_800_000);
const DAYS: i64 = 8;
const KINDS: [&str; 4] = ["sensor", "settled", "travelling", "population"];

/// Of a population one in so many is on a journey.
const ONE_IN: usize = 50;

/// As many records as a busy worker takes in one transaction.
const COMMIT_EVERY: usize = 5_000;

struct Bench {
    processor: Travellers,
    partition: Partition<Travellers>,
    effects: Effects,
    taken: usize,
    published: usize,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            processor: Travellers::embedded(),
            partition: Partition::new(0, 0),
            effects: Effects::default(),
            taken: 0,
            published: 0,
        }
    }

    /// Moves time on, and looks at everything that comes due on the way.
    fn move_time(&mut self, now: UtcMillis) {
        while let Some(timer) = self.partition.next_timer(now) {
            self.partition.fire(&self.processor, timer, None, &mut self.effects);
            self.after_one();
        }
        self.partition.move_time(now);
    }

    fn take(&mut self, household: &str, value: &str, now: UtcMillis) {
        self.move_time(now);
        let offset = self.partition.next_offset();
        let position = Position { topic: Topic::UserActivity, partition: 0, offset };
        let record = Record {
            position,
            stamp: now,
            key: Some(household.as_bytes()),
            value: Some(value.as_bytes()),
            origin: None,
        };
        self.partition.take(&self.processor, &record, &|| None, Routing::Anywhere, &mut self.effects);
        self.partition.done_with(offset);
        self.after_one();
    }

    fn after_one(&mut self) {
        self.published += self.effects.list.len();
        self.effects.clear();
        self.taken += 1;
        if self.taken.is_multiple_of(COMMIT_EVERY) {
            self.partition.commit();
        }
    }
}

/// Everybody's next record at a time of day: one each, so that states grow side by side as they do live.
fn everybody(bench: &mut Bench, travellers: usize, at: UtcMillis, record: impl Fn(usize) -> String) {
    one_in(1, bench, travellers, at, record);
}

/// The same of every `each`th.
fn one_in(each: usize, bench: &mut Bench, travellers: usize, at: UtcMillis, record: impl Fn(usize) -> String) {
    for number in (0..travellers).step_by(each) {
        bench.take(&household(number), &record(number), at);
    }
}

fn household(number: usize) -> String {
    format!("household-{number:07}")
}

fn lived(kind: &str, travellers: usize) -> Bench {
    let mut bench = Bench::new();
    let clock = |at: UtcMillis| at.0 / 1_000;
    if kind != "sensor" {
        everybody(&mut bench, travellers, START, |_| {
            "{\"user_id\":\"1\",\"activity\":\"profile\",\"age_band\":\"adult\",\"home_time_zone\":\"Europe/London\",\
             \"sleep\":{\"bedtime\":\"23:00\",\"wake\":\"07:00\"}}"
                .to_owned()
        });
    }
    if kind == "travelling" || kind == "population" {
        let each = if kind == "travelling" { 1 } else { ONE_IN };
        let (departs, arrives) = (START + Span::hours(2 * 24 + 12), START + Span::hours(2 * 24 + 20));
        one_in(each, &mut bench, travellers, START + Span::minutes(1), |number| {
            format!(
                "{{\"user_id\":\"1\",\"activity\":\"trip\",\"trip_id\":\"t{number}\",\"revision\":1,\"legs\":[{{\"flight\":\"BA{}\",\
                 \"origin\":\"LHR\",\"destination\":\"JFK\",\"departs\":{},\"arrives\":{}}}]}}",
                100 + number % 800,
                clock(departs),
                clock(arrives)
            )
        });
    }
    for day in 0..DAYS {
        let wake = START + Span::days(day) + Span::hours(6);
        if kind != "sensor" {
            everybody(&mut bench, travellers, wake + Span::minutes(5), |_| {
                let (start, end) = (clock(wake - Span::hours(8)), clock(wake));
                format!("{{\"user_id\":\"1\",\"activity\":\"sleep\",\"start\":{start},\"end\":{end}}}")
            });
        }
        for hour in 1..15 {
            let at = wake + Span::hours(hour);
            everybody(&mut bench, travellers, at, |number| {
                let (time, lux) = (clock(at), 50 + (number * 7 + hour as usize * 31) % 900);
                format!("{{\"user_id\":\"1\",\"activity\":\"light_exposure\",\"timestamp\":{time},\"lux\":{lux}}}")
            });
        }
    }
    bench.partition.commit();
    bench
}

fn measure(kind: &str, travellers: usize) {
    // What the program itself needs is not a traveller's.
    drop(lived(kind, 100));
    let before = resident();
    let bench = lived(kind, travellers);
    let bytes = resident().saturating_sub(before);
    let counted: usize = bench.partition.units().iter().map(|unit| unit.resident_bytes()).sum();
    println!(
        "{{\"kind\": \"{kind}\", \"travellers\": {travellers}, \"records\": {}, \"recommendations\": {}, \
         \"resident_bytes_per_traveller\": {:.0}, \"counted_bytes_per_traveller\": {:.0}}}",
        bench.taken,
        bench.published,
        bytes as f64 / travellers as f64,
        counted as f64 / travellers as f64
    );
}

/// Resident bytes of this process.
#[expect(clippy::expect_used, reason = "a bench for Linux")]
fn resident() -> u64 {
    const PAGE: u64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("resident pages") * PAGE
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |text: Option<&String>| text.and_then(|text| text.parse().ok());
    match arguments.as_slice() {
        [kind, count] if KINDS.contains(&kind.as_str()) => {
            let Some(travellers) = number(Some(count)) else { return ExitCode::FAILURE };
            measure(kind, travellers);
            ExitCode::SUCCESS
        }
        others => {
            let travellers: usize = number(others.first()).unwrap_or(100_000);
            let run = |kind: &&str| {
                let program = std::env::current_exe()?;
                Command::new(program).arg(kind).arg(travellers.to_string()).status()
            };
            let all_well = KINDS.iter().all(|kind| run(kind).is_ok_and(|status| status.success()));
            if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}
