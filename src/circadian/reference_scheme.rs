//! The published equations as they are printed, integrated as other implementations do it: classical
//! Runge–Kutta for all three variables, step 0.1 h, the light of a step taken at its end. For tests: it reproduces published
//! numbers to the last digit, and shares nothing with the production integrator but the parameters.

use std::f64::consts::{PI, TAU};

use crate::circadian::hannay19::Hannay19Parameters;
use crate::circadian::hannay19tp::Hannay19TpParameters;
use crate::circadian::van_der_pol::VanDerPolParameters;

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

/// The two-population model: (`R_v`, `R_d`, `ψ_v`, `ψ_d`, n).
pub fn two_population_derivative(p: &Hannay19TpParameters, [rv, rd, pv, pd, n]: [f64; 5], lux: f64) -> [f64; 5] {
    let power = libm::pow(lux, p.exponent);
    let alpha = p.alpha0 * power / (power + p.half);
    let b = p.gain * (1.0 - n) * alpha;
    let (rv4, rd4) = (libm::pow(rv, 4.0), libm::pow(rd, 4.0));
    let rv8 = rv4 * rv4;
    let (first, second) = (pv + p.beta_l1, 2.0 * pv + p.beta_l2);
    let amplitude_light =
        0.5 * p.a1 * b * (1.0 - rv4) * libm::cos(first) + 0.5 * p.a2 * b * rv * (1.0 - rv8) * libm::cos(second);
    let phase_light = p.sigma * b
        - 0.5 * p.a1 * b * (libm::pow(rv, 3.0) + 1.0 / rv) * libm::sin(first)
        - 0.5 * p.a2 * b * (1.0 + rv8) * libm::sin(second);
    let apart = pd - pv;
    let drv = -p.gamma * rv
        + 0.5 * p.coupling_vv * rv * (1.0 - rv4)
        + 0.5 * p.coupling_dv * rd * (1.0 - rv4) * libm::cos(apart)
        + amplitude_light;
    let drd = -p.gamma * rd
        + 0.5 * p.coupling_dd * rd * (1.0 - rd4)
        + 0.5 * p.coupling_vd * rv * (1.0 - rd4) * libm::cos(apart);
    let dpv =
        TAU / p.tau_v.0 + 0.5 * p.coupling_dv * rd * (libm::pow(rv, 3.0) + 1.0 / rv) * libm::sin(apart) + phase_light;
    let dpd = TAU / p.tau_d.0 - 0.5 * p.coupling_vd * rv * (libm::pow(rd, 3.0) + 1.0 / rd) * libm::sin(apart);
    [drv, drd, dpv, dpd, 60.0 * (alpha * (1.0 - n) - p.beta * n)]
}

/// What light does in the van der Pol models: (B, dn/dt).
fn van_der_pol_light(p: &VanDerPolParameters, [x, xc, n]: [f64; 3], lux: f64) -> (f64, f64) {
    let alpha = p.alpha0 * libm::pow(lux / p.reference_light.0, p.exponent);
    let b = p.gain * (1.0 - n) * alpha * (1.0 - p.modulation * x) * (1.0 - p.modulation * xc);
    (b, 60.0 * (alpha * (1.0 - n) - p.beta * n))
}

/// Forger, Jewett & Kronauer (1999): (x, xc, n).
pub fn forger_derivative(p: &VanDerPolParameters, state: [f64; 3], lux: f64) -> [f64; 3] {
    let [x, xc, _] = state;
    let (b, dn) = van_der_pol_light(p, state, lux);
    let pull = libm::pow(24.0 / (p.tau_correction * p.tau.0), 2.0);
    let dx = PI / 12.0 * (xc + b);
    let dxc = PI / 12.0 * (p.stiffness * (xc - 4.0 / 3.0 * libm::pow(xc, 3.0)) - x * (pull + p.k * b));
    [dx, dxc, dn]
}

/// Jewett, Forger & Kronauer (1999): (x, xc, n); `q` is light's part in xc.
pub fn jewett_derivative(p: &VanDerPolParameters, q: f64, state: [f64; 3], lux: f64) -> [f64; 3] {
    let [x, xc, _] = state;
    let (b, dn) = van_der_pol_light(p, state, lux);
    let pull = libm::pow(24.0 / (p.tau_correction * p.tau.0), 2.0);
    let own = x / 3.0 + 4.0 / 3.0 * libm::pow(x, 3.0) - 256.0 / 105.0 * libm::pow(x, 7.0);
    let dx = PI / 12.0 * (xc + p.stiffness * own + b);
    let dxc = PI / 12.0 * (q * b * xc - x * (pull + p.k * b));
    [dx, dxc, dn]
}

/// One classical Runge–Kutta step of any of them under constant light.
pub fn runge_kutta<const N: usize>(
    derivative: impl Fn([f64; N], f64) -> [f64; N],
    state: [f64; N],
    lux: f64,
    hours: f64,
) -> [f64; N] {
    let shifted = |k: [f64; N], by: f64| std::array::from_fn(|i| state[i] + by * k[i]);
    let k1 = derivative(state, lux);
    let k2 = derivative(shifted(k1, 0.5 * hours), lux);
    let k3 = derivative(shifted(k2, 0.5 * hours), lux);
    let k4 = derivative(shifted(k3, hours), lux);
    std::array::from_fn(|i| state[i] + hours / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

pub fn polar_step(p: &Hannay19Parameters, state: Polar, lux: f64, hours: f64) -> Polar {
    runge_kutta(|state, lux| polar_derivative(p, state, lux), state, lux, hours)
}

/// The trajectory over light samples every 0.1 h: as many states as samples, the first being `start`.
pub fn run<const N: usize>(
    derivative: impl Fn([f64; N], f64) -> [f64; N] + Copy,
    start: [f64; N],
    light: &[f64],
) -> Vec<[f64; N]> {
    let mut states = vec![start];
    let mut state = start;
    for &lux in &light[1..] {
        state = runge_kutta(derivative, state, lux, STEP_HOURS);
        states.push(state);
    }
    states
}

pub fn trajectory(p: &Hannay19Parameters, start: Polar, light: &[f64]) -> Vec<Polar> {
    run(|state, lux| polar_derivative(p, state, lux), start, light)
}

/// Hours at which ψ passes π (mod 2π), interpolated between samples.
pub fn cbt_minima(states: &[Polar]) -> Vec<f64> {
    let turns = |psi: f64| libm::floor((psi + PI) / TAU);
    let mut minima = Vec::new();
    for (index, pair) in states.windows(2).enumerate() {
        let (before, after) = (pair[0][1], pair[1][1]);
        if turns(after) > turns(before) {
            let level = TAU * turns(after) - PI;
            minima.push(STEP_HOURS * (index as f64 + (level - before) / (after - before)));
        }
    }
    minima
}
