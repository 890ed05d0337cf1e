//! The gate: the public listener, and every connection of a client until its request is whole and
//! while its answer flows back.
//!
//! The API's HTTP library gives every connection a thread, waits for ever and believes every
//! length that it is told. It sits behind this gate on a private socket and sees one whole,
//! bounded, plain request at a time. The gate belongs to the event loop, and never blocks.
//!
//! An answer that promises something waits here for the disk, so that no thread has to, and
//! hundreds can wait for the same sync.
//!
//! The loop's side of the contract: give the gate the tokens from the one that it is made with
//! upward, pass it their events, and call [`Gate::handle_deadlines`] at [`Gate::next_deadline`],
//! which each of the other calls may change.

mod client;
mod connection;
mod listen;
mod outgoing;
mod places;
mod rejection;
mod request;
mod reserve;
#[cfg(test)]
mod tests;
mod ticket;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use mio::net::{TcpListener, UnixStream};
use mio::{Interest, Registry, Token};

use crate::engine::registration::Origin;
use crate::engine::time::Moment;

pub(crate) use client::CLIENT_HEADER;
pub use client::Client;
pub(crate) use connection::{GIVES_WAY_AFTER, Settlement};
pub(crate) use listen::bind;
pub(crate) use places::{CONNECTIONS_MAX, HELD_MAX};
pub(crate) use rejection::{NO_PAGE_POLICY, Rejection};
pub use request::{BODY_MAX, HEAD_MAX, Inbox, Progress};
pub(crate) use reserve::DESCRIPTORS_RESERVED;
pub(crate) use ticket::TICKET_HEADER;
pub use ticket::Ticket;

use connection::{Connection, Next, Phase};
use places::Places;
use reserve::Reserve;

/// The most connections to the API at once: it has a thread for each.
pub(crate) const API_PLACES: usize = 4;
/// The most of them for one address: a client that takes its answer slowly leaves room for others.
/// Two are enough for as many as like to register from one machine: no answer waits for the disk there.
pub(crate) const API_PLACES_PER_ADDRESS: usize = 2;
/// When the system is out of descriptors or memory, or the API is being rebuilt: the next try.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Between two log lines about it.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// Room for one read: most requests and answers are shorter.
const SCRATCH: usize = 4 * 1024;

/// Opens a connection to the API, without waiting.
pub(crate) type Door = Box<dyn Fn() -> io::Result<UnixStream> + Send>;

pub(crate) struct Gate {
    /// `None` once the daemon stops.
    listener: Option<TcpListener>,
    door: Door,
    first_token: Token,
    last_ticket: Ticket,
    places: Places,
    /// The connections with a whole request, in the order in which it became so.
    queue: VecDeque<usize>,
    asking: usize,
    reserve: Reserve,
    accept_again_at: Option<Moment>,
    /// That accepting fails is said now and then, not ten times a second.
    complain_again_at: Moment,
    knock_again_at: Option<Moment>,
    /// Who has reached us last from another machine, until somebody asks.
    stranger: Option<IpAddr>,
    /// When an answer that takes long is to give way to those who wait.
    way_at: Option<Moment>,
    scratch: Box<[u8]>,
}

impl Gate {
    /// A gate for `listener` (see [`bind`]) in front of `door`, for at most `places` clients at
    /// once. Its tokens are `first_token` and all above.
    ///
    /// # Errors
    /// The listener cannot be made non-blocking.
    pub(crate) fn new(
        listener: std::net::TcpListener,
        door: Door,
        first_token: Token,
        places: usize,
    ) -> io::Result<Gate> {
        listener.set_nonblocking(true)?;
        Ok(Gate {
            listener: Some(TcpListener::from_std(listener)),
            door,
            first_token,
            last_ticket: Ticket::default(),
            places: Places::new(places),
            queue: VecDeque::new(),
            asking: 0,
            reserve: Reserve::new(API_PLACES),
            accept_again_at: None,
            complain_again_at: Moment::default(),
            knock_again_at: None,
            stranger: None,
            way_at: None,
            scratch: vec![0; SCRATCH].into_boxed_slice(),
        })
    }

