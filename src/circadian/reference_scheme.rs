//! The published equations as they are printed, integrated as other implementations do it: polar form, classical
//! Runge–Kutta for all three variables, step 0.1 h, the light of a step taken at its end. For tests: it reproduces published
//! numbers to the last digit, and shares nothing with the production integrator but the parameters.

use std::f64::consts::TAU;

use crate::circadian::hannay19::Hannay19Parameters;

/// (R, ψ, n).
pub type Polar = [f64; 3];

pub const STEP_HOURS: f64 = 0.1;

/// Time derivative per hour, in the polar form of the paper.
pub fn polar_derivative(p: &Hannay19Parameters, [r, psi, n]: Polar, lux: f64) -> Polar {
    let power = libm::pow(lux, p.exponent);
    let alpha = p.alpha0 * power / (power + p.half);
    let b = p.gain * (1.0 - n) * alpha;
    let r4 = libm::pow(r, 4.0);
    let r8 = libm::pow(r, 8.0);
    let first = psi + p.beta_l1;
    let second = 2.0 * psi + p.beta_l2;
    let dr = -p.gamma * r
        + 0.5 * p.coupling * libm::cos(p.beta1) * r * (1.0 - r4)
        + 0.5 * p.a1 * b * (1.0 - r4) * libm::cos(first)
        + 0.5 * p.a2 * b * r * (1.0 - r8) * libm::cos(second);
    let dpsi = TAU / p.tau.0 + 0.5 * p.coupling * libm::sin(p.beta1) * (1.0 + r4) + p.sigma * b
        - 0.5 * p.a1 * b * (libm::pow(r, 3.0) + 1.0 / r) * libm::sin(first)
        - 0.5 * p.a2 * b * (1.0 + r8) * libm::sin(second);
    let dn = 60.0 * (alpha * (1.0 - n) - p.beta * n);
    [dr, dpsi, dn]
}

/// One classical Runge–Kutta step under constant light.
pub fn polar_step(p: &Hannay19Parameters, state: Polar, lux: f64, hours: f64) -> Polar {
    let shifted = |k: Polar, by: f64| std::array::from_fn(|i| state[i] + by * k[i]);
    let k1 = polar_derivative(p, state, lux);
    let k2 = polar_derivative(p, shifted(k1, 0.5 * hours), lux);
    let k3 = polar_derivative(p, shifted(k2, 0.5 * hours), lux);
    let k4 = polar_derivative(p, shifted(k3, hours), lux);
    std::array::from_fn(|i| state[i] + hours / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// The trajectory over light samples every 0.1 h: as many states as samples, the first being `start`.
pub fn trajectory(p: &Hannay19Parameters, start: Polar, light: &[f64]) -> Vec<Polar> {
    let mut states = vec![start];
    let mut state = start;
    for &lux in &light[1..] {
        state = polar_step(p, state, lux, STEP_HOURS);
        states.push(state);
    }
    states
}

/// Hours at which ψ passes π (mod 2π), interpolated between samples.
pub fn cbt_minima(states: &[Polar]) -> Vec<f64> {
    let turns = |psi: f64| libm::floor((psi + std::f64::consts::PI) / TAU);
    let mut minima = Vec::new();
    for (index, pair) in states.windows(2).enumerate() {
        let (before, after) = (pair[0][1], pair[1][1]);
        if turns(after) > turns(before) {
            let level = TAU * turns(after) - std::f64::consts::PI;
            minima.push(STEP_HOURS * (index as f64 + (level - before) / (after - before)));
        }
    }
    minima
}
