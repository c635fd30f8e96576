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
//! | [`stories`] | which lives are compared, and their periods |
//! | [`script`] | what happens in a life |
//! | [`lives`] | living it |
//! | [`told`] | what is told of it |
//! | [`columns`] | the service's filter and those it is compared with |
//! | [`rough`] | one of them |
//! | [`scores`] | coverage, errors, and how sure they are |
//! | [`targets`] | what has to be reached |
//! | [`tables`] | text and JSON |
//! | [`human`] | the oscillators beside what was measured of people |
//! | [`real`] | what single people's measurements say |
//! | `plots` | lives as pictures |
//! | `parallel` | threads |

pub mod columns;
pub mod human;
pub mod lives;
mod parallel;
pub mod people;
mod plots;
pub mod real;
pub mod rough;
pub mod scores;
pub mod script;
pub mod stories;
pub mod tables;
pub mod targets;
pub mod told;
pub mod truths;

use std::path::Path;

use self::columns::Column;
use self::lives::{Lived, live};
use self::people::{Traveller, stream, travellers};
use self::scores::{Cell, LifeScores, Scores, Sums};
use self::stories::Story;
use self::truths::Truth;
use crate::simulate::random::Random;
use crate::traveller::models::Models;
use crate::units::UtcMillis;

/// Shifts of the table, hours; east is positive.
pub const SHIFTS: [i32; 9] = [0, 3, -3, 6, -6, 8, -8, 11, -11];

/// What to simulate. The same options give the same scores, whatever the number of threads.
#[derive(Clone, Debug)]
pub struct Options {
    pub travellers: usize,
    pub seed: u64,
    pub truths: Vec<Truth>,
    pub stories: Vec<Story>,
    pub threads: usize,
}

impl Options {
    /// All journeys of the table.
    #[must_use]
    pub fn journeys() -> Vec<Story> {
        SHIFTS.map(Story::Journey).to_vec()
    }

    /// How much there is to do: days of lives.
    #[must_use]
    pub fn days(&self) -> u64 {
        let days: i64 = self.stories.iter().map(|story| story.script().days).sum();
        days.cast_unsigned() * (self.travellers * self.truths.len()) as u64
    }
}

/// Everybody's life in every story. `tick` is called with the days of every life that was lived.
#[must_use]
pub fn scores(options: &Options, models: &Models, tick: &(dyn Fn(u64) + Sync)) -> Scores {
    let (mut cells, mut populations) = (Vec::new(), Vec::new());
    for truth in &options.truths {
        let people = travellers(*truth, options.travellers, options.seed, models, options.threads);
        populations.push((*truth, people::angles(&people)));
        let count = people.len();
        let lives = parallel::in_order(count * options.stories.len(), options.threads, |index| {
            let story = options.stories[index / count];
            let result = score_life(&people[index % count], index % count, story, options.seed, models);
            tick(story.script().days.cast_unsigned());
            result
        });
        for (story, lives) in options.stories.iter().zip(lives.chunks(count)) {
            cells.push(Cell { truth: *truth, story: *story, lives: lives.to_vec() });
        }
    }
    Scores::new(cells, populations, options.seed)
}

/// One traveller's life, as every column sees it.
fn score_life(traveller: &Traveller, index: usize, story: Story, seed: u64, models: &Models) -> LifeScores {
    let lived = lived(traveller, index, story, seed, models);
    let asked = story.asked(&story.script());
    let times: Vec<UtcMillis> = asked.iter().map(|(at, _)| *at).collect();
    let mut scores = vec![[Sums::default(); 4]; story.periods().len()];
    for column in Column::ALL {
        let answers = column.answers(models, &lived.told, &times);
        for ((_, period), said) in asked.iter().zip(answers) {
            if let (Some(period), Some(said)) = (period, said) {
                scores[*period][column as usize].add(&said, &lived.minima);
            }
        }
    }
    scores
}

/// The life of the traveller with this number in a story.
#[must_use]
pub fn lived(traveller: &Traveller, index: usize, story: Story, seed: u64, models: &Models) -> Lived {
    let script = story.script();
    let mut random = Random::new(seed, stream(traveller.truth, script.number), index as u32);
    live(traveller, &script, models, &mut random)
}

/// Draws the first travellers of every truth and story into a directory, a file each; how many.
///
/// # Errors
/// The directory can't be made or a file not written.
pub fn plots(options: &Options, models: &Models, directory: &Path) -> std::io::Result<usize> {
    std::fs::create_dir_all(directory)?;
    let mut written = 0;
    for truth in &options.truths {
        let people = travellers(*truth, options.travellers, options.seed, models, options.threads);
        for story in &options.stories {
            for (index, traveller) in people.iter().enumerate().take(PLOTTED) {
                let lived = lived(traveller, index, *story, options.seed, models);
                let file = format!("{} {} {}.svg", truth.name(), story.name(), index + 1).replace([' ', ','], "_");
                std::fs::write(directory.join(file), plots::plot(traveller, *story, &lived, models))?;
                written += 1;
            }
        }
    }
    Ok(written)
}

/// Travellers of a truth and story that are drawn.
const PLOTTED: usize = 2;
