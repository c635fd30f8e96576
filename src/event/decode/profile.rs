//! Who somebody is.

use super::{Context, time};
use crate::event::activity::{Activity, Age, AgeBand, Chronotype, Conditions, Profile, UsualNap};
use crate::event::rejection::{Code, Rejection};
use crate::event::wire::activity::{NapWire, OptionsWire, ProfileWire};
use crate::event::wire::field::{Nested, Text};
use crate::event::wire::{bad_field, missing_field};
use crate::units::{Span, UtcMillis};

const LONGEST_NAME: usize = 24;
const EARLIEST_BIRTH_YEAR: i16 = 1900;
const MAX_NAPS: usize = 8;

/// Somewhere on earth the next month has begun when it is this far away in UTC.
const EASTERNMOST: Span = Span::hours(14);

pub(super) fn profile(wire: &ProfileWire<'_>, context: &Context<'_>) -> Result<Activity, Rejection> {
    let display_name = wire.display_name.as_ref().map(display_name).transpose()?.flatten();
    let age = match (&wire.birth_month, &wire.age_band) {
        (Some(month), _) => birth_month(month.0.as_text(), context.record_stamp)?,
        (None, Some(band)) => Age::Band(age_band(band)?),
        (None, None) => return Err(missing_field("birth_month", "YYYY-MM; or `age_band`")),
    };
    let zone = wire.home_time_zone.as_ref().ok_or_else(|| missing_field("home_time_zone", "an IANA name"))?;
    let home_time_zone = zone.read("home_time_zone")?;
    let (bedtime, wake) = {
        const ALLOWED: &str = "an object with `bedtime` and `wake`, each HH:MM";
        let night = wire.sleep.as_ref().ok_or_else(|| missing_field("sleep", ALLOWED))?.object("sleep", ALLOWED)?;
        let bedtime = night.bedtime.as_ref().ok_or_else(|| missing_field("sleep.bedtime", "HH:MM"))?;
        let wake = night.wake.as_ref().ok_or_else(|| missing_field("sleep.wake", "HH:MM"))?;
        (bedtime.read("sleep.bedtime")?, wake.read("sleep.wake")?)
    };
    if bedtime == wake {
        return Err(Rejection::validate(Code::BadInterval, "`sleep.bedtime` and `sleep.wake` must differ"));
    }
    let chronotype = match wire.chronotype.as_ref().map(|text| text.read("chronotype")).transpose()? {
        Some("early" | "morning") => Chronotype::Early,
        Some("late" | "evening") => Chronotype::Late,
        _ => Chronotype::Neither,
    };
    let (melatonin, caffeine) = wire.options.as_ref().map(|options| advice(options)).transpose()?.unwrap_or_default();
    let weeks_premature =
        wire.weeks_premature.as_ref().map(|weeks| weeks.read("weeks_premature", 0, 20)).transpose()?;
    if let Some(timestamp) = &wire.timestamp {
        timestamp.read("timestamp")?;
    }
    Ok(Activity::Profile(Box::new(Profile {
        display_name,
        age,
        home_time_zone,
        bedtime,
        wake,
        naps: wire.naps.as_ref().map(|naps| usual_naps(naps)).transpose()?,
        chronotype,
        caregiver: wire.caregiver.as_ref().map(|flag| flag.read("caregiver")).transpose()?.unwrap_or(false),
        melatonin,
        caffeine,
        weeks_premature: weeks_premature.unwrap_or(0) as u8,
        conditions: wire.conditions.as_ref().map(|list| conditions(list)).transpose()?.unwrap_or_default(),
    })))
}

/// Spaces around it do not count; nothing but spaces is no name.
fn display_name(text: &Text<'_>) -> Result<Option<Box<str>>, Rejection> {
    let text = text.read("display_name")?;
    let name = text.trim();
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(bad_field("display_name", "at most 24 characters, none of them a control character"));
    }
    Ok((!name.is_empty()).then(|| name.into()))
}

fn birth_month(text: Option<&str>, record_stamp: UtcMillis) -> Result<Age, Rejection> {
    let month = text.and_then(time::month).filter(|(year, _)| *year >= EARLIEST_BIRTH_YEAR);
    let (year, month) = month.ok_or_else(|| bad_field("birth_month", "a month as YYYY-MM, from 1900-01 on"))?;
    let today = UtcMillis(record_stamp.0.saturating_add(EASTERNMOST.0)).to_datetime();
    let this_month = (i64::from(chrono::Datelike::year(&today)), chrono::Datelike::month(&today));
    if (i64::from(year), u32::from(month)) > this_month {
        return Err(bad_field("birth_month", "at or before the month of the record"));
    }
    Ok(Age::Born { year, month })
}

fn age_band(text: &Text<'_>) -> Result<AgeBand, Rejection> {
    match text.0.as_text() {
        Some("infant") => Ok(AgeBand::Infant),
        Some("toddler") => Ok(AgeBand::Toddler),
        Some("child") => Ok(AgeBand::Child),
        Some("adult") => Ok(AgeBand::Adult),
        _ => Err(bad_field("age_band", "infant, toddler, child or adult")),
    }
}

fn usual_naps(naps: &Nested<'_, Vec<Nested<'_, NapWire<'_>>>>) -> Result<Box<[UsualNap]>, Rejection> {
    const ALLOWED: &str = "an array of at most 8 naps";
    let naps = naps.array("naps", ALLOWED)?;
    if naps.len() > MAX_NAPS {
        return Err(bad_field("naps", ALLOWED));
    }
    let mut usual = Vec::with_capacity(naps.len());
    for nap in naps {
        let nap = nap.object("naps", "an array of objects with `start` (HH:MM) and `minutes`")?;
        let start = nap.start.as_ref().ok_or_else(|| missing_field("naps.start", "HH:MM"))?.read("naps.start")?;
        let minutes = nap.minutes.as_ref().ok_or_else(|| missing_field("naps.minutes", "1 to 360"))?;
        usual.push(UsualNap { start, minutes: minutes.read("naps.minutes", 1, 360)? as u16 });
    }
    usual.sort_unstable_by_key(|nap| (nap.start, nap.minutes));
    Ok(usual.into())
}

/// A word that is not known is refused: read over, it would be advice against somebody's health.
fn conditions(list: &Nested<'_, Vec<Text<'_>>>) -> Result<Conditions, Rejection> {
    const ALLOWED: &str = "an array of photosensitive, bipolar and epilepsy";
    let mut conditions = Conditions::default();
    for word in list.array("conditions", ALLOWED)? {
        match word.0.as_text() {
            Some("photosensitive") => conditions.photosensitive = true,
            Some("bipolar") => conditions.bipolar = true,
            Some("epilepsy") => conditions.epilepsy = true,
            _ => return Err(bad_field("conditions", ALLOWED)),
        }
    }
    Ok(conditions)
}

/// Whether melatonin and caffeine may be spoken of.
fn advice(options: &Nested<'_, OptionsWire<'_>>) -> Result<(bool, bool), Rejection> {
    let options = options.object("options", "an object with `melatonin` and `caffeine`, each true or false")?;
    let melatonin = options.melatonin.as_ref().map(|flag| flag.read("options.melatonin")).transpose()?;
    let caffeine = options.caffeine.as_ref().map(|flag| flag.read("options.caffeine")).transpose()?;
    Ok((melatonin.unwrap_or(false), caffeine.unwrap_or(false)))
}
