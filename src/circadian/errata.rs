//! Mistakes found in published programs of these models, each kept out of ours by a test. `docs/science.md` has the list.

use std::f64::consts::PI;

use crate::circadian::drive::{BIN, CELL};
use crate::circadian::entrain::{BINS_PER_DAY, habitual_cbt_min, likely_midnight_state};
use crate::circadian::markers::{cbt_min_crossings, first_crossing};
use crate::circadian::oscillator::Oscillator;
use crate::circadian::van_der_pol::{Forger99, Forger99Light, Jewett99};
use crate::circadian::{Hannay19, Hannay19Tp, PHASE_PER_HOUR};
use crate::units::{Hours, Lux, Radians, Span, UtcMillis};

/// Calls a generic check with every oscillator.
macro_rules! with_every_oscillator {
    ($check:ident) => {
        $check("hannay19", &Hannay19::embedded());
        $check("hannay19tp", &Hannay19Tp::embedded());
        $check("forger99", &Forger99::embedded(Forger99Light::Serkh));
        $check("forger99k", &Forger99::embedded(Forger99Light::Kronauer));
        $check("forger99p6", &Forger99::embedded(Forger99Light::Hybrid));
        $check("jewett99", &Jewett99::embedded());
    };
}

const DAY: Span = Span::days(1);

/// 07:00–23:00, dimmer from 19:00.
fn habitual_light() -> [Lux; BINS_PER_DAY] {
    std::array::from_fn(|bin| match bin {
        28..76 => Lux(250.0),
        76..92 => Lux(80.0),
        _ => Lux(0.0),
    })
}

fn light_at(instant: UtcMillis) -> Lux {
    habitual_light()[(instant.0.rem_euclid(DAY.0) / BIN.0) as usize]
}

/// A warm-up that repeats days of 23.9 h (a range of steps that ends one too early) leaves a clock that still drifts by
/// 0.1 h a day.
#[test]
fn an_entrained_clock_does_not_drift() {
    fn check<O: Oscillator>(name: &str, oscillator: &O) {
        let start = likely_midnight_state(oscillator, Hours(3.0));
        let entrained = habitual_cbt_min(oscillator, &habitual_light(), start);
        assert!(entrained.settled, "{name}: not settled after {} days", entrained.days);
        let from = UtcMillis(0);
        let to = from + Span::days(10);
        let (crossings, _) = cbt_min_crossings(oscillator, entrained.state_at_midnight, from, to, Hours(0.0), light_at);
        assert_eq!(crossings.len(), 10, "{name}");
        for (day, crossing) in crossings.iter().enumerate() {
            let hour = (*crossing - from).as_hours().0 - 24.0 * day as f64;
            // A day may move a settled clock by 10⁻⁴ h, and the slowest of them halves its distance in about five days.
            assert!((hour - entrained.cbt_min.0).abs() < 2e-3, "{name}: day {day} at {hour}, {entrained:?}");
        }
    }
    with_every_oscillator!(check);
}

/// A rule tied to the time since the start of the run instead of the clock's own phase gives another phase when the same life
/// is counted from another hour, and stays behind at home after a flight.
#[test]
fn where_time_is_counted_from_makes_no_difference() {
    fn check<O: Oscillator>(name: &str, oscillator: &O) {
        let run = |origin: Span| {
            let from = UtcMillis(0) + origin;
            let light = |at: UtcMillis| light_at(at - origin);
            cbt_min_crossings(oscillator, oscillator.initial_state(), from, from + Span::days(12), Hours(0.0), light)
        };
        let (expected, last) = run(Span::ZERO);
        for origin in [Span::hours(12), Span::minutes(-330), Span::days(20_000)] {
            let (crossings, state) = run(origin);
            assert_eq!(state, last, "{name}");
            assert!(crossings.iter().zip(&expected).all(|(found, expected)| *found - origin == *expected), "{name}");
        }
    }
    with_every_oscillator!(check);
}

