//! One family: its members' days and its journeys, in order of what is said of them.

use chrono::NaiveDate;

use crate::event::activity::Chronotype;
use crate::flight::zones;
use crate::simulate::booking::{Desk, Plan};
use crate::simulate::demo::{self, FamilyScript};
use crate::simulate::habit::Habit;
use crate::simulate::interval::{Interval, hours_of};
use crate::simulate::life::{Life, World};
use crate::simulate::naps::{Fate, Script, Told};
use crate::simulate::pending::{Pending, Saying, soon};
use crate::simulate::person::{Identity, Lived, Traits, TrueClock};
use crate::simulate::places::{ADULTS, CHILDREN, Name, Place};
use crate::simulate::random::Random;
use crate::simulate::scenario::Scenario;
use crate::simulate::travel::{Journey, Whereabouts};
use crate::simulate::wire::{Head, NapLine, NightLine, ProfileLine, clock, json};
use crate::units::{Hours, Span, UtcMillis};

/// A journey is forgotten this long after it is over: nobody lives between two clocks any more.
const REMEMBERED: Span = Span::days(30);

/// When a scripted journey was booked, before the live part.
const BOOKED_BEFORE: Span = Span::days(4);

/// Profiles come first, within this time.
const SIGNING_UP: Span = Span::minutes(50);

#[derive(Debug)]
pub struct Family {
    number: u32,
    pub household: String,
    home: Place,
    members: Vec<Life>,
    /// SDs by which the family wakes late.
    late: f64,
    is_scripted: bool,
    journeys: Vec<Journey>,
    booked: u32,
    /// When the family next thinks about flying.
    next_thought: UtcMillis,
    /// Not before this time.
    at_home_from: UtcMillis,
    random: Random,
    pending: Pending,
}

/// Somebody before habits and a clock are known.
struct Newcomer {
    name: Name,
    months: u32,
    is_adult: bool,
}

impl Family {
    /// Family `number`, counted from 0. `None` where the airport table has no place for it.
    pub fn new(world: &World, scenario: &Scenario, number: u32) -> Option<Family> {
        let mut random = Random::new(scenario.seed, number, Random::FAMILY);
        let script = scenario.live_from.and_then(|live_from| demo::script(number, live_from, &world.numbers.demo));
        let home = match &script {
            Some(script) => script.home,
            None => Place::any(&mut random)?,
        };
        let newcomers = match &script {
            Some(script) => of_script(script),
            None => invented(world, &mut random),
        };
        let late = if script.is_some() { 0.0 } else { random.normal() };
        let household = match &script {
            Some(script) => script.household.to_owned(),
            None => format!("family-{:04}", number + 1),
        };
        let mut family = Family {
            number,
            household,
            home,
            members: Vec::with_capacity(newcomers.len()),
            late,
            is_scripted: script.is_some(),
            journeys: Vec::new(),
            booked: 0,
            next_thought: scenario.start + SIGNING_UP + random.hours(1.0, 24.0),
            at_home_from: scenario.start,
            random,
            pending: Pending::default(),
        };
        for newcomer in newcomers {
            family.welcome(world, scenario, script.as_ref(), &newcomer);
        }
        family.sign_up(world, scenario.start);
        if let Some((script, live_from)) = script.zip(scenario.live_from) {
            family.book_script(world, &script, live_from);
        }
        Some(family)
    }

    /// What is said next, in order of stamps; `None` when nothing is left before `end`.
    pub fn next(&mut self, world: &World, end: UtcMillis) -> Option<(UtcMillis, Saying)> {
        loop {
            let front = self.front();
            match self.pending.next_stamp() {
                Some(stamp) if stamp <= front => {
                    return if stamp < end { self.pending.take() } else { None };
                }
                _ if front >= end => return None,
                _ => self.advance(world),
            }
        }
    }

    /// Nothing that is still to be decided is stamped before this time.
    fn front(&self) -> UtcMillis {
        let fronts = self.members.iter().map(|member| member.clock.at);
        fronts.min().map_or(self.next_thought, |front| front.min(self.next_thought))
    }

    fn advance(&mut self, world: &World) {
        let member = self.members.iter().enumerate().min_by_key(|(_, member)| member.clock.at).map(|(index, _)| index);
        let Some(member) = member.filter(|index| self.members[*index].clock.at < self.next_thought) else {
            self.think_about_flying(world);
            return;
        };
        let (home, numbers) = (self.home.zone(), &world.numbers.journeys);
        let whereabouts = Whereabouts { home, journeys: &self.journeys, member, numbers };
        self.members[member].live_a_day(world, &self.household, whereabouts, &mut self.pending);
        self.grow_up(world, member);
    }

