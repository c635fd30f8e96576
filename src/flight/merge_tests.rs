use proptest::prelude::*;

use super::*;

const BASE: i64 = 1_796_000_000_000;

fn at(minute: i64) -> UtcMillis {
    UtcMillis(BASE + minute * 60_000)
}

fn key() -> FlightKey {
    FlightKey("KL641|2026-12-04|AMS".into())
}

fn report(observed: i64, state: FlightState) -> FlightStatus {
    FlightStatus {
        flight_key: key(),
        state,
        observed_at: at(observed),
        provider: Some("feed-a".into()),
        times: FlightTimes::default(),
        diverted_to: None,
        cancellation: None,
        origin: None,
        destination: None,
    }
}

fn merged(reports: &[FlightStatus]) -> FlightStatus {
    let mut observations = Observations::default();
    for report in reports {
        observations.observe(report);
    }
    observations.status(&key()).expect("at least one report")
}

fn state_after(reports: &[FlightStatus]) -> (FlightState, Option<Cancellation>) {
    let status = merged(reports);
    (status.state, status.cancellation)
}

#[test]
fn a_report_that_lacks_a_time_erases_nothing() {
    let mut first = report(1, FlightState::Scheduled);
    first.times.out.estimated = Some(at(100));
    let status = merged(&[first, report(2, FlightState::Scheduled)]);
    assert_eq!(status.times.out.estimated, Some(at(100)));
    assert_eq!(status.observed_at, at(2));
}

#[test]
fn an_estimate_never_replaces_what_happened_and_a_newer_actual_time_corrects_it() {
    let mut actual = report(1, FlightState::Out);
    actual.times.out.actual = Some(at(100));
    let mut estimate = report(2, FlightState::Delayed);
    estimate.times.out.estimated = Some(at(150));
    assert_eq!(merged(&[actual.clone(), estimate.clone()]).times.out.best(), Some(at(100)));

    let mut correction = report(3, FlightState::Out);
    correction.times.out.actual = Some(at(102));
    let mut old_news = report(0, FlightState::Out);
    old_news.times.out.actual = Some(at(99));
    let status = merged(&[correction, estimate, actual, old_news]);
    assert_eq!(status.times.out.best(), Some(at(102)));
    assert_eq!(status.state, FlightState::Out);
}

#[test]
fn what_is_observed_last_counts_and_not_what_arrives_last() {
    let mut newer = report(10, FlightState::Delayed);
    newer.times.out.estimated = Some(at(200));
    let mut older = report(5, FlightState::Scheduled);
    older.times.out.estimated = Some(at(120));
    older.times.in_.estimated = Some(at(600));
    let status = merged(&[newer, older]);
    assert_eq!(status.times.out.estimated, Some(at(200)));
    assert_eq!(status.times.in_.estimated, Some(at(600)), "late, and still worth having");
    assert_eq!(status.state, FlightState::Delayed);
}

#[test]
fn the_state_only_climbs_and_actual_times_lift_it() {
    use FlightState::{Delayed, In, Off, On, Out, Scheduled, Unknown};
    let climb = [Unknown, Scheduled, Delayed, Out, Off, On, In];
    for (index, state) in climb.into_iter().enumerate() {
        for earlier in &climb[..=index] {
            assert_eq!(state_after(&[report(1, state), report(2, *earlier)]).0, state, "{state:?} then {earlier:?}");
        }
    }
    let mut landed = report(1, Delayed);
    landed.times.on.actual = Some(at(0));
    assert_eq!(state_after(&[landed]).0, On);
}

#[test]
fn a_cancellation_stands_until_a_newer_observation_reinstates_the_flight() {
    use FlightState::{Cancelled, Delayed, Scheduled};
    assert_eq!(state_after(&[report(1, Delayed), report(2, Cancelled)]), (Cancelled, None));
    assert_eq!(state_after(&[report(3, Cancelled), report(2, Scheduled)]), (Cancelled, None), "late, not newer");
    assert_eq!(state_after(&[report(2, Cancelled), report(2, Scheduled)]), (Cancelled, None), "not newer");
    assert_eq!(
        state_after(&[report(1, Delayed), report(2, Cancelled), report(3, Scheduled)]),
        (Scheduled, None),
        "the delay belonged to the flight that was called off"
    );
    assert_eq!(state_after(&[report(2, Cancelled), report(3, Scheduled), report(4, Cancelled)]), (Cancelled, None));
}

#[test]
fn the_more_certain_of_the_cancellations_that_stand_counts() {
    let cancelled = |observed, certainty| {
        let mut status = report(observed, FlightState::Cancelled);
        status.cancellation = Some(certainty);
        status
    };
    let suspected = cancelled(3, Cancellation::Suspected);
    let confirmed = cancelled(1, Cancellation::Confirmed);
    assert_eq!(state_after(&[confirmed.clone(), suspected.clone()]).1, Some(Cancellation::Confirmed));
    let reinstated = report(2, FlightState::Scheduled);
    assert_eq!(
        state_after(&[suspected, confirmed, reinstated]),
        (FlightState::Cancelled, Some(Cancellation::Suspected)),
        "the confirmation was taken back, the suspicion is newer"
    );
}

#[test]
fn a_feed_that_suspects_while_its_state_says_scheduled_is_heard() {
    let mut doubt = report(2, FlightState::Scheduled);
    doubt.cancellation = Some(Cancellation::Suspected);
    assert_eq!(state_after(&[doubt]), (FlightState::Cancelled, Some(Cancellation::Suspected)));
}

#[test]
fn what_has_taken_off_cannot_be_cancelled() {
    let mut took_off = report(1, FlightState::Unknown);
    took_off.times.off.actual = Some(at(0));
    assert_eq!(state_after(&[took_off, report(2, FlightState::Cancelled)]), (FlightState::Off, None));
}

