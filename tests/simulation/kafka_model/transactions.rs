//! The transaction coordinator: epochs, fencing, two-phase ends with markers that are written one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Committed;
use super::{Epoch, GroupName, Kafka, Place, ProducerId};
use crate::kafka_model::partition_log::Stored;

/// What a producer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub transactional_id: String,
    pub producer: ProducerId,
    pub epoch: Epoch,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Empty,
    Ongoing {
        since: i64,
    },
    /// Decided; some markers are not written yet.
    Ending {
        commit: bool,
    },
    Ended {
        commit: bool,
    },
}

/// One transactional id.
#[derive(Debug)]
pub(super) struct Transactional {
    producer: ProducerId,
    epoch: Epoch,
    timeout: i64,
    phase: Phase,
    places: BTreeSet<Place>,
    groups: BTreeSet<GroupName>,
}

/// Why a transactional request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another producer of the same transactional id exists, or the coordinator has given this one up.
    Fenced,
    /// The markers of the transaction before are still being written: ask again.
    Concurrent,
    /// There is no transaction to end, or it ended the other way.
    InvalidState,
    /// The member is not, or no longer, the one that the group knows.
    UnknownMember,
    IllegalGeneration,
    FencedInstance,
}

impl Kafka {
    /// Gives a transactional id to a producer that is new: whoever had it is fenced, and its open transaction aborted.
    pub fn init_transactions(&mut self, transactional_id: &str, timeout: i64) -> Result<Identity, Refusal> {
        if let Some(known) = self.transactional.get_mut(transactional_id) {
            match known.phase {
                Phase::Ending { .. } => return Err(Refusal::Concurrent),
                Phase::Ongoing { .. } => {
                    known.epoch += 1;
                    known.phase = Phase::Ending { commit: false };
                    return Err(Refusal::Concurrent);
                }
                Phase::Empty | Phase::Ended { .. } => {
                    known.epoch += 1;
                    known.phase = Phase::Empty;
                    known.timeout = timeout;
                }
            }
        } else {
            self.next_producer += 1;
            let fresh = Transactional {
                producer: self.next_producer,
                epoch: 0,
                timeout,
                phase: Phase::Empty,
                places: BTreeSet::new(),
                groups: BTreeSet::new(),
            };
            self.transactional.insert(transactional_id.to_owned(), fresh);
        }
        let known = &self.transactional[transactional_id];
        Ok(Identity { transactional_id: transactional_id.to_owned(), producer: known.producer, epoch: known.epoch })
    }

    fn ongoing(&mut self, identity: &Identity) -> Result<&mut Transactional, Refusal> {
        let now = self.now;
        let known = self.transactional.get_mut(&identity.transactional_id).ok_or(Refusal::Fenced)?;
        if known.epoch != identity.epoch {
            return Err(Refusal::Fenced);
        }
        match known.phase {
            Phase::Ending { .. } => return Err(Refusal::Concurrent),
            Phase::Ongoing { .. } => {}
            Phase::Empty | Phase::Ended { .. } => known.phase = Phase::Ongoing { since: now },
        }
        Ok(known)
    }

    /// Announces a partition to the coordinator, then writes to it.
    pub fn produce(&mut self, identity: &Identity, place: Place, record: Stored) -> Result<i64, Refusal> {
        self.ongoing(identity)?.places.insert(place);
        let record = self.stamped(place, record);
        let log = self.log_mut(place);
        log.append_in_transaction(identity.producer, identity.epoch, record).map_err(|_| Refusal::Fenced)
    }

    /// Puts a member's offsets into the producer's open transaction.
    pub fn send_offsets(
        &mut self,
        identity: &Identity,
        group: GroupName,
        member: &super::group::Standing,
        offsets: &BTreeMap<i32, Committed>,
    ) -> Result<(), Refusal> {
        self.ongoing(identity)?.groups.insert(group);
        let order = self.next_order();
        let checks = self.checks_generations;
        let known = self.group_mut(group);
        if checks {
            known.check(member)?;
        }
        known.put_pending(identity.producer, offsets, order);
        Ok(())
    }

    /// Decides an open transaction. Its markers are written afterwards, see [`Kafka::write_marker`].
    pub fn end_transaction(&mut self, identity: &Identity, commit: bool) -> Result<(), Refusal> {
        let known = self.transactional.get_mut(&identity.transactional_id).ok_or(Refusal::Fenced)?;
        if known.epoch != identity.epoch {
            return Err(Refusal::Fenced);
        }
        match known.phase {
            Phase::Ongoing { .. } => {
                known.phase = Phase::Ending { commit };
                Ok(())
            }
            // A repeated request: the first answer was lost.
            Phase::Ending { commit: decided } | Phase::Ended { commit: decided } if decided == commit => Ok(()),
            Phase::Ending { .. } | Phase::Ended { .. } | Phase::Empty => Err(Refusal::InvalidState),
        }
    }

    /// Transactional ids whose markers are being written.
    pub fn ending(&self) -> Vec<String> {
        let ending = |known: &&Transactional| matches!(known.phase, Phase::Ending { .. });
        let ids = self.transactional.iter().filter(|(_, known)| ending(known));
        ids.map(|(id, _)| id.clone()).collect()
    }

    /// Whether any transaction is open or not ended everywhere.
    pub fn has_open_transactions(&self) -> bool {
        self.transactional.values().any(|known| matches!(known.phase, Phase::Ongoing { .. } | Phase::Ending { .. }))
    }

    /// Writes one marker of a decided transaction, the `nth` of those that are left, the group's offsets first: they and
    /// the partitions learn of its end in any order.
    pub fn write_marker(&mut self, transactional_id: &str, nth: usize) {
        let Some(known) = self.transactional.get_mut(transactional_id) else { return };
        let Phase::Ending { commit } = known.phase else { return };
        let (producer, epoch) = (known.producer, known.epoch);
        let left = known.places.len() + known.groups.len();
        if left == 0 {
            known.phase = Phase::Ended { commit };
            return;
        }
        let nth = left - 1 - nth % left;
        if let Some(place) = known.places.iter().nth(nth).copied() {
            known.places.remove(&place);
            self.log_mut(place).append_marker(producer, epoch, commit);
        } else if let Some(group) = known.groups.pop_first() {
            let violation = self.group_mut(group).end_pending(producer, commit);
            self.violations.extend(violation);
        }
        let known = self.transactional.get_mut(transactional_id);
        if let Some(known) = known.filter(|known| known.places.is_empty() && known.groups.is_empty()) {
            known.phase = Phase::Ended { commit };
        }
    }

    pub fn write_all_markers(&mut self, transactional_id: &str) {
        while self.transactional.get(transactional_id).is_some_and(|known| matches!(known.phase, Phase::Ending { .. }))
        {
            self.write_marker(transactional_id, 0);
        }
    }

    /// Transactions open for too long are aborted and their producers fenced.
    pub(super) fn time_out_transactions(&mut self) {
        for known in self.transactional.values_mut() {
            if let Phase::Ongoing { since } = known.phase
                && self.now - since > known.timeout
            {
                known.epoch += 1;
                known.phase = Phase::Ending { commit: false };
            }
        }
    }
}
