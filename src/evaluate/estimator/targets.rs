//! What the service's filter has to reach, and whether it does. A target is missed when the measured value lies outside it
//! by more than two standard errors.

use super::columns::Column;
use super::scores::{Estimate, Measure, Place, Scores};
use super::stories::{FIRST, LAST, MIDDLE, SETTLED, Story};
use super::truths::Truth;

/// Standard errors that count as chance.
const CHANCE: f64 = 2.0;

/// Calibration is asked for up to this shift: beyond it the clock may go either way round.
const MOST_SHIFT: i32 = 8;

const COVERAGE_80: (f64, f64) = (0.75, 0.88);
const COVERAGE_80_OTHER_TRUTH: (f64, f64) = (0.72, 0.95);
/// Of rosters: other bodies than the filter's come back from two weeks of nights by other ways, and more slowly.
const COVERAGE_80_OTHER_TRUTH_BY_TURNS: (f64, f64) = (0.60, 0.95);
const COVERAGE_95: (f64, f64) = (0.90, 0.98);
const NEES: (f64, f64) = (0.7, 1.6);
const MAE_SETTLED: f64 = 0.75;
/// At ±8 h, on days 1–4, 5–8, 9–14.
const MAE_AFTER: [(usize, f64); 3] = [(FIRST, 1.5), (MIDDLE, 1.3), (LAST, 1.0)];
const AGAINST_RULE: f64 = 0.75;
const WIDTH_SETTLED: f64 = 2.4;
const WIDTH_FIRST: f64 = 5.0;

/// Of the rough filter's worst cells so many count.
const WORST: usize = 3;

/// Something asked for, and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub family: String,
    pub place: String,
    pub measured: Estimate,
    pub least: f64,
    pub most: f64,
}

impl Target {
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.is_met_within(CHANCE)
    }

    /// Whether it is met but for so many standard errors.
    #[must_use]
    pub fn is_met_within(&self, standard_errors: f64) -> bool {
        let slack = standard_errors * self.measured.error;
        self.least - slack <= self.measured.value && self.measured.value <= self.most + slack
    }

    /// How far outside, in its own units; negative inside.
    #[must_use]
    pub fn excess(&self) -> f64 {
        (self.least - self.measured.value).max(self.measured.value - self.most)
    }
}

/// Every target that these cells allow to be judged.
#[must_use]
pub fn targets(scores: &Scores) -> Vec<Target> {
    let mut found = calibration(scores);
    found.extend(settled(scores));
    found.extend(after_eight_hours(scores));
    found.extend(against_rough(scores));
    found.extend(special(scores));
    found
}

fn place_name(scores: &Scores, place: Place) -> String {
    let cell = &scores.cells[place.cell];
    format!("{} {}, {}", cell.truth.name(), cell.story.name(), cell.story.periods()[place.period])
}

/// The shift of a journey; `None` for other stories.
fn shift(scores: &Scores, cell: usize) -> Option<i32> {
    match scores.cells[cell].story {
        Story::Journey(shift) => Some(shift),
        Story::Plan | Story::Stranger | Story::Year | Story::Roster(_) => None,
    }
}

fn places(scores: &Scores, column: Column) -> impl Iterator<Item = Place> {
    scores
        .cells
        .iter()
        .enumerate()
        .flat_map(move |(cell, of)| (0..of.story.periods().len()).map(move |period| Place { cell, period, column }))
}

/// Those of journeys up to so many hours.
fn journeys(scores: &Scores, column: Column, most: i32) -> impl Iterator<Item = Place> {
    places(scores, column).filter(move |place| shift(scores, place.cell).is_some_and(|shift| shift.abs() <= most))
}

fn calibration(scores: &Scores) -> Vec<Target> {
    let mut found = Vec::new();
    for (family, measure) in
        [("80 % coverage", Measure::Coverage80), ("95 % coverage", Measure::Coverage95), ("NEES", Measure::Nees)]
    {
        for place in journeys(scores, Column::Zoner, MOST_SHIFT) {
            let truth = scores.cells[place.cell].truth;
            let (least, most) = match measure {
                Measure::Coverage80 if truth == Truth::Hannay19 => COVERAGE_80,
                Measure::Coverage80 => COVERAGE_80_OTHER_TRUTH,
                Measure::Coverage95 => COVERAGE_95,
                _ => NEES,
            };
            let measured = if measure == Measure::Nees {
                scores.estimate(|get| get(place, measure))
            } else {
                share(scores, place, measure, most)
            };
            let family = format!("{family}, {}", truth.name());
            found.push(Target { family, place: place_name(scores, place), measured, least, most });
        }
    }
    found
}

/// A share with its standard error. Where every answer holds, drawing them again shows no spread: then that of a share of
/// `most` counts.
fn share(scores: &Scores, place: Place, measure: Measure, most: f64) -> Estimate {
    let measured = scores.estimate(|get| get(place, measure));
    let at_border = libm::sqrt(most * (1.0 - most) / scores.answers(place).max(1.0));
    Estimate { error: measured.error.max(at_border), ..measured }
}

