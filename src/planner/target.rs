//! Where the body clock has to go, which way, and where it will be on the way.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Clock;
use super::setting::Setting;
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

/// Which way the clock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// To earlier hours, as after a flight east.
    Advance,
    /// To later hours, as after a flight west.
    Delay,
}

impl Direction {
    fn reversed(self) -> Direction {
        match self {
            Direction::Advance => Direction::Delay,
            Direction::Delay => Direction::Advance,
        }
    }

    /// How far it is this way round, where the clock is late by `error`: 0 ..< 24 h.
    fn distance(self, error: Hours) -> Hours {
        match self {
            Direction::Advance => error.wrap_24(),
            Direction::Delay => (-error).wrap_24(),
        }
    }
}

/// The way that was chosen towards a place's clock. A plan that is made again takes the same way, so that an estimate near
/// the line between both does not turn people round: until the place is another one, or the other way is much shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    pub time_zone: Tz,
    pub direction: Direction,
}

/// A clock that has to move.
///
/// Sign convention: the error e is the present CBTmin minus the adapted one, both as hours of the destination's local
/// day, wrapped into (−12, 12]. Somebody who sleeps 23:00–07:00 with δ = 1 h has CBTmin at 04:00. Flown from Amsterdam
/// to Tokyo in summer (7 h ahead) that same CBTmin comes at 11:00 local time: e = 11 − 4 = +7, the clock is late and must
/// **advance** by 7 h. Flown to New York (6 h behind) it comes at 22:00: e = 22 − 4 = 18, wrapped −6: **delay** by 6 h.
/// An advance of more than 9 h becomes a delay the other way round: e = +10 is a delay by 14 h. That decides once; then
/// the [`Heading`] stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub direction: Direction,
    /// How far, in the direction. Zero where the clock is about there and only the schedule before departure moves on.
    pub distance: Hours,
    /// The zone to arrive in.
    pub zone: Tz,
    /// The departure that leads there, while it is ahead.
    pub departure: Option<UtcMillis>,
    /// When the stay there begins; in the past for who is there.
    pub arrival: UtcMillis,
    /// How far sleep may move before departure in all: the way between the two local clocks in the direction.
    pub most_before_departure: Span,
    /// Nearer than this the clock counts as arrived.
    tolerated: Hours,
    clock: Clock,
}

/// The stay towards which somebody lives.
#[derive(Clone, Copy)]
struct Destination {
    zone: Tz,
    departure: Option<UtcMillis>,
    arrival: UtcMillis,
    /// Offset of the zone's clock from that of the present place, hours, east positive.
    ahead_of_here: Hours,
}

/// Here, or where the next journey leads.
fn destinations(setting: &Setting<'_>) -> (Destination, Option<Destination>) {
    let situation = setting.situation;
    let here_index = setting.stretch_index(setting.now());
    let here = &situation.whereabouts[here_index];
    let stay_here = Destination {
        zone: setting.schedule_zone(here),
        departure: None,
        arrival: here.from,
        ahead_of_here: Hours(0.0),
    };
    let ahead = &situation.whereabouts[here_index + 1..];
    let departure = ahead.iter().find(|stretch| stretch.is_aboard()).map(|flight| flight.from);
    let lives_here = setting.is_stay(here);
    let leaves = departure.is_some() || !lives_here;
    let stay = ahead.iter().find(|stretch| setting.is_stay(stretch)).or(ahead.last());
    let Some(stay) = stay.filter(|_| leaves && !situation.keep_home_time) else { return (stay_here, None) };
    let offset_here = zones::offset_at(here.time_zone, setting.now());
    let offset_there = zones::offset_at(stay.time_zone, stay.from);
    let ahead_of_here = (offset_there - offset_here).as_hours().wrap_12();
    let next = if lives_here && ahead_of_here.0.abs() <= setting.numbers.clock.small_journey.0 {
        // As good as there: what is begun here goes on there.
        Destination { zone: stay.time_zone, departure: None, ahead_of_here: Hours(0.0), ..stay_here }
    } else {
        let departure = departure.filter(|_| lives_here);
        Destination { zone: stay.time_zone, departure, arrival: stay.from, ahead_of_here }
    };
    (stay_here, Some(next))
}

