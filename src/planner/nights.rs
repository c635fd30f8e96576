//! When to sleep at night: usual nights by the local clock, moved before a journey, cut by flights, brought forward
//! after a missed nap.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::aboard_nights::arrange_nights_aboard;
use super::setting::Setting;
use super::spans::Interval;
use super::target::{Direction, Outlook};
use super::{Repair, RepairKind, Stretch};
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

/// A main sleep, or the part of one that a journey leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Night {
    /// The day in whose evening the usual night begins, by the clock that the schedule follows.
    pub day: NaiveDate,
    pub zone: Tz,
    /// Which part of that night: 0 from bedtime on, 1 aboard, 2 after a landing.
    pub part: usize,
    pub window: Interval,
    pub sort: NightSort,
    /// Not where the night is over, or nearly and nobody is known to sleep: nothing to say, but the day follows from it.
    pub is_told: bool,
}

/// What makes a night differ from the usual one; decides how it is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NightSort {
    Usual,
    /// Begins earlier after a missed or short nap.
    Repaired,
    /// Moved before departure towards the destination.
    Moved(Direction),
    /// By the local clock while the body is still elsewhere.
    Local,
    Aboard,
    /// In the body's night, which is day by the clock that the schedule follows.
    AboardByBody,
    /// By day for the body and by the clock: the day would be too long without.
    AboardByNeed,
    /// Ends early, or both, because of a flight.
    Cut,
    /// Begins late because of a landing, and ends as ever.
    BegunLate,
}

impl NightSort {
    pub fn is_aboard(self) -> bool {
        matches!(self, NightSort::Aboard | NightSort::AboardByBody | NightSort::AboardByNeed)
    }

    /// Not as long as a night, because of a journey.
    pub fn is_part(self) -> bool {
        self.is_aboard() || matches!(self, NightSort::Cut | NightSort::BegunLate)
    }
}

/// The nights of the horizon in order of time, with those of the last day.
pub(super) fn nights(setting: &Setting<'_>, outlook: &Outlook) -> Vec<Night> {
    let mut nights = Vec::new();
    for stretch in setting.situation.whereabouts {
        for date in setting.dates_about(setting.schedule_zone(stretch)) {
            nights.extend(night_in(setting, outlook, stretch, date));
        }
    }
    nights.sort_by_key(|night: &Night| night.window);
    arrange_nights_aboard(setting, outlook, &mut nights);
    if let Some(repair) = setting.situation.repair {
        bring_forward(setting, outlook, repair, &mut nights);
    }
    nights.into_iter().filter_map(|night| as_of_now(setting, night)).collect()
}

/// How far the schedule of a date is moved before departure: earlier is negative.
///
/// By the age's cap a night: so many steps as nights have passed since the preparation began, which is some nights
/// before departure or when the journey became known, whichever is later. Counted, not remembered: the same answer
/// however often it is asked.
pub(super) fn moved_by(setting: &Setting<'_>, outlook: &Outlook, stretch: &Stretch, date: NaiveDate) -> Span {
    let Some((course, departure)) = outlook.course.as_ref().and_then(|course| Some((course, course.departure?))) else {
        return Span::ZERO;
    };
    if stretch.from >= departure {
        return Span::ZERO;
    }
    let zone = setting.schedule_zone(stretch);
    let nights_left_after = (zones::local_date(zone, departure) - date).num_days() - 1;
    let steps_by_departure = setting.numbers.horizon.before_flight_nights - nights_left_after.max(0);
    let usual = setting.usual_night(zone, date);
    let steps_since_known = setting.situation.trip_known_at.map_or(i64::MAX, |known| {
        let known_on = zones::local_date(zone, known);
        // The first night that moves must still be ahead when the journey becomes known.
        let could_move_that_night = setting.usual_night(zone, known_on).start - setting.daily_shift() >= known;
        (date - known_on).num_days() + i64::from(could_move_that_night)
    });
    let steps = steps_by_departure.min(steps_since_known).max(0);
    let grid = setting.numbers.other.grid;
    let most = Span(course.most_before_departure.0 / grid.0 * grid.0);
    let amount = Span(setting.daily_shift().0 * steps).min(most);
    let wanted = course.moved(usual.start, amount);
    let feasible = if wanted < usual.start {
        wanted.max(earliest_bed(setting, cbt_min_of(setting, outlook, zone, date), usual))
    } else {
        wanted
    };
    feasible - usual.start
}

