//! When to nap: the usual naps, moved with the night; after a missed or short one, a bridge to bedtime and the rest of
//! the day by the wake window.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::aboard::{add_naps_on_the_way, least_before_sleep};
use super::nights::{Night, can_sleep, moved_by};
use super::setting::Setting;
use super::spans::Interval;
use super::target::Outlook;
use super::{Repair, RepairKind, Stretch};
use crate::flight::zones;
use crate::units::{Hours, Span, UtcMillis};

#[derive(Clone, Copy, Debug)]
pub(super) struct Nap {
    /// By the clock that the schedule follows.
    pub day: NaiveDate,
    pub zone: Tz,
    /// Which of the day's usual naps.
    pub index: usize,
    pub window: Interval,
    pub sort: NapSort,
}

/// Decides how a nap is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NapSort {
    Usual,
    /// Moved with the night before a journey.
    WithNight,
    Aboard,
    /// Aboard, where the time between two sleeps would be too long.
    Between,
    /// In place of one that was missed or short.
    Bridge,
    /// Later or shorter than usual, because of what the day was.
    Moved,
    /// Among the last things before a flight: not in a bed.
    OnTheWay,
    /// Put off by boarding or the climb to the first time at which there can be sleep in the air.
    AfterTakeOff,
    /// Put off by a landing that would end it.
    AfterLanding,
    /// A short one after a missed nap, where the time awake until bed would be too long.
    BeforeBed,
    /// Asleep now.
    Ongoing,
}

/// The naps of the horizon in order of time, none over at `now`, none within a night.
pub(super) fn naps(setting: &Setting<'_>, outlook: &Outlook, nights: &[Night]) -> Vec<Nap> {
    let mut naps = usual_naps(setting, outlook);
    naps.sort_by_key(|nap| (nap.window, nap.index));
    let asleep = setting.asleep_since.filter(|_| !nights.iter().any(|night| night.window.contains(setting.now())));
    match (asleep, setting.situation.repair) {
        (Some(since), _) => follow_ongoing(setting, since, nights, &mut naps),
        (None, Some(repair)) => repair_day(setting, repair, nights, &mut naps),
        (None, None) => {}
    }
    for nap in &mut naps {
        *nap = about_departure(setting, *nap);
    }
    naps.sort_by_key(|nap| (nap.window, nap.index));
    let gap = setting.numbers.naps.gap_least;
    let mut awake_from = UtcMillis::MIN;
    naps.retain(|nap| {
        let is_ongoing = nap.sort == NapSort::Ongoing;
        let is_free = is_ongoing || nap.window.start >= awake_from;
        let is_of_journey = matches!(nap.sort, NapSort::Aboard | NapSort::AfterTakeOff | NapSort::AfterLanding);
        let margin = match () {
            () if is_ongoing => Span::ZERO,
            // Of a journey's naps those that leave no time to be awake about the night find a better one below.
            () if is_of_journey => least_before_sleep(setting),
            () => gap,
        };
        let is_by_day = !nights.iter().any(|night| night.window.widened(margin).overlaps(nap.window));
        if is_free && is_by_day {
            awake_from = nap.window.end + gap;
        }
        is_free && is_by_day
    });
    add_naps_on_the_way(setting, nights, &mut naps);
    naps.into_iter().filter_map(|nap| as_of_now(setting, nap)).collect()
}

/// Every usual nap that begins in a stretch, by that stretch's clock.
fn usual_naps(setting: &Setting<'_>, outlook: &Outlook) -> Vec<Nap> {
    let numbers = &setting.numbers.naps;
    let mut naps = Vec::new();
    for stretch in setting.situation.whereabouts {
        let zone = setting.schedule_zone(stretch);
        for day in setting.dates(zone) {
            // A day follows the night before it.
            let moved = day.pred_opt().map_or(Span::ZERO, |evening| moved_by(setting, outlook, stretch, evening));
            for (index, nap) in setting.situation.person.naps.iter().enumerate() {
                let start = zones::to_utc(zone, day, setting.minute_on_grid(nap.start)) + moved;
                let minutes = setting.minute_on_grid(nap.minutes);
                let length = Span::minutes(i64::from(minutes)).max(numbers.shortest).min(numbers.longest);
                let sort = match moved {
                    _ if stretch.is_aboard() => NapSort::Aboard,
                    Span::ZERO => NapSort::Usual,
                    _ => NapSort::WithNight,
                };
                if stretch.interval().contains(start) {
                    let wanted = Interval::new(start, start + length);
                    let window = match () {
                        () if stretch.is_aboard() => about_landing(setting, stretch, wanted),
                        () => after_landing(setting, stretch, wanted),
                    };
                    let sort = match window.start {
                        at if at >= stretch.interval().end => NapSort::AfterLanding,
                        at if !stretch.is_aboard() && at > wanted.start => NapSort::AfterLanding,
                        at if stretch.is_aboard() && at > wanted.start => NapSort::AfterTakeOff,
                        _ => sort,
                    };
                    naps.push(Nap { day, zone, index, window, sort });
                }
            }
        }
    }
    naps
}

