//! `Hannay19TP`, Forger99 and Jewett99 against numbers that were not made here: see `tests/data/oscillators/README.md`, and the
//! values in each test. Hannay19 has a file of its own, `golden`.

use std::f64::consts::{PI, TAU};

use crate::circadian::drive::CELL;
use crate::circadian::hannay19tp::Hannay19Tp;
use crate::circadian::markers::cbt_min_crossings;
use crate::circadian::oscillator::Oscillator;
use crate::circadian::reference_data::schedules;
use crate::circadian::reference_scheme::{
    STEP_HOURS, forger_derivative, jewett_derivative, run, two_population_derivative,
};
use crate::circadian::van_der_pol::{Forger99, Forger99Light, Jewett99};
use crate::circadian::{Hannay19TpState, PHASE_PER_HOUR, VanDerPolState};
use crate::units::{Hours, Lux, Span, UtcMillis};

const EPOCH: UtcMillis = UtcMillis(0);

/// The farthest that any of our numbers may lie from the references.
const TOLERANCE_HOURS: f64 = 0.005;

/// One model in its two forms: ours, and the printed equations in the scheme of the references.
struct Checked<O: Oscillator, const N: usize, D> {
    name: &'static str,
    clock: O,
    derivative: D,
    variables: fn(&O::State) -> [f64; N],
    /// How far apart two states are in phase, hours.
    apart: fn([f64; N], [f64; N]) -> f64,
    /// Goes from − to + at the reference's CBTmin: (variables, their derivative).
    rising: fn([f64; N], [f64; N]) -> f64,
}

fn tp_variables(state: &Hannay19TpState) -> [f64; 5] {
    let ([rv, rd], [pv, pd]) = (state.amplitudes(), state.phases());
    [rv, rd, pv.0, pd.0, state.adaptation()]
}

fn plane_variables(state: &VanDerPolState) -> [f64; 3] {
    [state.x(), state.xc(), state.adaptation()]
}

fn angle_apart([x, xc, _]: [f64; 3], [y, yc, _]: [f64; 3]) -> f64 {
    libm::atan2(x * yc - xc * y, x * y + xc * yc).abs() / PHASE_PER_HOUR
}

/// Minima of x have x < 0; elsewhere the slope is of no interest.
fn rising_minimum([x, _, _]: [f64; 3], [dx, _, _]: [f64; 3]) -> f64 {
    if x < 0.0 { dx } else { f64::NAN }
}

fn tp() -> Checked<Hannay19Tp, 5, impl Fn([f64; 5], f64) -> [f64; 5] + Copy> {
    let clock = Hannay19Tp::embedded();
    let parameters = *clock.parameters();
    Checked {
        name: "hannay19tp",
        clock,
        derivative: move |state, lux| two_population_derivative(&parameters, state, lux),
        variables: tp_variables,
        apart: |a, b| (a[2] - b[2]).abs().max((a[3] - b[3]).abs()) / PHASE_PER_HOUR,
        rising: |state, _| {
            let past = state[2] - PI;
            let wrapped = past - TAU * libm::round(past / TAU);
            if wrapped.abs() < 1.0 { wrapped } else { f64::NAN }
        },
    }
}

fn forger(light: Forger99Light) -> Checked<Forger99, 3, impl Fn([f64; 3], f64) -> [f64; 3] + Copy> {
    let clock = Forger99::embedded(light);
    let parameters = *clock.parameters();
    Checked {
        name: "forger99",
        clock,
        derivative: move |state, lux| forger_derivative(&parameters, state, lux),
        variables: plane_variables,
        apart: angle_apart,
        rising: rising_minimum,
    }
}

fn jewett() -> Checked<Jewett99, 3, impl Fn([f64; 3], f64) -> [f64; 3] + Copy> {
    let clock = Jewett99::embedded();
    let parameters = *clock.parameters();
    Checked {
        name: "jewett99",
        clock,
        derivative: move |state, lux| jewett_derivative(&parameters, 1.0 / 3.0, state, lux),
        variables: plane_variables,
        apart: angle_apart,
        rising: rising_minimum,
    }
}

impl<O: Oscillator, const N: usize, D: Fn([f64; N], f64) -> [f64; N] + Copy> Checked<O, N, D> {
    fn start(&self) -> [f64; N] {
        (self.variables)(&self.clock.initial_state())
    }

    /// The reference scheme's CBTmin times, hours, between its steps; a lag of the model not yet added.
    fn reference_crossings(&self, light: &[f64]) -> Vec<f64> {
        let states = run(self.derivative, self.start(), light);
        let mut crossings = Vec::new();
        for (index, pair) in states.windows(2).enumerate() {
            let lux = light[index + 1];
            let [before, after] = [pair[0], pair[1]].map(|state| (self.rising)(state, (self.derivative)(state, lux)));
            if before < 0.0 && after >= 0.0 {
                crossings.push(STEP_HOURS * (index as f64 + before / (before - after)));
            }
        }
        crossings
    }

