//! Hannay19 against numbers that were not made here: see `tests/data/oscillators/README.md`, and the values in each test.

use std::f64::consts::TAU;

use crate::circadian::PHASE_PER_HOUR;
use crate::circadian::drive::CELL;
use crate::circadian::hannay19::{Hannay19, Hannay19Parameters, Hannay19State};
use crate::circadian::markers::{cbt_min_crossings, first_crossing};
use crate::circadian::oscillator::Oscillator;
use crate::circadian::reference_data::schedules;
use crate::circadian::reference_scheme::{Polar, STEP_HOURS, cbt_minima, polar_step, trajectory};
use crate::units::{Hours, Lux, Span, UtcMillis};

const EPOCH: UtcMillis = UtcMillis(0);

fn initial_polar() -> Polar {
    let parameters = Hannay19Parameters::embedded();
    [parameters.initial_amplitude, parameters.initial_phase.0, parameters.initial_adaptation]
}

fn hour_of_day(at: UtcMillis) -> f64 {
    at.0.rem_euclid(86_400_000) as f64 / 3_600_000.0
}

/// The oscillator's CBTmin, local hour, after `days` of a light that repeats every day.
fn cbt_min_after(days: i64, light: impl Fn(f64) -> f64 + Copy) -> f64 {
    let clock = Hannay19::embedded();
    let from = EPOCH + Span::days(days);
    let light = |at| Lux(light(hour_of_day(at)));
    let state = clock.integrate(clock.initial_state(), EPOCH, from, light);
    let crossing = first_crossing(&clock, state, from, Hours(0.0), light, Span::days(2)).expect("a CBTmin");
    (crossing - from).as_hours().0
}

/// Runs the production steps over light samples, each of which acts over the 0.1 h before it, in the longest steps of constant
/// light of at most `longest` that end at its multiples, and returns the states at the ends of all steps.
fn production_run(clock: &Hannay19, light: &[f64], longest: Span) -> Vec<(UtcMillis, Hannay19State)> {
    let sample = Span::minutes(6);
    let end = Span(sample.0 * (light.len() as i64 - 1));
    let lux_after = |at: Span| light[(at.0.div_euclid(sample.0) + 1) as usize];
    let mut state = clock.initial_state();
    let mut now = Span::ZERO;
    let mut states = vec![(EPOCH, state)];
    while now < end {
        let lux = lux_after(now);
        let mut next = now + sample;
        while next < end && lux_after(next).to_bits() == lux.to_bits() && next.0 % longest.0 != 0 {
            next = next + sample;
        }
        state = clock.step(state, &clock.drive(Lux(lux)), next - now);
        now = next;
        states.push((EPOCH + now, state));
    }
    states
}

#[test]
fn the_reference_scheme_reproduces_the_published_end_state() {
    // 20 days of 150 lux from 08:00 to 24:00 with the package's own scheme.
    let light: Vec<f64> = (0..=4_800).map(|sample| if sample % 240 < 80 { 0.0 } else { 150.0 }).collect();
    let states = trajectory(&Hannay19Parameters::embedded(), initial_polar(), &light);
    let [r, psi, n] = states[4_800];
    assert!((r - 0.814_149_27).abs() < 1e-8 && (psi - 127.479_898_34).abs() < 1e-7 && (n - 0.500_159_93).abs() < 1e-8);
    let minima = cbt_minima(&states);
    assert!((minima[minima.len() - 1] - 461.1105).abs() < 1e-4, "{:?}", minima.last());
}

#[test]
fn the_reference_scheme_reproduces_the_reference_trajectories() {
    let parameters = Hannay19Parameters::embedded();
    for reference in schedules() {
        let states = trajectory(&parameters, initial_polar(), &reference.light);
        for (hours, expected) in &reference.states::<3>("hannay19") {
            let state = states[(hours / STEP_HOURS).round() as usize];
            for (value, expected) in state.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-8, "{} at {hours} h: {value} for {expected}", reference.name);
            }
        }
    }
}

#[test]
fn the_production_integrator_agrees_with_the_reference_trajectories() {
    let clock = Hannay19::embedded();
    for reference in schedules() {
        let run = production_run(&clock, &reference.light, CELL);
        let states = reference.states::<3>("hannay19");
        let mut compared = 0;
        for (at, state) in &run {
            let hours = (*at - EPOCH).as_hours().0;
            let Some((_, [r, psi, n])) = states.iter().find(|(t, _)| (t - hours).abs() < 1e-9) else {
                continue;
            };
            let phase_hours = (state.phase().0 - psi).abs() / PHASE_PER_HOUR;
            assert!(phase_hours < 0.0002, "{} at {hours} h: phase off by {phase_hours} h", reference.name);
            assert!((state.amplitude() - r).abs() < 2e-4 && (state.adaptation() - n).abs() < 2e-5);
            compared += 1;
        }
        assert!(compared > 100, "{}: only {compared} states compared", reference.name);

        // CBTmin, found between the steps of either run.
        let expected = cbt_minima(&trajectory(clock.parameters(), initial_polar(), &reference.light));
        let level = |index: usize| std::f64::consts::PI + TAU * index as f64;
        for (index, expected) in expected.iter().enumerate() {
            let after =
                run.iter().position(|(_, state)| state.phase().0 >= level(index)).expect("the phase gets there");
            let (start, before) = run[after - 1];
            let lux = reference.light[((start.0 / 360_000) + 1) as usize];
            let light = |_| Lux(lux);
            let limit = run[after].0 - start + Span::minutes(1);
            let crossing = first_crossing(&clock, before, start, Hours(0.0), light, limit).expect("a crossing");
            let error = (crossing - EPOCH).as_hours().0 - expected;
            assert!(error.abs() < 0.001, "{}: CBTmin {index} off by {error} h", reference.name);
        }
    }
}