/// The part of the night of `date` that can be slept in one stretch.
fn night_in(setting: &Setting<'_>, outlook: &Outlook, stretch: &Stretch, date: NaiveDate) -> Option<Night> {
    let zone = setting.schedule_zone(stretch);
    let usual = setting.usual_night(zone, date);
    let moved = moved_by(setting, outlook, stretch, date);
    let wanted = Interval::new(usual.start + moved, usual.end + moved);
    let window = setting.on_grid(wanted.clipped_to(can_sleep(setting, stretch)));
    let numbers = &setting.numbers.sleep;
    let least = if stretch.is_aboard() { numbers.part_least_aboard } else { numbers.part_least };
    if window.length() < least.min(wanted.length()) || window.length() <= Span::ZERO {
        return None;
    }
    let sort = match (&outlook.course, outlook.moving()) {
        _ if stretch.is_aboard() => NightSort::Aboard,
        _ if window.end != wanted.end => NightSort::Cut,
        _ if window != wanted => NightSort::BegunLate,
        (Some(course), _) if moved != Span::ZERO => NightSort::Moved(course.direction),
        (_, Some(course)) if window.start >= course.arrival && has_flown_before(setting, stretch) => NightSort::Local,
        _ => NightSort::Usual,
    };
    let part = match () {
        () if window.start == wanted.start => 0,
        () if stretch.is_aboard() => 1,
        () => 2,
    };
    Some(Night { day: date, zone, part, window, sort, is_told: true })
}

/// Who has not been away has no other nights than local ones.
fn has_flown_before(setting: &Setting<'_>, stretch: &Stretch) -> bool {
    setting.situation.whereabouts.iter().any(|other| other.is_aboard() && other.from < stretch.from)
}

/// When somebody can sleep in a stretch: what goes before a departure and after a landing is taken off.
pub(super) fn can_sleep(setting: &Setting<'_>, stretch: &Stretch) -> Interval {
    let numbers = &setting.numbers.sleep;
    let whole = stretch.interval();
    if stretch.is_aboard() {
        return Interval::new(whole.start + numbers.after_take_off, end_before(whole, numbers.before_landing));
    }
    let is_first = setting.situation.whereabouts.first() == Some(stretch);
    let start = if is_first { whole.start } else { whole.start + numbers.bed_after_landing };
    Interval::new(start, end_before(whole, numbers.up_before_departure))
}

fn end_before(whole: Interval, margin: Span) -> UtcMillis {
    if whole.end == UtcMillis::MAX { whole.end } else { whole.end - margin }
}

/// The earliest bedtime at which the body lets go of the day: a little before melatonin onset. Where that is later than
/// the usual bedtime, the usual one.
fn earliest_bed(setting: &Setting<'_>, cbt_min: Option<UtcMillis>, usual: Interval) -> UtcMillis {
    let Some(cbt_min) = cbt_min else { return UtcMillis::MIN };
    let melatonin_onset = cbt_min - setting.numbers.clock.dlmo_before_cbt_min;
    setting.grid_up(melatonin_onset - setting.numbers.repair.bed_before_dlmo).min(usual.start)
}

/// Which CBTmin belongs to a night: the nearest.
fn nearest_cbt_min(outlook: &Outlook, night: Interval) -> Option<usize> {
    let distance = |at: &UtcMillis| (*at - night.centre()).abs();
    outlook.cbt_mins.iter().enumerate().min_by_key(|(_, at)| distance(at)).map(|(position, _)| position)
}

/// The CBTmin of a night, counted from that of tonight: when body and schedule are half a day apart, the nearest would be
/// the one before on one night and the one after on the next.
fn cbt_min_of(setting: &Setting<'_>, outlook: &Outlook, zone: Tz, date: NaiveDate) -> Option<UtcMillis> {
    let today = zones::local_date(zone, setting.now());
    let tonight = nearest_cbt_min(outlook, setting.usual_night(zone, today))?;
    let position = (tonight as i64 + (date - today).num_days()).clamp(0, outlook.cbt_mins.len() as i64 - 1);
    outlook.cbt_mins.get(position as usize).copied()
}

