//! What a client's own threads do: heartbeats, joining, telling its worker of rebalances, one at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use zoner::engine::log::GroupEvent;

use crate::kafka_model::group::{Answer, Group, MemberId, Standing};

/// How far a partition has been read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The next offset that is fetched; `None` while it is paused.
    pub next: Option<i64>,
    /// As the client tells it: nothing before something was handed out.
    pub position: Option<i64>,
    /// The end as of the last fetch.
    pub known_end: Option<i64>,
}

/// What the worker has to answer before anything else happens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outstanding {
    Nothing,
    Assign,
    /// After the revocation these are assigned, and the client joins again.
    Revoke {
        then: BTreeSet<i32>,
    },
}

/// The consumer of a worker.
#[derive(Debug)]
pub struct Membership {
    instance: Option<String>,
    member: Option<MemberId>,
    generation: i32,
    owned: BTreeSet<i32>,
    events: VecDeque<GroupEvent>,
    outstanding: Outstanding,
    joins_again: bool,
    /// Another process runs under its instance id.
    pub is_fenced: bool,
    pub reading: BTreeMap<i32, Reading>,
}

impl Membership {
    pub fn new(instance: Option<String>) -> Membership {
        Membership {
            instance,
            member: None,
            generation: -1,
            owned: BTreeSet::new(),
            events: VecDeque::new(),
            outstanding: Outstanding::Nothing,
            joins_again: false,
            is_fenced: false,
            reading: BTreeMap::new(),
        }
    }

    pub fn is_static(&self) -> bool {
        self.instance.is_some()
    }

    /// As whom this member commits; `None` while it is in no group.
    pub fn standing(&self) -> Option<Standing> {
        let member = self.member?;
        (self.generation >= 0).then_some(Standing { member, generation: self.generation })
    }

    /// The worker has nothing to answer, and no round is to be joined.
    pub fn is_settled(&self) -> bool {
        self.generation >= 0 && self.outstanding == Outstanding::Nothing && !self.joins_again && self.events.is_empty()
    }

    /// One round of the client's own thread.
    pub fn beat(&mut self, group: &mut Group, now: i64) {
        if self.is_fenced {
            return;
        }
        let Some(member) = self.member else {
            // A rebalance that the worker is answering comes to its end first, as in librdkafka.
            if self.outstanding == Outstanding::Nothing {
                self.lose_or_join(group, now);
            }
            return;
        };
        match group.heartbeat(member, now) {
            Answer::FencedInstance => self.is_fenced = true,
            Answer::Unknown => {
                self.member = None;
                self.generation = -1;
                self.joins_again = false;
            }
            Answer::JoinAgain => {
                if self.outstanding == Outstanding::Nothing {
                    self.joins_again = false;
                    group.join_again(member, &self.owned, now);
                }
            }
            Answer::Assigned { generation, partitions } => self.receive(generation, &partitions),
            Answer::Fine => {
                if self.joins_again && self.outstanding == Outstanding::Nothing {
                    self.joins_again = false;
                    group.join_again(member, &self.owned, now);
                }
            }
        }
    }

    /// The group has forgotten this member: whatever it owns may be somebody else's. It joins when it owns nothing.
    fn lose_or_join(&mut self, group: &mut Group, now: i64) {
        if self.owned.is_empty() {
            self.member = Some(group.join(self.instance.as_deref(), now));
            return;
        }
        let partitions = self.owned.iter().copied().collect();
        self.events.push_back(GroupEvent::Revoked { partitions, lost: true });
        self.outstanding = Outstanding::Revoke { then: BTreeSet::new() };
    }

    fn receive(&mut self, generation: i32, partitions: &BTreeSet<i32>) {
        self.generation = generation;
        let added: BTreeSet<i32> = partitions.difference(&self.owned).copied().collect();
        let revoked: Vec<i32> = self.owned.difference(partitions).copied().collect();
        if revoked.is_empty() {
            self.events.push_back(GroupEvent::Assigned(added.into_iter().collect()));
            self.outstanding = Outstanding::Assign;
        } else {
            self.events.push_back(GroupEvent::Revoked { partitions: revoked, lost: false });
            self.outstanding = Outstanding::Revoke { then: added };
        }
    }

    pub fn take_events(&mut self) -> Vec<GroupEvent> {
        self.events.drain(..).collect()
    }

    /// The worker takes partitions over; without an offset they are paused.
    pub fn assign(&mut self, starts: &[(i32, Option<i64>)]) {
        for (partition, next) in starts {
            self.owned.insert(*partition);
            self.reading.insert(*partition, Reading { next: *next, position: None, known_end: None });
        }
        if self.outstanding == Outstanding::Assign {
            self.outstanding = Outstanding::Nothing;
        }
    }

    pub fn unassign(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.owned.remove(partition);
            self.reading.remove(partition);
        }
        if let Outstanding::Revoke { then } = &self.outstanding {
            if self.member.is_some() {
                self.events.push_back(GroupEvent::Assigned(then.iter().copied().collect()));
                self.outstanding = Outstanding::Assign;
                self.joins_again = true;
            } else {
                self.outstanding = Outstanding::Nothing;
            }
        }
    }

    /// The consumer is closed: it leaves, unless it is a static member that means to come back.
    pub fn close(&mut self, group: &mut Group, leave: bool, now: i64) {
        if let Some(member) = self.member.take().filter(|_| leave || !self.is_static()) {
            group.leave(member, now);
        }
        self.generation = -1;
        self.reading.clear();
    }
}