    /// Our state at the end of every stretch of constant light: sample i of the light acts over the 0.1 h before it.
    fn production_run(&self, light: &[f64]) -> Vec<(f64, [f64; N])> {
        let sample = Span::minutes(6);
        let end = Span(sample.0 * (light.len() as i64 - 1));
        let lux_after = |at: Span| light[(at.0.div_euclid(sample.0) + 1) as usize];
        let mut state = self.clock.initial_state();
        let mut now = Span::ZERO;
        let mut states = Vec::new();
        while now < end {
            let lux = lux_after(now);
            let mut next = now + sample;
            while next < end && lux_after(next).to_bits() == lux.to_bits() && next.0 % CELL.0 != 0 {
                next = next + sample;
            }
            state = self.clock.step(state, &self.clock.drive(Lux(lux)), next - now);
            now = next;
            states.push((now.as_hours().0, (self.variables)(&state)));
        }
        states
    }

    fn agrees_with_the_reference_trajectories(&self) {
        for schedule in schedules() {
            let expected = schedule.states::<N>(self.name);
            let scheme = run(self.derivative, self.start(), &schedule.light);
            for (hours, expected) in &expected {
                let state = scheme[(hours / STEP_HOURS).round() as usize];
                for (value, expected) in state.iter().zip(expected) {
                    assert!(
                        (value - expected).abs() < 1e-8,
                        "{} {} at {hours} h: the reference scheme gives {value} for {expected}",
                        self.name,
                        schedule.name
                    );
                }
            }
            let (mut worst, mut compared) = (0.0f64, 0);
            for (hours, state) in self.production_run(&schedule.light) {
                let Some((_, expected)) = expected.iter().find(|(t, _)| (t - hours).abs() < 1e-9) else { continue };
                worst = worst.max((self.apart)(state, *expected));
                assert!((state[N - 1] - expected[N - 1]).abs() < 1e-3, "{} {} at {hours} h", self.name, schedule.name);
                compared += 1;
            }
            assert!(compared > 200, "{} {}: only {compared} states compared", self.name, schedule.name);
            println!("{} {}: states within {worst} h", self.name, schedule.name);
            assert!(worst < TOLERANCE_HOURS, "{} {}: off by {worst} h", self.name, schedule.name);
        }
    }

    /// Our markers on the grid against those that the package found among its samples of 0.1 h.
    fn agrees_with_the_reference_markers(&self) {
        for schedule in schedules() {
            // A light sample acts over the 0.1 h before it: six minutes later it begins on the grid.
            let late = Span::minutes(6);
            // Whether the last minimum was the lowest of its cycle may be known after the end only.
            let last = schedule.light.len() - 1;
            let light = |at: UtcMillis| Lux(schedule.light[last.min((at.0 / late.0) as usize)]);
            let end = EPOCH + Span(late.0 * (schedule.light.len() as i64 - 1));
            let start = self.clock.initial_state();
            let (crossings, _) = cbt_min_crossings(&self.clock, start, EPOCH + late, end, Hours(0.0), light);
            let found: Vec<f64> = crossings.iter().map(|at| (*at - EPOCH - late).as_hours().0).collect();
            let expected = schedule.markers(self.name);
            assert_eq!(found.len(), expected.len(), "{} {}", self.name, schedule.name);
            let worst =
                found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f64::max);
            println!("{} {}: markers within {worst} h", self.name, schedule.name);
            assert!(worst < 0.0501, "{} {}: {found:?} for {expected:?}", self.name, schedule.name);
        }
    }

    /// Every CBTmin of `days` days under a light that repeats every day.
    fn markers_by_day(&self, days: i64, light: impl Fn(f64) -> f64) -> Vec<f64> {
        let light = |at: UtcMillis| Lux(light(at.0.rem_euclid(86_400_000) as f64 / 3_600_000.0));
        let (crossings, _) = cbt_min_crossings(
            &self.clock,
            self.clock.initial_state(),
            EPOCH,
            EPOCH + Span::days(days),
            Hours(0.0),
            light,
        );
        crossings.iter().map(|at| (*at - EPOCH).as_hours().0).collect()
    }

    fn entrains_to(&self, table: [f64; 6]) {
        for (lux, expected) in [50.0, 100.0, 250.0, 500.0, 1_000.0, 10_000.0].into_iter().zip(table) {
            let light = |hour: f64| if (7.0..23.0).contains(&hour) { lux } else { 0.0 };
            let crossings = self.markers_by_day(60, light);
            let cbt_min = crossings[crossings.len() - 1].rem_euclid(24.0);
            println!("{} {lux} lux: {cbt_min} for {expected}", self.name);
            assert!((cbt_min - expected).abs() < TOLERANCE_HOURS, "{} {lux} lux: {cbt_min} for {expected}", self.name);
        }
    }

    fn lives_a_typical_day(&self, expected: f64) {
        let crossings = self.markers_by_day(10, |hour| match hour {
            h if !(7.0..23.0).contains(&h) => 0.0,
            h if (12.0..14.0).contains(&h) => 2_000.0,
            h if h < 19.0 => 250.0,
            _ => 100.0,
        });
        let cbt_min = crossings[9].rem_euclid(24.0);
        println!("{} typical day: {cbt_min} for {expected}", self.name);
        assert!((cbt_min - expected).abs() < TOLERANCE_HOURS, "{}: {cbt_min} for {expected}", self.name);
    }

    /// 20 days of 150 lux from 08:00 to 24:00, in the references' scheme and in ours.
    fn ends_twenty_days_at(&self, expected: [f64; N], last_crossing: f64) {
        let light: Vec<f64> = (0..=4_800).map(|sample| if sample % 240 < 80 { 0.0 } else { 150.0 }).collect();
        let states = run(self.derivative, self.start(), &light);
        for (value, expected) in states[4_800].iter().zip(expected) {
            assert!((value - expected).abs() < 1e-7, "{}: {value} for {expected}", self.name);
        }
        let lag = self.clock.cbt_min_after_phase().as_hours().0;
        let crossings = self.reference_crossings(&light);
        let found = crossings[crossings.len() - 1] + lag;
        assert!((found - last_crossing).abs() < 0.002, "{}: {found} for {last_crossing}", self.name);

        let run = self.production_run(&light);
        let (_, state) = run[run.len() - 1];
        assert!((self.apart)(state, expected) < TOLERANCE_HOURS, "{}: {state:?} for {expected:?}", self.name);
    }
}

