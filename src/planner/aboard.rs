//! Naps on a journey for who cannot be awake from one usual nap to the next.

use super::Place;
use super::naps::{Nap, NapSort, wake_window};
use super::nights::{Night, can_sleep};
use super::setting::Setting;
use super::spans::Interval;
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

/// Adds naps on board and on the way to the airport where a child would be awake for much longer than it is used to.
pub(super) fn add_naps_on_the_way(setting: &Setting<'_>, nights: &[Night], naps: &mut Vec<Nap>) {
    let numbers = &setting.numbers.naps;
    let usual = setting.situation.person.naps;
    let (Some(window), Some(minutes)) = (tired_after(setting), usual.iter().map(|nap| nap.minutes).max()) else {
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
        let tired = setting.on_grid(Interval::new(pair[0].end + window, pair[1].start - least_before_sleep(setting)));
        places.iter().map(move |(place, sort)| (place.clipped_to(tired), *sort))
    });
    let (place, sort) = missing.find(|(place, _)| place.length() >= numbers.shortest)?;
    Some((place.start, place.end, sort))
}

/// After how long awake a nap is due on a journey: the longest time between two sleeps of a usual day, within what the age
/// says.
pub(super) fn tired_after(setting: &Setting<'_>) -> Option<Span> {
    let window = wake_window(setting)?;
    let mut awake_from = setting.bed_minute + setting.night_minutes - 1440;
    let mut longest = 0;
    for nap in setting.situation.person.naps {
        longest = longest.max(i32::from(nap.start) - awake_from);
        awake_from = awake_from.max(i32::from(nap.start) + i32::from(nap.minutes));
    }
    longest = longest.max(setting.bed_minute - awake_from);
    Some(Span::minutes(i64::from(longest)).max(Span(window.0 / 2)).min(window))
}

/// Between a nap on a journey and the sleep that follows it, or comes before.
pub(super) fn least_before_sleep(setting: &Setting<'_>) -> Span {
    let numbers = &setting.numbers.naps;
    let share = |usual: Span| Span((usual.0 as f64 * numbers.gap_least_aboard) as i64);
    tired_after(setting).map_or(numbers.gap_least, |usual| share(usual).max(numbers.gap_least))
}
