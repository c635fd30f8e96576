//! One day of somebody's life, from waking up to waking up, and what is written down of it.

use crate::circadian::{CELL, Hannay19, LightModel, cbt_min_crossings};
use crate::event::activity::MealKind;
use crate::flight::zones;
use crate::simulate::habit::Habit;
use crate::simulate::interval::{Interval, hours_of, minutes_of, to_minute};
use crate::simulate::naps::{self, NapDay, Told};
use crate::simulate::numbers::{Numbers, Rates};
use crate::simulate::pending::{Pending, Saying, soon, sooner_or_later};
use crate::simulate::person::{Identity, Lived, TrueClock};
use crate::simulate::random::Random;
use crate::simulate::travel::Whereabouts;
use crate::simulate::wire::{Head, MealLine, OutdoorLine, ReadingLine, SkippedLine, SleepLine, json};
use crate::units::{Hours, Span, UtcMillis};

/// Nobody goes back to bed sooner.
const LEAST_AWAKE: Span = Span::hours(4);

/// A middle of the night this soon after waking up belongs to the night that is over.
const SAME_NIGHT: Span = Span::hours(6);

const LEAST_PIECE: Span = Span::minutes(45);
const LEAST_NIGHT: Span = Span::hours(3);
const LEAST_DOZE: Span = Span::hours(1);

/// What is the same for everybody in the scenario.
#[derive(Debug)]
pub struct World {
    pub base: Hannay19,
    pub light: LightModel,
    pub numbers: &'static Numbers,
    pub rates: Rates,
}

/// Somebody's life, a day at a time.
#[derive(Clone, Debug)]
pub struct Life {
    pub identity: Identity,
    pub habit: Habit,
    pub clock: TrueClock,
    pub random: Random,
    pub lived: Lived,
    /// Awake from then on; nothing is decided yet about what follows.
    pub awake_from: UtcMillis,
    /// By habit to the minute, and no chance but what a script says.
    pub script: Option<naps::Script>,
}

/// A day as it will be lived: decided before it is.
struct Day {
    naps: NapDay,
    /// Aboard, at the body's night.
    doze: Option<Interval>,
    /// In pieces where travel interrupts it; never empty.
    night: Vec<Interval>,
    walk: Option<Interval>,
}

impl Life {
    /// Lives until the next morning: writes down, keeps the clock, and is awake from then on.
    pub fn live_a_day(&mut self, world: &World, household: &str, whereabouts: Whereabouts<'_>, pending: &mut Pending) {
        let day = self.decide(world, whereabouts);
        self.write_sleep(world, household, &day, pending);
        self.write_walk(world, household, &day, pending);
        self.write_meals(world, household, &day, pending);

        self.lived.brightness = self.random.factor(world.numbers.light.day_log_sd);
        let naps = day.naps.naps.iter().map(|nap| nap.asleep);
        self.lived.asleep.extend(naps.chain(day.doze).chain(day.night.iter().copied()));
        self.lived.outdoors.extend(day.walk);
        let morning = day.night.last().map_or(self.awake_from + Span::days(1), |night| night.end);
        self.write_reading(world, household, whereabouts, morning, pending);
        self.run_clock(world, whereabouts, morning, pending);
        self.lived.forget(self.clock.at);
        self.awake_from = morning;
    }

    fn decide(&mut self, world: &World, whereabouts: Whereabouts<'_>) -> Day {
        let numbers = world.numbers;
        let mut bed = self.next_night(numbers, whereabouts);
        let doze = self.doze(whereabouts, bed);
        let naps = naps::of_day(self, world, whereabouts, doze, bed);
        if naps.missed_last {
            bed.start = bed.start - minutes_of(numbers.naps.earlier_bed);
        }
        bed.start = naps.naps.last().map_or(bed.start, |nap| bed.start.max(nap.asleep.end + Span::minutes(30)));
        let busy = whereabouts.busy(bed);
        let mut night = bed.without(&busy, LEAST_PIECE);
        if night.is_empty() {
            let start = busy.iter().map(|busy| busy.end).max().unwrap_or(bed.start).max(bed.start);
            night.push(Interval::new(start, start + LEAST_NIGHT));
        }
        let walk = self.walk(numbers, whereabouts, &naps, doze, &night);
        Day { naps, doze, night, walk }
    }