#[test]
fn half_hour_steps_put_cbt_min_within_a_second() {
    // The equations as published, in steps of one minute: 250 lux, an outdoor hour at different times, an evening, a night.
    let clock = Hannay19::embedded();
    let parameters = clock.parameters();
    let lux = |bin: i64| {
        let (day, hour) = (bin / 96, (bin % 96) as f64 / 4.0);
        let outdoors = 7.0 + ((day * 5) % 12) as f64;
        if !(7.0..23.0).contains(&hour) {
            0.0
        } else if (outdoors..outdoors + 1.0).contains(&hour) {
            10_000.0
        } else if hour < 19.0 {
            250.0
        } else {
            80.0
        }
    };
    let days = 30;
    let mut fine = Vec::new();
    let mut state = initial_polar();
    for minute in 0..days * 1_440 {
        let next = polar_step(parameters, state, lux(minute / 15), 1.0 / 60.0);
        let turns = |psi: f64| libm::floor((psi + std::f64::consts::PI) / TAU);
        if turns(next[1]) > turns(state[1]) {
            let level = TAU * turns(next[1]) - std::f64::consts::PI;
            fine.push((minute as f64 + (level - state[1]) / (next[1] - state[1])) / 60.0);
        }
        state = next;
    }
    let light = |at: UtcMillis| Lux(lux(at.0 / 900_000));
    let (crossings, _) =
        cbt_min_crossings(&clock, clock.initial_state(), EPOCH, EPOCH + Span::days(days), Hours(0.0), light);
    assert_eq!(crossings.len(), fine.len());
    let worst =
        crossings.iter().zip(&fine).map(|(at, fine)| ((*at - EPOCH).as_hours().0 - fine).abs()).fold(0.0, f64::max);
    assert!(worst < 0.0002, "largest error {worst} h");
}

#[test]
fn entrained_cbt_min_by_light_level() {
    // 60 days of constant light from 07:00 to 23:00.
    let table = [(50.0, 4.572), (100.0, 4.119), (250.0, 4.430), (500.0, 4.664), (1_000.0, 4.776), (10_000.0, 4.842)];
    for (lux, expected) in table {
        let cbt_min = cbt_min_after(60, |hour| if (7.0..23.0).contains(&hour) { lux } else { 0.0 });
        assert!((cbt_min - expected).abs() < 0.002, "{lux} lux: {cbt_min} for {expected}");
    }
}

#[test]
fn entrained_cbt_min_of_a_typical_day() {
    // The tenth CBTmin from the published initial state (the clock settles only later, at 2.293 h).
    let cbt_min = cbt_min_after(9, |hour| match hour {
        h if !(7.0..23.0).contains(&h) => 0.0,
        h if (12.0..14.0).contains(&h) => 2_000.0,
        h if h < 19.0 => 250.0,
        _ => 100.0,
    });
    assert!((cbt_min - 2.401).abs() < 0.002, "{cbt_min}");
}

#[test]
fn in_the_dark_the_clock_runs_free_with_its_own_period_and_amplitude() {
    let clock = Hannay19::embedded();
    let dark = |_| Lux(0.0);
    let (crossings, last) =
        cbt_min_crossings(&clock, clock.initial_state(), EPOCH, EPOCH + Span::days(300), Hours(0.0), dark);
    let count = crossings.len();
    let period = (crossings[count - 1] - crossings[count - 2]).as_hours().0;
    assert!((period - 24.177).abs() < 0.0006, "{period}");
    assert!((last.amplitude() - 0.70).abs() < 0.005, "{}", last.amplitude());
}

#[test]
fn the_result_is_the_same_to_the_last_bit_on_every_machine() {
    let clock = Hannay19::embedded();
    // Whole cells in the dark, in dim and in bright light, and cells in which it changes.
    let lux = |hour: f64| match hour {
        h if h < 7.25 => 0.0,
        h if h < 12.0 => 150.0,
        h if h < 15.0 => 2_500.0,
        h => 10.0 * h,
    };
    let light = |at| Lux(lux(hour_of_day(at)));
    let from = UtcMillis(1_700_000_123_456);
    let state = clock.integrate(clock.initial_state(), from, from + Span::days(40), light);
    let crossing = first_crossing(&clock, state, from + Span::days(40), Hours(1.5), light, Span::days(2));
    assert_eq!(state.to_bits(), PINNED_STATE);
    assert_eq!(crossing, Some(PINNED_CROSSING));
}

const PINNED_STATE: [u64; 4] = [0xBF8D_DCB2_163F_9913, 0x3FEA_A4A4_8788_CC38, 0x3FE3_FD56_5C4A_AD76, 0x28];
const PINNED_CROSSING: UtcMillis = UtcMillis(1_703_473_681_579);
