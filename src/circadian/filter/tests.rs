//! What the filter promises.

use proptest::prelude::*;

use super::belief::{BETA, Belief, DELTA, GAIN, PERIOD, PHASE};
use super::matrix::{STATE, cholesky};
use super::*;
use crate::circadian::entrain::{habitual_cbt_min, likely_midnight_state};
use crate::circadian::{BIN, Hannay19, Oscillator, PHASE_PER_HOUR};
use crate::units::{Hours, Radians, UtcMillis};

const START: UtcMillis = UtcMillis(0);
pub(super) const MID_SLEEP: f64 = 3.0;

pub(super) fn model() -> &'static FilterModel {
    static MODEL: std::sync::OnceLock<FilterModel> = std::sync::OnceLock::new();
    MODEL.get_or_init(FilterModel::embedded)
}

pub(super) fn at(day: i64, hours: f64) -> UtcMillis {
    START + Span::days(day) + Span::from_hours(Hours(hours))
}

/// 23:00–07:00 asleep, in a zone `offset` hours ahead of home.
pub(super) fn usual(bin: UtcMillis, offset: f64) -> LightBin {
    let hour = ((bin - START).as_hours() + Hours(offset)).wrap_24().0;
    if !(7.0..23.0).contains(&hour) {
        return LightBin { light: Lux(0.0), source: LightSource::Asleep };
    }
    LightBin { light: Lux(if hour < 19.0 { 250.0 } else { 80.0 }), source: LightSource::Imputed }
}

pub(super) fn adult() -> (Person, Track) {
    person(EveningLight::PLAIN)
}

pub(super) fn person(evening: EveningLight) -> (Person, Track) {
    let numbers = &model().numbers;
    let typical = Hannay19::embedded().personal(Hours(numbers.period), libm::exp(numbers.log_gain));
    let light = std::array::from_fn(|bin| usual(START + Span(BIN.0 * bin as i64), 0.0).light);
    let light = evening.over(&light, Hours(MID_SLEEP + 1.0));
    let entrained = habitual_cbt_min(&typical, &light, likely_midnight_state(&typical, Hours(MID_SLEEP)));
    let slopes = Slopes { period: 3.0, gain: 1.0, scatter: 0.4 };
    let prior = Prior::unconditional(numbers, Hours(1.0), Hours(0.75)).entrained(
        numbers,
        &slopes,
        entrained.cbt_min - Hours(MID_SLEEP),
    );
    let state = entrained.state_at_midnight;
    let track = Track::settled(model(), &prior, at(0, MID_SLEEP), state.amplitude(), state.adaptation());
    (Person { prior, sleep_sd: Hours(numbers.sleep_adult), evening, knows_hours: true }, track)
}

fn slept(middle: UtcMillis, from_habit: f64) -> Happening {
    Happening::Sleep(MainSleep { middle, from_habit: Hours(from_habit), planned: false })
}

pub(super) fn nights(days: std::ops::Range<i64>, hour: f64, from_habit: f64) -> Vec<Happening> {
    days.map(|day| slept(at(day, hour), from_habit)).collect()
}

fn published(run: &Run<'_>, now: UtcMillis) -> Published {
    run.next_minimum(now, |bin| usual(bin, 0.0))
}

pub(super) fn hour_of(published: &Published) -> f64 {
    (published.cbt_min - START).as_hours().wrap_24().0
}

#[test]
fn nights_at_home_say_nothing_of_how_strongly_light_is_felt() {
    let (person, track) = adult();
    let mut run = track.run(model(), &person);
    // Late nights with the light on until then: what a filter takes for a clock that light delays much.
    let late = |day: i64| if day % 2 == 0 { 1.2 } else { 0.0 };
    let happenings: Vec<Happening> = (0..90).map(|day| slept(at(day, MID_SLEEP + late(day)), late(day))).collect();
    let light = |bin: UtcMillis| usual(bin, -late((bin - at(0, 12.0)).0.div_euclid(Span::days(1).0) + 1));
    run.advance(at(90, 12.0), &happenings, light);
    let belief = run.beliefs.heaviest();
    let prior = &person.prior;
    let told = (belief.mean[GAIN], belief.covariance[GAIN][GAIN]);
    assert!(run.life().is_settled() && (told.0 - prior.mean[GAIN - PERIOD]).abs() < 1e-4, "{told:?}");
    assert!((told.1 - prior.covariance[GAIN - PERIOD][GAIN - PERIOD]).abs() < 1e-4, "{told:?}");
}

