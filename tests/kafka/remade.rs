//! Topics that are deleted, and made anew under their names, while a member runs and while none does.

use std::time::Duration;

use rdkafka::admin::AdminOptions;
use zoner::engine::codec::MARKER_KEY;
use zoner::engine::record::Topic;
use zoner::units::Span;

use super::checkpoints::{admin, later, wait_on, week};
use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use crate::common::records::MONDAY;
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(60);
const STATES: &str = "zoner.state.travellers";

fn delete(installation: &Installation, topic: &str) {
    let deleted = wait_on(admin(installation).delete_topics(&[topic], &AdminOptions::new())).expect("an answer");
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
}

/// Makes what was deleted, once the brokers have let go of it.
fn make(installation: &Installation, topic: &str) {
    wait_for("the topic to be made anew", LIMIT, || {
        let said = installation.run(&["topics", "create"]);
        (said.code == Some(0) && said.out.contains(&format!("{topic} created"))).then_some(())
    });
}

/// The refusal of a member that is started with these options.
fn refused(installation: &Installation, options: &[&str]) -> String {
    let mut member = Member::spawn(installation, options);
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    let said = member.said();
    let (_, refusal) = said.split_once("\nerror: ").unwrap_or_else(|| panic!("no refusal in: {said}"));
    refusal.to_owned()
}

fn warnings(member: &Member, text: &str) -> usize {
    member.said().lines().filter(|line| line.contains("WARN") && line.contains(text)).count()
}

#[test]
fn a_state_topic_made_anew_under_a_running_member_does_not_vouch_for_states_that_are_not_in_it() {
    let installation = Installation::create("vouched", 2, Stamps::Producers);
    // It is killed before it notices, and comes back under its name.
    let config = std::fs::read_to_string(&installation.config_file).expect("the configuration");
    let patient = config.replace("\"session.timeout.ms\" = \"3000\"", "\"session.timeout.ms\" = \"45000\"");
    assert_ne!(patient, config);
    std::fs::write(&installation.config_file, patient).expect("the configuration");
    installation.send(&week());
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    let topic = installation.topic(STATES);
    delete(&installation, &topic);
    make(&installation, &topic);
    installation.send(&later(MONDAY + Span::days(8)));
    installation.settle(LIMIT);
    wait_for("markers in the new topic", LIMIT, || {
        let mut marked: Vec<i32> = installation
            .read(STATES)
            .into_iter()
            .filter(|record| record.key.as_deref() == Some(MARKER_KEY))
            .map(|record| record.partition)
            .collect();
        marked.sort_unstable();
        marked.dedup();
        (marked.len() == 2).then_some(())
    });
    let known = states(&[&member]);
    assert_eq!(known.len(), 56);
    member.kill();

    let untold = "does not hold the states of these partitions";
    let member = Member::start(&installation, &["--instance", "only"]);
    assert_eq!(warnings(&member, untold), 1, "{}", member.said());
    assert_eq!(states(&[&member]), known);
    installation.assert_equals_replay(&[&member]);
    assert_eq!(member.terminate().code(), Some(0));
    let member = Member::start(&installation, &["--instance", "only"]);
    assert_eq!(warnings(&member, untold), 0, "from then on the topic has them: {}", member.said());
    assert_eq!(states(&[&member]), known);
}

#[test]
fn an_input_made_anew_is_refused_however_long_it_is_and_whatever_is_accepted() {
    let installation = Installation::create("other", 2, Stamps::Producers);
    installation.send(&week());
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    assert_eq!(member.terminate().code(), Some(0));
    let input = installation.input(Topic::UserActivity);
    delete(&installation, &input);
    make(&installation, &input);
    // It reaches beyond where the old one ended.
    installation.send(&[week(), later(MONDAY + Span::days(8))].concat());

    for options in [&[] as &[&str], &["--accept-gap"]] {
        let refusal = refused(&installation, options);
        assert!(refusal.contains(&format!("{input} 0, 1: the topic was deleted and made anew")), "{refusal}");
        assert!(!refusal.contains("--accept-gap") && !refusal.contains("expired"), "{refusal}");
    }
    // As it says.
    let topic = installation.topic(STATES);
    delete(&installation, &topic);
    make(&installation, &topic);
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    assert_eq!(states(&[&member]), installation.replay().states);
}

/// The end of a member whose topic was taken from it, and what it said then.
fn ended(member: &mut Member) -> String {
    wait_for("the member to be no longer ready", LIMIT, || (member.get("/health/ready").0 != 200).then_some(()));
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    let said = member.said();
    let (_, error) = said.split_once("\nerror: ").unwrap_or_else(|| panic!("no error in: {said}"));
    error.to_owned()
}

#[test]
fn a_state_topic_deleted_under_a_running_member_ends_it_and_nothing_is_lost() {
    let installation = Installation::create("bereft", 2, Stamps::Producers);
    installation.send(&week());
    let mut member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    let topic = installation.topic(STATES);
    delete(&installation, &topic);
    // Nobody knows how much of it gets through.
    installation.send(&later(MONDAY + Span::days(8)));
    let said = ended(&mut member);
    assert!(said.contains(&format!("topic {topic} was deleted under this running member")), "{said}");
    assert!(said.contains("Nothing is lost") && said.contains("zoner topics create"), "{said}");

    make(&installation, &topic);
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    installation.assert_equals_replay(&[&member]);
}

#[test]
fn a_state_topic_made_anew_under_a_running_member_ends_it_and_nothing_is_lost() {
    let installation = Installation::create("renewed", 2, Stamps::Producers);
    installation.send(&week());
    let mut member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    let topic = installation.topic(STATES);
    delete(&installation, &topic);
    make(&installation, &topic);
    let said = ended(&mut member);
    assert!(said.contains(&format!("topic {topic} was deleted and")) && said.contains("Nothing is lost"), "{said}");
    installation.send(&later(MONDAY + Span::days(8)));
    let member = Member::start(&installation, &["--instance", "only"]);
    installation.settle(LIMIT);
    installation.assert_equals_replay(&[&member]);
}

#[test]
fn an_input_deleted_under_a_running_member_ends_it_with_its_name_and_what_to_do() {
    let installation = Installation::create("deaf", 2, Stamps::Producers);
    installation.send(&week());
    let mut member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    let input = installation.input(Topic::UserActivity);
    delete(&installation, &input);
    let said = ended(&mut member);
    assert!(said.contains(&format!("topic {input} was deleted under this running member")), "{said}");
    assert!(said.contains("zoner topics create") && !said.contains("retention"), "{said}");

    make(&installation, &input);
    let refusal = refused(&installation, &[]);
    assert!(refusal.contains(&format!("{input} 0, 1: the topic was deleted and made anew")), "{refusal}");
}

#[test]
fn an_input_made_anew_under_a_running_member_ends_it_with_its_name_and_what_happened() {
    let installation = Installation::create("swapped", 2, Stamps::Producers);
    installation.send(&week());
    let mut member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    let input = installation.input(Topic::UserActivity);
    delete(&installation, &input);
    make(&installation, &input);
    let said = ended(&mut member);
    assert!(said.contains(&format!("topic {input} was deleted")), "{said}");
    assert!(said.contains("to begin from nothing") && !said.contains("retention"), "{said}");
}