/// A nap that comes due in the air begins when there can be sleep and ends before the landing that would end it: it begins
/// earlier if that is enough, is shorter if it is not, and waits for the ground where too little would be left.
fn about_landing(setting: &Setting<'_>, flight: &Stretch, wanted: Interval) -> Interval {
    let numbers = &setting.numbers.naps;
    let aboard = setting.on_grid(can_sleep(setting, flight));
    // While the aircraft climbs nobody sleeps: as long as ever, but later.
    let later = (aboard.start - wanted.start).max(Span::ZERO);
    let wanted = Interval::new(wanted.start + later, wanted.end + later);
    let earlier = (wanted.end - aboard.end).max(Span::ZERO).min(numbers.earlier_aboard);
    let window = Interval::new(wanted.start - earlier, wanted.end - earlier).clipped_to(aboard);
    if window.length() >= numbers.shortest {
        return window;
    }
    let on_the_ground = setting.grid_up(flight.interval().end + setting.numbers.sleep.bed_after_landing);
    Interval::new(on_the_ground, on_the_ground + wanted.length())
}

/// Nobody naps on the way out of an airport.
fn after_landing(setting: &Setting<'_>, ground: &Stretch, wanted: Interval) -> Interval {
    let is_first = setting.situation.whereabouts.first() == Some(ground);
    let soonest = setting.grid_up(ground.from + setting.numbers.sleep.bed_after_landing);
    let later = if is_first { Span::ZERO } else { (soonest - wanted.start).max(Span::ZERO) };
    Interval::new(wanted.start + later, wanted.end + later)
}

/// A nap on the ground ends before boarding, and in the last hours before a departure it is one on the way; where too little
/// would be left of it, it waits for the time after take-off.
fn about_departure(setting: &Setting<'_>, nap: Nap) -> Nap {
    let numbers = setting.numbers;
    let ground = setting.stretch_at(nap.window.start);
    let next = setting.situation.whereabouts.get(setting.stretch_index(nap.window.start) + 1);
    let (Some(flight), false) = (next.filter(|next| next.is_aboard()), ground.is_aboard()) else { return nap };
    let up_from = flight.from - numbers.sleep.up_before_departure;
    if nap.sort == NapSort::Ongoing || nap.window.end <= up_from {
        return nap;
    }
    let boarding = setting.grid_down(flight.from - numbers.light.around_flight);
    let before = Interval::new(nap.window.start, nap.window.end.min(boarding));
    if before.length() >= numbers.naps.shortest {
        return Nap { window: before, sort: NapSort::OnTheWay, ..nap };
    }
    let aboard = setting.on_grid(can_sleep(setting, flight)).start;
    let window = about_landing(setting, flight, Interval::new(aboard, aboard + nap.window.length()));
    let lands_first = window.start >= flight.interval().end;
    let sort = if lands_first { NapSort::AfterLanding } else { NapSort::AfterTakeOff };
    Nap { window, sort, ..nap }
}

/// The nearest of the naps to a time, if it is near enough to be the same nap.
fn nearest(setting: &Setting<'_>, naps: &[Nap], at: UtcMillis) -> Option<usize> {
    let distance = |nap: &Nap| (nap.window.start - at).abs();
    let (position, nap) = naps.iter().enumerate().min_by_key(|(_, nap)| distance(nap))?;
    (distance(nap) <= setting.numbers.naps.same_nap).then_some(position)
}

/// A nap that is going on lasts as long as usual; what follows it today leaves time to be awake.
fn follow_ongoing(setting: &Setting<'_>, since: UtcMillis, nights: &[Night], naps: &mut Vec<Nap>) {
    let now = setting.now();
    let Some(position) = nearest(setting, naps, since) else {
        let asleep = Interval::new(since, now + setting.numbers.naps.gap_least);
        naps.retain(|nap| !nap.window.overlaps(asleep));
        return;
    };
    let ongoing = &mut naps[position];
    ongoing.window = Interval::new(setting.grid_down(since), setting.grid_up(since + ongoing.window.length()));
    ongoing.sort = NapSort::Ongoing;
    let asleep = ongoing.window;
    let awake_from = asleep.end.max(now);
    naps.drain(..position);
    // A profile may name two naps of one time.
    naps.retain(|nap| nap.sort == NapSort::Ongoing || nap.window.start >= asleep.end);
    follow(setting, awake_from, nights, false, naps);
}