impl Course {
    /// `None` where no clock has to move, or none is known.
    ///
    /// To the next destination when the way there begins; who is adapted here learns of it a horizon earlier.
    pub fn of(setting: &Setting<'_>) -> Option<Course> {
        let clock = setting.clock?;
        let (here, next) = destinations(setting);
        let Some(next) = next else { return Course::to(setting, clock, here) };
        let preparation = Span::days(setting.numbers.horizon.before_flight_nights);
        let until_begin = next.departure.map_or(Span::ZERO, |departure| departure - preparation - setting.now());
        if until_begin <= Span::ZERO {
            return Course::to(setting, clock, next);
        }
        let course_here = Course::to(setting, clock, here);
        if course_here.is_some() || until_begin > setting.numbers.horizon.length {
            return course_here;
        }
        Course::to(setting, clock, next)
    }

    fn to(setting: &Setting<'_>, clock: Clock, destination: Destination) -> Option<Course> {
        let numbers = &setting.numbers.clock;
        // The error is judged by the clock that will be in force there: a change to summer time on the way counts.
        let offset = zones::offset_at(destination.zone, clock.cbt_min.max(destination.arrival));
        let present_hour = Span((clock.cbt_min + offset).0.rem_euclid(Span::days(1).0)).as_hours();
        let error = (present_hour - setting.adapted_cbt_min_hour(clock)).wrap_12();
        let on_a_journey = setting.situation.whereabouts.iter().any(|stretch| {
            let apart =
                zones::offset_at(stretch.time_zone, setting.now()) - zones::offset_at(destination.zone, setting.now());
            apart.as_hours().wrap_12().0.abs() > numbers.small_journey.0
        });
        let tolerated = if on_a_journey { numbers.adapted_within } else { numbers.settled_within };
        // Within its own standard deviation an estimate does not say that the clock is anywhere else.
        let tolerated = Hours(tolerated.0.max(clock.sd.0));
        let is_off = error.0.abs() > tolerated.0;
        if !is_off && destination.departure.is_none() {
            return None;
        }
        // A schedule that is being moved before departure keeps moving when the clock has followed it.
        let way = if is_off { error } else { destination.ahead_of_here };
        let direction = direction(setting, destination.zone, way);
        let distance = direction.distance(way);
        let between_clocks = match direction {
            Direction::Advance => destination.ahead_of_here.wrap_24(),
            Direction::Delay => (-destination.ahead_of_here).wrap_24(),
        };
        Some(Course {
            direction,
            distance: if is_off { distance } else { Hours(0.0) },
            zone: destination.zone,
            departure: destination.departure,
            arrival: destination.arrival,
            most_before_departure: Span::from_hours(between_clocks),
            tolerated,
            clock,
        })
    }

    /// Standard deviation of the estimate, hours; decides which light advice can be given.
    pub fn sd(&self) -> Hours {
        self.clock.sd
    }

    /// The same for a CBTmin of the days to come: nobody knows yet how far the advice is followed, nor what the days bring.
    pub fn sd_at(&self, setting: &Setting<'_>, cbt_min: UtcMillis) -> Hours {
        let days = (cbt_min - self.clock.cbt_min).as_hours().0 / 24.0;
        Hours(self.clock.sd.0 + setting.numbers.light.sd_growth.0 * libm::round(days).max(0.0))
    }

    /// The time moved by that much in the course's direction: an advance is to earlier times.
    pub fn moved(&self, at: UtcMillis, by: Span) -> UtcMillis {
        match self.direction {
            Direction::Advance => at - by,
            Direction::Delay => at + by,
        }
    }

    /// From when on the plan moves this clock; `UtcMillis::MIN` for who is there or on the way.
    pub fn begins(&self, setting: &Setting<'_>) -> UtcMillis {
        let preparation = Span::days(setting.numbers.horizon.before_flight_nights);
        self.departure.map_or(UtcMillis::MIN, |departure| departure - preparation)
    }

    /// How fast the clock moves at a time with the plan followed, hours a day: never faster than what was seen in
    /// people, nor before departure than sleep itself moves.
    pub fn rate_at(&self, setting: &Setting<'_>, at: UtcMillis) -> Hours {
        let numbers = &setting.numbers.clock;
        if at >= self.arrival {
            return match self.direction {
                Direction::Advance => numbers.advance_after,
                Direction::Delay => numbers.delay,
            };
        }
        let prepares = self.departure.is_some_and(|departure| self.begins(setting) <= at && at < departure);
        if !prepares {
            return Hours(0.0);
        }
        let fastest = match self.direction {
            Direction::Advance => numbers.advance_before,
            Direction::Delay => numbers.delay,
        };
        Hours(fastest.0.min(setting.daily_shift().as_hours().0))
    }