    /// Habits follow the age; a profile that no longer fits is replaced.
    fn grow_up(&mut self, world: &World, member: usize) {
        let life = &self.members[member];
        if life.identity.is_adult || life.script.is_some() {
            return;
        }
        let habit = Habit::of(&life.identity, world.numbers, self.late, self.home.zone(), life.awake_from);
        let naps_changed = habit.naps.len() != life.habit.naps.len();
        self.members[member].habit = habit;
        if naps_changed {
            let stamp = self.members[member].awake_from + self.random.hours(1.0, 9.0);
            self.say_profile(world, member, stamp);
        }
    }

    fn welcome(&mut self, world: &World, scenario: &Scenario, script: Option<&FamilyScript>, newcomer: &Newcomer) {
        let member = self.members.len();
        let mut random = Random::new(scenario.seed, self.number, member as u32);
        let zone = self.home.zone();
        let date: NaiveDate = zones::local_date(zone, scenario.start);
        let (wake, length) = (random.normal(), random.normal());
        let traits = Traits {
            wake: if script.is_some() { 0.0 } else { wake },
            length: if script.is_some() { 0.0 } else { length },
            naps: random.uniform(0.0, 1.0),
            outdoor_hour: random.uniform(world.numbers.light.outdoor_from, world.numbers.light.outdoor_until),
        };
        let is_first_adult = newcomer.is_adult && member == 0;
        let identity = Identity {
            name: newcomer.name,
            born: Identity::born_before(date, newcomer.months),
            is_adult: newcomer.is_adult,
            caregiver: is_first_adult || newcomer.is_adult && random.chance(0.5),
            traits,
        };
        let mut habit = Habit::of(&identity, world.numbers, self.late, zone, scenario.start);
        let scripted_nap = script.and_then(|script| script.nap).filter(|_| is_first_child(&self.members, newcomer));
        if let Some(nap) = scripted_nap {
            habit = habit.with_nap_at(nap.index, zones::hour_of_day(zone, nap.script.at).0);
        }
        let steady = Script { at: UtcMillis::MAX, fate: Fate::Slept(Told::AsItHappens) };
        let script = script.filter(|_| !newcomer.is_adult).map(|_| scripted_nap.map_or(steady, |nap| nap.script));

        let awake_from = first_morning(&habit, zone, scenario.start + SIGNING_UP + Span::minutes(20));
        let clock = TrueClock::settled(world, &mut random, &identity, &habit, zone, awake_from);
        let slept = Interval::new(awake_from - hours_of(habit.night), awake_from);
        let lived = Lived { asleep: vec![slept], outdoors: Vec::new(), brightness: 1.0 };
        self.members.push(Life { identity, habit, clock, random, lived, awake_from, script });
    }

    fn sign_up(&mut self, world: &World, start: UtcMillis) {
        let mut stamp = start + self.random.minutes(0.0, 35.0);
        for member in 0..self.members.len() {
            self.say_profile(world, member, stamp);
            stamp += soon(&mut self.random, &world.numbers.reports).min(Span::minutes(2));
        }
    }

    fn say_profile(&mut self, world: &World, member: usize, stamp: UtcMillis) {
        let life = &self.members[member];
        let (bedtime, wake) = life.habit.bedtime_and_wake();
        let wake_hour = life.habit.middle + 0.5 * life.habit.night;
        let chronotype = if !life.identity.is_adult {
            None
        } else if wake_hour < world.numbers.night.early_type {
            Some(Chronotype::Early)
        } else if wake_hour > world.numbers.night.late_type {
            Some(Chronotype::Late)
        } else {
            Some(Chronotype::Neither)
        };
        let profile = ProfileLine {
            head: Head { user_id: life.identity.name.0, household_id: &self.household, activity: "profile" },
            display_name: life.identity.name.1,
            birth_month: life.identity.born.format("%Y-%m").to_string(),
            home_time_zone: self.home.zone().name(),
            sleep: NightLine { bedtime: clock(bedtime), wake: clock(wake) },
            naps: (!life.identity.is_adult).then(|| life.habit.nap_list().into_iter().map(NapLine::from).collect()),
            chronotype,
            caregiver: life.identity.caregiver,
        };
        self.pending.activity(stamp, &self.household, json(&profile));
    }