#[test]
fn eight_points_have_the_moments_of_the_points_of_all_seven_numbers() {
    // Axes 4 to 6 move δ, β and w alone: their points fall together with the mean in what moves, and their weights with
    // the mean's own cancel.
    let (_, track) = adult();
    let (person, _) = adult();
    let belief = *track.run(model(), &person).beliefs.heaviest();
    let factor: Matrix6 = cholesky(&belief.covariance);
    let mut points: Vec<(f64, [f64; STATE])> = vec![(1.0 - 0.25 * STATE as f64, belief.mean)];
    for axis in 0..STATE {
        for sign in [2.0, -2.0] {
            points.push((0.125, std::array::from_fn(|row| belief.mean[row] + sign * factor[row][axis])));
        }
    }
    let from = at(0, MID_SLEEP);
    let to = at(0, 6.0);
    let light = |bin: UtcMillis| Lux(if bin < at(0, 4.0) { 0.0 } else { 400.0 });
    let moved: Vec<(f64, [f64; STATE])> = points
        .iter()
        .map(|(weight, point)| {
            let own = Hannay19::embedded().personal(Hours(point[PERIOD]), libm::exp(point[GAIN]));
            let state = crate::circadian::Hannay19State::new(point[0], Radians(point[PHASE]), belief.adaptation);
            let after = own.integrate(state, from, to, light);
            let mut moved = *point;
            (moved[0], moved[PHASE]) = (after.amplitude(), after.phase().0);
            (*weight, moved)
        })
        .collect();
    let mean: [f64; STATE] = std::array::from_fn(|row| moved.iter().map(|(weight, point)| weight * point[row]).sum());
    let covariance = |row: usize, column: usize| -> f64 {
        moved.iter().map(|(weight, point)| weight * (point[row] - mean[row]) * (point[column] - mean[column])).sum()
    };

    let mut ensemble =
        ensemble::Ensemble::of(&belief, &model().oscillator, ensemble::Noise { phase: 0.0, delta: 0.0, imputed: 0.33 });
    let mut drives = model().drives();
    let mut cell = from;
    while cell < to {
        let bin = |bin| LightBin { light: light(bin), source: LightSource::Asleep };
        let cell_light = ensemble::CellLight::new(&mut drives, bin(cell), bin(cell + BIN));
        ensemble::move_all(std::iter::once(&mut ensemble), &cell_light, &model().numbers);
        cell += crate::circadian::CELL;
    }
    let mut followed: Belief = belief;
    let quiet = FilterNumbers { phase_noise: 0.0, amplitude_noise: 0.0, reversion_days: 1e12, ..model().numbers };
    followed.follow(&ensemble, (to - from).as_hours().0, &person.prior, &quiet);
    assert!((followed.mean[PHASE] - mean[PHASE]).abs() < 1e-9);
    for row in 0..STATE {
        for column in 0..STATE {
            let difference = followed.covariance[row][column] - covariance(row, column);
            assert!(difference.abs() < 1e-7, "{row}, {column}: {difference}");
        }
    }
}

#[test]
fn two_years_of_settled_life_neither_widen_the_interval_nor_let_the_person_drift_away() {
    let (person, track) = adult();
    let nights = nights(1..730, MID_SLEEP, 0.0);
    let mut run = track.run(model(), &person);
    let mut width = |day: i64| {
        run.advance(at(day, 18.0), &nights, |bin| usual(bin, 0.0));
        let said = published(&run, at(day, 18.0));
        ((said.interval_80[1] - said.interval_80[0]).as_hours().0, *run.beliefs.heaviest())
    };
    let (after_a_month, _) = width(30);
    let (after_two_years, belief) = width(729);
    assert!((after_two_years / after_a_month - 1.0).abs() < 0.1, "{after_a_month} {after_two_years}");
    for index in PERIOD..STATE {
        let prior_sd = libm::sqrt(person.prior.covariance[index - PERIOD][index - PERIOD]);
        let off = (belief.mean[index] - person.prior.mean[index - PERIOD]) / prior_sd;
        assert!(off.abs() < 0.3, "number {index}: {off} prior SD");
    }
}

