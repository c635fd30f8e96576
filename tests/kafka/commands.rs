//! Commands about topics, the beginning and the end of the service, recordings.

use std::process::Stdio;
use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use zoner::engine::record::Topic;
use zoner::kafka::topics::{Creation, Layout, Topics, Wanted, wanted};
use zoner::units::Span;

use super::comparison::states;
use super::installation::{Installation, Stamps, brokers};
use super::member::Member;
use crate::common::program::{run, signal, zoner};
use crate::common::records::{MONDAY, light};
use crate::common::wait_for;

const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn topics_that_are_missing_are_made_and_what_differs_is_found_but_not_touched() {
    let installation = Installation::bare("topics", 4, Stamps::Broker);
    let missing = installation.run(&["topics", "check"]).failed(1);
    assert_eq!(missing.matches("does not exist").count(), 6, "{missing}");
    let refused = installation.run(&["run"]).failed(1);
    assert!(refused.contains("flight_status") && refused.contains(" do not exist"), "{refused}");
    let elsewhere = installation.run(&["run", "--prefix", "nope."]).failed(1);
    assert!(
        elsewhere.contains("nope.user_activity, ") && elsewhere.contains("zoner topics create --prefix nope."),
        "{elsewhere}"
    );

    installation.run(&["topics", "create"]).ok();
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"));
    let again = installation.run(&["topics", "create"]).ok();
    assert_eq!(again.matches("is as wanted").count(), 6, "{again}");

    // Stamps of producers are wanted now: both inputs differ.
    let other = Installation { stamps: Stamps::Producers, ..installation };
    let differs = other.run(&["topics", "check"]).failed(1);
    assert_eq!(differs.matches("message.timestamp.type=LogAppendTime, wanted CreateTime").count(), 2, "{differs}");
    let refused = other.run(&["topics", "create"]).failed(1);
    assert!(refused.contains("--alter"), "{refused}");
    let installation = Installation { stamps: Stamps::Broker, ..other };
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"), "nothing was touched");

    let eight = installation.run(&["topics", "create", "--partitions", "8"]).failed(1);
    assert!(eight.contains("has 4 partitions, wanted 8"), "{eight}");
    installation.run(&["topics", "create", "--partitions", "8", "--alter"]).failed(1);
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"));
}

#[test]
fn a_topic_that_another_run_makes_meanwhile_is_treated_like_one_that_is_there() {
    let installation = Installation::bare("together", 4, Stamps::Broker);
    let create = || {
        let arguments = installation.arguments(&["topics", "create"]);
        zoner().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the zoner binary")
    };
    let runs = [create(), create(), create()].map(|run| run.wait_with_output().expect("its end"));
    let said = runs.map(|run| {
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    });
    let count = |what: &str| said.iter().map(|said| said.matches(what).count()).sum::<usize>();
    assert_eq!((count(" created with "), count(" is as wanted")), (6, 12), "{said:?}");
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"));

    // Found missing, and made by somebody else before it could be: said, not overwritten.
    let layout = Layout { partitions: 4, replication: 1, create_time: false };
    let one = wanted(&installation.cluster, &layout).remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let creation = |topic: &Wanted| {
        let admin = Topics::connect(&installation.cluster).expect("a client");
        runtime.block_on(admin.create(topic, 1)).expect("an answer")
    };
    assert_eq!(creation(&one), Creation::WasThere);
    assert_eq!(creation(&Wanted { partitions: 8, ..one }), Creation::WasThere);
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"), "nothing was touched");
}

#[test]
fn run_refuses_inputs_stamped_by_producers_and_names_the_command_that_mends_them() {
    let producers = Installation::create("stamps", 1, Stamps::Producers);
    let installation = Installation { stamps: Stamps::Broker, ..producers };
    let refused = installation.run(&["run", "--http", "127.0.0.1:0"]).failed(1);
    assert!(refused.contains("zoner topics create --alter") && refused.contains("--create-time"), "{refused}");
    installation.run(&["topics", "create", "--alter"]).ok();
    assert!(installation.run(&["topics", "check"]).ok().contains("as wanted"));
    let member = Member::start(&installation, &[]);
    assert_eq!(member.terminate().code(), Some(0));
}

#[test]
fn run_refuses_a_state_topic_that_would_delete_states_in_one_line_that_names_it_and_its_policy() {
    let installation = Installation::bare("deletes", 1, Stamps::Broker);
    let states = installation.cluster.state_topic(Topic::FlightStatus.processor());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let admin = Topics::connect(&installation.cluster).expect("a client");
    let layout = Layout { partitions: 1, replication: 1, create_time: false };
    for mut topic in wanted(&installation.cluster, &layout) {
        if topic.name == states {
            topic.settings.insert("cleanup.policy", "delete".to_owned());
        }
        assert_eq!(runtime.block_on(admin.create(&topic, 1)).expect("an answer"), Creation::Made);
    }
    let mut member = Member::spawn(&installation, &[]);
    assert_eq!(member.wait().code(), Some(1), "{}", member.said());
    let said = member.said();
    let is_complaint = |line: &&str| ["error", "ERROR", "WARN"].iter().any(|word| line.contains(word));
    let complaints: Vec<&str> = said.lines().filter(is_complaint).collect();
    let [complaint] = complaints.as_slice() else { panic!("one complaint is wanted: {said}") };
    assert!(complaint.starts_with(&format!("error: topic {states} has cleanup.policy=delete: ")), "{complaint}");
    assert!(complaint.contains("`zoner topics create --alter` sets compact"), "{complaint}");
}

