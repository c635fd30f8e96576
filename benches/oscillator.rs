//! The body clock alone: simulated user-days per second on one core, for one traveller and for eight at once with each of the
//! processor's vector widths.
//!
//! `cargo bench --bench oscillator`, or beside another implementation `dev/bench peers`, which calls this program as
//! `job PATH USER_DAYS` and takes its CPU time.

use std::hint::black_box;
use std::process::ExitCode;

use criterion::{Criterion, Throughput};
use zoner::circadian::hannay19::{LANES, LaneStates, Vectors};
use zoner::circadian::{BIN, Hannay19, Hannay19Lanes, Oscillator};
use zoner::units::{Hours, Lux, Span, UtcMillis};

const BINS_PER_DAY: usize = 96;

/// Days that one run simulates.
const DAYS: i64 = 30;

/// 250 lux from 07:00, an hour outdoors at noon, 80 lux from 19:00, dark from 23:00; `late` bins later.
fn day(late: usize) -> [Lux; BINS_PER_DAY] {
    std::array::from_fn(|bin| match (bin + BINS_PER_DAY - late) % BINS_PER_DAY {
        48..52 => Lux(5_000.0),
        28..76 => Lux(250.0),
        76..92 => Lux(80.0),
        _ => Lux(0.0),
    })
}

fn bin_of_day(at: UtcMillis) -> usize {
    (at.0 / BIN.0) as usize % BINS_PER_DAY
}

fn end() -> UtcMillis {
    UtcMillis(0) + Span::days(DAYS)
}

/// One traveller; the phase at the end.
fn single(clock: &Hannay19, light: &[Lux; BINS_PER_DAY]) -> f64 {
    let start = black_box(clock.initial_state());
    clock.integrate(start, UtcMillis(0), end(), |at| light[bin_of_day(at)]).phase().0
}

/// Eight travellers with periods and light gains of their own; the first is the published model.
fn people(clock: &Hannay19) -> [Hannay19; LANES] {
    std::array::from_fn(|lane| {
        let share = lane as f64 / LANES as f64;
        clock.personal(Hours(23.84 + 0.4 * share), 1.0 - 0.5 * share)
    })
}

/// Eight travellers; the phase of the first at the end.
fn lanes(clocks: &Hannay19Lanes, start: &LaneStates, light: impl Fn(UtcMillis) -> [Lux; LANES]) -> f64 {
    let mut states = black_box(*start);
    clocks.integrate(&mut states, UtcMillis(0), end(), light);
    black_box(&states).states()[0].phase().0
}

fn widths() -> Vec<(&'static str, Vectors)> {
    [("plain", Some(Vectors::plain())), ("avx2", Vectors::avx2()), ("avx512", Vectors::avx512())]
        .into_iter()
        .filter_map(|(name, vectors)| Some((name, vectors?)))
        .collect()
}

fn measure(criterion: &mut Criterion) {
    let clock = Hannay19::embedded();
    let shared = day(0);
    // Bin by bin, what each of eight people has: their days begin half an hour apart.
    let own_days: [[Lux; BINS_PER_DAY]; LANES] = std::array::from_fn(|lane| day(2 * lane));
    let own: Vec<[Lux; LANES]> = (0..BINS_PER_DAY).map(|bin| std::array::from_fn(|lane| own_days[lane][bin])).collect();

    let mut group = criterion.benchmark_group("user-days");
    group.throughput(Throughput::Elements(DAYS as u64));
    group.bench_function("one traveller", |bencher| bencher.iter(|| single(&clock, &shared)));
    group.throughput(Throughput::Elements(DAYS as u64 * LANES as u64));
    for (name, vectors) in widths() {
        let clocks = Hannay19Lanes::with_vectors(&people(&clock), vectors);
        let start = LaneStates::new(&[clock.initial_state(); LANES]);
        group.bench_function(format!("eight under one light, {name}"), |bencher| {
            bencher.iter(|| lanes(&clocks, &start, |at| [shared[bin_of_day(at)]; LANES]));
        });
        group.bench_function(format!("eight under their own light, {name}"), |bencher| {
            bencher.iter(|| lanes(&clocks, &start, |at| own[bin_of_day(at)]));
        });
    }
    group.finish();
}

/// Simulates at least so many user-days by one path and prints the last phase of the published model.
fn job(path: &str, user_days: u64) -> Result<(), String> {
    let clock = Hannay19::embedded();
    let shared = day(0);
    let mut phase = 0.0;
    if path == "single" {
        for _ in 0..user_days.div_ceil(DAYS as u64) {
            phase = single(&clock, &shared);
        }
    } else {
        let names: Vec<&str> = widths().iter().map(|(name, _)| *name).collect();
        let Some((_, vectors)) = widths().into_iter().find(|(name, _)| *name == path) else {
            return Err(format!("no path {path}; there are single, {}", names.join(", ")));
        };
        let clocks = Hannay19Lanes::with_vectors(&people(&clock), vectors);
        let start = LaneStates::new(&[clock.initial_state(); LANES]);
        for _ in 0..user_days.div_ceil(DAYS as u64 * LANES as u64) {
            phase = lanes(&clocks, &start, |at| [shared[bin_of_day(at)]; LANES]);
        }
    }
    println!("{phase}");
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["paths"] => {
            let names: Vec<&str> = widths().iter().map(|(name, _)| *name).collect();
            println!("single {}", names.join(" "));
        }
        ["job", path, user_days] => {
            let done = user_days.parse().map_err(|error| format!("{user_days}: {error}")).and_then(|n| job(path, n));
            if let Err(error) = done {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
        _ => {
            let mut criterion = Criterion::default().configure_from_args();
            measure(&mut criterion);
            criterion.final_summary();
        }
    }
    ExitCode::SUCCESS
}
