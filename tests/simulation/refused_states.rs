//! State topics that take nothing, in a world in which nothing else goes wrong: advice goes out all the same, and the slices
//! of states come ever more seldom.

use std::rc::Rc;
use std::time::Duration;

use crate::kafka_model::Place;
use crate::plan::Sabotage;
use crate::schedule::ROUND;
use crate::slot::{Kind, Slot};
use crate::world::World;

/// As in the engine: what follows the first refusal at the least, and any.
const SHORTEST_REST: i64 = 100;
const LONGEST_REST: i64 = 60_000;

/// A worker rests, and its round may begin, a little later than they could.
const LATER: i64 = 5_000;

const SEEDS: u64 = 20;

/// A world with frequent checkpoints, in which everybody has what is theirs and no record has arrived yet.
fn calm_world(seed: u64) -> Option<Rc<World>> {
    let world = World::new(seed, Sabotage::default(), false);
    let is_frequent = |interval| interval <= Duration::from_secs(2);
    if !world.plan.settings.checkpoints.is_some_and(|checkpoints| is_frequent(checkpoints.interval)) {
        return None;
    }
    world.be_kind();
    until(&world, "everybody to have what is theirs", World::is_done);
    Some(world)
}

fn until(world: &Rc<World>, what: &str, is_so: impl Fn(&World) -> bool) {
    for _ in 0..2_000 {
        if is_so(world) {
            return;
        }
        world.round();
    }
    panic!("waited in vain for {what}");
}

fn pass(world: &Rc<World>, milliseconds: i64) {
    let end = world.now() + milliseconds;
    while world.now() < end {
        world.round();
    }
}

/// Half of what arrives, and a while later it is done.
fn half_arrives(world: &Rc<World>) {
    let half = world.arriving.borrow().len().div_ceil(2);
    world.write(half);
    until(world, "what has arrived to be done", World::is_done);
}

/// How many records the state topics have.
fn states(world: &World) -> i64 {
    let kafka = world.kafka.borrow();
    let topics = [world.topics.traveller_states, world.topics.flight_states];
    let places = topics
        .into_iter()
        .flat_map(|topic| (0..world.plan.partitions).map(move |partition| Place { topic, partition }));
    places.map(|place| kafka.log(place).high_watermark()).sum()
}

/// The times from each refusal to the next.
fn rests(slot: &Slot) -> Vec<i64> {
    slot.refused.borrow().windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Every attempt after the first comes when its rest is over, and not long after.
fn assert_rests(slot: &Slot, seed: u64) {
    let mut wanted = SHORTEST_REST;
    for rest in rests(slot) {
        let in_time = wanted..=wanted + LATER;
        assert!(in_time.contains(&rest), "seed {seed}, process {}: {rest} ms, wanted {in_time:?}", slot.number);
        wanted = (wanted * 2).min(LONGEST_REST);
    }
}

#[test]
fn refused_states_are_tried_again_ever_more_seldom_and_hold_up_no_advice() {
    let mut with_long_rests = 0;
    for seed in 1..=SEEDS {
        let Some(world) = calm_world(seed) else { continue };
        world.refuses_states.set(true);
        half_arrives(&world);
        pass(&world, 5 * LONGEST_REST);
        let slots = world.slots.borrow().clone();
        for slot in &slots {
            assert_rests(slot, seed);
            with_long_rests += usize::from(rests(slot).last().is_some_and(|rest| *rest >= LONGEST_REST));
        }
        assert!(slots.iter().any(|slot| slot.kind == Kind::Travellers && rests(slot).len() > 10), "seed {seed}");

        // Once some are stored, the next refusal is a first one again.
        let before = states(&world);
        world.refuses_states.set(false);
        until(&world, "states to be stored", |world| states(world) > before);
        pass(&world, LONGEST_REST + ROUND);
        for slot in &slots {
            slot.refused.borrow_mut().clear();
        }
        world.refuses_states.set(true);
        half_arrives(&world);
        pass(&world, LONGEST_REST);
        for slot in &slots {
            assert_rests(slot, seed);
        }
        assert!(slots.iter().any(|slot| rests(slot).len() > 5), "seed {seed}");
    }
    assert!(with_long_rests > 0, "no seed has checkpoints to refuse");
}
