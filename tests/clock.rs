//! `zoner clock` from outside: against the reference trajectories, and with files that are not what they should be.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use common::Directory;
use common::program::{run, zoner};

const REFERENCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/oscillators");

fn rows(csv: &str) -> Vec<Vec<f64>> {
    csv.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().expect("a number")).collect()).collect()
}

/// The reference's light as the package takes it: a value every 0.1 h, each for the 0.1 h before it.
fn every_sample(name: &str) -> String {
    let changes = rows(&std::fs::read_to_string(format!("{REFERENCES}/{name}.light.csv")).expect("a schedule"));
    let mut csv = String::from("t_hours,lux,wake\r\n");
    for sample in 0..=7_199 {
        let hours = f64::from(sample) / 10.0;
        let light = changes.iter().rev().find(|change| change[0] <= hours + 1e-9).expect("a first line");
        writeln!(csv, "{hours},{},1\r", light[1]).expect("a string grows");
    }
    csv
}

#[test]
fn every_model_follows_its_reference() {
    let directory = Directory::new("clock");
    let file = directory.write("light.csv", &every_sample("east-8h-day10-30d")).display().to_string();
    let markers = std::fs::read_to_string(format!("{REFERENCES}/markers.csv")).expect("markers");
    for (model, angle) in [("hannay19", 1), ("hannay19tp", 2), ("forger99", 0), ("jewett99", 0)] {
        let arguments = ["clock", "--model", model, "--light", &file, "--holds", "before"];
        let out = run(arguments).ok();
        let reference =
            std::fs::read_to_string(format!("{REFERENCES}/east-8h-day10-30d.{model}.csv")).expect("a trajectory");
        assert_eq!(out.lines().next(), reference.lines().next(), "{model}");
        let (ours, expected) = (rows(&out), rows(&reference));
        assert_eq!(ours.len(), 721, "every hour, and the end: {model}");
        for expected in &expected {
            let row = ours.iter().find(|row| (row[0] - expected[0]).abs() < 1e-9).expect("a row for every hour");
            let radians = if angle > 0 {
                (row[1 + angle] - expected[1 + angle]).abs()
            } else {
                let cross = row[1] * expected[2] - row[2] * expected[1];
                cross.atan2(row[1] * expected[1] + row[2] * expected[2]).abs()
            };
            assert!(radians * 24.0 / std::f64::consts::TAU < 0.005, "{model} at {} h", expected[0]);
        }

        let said: Value = serde_json::from_str(&run(arguments.iter().chain(&["--markers"])).ok()).expect("JSON");
        assert_eq!(said["model"], model);
        let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(said[key].clone()).expect("numbers") };
        let (found, dlmo) = (numbers("cbt_min_hours"), numbers("dlmo_hours"));
        let prefix = format!("east-8h-day10-30d,{model},");
        let line = markers.lines().find_map(|line| line.strip_prefix(&prefix)).expect("markers of this model");
        let listed: Vec<f64> = line.split(' ').map(|field| field.parse().expect("a number")).collect();
        assert_eq!(found.len(), listed.len());
        for ((found, dlmo), listed) in found.iter().zip(dlmo).zip(listed) {
            assert!((found - listed).abs() < 0.051, "{model}: {found} for {listed}");
            assert!((found - dlmo - 7.0).abs() < 1e-9);
        }
    }
}

