//! Flights through the body's night: sleep on board where the day would be too long without, and naps on the way for who
//! cannot be awake from one usual nap to the next.
//!
//! Sleep on board follows the destination's clock, or that of home; what stands here adds what the body needs where that
//! clock leaves none.

use super::naps::{Nap, NapSort, wake_window};
use super::nights::{Night, NightSort, can_sleep};
use super::setting::Setting;
use super::spans::Interval;
use super::target::Outlook;
use super::{Place, Stretch};
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

/// Adds the body's night to every flight that covers enough of it, where the time between the main sleeps before and after
/// would be longer than somebody of this age can be awake. A sleep aboard by the destination's clock that is no whole night
/// carries through a part of a day only, and gives way to a longer one. `nights` in order of time, before and after.
pub(super) fn add_body_nights(setting: &Setting<'_>, outlook: &Outlook, nights: &mut Vec<Night>) {
    for (index, flight) in setting.situation.whereabouts.iter().enumerate() {
        if !flight.is_aboard() {
            continue;
        }
        let aboard = setting.on_grid(can_sleep(setting, flight));
        for night in body_nights(setting, outlook, index) {
            add(setting, flight, setting.on_grid(night.clipped_to(aboard)), nights);
        }
    }
}

/// When it is night for the body about a flight: from home, the usual night; elsewhere around CBTmin, or without a clock by
/// that of the place where the journey began.
fn body_nights(setting: &Setting<'_>, outlook: &Outlook, flight: usize) -> Vec<Interval> {
    let length = usual_length(setting);
    let before = &setting.situation.whereabouts[..flight];
    let place = before.iter().rev().find(|stretch| setting.is_stay(stretch)).or(before.first());
    let is_from_home = place.is_some_and(|place| place.place == Place::Home);
    if let Some(clock) = setting.clock.filter(|_| !is_from_home) {
        let around = |cbt_min: &UtcMillis| {
            let middle = *cbt_min - Span::from_hours(clock.delta);
            Interval::new(middle - Span(length.0 / 2), middle + Span(length.0 / 2))
        };
        return outlook.cbt_mins.iter().map(around).collect();
    }
    let Some(place) = place else { return Vec::new() };
    let zone = setting.schedule_zone(place);
    setting.dates_about(zone).map(|date| setting.usual_night(zone, date)).collect()
}

fn usual_length(setting: &Setting<'_>) -> Span {
    Span::minutes(i64::from(setting.night_minutes))
}

fn add(setting: &Setting<'_>, flight: &Stretch, night: Interval, nights: &mut Vec<Night>) {
    let numbers = &setting.numbers.sleep;
    let usual = usual_length(setting);
    // What the clock of the destination leaves of a night aboard, right before, in or after that of the body.
    let near = night.widened(numbers.part_least);
    let is_part = |night: &Night| night.sort == NightSort::Aboard && night.window.overlaps(near);
    let parts: Vec<Interval> = nights.iter().filter(|night| is_part(night)).map(|night| night.window).collect();
    let is_main = |length: Span| length.0 as f64 >= usual.0 as f64 * numbers.main_share;
    let others = nights.iter().filter(|night| is_main(night.window.length()) && !is_part(night));
    let others: Vec<Interval> = others.map(|night| night.window).collect();
    let longest = night.without(&others).into_iter().max_by_key(|piece| piece.length());
    let Some(piece) = longest.filter(|piece| piece.length() >= numbers.body_night_least) else { return };

    // One sleep of both, or where that would be more than a night the body's.
    let whole =
        parts.iter().fold(piece, |whole, part| Interval::new(whole.start.min(part.start), whole.end.max(part.end)));
    let window = if whole.length() > usual { piece } else { whole };
    let by_the_clock = parts.iter().copied().max_by_key(|part| part.length());
    let by_the_clock = by_the_clock.filter(|part| is_main(part.length()));
    if by_the_clock.is_some_and(|part| part.length() >= window.length()) {
        return;
    }
    let slept_until = others.iter().map(|sleep| sleep.end).filter(|end| *end <= piece.start).max();
    let sleeps_from = others.iter().map(|sleep| sleep.start).filter(|start| *start >= piece.end).min();
    let longest_day = ((Span::days(1) - usual).0 as f64) * numbers.awake_most_share;
    let is_too_long = match by_the_clock {
        None => slept_until.zip(sleeps_from).is_none_or(|(from, until)| (until - from).0 as f64 > longest_day),
        // Half a night is good for half a day.
        Some(part) => {
            let share = (part.length().0 as f64 / usual.0 as f64).min(1.0);
            let before = slept_until.is_some_and(|from| (part.start - from).0 as f64 > longest_day);
            let after = sleeps_from.is_none_or(|until| (until - part.end).0 as f64 > longest_day * share);
            before || after
        }
    };
    if !is_too_long {
        return;
    }
    nights.retain(|night| !is_part(night));
    let zone = setting.schedule_zone(flight);
    let day = zones::local_date(zone, window.start);
    nights.push(Night { day, zone, part: 1, window, sort: NightSort::AboardByBody, is_told: true });
    nights.sort_by_key(|night| night.window);
}

