//! Naps on a journey for who cannot be awake from one usual nap to the next.

use super::Place;
use super::naps::{Nap, NapSort, wake_window};
use super::nights::{Night, can_sleep};
use super::setting::Setting;
use super::spans::Interval;
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

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
