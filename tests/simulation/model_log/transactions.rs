//! What a producer does: records and offsets into a transaction, and its end.

use std::collections::BTreeMap;
use std::rc::Rc;

use zoner::engine::log::{Commit, Destination, LogError};
use zoner::engine::placement::Placement;

use super::ModelLog;
use crate::kafka_model::Place;
use crate::kafka_model::group;
use crate::kafka_model::transactions::{Identity, Refusal};
use crate::slot::Slot;
use crate::world::{Misfortune, World};

/// As in production.
const TRANSACTION_TIMEOUT: i64 = 10_000;
const INIT_TRANSACTIONS: i64 = 30_000;

pub(super) fn refused(what: &str, refusal: Refusal) -> LogError {
    let said = format!("{what}: {refusal:?}");
    match refusal {
        Refusal::Fenced | Refusal::UnknownMember => LogError::Fenced(said),
        Refusal::IllegalGeneration => LogError::Regrouped(said),
        Refusal::FencedInstance => LogError::Abort(said),
        Refusal::InvalidState | Refusal::Concurrent => LogError::Client(said),
    }
}

pub(super) fn init_transactions(world: &Rc<World>, slot: &Rc<Slot>, id: &str) -> Result<Identity, LogError> {
    let deadline = world.kafka.borrow().now() + INIT_TRANSACTIONS;
    loop {
        let answer = world.kafka.borrow_mut().init_transactions(id, TRANSACTION_TIMEOUT);
        match answer {
            Ok(identity) => return Ok(identity),
            Err(Refusal::Concurrent) => world.wait(slot, deadline)?,
            Err(refusal) => return Err(refused("init transactions", refusal)),
        }
    }
}

impl ModelLog {
    pub(super) fn producer(&self) -> &Identity {
        &self.producers[self.current]
    }

    /// Where the default partitioner puts a record; without a key, anywhere.
    pub(super) fn place(&self, destination: Destination, partition: Option<i32>, key: Option<&[u8]>) -> Place {
        let topic = self.world.topics.of(destination, self.topic);
        if let Some(partition) = partition {
            return Place { topic, partition };
        }
        let partitions = self.world.kafka.borrow().partitions(topic);
        let partition = match key.filter(|key| !key.is_empty()) {
            Some(key) => Placement::Murmur2.partition(key, partitions),
            None => self.world.random.borrow_mut().below(partitions as usize) as i32,
        };
        Place { topic, partition }
    }

    /// Sends up to `count` records of the open transaction.
    pub(super) fn send(&mut self, count: usize) -> Result<(), LogError> {
        for (place, record) in self.unsent.drain(..count) {
            let identity = self.producers[self.current].clone();
            let mut kafka = self.world.kafka.borrow_mut();
            // The markers of this producer's transaction before the last are waited for.
            kafka.write_all_markers(&identity.transactional_id);
            self.has_sent = true;
            kafka.produce(&identity, place, record).map_err(|refusal| refused("produce", refusal))?;
        }
        Ok(())
    }

    pub(super) fn send_offsets(&mut self, offsets: &[Commit]) -> Result<(), LogError> {
        self.at("send_offsets")?;
        let offsets: BTreeMap<i32, group::Committed> = offsets
            .iter()
            .map(|commit| {
                let committed = group::Committed { offset: commit.offset, metadata: commit.metadata.clone() };
                (commit.partition, committed)
            })
            .collect();
        if self.world.sabotage.offsets_outside_transactions {
            let mut kafka = self.world.kafka.borrow_mut();
            let order = kafka.next_order();
            kafka.group_mut(self.group).commit_directly(&offsets, order);
        } else if !offsets.is_empty() {
            let Some(standing) = self.membership.borrow().standing() else {
                return Err(LogError::Abort("not a member of the group at the moment".to_owned()));
            };
            self.misfortune("send_offsets")?;
            let identity = self.producer().clone();
            let mut kafka = self.world.kafka.borrow_mut();
            kafka.write_all_markers(&identity.transactional_id);
            self.has_sent = true;
            kafka
                .send_offsets(&identity, self.group, &standing, &offsets)
                .map_err(|refusal| refused("send offsets", refusal))?;
        }
        self.world.tell(|| format!("process {} sends {offsets:?}", self.slot.number));
        Ok(())
    }

    /// Sends what is left, and commits.
    pub(super) fn end_transaction(&mut self) -> Result<(), LogError> {
        self.at("flush")?;
        self.send(self.unsent.len())?;
        self.at("end_transaction")?;
        if !self.has_sent {
            return Ok(());
        }
        self.misfortune("end_transaction")?;
        let identity = self.producer().clone();
        if self.world.misfortune(&self.slot, "the answer to end_transaction") == Some(Misfortune::NoAnswer) {
            self.world.lose_answer(&identity);
            if self.world.sabotage.trusts_lost_commits {
                self.has_sent = false;
                return Ok(());
            }
            return Err(LogError::Client("committing timed out".to_owned()));
        }
        let ended = self.world.kafka.borrow_mut().end_transaction(&identity, true);
        ended.map_err(|refusal| refused("end transaction", refusal))?;
        self.world.tell(|| format!("process {} has committed", self.slot.number));
        self.has_sent = false;
        self.at("committed transaction")
    }
}
