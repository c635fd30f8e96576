//! Records that cannot be used: nothing is lost of them, and nothing stops for them.

use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use sha2::{Digest, Sha256};

use super::comparison::states;
use super::installation::{Installation, Stamps};
use super::member::Member;
use super::reading::Found;

const LIMIT: Duration = Duration::from_secs(30);
const KEPT: usize = 65_536;

struct Bad {
    code: &'static str,
    stage: &'static str,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

fn bad(code: &'static str, stage: &'static str, key: Option<&[u8]>, value: Option<&[u8]>) -> Bad {
    Bad { code, stage, key: key.map(<[u8]>::to_vec), value: value.map(<[u8]>::to_vec) }
}

fn headers() -> Vec<(String, Option<Vec<u8>>)> {
    vec![
        ("trace".to_owned(), Some(b"abc".to_vec())),
        ("trace".to_owned(), Some(vec![0xff, 0x00])),
        ("nothing".to_owned(), None),
    ]
}

/// Every record with the same headers, all into one partition.
fn send(installation: &Installation, records: &[Bad]) {
    let producer: ThreadedProducer<DefaultProducerContext> =
        ThreadedProducer::from_config(&installation.cluster.plain_producer("bad")).expect("a producer");
    let topic = installation.topic("user_activity");
    for bad in records {
        let mut own = OwnedHeaders::new();
        for (key, value) in headers() {
            own = own.insert(Header { key: &key, value: value.as_deref() });
        }
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&topic).partition(0).headers(own);
        if let Some(key) = &bad.key {
            record = record.key(key);
        }
        if let Some(value) = &bad.value {
            record = record.payload(value);
        }
        producer.send(record).map_err(|(error, _)| error).expect("a queued record");
    }
    producer.flush(Duration::from_secs(10)).expect("everything written");
}

#[test]
fn a_record_that_cannot_be_used_is_kept_whole_among_the_dead_letters() {
    let installation = Installation::create("bad", 1, Stamps::Broker);
    let large = [b"{\"user_id\":\"".as_slice(), &vec![b'x'; 100_000], b"\"}"].concat();
    let records = [
        bad("not_json", "decode", Some(b"h1"), Some(b"{\"user_id\": \"a\"")),
        bad("not_json", "decode", Some(b"h1"), None),
        bad("not_utf8", "decode", Some(b"h1"), Some(&[b'{', 0xc3, 0x28, b'}'])),
        bad("missing_field", "decode", Some(b"h1"), Some(b"{\"activity\":\"meal\",\"timestamp\":1731000000}")),
        bad("unknown_activity", "decode", Some(b"h1"), Some(b"{\"user_id\":\"a\",\"activity\":\"flying\"}")),
        bad("no_key", "decode", None, Some(b"{\"activity\":\"meal\",\"timestamp\":1731000000}")),
        bad(
            "key_mismatch",
            "validate",
            Some(b"h1"),
            Some(b"{\"user_id\":\"a\",\"household_id\":\"h2\",\"activity\":\"meal\",\"timestamp\":1731000000}"),
        ),
        bad(
            "in_future",
            "validate",
            Some(b"h1"),
            Some(b"{\"user_id\":\"a\",\"activity\":\"meal\",\"timestamp\":\"2100-01-01T00:00:00Z\"}"),
        ),
        bad(
            "bad_interval",
            "validate",
            Some(b"h1"),
            Some(b"{\"user_id\":\"a\",\"activity\":\"sleep\",\"start\":1731003600,\"end\":1731000000}"),
        ),
        bad("too_large", "decode", Some(b"h1"), Some(&large)),
    ];
    send(&installation, &records);
    let good = b"{\"user_id\":\"a\",\"activity\":\"light_exposure\",\"timestamp\":1731000000,\"lux\":10}";
    send(&installation, &[bad("", "", Some(b"h1"), Some(good))]);
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);

    let letters = installation.read("zoner.dead_letters");
    assert_eq!(letters.len(), records.len());
    for (offset, (bad, letter)) in records.iter().zip(&letters).enumerate() {
        assert_letter(bad, letter, &installation.topic("user_activity"), offset);
        let label = format!("\"{}\"", bad.code);
        let of_code = records.iter().filter(|other| other.code == bad.code).count();
        assert_eq!(member.metric("zoner_dead_letters_total", &label) as usize, of_code, "{}", bad.code);
    }
    let last = letters.last().expect("the large one");
    assert_eq!(last.header("error.value_bytes"), Some(large.len().to_string().as_bytes()));
    let digest = Sha256::digest(&large).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert_eq!(last.header("error.value_sha256"), Some(digest.as_bytes()));
    // The stream went on.
    assert_eq!(states(&[&member]).len(), 1);
    assert_eq!(member.terminate().code(), Some(0));
}

fn assert_letter(bad: &Bad, letter: &Found, topic: &str, offset: usize) {
    let text = |name: &str| letter.header(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let message = text("error.message").expect("a message");
    assert_eq!(text("error.code").as_deref(), Some(bad.code), "{message}");
    assert_eq!(text("error.stage").as_deref(), Some(bad.stage), "{message}");
    assert_eq!(text("error.topic").as_deref(), Some(topic));
    assert_eq!(text("error.partition").as_deref(), Some("0"));
    assert_eq!(text("error.offset"), Some(offset.to_string()));
    assert_eq!(letter.key, bad.key, "{}", bad.code);
    let kept = bad.value.as_ref().map(|value| value[..value.len().min(KEPT)].to_vec());
    assert!(letter.value == kept, "{}: the value is not as received", bad.code);
    assert_eq!(letter.headers[..headers().len()], headers(), "{}", bad.code);
}

#[test]
fn a_record_without_a_key_goes_to_the_household_that_it_names() {
    let installation = Installation::create("keyless", 4, Stamps::Broker);
    let household =
        (0..1_000).map(|n| format!("h{n}")).find(|name| installation.partition_of(name) != 0).expect("a name");
    let value = format!(
        "{{\"user_id\":\"a\",\"household_id\":\"{household}\",\"activity\":\"light_exposure\",\"timestamp\":1731000000,\"lux\":10}}"
    );
    send(&installation, &[bad("", "", None, Some(value.as_bytes()))]);
    let member = Member::start(&installation, &[]);
    installation.settle(LIMIT);
    let records = installation.read("user_activity");
    let moved = records.iter().find(|record| record.header("zoner.forwarded").is_some()).expect("a moved record");
    assert_eq!(moved.partition, installation.partition_of(&household));
    assert_eq!(moved.key.as_deref(), Some(household.as_bytes()));
    assert_eq!(moved.value.as_deref(), Some(value.as_bytes()));
    assert_eq!(moved.headers[..headers().len()], headers());
    let (status, _) = member.get(&format!("/v1/households/{household}/users/a"));
    assert_eq!(status, 200);
    assert_eq!(installation.read("zoner.dead_letters"), []);
}