    fn think_about_flying(&mut self, world: &World) {
        let now = self.next_thought;
        self.next_thought += Span::days(1);
        self.journeys.retain(|journey| journey.flown.last().is_some_and(|last| now - last.arrived < REMEMBERED));
        if self.is_scripted || now < self.at_home_from || !self.random.chance(world.rates.journeys_a_day) {
            return;
        }
        let alone = self.random.chance(world.numbers.journeys.alone);
        let home = self.home;
        self.at_desk(world, alone, |desk| {
            let journeys = &desk.numbers.journeys;
            let days = desk.random.uniform(journeys.lead_least, journeys.lead_most) as u64;
            let destination = desk.destination(home, now)?;
            let departs = desk.departure(home, now, days);
            Some(desk.book(Plan { home, destination, departs, told: now, fate: None }))
        });
    }

    fn book_script(&mut self, world: &World, script: &FamilyScript, live_from: UtcMillis) {
        let Some(flight) = script.flight else { return };
        let told = live_from - BOOKED_BEFORE;
        let plan =
            Plan { home: self.home, destination: flight.to, departs: flight.departs, told, fate: Some(flight.fate) };
        self.at_desk(world, false, |desk| Some(desk.book(plan)));
    }

    fn at_desk(
        &mut self,
        world: &World,
        alone: bool,
        book: impl FnOnce(&mut Desk<'_>) -> Option<(Journey, UtcMillis)>,
    ) {
        let members: Vec<&'static str> = self.members.iter().map(|member| member.identity.name.0).collect();
        let travels = (0..members.len()).map(|member| !alone || member == 0).collect();
        let mut desk = Desk {
            numbers: world.numbers,
            rates: &world.rates,
            random: &mut self.random,
            pending: &mut self.pending,
            household: &self.household,
            members: &members,
            travels,
            family: self.number,
            journey: self.booked + 1,
        };
        if let Some((journey, is_over)) = book(&mut desk) {
            self.at_home_from = is_over + hours_of(24.0 * world.numbers.journeys.rest);
            self.journeys.push(journey);
            self.booked += 1;
        }
    }
}

fn of_script(script: &FamilyScript) -> Vec<Newcomer> {
    let adults = script.adults.iter().map(|(name, months)| Newcomer { name: *name, months: *months, is_adult: true });
    let children =
        script.children.iter().map(|(name, months)| Newcomer { name: *name, months: *months, is_adult: false });
    adults.chain(children).collect()
}

/// One or two adults, one to three children; names differ within the family.
fn invented(world: &World, random: &mut Random) -> Vec<Newcomer> {
    let numbers = &world.numbers.household;
    let adults = 1 + usize::from(random.chance(numbers.second_adult));
    let children =
        if random.chance(numbers.second_child) { 2 + usize::from(random.chance(numbers.third_child)) } else { 1 };
    let (first_adult, first_child) = (random.index(ADULTS.len()), random.index(CHILDREN.len()));
    let mut people = Vec::with_capacity(adults + children);
    for index in 0..adults {
        let years = random.uniform(numbers.adult_least, numbers.adult_most);
        let name = ADULTS[(first_adult + 7 * index) % ADULTS.len()];
        people.push(Newcomer { name, months: (years * 12.0) as u32, is_adult: true });
    }
    let mut months = random.uniform(numbers.youngest_least, numbers.youngest_most);
    for index in 0..children {
        let name = CHILDREN[(first_child + 5 * index) % CHILDREN.len()];
        people.push(Newcomer { name, months: months as u32, is_adult: false });
        months += random.uniform(numbers.siblings_least, numbers.siblings_most);
    }
    people
}

fn is_first_child(members: &[Life], newcomer: &Newcomer) -> bool {
    !newcomer.is_adult && members.iter().all(|member| member.identity.is_adult)
}

/// The first habitual time of waking up at or after `earliest`.
fn first_morning(habit: &Habit, zone: chrono_tz::Tz, earliest: UtcMillis) -> UtcMillis {
    let minute = libm::round(Hours(habit.middle + 0.5 * habit.night).wrap_24().0 * 60.0) as i32;
    let days = zones::local_date(zone, earliest).iter_days().take(3);
    let mut mornings = days.map(|date| zones::to_utc(zone, date, minute));
    mornings.find(|morning| *morning >= earliest).unwrap_or(earliest)
}
