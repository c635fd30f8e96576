//! How right the estimator is, and how honest: simulated travellers whose clocks are known.
//!
//! A traveller's body is an oscillator with a hidden period, gain and restlessness; it lives a script and tells some of it;
//! every column is given what was told and says when the next CBTmin is; the body's own CBTmin judges. The truth is never
//! made from what was told. Everything follows from the seed, whatever the number of threads.
//!
//! | file | what |
//! |---|---|
//! | [`truths`] | bodies |
//! | [`people`] | travellers, drawn as people are |
//! | [`script`] | what happens in a life |
//! | [`lives`] | living it |
//! | [`told`] | what is told of it |
//! | [`columns`] | the service's filter and those it is compared with |
//! | [`rough`] | one of them |
//! | [`scores`] | coverage, errors, and how sure they are |
//! | [`targets`] | what has to be reached |
//! | [`tables`] | text and JSON |
//! | `parallel` | threads |

pub mod columns;
pub mod lives;
mod parallel;
pub mod people;
pub mod rough;
pub mod scores;
pub mod script;
pub mod tables;
pub mod targets;
pub mod told;
pub mod truths;

use self::columns::Column;
use self::lives::{Lived, live};
use self::people::{Traveller, stream, travellers};
use self::scores::{Cell, Days, LifeScores, Scores, Sums};
use self::script::{FLIGHT_DAY, Script};
use self::truths::Truth;
use crate::simulate::random::Random;
use crate::traveller::models::Models;
use crate::units::{Hours, Span, UtcMillis};

/// Shifts of the table, hours.
pub const SHIFTS: [i32; 9] = [0, 3, -3, 6, -6, 8, -8, 11, -11];

/// Settled life is asked about from this day on, while no night is thought to be moved for the flight.
const SETTLED_FROM: i64 = 9;
const SETTLED_BEFORE: i64 = FLIGHT_DAY - 3;

/// Everybody asks once a day, in the evening.
const ASKED_AT: Span = Span::hours(18);

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    pub travellers: usize,
    pub seed: u64,
    pub truths: Vec<Truth>,
    pub shifts: Vec<i32>,
    pub threads: usize,
}

/// How much there is to do: `tick` is called so often.
#[must_use]
pub fn lives_of(options: &Options) -> usize {
    options.travellers * options.truths.len() * options.shifts.len()
}

/// The table.
#[must_use]
pub fn scores(options: &Options, models: &Models, tick: &(dyn Fn() + Sync)) -> Scores {
    let mut cells = Vec::new();
    for truth in &options.truths {
        let people = travellers(*truth, options.travellers, options.seed, &models.light, options.threads);
        let count = people.len();
        let lives = parallel::in_order(count * options.shifts.len(), options.threads, |index| {
            let shift = options.shifts[index / count];
            let result = journey(&people[index % count], index % count, shift, options.seed, models);
            tick();
            result
        });
        for (shift, lives) in options.shifts.iter().zip(lives.chunks(count)) {
            cells.push(Cell { truth: *truth, shift: *shift, lives: lives.to_vec() });
        }
    }
    Scores::new(cells, options.seed)
}

/// One traveller's journey, as every column sees it.
fn journey(traveller: &Traveller, index: usize, shift: i32, seed: u64, models: &Models) -> LifeScores {
    let script = Script::journey(Hours(f64::from(shift)));
    let lived = lived(traveller, index, &script, seed, models);
    let asked = asked(&script);
    let times: Vec<UtcMillis> = asked.iter().map(|(at, _)| *at).collect();
    let mut scores = LifeScores::default();
    for column in Column::ALL {
        let answers = column.answers(models, &lived.told, &times);
        for ((_, days), said) in asked.iter().zip(answers) {
            if let (Some(days), Some(said)) = (days, said) {
                Sums::add(&mut scores[column as usize][*days as usize], &said, &lived.minima);
            }
        }
    }
    scores
}

/// A traveller's life under a script.
#[must_use]
pub fn lived(traveller: &Traveller, index: usize, script: &Script, seed: u64, models: &Models) -> Lived {
    let mut random = Random::new(seed, stream(traveller.truth, script.number), index as u32);
    live(traveller, script, &models.light, &mut random)
}

/// When a traveller of the table asks, and for which days that counts.
fn asked(script: &Script) -> Vec<(UtcMillis, Option<Days>)> {
    let flight = script.flights.first();
    // Who stays at home is asked at the same times, as if.
    let landing = flight.map_or(UtcMillis(0) + Span::days(FLIGHT_DAY + 1), |flight| flight.landing);
    let mut asked = Vec::new();
    for day in 1..script.days - 1 {
        let here = UtcMillis(0) + Span::days(day) + ASKED_AT;
        let before = flight.is_none_or(|flight| here < flight.takeoff);
        let at = match flight {
            Some(flight) if !before => here - Span::from_hours(flight.shift),
            _ => here,
        };
        let days =
            if (SETTLED_FROM..SETTLED_BEFORE).contains(&day) { Some(Days::Settled) } else { Days::after(landing, at) };
        if before || at >= landing {
            asked.push((at, days));
        }
    }
    asked
}
