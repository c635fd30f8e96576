//! Which topics an installation's names stand for: a topic that is deleted and made anew has another id.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;

use super::native::{self, Described};

/// What the names stand for.
///
/// # Errors
/// The cluster did not answer in time, or a name is nothing to it.
pub fn look<C: ClientContext, const N: usize>(
    client: &Client<C>,
    names: [&String; N],
    timeout: Duration,
) -> Result<[Described; N], String> {
    let mut terminated = Vec::with_capacity(N);
    for name in names {
        terminated.push(CString::new(name.as_str()).map_err(|_| format!("topic name {name:?} holds a NUL byte"))?);
    }
    let borrowed: Vec<_> = terminated.iter().map(CString::as_c_str).collect();
    let found = native::describe(client, &borrowed, timeout).map_err(|why| format!("topics {names:?}: {why}"))?;
    found.try_into().map_err(|_| format!("topics {names:?}: an answer to another question"))
}

/// Ids of topics that must be there; empty where the cluster gives them none.
///
/// # Errors
/// As [`look`], or there is no such topic.
pub fn ids<C: ClientContext, const N: usize>(
    client: &Client<C>,
    names: [&String; N],
    timeout: Duration,
) -> Result<[String; N], String> {
    let mut ids = [const { String::new() }; N];
    for ((id, found), name) in ids.iter_mut().zip(look(client, names, timeout)?).zip(names) {
        *id = match found {
            Described::Topic(known) => known,
            Described::Missing => return Err(format!("topic {name} does not exist")),
            Described::Refused(why) => return Err(format!("topic {name}: {why}")),
        };
    }
    Ok(ids)
}
