//! The core without Kafka: what one event costs, and one answer.
//!
//! `cargo bench --bench core`. The travellers are as many as fit a partition of a busy installation, so that memory is
//! touched as it is live.

use std::hint::black_box;
use std::time::Duration;

use chrono_tz::Tz;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zoner::engine::partition::{Partition, Routing};
use zoner::engine::record::{Position, Record, Topic};
use zoner::engine::{Effects, Processor};
use zoner::event::activity::{
    Age, AgeBand, Chronotype, Conditions, LightExposure, LightLevel, Marker, PhaseMeasurement, Profile, UsualNap,
};
use zoner::event::decode;
use zoner::event::flight::Iata;
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

/// Days before a journey begins.
const AT_HOME: i64 = 4;
/// A test is taken on each of the days from this one on.
const FIRST_TEST: i64 = 2;
/// From this day on, who works at night does.
const FIRST_NIGHT_OF_WORK: i64 = 3;

/// How somebody lives of whose clock it is asked.
#[derive(Clone, Copy)]
struct Life {
    name: &'static str,
    /// How many days have been lived when it is asked, at ten in the evening. After a flight: since the landing.
    days: &'static [i64],
    age: AgeBand,
    has_profile: bool,
    light_every: Span,
    /// Whether the clock is settled every evening, as it is for who is told something; else when facts have gathered.
    is_settled_daily: bool,
    works_at_night: bool,
    /// After a flight from London: hours that the local clock is ahead of the one at home, its zone, and an airport.
    flown: Option<(i64, Tz, &'static str)>,
    tests: i64,
}

const ADULT: Life = Life {
    name: "an adult",
    days: &[1, 7],
    age: AgeBand::Adult,
    has_profile: true,
    light_every: Span::hours(1),
    is_settled_daily: true,
    works_at_night: false,
    flown: None,
    tests: 0,
};
const MINUTE: Span = Span::minutes(1);
const FAR_WEST: Option<(i64, Tz, &str)> = Some((-8, Tz::America__Los_Angeles, "LAX"));
const FAR_EAST: Option<(i64, Tz, &str)> = Some((10, Tz::Australia__Brisbane, "BNE"));

/// On the first day the window begins in the phase of the habit, later in what was settled; 66 to 72 h of it are run again. Who
/// landed four days ago is followed by several beliefs over all of it.
const LIVES: &[Life] = &[
    ADULT,
    Life { name: "an adult, light every minute", light_every: MINUTE, ..ADULT },
    Life { name: "an adult with eight tests", tests: 8, days: &[14], ..ADULT },
    Life { name: "an adult at work at night", works_at_night: true, days: &[6, 14], ..ADULT },
    Life {
        name: "an adult that nobody settles, nights alone",
        is_settled_daily: false,
        light_every: Span::days(1),
        days: &[9],
        ..ADULT
    },
    Life { name: "a stranger", has_profile: false, ..ADULT },
    Life { name: "a stranger, light every minute", has_profile: false, light_every: MINUTE, ..ADULT },
    Life { name: "a toddler", age: AgeBand::Toddler, ..ADULT },
    Life { name: "a toddler, light every minute", age: AgeBand::Toddler, light_every: MINUTE, ..ADULT },
    Life {
        name: "a toddler, light every minute, settled late",
        age: AgeBand::Toddler,
        light_every: MINUTE,
        is_settled_daily: false,
        ..ADULT
    },
    Life { name: "an adult flown 8 h west", flown: FAR_WEST, days: &[1, 4], ..ADULT },
    Life { name: "an adult flown 10 h east", flown: FAR_EAST, days: &[1, 4], ..ADULT },
    Life { name: "a toddler flown 8 h west", flown: FAR_WEST, age: AgeBand::Toddler, days: &[1, 4], ..ADULT },
    Life {
        name: "a toddler flown 10 h east, light every minute",
        flown: FAR_EAST,
        age: AgeBand::Toddler,
        light_every: MINUTE,
        days: &[1, 4],
        ..ADULT
    },
];

/// What one answer about a body clock costs: the filter from the kept state, a window of events, and on to the next minimum.
fn estimates(criterion: &mut Criterion) {
    let models = Models::embedded();
    let mut group = criterion.benchmark_group("assess");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for life in LIVES {
        for days in life.days {
            let (traveller, whereabouts, now) = life.lived(&models, *days);
            let view = View { models: &models, whereabouts: &whereabouts, now };
            group.bench_function(format!("{}, day {days}", life.name), |bencher| {
                bencher.iter(|| black_box(traveller.assess(&view)));
            });
            eprintln!("    state: {} bytes", size_of::<Traveller>() + traveller.heap_bytes());
        }
    }
    group.finish();
}

fn sleeps(view: &View<'_>, traveller: &mut Traveller, start: UtcMillis, end: UtcMillis) {
    traveller.note_sleep(view, &SleepReport { start, end: Some(end), kind: None, deleted: false, stamp: end });
}

impl Life {
    /// The traveller after so many days, where they were, and the time of asking.
    fn lived(&self, models: &Models, days: i64) -> (Traveller, Vec<Stretch>, UtcMillis) {
        // In London.
        let midnight = START.floor_to(Span::days(1)) - Span::hours(1);
        let whereabouts = self.whereabouts(midnight);
        let mut traveller = Traveller::new("ana", midnight);
        if self.has_profile {
            let view = View { models, whereabouts: &whereabouts, now: midnight };
            traveller.note_profile(&view, self.profile(), midnight);
        }
        let all_days = days + if self.flown.is_some() { AT_HOME } else { 0 };
        let mut evening = midnight;
        for day in 0..all_days {
            evening = self.live_day(models, &mut traveller, &whereabouts, midnight, day);
        }
        (traveller, whereabouts, evening)
    }