/// Tonight begins earlier after a missed or short nap; the morning stays.
///
/// "Now" is when it was noticed, so that the advice stands still when the plan is made again later in the day.
fn bring_forward(setting: &Setting<'_>, outlook: &Outlook, repair: Repair, nights: &mut [Night]) {
    if repair.kind == RepairKind::Late {
        return;
    }
    let is_whole = |night: &&mut Night| !night.sort.is_part();
    let tonight = nights.iter_mut().find(|night| night.window.end > repair.noticed);
    let Some(tonight) = tonight.filter(is_whole) else { return };
    // What is noticed when the night has begun comes too late for it, and tomorrow's makes up for nothing.
    let ahead = tonight.window.start - repair.noticed;
    if ahead <= Span::ZERO || ahead > Span::days(1) {
        return;
    }
    let band = setting.numbers.ages.band(setting.situation.person.band);
    let per_nap = setting.numbers.repair.earlier_bed_per_nap;
    let missed = Span((missed_length(setting, repair).0 as f64 * per_nap) as i64);
    let earlier = missed.max(band.earlier_bed_least);
    let bed =
        setting.grid_down(tonight.window.start - earlier).max(earliest_repaired_bed(setting, outlook, repair, tonight));
    if bed < tonight.window.start {
        tonight.window.start = bed;
        tonight.sort = NightSort::Repaired;
    }
}

/// How early a night may begin after a missed or short nap: within the age's limit, not before the body lets go of the day,
/// and with time to get there.
pub(super) fn earliest_repaired_bed(
    setting: &Setting<'_>,
    outlook: &Outlook,
    repair: Repair,
    night: &Night,
) -> UtcMillis {
    let usual = setting.usual_night(night.zone, night.day);
    let moved = moved_by(setting, outlook, setting.stretch_at(night.window.start), night.day);
    let planned = Interval::new(usual.start + moved, usual.end + moved);
    let most = setting.numbers.ages.band(setting.situation.person.band).earlier_bed_most;
    let soonest = setting.grid_up(repair.noticed + setting.numbers.repair.bed_after_notice);
    let cbt_min = nearest_cbt_min(outlook, planned).map(|position| outlook.cbt_mins[position]);
    let floor = earliest_bed(setting, cbt_min, planned).max(soonest);
    setting.grid_up(planned.start - most).max(floor)
}

/// Usual length of the nap that was missed: that of the usual nap nearest to it on the local clock.
fn missed_length(setting: &Setting<'_>, repair: Repair) -> Span {
    let zone = setting.schedule_zone(setting.stretch_at(repair.expected));
    let date = zones::local_date(zone, repair.expected);
    let nearest = setting
        .situation
        .person
        .naps
        .iter()
        .min_by_key(|nap| (zones::to_utc(zone, date, i32::from(nap.start)) - repair.expected).abs());
    nearest.map_or(Span::ZERO, |nap| Span::minutes(i64::from(nap.minutes)))
}

/// The night as it stands now: of a sleep that is going on it is told from its start, unless that was long before.
fn as_of_now(setting: &Setting<'_>, mut night: Night) -> Option<Night> {
    let now = setting.now();
    if night.window.end + Span::days(1) <= now || night.window.start >= setting.horizon_end() {
        return None;
    }
    if night.window.end <= now {
        return Some(Night { is_told: false, ..night });
    }
    let onset = night.window.start - setting.numbers.sleep.early_onset;
    match setting.asleep_since {
        Some(since) if onset <= since && now >= onset => {
            night.window.start = night.window.start.min(setting.grid_down(since));
            Some(night)
        }
        // Put to bed hours before a night that was moved: that sleep is this night all the same.
        Some(_) if night.window.start <= now => Some(night),
        _ if night.window.start > now => Some(night),
        _ => {
            // From its start, though nobody knows that its sleeper sleeps: who is in bed is not sent there again.
            night.is_told = night.window.end - now >= setting.numbers.sleep.remaining_least;
            Some(night)
        }
    }
}
