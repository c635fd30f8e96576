//! What would make the interval of a body clock narrower: one sentence, for whoever wonders why it is so wide.

use crate::circadian::BIN;
use crate::circadian::filter::Life;
use crate::traveller::facts::Report;
use crate::traveller::light::LightSources;
use crate::traveller::models::Models;
use crate::traveller::people::Group;
use crate::traveller::persona::Persona;
use crate::traveller::signs;
use crate::units::{Hours, Span, UtcMillis};

/// Reports are looked at as far back as late ones are taken in.
const LOOKED_AT: Span = crate::traveller::clock::WINDOW;

/// Nights in that time that are as many as can be.
const NIGHTS_ENOUGH: usize = 2;

/// Quarter hours of light in that time that are as good as an hour each morning.
const BINS_ENOUGH: usize = 8;

/// What somebody could tell of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    Profile,
    Nights,
    /// Who logs sleeps that are no nights.
    RegularNights,
    Light,
    Test,
}

impl Narrowing {
    /// What helps most of what was not told; `None` where the interval is narrow, or only time makes it narrower.
    #[must_use]
    pub fn of(
        models: &Models,
        persona: &Persona<'_>,
        sources: &LightSources<'_>,
        life: &Life,
        width: Hours,
    ) -> Option<Narrowing> {
        if width.0 < models.people.worth_narrowing.0 {
            return None;
        }
        if !persona.is_known() {
            return Some(Narrowing::Profile);
        }
        let from = sources.now - LOOKED_AT;
        // After a flight light moves the clock, and sleep tells more of the wall. In settled life it is the other way round, and
        // where nobody said why nights are as they are, two mornings are lost in what else is not known.
        let is_settled = life.is_settled();
        if !is_settled && life.is_explained() && bins_with_light(sources, from) < BINS_ENOUGH {
            return Some(Narrowing::Light);
        }
        if signs::nights(sources, from) < NIGHTS_ENOUGH {
            let logs_no_nights =
                sources.sleeps.may_lack_some_since(from) || signs::long_sleeps(sources, from) >= NIGHTS_ENOUGH;
            return Some(if logs_no_nights { Narrowing::RegularNights } else { Narrowing::Nights });
        }
        let could_test = is_settled && persona.group() == Group::Adult && persona.measurements().next().is_none();
        could_test.then_some(Narrowing::Test)
    }

    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Narrowing::Profile => {
                "A profile with the usual sleep and the time zone of home would narrow this interval."
            }
            Narrowing::Nights => "Log two nights to narrow this interval.",
            Narrowing::RegularNights => "Regular nights of three to sixteen hours would narrow this interval.",
            Narrowing::Light => "Log two mornings of light to narrow this interval.",
            Narrowing::Test => "A test of melatonin onset at home would narrow this interval.",
        }
    }
}

fn bins_with_light(sources: &LightSources<'_>, from: UtcMillis) -> usize {
    let mut latest = UtcMillis::MIN;
    let mut bins = 0;
    for (at, report) in sources.facts.since(from) {
        let bin = at.floor_to(BIN);
        if matches!(report, Report::Measured(_) | Report::Context(_)) && bin > latest {
            latest = bin;
            bins += 1;
        }
    }
    bins
}
