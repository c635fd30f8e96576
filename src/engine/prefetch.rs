//! Brings the states of the next records into the cache before their turn comes.
//!
//! A million states fit no cache. Taken one by one, each record waits for memory some times: for its own bytes, which another
//! thread has written, for its place in the table, for its state, for the state's list. Here the places of a few records are looked up together, so that the
//! processor waits for all of them at once. Reads only, and only a hint: whether a record counts, whose it is and what
//! it does is found out in its turn.

use std::hint::black_box;

use super::log::Batch;
use super::ownership::Ownership;
use super::partition::Partition;
use super::processor::Processor;
use super::store::hash_of;

/// Records looked ahead. More than the processor can wait for at once, few enough to stay in the innermost cache.
pub(super) const AHEAD: usize = 32;

/// Reads what the records from `first` on, [`AHEAD`] of them, will need.
pub(super) fn read_ahead<P: Processor, B: Batch>(owned: &Ownership<P>, batch: &B, first: usize) {
    // One kind of look-up after the other: the fewer instructions lie between two of them, the more are waited for at
    // once.
    let end = batch.len().min(first + AHEAD);
    let mut read = 0;
    for index in first..end {
        read ^= batch.key(index).and_then(<[u8]>::first).copied().map_or(0, u64::from);
    }
    let mut keys: [Option<(&Partition<P>, u32)>; AHEAD] = [None; AHEAD];
    for (index, key) in (first..end).zip(&mut keys) {
        let owner = owned.get(batch.position(index).partition);
        *key = owner.zip(batch.key(index)).map(|(owned, key)| (&owned.partition, hash_of(key)));
    }
    let mut states: [Option<(&Partition<P>, u32)>; AHEAD] = [None; AHEAD];
    for (key, state) in keys.iter().zip(&mut states) {
        *state = key.and_then(|(partition, hash)| Some((partition, partition.probable_unit(hash)?)));
    }
    for (partition, unit) in states.iter().flatten() {
        read ^= partition.glance(*unit);
    }
    // A list on the heap is found only through its state: by now that is there.
    for (partition, unit) in states.iter().flatten() {
        read ^= partition.glance_deeper(*unit);
    }
    black_box(read);
}