    /// The next main sleep: the wall's night, or something between it and the body's in the weeks after a flight.
    fn next_night(&mut self, numbers: &Numbers, whereabouts: Whereabouts<'_>) -> Interval {
        let half = hours_of(0.5 * self.habit.night);
        let earliest = self.awake_from + SAME_NIGHT;
        let first_guess = self.wall_middle(whereabouts, earliest, earliest + Span::hours(6));
        let wall = self.wall_middle(whereabouts, earliest, first_guess - half);
        let mut middle = wall;
        if let Some(follows_wall) = whereabouts.between_clocks(wall - half) {
            let body = self.clock.last_cbt_min - Span::from_hours(self.clock.delta);
            let apart = (body - wall).as_hours().wrap_12();
            middle += Span::from_hours(Hours((1.0 - follows_wall) * apart.0));
        }
        let (moved, longer) = self.tonight(numbers, whereabouts);
        let start = to_minute(middle + moved - half - Span(longer.0 / 2));
        let end = start + hours_of(self.habit.night) + longer;
        let start_at_least = self.awake_from + LEAST_AWAKE;
        if start >= start_at_least {
            return Interval::new(start, end);
        }
        Interval::new(start_at_least, end.max(start_at_least + LEAST_NIGHT))
    }

    /// The first habitual middle of the night at or after `earliest`, on the clock in use at `at`.
    fn wall_middle(&self, whereabouts: Whereabouts<'_>, earliest: UtcMillis, at: UtcMillis) -> UtcMillis {
        let zone = whereabouts.zone_at(at);
        let minute = libm::round(self.habit.middle * 60.0) as i32;
        let today = zones::local_date(zone, earliest);
        let days = today.pred_opt().into_iter().chain(today.iter_days().take(4));
        let mut middles = days.map(|date| zones::to_utc(zone, date, minute));
        middles.find(|middle| *middle >= earliest).unwrap_or(earliest)
    }

    /// How far tonight's middle and length are from habit.
    fn tonight(&mut self, numbers: &Numbers, whereabouts: Whereabouts<'_>) -> (Span, Span) {
        if self.script.is_some() {
            let steadiness = numbers.demo.steadiness;
            return (self.random.minutes(-steadiness, steadiness), Span::ZERO);
        }
        let night = &numbers.night;
        let months = self.identity.months(zones::local_date(whereabouts.home, self.awake_from));
        let middle_sd = if self.identity.is_adult {
            night.middle_sd_adult
        } else if months < 6.0 {
            night.middle_sd_young
        } else {
            night.middle_sd_child
        };
        (hours_of(middle_sd * self.random.normal()), hours_of(night.length_sd * self.random.normal()))
    }

    /// Aboard while the body has its night, away from tonight's bed.
    fn doze(&self, whereabouts: Whereabouts<'_>, bed: Interval) -> Option<Interval> {
        let half = hours_of(0.5 * self.habit.night);
        let body = self.clock.last_cbt_min - Span::from_hours(self.clock.delta);
        let from = self.awake_from + Span::hours(2);
        let free = Interval::new(from, bed.start - Span::hours(2));
        let nights =
            (0..3).map(|days| body + Span::days(days)).map(|middle| Interval::new(middle - half, middle + half));
        let mut common = nights.flat_map(|night| whereabouts.cruises(night.common(free)));
        common
            .find(|doze| doze.length() >= LEAST_DOZE)
            .map(|doze| Interval::new(to_minute(doze.start), to_minute(doze.end)))
    }

