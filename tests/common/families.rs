//! A week of many families, in an order in which devices send.

use zoner::units::Span;

use super::records::{Child, Flight, MONDAY, Sent, adult, light};

const DAYS: i64 = 8;
const FLIGHTS: i64 = 6;

/// A week of families, by stamp. Every child misses naps; every second family is going to fly, and is told
/// twice that the flight will be late.
pub fn families(count: i64) -> Vec<Sent> {
    let mut records = Vec::new();
    for number in 0..count {
        let household = format!("family-{number:03}");
        let mut mia = Child::toddler(&household, "mia");
        mia.wake += number % 7 * 5;
        mia.nap += number % 5 * 6;
        records.push(mia.profile(MONDAY));
        records.push(adult(&household, "anna", MONDAY));
        for day in 0..DAYS {
            let midnight = MONDAY + Span::days(day);
            records.push(mia.night(midnight));
            if day != 4 + number % 4 && (day, number % 2) != (7, 0) {
                records.extend([mia.nap_begins(midnight), mia.nap(midnight)]);
            }
            for hour in [6, 11, 15, 20] {
                records.push(light(&household, "anna", midnight + Span::hours(hour) + Span::seconds(number)));
            }
        }
        if number % 2 == 0 {
            let booked = MONDAY + Span::days(3) + Span::hours(9) + Span::seconds(number);
            records.push(flight(number % FLIGHTS).trip(&household, &["anna", "mia"], booked));
        }
    }
    for number in (0..FLIGHTS).step_by(2) {
        records.push(flight(number).late(Span::ZERO, MONDAY + Span::days(4)));
        records.push(flight(number).late(Span::hours(3), MONDAY + Span::days(5) + Span::minutes(number)));
        records.push(flight(number).late(Span::hours(5), MONDAY + Span::days(6) + Span::minutes(number)));
    }
    records.sort_by_key(|record| record.stamp);
    records
}

fn flight(number: i64) -> Flight {
    // Long after the week: news of it is news however late it is read.
    Flight { designator: format!("BA{}", 100 + number), departs: MONDAY + Span::days(20) + Span::hours(12 + number) }
}
