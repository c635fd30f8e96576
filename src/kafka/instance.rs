//! A static member's name in its group: has somebody taken it over, or does the group merely remember an earlier holder?
//!
//! A coordinator that ends while a group rebalances knows, once it is back, the members of before: it then fences whoever
//! holds the name now. Those whom we have replaced, and those that we have been ourselves, are no reason to give up.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::groups::{GroupInfo, GroupMemberInfo};
use tracing::debug;

use super::native;

/// One question to the group's coordinator.
const ROUND_TRIP: Duration = Duration::from_secs(3);

/// How long it is asked again: a coordinator that comes back loads its groups first.
const PATIENCE: Duration = Duration::from_secs(15);

const PAUSE: Duration = Duration::from_millis(200);

/// A name, and the member ids that held it, as far as this process knows.
#[derive(Debug)]
pub struct Instance {
    group: String,
    /// Member ids of static members begin with it.
    prefix: String,
    known: BTreeSet<String>,
}

impl Instance {
    /// To be called before joining: whoever holds the name now is replaced.
    pub fn about_to_join<C: ConsumerContext>(consumer: &BaseConsumer<C>, group: &str, instance: &str) -> Instance {
        let mut known = Instance { group: group.to_owned(), prefix: format!("{instance}-"), known: BTreeSet::new() };
        known.known.extend(known.holders(consumer).unwrap_or_default());
        known
    }

    /// To be called whenever the group has spoken: the member id may be another by now.
    pub fn note_own<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>) {
        self.known.extend(native::member_id(consumer));
    }

    /// Whether a member that this process has not replaced holds the name. Where the group gives no answer, yes.
    pub fn is_taken_over<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.holders(consumer) {
                Some(holders) => return !holders.is_subset(&self.known),
                None if Instant::now() >= deadline => return true,
                None => thread::sleep(PAUSE),
            }
        }
    }

    /// Member ids under the name; `None` where the group does not answer.
    fn holders<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>) -> Option<BTreeSet<String>> {
        let groups = consumer
            .fetch_group_list(Some(&self.group), ROUND_TRIP)
            .inspect_err(|error| debug!(%error, group = self.group, "asking who is in the group"))
            .ok()?;
        let members = groups.groups().iter().filter(|group| group.name() == self.group).flat_map(GroupInfo::members);
        Some(members.map(GroupMemberInfo::id).filter(|id| id.starts_with(&self.prefix)).map(str::to_owned).collect())
    }
}
