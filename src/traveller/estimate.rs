//! What is said of a body clock at one time.

use crate::circadian::dlmo;
use crate::circadian::filter::Published;
use crate::event::recommendation::{CircadianSummary, ClockQuality};
use crate::traveller::narrowing::Narrowing;
use crate::traveller::stomach::Stomach;
use crate::units::{Hours, Span, UtcMillis};

const MINUTE: Span = Span::minutes(1);

/// The body clock as it stands at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockEstimate {
    /// The next CBTmin; `None` where none was computed.
    pub cbt_min: Option<UtcMillis>,
    pub sd: Hours,
    /// The shortest interval that holds it with a probability of 80 %.
    pub interval_80: Option<[UtcMillis; 2]>,
    pub delta: Hours,
    /// R, 0 to 1.
    pub amplitude: f64,
    /// CBTmin against where it would be if all were well here; positive is late. `None` without a habit.
    pub misalignment: Option<Hours>,
    pub quality: ClockQuality,
    /// Where it is not at the hour of the place.
    pub stomach: Option<Stomach>,
    /// What would narrow the interval.
    pub narrowing: Option<Narrowing>,
    /// Normalised innovation squared of the last observation in the window.
    pub nis: Option<f64>,
}

impl ClockEstimate {
    /// What is left to say of a clock that nobody computed.
    #[must_use]
    pub fn of_nothing(delta: Hours) -> ClockEstimate {
        ClockEstimate {
            cbt_min: None,
            sd: Hours(12.0),
            interval_80: None,
            delta,
            amplitude: 0.0,
            misalignment: None,
            quality: ClockQuality::Uncertain,
            stomach: None,
            narrowing: None,
            nis: None,
        }
    }

    #[must_use]
    pub fn of(
        published: &Published,
        misalignment: Option<Hours>,
        quality: ClockQuality,
        nis: Option<f64>,
    ) -> ClockEstimate {
        ClockEstimate {
            cbt_min: Some(published.cbt_min),
            sd: published.sd,
            interval_80: Some(published.interval_80),
            delta: published.delta,
            amplitude: published.amplitude,
            misalignment,
            quality,
            stomach: None,
            narrowing: None,
            nis,
        }
    }

    /// Width of the 80 % interval.
    #[must_use]
    pub fn width(&self) -> Option<Hours> {
        self.interval_80.map(|[from, to]| (to - from).as_hours())
    }

    #[must_use]
    pub fn summary(&self) -> CircadianSummary {
        if self.quality == ClockQuality::NotYet {
            return CircadianSummary {
                cbt_min: None,
                dlmo: None,
                sd_minutes: None,
                interval_80: None,
                amplitude: None,
                misalignment_hours: None,
                stomach: None,
                clock: self.quality,
                to_narrow: None,
            };
        }
        // To the minute: nobody knows it better.
        let cbt_min = self.cbt_min.map(|cbt_min| cbt_min.round_to(MINUTE));
        CircadianSummary {
            cbt_min,
            dlmo: cbt_min.map(dlmo),
            sd_minutes: cbt_min.map(|_| Span::from_hours(self.sd).as_minutes()),
            interval_80: self.interval_80.map(|ends| ends.map(|end| end.round_to(MINUTE))),
            amplitude: Some(two_decimals(self.amplitude)),
            misalignment_hours: self.misalignment.map(|hours| two_decimals(hours.0)),
            stomach: self.stomach.map(|stomach| stomach.summary()),
            clock: self.quality,
            to_narrow: self.narrowing.map(|narrowing| narrowing.sentence().to_owned()),
        }
    }
}

/// Rounded for people; never −0.
#[must_use]
pub fn two_decimals(number: f64) -> f64 {
    libm::round(number * 100.0) / 100.0 + 0.0
}