#[test]
fn a_schedule_of_changes_comes_through_a_pipe_and_goes_on_until_told() {
    let mut child = zoner()
        .args(["clock", "--model", "forger99k", "--light", "-", "--until", "48", "--initial", "-0.5,-1,0.25"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the zoner binary");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"lux,t_hours\n0,0\n\n800,7.25\n0,23\n").expect("a reader");
    drop(input);
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success());
    let rows = rows(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(rows.len(), 49);
    assert_eq!(rows[0], [0.0, -0.5, -1.0, 0.25]);
    // Light raises n from 07:15 to 23:00 and at no other time.
    let rises: Vec<bool> = rows.windows(2).map(|pair| pair[1][3] > pair[0][3]).collect();
    assert!(!rises[6] && rises[7] && !rises[23] && !rises[47]);
}

#[test]
fn a_schedule_that_a_spreadsheet_wrote_in_quotes_is_the_same() {
    let directory = Directory::new("clock-quotes");
    let states = |name: &str, content: &str| {
        let file = directory.write(name, content).display().to_string();
        run(["clock", "--light", &file]).ok()
    };
    let quoted = states("quoted.csv", "\"t_hours\",\"lux\"\r\n\"0\",\"300\"\r\n\"9\",0\r\n");
    assert_eq!(quoted, states("plain.csv", "t_hours,lux\n0,300\n9,0\n"));
}

#[test]
fn a_number_that_is_all_but_nothing_is_not_written_in_three_hundred_digits() {
    let directory = Directory::new("clock-dark");
    let file = directory.write("light.csv", "t_hours,lux\n0,500\n1,0\n1440,0\n").display().to_string();
    for model in ["hannay19", "forger99"] {
        let out = run(["clock", "--model", model, "--light", &file]).ok();
        assert!(out.lines().all(|line| line.len() < 120), "{model}");
        let adaptations: Vec<f64> = rows(&out).iter().map(|row| row[3]).collect();
        assert!(
            adaptations.windows(2).skip(2).all(|pair| pair[1] <= pair[0]),
            "{model}: every number can be read again"
        );
    }
}

/// Half an hour of noon turns the temperature up for a while; that it was falling before is no CBTmin.
#[test]
fn the_end_of_a_schedule_is_no_cbt_min() {
    let directory = Directory::new("clock-end");
    let file = directory.write("light.csv", "t_hours,lux\n0,0\n0.5,100000\n0.75,0\n5,0\n").display().to_string();
    let minima = |more: &[&str]| -> Vec<f64> {
        let said = run(["clock", "--light", &file, "--model", "forger99", "--markers"].iter().chain(more)).ok();
        serde_json::from_value(serde_json::from_str::<Value>(&said).expect("JSON")["cbt_min_hours"].clone())
            .expect("numbers")
    };
    let decided = minima(&["--until", "24"]);
    assert_eq!(decided.len(), 1);
    assert!((6.0..6.3).contains(&decided[0]), "{decided:?}");
    assert_eq!(minima(&[]), [] as [f64; 0]);
    assert_eq!(minima(&["--until", "6.2"]), decided, "as if the last light went on");
}

#[test]
fn errors_name_the_line_the_value_and_what_there_is() {
    let directory = Directory::new("clock-errors");
    let refused = |content: &str, more: &[&str]| {
        let file = directory.write("bad.csv", content).display().to_string();
        run(["clock", "--light", &file].iter().chain(more)).failed(1)
    };
    let fine = "t_hours,lux\n0,100\n24,0\n";
    for (content, expected) in [
        ("", "line 1"),
        ("hours,lux\n0,0\n", "no column t_hours"),
        // Columns are taken by their names: a file with times only in one row is not a file of two columns.
        ("t_hours,wake\n0,1\n", "no column lux"),
        ("t_hours,lux,lux\n0,0,9000\n24,0,0\n", "more than one column lux"),
        ("t_hours,lux\n", "no line after the header"),
        ("t_hours,lux\n0,0\n1,bright\n", "line 3: lux is \"bright\""),
        ("t_hours,lux\n0,0\n1,nan\n", "line 3: lux is \"nan\""),
        ("t_hours,lux\n0,0\n1,-5\n", "line 3: lux is -5"),
        ("t_hours,lux\n0,0\n\n2,0\n2,5\n", "line 5: t_hours is 2"),
        ("t_hours,lux\n0,0\n1\n", "line 3: 1 fields where the header has 2"),
        ("t_hours,lux\n0,0\n1e9,0\n", "line 3: t_hours is 1000000000"),
        ("t_hours,lux\n5,0\n", "no length"),
    ] {
        let said = refused(content, &[]);
        assert!(said.contains(expected), "{content:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let said = refused(fine, &["--model", "sundial"]);
    for name in ["sundial", "hannay19", "hannay19tp", "forger99", "forger99k", "forger99p6", "jewett99"] {
        assert!(said.contains(name), "{said}");
    }
    assert!(refused(fine, &["--initial", "0.8,1"]).contains("expected 3: amplitude,phase,adaptation"));
    assert!(refused(fine, &["--initial", "1.8,1,0"]).contains("amplitude,phase,adaptation = 1.8,1,0 is no state"));
    assert!(refused(fine, &["--initial", "0.8,nan,0"]).contains("0.8,NaN,0 is no state"));
    let at_rest = refused(fine, &["--model", "forger99", "--initial", "0,0,0"]);
    assert!(at_rest.contains("x,xc,adaptation = 0,0,0 is no state") && at_rest.contains("the nearest is"), "{at_rest}");
    let early = refused(fine, &["--until", "-3"]);
    assert!(early.contains("--until is -3") && early.contains("first line's t_hours, 0"), "{early}");
    let missing = run(["clock", "--light", "/nonexistent/light.csv"]).failed(1);
    assert!(missing.contains("/nonexistent/light.csv"), "{missing}");
}
