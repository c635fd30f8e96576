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
use crate::engine::log::LogError;

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
        let mut known = Instance::new(group, instance);
        known.known.extend(known.holders(consumer).unwrap_or_default());
        known
    }

    fn new(group: &str, instance: &str) -> Instance {
        Instance { group: group.to_owned(), prefix: format!("{instance}-"), known: BTreeSet::new() }
    }

    /// To be called whenever the group has spoken: the member id may be another by now.
    pub fn note_own<C: ConsumerContext>(&mut self, consumer: &BaseConsumer<C>) {
        self.known.extend(native::member_id(consumer));
    }

    /// The group has fenced this member: what follows depends on who holds its name now. Where the group gives no answer,
    /// somebody else does.
    pub fn on_fenced<C: ConsumerContext>(&self, consumer: &BaseConsumer<C>, id: &str) -> LogError {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.holders(consumer) {
                None if Instant::now() < deadline => thread::sleep(PAUSE),
                holders => return self.judge(holders.as_ref(), id),
            }
        }
    }

    fn judge(&self, holders: Option<&BTreeSet<String>>, id: &str) -> LogError {
        if holders.is_some_and(|holders| holders.is_subset(&self.known)) {
            return LogError::Fenced("the group has forgotten this member and remembers an earlier one".to_owned());
        }
        taken_over(id)
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

/// A stranger runs under the name that this process was given.
pub fn taken_over(id: &str) -> LogError {
    LogError::Fatal(format!(
        "another process runs with the instance id {id:?} and has taken over from this one: give each its own (--instance, \
         kafka.instance_id)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "a-travellers-0";

    fn holders(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| format!("{NAME}-{id}")).collect()
    }

    /// Found "before" under its name, and has been "first" and "second" itself.
    fn instance() -> Instance {
        Instance { known: holders(&["before", "first", "second"]), ..Instance::new("zoner-travellers", NAME) }
    }

    #[test]
    fn a_member_that_a_restarted_coordinator_has_forgotten_joins_again() {
        for remembered in [&["before"][..], &["first"], &["second"], &[]] {
            let judged = instance().judge(Some(&holders(remembered)), "a");
            assert!(matches!(judged, LogError::Fenced(_)), "{remembered:?}: {judged}");
        }
    }

    #[test]
    fn a_member_whose_name_a_stranger_has_or_of_whom_nothing_is_known_ends() {
        for judged in [instance().judge(Some(&holders(&["stranger"])), "a"), instance().judge(None, "a")] {
            assert!(matches!(&judged, LogError::Fatal(why) if why.contains("instance id \"a\"")), "{judged}");
        }
    }
}
