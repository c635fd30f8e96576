//! The lives that are compared: journeys by their shift, and lives that are hard in other ways. What happens, which
//! periods are told apart, and when is asked.

use super::script::{Chapter, Flight, Script, Unusual};
use crate::units::{Hours, Span, UtcMillis};

/// The day of a journey's flight: late enough for twenty nights to have been told.
const FLIGHT_DAY: i64 = 20;

/// Days lived after the last one that is asked about, so that the CBTmin asked for is lived.
const AFTERWARDS: i64 = 2;

/// Settled life is asked about from this day on, while no night is thought to be moved for the flight.
const SETTLED_FROM: i64 = 9;
const SETTLED_BEFORE: i64 = FLIGHT_DAY - 3;

/// Everybody asks once a day, in the evening.
const ASKED_AT: Span = Span::hours(18);

/// Periods of a journey.
pub const SETTLED: usize = 0;
pub const FIRST: usize = 1;
pub const MIDDLE: usize = 2;
pub const LAST: usize = 3;

/// A plan of so many days before the flight moves nights by so much a day.
const PLAN_DAYS: i64 = 4;
const PLAN_PER_DAY: f64 = -1.0;

/// The year and two weeks: two trips of ten days, the second 30 days after the first; later nights for two months; a small
/// child for two; a week of nights at work.
const YEAR_DAYS: i64 = 380;
const YEAR_SETTLED: (i64, i64) = (20, 57);
const FIRST_TRIP: i64 = 60;
const SECOND_TRIP: i64 = 90;
const TRIP_DAYS: i64 = 10;
const LATER_NIGHTS: (i64, i64) = (150, 210);
const BROKEN_NIGHTS: (i64, i64) = (235, 290);
const NIGHT_WORK: (i64, i64) = (310, 317);

/// The last weeks begin when the bodies are back: a slow clock that feels light weakly is hours late for a month after the
/// nights of work.
const LAST_WEEKS: i64 = 354;

const STRANGER_DAYS: i64 = 28;

/// Rosters begin after so many days at home, and come round so often: the first time nobody knows them.
const ROSTER_FROM: i64 = 14;
const ROUNDS: i64 = 3;

/// Who works late sleeps so many hours later.
const LATER_AFTER_LATES: Hours = Hours(2.5);

/// Work by turns that fix when there is sleep, and nobody tells of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roster {
    /// A week by day, a week of lates, a week of nights.
    Weeks,
    /// Two weeks of each.
    Fortnights,
    /// Four nights, four days off.
    FourOnFourOff,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Day,
    Late,
    Night,
}

impl Roster {
    /// Turns in their order, with how many days each has.
    const fn turns(self) -> &'static [(Turn, i64)] {
        match self {
            Roster::Weeks => &[(Turn::Late, 7), (Turn::Night, 7), (Turn::Day, 7)],
            Roster::Fortnights => &[(Turn::Late, 14), (Turn::Night, 14), (Turn::Day, 14)],
            Roster::FourOnFourOff => &[(Turn::Night, 4), (Turn::Day, 4)],
        }
    }

    /// How many times it comes round.
    const fn rounds(self) -> i64 {
        match self {
            Roster::Weeks | Roster::Fortnights => ROUNDS,
            Roster::FourOnFourOff => 2 * ROUNDS,
        }
    }

    fn round_days(self) -> i64 {
        self.turns().iter().map(|(_, days)| days).sum()
    }

    fn last_day(self) -> i64 {
        ROSTER_FROM + self.rounds() * self.round_days()
    }

    fn chapters(self) -> Vec<Chapter> {
        let mut chapters = Vec::new();
        let mut day = ROSTER_FROM;
        for _ in 0..self.rounds() {
            for (turn, days) in self.turns() {
                let what = match turn {
                    Turn::Day => None,
                    Turn::Late => Some(Unusual::Later(LATER_AFTER_LATES)),
                    Turn::Night => Some(Unusual::NightWork),
                };
                chapters.extend(what.map(|what| Chapter { from_day: day, until_day: day + days, what }));
                day += days;
            }
        }
        chapters
    }

    /// The turn of a day, once the roster has come round; an index of its periods.
    fn period(self, day: i64) -> Option<usize> {
        if day < ROSTER_FROM + self.round_days() || day >= self.last_day() {
            return None;
        }
        let mut into = (day - ROSTER_FROM) % self.round_days();
        for (turn, days) in self.turns() {
            if into < *days {
                return match (self, turn) {
                    (_, Turn::Day) => Some(0),
                    (Roster::FourOnFourOff, _) | (_, Turn::Late) => Some(1),
                    (_, Turn::Night) => Some(2),
                };
            }
            into -= days;
        }
        None
    }
}

