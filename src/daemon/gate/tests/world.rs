//! A whole small daemon on the loopback interface: a real loop, the gate, the API, and a closure
//! for an engine. Its clock can be put forward.

use crate::daemon::channel::{self, channel};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Registry, Token, Waker};
use socket2::{Domain, Socket, Type};

use crate::config::settings::AccessSettings;
use crate::daemon::api::{Access, Api, ApiRequest, Rules};
use crate::daemon::check_log::CheckLog;
use crate::daemon::gate::{CONNECTIONS_MAX, Gate, bind};
use crate::daemon::mute_key::MuteKey;
use crate::engine::recipients::Recipients;
use crate::engine::time::Moment;

const WAKER: Token = Token(0);
const GATE: Token = Token(1);
/// Nothing here takes so long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// Many times what a turn of the loop takes.
const CALM: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Shared {
    skipped_ms: AtomicU64,
    connections: AtomicUsize,
    turns: AtomicUsize,
    stop: AtomicBool,
}

pub(super) struct World {
    pub(super) addr: SocketAddr,
    shared: Arc<Shared>,
    waker: Arc<Waker>,
    orders: channel::Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// Something to be done with the gate, in its thread.
type Order = Box<dyn FnOnce(&mut Gate, &Registry, Moment) + Send>;

impl World {
    pub(super) fn new(engine: impl FnMut(ApiRequest) + Send + 'static) -> World {
        let poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).unwrap());
        let (requests, inbox) = channel();
        let wake = waker.clone();
        let log = CheckLog::start(None).unwrap().reader();
        let access = Access::new(&AccessSettings::default(), "pi").unwrap();
        let mute_key = MuteKey::random().unwrap().into();
        let rules = Rules {
            recipients: Recipients::new(Vec::new(), &[]),
            access,
            mute_key,
            public_url: None,
        };
        let api = Api::start(None, rules, log, requests, move || wake.wake().unwrap()).unwrap();
        let listener = bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let addr = listener.local_addr().unwrap();
        let gate = Gate::new(listener, api.door(), GATE, CONNECTIONS_MAX).unwrap();
        let shared = Arc::new(Shared::default());
        let inside = shared.clone();
        let (orders, given) = channel();
        let inboxes = Inboxes { requests: inbox, orders: given };
        let thread = thread::spawn(move || run(poll, gate, &inboxes, engine, &inside, api));
        World { addr, shared, waker, orders, thread: Some(thread) }
    }

    /// Does something with the gate, as the event loop would, and waits until it is done.
    pub(super) fn at_gate<T: Send + 'static>(
        &self,
        order: impl FnOnce(&mut Gate, &Registry, Moment) -> T + Send + 'static,
    ) -> T {
        let (done, result) = channel();
        let order: Order = Box::new(move |gate, registry, now| {
            let _ = done.send(order(gate, registry, now));
        });
        assert!(self.orders.send(order).is_ok());
        self.waker.wake().unwrap();
        result.recv_timeout(PATIENCE).unwrap()
    }

    pub(super) fn wait_at_gate(&self, wanted: impl Fn(&Gate) -> bool + Clone + Send + 'static) {
        let start = Instant::now();
        loop {
            let wanted = wanted.clone();
            if self.at_gate(move |gate, _, _| wanted(gate)) {
                return;
            }
            assert!(start.elapsed() < PATIENCE);
            thread::yield_now();
        }
    }

    pub(super) fn connect(&self) -> TcpStream {
        self.connect_from(Ipv4Addr::LOCALHOST.into())
    }

    /// The whole of 127/8 is this machine: enough for a household of clients.
    pub(super) fn connect_from(&self, from: IpAddr) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&self.addr.into()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.into()
    }

    /// Sends `bytes` and reads until the end.
    pub(super) fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        rest(&mut stream)
    }

    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    pub(super) fn wait_for_connections(&self, wanted: impl Fn(usize) -> bool) {
        let start = Instant::now();
        while !wanted(self.connections()) {
            assert!(start.elapsed() < PATIENCE, "{} connections", self.connections());
            thread::yield_now();
        }
    }

    /// Waits until the loop stands still: no client takes or sends anything.
    pub(super) fn wait_for_calm(&self) {
        let mut turns = usize::MAX;
        while turns != self.shared.turns.load(SeqCst) {
            turns = self.shared.turns.load(SeqCst);
            thread::sleep(CALM);
        }
    }

    /// Puts the clock forward.
    pub(super) fn skip(&self, span: Duration) {
        let ms = u64::try_from(span.as_millis()).unwrap();
        self.shared.skipped_ms.fetch_add(ms, SeqCst);
        self.waker.wake().unwrap();
    }

    /// Begins an orderly stop.
    pub(super) fn stop(&self) {
        self.shared.stop.store(true, SeqCst);
        self.waker.wake().unwrap();
    }

    /// Waits for its end.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
        // What hangs on purpose must not hold up the end of a test.
        self.skip(Duration::from_secs(3600));
        self.skip(Duration::from_secs(3600));
    }
}

pub(super) fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// What the threads send.
struct Inboxes {
    requests: channel::Receiver<ApiRequest>,
    orders: channel::Receiver<Order>,
}

fn run(
    mut poll: Poll,
    mut gate: Gate,
    inboxes: &Inboxes,
    mut engine: impl FnMut(ApiRequest),
    shared: &Shared,
    _api: Api,
) {
    let start = Instant::now();
    let now = || {
        let ms = u64::try_from(start.elapsed().as_millis()).unwrap();
        Moment::from_millis(ms + shared.skipped_ms.load(SeqCst))
    };
    let mut events = Events::with_capacity(64);
    let mut draining = false;
    gate.register(poll.registry()).unwrap();
    while !(draining && gate.is_idle()) {
        let wait = gate.next_deadline().map(|at| at.since(now()));
        poll.poll(&mut events, wait).unwrap();
        let at = now();
        for event in &events {
            gate.handle_event(poll.registry(), event.token(), at);
        }
        for request in inboxes.requests.try_iter() {
            engine(request);
        }
        for order in inboxes.orders.try_iter() {
            order(&mut gate, poll.registry(), at);
        }
        if shared.stop.load(SeqCst) && !draining {
            draining = true;
            gate.drain(poll.registry(), at);
        }
        gate.handle_deadlines(poll.registry(), at);
        shared.connections.store(gate.places.len(), SeqCst);
        shared.turns.fetch_add(1, SeqCst);
    }
}