/// A missed or short nap: something in its place where that is possible, and the later naps of the day after it.
fn repair_day(setting: &Setting<'_>, repair: Repair, nights: &[Night], naps: &mut Vec<Nap>) {
    if repair.kind == RepairKind::Early {
        return;
    }
    let Some(position) = nearest(setting, naps, repair.expected) else { return };
    let missed = naps[position];
    naps.drain(..=position);
    let tonight = nights.iter().map(|night| night.window.start).find(|start| *start > repair.noticed);
    let Some(window) = wake_window(setting) else { return };
    let bed_limit = tonight.map_or(UtcMillis::MAX, |bed| bed - share(window, setting.numbers.naps.window_share));
    let next_today = naps.first().copied().filter(|next| next.day == missed.day && next.window.start < bed_limit);
    let Some(bridge) = bridge(setting, repair, window, missed, next_today.as_ref(), bed_limit) else {
        let bed_has_moved = repair.kind != RepairKind::Late;
        follow(setting, repair.awake_since, nights, bed_has_moved, naps);
        return;
    };
    if bridge.index != missed.index {
        naps.remove(0);
    }
    naps.insert(0, bridge);
    follow(setting, bridge.window.end, nights, true, naps);
}

/// What is slept in place of a missed nap, or brought forward after a short one.
///
/// Full length when another nap was to follow today, but leaving room for a short one where that is possible; else short,
/// so that the night is not put off. `None` where it would end too close to bedtime.
fn bridge(
    setting: &Setting<'_>,
    repair: Repair,
    window: Span,
    missed: Nap,
    next_today: Option<&Nap>,
    bed_limit: UtcMillis,
) -> Option<Nap> {
    let numbers = &setting.numbers.naps;
    let soonest = setting.grid_up(repair.noticed + numbers.bridge_after);
    let usual = missed.window.length();
    let (of, start, length) = match (repair.kind, next_today) {
        (RepairKind::Missed, Some(_)) => (missed, soonest, usual),
        (RepairKind::Missed, None) => (missed, soonest, usual.min(numbers.bridge_most)),
        // Nothing takes its place: the nap itself is still to come.
        // Nor of one that was slept.
        (RepairKind::Early | RepairKind::Late, _) => return None,
        (RepairKind::Short, next) => {
            let is_young = setting.situation.person.age_months < numbers.young_until_months;
            let tired_after = if is_young { share(window, numbers.young_share) } else { window };
            let tired = setting.grid_up(repair.awake_since + tired_after);
            match next {
                Some(next) => (*next, tired.min(next.window.start).max(soonest), next.window.length()),
                None => (missed, tired.max(soonest), usual.min(numbers.bridge_most)),
            }
        }
    };
    let end = (start + length).min(setting.grid_down(bed_limit));
    let room_for_next = setting.grid_down(bed_limit - numbers.bridge_most - share(window, numbers.window_share));
    let leaves_room = next_today.is_some() && of.index == missed.index && room_for_next - start >= numbers.shortest;
    let end = if leaves_room { end.min(room_for_next) } else { end };
    let has_slept_since = repair.awake_since > repair.noticed;
    let too_late = repair.kind == RepairKind::Missed && setting.now() > repair.noticed + numbers.bridge_within;
    if has_slept_since || too_late || end - start < numbers.shortest {
        return None;
    }
    Some(Nap { window: Interval::new(start, end), sort: NapSort::Bridge, ..of })
}

/// Puts off the naps before tonight that would come too soon after `awake_from`, shortens them where bedtime is near,
/// and drops those for which no time is left. A nap that keeps its usual time is shortened only where bedtime has moved.
fn follow(setting: &Setting<'_>, awake_from: UtcMillis, nights: &[Night], bed_has_moved: bool, naps: &mut Vec<Nap>) {
    let Some(window) = wake_window(setting) else { return };
    let numbers = &setting.numbers.naps;
    let rest = share(window, numbers.window_share);
    let Some(bed) = nights.iter().map(|night| night.window.start).find(|start| *start > awake_from) else { return };
    let mut awake_from = awake_from;
    naps.retain_mut(|nap| {
        let was_set = matches!(nap.sort, NapSort::Ongoing | NapSort::Bridge);
        if was_set || nap.window.start >= bed {
            return true;
        }
        let start = nap.window.start.max(setting.grid_up(awake_from + rest));
        let length = nap.window.length();
        let keeps_its_time = start == nap.window.start && !bed_has_moved;
        let end = if keeps_its_time { nap.window.end } else { (start + length).min(setting.grid_down(bed - rest)) };
        if end - start < numbers.shortest {
            return false;
        }
        let window = Interval::new(start, end);
        if window != nap.window {
            nap.sort = NapSort::Moved;
        }
        nap.window = window;
        awake_from = end;
        true
    });
}

pub(super) fn wake_window(setting: &Setting<'_>) -> Option<Span> {
    let window = setting.situation.person.wake_window.filter(|window| window.0 > 0.0 && window.0 <= 24.0)?;
    Some(Span::from_hours(window))
}

pub(super) fn share(window: Span, share: f64) -> Span {
    Span::from_hours(Hours(window.as_hours().0 * share))
}

/// A nap that should have begun is still offered while enough of it is left.
fn as_of_now(setting: &Setting<'_>, nap: Nap) -> Option<Nap> {
    if nap.window.end <= setting.now() || nap.window.start >= setting.horizon_end() {
        return None;
    }
    if nap.sort == NapSort::Ongoing {
        return Some(nap);
    }
    let window = setting.still_ahead(nap.window, setting.numbers.naps.shortest)?;
    Some(Nap { window, ..nap })
}
