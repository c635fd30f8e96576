//! One seed from its beginning to the verdict.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use zoner::engine::cursor::Cursor;
use zoner::engine::partition::Routing;
use zoner::engine::placement::Placement;
use zoner::engine::record::{Position, Topic};
use zoner::event::dead_letter::DeadLetter;
use zoner::event::line::{OwnedRecord, RecordingHeader};
use zoner::event::recommendation::{Estimate, Recommendation};
use zoner::flight::Flights;
use zoner::replay::{Listener, Replay};
use zoner::units::UtcMillis;

use crate::batch::origin_of;
use crate::invariants::{Invariant, Violation, check_recommendations, check_records};
use crate::kafka_model::partition_log::{Isolation, Seen, Stored};
use crate::kafka_model::{Kafka, Place};
use crate::plan::Sabotage;
use crate::process::{References, travellers};
use crate::reference::{Reference, internal_text};
use crate::slot::Kind;
use crate::watched::{Fire, Noted, noted};
use crate::world::{Statistics, World};

/// Things that happen after the last record has been written, before the world turns kind.
const AFTERMATH: usize = 60;

/// Plays a seed.
///
/// # Errors
/// The first invariant that did not hold.
pub fn play(seed: u64, sabotage: Sabotage, is_told: bool) -> Result<Statistics, Violation> {
    let world = World::new(seed, sabotage, is_told);
    let verdict = play_in(&world, seed);
    // Processes hold on to the world, and it to them.
    for slot in world.slots.borrow_mut().drain(..) {
        slot.process.borrow_mut().take();
    }
    verdict
}

fn play_in(world: &Rc<World>, seed: u64) -> Result<Statistics, Violation> {
    let routing = Routing::Placed { placement: Placement::Murmur2, partitions: world.plan.partitions };
    let (activity, status) = (world.topics.user_activity, world.topics.flight_status);
    let mut references = References {
        travellers: Reference::new(travellers(), activity, world.plan.partitions, routing),
        flights: Reference::new(Arc::new(Flights), status, world.plan.partitions, routing),
    };
    let mut live: BTreeMap<(usize, u32, i32), bool> = BTreeMap::new();
    let mut aftermath = AFTERMATH;
    while aftermath > 0 {
        world.act();
        if world.arriving.borrow().is_empty() {
            aftermath -= 1;
        }
        check_while_running(world, &mut references, &mut live)?;
    }
    let is_settled = world.settle();
    check_kafka(world)?;
    if !is_settled {
        return Err(Violation::new(Invariant::Lv1, stuck(world)));
    }
    check_states(world, &mut references, |_, _| true)?;
    check_effects(world, &mut references)?;
    check_timers(world, &references)?;
    check_replay(world, &references, seed)?;
    check_twins(world)?;
    let mut statistics = *world.statistics.borrow();
    statistics.recommendations = references.travellers.said.recommendations.len() as u64;
    Ok(statistics)
}

fn check_kafka(world: &World) -> Result<(), Violation> {
    match world.kafka.borrow().violations.first() {
        None => Ok(()),
        Some(detail) if detail.starts_with("LV-1: ") => Err(Violation::new(Invariant::Lv1, &detail[6..])),
        Some(detail) => Err(Violation::new(Invariant::Of1, detail.as_str())),
    }
}

/// A partition that has just become live is compared, and now and then any other.
fn check_while_running(
    world: &World,
    references: &mut References,
    live: &mut BTreeMap<(usize, u32, i32), bool>,
) -> Result<(), Violation> {
    check_kafka(world)?;
    for slot in world.slots.borrow().iter() {
        let process = slot.process.borrow();
        let Some(process) = process.as_ref() else { continue };
        for owned in process.owned() {
            let before = live.insert((slot.number, slot.incarnation.get(), owned.partition), owned.is_live);
            if before == Some(false) && owned.is_live {
                world.statistics.borrow_mut().restores += 1;
                live.insert((slot.number, u32::MAX, owned.partition), true);
            }
        }
    }
    let fresh = |slot: usize, partition: i32| live.remove(&(slot, u32::MAX, partition)).is_some();
    check_states(world, references, fresh)
}

/// ST-1 for the partitions that are `wanted`.
fn check_states(
    world: &World,
    references: &mut References,
    mut wanted: impl FnMut(usize, i32) -> bool,
) -> Result<(), Violation> {
    let kafka = world.kafka.borrow();
    for slot in world.slots.borrow().iter() {
        let process = slot.process.borrow();
        let Some(process) = process.as_ref() else { continue };
        for owned in process.owned() {
            let group = kafka.group(slot.kind.group());
            // Some timers of the next record have fired already, or did when somebody who was overtaken stopped.
            let has_cursor = |metadata: &str| Cursor::from_metadata(metadata).is_some();
            let is_inside_a_record = group.has_metadata_at(owned.partition, owned.next_offset, has_cursor)
                || group.committed(owned.partition).is_some_and(|committed| committed.offset > owned.next_offset);
            if owned.is_live && !owned.is_changed && !is_inside_a_record && wanted(slot.number, owned.partition) {
                process.compare(owned, &kafka, references)?;
            }
        }
    }
    Ok(())
}

