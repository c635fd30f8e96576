//! When to seek light and when to keep it low.
//!
//! Light after CBTmin moves the clock to earlier hours, light before it to later ones. Advancing, bright light is sought
//! in the hours after CBTmin and avoided in those before; delaying, the other way round. Where sleep covers those hours,
//! the waking hours nearest to them take their place.

use super::naps::Nap;
use super::nights::Night;
use super::setting::Setting;
use super::spans::Interval;
use super::target::{Course, Direction, Outlook};
use crate::event::recommendation::ActionKind;
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

const DAY_MINUTES: i32 = 1440;

/// Bright or dim light for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub kind: ActionKind,
    pub window: Interval,
}

/// The light advice of the horizon.
#[derive(Debug, Default)]
pub(super) struct Light {
    /// In order of time; none overlaps another.
    pub blocks: Vec<Block>,
    /// Bright light that was left out, because the clock is not known well enough to say which way it would push.
    pub left_out: Vec<Interval>,
    /// Bright light would have been advised, and a condition in the profile forbids it.
    pub is_forbidden: bool,
}

/// On which side of CBTmin a block lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// Light around the nights and naps of the plan.
pub(super) fn light(setting: &Setting<'_>, outlook: &Outlook, nights: &[Night], naps: &[Nap]) -> Light {
    let Some(course) = outlook.moving() else { return Light::default() };
    let now = setting.now();
    let mut dark: Vec<Interval> = nights.iter().map(|night| night.window).collect();
    dark.extend(naps.iter().map(|nap| nap.window));
    if setting.asleep_since.is_some() {
        dark.push(Interval::new(now, now + setting.numbers.light.asleep_for));
    }
    let mut not_bright = not_bright(setting, course, &outlook.cbt_mins);
    not_bright.extend(&dark);
    let calm = setting.numbers.light.before_bed;
    not_bright.extend(nights.iter().map(|night| Interval::new(night.window.start - calm, night.window.end)));
    let (bright_side, dim_side) = match course.direction {
        Direction::Advance => (Side::After, Side::Before),
        Direction::Delay => (Side::Before, Side::After),
    };
    let mut light = Light::default();
    for cbt_min in &outlook.cbt_mins {
        for (kind, side, busy) in
            [(ActionKind::BrightLight, bright_side, &not_bright), (ActionKind::DimLight, dim_side, &dark)]
        {
            let mut busy = busy.clone();
            busy.extend(light.blocks.iter().map(|block| block.window));
            let Some(window) = best_piece(setting, *cbt_min, side, &busy) else { continue };
            let is_of_this_plan = window.end > now && window.start < setting.horizon_end();
            if !is_of_this_plan || !outlook.is_moving_at(setting, window.start) {
                continue;
            }
            // Decided on the whole block, not on what is left of it now: a block that has begun is not taken back.
            let may_harm =
                |sd| wrong_sign_probability(sd, *cbt_min, window, side) > setting.numbers.light.wrong_sign_most;
            if !may_harm(course.sd_at(setting, *cbt_min)) {
                light.blocks.extend(ahead(setting, Block { kind, window }));
            } else if kind == ActionKind::BrightLight && may_harm(course.sd()) {
                light.left_out.extend(ahead(setting, Block { kind, window }).map(|block| block.window));
            }
            // What only the days until then make unsure is not promised yet, and not denied.
        }
    }
    light.blocks.sort_by_key(|block| block.window);
    // What is advised for the sake of another day is not denied.
    let is_advised = |window: &Interval| {
        light.blocks.iter().any(|block| block.kind == ActionKind::BrightLight && block.window.overlaps(*window))
    };
    light.left_out.retain(|window| !is_advised(window));
    if setting.situation.person.no_bright_light {
        light.is_forbidden = light.blocks.iter().any(|block| block.kind == ActionKind::BrightLight);
        light.blocks.retain(|block| block.kind != ActionKind::BrightLight);
        light.left_out.clear();
    }
    light
}