    /// Outdoors once a day, by daylight, where nothing else is on.
    fn walk(
        &mut self,
        numbers: &Numbers,
        whereabouts: Whereabouts<'_>,
        naps: &NapDay,
        doze: Option<Interval>,
        night: &[Interval],
    ) -> Option<Interval> {
        let light = &numbers.light;
        let hour = self.identity.traits.outdoor_hour + light.outdoor_hour_sd * self.random.normal();
        let length = self.random.hours(light.outdoor_least, light.outdoor_most);
        let bed = night.first()?.start;
        let zone = whereabouts.zone_at(self.awake_from);
        let today = zones::local_date(zone, self.awake_from);
        let minute = libm::round(hour * 60.0) as i32;
        let starts = today.iter_days().take(2).map(|date| zones::to_utc(zone, date, minute));
        let start = starts.into_iter().find(|start| *start >= self.awake_from + Span::minutes(30))?;
        let mut walk = Interval::new(start, start + length);
        // Out with the pram after the nap.
        for asleep in naps.naps.iter().map(|nap| nap.asleep).chain(doze) {
            if walk.overlaps(asleep) {
                walk = Interval::new(asleep.end + Span::minutes(15), asleep.end + Span::minutes(15) + length);
            }
        }
        let is_daylight = (6.0..19.0).contains(&zones::hour_of_day(zone, walk.end).0);
        let is_free = walk.end + Span::minutes(30) <= bed
            && !naps.naps.iter().any(|nap| nap.asleep.overlaps(walk))
            && whereabouts.under_way(walk).is_empty();
        (is_daylight && is_free).then_some(walk)
    }

    fn head<'a>(&self, household: &'a str, activity: &'static str) -> Head<'a> {
        Head { user_id: self.identity.name.0, household_id: household, activity }
    }

    fn say_sleep(
        &self,
        household: &str,
        stamp: UtcMillis,
        start: UtcMillis,
        end: Option<UtcMillis>,
        place: Option<&'static str>,
        pending: &mut Pending,
    ) {
        let head = self.head(household, "sleep");
        pending.activity(stamp, household, json(&SleepLine { head, start, end, place }));
    }

    /// Children's sleep is told when it begins and when it ends, adults' when it is over.
    fn write_sleep(&mut self, world: &World, household: &str, day: &Day, pending: &mut Pending) {
        let reports = &world.numbers.reports;
        let late = if self.script.is_some() { 0.0 } else { world.rates.late };
        for nap in &day.naps.naps {
            let told = nap.told;
            self.say_nap(world, household, nap.asleep, told, pending);
        }
        for at in &day.naps.said_skipped {
            let head = self.head(household, "nap_skipped");
            let stamp = *at + soon(&mut self.random, reports);
            let reason = ["would not settle", "too much going on", "wide awake"][self.random.index(3)];
            pending.activity(stamp, household, json(&SkippedLine { head, timestamp: *at, reason }));
        }
        let aboard = day.doze.map(|doze| (doze, Some("aircraft")));
        let night = day.night.iter().map(|night| (*night, None));
        for (asleep, place) in aboard.into_iter().chain(night) {
            if self.identity.is_adult && !self.random.chance(reports.night_adult) {
                continue;
            }
            let delay = sooner_or_later(&mut self.random, reports, late);
            if !self.identity.is_adult && delay <= minutes_of(reports.delay_most / 60.0) {
                let began = asleep.start + soon(&mut self.random, reports);
                self.say_sleep(household, began, asleep.start, None, place, pending);
            }
            self.say_sleep(household, asleep.end + delay, asleep.start, Some(asleep.end), place, pending);
        }
    }

    fn say_nap(&mut self, world: &World, household: &str, asleep: Interval, told: Told, pending: &mut Pending) {
        let reports = &world.numbers.reports;
        let (began, ended) = match told {
            Told::AsItHappens => {
                let began = asleep.start + soon(&mut self.random, reports);
                (Some(began.min(asleep.end)), asleep.end + soon(&mut self.random, reports))
            }
            Told::HoursLater => (None, asleep.end + self.random.hours(reports.late_least, reports.late_most)),
            Told::At(stamp) => (None, stamp.max(asleep.end)),
        };
        if let Some(began) = began {
            self.say_sleep(household, began, asleep.start, None, None, pending);
        }
        self.say_sleep(household, ended, asleep.start, Some(asleep.end), None, pending);
    }

    fn write_walk(&mut self, world: &World, household: &str, day: &Day, pending: &mut Pending) {
        let reports = &world.numbers.reports;
        if let Some(walk) = day.walk.filter(|_| self.random.chance(reports.outdoor)) {
            let head = self.head(household, "light_exposure");
            let delay = sooner_or_later(&mut self.random, reports, world.rates.late);
            let line = OutdoorLine { head, context: "outdoor", start: walk.start, end: walk.end };
            pending.activity(walk.end + delay, household, json(&line));
        }
    }