/// Why a world did not settle.
fn stuck(world: &World) -> String {
    let mut text = String::from("not everything was processed:");
    let kafka = world.kafka.borrow();
    for slot in world.slots.borrow().iter() {
        let process = slot.process.borrow();
        let owned = process.as_ref().map(|process| process.owned());
        let membership = slot.membership.borrow();
        let membership = membership.as_ref().map(|known| known.borrow());
        let _ = write!(
            text,
            "\n{:?} {} retired {} owns {owned:?}, {membership:?}",
            slot.kind,
            slot.number,
            slot.is_retired.get()
        );
    }
    for (kind, topic) in [(Kind::Travellers, world.topics.user_activity), (Kind::Flights, world.topics.flight_status)] {
        for partition in 0..world.plan.partitions {
            let log = kafka.log(Place { topic, partition });
            let committed = kafka.group(kind.group()).committed(partition);
            let (stable, end) = (log.last_stable_offset(), log.high_watermark());
            let _ = write!(text, "\n{kind:?}/{partition} stable to {stable} of {end}, committed {committed:?}");
        }
    }
    text
}

fn committed_records(kafka: &Kafka, topic: usize) -> Vec<(i32, i64, Rc<Stored>, bool)> {
    let mut all = Vec::new();
    for partition in 0..kafka.partitions(topic) {
        for seen in kafka.log(Place { topic, partition }).recall(0, Isolation::ReadCommitted) {
            if let Seen::Record { offset, record, transactional } = seen {
                all.push((partition, offset, record, transactional));
            }
        }
    }
    all
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// By household, in order.
fn by_household(said: &[(String, String)]) -> BTreeMap<&str, Vec<String>> {
    let mut households: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (household, recommendation) in said {
        households.entry(household).or_default().push(recommendation.clone());
    }
    households
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

/// A record that the engine wrote into an input topic.
fn written_text(topic: Topic, record: &Stored) -> String {
    let origin = origin_of(record)
        .map(|origin| format!("{}/{}/{}/{}", topic.as_str(), origin.partition, origin.offset, origin.stamp.0));
    internal_text(record.key.as_deref(), record.value.as_deref(), origin)
}

/// EO-1, EO-2, EO-3, OR-1, DL-1, FW-1, IR-1: what readers of committed records see is what follows from the input.
fn check_effects(world: &World, references: &mut References) -> Result<(), Violation> {
    let kafka = world.kafka.borrow();
    references.travellers.advance_to_the_end(&kafka);
    references.flights.advance_to_the_end(&kafka);

    let published: Vec<(String, String)> = committed_records(&kafka, world.topics.recommendations)
        .into_iter()
        .map(|(_, _, record, _)| (text(record.key.as_deref()), text(record.value.as_deref())))
        .collect();
    let (published, wanted) = (by_household(&published), by_household(&references.travellers.said.recommendations));
    for household in published.keys().chain(wanted.keys()) {
        let of = |all: &BTreeMap<&str, Vec<String>>| all.get(household).cloned().unwrap_or_default();
        check_recommendations(&of(&published), &of(&wanted))?;
    }

    let errors = |record: &Stored| {
        let own = |name: &str| name.starts_with("error.");
        let headers = record.headers.iter().filter(|(name, _)| own(name));
        let headers: Vec<(&str, String)> =
            headers.map(|(name, value)| (name.as_str(), text(value.as_deref()))).collect();
        format!("{headers:?}")
    };
    let letters = committed_records(&kafka, world.topics.dead_letters);
    let letters = letters.iter().map(|(_, _, record, _)| errors(record)).collect();
    let wanted = [&references.travellers.said, &references.flights.said];
    let wanted_letters = wanted.iter().flat_map(|said| said.dead_letters.iter().cloned()).collect();
    check_records(Invariant::Dl1, letters, wanted_letters)?;

    for topic in [Topic::UserActivity, Topic::FlightStatus] {
        let records = committed_records(&kafka, world.topics.input(topic));
        let ours = records.iter().filter(|(_, _, _, transactional)| *transactional).map(|(_, _, record, _)| record);
        let (forwards, internal): (Vec<_>, Vec<_>) = ours.partition(|record| origin_of(record).is_some());
        let texts = |records: Vec<&Rc<Stored>>| records.into_iter().map(|record| written_text(topic, record)).collect();
        let of = |all: &[(Topic, String)]| -> Vec<String> {
            all.iter().filter(|(known, _)| *known == topic).map(|(_, text)| text.clone()).collect()
        };
        check_records(Invariant::Fw1, texts(forwards), wanted.iter().flat_map(|said| of(&said.forwards)).collect())?;
        check_records(Invariant::Ir1, texts(internal), wanted.iter().flat_map(|said| of(&said.internal)).collect())?;
    }
    Ok(())
}

/// TM-1: between two commits to which it went back, a worker fires what the undisturbed run fires, in that order.
fn check_timers(world: &World, references: &References) -> Result<(), Violation> {
    let fires = [references.travellers.fires(), references.flights.fires()];
    for slot in world.slots.borrow().iter() {
        let all = if slot.kind == Kind::Travellers { &fires[0] } else { &fires[1] };
        for partition in 0..world.plan.partitions {
            let wanted: Vec<&Fire> = all.iter().filter(|fire| fire.partition == partition).collect();
            let mut next = 0;
            for noted in noted(&slot.journal) {
                match noted {
                    Noted::BeginsAnew(other) if other == partition => next = 0,
                    Noted::Fired(fire) if fire.partition == partition => {
                        let Some(place) = wanted[next..].iter().position(|known| **known == fire) else {
                            let detail = format!("process {}: {fire:?} out of order", slot.number);
                            return Err(Violation::new(Invariant::Tm1, detail));
                        };
                        next += place + 1;
                    }
                    Noted::BeginsAnew(_) | Noted::Fired(_) => {}
                }
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Heard {
    recommendations: Vec<String>,
    dead_letters: usize,
}

impl Listener for Heard {
    fn recommendation(&mut self, recommendation: &Recommendation) -> std::io::Result<()> {
        self.recommendations.push(serde_json::to_string(recommendation)?);
        Ok(())
    }

    fn dead_letter(&mut self, _letter: &DeadLetter) -> std::io::Result<()> {
        self.dead_letters += 1;
        Ok(())
    }
}

/// `zoner replay` of the topics as a recording says the same, and estimates the same.
fn check_replay(world: &World, references: &References, seed: u64) -> Result<(), Violation> {
    let kafka = world.kafka.borrow();
    let mut replay = Replay::new(1 + (seed % 7) as usize);
    replay.begin_recording(RecordingHeader { partitions: world.plan.partitions, placement: Placement::Murmur2 });
    let mut heard = Heard::default();
    for topic in [Topic::UserActivity, Topic::FlightStatus] {
        for (partition, offset, stored, _) in committed_records(&kafka, world.topics.input(topic)) {
            let record = OwnedRecord {
                position: Position { topic, partition, offset },
                stamp: UtcMillis(stored.stamp),
                key: stored.key.clone(),
                value: stored.value.clone(),
                headers: stored.headers.clone(),
            };
            replay.play(&record, &mut heard).expect("a listener that takes everything");
        }
    }
    let wanted = references.travellers.said.recommendations.iter().map(|(_, text)| text.clone()).collect();
    check_records(Invariant::St1, heard.recommendations, wanted)?;
    let letters = references.travellers.said.dead_letters.len() + references.flights.said.dead_letters.len();
    if heard.dead_letters != letters {
        return Err(Violation::new(Invariant::St1, format!("{} dead letters, {letters} wanted", heard.dead_letters)));
    }
    let as_text = |estimate: &Estimate| serde_json::to_string(estimate).expect("an estimate as JSON");
    let replayed = sorted(replay.estimates().iter().map(as_text).collect());
    let live = sorted(estimates(world).iter().map(as_text).collect());
    if live == replayed {
        return Ok(());
    }
    Err(Violation::new(Invariant::St1, format!("estimates {live:#?}\nbut replayed {replayed:#?}")))
}

fn estimates(world: &World) -> Vec<Estimate> {
    let mut all = Vec::new();
    for slot in world.slots.borrow().iter().filter(|slot| slot.kind == Kind::Travellers) {
        if let Some(process) = slot.process.borrow().as_ref() {
            for owned in process.owned() {
                all.extend(process.estimates(owned.partition));
            }
        }
    }
    all
}

/// LT-1: both twins are estimated to be the same.
fn check_twins(world: &World) -> Result<(), Violation> {
    let Some(twins) = &world.twins else { return Ok(()) };
    let all = estimates(world);
    let of = |household: &str| {
        let estimate = all.iter().find(|estimate| estimate.household_id == household);
        estimate.map(|estimate| format!("{:?} {:?} {:?}", estimate.at, estimate.circadian, estimate.sleep))
    };
    let (first, second) = (of(&twins.households[0]), of(&twins.households[1]));
    if first == second && first.is_some() {
        return Ok(());
    }
    let mut detail = format!("{first:#?}\nbut told in another order {second:#?}");
    for (partition, offset, record, _) in committed_records(&world.kafka.borrow(), world.topics.user_activity) {
        let (key, value) = (text(record.key.as_deref()), text(record.value.as_deref()));
        if twins.households.iter().any(|household| key == **household || value.contains(&**household)) {
            let stamp = UtcMillis(record.stamp);
            let _ = write!(detail, "\n{partition}/{offset} {stamp} {key} {value}");
        }
    }
    Err(Violation::new(Invariant::Lt1, detail))
}