/// When bright light cannot be had or would do harm, other than asleep.
fn not_bright(setting: &Setting<'_>, course: &Course, cbt_mins: &[UtcMillis]) -> Vec<Interval> {
    let numbers = &setting.numbers.light;
    let mut intervals = Vec::new();
    for stretch in setting.situation.whereabouts {
        if stretch.is_aboard() {
            let out_again = stretch.to.map_or(UtcMillis::MAX, |to| to + numbers.around_flight);
            intervals.push(Interval::new(stretch.from - numbers.around_flight, out_again));
        }
        for date in setting.dates(stretch.time_zone) {
            let at = |minute| zones::to_utc(stretch.time_zone, date, minute);
            let quiet_hours =
                Interval::new(at(numbers.bright_until_minute), at(numbers.bright_from_minute + DAY_MINUTES));
            let morning = Interval::new(at(0), at(numbers.bright_from_minute));
            intervals.push(quiet_hours.clipped_to(stretch.interval()));
            intervals.push(morning.clipped_to(stretch.interval()));
        }
    }
    if course.direction == Direction::Advance {
        intervals.extend(cbt_mins.iter().map(|at| Interval::new(*at - numbers.no_bright_before, *at)));
    }
    intervals.retain(|interval| interval.length() > Span::ZERO);
    intervals
}

/// The longest free piece of the hours next to CBTmin; where there is none, the free piece nearest to it within reach,
/// cut to the length that is asked for there.
fn best_piece(setting: &Setting<'_>, cbt_min: UtcMillis, side: Side, busy: &[Interval]) -> Option<Interval> {
    let numbers = &setting.numbers.light;
    let beside = |length: Span| match side {
        Side::Before => Interval::new(cbt_min - length, cbt_min),
        Side::After => Interval::new(cbt_min, cbt_min + length),
    };
    let on_grid = |piece: Interval| setting.on_grid(piece);
    let long_enough = |piece: &Interval| piece.length() >= numbers.shortest;
    let next_to = beside(numbers.block).without(busy).into_iter().map(on_grid).filter(long_enough);
    if let Some(longest) = next_to.rev().max_by_key(|piece| piece.length()) {
        return Some(longest);
    }
    let mut within_reach = beside(numbers.reach).without(busy).into_iter().map(on_grid).filter(long_enough);
    match side {
        Side::Before => within_reach
            .next_back()
            .map(|piece| Interval::new(piece.start.max(piece.end - numbers.reach_block), piece.end)),
        Side::After => within_reach
            .next()
            .map(|piece| Interval::new(piece.start, piece.end.min(piece.start + numbers.reach_block))),
    }
}

/// Probability that the true CBTmin lies on the other side of the block's centre.
fn wrong_sign_probability(sd: Hours, cbt_min: UtcMillis, window: Interval, side: Side) -> f64 {
    let after = (window.centre() - cbt_min).as_hours().0;
    let margin = if side == Side::After { after } else { -after };
    normal_tail(margin, sd.0)
}

/// Probability that a normal variable of mean 0 exceeds `margin`; 1 where the standard deviation is no number.
fn normal_tail(margin: f64, sd: f64) -> f64 {
    if sd.is_nan() {
        return 1.0;
    }
    if sd <= 0.0 {
        return if margin >= 0.0 { 0.0 } else { 1.0 };
    }
    0.5 * libm::erfc(margin / (sd * std::f64::consts::SQRT_2))
}

fn ahead(setting: &Setting<'_>, block: Block) -> Option<Block> {
    let window = setting.still_ahead(block.window, setting.numbers.light.shortest)?;
    Some(Block { window, ..block })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_normal_distribution_lies_beyond_two_thirds_of_its_deviation() {
        assert!((normal_tail(2.0 * 0.674_49, 2.0) - 0.25).abs() < 1e-4);
        assert!((normal_tail(0.0, 1.0) - 0.5).abs() < 1e-12);
        assert_eq!(normal_tail(1.0, f64::NAN).to_bits(), 1f64.to_bits());
    }
}