/// The lives that are hard in other ways: coverage in every period, and what a second trip has from the first.
fn special(scores: &Scores) -> Vec<Target> {
    let mut found = Vec::new();
    for story in Story::SPECIAL {
        for place in places(scores, Column::Zoner).filter(|place| scores.cells[place.cell].story == story) {
            let is_by_turns = matches!(story, Story::Roster(_)) && scores.cells[place.cell].truth != Truth::Hannay19;
            let (least, most) = if is_by_turns { COVERAGE_80_OTHER_TRUTH_BY_TURNS } else { COVERAGE_80_OTHER_TRUTH };
            found.push(Target {
                family: format!("80 % coverage, {}", story.name()),
                place: place_name(scores, place),
                measured: share(scores, place, Measure::Coverage80, most),
                least,
                most,
            });
        }
    }
    // What nights of work and a year of learning leave behind counts as settled life does.
    for (cell, of) in scores.cells.iter().enumerate().filter(|(_, of)| of.story == Story::Year) {
        for name in ["home again", "last weeks"] {
            let period = of.story.periods().iter().position(|one| *one == name).unwrap_or(0);
            let place = Place { cell, period, column: Column::Zoner };
            found.push(Target {
                family: "MAE settled in a year (h)".to_owned(),
                place: place_name(scores, place),
                measured: scores.estimate(|get| get(place, Measure::Mae)),
                least: 0.0,
                most: MAE_SETTLED,
            });
        }
    }
    for (family, later, earlier) in [
        ("MAE of the second trip less that of the first (h)", "second trip, 1-8", "first trip, 1-8"),
        ("MAE of settled life after two trips less that before them (h)", "home again", "settled"),
    ] {
        for (cell, of) in scores.cells.iter().enumerate().filter(|(_, of)| of.story == Story::Year) {
            let period = |name| of.story.periods().iter().position(|one| *one == name).unwrap_or(0);
            let place = |name| Place { cell, period: period(name), column: Column::Zoner };
            let (later, earlier) = (place(later), place(earlier));
            found.push(Target {
                family: family.to_owned(),
                place: of.truth.name().to_owned(),
                measured: scores.estimate(|get| get(later, Measure::Mae) - get(earlier, Measure::Mae)),
                least: f64::NEG_INFINITY,
                most: 0.0,
            });
        }
    }
    found
}

fn settled(scores: &Scores) -> Vec<Target> {
    let settled: Vec<Place> =
        journeys(scores, Column::Zoner, i32::MAX).filter(|place| place.period == SETTLED).collect();
    if settled.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Target> = settled
        .iter()
        .map(|place| Target {
            family: "MAE settled (h)".to_owned(),
            place: place_name(scores, *place),
            measured: scores.estimate(|get| get(*place, Measure::Mae)),
            least: 0.0,
            most: MAE_SETTLED,
        })
        .collect();
    found.push(Target {
        family: "80 % width settled (h)".to_owned(),
        place: "mean".to_owned(),
        measured: scores.estimate(|get| mean(settled.iter().map(|place| get(*place, Measure::Width80)))),
        least: 0.0,
        most: WIDTH_SETTLED,
    });
    found
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

/// The cells of a shift in both directions, in this period.
fn both_ways(scores: &Scores, hours: i32, period: usize, column: Column) -> Vec<Place> {
    let is_meant =
        |place: &Place| place.period == period && shift(scores, place.cell).is_some_and(|shift| shift.abs() == hours);
    places(scores, column).filter(is_meant).collect()
}

fn after_eight_hours(scores: &Scores) -> Vec<Target> {
    let mut found = Vec::new();
    let mean_over = |period: usize, measure: Measure, shift: i32| {
        let places = both_ways(scores, shift, period, Column::Zoner);
        (!places.is_empty()).then(|| scores.estimate(|get| mean(places.iter().map(|place| get(*place, measure)))))
    };
    for (period, most) in MAE_AFTER {
        found.extend(mean_over(period, Measure::Mae, 8).map(|measured| Target {
            family: "MAE at ±8 h (h), mean of truths and directions".to_owned(),
            place: Story::Journey(8).periods()[period].to_owned(),
            measured,
            least: 0.0,
            most,
        }));
    }
    let early = |column| {
        let mut places = both_ways(scores, 8, FIRST, column);
        places.extend(both_ways(scores, 8, MIDDLE, column));
        places
    };
    let (ours, rules) = (early(Column::Zoner), early(Column::Rule));
    if !ours.is_empty() {
        found.push(Target {
            family: "MAE at ±8 h against rule's, days 1-8".to_owned(),
            place: "ratio".to_owned(),
            measured: scores.estimate(|get| {
                let of = |places: &[Place]| mean(places.iter().map(|place| get(*place, Measure::Mae)));
                of(&ours) / of(&rules)
            }),
            least: 0.0,
            most: AGAINST_RULE,
        });
    }
    for shift in [3, 6, 8] {
        found.extend(mean_over(FIRST, Measure::Width80, shift).map(|measured| Target {
            family: "80 % width days 1-4 (h), mean of truths and directions".to_owned(),
            place: format!("±{shift} h"),
            measured,
            least: 0.0,
            most: WIDTH_FIRST,
        }));
    }
    found
}

/// Where the rough filter is worst, the service's has to be better: in error, and in how far coverage is from 80 %.
fn against_rough(scores: &Scores) -> Vec<Target> {
    let mut found = Vec::new();
    let off_by = |coverage: f64| (coverage - 0.8).abs();
    for (family, measure) in [("MAE", Measure::Mae), ("80 % coverage off by", Measure::Coverage80)] {
        let badness = |value: f64| if measure == Measure::Mae { value } else { off_by(value) };
        let mut worst: Vec<Place> = journeys(scores, Column::Rough, MOST_SHIFT).collect();
        let of_rough = |place: &Place| badness(scores.measure(*place, measure));
        worst.sort_by(|one, other| of_rough(other).total_cmp(&of_rough(one)));
        for rough in worst.into_iter().take(WORST) {
            let ours = Place { column: Column::Zoner, ..rough };
            found.push(Target {
                family: format!("{family}, less rough's where that is worst"),
                place: place_name(scores, rough),
                measured: scores.estimate(|get| badness(get(ours, measure)) - badness(get(rough, measure))),
                least: f64::NEG_INFINITY,
                most: 0.0,
            });
        }
    }
    found
}