#[test]
fn a_second_process_with_the_same_instance_id_ends_the_other_by_name() {
    let installation = Installation::create("static", 2, Stamps::Producers);
    let mut first = Member::start(&installation, &["--instance", "twin"]);
    let second = Member::start(&installation, &["--instance", "twin"]);
    assert_eq!(first.wait().code(), Some(1));
    let said = first.said();
    let complaints: Vec<&str> =
        said.lines().filter(|line| ["ERROR", "WARN", "error:"].iter().any(|word| line.contains(word))).collect();
    assert!(matches!(complaints[..], [only] if only.contains("\"twin\"") && only.contains("--instance")), "{said}");
    installation.send(&[light("household-1", "anna", MONDAY)]);
    installation.settle(LIMIT);
    assert_eq!(states(&[&second]).len(), 1);
    assert_eq!(second.terminate().code(), Some(0));
}

#[test]
fn sigterm_commits_what_was_done_and_ends_with_success() {
    let installation = Installation::create("sigterm", 2, Stamps::Producers);
    let member = Member::start(&installation, &[]);
    let records: Vec<_> =
        (0..2_000).map(|number| light(&format!("h{}", number % 50), "anna", MONDAY + Span::seconds(number))).collect();
    installation.send(&records);
    wait_for("the first events", LIMIT, || (member.metric("zoner_events_total", "light_exposure") > 0.0).then_some(()));
    assert_eq!(member.terminate().code(), Some(0));
    let committed: Vec<i64> =
        installation.committed(Topic::UserActivity).into_iter().flatten().map(|(o, _)| o).collect();
    assert!(committed.iter().sum::<i64>() > 0);
    // Whoever comes next goes on from there, without waiting for a session to run out.
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    assert_eq!(states(&[&member]).len(), 50);
    let left: i64 = 2_000 - committed.iter().sum::<i64>();
    assert!((member.metric("zoner_events_total", "light_exposure") as i64) <= left.max(0));
    // Ctrl-C is as good.
    signal(member.pid(), "INT");
    let mut member = member;
    assert_eq!(member.wait().code(), Some(0));
}

#[test]
fn a_recording_waits_for_a_transaction_that_is_still_open() {
    let installation = Installation::create("open", 1, Stamps::Producers);
    let mut settings = installation.cluster.plain_producer("open");
    settings.set("transactional.id", installation.topic("open")).set("transaction.timeout.ms", "30000");
    let producer: ThreadedProducer<DefaultProducerContext> =
        ThreadedProducer::from_config(&settings).expect("a producer");
    producer.init_transactions(LIMIT).expect("transactions");
    producer.begin_transaction().expect("a transaction");
    let record = light("household-1", "anna", MONDAY);
    let (topic, value) = (installation.topic("user_activity"), record.value.to_string());
    producer
        .send(BaseRecord::to(&topic).key(record.key.as_str()).payload(value.as_str()).timestamp(record.stamp.0))
        .map_err(|(error, _)| error)
        .expect("a queued record");
    wait_for("the record to be written", LIMIT, || (producer.in_flight_count() == 0).then_some(()));
    let arguments = installation.arguments(&["record"]);
    let recording = std::thread::spawn(move || run(arguments));
    // Not proof, only a chance to be wrong: the recording must still be waiting when the transaction ends.
    std::thread::sleep(Duration::from_secs(1));
    assert!(!recording.is_finished(), "it did not wait");
    producer.commit_transaction(LIMIT).expect("a commit");
    let lines = recording.join().expect("a recording").ok();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.contains("household-1"));
}

#[test]
fn members_of_different_installations_are_not_dumped_together() {
    let here = Installation::create("dump-here", 2, Stamps::Producers);
    let there = Installation::create("dump-there", 2, Stamps::Producers);
    here.send(&[light("household-1", "anna", MONDAY)]);
    let (member, other) = (Member::start(&here, &[]), Member::start(&there, &[]));
    here.settle(LIMIT);
    let dump = |addresses: &[&str]| {
        let members = addresses.iter().flat_map(|address| ["--member", *address]);
        run(["state", "dump"].into_iter().chain(members))
    };
    assert_eq!(dump(&[member.address()]).ok().lines().count(), 1);
    let mixed = dump(&[member.address(), other.address()]);
    assert_eq!(mixed.out, "", "half a dump looks like a whole one");
    let mixed = mixed.failed(1);
    assert!(mixed.contains(member.address()) && mixed.contains(other.address()), "{mixed}");
    assert!(mixed.contains("different installations") && mixed.contains(&here.prefix), "{mixed}");
    let twice = dump(&[member.address(), member.address()]).failed(1);
    assert!(twice.contains("both say that they own partitions [0, 1]"), "{twice}");

    let gone = member.address().to_owned();
    member.kill();
    let nobody = dump(&[&gone]).failed(1);
    assert!(nobody.contains(&gone) && nobody.contains("--member"), "{nobody}");
}

#[test]
fn a_cluster_that_is_not_there_is_named() {
    let said = run(["topics", "check", "--brokers", "127.0.0.1:1", "--prefix", "nowhere."]).failed(1);
    assert!(said.contains("127.0.0.1:1"), "{said}");
    assert!(!brokers().is_empty());
}
