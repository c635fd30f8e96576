//! The group coordinator: members, sessions, generations, a cooperative and sticky assignment, committed offsets.
//!
//! Joining and the leader's assignment, two round trips in Kafka, are one step here: the round ends when every member
//! has joined again, and each learns of the outcome when it asks next.

use std::collections::{BTreeMap, BTreeSet};

use super::ProducerId;
use super::transactions::Refusal;

pub type MemberId = u64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub offset: i64,
    pub metadata: String,
}

/// Who a member says that it is, when it commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub member: MemberId,
    pub generation: i32,
}

/// What a heartbeat is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Fine,
    /// A round has begun: join again, saying what is owned.
    JoinAgain,
    /// The round is over.
    Assigned {
        generation: i32,
        partitions: BTreeSet<i32>,
    },
    Unknown,
    /// Another process runs under the same instance id.
    FencedInstance,
}

#[derive(Debug)]
struct Member {
    instance: Option<String>,
    last_heard: i64,
    /// Has joined the round that is going on.
    joined: bool,
    owned: BTreeSet<i32>,
    assignment: BTreeSet<i32>,
    /// The generation that it was told of.
    told: i32,
}

#[derive(Debug)]
struct Pending {
    offset: Committed,
    /// When it was sent: of two that become visible, the later one counts, whichever marker comes first.
    order: u64,
}

#[derive(Debug)]
pub struct Group {
    partitions: i32,
    session_timeout: i64,
    rebalance_timeout: i64,
    generation: i32,
    members: BTreeMap<MemberId, Member>,
    fenced: BTreeSet<MemberId>,
    next_member: MemberId,
    /// Set while a round goes on: when it ends at the latest.
    round: Option<i64>,
    committed: BTreeMap<i32, (Committed, u64)>,
    pending: BTreeMap<ProducerId, BTreeMap<i32, Pending>>,
}

