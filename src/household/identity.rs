//! Ids of recommendations: made of what caused them, so that a replay gives the same ones.

use uuid::Uuid;

use crate::event::recommendation::Reason;
use crate::units::UtcMillis;

/// The namespace of this project's recommendations (RFC 9562, version 5 ids). Never to be changed: ids would.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c_9a52_3d0e_4b7a_9c41_5e8d_27b6_f013);

/// What a recommendation is about, as far as its id is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    pub household_id: &'a str,
    pub user_id: &'a str,
    pub reason: Reason,
    /// The activity, or `timer`.
    pub cause: &'a str,
    /// Tells one cause from another of its kind: a timer's kind and due time, a flight and its new times, a fact's content.
    pub cause_key: &'a str,
    pub stream_time: UtcMillis,
}

impl Identity<'_> {
    /// A version 5 id over the JSON array of all of it. Where in the log it stood does not come in: replays of the same
    /// facts agree.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let name = serde_json::json!([
            self.household_id,
            self.user_id,
            self.reason.as_str(),
            self.cause,
            self.cause_key,
            self.stream_time.0
        ]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSED: Identity<'_> = Identity {
        household_id: "h1",
        user_id: "mia",
        reason: Reason::NapMissed,
        cause: "timer",
        cause_key: "nap 1772366400000",
        stream_time: UtcMillis(1_772_366_400_000),
    };

    #[test]
    fn the_same_cause_has_the_same_id_for_ever() {
        assert_eq!(MISSED.id(), MISSED.id());
        assert_eq!(MISSED.id().get_version_num(), 5);
    }

    #[test]
    fn another_person_reason_or_time_has_another() {
        assert_ne!(MISSED.id(), Identity { user_id: "leo", ..MISSED }.id());
        assert_ne!(MISSED.id(), Identity { reason: Reason::NapFound, ..MISSED }.id());
        assert_ne!(MISSED.id(), Identity { stream_time: UtcMillis(1_772_366_400_001), ..MISSED }.id());
    }

    #[test]
    fn ids_do_not_run_together() {
        let one = Identity { household_id: "h1\",\"a", user_id: "b", ..MISSED };
        let other = Identity { household_id: "h1", user_id: "a\",\"b", ..MISSED };
        assert_ne!(one.id(), other.id());
    }
}
