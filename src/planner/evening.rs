//! The evening after a missed or short nap: bedtime as early as is allowed, as far as the time awake asks for it, and a
//! short nap where even that would keep a baby awake for much too long.

use super::naps::{Nap, NapSort, share, wake_window};
use super::nights::{Night, NightSort, earliest_repaired_bed};
use super::setting::Setting;
use super::spans::Interval;
use super::target::Outlook;
use super::{Repair, RepairKind};
use crate::flight::zones;
use crate::units::{Span, UtcMillis};

/// `nights` and `naps` as they are planned, both in order of time.
pub(super) fn ease_evening(setting: &Setting<'_>, outlook: &Outlook, nights: &mut [Night], naps: &mut Vec<Nap>) {
    let makes_up = |repair: &Repair| matches!(repair.kind, RepairKind::Missed | RepairKind::Short);
    let Some(repair) = setting.situation.repair.filter(makes_up) else { return };
    let Some(window) = wake_window(setting) else { return };
    let Some(tonight) = nights.iter_mut().find(|night| night.window.end > repair.noticed) else { return };
    let awake_from = last_sleep_ends(repair, naps, tonight.window.start);
    if !is_an_evening_at_one_place(setting, repair, tonight) || is_asleep_unplanned(setting, naps) {
        return;
    }
    let tired = setting.grid_up(awake_from + window);
    let bed = tired.max(earliest_repaired_bed(setting, outlook, repair, tonight));
    if bed < tonight.window.start {
        tonight.window.start = bed;
        tonight.sort = NightSort::Repaired;
    }
    let evening = Interval::new(awake_from, tonight.window.start);
    naps.extend(short_nap(setting, repair, window, evening, naps));
    naps.sort_by_key(|nap| (nap.window, nap.index));
}

fn last_sleep_ends(repair: Repair, naps: &[Nap], bed: UtcMillis) -> UtcMillis {
    naps.iter().map(|nap| nap.window.end).filter(|end| *end <= bed).fold(repair.awake_since, UtcMillis::max)
}

/// Whether a whole night follows, where the nap was missed. What a journey makes of the rest of a day is not for here.
fn is_an_evening_at_one_place(setting: &Setting<'_>, repair: Repair, tonight: &Night) -> bool {
    let bed = tonight.window.start;
    let is_whole = !matches!(tonight.sort, NightSort::Aboard | NightSort::AboardByBody | NightSort::Cut);
    let is_ahead = bed > setting.now() && bed > repair.noticed && bed - repair.noticed <= Span::days(1);
    let here = setting.stretch_index(repair.awake_since.max(repair.expected));
    let stays = here == setting.stretch_index(bed) && !setting.stretch_at(bed).is_aboard();
    is_whole && is_ahead && stays
}

/// A sleep goes on of which the plan does not know when it ends.
fn is_asleep_unplanned(setting: &Setting<'_>, naps: &[Nap]) -> bool {
    setting.asleep_since.is_some() && !naps.iter().any(|nap| nap.sort == NapSort::Ongoing)
}

/// In the middle of an evening that is much longer than a wake window. Only for who naps more than once a day: older
/// children last until the earlier night.
fn short_nap(setting: &Setting<'_>, repair: Repair, window: Span, evening: Interval, naps: &[Nap]) -> Option<Nap> {
    let numbers = &setting.numbers.repair;
    let usual = setting.situation.person.naps.len();
    if usual < 2 || evening.length() <= share(window, numbers.short_nap_from) {
        return None;
    }
    let length = setting.numbers.naps.bridge_most;
    let middle = setting.grid_down(evening.centre() - Span(length.0 / 2));
    let start = middle.max(setting.grid_up(repair.noticed + setting.numbers.naps.bridge_after));
    let latest_end = setting.grid_down(evening.end - share(window, numbers.short_nap_before_bed));
    let planned = Interval::new(start, (start + length).min(latest_end));
    let least = setting.numbers.naps.shortest;
    let window = setting.still_ahead(planned, least).filter(|window| window.length() >= least)?;
    let is_free = !naps.iter().any(|nap| nap.window.widened(setting.numbers.naps.gap_least).overlaps(window));
    let zone = setting.schedule_zone(setting.stretch_at(window.start));
    let nap =
        Nap { day: zones::local_date(zone, window.start), zone, index: usual - 1, window, sort: NapSort::BeforeBed };
    is_free.then_some(nap)
}