/// What kind of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// Three weeks at home, a flight over so many hours (none for 0), two weeks away.
    Journey(i32),
    /// 8 h east after four days of a plan that moves nights.
    Plan,
    /// Four weeks of somebody without a profile, in another zone than is assumed.
    Stranger,
    Year,
    Roster(Roster),
}

impl Story {
    pub const SPECIAL: [Story; 6] = [
        Story::Plan,
        Story::Stranger,
        Story::Year,
        Story::Roster(Roster::Weeks),
        Story::Roster(Roster::Fortnights),
        Story::Roster(Roster::FourOnFourOff),
    ];

    #[must_use]
    pub fn name(self) -> String {
        match self {
            Story::Journey(shift) => format!("{shift:+} h"),
            Story::Plan => "plan, then +8 h".to_owned(),
            Story::Stranger => "no profile".to_owned(),
            Story::Year => "a year".to_owned(),
            Story::Roster(Roster::Weeks) => "weeks by turns".to_owned(),
            Story::Roster(Roster::Fortnights) => "fortnights".to_owned(),
            Story::Roster(Roster::FourOnFourOff) => "4 on, 4 off".to_owned(),
        }
    }

    /// Names of the periods that are told apart.
    #[must_use]
    pub const fn periods(self) -> &'static [&'static str] {
        match self {
            Story::Journey(_) => &["settled", "1-4", "5-8", "9-14"],
            Story::Plan => &["plan", "1-4", "5-8", "9-14"],
            Story::Stranger => &["days 1-3", "days 4-7", "days 8-14", "days 15-28"],
            Story::Year => &[
                "settled",
                "first trip, 1-8",
                "second trip, 1-8",
                "home again",
                "nights +2 h, 1-21",
                "nights +2 h, later",
                "broken nights",
                "night work",
                "10 days after it",
                "last weeks",
            ],
            Story::Roster(Roster::Weeks | Roster::Fortnights) => &["by day", "late", "at night"],
            Story::Roster(Roster::FourOnFourOff) => &["off", "at night"],
        }
    }

    #[must_use]
    pub fn script(self) -> Script {
        let journey = |shift: i32, number: u32| Script {
            number,
            flights: vec![Flight::on(FLIGHT_DAY, Hours(f64::from(shift)), Hours(0.0))],
            ..Script::settled(FLIGHT_DAY + 16 + AFTERWARDS)
        };
        let chapter = |(from_day, until_day): (i64, i64), what| Chapter { from_day, until_day, what };
        match self {
            Story::Journey(0) => Script { number: 22, flights: Vec::new(), ..journey(0, 22) },
            Story::Journey(shift) => journey(shift, (22 + shift).cast_unsigned()),
            Story::Plan => {
                let days = (FLIGHT_DAY - PLAN_DAYS, FLIGHT_DAY);
                Script { chapters: vec![chapter(days, Unusual::Plan(Hours(PLAN_PER_DAY)))], ..journey(8, 50) }
            }
            Story::Stranger => {
                Script { number: 51, has_profile: false, ..Script::settled(STRANGER_DAYS + 1 + AFTERWARDS) }
            }
            Story::Year => {
                let there_and_back = |day: i64| {
                    let east = Flight::on(day, Hours(8.0), Hours(0.0));
                    [east, Flight::on(day + TRIP_DAYS, Hours(-8.0), Hours(8.0))]
                };
                Script {
                    number: 52,
                    flights: [FIRST_TRIP, SECOND_TRIP].into_iter().flat_map(there_and_back).collect(),
                    chapters: vec![
                        chapter(LATER_NIGHTS, Unusual::Later(Hours(2.0))),
                        chapter(BROKEN_NIGHTS, Unusual::BrokenNights),
                        chapter(NIGHT_WORK, Unusual::NightWork),
                    ],
                    ..Script::settled(YEAR_DAYS)
                }
            }
            Story::Roster(roster) => Script {
                number: 53 + roster as u32,
                chapters: roster.chapters(),
                ..Script::settled(roster.last_day() + AFTERWARDS)
            },
        }
    }

    /// When is asked, and for which period it counts.
    #[must_use]
    pub fn asked(self, script: &Script) -> Vec<(UtcMillis, Option<usize>)> {
        let is_aboard = |at: UtcMillis| script.flights.iter().any(|flight| flight.takeoff <= at && at < flight.landing);
        let mut asked: Vec<(UtcMillis, Option<usize>)> = Vec::new();
        for day in 1..script.days - 1 {
            // By the clock on the wall; the day of a flight east has no evening, one west may have two.
            let evening = UtcMillis(0) + Span::days(day) + ASKED_AT;
            let mut at = evening;
            for _ in 0..2 {
                at = evening - Span::from_hours(script.offset(at));
            }
            let is_later = asked.last().is_none_or(|(before, _)| *before + Span::hours(6) < at);
            if is_later && !is_aboard(at) {
                asked.push((at, self.period(script, day, at)));
            }
        }
        asked
    }

    fn period(self, script: &Script, day: i64, at: UtcMillis) -> Option<usize> {
        let landing = |index: usize| {
            // Who stays at home is asked at the same times, as if.
            let as_if = UtcMillis(0) + Span::days(FLIGHT_DAY + 1);
            script.flights.get(index).map_or(as_if, |flight| flight.landing)
        };
        let days_since = |index: usize| (at - landing(index)).as_hours().0 / 24.0;
        let after_landing = || match days_since(0) {
            0.0..4.0 => Some(FIRST),
            4.0..8.0 => Some(MIDDLE),
            8.0..14.0 => Some(LAST),
            _ => None,
        };
        match self {
            Story::Journey(_) if (SETTLED_FROM..SETTLED_BEFORE).contains(&day) => Some(SETTLED),
            Story::Plan if (FLIGHT_DAY - PLAN_DAYS + 1..FLIGHT_DAY).contains(&day) => Some(SETTLED),
            Story::Journey(_) | Story::Plan => after_landing(),
            Story::Stranger => match day {
                1..4 => Some(0),
                4..8 => Some(1),
                8..15 => Some(2),
                _ => Some(3),
            },
            Story::Year if (0.0..8.0).contains(&days_since(0)) => Some(1),
            Story::Year if (0.0..8.0).contains(&days_since(2)) => Some(2),
            Story::Year => match day {
                day if (YEAR_SETTLED.0..YEAR_SETTLED.1).contains(&day) => Some(0),
                126..=148 => Some(3),
                150..=171 => Some(4),
                172..210 => Some(5),
                236..290 => Some(6),
                311..318 => Some(7),
                318..328 => Some(8),
                LAST_WEEKS.. => Some(9),
                _ => None,
            },
            Story::Roster(roster) => roster.period(day),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lives::live;
    use super::super::people::{stream, travellers};
    use super::super::truths::Truth;
    use super::*;
    use crate::simulate::random::Random;
    use crate::traveller::models::Models;

    #[test]
    fn every_period_of_every_story_is_asked_about() {
        for story in [Story::Journey(0), Story::Journey(-11), Story::Plan, Story::Stranger, Story::Year] {
            let asked = story.asked(&story.script());
            for (period, name) in story.periods().iter().enumerate() {
                let count = asked.iter().filter(|(_, of)| *of == Some(period)).count();
                assert!((3..=60).contains(&count), "{story:?} {name}: {count}");
            }
            assert!(asked.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn in_the_year_s_last_weeks_bodies_lie_to_their_nights_as_they_did_in_its_first() {
        let (models, script, seed) = (Models::embedded(), Story::Year.script(), 5);
        for truth in Truth::ALL {
            let people = travellers(truth, 100, seed, &models, 2);
            let moved: Vec<f64> = (0..)
                .zip(&people)
                .map(|(index, traveller)| {
                    let mut random = Random::new(seed, stream(truth, script.number), index);
                    let minima = live(traveller, &script, &models, &mut random).minima;
                    let angle = |from_day: i64, until_day: i64| {
                        let days = UtcMillis(0) + Span::days(from_day)..UtcMillis(0) + Span::days(until_day);
                        let own = |at: &UtcMillis| {
                            ((*at - UtcMillis(0)).as_hours() - traveller.mid_sleep - traveller.angle).wrap_12().0
                        };
                        let angles: Vec<f64> = minima.iter().filter(|at| days.contains(at)).map(own).collect();
                        angles.iter().sum::<f64>() / angles.len() as f64
                    };
                    angle(LAST_WEEKS, YEAR_DAYS - AFTERWARDS) - angle(YEAR_SETTLED.0, YEAR_SETTLED.1)
                })
                .collect();
            let mean = moved.iter().sum::<f64>() / moved.len() as f64;
            let far = moved.iter().filter(|by| by.abs() > 1.5).count();
            assert!(mean.abs() < 0.15 && far <= 5, "{truth:?}: {mean} h later, {far} of 100 by more than 1.5 h");
        }
    }

    #[test]
    fn after_a_flight_everybody_is_asked_as_often() {
        let count = |shift| {
            let story = Story::Journey(shift);
            story.asked(&story.script()).iter().filter(|(_, period)| *period == Some(FIRST)).count()
        };
        assert!([0, 3, -3, 8, -8, 11, -11].into_iter().all(|shift| count(shift) == 4));
    }
}