#[test]
fn a_delay_with_the_same_light_moves_no_clock() {
    let (person, track) = adult();
    let state = |takeoff: f64| {
        let mut happenings = nights(1..6, MID_SLEEP, 0.0);
        happenings.push(Happening::Shift { at: at(5, takeoff), by: Hours(8.0) });
        happenings.extend(nights(6..12, 20.0, 0.5));
        let mut run = track.run(model(), &person);
        run.advance(at(12, 0.0), &happenings, |bin| usual(bin, 0.0));
        *run.beliefs.heaviest()
    };
    assert_eq!(state(12.0), state(15.0));
}

#[test]
fn stopping_anywhere_and_keeping_the_state_changes_no_bit() {
    let (person, track) = adult();
    let mut happenings = nights(1..9, MID_SLEEP, 0.4);
    happenings.insert(4, Happening::Shift { at: at(4, 13.2), by: Hours(-9.0) });
    let light = |bin: UtcMillis| usual(bin, if bin < at(4, 13.25) { 0.0 } else { -9.0 });
    let mut whole = track.run(model(), &person);
    whole.advance(at(9, 6.0), &happenings, light);
    let mut pieces = track.run(model(), &person);
    for hours in [5.0, 29.3, 29.4, 61.25, 100.0, 113.0, 150.1] {
        pieces.advance(at(0, hours), &happenings, light);
    }
    pieces.advance(at(9, 6.0), &happenings, light);
    assert_eq!(whole.track(), pieces.track());
    let mut kept = track.clone();
    for day in 1..=9 {
        let mut run = kept.run(model(), &person);
        run.advance(at(day, 6.0), &happenings, light);
        kept = run.track();
    }
    assert_eq!(whole.track(), kept);
}

#[test]
fn a_night_at_the_destination_hardly_moves_the_estimate() {
    let (person, track) = adult();
    let mut happenings = nights(1..5, MID_SLEEP, 0.0);
    happenings.push(Happening::Shift { at: at(5, 12.0), by: Hours(8.0) });
    let light = |bin: UtcMillis| usual(bin, if bin < at(5, 12.0) { 0.0 } else { 8.0 });
    let estimate = |happenings: &[Happening]| {
        let mut run = track.run(model(), &person);
        run.advance(at(6, 2.0), happenings, light);
        let said = run.next_minimum(at(6, 2.0), light);
        said.cbt_min
    };
    let before = estimate(&happenings);
    happenings.push(slept(at(5, 20.0), 1.0));
    assert!((estimate(&happenings) - before).as_hours().0.abs() < 0.5);
}

#[test]
fn nights_that_a_plan_moves_say_nothing_of_the_clock() {
    let (person, track) = adult();
    let estimate = |planned: bool| {
        let mut happenings = nights(1..10, MID_SLEEP, 0.0);
        for day in 0..3 {
            let earlier = 1.0 + day as f64;
            let middle = at(10 + day, MID_SLEEP - earlier);
            let from_habit = Hours(-earlier);
            happenings.push(Happening::Sleep(MainSleep { middle, from_habit, planned }));
        }
        let mut run = track.run(model(), &person);
        run.advance(at(13, 18.0), &happenings, |bin| usual(bin, 0.0));
        hour_of(&published(&run, at(13, 18.0)))
    };
    let without = {
        let mut run = track.run(model(), &person);
        run.advance(at(13, 18.0), &nights(1..10, MID_SLEEP, 0.0), |bin| usual(bin, 0.0));
        hour_of(&published(&run, at(13, 18.0)))
    };
    assert!((estimate(true) - without).abs() < 0.05);
    assert!(without - estimate(false) > 0.1, "a night that nobody planned does");
}