    /// Starts to listen to events.
    ///
    /// # Errors
    /// The system refuses; the daemon cannot serve.
    pub(crate) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        match &mut self.listener {
            Some(listener) => registry.register(listener, self.first_token, Interest::READABLE),
            None => Ok(()),
        }
    }

    /// An event. Those of tokens that are not the gate's are left alone.
    pub(crate) fn handle_event(&mut self, registry: &Registry, token: Token, now: Moment) {
        match token.0.checked_sub(self.first_token.0) {
            None => {}
            Some(0) => self.accept(registry, now),
            // Two tokens for each connection: the client's end, and the API's.
            Some(n) => self.advance(registry, n.saturating_sub(1) / 2, now),
        }
        self.admit_to_api(registry, now);
    }

    /// When [`Gate::handle_deadlines`] is to be called, if ever.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        let of_ours = [self.accept_again_at, self.knock_again_at, self.way_at];
        of_ours.into_iter().chain([self.places.next_deadline()]).flatten().min()
    }

    /// Ends what has taken too long, and tries again what was put off.
    pub(crate) fn handle_deadlines(&mut self, registry: &Registry, now: Moment) {
        while let Some(index) = self.places.first_due(now) {
            self.with(registry, index, |connection, scratch| connection.expire(scratch, now));
        }
        if self.accept_again_at.is_some_and(|at| at <= now) {
            self.accept(registry, now);
        }
        self.knock_again_at = self.knock_again_at.filter(|at| *at > now);
        self.admit_to_api(registry, now);
    }

    /// The answer to the request of `ticket` must not reach the client before [`Gate::settle`]. To be
    /// called before the API is given what it is to answer.
    pub(crate) fn hold(&mut self, ticket: Ticket) {
        if let Some(index) = self.places.find(ticket)
            && let Some(mut connection) = self.places.take(index)
        {
            connection.hold();
            self.places.put(index, connection);
        }
    }

    /// What becomes of the answer that was held for `ticket`. A client that is gone, or was told
    /// that there is no answer in time, gets none.
    pub(crate) fn settle(
        &mut self,
        registry: &Registry,
        ticket: Ticket,
        verdict: Settlement,
        now: Moment,
    ) {
        if let Some(index) = self.places.find(ticket) {
            self.with(registry, index, |connection, scratch| {
                connection.settle(verdict, scratch, now)
            });
            self.admit_to_api(registry, now);
        }
    }

    /// The daemon stops: no more clients, no more requests; the answers under way are finished
    /// (see [`Gate::is_idle`]).
    pub(crate) fn drain(&mut self, registry: &Registry, now: Moment) {
        self.listener = None;
        self.accept_again_at = None;
        for index in self.places.of_phase(Phase::Reading) {
            self.with(registry, index, |connection, scratch| {
                connection.refuse(Rejection::Busy, now);
                connection.advance(scratch, now)
            });
        }
    }

    /// Who has reached us from another machine since this was called last: the last of them.
    pub(crate) fn take_stranger(&mut self) -> Option<IpAddr> {
        self.stranger.take()
    }

    /// Whether no client is left.
    pub(crate) fn is_idle(&self) -> bool {
        self.places.is_empty()
    }

    fn accept(&mut self, registry: &Registry, now: Moment) {
        self.accept_again_at = None;
        for _ in 0..self.places.accepts_per_turn() {
            let Some(listener) = &self.listener else {
                return;
            };
            match listener.accept() {
                Ok((stream, peer)) => {
                    let client = Client::new(peer, stream.local_addr().ok());
                    if client.origin == Origin::Network {
                        self.stranger = Some(client.addr);
                    }
                    self.last_ticket = self.last_ticket.next();
                    let connection = Connection::new(stream, client, self.last_ticket, now);
                    self.admit(registry, connection, now);
                }
                Err(why) => match why.kind() {
                    io::ErrorKind::WouldBlock => return,
                    // This client is gone; there may be others.
                    io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => {}
                    _ => {
                        if self.complain_again_at <= now {
                            self.complain_again_at = now + COMPLAIN_EVERY;
                            log::warn!("cannot accept a connection: {why}; trying again");
                        }
                        self.accept_again_at = Some(now + AGAIN_AFTER);
                        return;
                    }
                },
            }
        }
        // Edges come once: ask for another, or those still waiting would wait for the next client.
        self.accept_again_at = Some(now);
    }

    /// Gives `connection` a place, or drops it: whoever has no place is not left waiting.
    fn admit(&mut self, registry: &Registry, mut connection: Connection, now: Moment) {
        let client = connection.client();
        if self.places.is_share_taken(client) {
            self.part_from_answered(registry, client, now);
        }
        if self.places.is_share_taken(client) {
            return;
        }
        while self.places.is_full() {
            if !self.evict_oldest(registry, now) {
                return;
            }
        }
        // Answers are written in one piece; waiting for more to send would only delay their end.
        let _ = connection.stream().set_nodelay(true);
        let index = self.places.free_index();
        let token = self.client_token(index);
        let both = Interest::READABLE | Interest::WRITABLE;
        match registry.register(connection.stream(), token, both) {
            Ok(()) => self.places.put(index, connection),
            Err(why) => log::warn!("cannot watch a connection: {why}"),
        }
    }

    /// Many are answered by the same sync, and come again at once: those who have hung up are no
    /// longer counted, though the event that says so is still to come.
    fn part_from_answered(&mut self, registry: &Registry, client: Client, now: Moment) {
        for index in self.places.answered_of(client) {
            self.with(registry, index, |connection, scratch| connection.advance(scratch, now));
        }
    }

    /// The one who has been sending its request for longest gives way: an honest request comes in
    /// one piece, so it is hardly ever one of those. False if something is owed to all of them.
    fn evict_oldest(&mut self, registry: &Registry, now: Moment) -> bool {
        let Some(index) = self.places.oldest() else {
            return false;
        };
        self.with(registry, index, |connection, scratch| connection.give_way(scratch, now));
        true
    }

    fn advance(&mut self, registry: &Registry, index: usize, now: Moment) {
        self.with(registry, index, |connection, scratch| connection.advance(scratch, now));
        // A flood of half requests must not fill the memory, nor one of whole requests.
        while self.places.held() > HELD_MAX {
            if self.evict_oldest(registry, now) {
                continue;
            }
            self.with(registry, index, |connection, scratch| {
                connection.refuse(Rejection::Busy, now);
                connection.advance(scratch, now)
            });
            break;
        }
    }

    /// Lets a connection do something, and keeps the books.
    fn with(
        &mut self,
        registry: &Registry,
        index: usize,
        action: impl FnOnce(&mut Connection, &mut [u8]) -> Next,
    ) {
        // Events of connections that have just been closed are no news.
        let Some(mut connection) = self.places.take(index) else {
            return;
        };
        let before = connection.phase();
        let mut next = action(&mut connection, &mut self.scratch);
        if next == Next::Again {
            // Edges come once: a fresh registration brings another, after those of the others.
            let token = self.client_token(index);
            let both = Interest::READABLE | Interest::WRITABLE;
            if registry.reregister(connection.stream(), token, both).is_err() {
                next = Next::Close;
            }
        }
        let after = (next != Next::Close).then(|| connection.phase());
        if next == Next::Queue {
            self.queue.push_back(index);
        } else if before == Phase::Waiting && after != Some(Phase::Waiting) {
            self.queue.retain(|queued| *queued != index);
        }
        if next != Next::Close {
            self.places.put(index, connection);
        }
        if before == Phase::Asking && after != Some(Phase::Asking) {
            self.asking = self.asking.saturating_sub(1);
            self.reserve.follow(self.asking);
        }
    }

    /// Takes requests from the queue to the API as far as there are places.
    fn admit_to_api(&mut self, registry: &Registry, now: Moment) {
        self.way_at = None;
        while self.knock_again_at.is_none() {
            let Some(position) = self.next_in_queue() else {
                return;
            };
            if self.asking >= API_PLACES && !self.make_way(registry, now) {
                return;
            }
            self.reserve.follow(self.asking.saturating_add(1));
            let Some(index) = self.queue.get(position).copied() else {
                return;
            };
            match self.open(registry, index) {
                Ok(api) => {
                    self.queue.remove(position);
                    self.asking = self.asking.saturating_add(1);
                    // The first event of the new connection does the rest.
                    if let Some(mut connection) = self.places.take(index) {
                        connection.ask(api);
                        self.places.put(index, connection);
                    }
                }
                Err(why) => {
                    log::debug!("the API cannot be reached: {why}; trying again");
                    self.reserve.follow(self.asking);
                    self.knock_again_at = Some(now + AGAIN_AFTER);
                }
            }
        }
    }

    fn next_in_queue(&self) -> Option<usize> {
        if self.queue.is_empty() {
            return None;
        }
        let asking = self.places.asking();
        let has_room = |index: &usize| {
            let client = self.places.get(*index)?.client().household_place();
            let taken = asking.iter().filter(|place| **place == client).count();
            (taken < API_PLACES_PER_ADDRESS).then_some(())
        };
        self.queue.iter().position(|index| has_room(index).is_some())
    }

    /// All of the API's places are taken and somebody waits: the client that has been taking its
    /// answer for longest must go, if it has had its time; false if not yet.
    fn make_way(&mut self, registry: &Registry, now: Moment) -> bool {
        let Some((begun_at, index)) = self.places.longest_answered() else {
            return false;
        };
        let at = begun_at + GIVES_WAY_AFTER;
        if at > now {
            self.way_at = Some(at);
            return false;
        }
        self.with(registry, index, |_, _| Next::Close);
        true
    }

    fn open(&self, registry: &Registry, index: usize) -> io::Result<UnixStream> {
        let mut api = (self.door)()?;
        let token = Token(self.client_token(index).0.saturating_add(1));
        registry.register(&mut api, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(api)
    }

    fn client_token(&self, index: usize) -> Token {
        Token(self.first_token.0.saturating_add(1).saturating_add(index.saturating_mul(2)))
    }
}
