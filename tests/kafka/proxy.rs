//! Between clients and a broker: lets everything pass, and on demand loses the ends of transactions (on their way to the
//! broker, or the answers to those that it has carried out), or holds what some client asks for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Requests, as the protocol numbers them: records are fetched, a group is joined, a transaction is committed or aborted.
pub const FETCH: u16 = 1;
pub const JOIN_GROUP: u16 = 11;
const END_TXN: u16 = 26;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Nothing,
    /// Transactions are not ended.
    Requests,
    /// They are, and their client is not told.
    Answers,
}

/// Whose requests do not get through for now, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    /// What the client's id begins with.
    client: String,
    requests: Vec<u16>,
}

struct Wires {
    /// Where the broker is, once it is there.
    broker: Mutex<Option<String>>,
    loses: Mutex<Lost>,
    lost: AtomicUsize,
    held: Mutex<Held>,
    released: Condvar,
}

impl Wires {
    /// Returns when a request may pass.
    fn wait_for_passage(&self, request: &[u8]) {
        let kind = u16::from_be_bytes([request[0], request[1]]);
        let length = usize::from(u16::from_be_bytes([request[8], request[9]]));
        let client = String::from_utf8_lossy(request.get(10..10 + length).unwrap_or_default());
        let is_held = |held: &mut Held| held.requests.contains(&kind) && client.starts_with(&held.client);
        drop(self.released.wait_while(self.held.lock().expect("what is held"), is_held).expect("what is held"));
    }
}

/// Listens for as long as the test process lives.
pub struct Proxy {
    pub address: String,
    wires: Arc<Wires>,
}

impl Proxy {
    pub fn listen() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let wires = Arc::new(Wires {
            broker: Mutex::new(None),
            loses: Mutex::new(Lost::Nothing),
            lost: AtomicUsize::new(0),
            held: Mutex::default(),
            released: Condvar::new(),
        });
        let shared = Arc::clone(&wires);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let wires = Arc::clone(&shared);
                thread::spawn(move || serve(&client, &wires));
            }
        });
        Proxy { address, wires }
    }

    pub fn lead_to(&self, broker: &str) {
        *self.wires.broker.lock().expect("the broker") = Some(broker.to_owned());
    }

    /// From here on connections break whenever a transaction ends, before or after the broker has heard of it.
    pub fn lose(&self, what: Lost) {
        *self.wires.loses.lock().expect("what is lost") = what;
    }

    /// From here on these requests of clients whose id begins so wait, with all that comes after them on their connection.
    pub fn hold(&self, client: &str, requests: &[u16]) {
        *self.wires.held.lock().expect("what is held") =
            Held { client: client.to_owned(), requests: requests.to_vec() };
        self.wires.released.notify_all();
    }

    /// What has been lost.
    pub fn lost(&self) -> usize {
        self.wires.lost.load(Ordering::SeqCst)
    }
}

/// One client's connection, until either side ends it.
fn serve(client: &TcpStream, wires: &Wires) {
    let address = wires.broker.lock().expect("the broker").clone();
    // Clients may come before the broker: they come again.
    let Some(broker) = address.and_then(|address| TcpStream::connect(address).ok()) else { return };
    let _ = (client.set_nodelay(true), broker.set_nodelay(true));
    // The request whose answer is to be lost, by its correlation id.
    let unanswered: Mutex<Option<[u8; 4]>> = Mutex::new(None);
    let count = |is_lost: bool| {
        wires.lost.fetch_add(usize::from(is_lost), Ordering::SeqCst);
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            pass(client, &broker, |request| {
                wires.wait_for_passage(request);
                if u16::from_be_bytes([request[0], request[1]]) != END_TXN {
                    return true;
                }
                let loses = *wires.loses.lock().expect("what is lost");
                if loses == Lost::Answers {
                    *unanswered.lock().expect("its id") = Some([request[4], request[5], request[6], request[7]]);
                }
                count(loses == Lost::Requests);
                loses != Lost::Requests
            });
        });
        pass(&broker, client, |answer| {
            let is_lost = unanswered.lock().expect("its id").is_some_and(|id| answer[..4] == id);
            count(is_lost);
            !is_lost
        });
    });
}

/// Passes messages on, each with its length before it, until one is not to be passed or a side ends; then ends both.
fn pass(mut from: &TcpStream, mut to: &TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut next = || -> std::io::Result<bool> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize];
        from.read_exact(&mut message)?;
        if !passes(&message) {
            return Ok(false);
        }
        to.write_all(&length)?;
        to.write_all(&message)?;
        Ok(true)
    };
    while next().unwrap_or(false) {}
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