#[test]
fn nights_that_nobody_explained_leave_the_clock_less_known_than_planned_ones() {
    let (person, track) = adult();
    let sd = |planned: bool| {
        let mut happenings = nights(1..10, MID_SLEEP, 0.0);
        for day in 10..15 {
            let middle = at(day, MID_SLEEP + 6.0);
            happenings.push(Happening::Sleep(MainSleep { middle, from_habit: Hours(6.0), planned }));
        }
        let mut run = track.run(model(), &person);
        run.advance(at(15, 18.0), &happenings, |bin| usual(bin, 0.0));
        published(&run, at(15, 18.0)).sd.0
    };
    assert!(sd(false) > 1.5 * sd(true), "{} {}", sd(false), sd(true));
}

#[test]
fn after_a_long_flight_the_clock_is_followed_in_several_ways_and_in_one_when_life_is_settled_again() {
    let (person, track) = adult();
    for by in [8.0, -8.0, 11.0] {
        let mut happenings = nights(1..5, MID_SLEEP, 0.0);
        happenings.push(Happening::Shift { at: at(5, 12.0), by: Hours(by) });
        happenings.extend(nights(6..40, MID_SLEEP - by, 0.0));
        let light = |bin: UtcMillis| usual(bin, if bin < at(5, 12.0) { 0.0 } else { by });
        let mut run = track.run(model(), &person);
        run.advance(at(6, 6.0), &happenings, light);
        assert!(!run.beliefs.is_one(), "{by}");
        assert!(run.track().heap_bytes() < 600);
        run.advance(at(40, 6.0), &happenings, light);
        assert!(run.beliefs.is_one(), "{by}");
        assert_eq!(run.track().heap_bytes(), 0);
    }
}

#[test]
fn somebody_unknown_begins_with_the_first_night() {
    let (person, _) = adult();
    let track = Track::diffuse(model(), &person.prior, at(0, 12.0), 0.8, 0.5);
    let mut run = track.run(model(), &person);
    run.advance(at(1, 18.0), &[], |bin| usual(bin, 0.0));
    assert!(run.is_diffuse() && published(&run, at(1, 18.0)).sd.0 > 4.0);
    run.advance(at(3, 18.0), &nights(2..4, 11.0, 0.0), |bin| usual(bin, 8.0));
    assert!(!run.is_diffuse());
    let said = published(&run, at(3, 18.0));
    assert!(said.sd.0 < 2.0 && (hour_of(&said) - 12.0).abs() < 1.5, "{said:?}");
}

#[test]
fn three_nights_that_agree_against_the_estimate_begin_it_anew() {
    let (person, track) = adult();
    let mut happenings = nights(1..6, MID_SLEEP, 0.0);
    // Abroad without a trip on record: the habit of the wall clock is not known to have moved.
    happenings.extend(nights(6..12, MID_SLEEP + 9.0, 0.0));
    let light = |bin: UtcMillis| usual(bin, if bin < at(5, 12.0) { 0.0 } else { -9.0 });
    let mut run = track.run(model(), &person);
    run.advance(at(12, 0.0), &happenings, light);
    let said = run.next_minimum(at(12, 0.0), light);
    assert!((hour_of(&said) - 13.0).abs() < 1.5, "{said:?}");
}

#[test]
fn an_outdoor_morning_moves_the_clock_of_a_toddler() {
    let (person, track) = person(EveningLight(model().numbers.evening_preschool));
    let cbt_min = |outdoors: bool| {
        let light = |bin: UtcMillis| {
            let hour = (bin - START).as_hours().wrap_24().0;
            if outdoors && (7.0..9.0).contains(&hour) {
                return LightBin { light: Lux(5_000.0), source: LightSource::Context };
            }
            usual(bin, 0.0)
        };
        let mut run = track.run(model(), &person);
        run.advance(at(4, 18.0), &[], light);
        (run.next_minimum(at(4, 18.0), light).cbt_min - START).as_hours().0
    };
    let moved = (cbt_min(false) - cbt_min(true)) * 60.0;
    assert!(moved > 10.0, "{moved} minutes earlier after four mornings");
}