/// Adds naps on board and on the way to the airport where a child would be awake for much longer than it can.
pub(super) fn add_naps_on_the_way(setting: &Setting<'_>, nights: &[Night], naps: &mut Vec<Nap>) {
    let numbers = &setting.numbers.naps;
    let usual = setting.situation.person.naps;
    let (Some(window), Some(minutes)) = (wake_window(setting), usual.iter().map(|nap| nap.minutes).max()) else {
        return;
    };
    let length = Span::minutes(i64::from(setting.minute_on_grid(minutes))).max(numbers.shortest).min(numbers.longest);
    let longest_awake = Span((window.0 as f64 * numbers.awake_most_windows) as i64);
    let places = places_to_nap(setting);
    // Every nap that is added halves a time awake: a journey has room for a few.
    let mut index = usual.len();
    while let Some((start, end, sort)) = missing_nap(setting, &places, window, longest_awake, nights, naps) {
        let zone = setting.schedule_zone(setting.stretch_at(start));
        let window = Interval::new(start, end.min(start + length));
        naps.push(Nap { day: zones::local_date(zone, start), zone, index, window, sort });
        naps.sort_by_key(|nap| (nap.window, nap.index));
        index += 1;
    }
}

/// Where a child can nap on a journey, in order of time: in a pram or carrier until boarding, and aboard.
fn places_to_nap(setting: &Setting<'_>) -> Vec<(Interval, NapSort)> {
    let numbers = setting.numbers;
    let flights = setting.situation.whereabouts.iter().filter(|stretch| matches!(stretch.place, Place::Aboard { .. }));
    let places = flights.flat_map(|flight| {
        let leaves = flight.from - numbers.sleep.up_before_departure;
        let boards = flight.from - numbers.light.around_flight;
        [(Interval::new(leaves, boards), NapSort::OnTheWay), (can_sleep(setting, flight), NapSort::Between)]
    });
    places.map(|(place, sort)| (setting.on_grid(place), sort)).collect()
}

/// The first place and time for a nap in a time awake that is too long.
fn missing_nap(
    setting: &Setting<'_>,
    places: &[(Interval, NapSort)],
    window: Span,
    longest_awake: Span,
    nights: &[Night],
    naps: &[Nap],
) -> Option<(UtcMillis, UtcMillis, NapSort)> {
    let numbers = &setting.numbers.naps;
    let mut asleep: Vec<Interval> = nights.iter().map(|night| night.window).collect();
    asleep.extend(naps.iter().map(|nap| nap.window));
    asleep.sort_unstable();
    let too_long = asleep.windows(2).filter(|pair| pair[1].start - pair[0].end > longest_awake);
    let mut missing = too_long.flat_map(|pair| {
        let tired = Interval::new(setting.grid_up(pair[0].end + window), pair[1].start - numbers.gap_least);
        places.iter().map(move |(place, sort)| (place.clipped_to(tired), *sort))
    });
    let (place, sort) = missing.find(|(place, _)| place.length() >= numbers.shortest)?;
    Some((place.start, place.end, sort))
}