impl Group {
    pub fn new(partitions: i32, session_timeout: i64, rebalance_timeout: i64) -> Group {
        Group {
            partitions,
            session_timeout,
            rebalance_timeout,
            generation: 0,
            members: BTreeMap::new(),
            fenced: BTreeSet::new(),
            next_member: 1,
            round: None,
            committed: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    fn begin_round(&mut self, now: i64) {
        if self.round.is_none() {
            self.round = Some(now + self.rebalance_timeout);
            for member in self.members.values_mut() {
                member.joined = false;
            }
        }
    }

    /// A process joins. One that returns under its instance id gets what that had, and moves nothing.
    pub fn join(&mut self, instance: Option<&str>, now: i64) -> MemberId {
        let id = self.next_member;
        self.next_member += 1;
        let before = instance.and_then(|instance| {
            self.members.iter().find(|(_, member)| member.instance.as_deref() == Some(instance)).map(|(id, _)| *id)
        });
        let fresh = Member {
            instance: instance.map(str::to_owned),
            last_heard: now,
            joined: true,
            owned: BTreeSet::new(),
            assignment: BTreeSet::new(),
            told: -1,
        };
        if let Some(old) = before.and_then(|before| self.members.remove(&before)) {
            self.fenced.extend(before);
            self.members.insert(id, Member { assignment: old.assignment, ..fresh });
        } else {
            self.begin_round(now);
            self.members.insert(id, fresh);
        }
        self.finish_round(now);
        id
    }

    /// A member joins the round that goes on, or begins one.
    pub fn join_again(&mut self, id: MemberId, owned: &BTreeSet<i32>, now: i64) {
        if !self.members.contains_key(&id) {
            return;
        }
        self.begin_round(now);
        if let Some(member) = self.members.get_mut(&id) {
            member.joined = true;
            member.last_heard = now;
            member.owned.clone_from(owned);
        }
        self.finish_round(now);
    }

    pub fn leave(&mut self, id: MemberId, now: i64) {
        if self.members.remove(&id).is_some() {
            self.begin_round(now);
            self.finish_round(now);
        }
    }

    pub fn heartbeat(&mut self, id: MemberId, now: i64) -> Answer {
        if self.fenced.contains(&id) {
            return Answer::FencedInstance;
        }
        let generation = self.generation;
        let round = self.round.is_some();
        let Some(member) = self.members.get_mut(&id) else { return Answer::Unknown };
        member.last_heard = now;
        if round {
            return if member.joined { Answer::Fine } else { Answer::JoinAgain };
        }
        if member.told == generation {
            return Answer::Fine;
        }
        member.told = generation;
        Answer::Assigned { generation, partitions: member.assignment.clone() }
    }

    /// Members that were not heard of are dropped, and those that a round has waited for in vain.
    pub fn time_out(&mut self, now: i64) {
        let late = self.round.is_some_and(|deadline| now > deadline);
        let silent = |member: &Member| now - member.last_heard > self.session_timeout || (late && !member.joined);
        let gone: Vec<MemberId> = self.members.iter().filter(|(_, member)| silent(member)).map(|(id, _)| *id).collect();
        for id in &gone {
            self.members.remove(id);
        }
        if !gone.is_empty() {
            self.begin_round(now);
        }
        self.finish_round(now);
    }

    /// Ends the round if everybody has joined: a new generation, and an assignment in which a partition that somebody
    /// still owns is given to nobody else.
    fn finish_round(&mut self, now: i64) {
        if self.round.is_none() || self.members.values().any(|member| !member.joined) {
            return;
        }
        self.round = None;
        self.generation += 1;
        let ids: Vec<MemberId> = self.members.keys().copied().collect();
        let Some(first) = ids.first() else { return };
        let mut owners: BTreeMap<i32, MemberId> = BTreeMap::new();
        for (id, member) in &self.members {
            for partition in &member.owned {
                owners.entry(*partition).or_insert(*id);
            }
        }
        let most = (self.partitions as usize).div_ceil(ids.len());
        let full = self.partitions as usize % ids.len();
        let mut target: BTreeMap<MemberId, BTreeSet<i32>> = ids.iter().map(|id| (*id, BTreeSet::new())).collect();
        // Everybody keeps a fair share of what they own; only so many may have the larger share.
        let mut with_most = 0;
        for id in &ids {
            let owned = owners.iter().filter(|(_, owner)| *owner == id).map(|(partition, _)| *partition);
            let may_have_most = full == 0 || with_most < full;
            let share = if may_have_most { most } else { most - 1 };
            let kept: BTreeSet<i32> = owned.take(share).collect();
            with_most += usize::from(kept.len() == most);
            target.insert(*id, kept);
        }
        for partition in 0..self.partitions {
            if target.values().any(|partitions| partitions.contains(&partition)) {
                continue;
            }
            let poorest = ids.iter().min_by_key(|id| target[*id].len()).unwrap_or(first);
            target.entry(*poorest).or_default().insert(partition);
        }
        for (id, member) in &mut self.members {
            let mine = &target[id];
            let given = mine.iter().filter(|partition| owners.get(*partition).is_none_or(|owner| owner == id));
            member.assignment = given.copied().collect();
            member.last_heard = member.last_heard.max(now);
        }
    }

    /// No round goes on, and yet nobody has some partition.
    ///
    /// Kafka itself gets there: a static member that has just given partitions up dies before it joins again, and its
    /// successor is given the old assignment without a round.
    pub fn has_orphans(&self) -> bool {
        let assigned: usize = self.members.values().map(|member| member.assignment.len()).sum();
        self.round.is_none() && assigned < self.partitions as usize
    }

    /// Whether offsets of this member may be committed.
    pub fn check(&self, standing: &Standing) -> Result<(), Refusal> {
        if self.fenced.contains(&standing.member) {
            return Err(Refusal::FencedInstance);
        }
        if !self.members.contains_key(&standing.member) {
            return Err(Refusal::UnknownMember);
        }
        if standing.generation == self.generation { Ok(()) } else { Err(Refusal::IllegalGeneration) }
    }

    pub fn put_pending(&mut self, producer: ProducerId, offsets: &BTreeMap<i32, Committed>, order: u64) {
        let pending = self.pending.entry(producer).or_default();
        for (partition, offset) in offsets {
            pending.insert(*partition, Pending { offset: offset.clone(), order });
        }
    }

    /// A producer's transaction has ended here. Says what is wrong where an offset would go back.
    pub fn end_pending(&mut self, producer: ProducerId, commit: bool) -> Option<String> {
        let mut violation = None;
        for (partition, pending) in self.pending.remove(&producer).unwrap_or_default() {
            if !commit {
                continue;
            }
            let known = self.committed.get(&partition);
            if known.is_some_and(|(_, order)| *order > pending.order) {
                continue;
            }
            if let Some((before, _)) = known.filter(|(before, _)| before.offset > pending.offset.offset) {
                violation = Some(format!(
                    "partition {partition}: the committed offset went back from {} to {}",
                    before.offset, pending.offset.offset
                ));
            }
            self.committed.insert(partition, (pending.offset, pending.order));
        }
        violation
    }

    /// Offsets that belong to no transaction.
    pub fn commit_directly(&mut self, offsets: &BTreeMap<i32, Committed>, order: u64) {
        for (partition, offset) in offsets {
            self.committed.insert(*partition, (offset.clone(), order));
        }
    }

    /// An open transaction may yet change what is committed for these.
    pub fn is_unstable(&self, partitions: &[i32]) -> bool {
        self.pending.values().any(|pending| partitions.iter().any(|partition| pending.contains_key(partition)))
    }

    /// Whether this offset was committed, or is about to be, with metadata of a kind.
    pub fn has_metadata_at(&self, partition: i32, offset: i64, is_of_kind: impl Fn(&str) -> bool) -> bool {
        let pending = self.pending.values().filter_map(|pending| Some(&pending.get(&partition)?.offset));
        let mut known = self.committed.get(&partition).map(|(committed, _)| committed).into_iter().chain(pending);
        known.any(|known| known.offset == offset && is_of_kind(&known.metadata))
    }

    pub fn committed(&self, partition: i32) -> Option<Committed> {
        self.committed.get(&partition).map(|(committed, _)| committed.clone())
    }
}