    /// How fast it would move by itself.
    pub fn unassisted_rate_at(&self, setting: &Setting<'_>, at: UtcMillis) -> Hours {
        match self.direction {
            _ if at < self.arrival => Hours(0.0),
            Direction::Advance => setting.numbers.clock.unassisted_advance,
            Direction::Delay => setting.numbers.clock.unassisted_delay,
        }
    }
}

/// The way to remember for the next plan: that to where the journey leads, also while another course comes first (a clock
/// that is off at home before the preparation begins) or none is needed for a while.
pub(super) fn heading(setting: &Setting<'_>, course: Option<&Course>) -> Option<Heading> {
    let (here, next) = destinations(setting);
    let time_zone = next.unwrap_or(here).zone;
    let to_there = course.filter(|course| course.zone == time_zone);
    let chosen = to_there.map(|course| Heading { time_zone, direction: course.direction });
    chosen.or(setting.situation.heading.filter(|before| before.time_zone == time_zone))
}

/// The way that was taken so far; at first, or where the other way has become much shorter, the one by rule.
fn direction(setting: &Setting<'_>, zone: Tz, way: Hours) -> Direction {
    let numbers = &setting.numbers.clock;
    let by_rule = match way.0 {
        late if late > numbers.largest_advance.0 => Direction::Delay,
        late if late > 0.0 => Direction::Advance,
        _ => Direction::Delay,
    };
    let Some(heading) = setting.situation.heading.filter(|heading| heading.time_zone == zone) else { return by_rule };
    let days = |direction: Direction| {
        let rate = match direction {
            Direction::Advance => numbers.advance_after,
            Direction::Delay => numbers.delay,
        };
        direction.distance(way).0 / rate.0
    };
    let other = heading.direction.reversed();
    if days(heading.direction) - days(other) > numbers.turn_round_gain { other } else { heading.direction }
}

/// Where the clock is on the way, as far as anything is known of it.
pub(super) struct Outlook {
    /// `None` where no clock has to move, or none is known.
    pub course: Option<Course>,
    /// Every CBTmin from the last one before now to the end of the horizon and a day beyond, with the plan followed;
    /// empty without a clock.
    pub cbt_mins: Vec<UtcMillis>,
    /// Until when the clock is on its way with the plan followed.
    arrives: UtcMillis,
}

impl Outlook {
    pub fn of(setting: &Setting<'_>) -> Outlook {
        let course = Course::of(setting);
        let mut outlook = Outlook { course, cbt_mins: Vec::new(), arrives: UtcMillis::MAX };
        if let Some(clock) = setting.clock {
            outlook.follow(setting, clock.cbt_min);
        }
        outlook
    }

    fn follow(&mut self, setting: &Setting<'_>, next: UtcMillis) {
        let day = Span::days(1);
        let Some(course) = self.course else {
            let times = std::iter::successors(Some(next - day), |at| Some(*at + day));
            self.cbt_mins = times.take_while(|at| *at < setting.horizon_end() + day).collect();
            return;
        };
        // The last one, if the plan was followed until here as it will be. The rate is that of its own time, which a
        // first guess is near enough to find.
        let before_next = |at| course.moved(next - day, -Span::from_hours(course.rate_at(setting, at)));
        self.cbt_mins.push(before_next(before_next(next - day)));
        let mut at = next;
        let mut left = course.distance;
        while at < setting.horizon_end() + day {
            if left.0 <= course.tolerated.0 {
                self.arrives = self.arrives.min(at);
            }
            self.cbt_mins.push(at);
            let step = Hours(course.rate_at(setting, at).0.min(left.0));
            left = left - step;
            at = course.moved(at + day, Span::from_hours(step));
        }
    }

    /// The course, while the clock is not there yet.
    pub fn moving(&self) -> Option<&Course> {
        self.course.as_ref().filter(|course| course.distance.0 > 0.0)
    }

    /// Whether something done at a time still helps the clock on its way.
    pub fn is_moving_at(&self, setting: &Setting<'_>, at: UtcMillis) -> bool {
        self.moving().is_some_and(|course| course.begins(setting) <= at && at < self.arrives)
    }
}