#[test]
fn at_the_published_time_the_middle_of_the_points_is_at_the_minimum() {
    let (person, track) = adult();
    let mut run = track.run(model(), &person);
    run.advance(at(3, 15.0), &nights(1..4, MID_SLEEP, 0.0), |bin| usual(bin, 0.0));
    let said = published(&run, at(3, 15.0));
    assert!(at(3, 15.0) < said.cbt_min && said.cbt_min <= at(4, 15.0));
    run.advance(said.cbt_min, &[], |bin| usual(bin, 0.0));
    let belief = *run.beliefs.heaviest();
    let left = (said.cbt_min - run.at()).as_hours().0;
    let phase = belief.mean[PHASE] + (belief.mean[BETA] + left) * PHASE_PER_HOUR - std::f64::consts::PI;
    assert!((circle::wrap(phase) / PHASE_PER_HOUR).abs() < 0.1, "{phase}");
    assert!((said.delta.0 - belief.mean[DELTA]).abs() < 0.2);
}

fn anything() -> impl Strategy<Value = Happening> {
    let time = (0i64..20 * 96).prop_map(|quarter| at(0, 6.0) + Span::minutes(15 * quarter + 3));
    let hours = prop_oneof![Just(f64::NAN), -12.0..12.0f64, Just(1e9)];
    prop_oneof![
        6 => (time.clone(), -12.0..12.0f64, any::<bool>()).prop_map(|(middle, off, planned)| {
            Happening::Sleep(MainSleep { middle, from_habit: Hours(off), planned })
        }),
        2 => (time.clone(), -12.0..12.0f64).prop_map(|(at, by)| Happening::Shift { at, by: Hours(by) }),
        1 => (time.clone(), -12.0..12.0f64).prop_map(|(at, off)| Happening::SeenAsleep { at, from_habit: Hours(off) }),
        1 => (time, hours).prop_map(|(cbt_min, sd)| Happening::Marker { cbt_min, sd: Hours(sd) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_history_breaks_it(
        happenings in proptest::collection::vec(anything(), 0..300),
        levels in proptest::collection::vec(prop_oneof![Just(f64::NAN), Just(1e9), Just(-5.0), 0.0..20_000.0f64], 1..40),
        diffuse in any::<bool>(),
        child in any::<bool>(),
    ) {
        let (person, settled) = person(if child { EveningLight(25.0) } else { EveningLight::PLAIN });
        let track = if diffuse { Track::diffuse(model(), &person.prior, settled.at(), 0.8, 0.5) } else { settled };
        let mut happenings = happenings;
        happenings.sort_by_key(Happening::at);
        let light = |bin: UtcMillis| {
            let level = levels[(bin.0.div_euclid(BIN.0) as usize) % levels.len()];
            LightBin { light: Lux(level), source: LightSource::Measured }
        };
        let mut run = track.run(model(), &person);
        for day in 1..21 {
            run.advance(at(day, 7.1), &happenings, light);
            for (_, belief) in run.beliefs.iter() {
                prop_assert!(belief.is_finite());
                let factor: Matrix6 = cholesky(&belief.covariance);
                for row in 0..STATE {
                    for column in 0..STATE {
                        let again: f64 = (0..STATE).map(|index| factor[row][index] * factor[column][index]).sum();
                        let scale = libm::sqrt(belief.covariance[row][row] * belief.covariance[column][column]);
                        prop_assert!((again - belief.covariance[row][column]).abs() <= 1e-6 * scale, "not definite");
                    }
                }
            }
            let said = run.next_minimum(at(day, 7.1), light);
            prop_assert!(said.sd.0.is_finite() && said.sd.0 > 0.0 && said.cbt_min > at(day, 7.1));
            prop_assert!(said.sd.0 <= circle::ANY_TIME_SD && said.cbt_min < at(day + 3, 7.1));
            prop_assert!(said.interval_80[0] < said.interval_80[1]);
            prop_assert!(said.interval_95[1] - said.interval_95[0] <= Span::days(1));
        }
    }
}

type Matrix6 = matrix::Matrix<STATE>;
