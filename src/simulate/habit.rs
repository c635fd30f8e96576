//! How somebody usually lives, by age.

use chrono_tz::Tz;

use crate::event::activity::UsualNap;
use crate::flight::zones;
use crate::simulate::numbers::{NapsNumbers, Numbers};
use crate::simulate::person::Identity;
use crate::units::{Hours, UtcMillis};

/// Usual night and naps, hours of the local clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Habit {
    /// Middle of the night.
    pub middle: f64,
    /// Length of the night.
    pub night: f64,
    pub naps: Vec<NapHabit>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NapHabit {
    /// Awake before it.
    pub window: f64,
    pub length: f64,
}

impl Habit {
    /// The habit of `identity` in a family that wakes `family_wake` SDs late, on the local day of `at`.
    pub fn of(identity: &Identity, numbers: &Numbers, family_wake: f64, home: Tz, at: UtcMillis) -> Habit {
        let night = &numbers.night;
        let own_wake = night.family_wake_sd * family_wake + night.own_wake_sd * identity.traits.wake;
        if identity.is_adult {
            let length = night.adult_length + night.adult_length_sd * identity.traits.length;
            return Habit { middle: night.adult_wake + own_wake - 0.5 * length, night: length, naps: Vec::new() };
        }
        let months = identity.months(zones::local_date(home, at)).max(1.0);
        let need = night.need_level - night.need_slope * (libm::sqrt(months / 120.0) - night.need_centre)
            + night.need_sd * identity.traits.length;
        let naps = usual_naps(&numbers.naps, months, identity.traits.naps, need);
        let length = need - naps.iter().map(|nap| nap.length).sum::<f64>();
        let wake = if months < 72.0 { night.child_wake } else { night.school_wake } + own_wake;
        Habit { middle: wake - 0.5 * length, night: length, naps }
    }

    /// The same habit with the night moved so that nap `index` usually begins at `hour`.
    pub fn with_nap_at(mut self, index: usize, hour: f64) -> Habit {
        if let Some((start, _)) = self.nap_hours().get(index) {
            self.middle += Hours(hour - start).wrap_12().0;
        }
        self
    }

    /// Usual starts and ends of the naps.
    pub fn nap_hours(&self) -> Vec<(f64, f64)> {
        let mut awake_from = self.middle + 0.5 * self.night;
        let hours = self.naps.iter().map(|nap| {
            let start = awake_from + nap.window;
            awake_from = start + nap.length;
            (start, awake_from)
        });
        hours.collect()
    }

    /// As parents write it: quarter hours.
    pub fn nap_list(&self) -> Vec<UsualNap> {
        let hours = self.nap_hours();
        let naps = hours.iter().map(|(start, end)| UsualNap {
            start: quarter_hour(*start),
            minutes: (libm::round((end - start) * 12.0) * 5.0) as u16,
        });
        naps.collect()
    }

    /// Usual bedtime and wake-up to the quarter hour, minutes after local midnight.
    pub fn bedtime_and_wake(&self) -> (u16, u16) {
        (quarter_hour(self.middle - 0.5 * self.night), quarter_hour(self.middle + 0.5 * self.night))
    }
}

fn quarter_hour(hour: f64) -> u16 {
    (libm::round(Hours(hour).wrap_24().0 * 4.0) as u16 * 15) % 1_440
}

/// The law of the wake window, hours awake.
pub fn wake_window(numbers: &NapsNumbers, months: f64) -> f64 {
    numbers.window_factor * libm::pow(months, numbers.window_exponent)
}

/// As many naps as bring the mean window closest to the law; none for those who have given them up.
fn usual_naps(numbers: &NapsNumbers, months: f64, rank: f64, need: f64) -> Vec<NapHabit> {
    if rank >= share_of_nappers(numbers, months) {
        return Vec::new();
    }
    let lengths =
        [numbers.length_of_1, numbers.length_of_2, numbers.length_of_3, numbers.length_of_4, numbers.length_of_5];
    let law = wake_window(numbers, months);
    // (count, length of a nap, mean window): with more sleep by day the night is shorter and the day longer.
    let choices = (1_u32..).zip(lengths).map(|(count, length)| {
        let day = 24.0 - (need - f64::from(count) * length);
        (count, length, (day - f64::from(count) * length) / f64::from(count + 1))
    });
    let (count, length, window) = choices
        .min_by(|one, other| (one.2 - law).abs().total_cmp(&(other.2 - law).abs()))
        .unwrap_or((1, numbers.length_of_1, law));
    (0..count).map(|_| NapHabit { window, length }).collect()
}

/// Everybody under three years; then fewer and fewer.
fn share_of_nappers(numbers: &NapsNumbers, months: f64) -> f64 {
    let years = months / 12.0;
    let between = |from: f64, least: f64, most: f64| most + (least - most) * (years - from);
    if years < 3.0 {
        1.0
    } else if years < 4.0 {
        between(3.0, numbers.nappers_at_4, numbers.nappers_at_3)
    } else if years < 5.0 {
        between(4.0, numbers.nappers_at_5, numbers.nappers_at_4)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naps_become_fewer_as_published() {
        let numbers = &Numbers::embedded().naps;
        let need = |months: f64| 10.49 - 5.56 * ((months / 120.0_f64).sqrt() - 0.71);
        let count = |months: f64| usual_naps(numbers, months, 0.0, need(months)).len();
        // Ranges over three logged infants and Weissbluth (1995).
        for (months, least, most) in
            [(4.0, 3, 5), (5.0, 3, 5), (7.0, 2, 4), (9.0, 2, 3), (12.0, 1, 2), (18.0, 1, 2), (24.0, 1, 1), (40.0, 1, 1)]
        {
            assert!((least..=most).contains(&count(months)), "{months} months: {}", count(months));
        }
        assert_eq!(usual_naps(numbers, 50.0, 0.9, need(50.0)).len(), 0);
        assert_eq!(count(70.0), 0);
    }
}