#[test]
fn hannay19tp_agrees_with_the_reference_trajectories_and_markers() {
    tp().agrees_with_the_reference_trajectories();
    tp().agrees_with_the_reference_markers();
}

#[test]
fn forger99_agrees_with_the_reference_trajectories_and_markers() {
    forger(Forger99Light::Serkh).agrees_with_the_reference_trajectories();
    forger(Forger99Light::Serkh).agrees_with_the_reference_markers();
}

#[test]
fn jewett99_agrees_with_the_reference_trajectories_and_markers() {
    jewett().agrees_with_the_reference_trajectories();
    jewett().agrees_with_the_reference_markers();
}

#[test]
fn twenty_days_of_room_light_end_where_they_should() {
    let tp_state = [0.818_814_57, 0.823_257_66, 127.511_971_62, 127.659_890_96, 0.500_159_93];
    tp().ends_twenty_days_at(tp_state, 460.9726);
    forger(Forger99Light::Serkh).ends_twenty_days_at([-0.185_599_51, -1.067_385_36, 0.435_784_82], 461.4965);
    jewett().ends_twenty_days_at([-0.196_302_76, -1.212_355_4, 0.467_379_12], 461.1071);
}

#[test]
fn entrained_cbt_min_by_light_level() {
    // 60 days of constant light from 07:00 to 23:00: 50, 100, 250, 500, 1,000 and 10,000 lux.
    forger(Forger99Light::Serkh).entrains_to([4.869, 4.678, 4.512, 4.429, 4.371, 4.275]);
    forger(Forger99Light::Kronauer).entrains_to([4.880, 4.705, 4.576, 4.526, 4.498, 4.470]);
    jewett().entrains_to([4.642, 4.351, 4.045, 3.860, 3.713, 3.436]);
    tp().entrains_to([4.651, 4.054, 4.218, 4.398, 4.489, 4.544]);
}

#[test]
fn the_tenth_cbt_min_of_a_typical_day() {
    forger(Forger99Light::Serkh).lives_a_typical_day(3.885);
    forger(Forger99Light::Kronauer).lives_a_typical_day(3.950);
    jewett().lives_a_typical_day(3.614);
    tp().lives_a_typical_day(2.528);
}

#[test]
fn in_the_dark_the_clocks_run_free_with_their_own_periods() {
    fn period<O: Oscillator>(clock: &O) -> f64 {
        let end = EPOCH + Span::days(200);
        let (crossings, _) = cbt_min_crossings(clock, clock.initial_state(), EPOCH, end, Hours(0.0), |_| Lux(0.0));
        (crossings[crossings.len() - 1] - crossings[crossings.len() - 2]).as_hours().0
    }
    // The van der Pol models carry a correction factor that makes the parameter the period.
    assert!((period(&tp().clock) - 24.20).abs() < 0.006, "{}", period(&tp().clock));
    assert!((period(&jewett().clock) - 24.2).abs() < 0.01, "{}", period(&jewett().clock));
    assert!((period(&forger(Forger99Light::Serkh).clock) - 24.2).abs() < 0.01);
    let longer = forger(Forger99Light::Serkh).clock.personal(Hours(24.6), 1.0);
    assert!((period(&longer) - 24.6).abs() < 0.01, "{}", period(&longer));
}