    /// A night, light through the day; the evening of it.
    fn live_day(
        &self,
        models: &Models,
        traveller: &mut Traveller,
        whereabouts: &[Stretch],
        midnight: UtcMillis,
        day: i64,
    ) -> UtcMillis {
        let view = |now| View { models, whereabouts, now };
        let ahead = self.flown.filter(|_| day >= AT_HOME).map_or(0, |(ahead, ..)| ahead);
        let works = if self.works_at_night && day >= FIRST_NIGHT_OF_WORK { 9 } else { 0 };
        let wake = midnight + Span::days(day) + Span::hours(7 - ahead + works);
        let slept = if self.age == AgeBand::Toddler { Span::minutes(690) } else { Span::hours(8) };
        sleeps(&view(wake), traveller, wake - slept, wake);
        let awake = Span::days(1) - slept - Span::hours(1);
        let mut now = wake;
        while now < wake + awake {
            let hour = (now - wake).as_hours().0;
            let level = LightLevel::Lux(Lux(libm::floor(100.0 + 40.0 * hour + (now.0 / MINUTE.0 % 7) as f64)));
            traveller.note_light(&models.light, &LightExposure { start: now, end: now, level }, now);
            if traveller.has_gathered_facts(now) {
                traveller.settle(&view(now));
            }
            now += self.light_every;
        }
        if self.age == AgeBand::Toddler {
            let nap = wake + Span::minutes(330);
            sleeps(&view(wake + awake), traveller, nap, nap + Span::minutes(90));
        }
        if (FIRST_TEST..FIRST_TEST + self.tests).contains(&day) {
            let test = PhaseMeasurement { marker: Marker::Cbtmin, at: wake - Span::hours(3), sd: Span::minutes(20) };
            traveller.note_measurement(&view(wake), &test, wake);
        }
        if self.is_settled_daily {
            traveller.settle(&view(wake + awake));
        }
        wake + awake
    }

    fn whereabouts(&self, midnight: UtcMillis) -> Vec<Stretch> {
        let stretch = |from, to, time_zone, place| Stretch { from, to, time_zone, place };
        let airports = self.flown.and_then(|(_, _, code)| Some((Iata::parse("LHR")?, Iata::parse(code)?)));
        let (Some((_, zone, _)), Some((origin, destination))) = (self.flown, airports) else {
            return vec![stretch(UtcMillis(0), None, Tz::Europe__London, Place::Home)];
        };
        let (departs, lands) =
            (midnight + Span::days(AT_HOME - 1) + Span::hours(10), midnight + Span::days(AT_HOME) - Span::hours(3));
        vec![
            stretch(UtcMillis(0), Some(departs), Tz::Europe__London, Place::Home),
            stretch(departs, Some(lands), zone, Place::Aboard { origin, destination }),
            stretch(lands, None, zone, Place::Away { airport: destination }),
        ]
    }

    fn profile(&self) -> Profile {
        let is_toddler = self.age == AgeBand::Toddler;
        Profile {
            display_name: None,
            age: Age::Band(self.age),
            home_time_zone: Tz::Europe__London,
            bedtime: if is_toddler { 1_170 } else { 1_380 },
            wake: 420,
            naps: is_toddler.then(|| [UsualNap { start: 750, minutes: 90 }].into()),
            chronotype: Chronotype::Neither,
            caregiver: false,
            melatonin: false,
            caffeine: false,
            weeks_premature: 0,
            conditions: Conditions::default(),
        }
    }
}

criterion_group!(benches, sensor_events, answers, estimates);
criterion_main!(benches);
