//! Commands that need no Kafka, from outside: replaying files, schemas, configuration.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::Value;
use zoner::units::Span;

use common::Directory;
use common::families::families;
use common::program::{run, zoner};
use common::records::{Child, Flight, MONDAY, Sent, adult, light, lines};

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn reasons(out: &str) -> Vec<String> {
    out.lines().filter_map(|line| json(line)["reason"].as_str().map(str::to_owned)).collect()
}

/// Regular days, and one on which the nap does not come; time goes on to the afternoon.
fn a_missed_nap() -> Vec<Sent> {
    let mia = Child::toddler("household-1", "mia");
    let last = MONDAY + Span::days(6);
    let mut records = vec![mia.profile(MONDAY)];
    records.extend(mia.days(MONDAY, 6));
    records.push(mia.night(last));
    records.push(light("household-2", "noah", last + Span::hours(15)));
    records
}

#[test]
fn the_same_file_gives_the_same_bytes_whatever_the_batches() {
    let directory = Directory::new("replay");
    let mut content = lines(&families(12));
    content.push_str("not a record at all\n{\"user_id\":\"x\",\"activity\":\"flying\"}\n");
    let file = directory.write("families.jsonl", &content).display().to_string();
    let play = |batch: &[&str]| {
        let letters = directory.file("letters.jsonl").display().to_string();
        let arguments = ["replay", &file, "--state", "--dead-letters", &letters];
        let out = run(arguments.iter().chain(batch)).ok();
        (out, std::fs::read_to_string(&letters).expect("dead letters"))
    };
    let first = play(&[]);
    assert!(reasons(&first.0).len() > 24, "{:?}", reasons(&first.0));
    for reason in ["nap_missed", "flight_delayed"] {
        assert!(reasons(&first.0).iter().any(|said| said == reason), "no {reason}");
    }
    assert_eq!(first.0.lines().filter(|line| line.starts_with("{\"estimate_of\"")).count(), 24);
    assert_eq!(first.1.lines().count(), 2);
    for batch in ["1", "7", "1000"] {
        assert!(play(&["--batch", batch]) == first, "batches of {batch} change the output");
    }
}

#[test]
fn bare_lines_say_what_lines_with_an_envelope_say() {
    let directory = Directory::new("bare");
    let records = a_missed_nap();
    let bare: String = records
        .iter()
        .map(|record| {
            let mut value = record.value.clone();
            value["household_id"] = record.key.clone().into();
            value.to_string() + "\n"
        })
        .collect();
    let file = directory.write("bare.jsonl", &bare).display().to_string();
    let out = run(["replay", &file]).ok();
    assert_eq!(reasons(&out).iter().filter(|reason| *reason == "nap_missed").count(), 1);
}