/// A search for peaks among samples sees times in steps of 0.1 h, and forgets one of two markers less than 13 h apart.
#[test]
fn markers_lie_between_steps_and_close_ones_are_all_found() {
    /// Turns once in ten hours.
    #[derive(Clone, Copy, Debug)]
    struct Spinning;
    impl Oscillator for Spinning {
        type State = f64;
        type Drive = ();
        fn initial_state(&self) -> f64 {
            0.0
        }
        fn moved_to(&self, _state: f64, phase: Radians) -> f64 {
            phase.0
        }
        fn unwound(&self, state: f64) -> f64 {
            state
        }
        fn drive(&self, _light: Lux) {}
        fn step(&self, state: f64, _drive: &(), length: Span) -> f64 {
            state + 2.4 * PHASE_PER_HOUR * length.as_hours().0
        }
        fn phase(&self, state: &f64, _drive: &()) -> Radians {
            Radians(*state)
        }
    }
    let from = UtcMillis(123_456_789);
    let (crossings, _) = cbt_min_crossings(&Spinning, 0.0, from, from + Span::hours(50), Hours(0.0), |_| Lux(0.0));
    let hours: Vec<f64> = crossings.iter().map(|at| (*at - from).as_hours().0).collect();
    assert_eq!(hours.len(), 5);
    for (index, hour) in hours.iter().enumerate() {
        assert!((hour - (5.0 + 10.0 * index as f64)).abs() < 1e-6, "{hours:?}");
    }
}

/// Light that comes on while x is near its lowest turns it up for a moment: two minima within an hour or two, of which a
/// search that stops at the first reports the wrong one.
#[test]
fn of_several_minima_in_a_cycle_the_lowest_is_cbt_min() {
    fn check<O: Oscillator>(name: &str, oscillator: &O) {
        let start = habitual_cbt_min(oscillator, &habitual_light(), likely_midnight_state(oscillator, Hours(3.0)));
        let from = UtcMillis(0);
        let lag = oscillator.cbt_min_after_phase();
        let dark = |_| Lux(0.0);
        let undisturbed =
            first_crossing(oscillator, start.state_at_midnight, from, Hours(0.0), dark, DAY).expect("a CBTmin");
        let mut turned_twice = 0;
        for minutes_before in (15..330).step_by(15) {
            let on = (undisturbed - lag - Span::minutes(minutes_before)).floor_to(BIN);
            let light = |at: UtcMillis| Lux(if at >= on { 2_000.0 } else { 0.0 });
            let found = first_crossing(oscillator, start.state_at_midnight, from, Hours(0.0), light, DAY)
                .expect("a CBTmin")
                - lag;
            // By brute force, minute by minute.
            let temperature = |state: &O::State| oscillator.temperature(state).expect("a temperature");
            let mut state = start.state_at_midnight;
            let mut now = from;
            let (mut lowest, mut falling, mut minima) = ((f64::INFINITY, now), true, 0);
            while now < from + Span::hours(12) {
                let before = temperature(&state);
                if before < lowest.0 {
                    lowest = (before, now);
                }
                state = oscillator.step(state, &oscillator.drive(light(now)), Span::minutes(1));
                now += Span::minutes(1);
                let falls = temperature(&state) < before;
                minima += i32::from(falling && !falls);
                falling = falls;
            }
            turned_twice += i32::from(minima > 1);
            let error = (found - lowest.1).as_hours().0;
            assert!(error.abs() < 0.03, "{name}: light {minutes_before} min before, off by {error} h");
        }
        assert!(turned_twice > 0, "{name}: the light never made two minima");
    }
    check("forger99", &Forger99::embedded(Forger99Light::Serkh));
    check("jewett99", &Jewett99::embedded());
}

/// The revised model puts CBTmin a fixed time after the minimum of x, in hours; added to an angle it would mean something else.
#[test]
fn a_lag_in_hours_is_added_in_hours() {
    let clock = Jewett99::embedded();
    let found =
        first_crossing(&clock, clock.initial_state(), UtcMillis(0), Hours(0.0), light_at, DAY).expect("a CBTmin");
    let minimum = found - Span::minutes(48);
    let state = clock.integrate(clock.initial_state(), UtcMillis(0), minimum, light_at);
    let phase = clock.phase(&state, &clock.drive(light_at(minimum))).0;
    assert!((phase - PI).abs() < 1e-6, "{phase}");
}

/// The step counter is an integer: nothing adds up rounded lengths of steps until noon is six minutes off.
#[test]
fn the_hundredth_year_has_the_same_steps_as_the_first() {
    let clock = Hannay19::embedded();
    let century = Span::days(36_500);
    let day = |from: UtcMillis| clock.integrate(clock.initial_state(), from, from + CELL, light_at).to_bits();
    assert_eq!(day(UtcMillis(0)), day(UtcMillis(0) + century));
}