#[test]
fn an_actual_departure_seen_after_a_cancellation_reinstates_the_flight() {
    let mut left = report(3, FlightState::Unknown);
    left.times.out.actual = Some(at(0));
    let status = merged(&[report(2, FlightState::Cancelled), left]);
    assert_eq!((status.state, status.times.out.actual), (FlightState::Out, Some(at(0))));
}

#[test]
fn a_departure_that_was_given_up_leaves_no_actual_time_behind() {
    let mut pushed_back = report(1, FlightState::Out);
    pushed_back.times.out.actual = Some(at(0));
    let called_off = report(2, FlightState::Cancelled);
    let mut tomorrow = report(3, FlightState::Scheduled);
    tomorrow.times.out.estimated = Some(at(900));
    let mut status = merged(&[pushed_back.clone(), called_off.clone(), tomorrow.clone()]);
    assert_eq!((status.state, status.times.out.best()), (FlightState::Scheduled, Some(at(900))));

    let mut pushed_back_again = report(4, FlightState::Out);
    pushed_back_again.times.out.actual = Some(at(905));
    status = merged(&[pushed_back_again, pushed_back, called_off, tomorrow]);
    assert_eq!((status.state, status.times.out.best()), (FlightState::Out, Some(at(905))));
}

#[test]
fn a_diversion_stays_said() {
    let mut diverted = report(2, FlightState::Diverted);
    diverted.diverted_to = Iata::parse("BOS");
    for (observed, state) in
        [(1, FlightState::Off), (3, FlightState::Off), (4, FlightState::In), (5, FlightState::Cancelled)]
    {
        let status = merged(&[diverted.clone(), report(observed, state)]);
        assert_eq!((status.state, status.diverted_to), (FlightState::Diverted, Iata::parse("BOS")), "{state:?}");
    }
}

#[test]
fn people_notice_times_and_states_but_not_who_looked_when() {
    let mut before = report(1, FlightState::Scheduled);
    before.times.out = SlotTimes { estimated: Some(at(100)), ..SlotTimes::default() };
    let mut after = before.clone();
    after.observed_at = at(5);
    after.provider = Some("feed-b".into());
    after.times.out.predicted = Some(at(130));
    assert!(same_to_people(&before, &after), "a prediction behind an estimate changes nothing");
    after.times.out.estimated = Some(at(101));
    assert!(!same_to_people(&before, &after));
}

fn any_slot() -> impl Strategy<Value = SlotTimes> {
    let time = || proptest::option::of((0..4_i64).prop_map(at));
    (time(), time(), time(), time()).prop_map(|(scheduled, estimated, predicted, actual)| SlotTimes {
        scheduled,
        estimated,
        predicted,
        actual,
    })
}

/// Few distinct moments, so that reports often claim the same one.
fn any_report() -> impl Strategy<Value = FlightStatus> {
    use FlightState::{Cancelled, Delayed, Diverted, In, Off, On, Out, Scheduled, Unknown};
    let state = prop_oneof![
        4 => Just(Scheduled), 3 => Just(Delayed), 2 => Just(Out), 1 => Just(Off), 1 => Just(On), 1 => Just(In),
        4 => Just(Cancelled), 1 => Just(Diverted), 1 => Just(Unknown),
    ];
    let certainty = proptest::option::of(prop_oneof![Just(Cancellation::Suspected), Just(Cancellation::Confirmed)]);
    let airport = || proptest::option::of(prop_oneof![Just(Iata(*b"BOS")), Just(Iata(*b"JFK")), Just(Iata(*b"AMS"))]);
    let provider = proptest::option::of(prop_oneof![Just("feed-a".into()), Just("feed-b".into())]);
    let slots = (any_slot(), any_slot(), any_slot(), any_slot());
    (0..6_i64, state, certainty, slots, airport(), airport(), airport(), provider).prop_map(
        |(observed, state, cancellation, slots, diverted_to, origin, destination, provider)| FlightStatus {
            flight_key: key(),
            state,
            observed_at: at(observed),
            provider,
            times: FlightTimes { out: slots.0, off: slots.1, on: slots.2, in_: slots.3 },
            diverted_to,
            cancellation,
            origin,
            destination,
        },
    )
}

fn reports_in_two_orders() -> impl Strategy<Value = (Vec<FlightStatus>, Vec<FlightStatus>)> {
    proptest::collection::vec(any_report(), 1..9).prop_flat_map(|reports| {
        let repeated = (Just(reports.clone()), proptest::sample::subsequence(reports.clone(), 0..=reports.len()));
        let shuffled = repeated.prop_map(|(mut all, again)| {
            all.extend(again);
            all
        });
        (Just(reports), shuffled.prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_merged_status_depends_neither_on_order_nor_on_repeats((reports, shuffled) in reports_in_two_orders()) {
        prop_assert_eq!(merged(&reports), merged(&shuffled));
    }

    #[test]
    fn hearing_a_report_again_changes_nothing(reports in proptest::collection::vec(any_report(), 1..9)) {
        let mut observations = Observations::default();
        for report in &reports {
            observations.observe(report);
        }
        let before = observations.clone();
        for report in &reports {
            observations.observe(report);
            prop_assert_eq!(&observations, &before);
        }
    }

    #[test]
    fn merging_what_is_already_merged_keeps_the_best_times(reports in proptest::collection::vec(any_report(), 1..9)) {
        let status = merged(&reports);
        let again = merged(std::slice::from_ref(&status));
        prop_assert_eq!(status.times, again.times);
        prop_assert_eq!(status.state, again.state);
    }
}