#[test]
fn a_trip_is_said_before_the_delay_of_its_flight_that_was_known_already() {
    let directory = Directory::new("known");
    let departs = MONDAY + Span::days(4) + Span::hours(12);
    let [first, second] = [("BA117", 0), ("BA178", 5)]
        .map(|(name, days)| Flight { designator: name.to_owned(), departs: departs + Span::days(days) });
    let hour = |hours: i64| MONDAY + Span::hours(hours);
    let records = [
        adult("household-1", "anna", hour(1)),
        adult("household-1", "tom", hour(1)),
        first.late(Span::hours(3), hour(2)),
        second.late(Span::hours(2), hour(2)),
        first.trip("household-1", &["anna", "tom"], hour(3)),
        second.trip("household-1", &["anna"], hour(4)),
    ];
    let file = directory.write("known.jsonl", &lines(&records)).display().to_string();
    let said: Vec<Value> = run(["replay", &file]).ok().lines().map(json).collect();
    let of = |user: &str| said.iter().filter(|said| said["user_id"] == user).collect::<Vec<_>>();
    let reasons =
        |said: &[&Value]| said.iter().map(|said| said["reason"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(reasons(&of("anna")), ["trip_planned", "flight_delayed", "trip_planned", "flight_delayed"]);
    assert_eq!(reasons(&of("tom")), ["trip_planned", "flight_delayed"]);
    for user in ["anna", "tom"] {
        for pair in of(user).windows(2) {
            assert_eq!(pair[1]["supersedes"], pair[0]["recommendation_id"], "each replaces what was read last");
        }
    }
}

#[test]
fn time_runs_on_to_where_it_is_told_to() {
    let directory = Directory::new("until");
    let mut records = a_missed_nap();
    records.pop();
    let file = directory.write("until.jsonl", &lines(&records)).display().to_string();
    let missed = |until: &[&str]| {
        let out = run(["replay", &file].iter().chain(until)).ok();
        reasons(&out).iter().filter(|reason| *reason == "nap_missed").count()
    };
    assert_eq!(missed(&[]), 0);
    assert_eq!(missed(&["--until", "2025-03-09T09:00:00Z"]), 0);
    assert_eq!(missed(&["--until", "2025-03-09T18:00:00+00:00"]), 1);
}

#[test]
fn what_can_not_be_used_goes_to_the_dead_letters_and_the_replay_goes_on() {
    let directory = Directory::new("letters");
    let content = format!("{{\"user_id\":\"a\",\"activity\":\"meal\"}}\nnothing\n{}", lines(&a_missed_nap()));
    let file = directory.write("bad.jsonl", &content).display().to_string();
    let letters = directory.file("letters.jsonl");
    let out = run(["replay", &file, "--dead-letters", &letters.display().to_string()]);
    assert_eq!(out.err, "");
    assert!(reasons(&out.ok()).contains(&"nap_missed".to_owned()));
    let written = std::fs::read_to_string(&letters).expect("dead letters");
    let codes: Vec<String> = written.lines().map(|line| json(line)["error"]["code"].to_string()).collect();
    assert_eq!(codes, ["\"missing_field\"", "\"not_json\""]);

    let said = run(["replay", &file]);
    assert_eq!(said.err.lines().filter(|line| json(line)["error"]["code"].is_string()).count(), 2);
    said.ok();
}

#[test]
fn a_pipe_sees_a_recommendation_at_once() {
    let mut child = zoner()
        .args(["replay", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the zoner binary");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(lines(&a_missed_nap()).as_bytes()).expect("a reader");
    input.flush().expect("a reader");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    // The input is still open.
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).expect("a line") > 0, "no missed nap");
        if json(&line)["reason"] == "nap_missed" {
            break;
        }
    }
    drop(input);
    assert!(child.wait().expect("its end").success());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let directory = Directory::new("head");
    let file = directory.write("families.jsonl", &lines(&families(4)));
    let mut child = zoner()
        .args(["replay", &file.display().to_string(), "--state"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the zoner binary");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn misuse_is_code_two_and_what_can_not_be_read_is_code_one_and_named() {
    for arguments in [
        vec![],
        vec!["replay"],
        vec!["replay", "-", "--until", "tomorrow"],
        vec!["replay", "-", "--no-such-flag"],
        vec!["fly"],
        vec!["demo", "--families", "1"],
    ] {
        run(&arguments).failed(2);
    }
    let said = run(["replay", "/nowhere/at/all.jsonl"]).failed(1);
    assert!(said.contains("/nowhere/at/all.jsonl"), "{said}");

    let directory = Directory::new("broken");
    let content =
        format!("{}{{\"topic\":\"weather\",\"key\":\"a\",\"timestamp\":0,\"value\":1}}\n", lines(&a_missed_nap()[..2]));
    let file = directory.write("broken.jsonl", &content).display().to_string();
    let said = run(["replay", &file]).failed(1);
    assert!(said.contains(&file) && said.contains("line 3") && said.contains("user_activity"), "{said}");
}

fn validator(name: &str) -> jsonschema::Validator {
    let schema = json(&run(["schema", name]).ok());
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("schema {name}: {error}"))
}

#[track_caller]
fn assert_valid(validator: &jsonschema::Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

#[test]
fn what_goes_in_and_what_comes_out_is_valid_by_the_schemas() {
    let names = run(["schema"]).ok();
    assert!(names.lines().any(|name| name == "recommendation") && names.lines().count() > 10);
    let unknown = run(["schema", "weather"]).failed(1);
    assert!(unknown.contains("weather") && unknown.contains("flight_status"), "{unknown}");

    let directory = Directory::new("schemas");
    let mut records = families(4);
    records.extend(a_missed_nap());
    records.sort_by_key(|record| record.stamp);
    let (activity, status) = (validator("user_activity"), validator("flight_status"));
    for record in &records {
        let topic = if record.topic.as_str() == "user_activity" { &activity } else { &status };
        assert_valid(topic, &record.value);
    }
    let content = lines(&records) + "{\"user_id\":\"a\",\"activity\":\"meal\"}\n";
    let file = directory.write("records.jsonl", &content).display().to_string();
    let letters = directory.file("letters.jsonl");
    let out = run(["replay", &file, "--state", "--dead-letters", &letters.display().to_string()]).ok();
    let (recommendation, estimate) = (validator("recommendation"), validator("estimate"));
    for line in out.lines() {
        let value = json(line);
        assert_valid(if value["estimate_of"].is_string() { &estimate } else { &recommendation }, &value);
    }
    let letters = std::fs::read_to_string(letters).expect("dead letters");
    assert_valid(&validator("dead_letter"), &json(letters.trim()));
}

#[test]
fn a_key_that_means_nothing_is_named_with_its_file() {
    let directory = Directory::new("config");
    let file = directory.write("zoner.toml", "[engine]\nbatch = 10\nbach = 11\n").display().to_string();
    let said = run(["run", "--print-config", "--config", &file]).failed(1);
    assert!(said.contains("bach") && said.contains("zoner.toml"), "{said}");

    let file = directory.write("zoner.toml", "[engine]\nbatch = 0\n").display().to_string();
    let said = run(["run", "--print-config", "--config", &file]).failed(1);
    assert!(said.contains("engine.batch is 0"), "{said}");

    let said = run(["run", "--print-config", "--config", "/nowhere/zoner.toml"]).failed(1);
    assert!(said.contains("/nowhere/zoner.toml"), "{said}");
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file_and_secrets_are_masked() {
    let directory = Directory::new("layers");
    let content = "[kafka]\nbrokers = \"file:1\"\ninstance_id = \"file\"\n[kafka.properties]\n\"sasl.password\" = \"hunter2\"\n\
                   [topics]\nprefix = \"file.\"\n";
    let file = directory.write("zoner.toml", content);
    let output = zoner()
        .args(["run", "--print-config", "--config", &file.display().to_string(), "--prefix", "flag."])
        .env("ZONER_KAFKA__BROKERS", "environment:1")
        .env("ZONER_TOPICS__PREFIX", "environment.")
        .output()
        .expect("the zoner binary");
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    for line in
        ["brokers = \"environment:1\"", "instance_id = \"file\"", "prefix = \"flag.\"", "\"sasl.password\" = \"****\""]
    {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert!(!shown.contains("hunter2"));
}
