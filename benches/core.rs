//! The core without Kafka: what one event costs, and one answer.
//!
//! `cargo bench --bench core`. The travellers are as many as fit a partition of a busy installation, so that memory is
//! touched as it is live.

use std::hint::black_box;

use chrono_tz::Tz;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zoner::engine::partition::{Partition, Routing};
use zoner::engine::record::{Position, Record, Topic};
use zoner::engine::{Effects, Processor};
use zoner::event::activity::{Age, AgeBand, Chronotype, Conditions, LightExposure, LightLevel, Profile};
use zoner::event::decode;
use zoner::household::Travellers;
use zoner::planner::{Place, Stretch};
use zoner::traveller::reports::SleepReport;
use zoner::traveller::{Models, Traveller, View};
use zoner::units::{Lux, Span, UtcMillis};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOUSEHOLDS: usize = 65_536;
const START: UtcMillis = UtcMillis(1_790_000_000_000);

struct Event {
    household: String,
    value: String,
}

fn light(number: usize) -> Event {
    let household = format!("household-{:06}", number.wrapping_mul(40_503) % HOUSEHOLDS);
    let at = START.0 / 1_000 + i64::try_from(number % 3_600).unwrap_or(0);
    let value = format!(
        "{{\"user_id\":\"traveller-1\",\"household_id\":\"{household}\",\"activity\":\"light_exposure\",\"timestamp\":{at},\
         \"lux\":{},\"source\":\"watch\",\"event_id\":\"{number:016x}\"}}",
        50 + number % 900
    );
    Event { household, value }
}

fn record(event: &Event, offset: usize, stamp: UtcMillis) -> Record<'_> {
    Record {
        position: Position {
            topic: Topic::UserActivity,
            partition: 0,
            offset: i64::try_from(offset).unwrap_or(i64::MAX),
        },
        stamp,
        key: Some(event.household.as_bytes()),
        value: Some(event.value.as_bytes()),
        origin: None,
    }
}

fn sensor_events(criterion: &mut Criterion) {
    let events: Vec<Event> = (0..4 * HOUSEHOLDS).map(light).collect();
    let stamp = START + Span::hours(1);
    let mut group = criterion.benchmark_group("light event");
    group.throughput(Throughput::Elements(1));

    let mut next = 0;
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % events.len();
            black_box(decode::activity(&record(&events[next], next, stamp)).is_ok())
        });
    });

    let processor = Travellers::embedded();
    let mut partition: Partition<Travellers> = Partition::new(0, 0);
    let mut effects = Effects::default();
    for (offset, event) in events.iter().enumerate() {
        partition.move_time(stamp);
        partition.take(&processor, &record(event, offset, stamp), &|| None, Routing::Anywhere, &mut effects);
    }
    partition.commit();
    let mut next = 0;
    let mut since_commit = 0;
    group.bench_function("decode + apply + undo log", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % events.len();
            let taken = partition.take(
                &processor,
                &record(&events[next], next, stamp),
                &|| None,
                Routing::Anywhere,
                &mut effects,
            );
            since_commit += 1;
            if since_commit == 100_000 {
                partition.commit();
                since_commit = 0;
            }
            black_box(taken)
        });
    });
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let processor = Travellers::embedded();
    let mut partition: Partition<Travellers> = Partition::new(0, 0);
    let mut effects = Effects::default();
    let profile = Event {
        household: "h1".to_owned(),
        value: "{\"user_id\":\"mia\",\"activity\":\"profile\",\"age_band\":\"toddler\",\"home_time_zone\":\"Europe/London\",\
                \"sleep\":{\"bedtime\":\"19:30\",\"wake\":\"07:00\"},\"naps\":[{\"start\":\"12:30\",\"minutes\":90}]}"
            .to_owned(),
    };
    partition.move_time(START);
    partition.take(&processor, &record(&profile, 0, START), &|| None, Routing::Anywhere, &mut effects);
    let mut at = START;
    for minute in 0..2_880 {
        at = START + Span::minutes(minute);
        let light = Event {
            household: "h1".to_owned(),
            value: format!(
                "{{\"user_id\":\"mia\",\"activity\":\"light_exposure\",\"timestamp\":\"{at}\",\"lux\":{}}}",
                minute % 700
            ),
        };
        partition.move_time(at);
        partition.take(&processor, &record(&light, 1, at), &|| None, Routing::Anywhere, &mut effects);
    }
    partition.commit();
    criterion.bench_function("estimate and plan after two days of light every minute", |bencher| {
        let Some(unit) = partition.unit("h1") else { return };
        bencher.iter(|| black_box(processor.estimates(unit, Some("mia"), at)));
    });
}

/// What one answer about a body clock costs: the filter from the kept state, a window of events, and on to the next minimum.
fn estimates(criterion: &mut Criterion) {
    let models = Models::embedded();
    let home = [Stretch { from: UtcMillis(0), to: None, time_zone: Tz::Europe__London, place: Place::Home }];
    let midnight = START.floor_to(Span::days(1));
    let view = |now| View { models: &models, whereabouts: &home, now };
    // Nothing is kept of a first day; after a week the window goes back for 66 to 72 h.
    for (days, bench) in [(1, "assess an adult after a day of events"), (7, "assess an adult after a week of events")] {
        let traveller = adult(&models, &home, midnight, days);
        let now = midnight + Span::days(days - 1) + Span::hours(22);
        criterion.bench_function(bench, |bencher| {
            bencher.iter(|| black_box(traveller.assess(&view(now)).clock));
        });
        eprintln!("that adult's state: {} bytes", size_of::<Traveller>() + traveller.heap_bytes());
    }
}

/// With a profile, a night a day and light by the hour.
fn adult(models: &Models, home: &[Stretch], midnight: UtcMillis, days: i64) -> Traveller {
    let view = |now| View { models, whereabouts: home, now };
    let profile = Profile {
        display_name: None,
        age: Age::Band(AgeBand::Adult),
        home_time_zone: Tz::Europe__London,
        bedtime: 1_380,
        wake: 420,
        naps: None,
        chronotype: Chronotype::Neither,
        caregiver: false,
        melatonin: false,
        caffeine: false,
        weeks_premature: 0,
        conditions: Conditions::default(),
    };
    let mut traveller = Traveller::new("ana", midnight);
    traveller.note_profile(&view(midnight), profile, midnight);
    for day in 0..days {
        let morning = midnight + Span::days(day) + Span::hours(7);
        let night = SleepReport {
            start: morning - Span::hours(8),
            end: Some(morning),
            kind: None,
            deleted: false,
            stamp: morning,
        };
        traveller.note_sleep(&view(morning), &night);
        for hour in 0..14 {
            let start = morning + Span::hours(hour);
            let level = LightLevel::Lux(Lux(100.0 + 40.0 * hour as f64));
            traveller.note_light(&models.light, &LightExposure { start, end: start, level }, start);
        }
        traveller.settle(&view(morning + Span::hours(14)));
    }
    traveller
}

criterion_group!(benches, sensor_events, answers, estimates);
criterion_main!(benches);