    /// Some of the meals: babies feed after every sleep, others have three meals.
    fn write_meals(&mut self, world: &World, household: &str, day: &Day, pending: &mut Pending) {
        let reports = &world.numbers.reports;
        let bed = day.night.first().map_or(self.awake_from, |night| night.start);
        let months = self.identity.months(self.awake_from.to_datetime().date_naive());
        let (share, times): (f64, Vec<(UtcMillis, MealKind)>) = if self.identity.is_adult {
            let at = |hours: f64| self.awake_from + hours_of(hours);
            let meals = [(at(0.75), MealKind::Meal), (at(5.5), MealKind::Meal), (at(12.0), MealKind::Meal)];
            (reports.meal_adult, meals.into())
        } else if months < 12.0 {
            let after_naps = day.naps.naps.iter().map(|nap| nap.asleep.end + Span::minutes(15));
            let kind = if months < 6.0 { MealKind::Breast } else { MealKind::Bottle };
            let solid = (months >= 6.0).then_some((self.awake_from + Span::hours(1), MealKind::Solid));
            let milk = std::iter::once(self.awake_from + Span::minutes(10)).chain(after_naps);
            (reports.meal_child, milk.map(|at| (at, kind)).chain(solid).collect())
        } else {
            let at = |hours: f64| self.awake_from + hours_of(hours);
            let meals = [(0.6, MealKind::Meal), (3.5, MealKind::Snack), (5.2, MealKind::Meal), (11.0, MealKind::Meal)];
            (reports.meal_child, meals.map(|(hours, kind)| (at(hours), kind)).into())
        };
        for (at, kind) in times {
            let at = at + self.random.minutes(-8.0, 20.0);
            if at < bed && self.random.chance(share) {
                let head = self.head(household, "meal");
                let stamp = at + sooner_or_later(&mut self.random, reports, world.rates.late);
                pending.activity(stamp, household, json(&MealLine { head, timestamp: at, kind }));
            }
        }
    }

    /// Now and then a light sensor says what there truly is, nearly.
    fn write_reading(
        &mut self,
        world: &World,
        household: &str,
        whereabouts: Whereabouts<'_>,
        morning: UtcMillis,
        pending: &mut Pending,
    ) {
        if !self.random.chance(world.numbers.reports.reading) {
            return;
        }
        let at = to_minute(self.awake_from + self.random.hours(0.0, (morning - self.awake_from).as_hours().0));
        if self.lived.asleep.iter().any(|asleep| asleep.contains(at)) {
            return;
        }
        let true_light = self.lived.light(
            &world.light,
            at.floor_to(crate::circadian::BIN),
            whereabouts.zone_at(at),
            whereabouts.is_aboard(at),
        );
        let lux = (true_light.0 * self.random.factor(world.numbers.light.reading_log_sd)).min(100_000.0) as u32;
        let head = self.head(household, "light_exposure");
        let stamp = at + soon(&mut self.random, &world.numbers.reports);
        pending.activity(stamp, household, json(&ReadingLine { head, lux, timestamp: at, source: "light sensor" }));
    }

    /// Integrates the true light up to the grid point before the morning and tells every true CBTmin.
    fn run_clock(&mut self, world: &World, whereabouts: Whereabouts<'_>, morning: UtcMillis, pending: &mut Pending) {
        let until = morning.floor_to(CELL);
        let oscillator = self.clock.of_today(&world.base, world.numbers.clock.phase_noise, &mut self.random);
        let lived = &self.lived;
        let light = |bin| lived.light(&world.light, bin, whereabouts.zone_at(bin), whereabouts.is_aboard(bin));
        let (crossings, state) =
            cbt_min_crossings(&oscillator, self.clock.state, self.clock.at, until, self.clock.offset, light);
        for at in crossings {
            pending.put(at, Saying::Truth { user: self.identity.name.0 });
            self.clock.last_cbt_min = at;
        }
        self.clock.state = state;
        self.clock.at = until;
    }
}
