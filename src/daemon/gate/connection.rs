//! One connection of a client, from its first byte to its last.
//!
//! An event is a hint that something may be possible now. Every stage tries what it can until
//! nothing moves, so a stale or a merged event does no harm.

use std::io::{self, Read};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::{TcpStream, UnixStream};

use crate::engine::time::Moment;

use super::client::Client;
use super::outgoing::{Closer, Outgoing};
use super::rejection::Rejection;
use super::request::{Inbox, Progress, Whole};
use super::ticket::Ticket;

/// All of a request must be there by then: many times what the slowest household hardware needs.
pub(super) const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// The API must begin to answer by then: an SD card may take seconds for the record of a
/// registration.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A client that takes nothing of its answer for so long is gone.
pub(super) const STALL_MAX: Duration = Duration::from_secs(10);
/// All of an answer must be taken by then, however steadily: a trickle holds a place, too.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// An answer that has been flowing for longer gives way when others wait for the API. What most
/// clients ask for fits into the system's buffers, and is gone at once.
pub(crate) const GIVES_WAY_AFTER: Duration = Duration::from_secs(2);
/// How long the client may take to notice the end, so that no reset overtakes the answer.
pub(super) const DRAIN_FOR: Duration = Duration::from_secs(1);
/// The most bytes of a held answer in memory; those that promise something are far shorter. The API
/// waits with the rest.
const HELD_ANSWER_MAX: usize = 16 * 1024;
/// The most bytes that one connection moves before the others have their turn.
const TURN_MAX: usize = 64 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What is to become of a connection after it did what it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait for an event, or for its deadline.
    Wait,
    /// Its turn is over, its work is not.
    Again,
    /// Its request is whole: it waits for the API.
    Queue,
    /// It is finished.
    Close,
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    client: Client,
    ticket: Ticket,
    stage: Stage,
    deadline: Moment,
}

#[derive(Debug)]
enum Stage {
    /// The request comes in.
    Reading(Inbox),
    /// The request waits for its turn at the API.
    Waiting(Whole),
    /// The API has it, or is about to; the answer flows back.
    Asking(Asking),
    /// The answer is all here, and must not go out yet.
    Holding { answer: Outgoing, head_only: bool },
    /// The rest of an answer, or one of our own.
    Telling { answer: Outgoing, by: Moment },
    /// All is said. What still comes in is thrown away until the client hangs up.
    Draining,
}

#[derive(Debug)]
struct Asking {
    api: UnixStream,
    request: Outgoing,
    head_only: bool,
    closer: Closer,
    answer: Outgoing,
    flow: Flow,
}

/// How far an answer has come while the API is at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    /// Nothing has come of it.
    Awaited,
    /// It must not go out yet: what comes of it is gathered.
    Held,
    /// The client is given what comes, since then.
    Begun(Moment),
}

/// What becomes of an answer that was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// It goes out: what it says is true.
    True,
    /// It must never go out: the client gets this one instead, as whole as the API's own.
    Instead(Vec<u8>),
}

/// Which part of its life a connection is in, as far as the gate's book-keeping needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is owed to it: the first to go when room is needed.
    Reading,
    /// It has a place in the queue.
    Waiting,
    /// It has one of the API's places.
    Asking,
    /// Its answer is held.
    Holding,
    /// It is being answered.
    Telling,
    /// It has been answered.
    Draining,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        client: Client,
        ticket: Ticket,
        now: Moment,
    ) -> Connection {
        Connection {
            stream,
            client,
            ticket,
            stage: Stage::Reading(Inbox::new(client, ticket)),
            deadline: now + REQUEST_WITHIN,
        }
    }

    pub(super) fn client(&self) -> Client {
        self.client
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// When [`Connection::expire`] is due.
    pub(super) fn deadline(&self) -> Moment {
        self.deadline
    }

    pub(super) fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Reading(_) => Phase::Reading,
            Stage::Waiting(_) => Phase::Waiting,
            Stage::Asking(_) => Phase::Asking,
            Stage::Holding { .. } => Phase::Holding,
            Stage::Telling { .. } => Phase::Telling,
            Stage::Draining => Phase::Draining,
        }
    }

    /// Since when its answer has been flowing from the API, while it does.
    pub(super) fn answer_begun_at(&self) -> Option<Moment> {
        match &self.stage {
            Stage::Asking(Asking { flow: Flow::Begun(at), .. }) => Some(*at),
            _ => None,
        }
    }

    /// Bytes of memory taken for what it sends and is sent.
    pub(super) fn held(&self) -> usize {
        match &self.stage {
            Stage::Reading(inbox) => inbox.held(),
            Stage::Waiting(request) => request.bytes.capacity(),
            Stage::Asking(asking) => asking.request.held().saturating_add(asking.answer.held()),
            Stage::Holding { answer, .. } | Stage::Telling { answer, .. } => answer.held(),
            Stage::Draining => 0,
        }
    }

    /// The client's socket, to register it.
    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Hands the waiting request to the API over `api`.
    pub(super) fn ask(&mut self, api: UnixStream) {
        if let Stage::Waiting(request) = &mut self.stage {
            self.stage = Stage::Asking(Asking {
                api,
                request: Outgoing::new(std::mem::take(&mut request.bytes)),
                head_only: request.head_only,
                closer: Closer::default(),
                answer: Outgoing::default(),
                flow: Flow::Awaited,
            });
        }
    }

    /// The answer that the API is about to give must not go out before [`Connection::settle`].
    pub(super) fn hold(&mut self) {
        if let Stage::Asking(asking) = &mut self.stage
            && asking.flow == Flow::Awaited
        {
            asking.flow = Flow::Held;
        }
    }

    /// Lets a held answer go, or gives another instead.
    pub(super) fn settle(&mut self, verdict: Settlement, scratch: &mut [u8], now: Moment) -> Next {
        match (verdict, &mut self.stage) {
            (Settlement::True, Stage::Holding { answer, .. }) => {
                let answer = std::mem::take(answer);
                self.begin_to_tell(answer, now);
            }
            (Settlement::True, Stage::Asking(asking)) if asking.flow == Flow::Held => {
                asking.flow = Flow::Awaited;
                if !asking.answer.is_empty() {
                    asking.flow = Flow::Begun(now);
                    self.deadline = now + STALL_MAX;
                }
            }
            (
                Settlement::Instead(bytes),
                Stage::Holding { .. } | Stage::Asking(Asking { flow: Flow::Held, .. }),
            ) => self.tell_instead(&bytes, now),
            // It has been told by now that there is no answer in time.
            _ => {}
        }
        self.advance(scratch, now)
    }

    /// Does what can be done now. `scratch` is room for one read.
    pub(super) fn advance(&mut self, scratch: &mut [u8], now: Moment) -> Next {
        loop {
            let before = self.phase();
            let next = match before {
                Phase::Reading => self.read(scratch, now),
                Phase::Waiting | Phase::Holding => Next::Wait,
                Phase::Asking => self.relay(scratch, now),
                Phase::Telling => self.tell(now),
                Phase::Draining => self.drain(scratch),
            };
            let moved_on = self.phase() != before;
            if !(moved_on && next == Next::Wait) {
                return next;
            }
        }
    }

    /// Room is needed, and nothing is owed to it: it goes, unless its request has come by now.
    pub(super) fn give_way(&mut self, scratch: &mut [u8], now: Moment) -> Next {
        match self.phase() {
            Phase::Reading => match self.advance(scratch, now) {
                Next::Queue => Next::Queue,
                _ => Next::Close,
            },
            _ => Next::Close,
        }
    }

    /// The deadline has come.
    pub(super) fn expire(&mut self, scratch: &mut [u8], now: Moment) -> Next {
        let refusal = match &self.stage {
            Stage::Reading(_) => Rejection::Slow,
            Stage::Asking(Asking { flow: Flow::Begun(_), .. })
            | Stage::Telling { .. }
            | Stage::Draining => return Next::Close,
            Stage::Waiting(_) | Stage::Asking(_) | Stage::Holding { .. } => Rejection::Busy,
        };
        self.refuse(refusal, now);
        self.advance(scratch, now)
    }

    /// Answers with `refusal`, unless an answer has begun.
    pub(super) fn refuse(&mut self, refusal: Rejection, now: Moment) {
        let head_only = match &self.stage {
            Stage::Reading(_) => false,
            Stage::Waiting(request) => request.head_only,
            Stage::Asking(Asking { flow: Flow::Begun(_), .. }) => return,
            Stage::Asking(Asking { head_only, .. }) | Stage::Holding { head_only, .. } => {
                *head_only
            }
            Stage::Telling { .. } | Stage::Draining => return,
        };
        self.begin_to_tell(Outgoing::new(refusal.answer(head_only)), now);
    }

    fn tell_instead(&mut self, bytes: &[u8], now: Moment) {
        let mut answer = Outgoing::default();
        match Closer::default().pass(bytes, &mut answer) {
            Ok(()) if !answer.is_empty() => self.begin_to_tell(answer, now),
            _ => self.refuse(Rejection::Busy, now),
        }
    }

    fn begin_to_tell(&mut self, answer: Outgoing, now: Moment) {
        self.deadline = now + STALL_MAX;
        self.stage = Stage::Telling { answer, by: now + TAKEN_WITHIN };
    }

    /// Bounded by the limits of a request.
    fn read(&mut self, scratch: &mut [u8], now: Moment) -> Next {
        loop {
            let Stage::Reading(inbox) = &mut self.stage else {
                return Next::Wait;
            };
            let progress = match read_some(&mut self.stream, scratch) {
                Chunk::Bytes(bytes) => inbox.feed(bytes),
                Chunk::End if inbox.is_empty() => return Next::Close,
                Chunk::End => Progress::Bad(Rejection::Malformed("it ends in the middle")),
                Chunk::Nothing => return Next::Wait,
                Chunk::Gone => return Next::Close,
            };
            match progress {
                Progress::More { invite: false } => {}
                // A socket that has taken nothing yet has room for these few bytes.
                Progress::More { invite: true } => {
                    match Outgoing::new(CONTINUE.to_vec()).write_to(&mut self.stream) {
                        Ok(taken) if taken == CONTINUE.len() => {}
                        _ => return Next::Close,
                    }
                }
                Progress::Whole(request) => {
                    self.stage = Stage::Waiting(request);
                    self.deadline = now + ANSWER_WITHIN;
                    return Next::Queue;
                }
                Progress::Bad(refusal) => {
                    self.refuse(refusal, now);
                    return Next::Wait;
                }
            }
        }
    }

    fn relay(&mut self, scratch: &mut [u8], now: Moment) -> Next {
        let mut moved = 0;
        while moved < TURN_MAX {
            let Stage::Asking(asking) = &mut self.stage else {
                return Next::Wait;
            };
            // An API that is gone says so by the end of its answer, below.
            let _ = asking.request.write_to(&mut asking.api);
            if let Flow::Begun(at) = asking.flow {
                match asking.answer.write_to(&mut self.stream) {
                    Ok(0) => {}
                    Ok(taken) => {
                        moved = moved.saturating_add(taken);
                        self.deadline = (now + STALL_MAX).min(at + TAKEN_WITHIN);
                    }
                    Err(_) => return Next::Close,
                }
            }
            // No more is read than the client takes: the API waits, not our memory.
            let room = if asking.flow == Flow::Held { HELD_ANSWER_MAX } else { 0 };
            if asking.answer.len() > room {
                return Next::Wait;
            }
            match read_some(&mut asking.api, scratch) {
                Chunk::Bytes(bytes) => {
                    if asking.flow == Flow::Awaited {
                        asking.flow = Flow::Begun(now);
                        self.deadline = now + STALL_MAX;
                    }
                    if asking.closer.pass(bytes, &mut asking.answer).is_err() {
                        return Next::Close;
                    }
                }
                Chunk::Nothing => return Next::Wait,
                Chunk::End | Chunk::Gone => {
                    self.end_of_answer(now);
                    return Next::Wait;
                }
            }
        }
        Next::Again
    }

    /// The API has hung up: its place is free, whatever the client still has to wait for or to take.
    fn end_of_answer(&mut self, now: Moment) {
        let Stage::Asking(asking) = &mut self.stage else {
            return;
        };
        let (answer, head_only) = (std::mem::take(&mut asking.answer), asking.head_only);
        match asking.flow {
            Flow::Held if !answer.is_empty() => self.stage = Stage::Holding { answer, head_only },
            Flow::Awaited | Flow::Held => self.refuse(Rejection::Busy, now),
            Flow::Begun(at) => self.stage = Stage::Telling { answer, by: at + TAKEN_WITHIN },
        }
    }

    fn tell(&mut self, now: Moment) -> Next {
        let Stage::Telling { answer, by } = &mut self.stage else {
            return Next::Wait;
        };
        match answer.write_to(&mut self.stream) {
            Ok(0) => {}
            Ok(_) => self.deadline = (now + STALL_MAX).min(*by),
            Err(_) => return Next::Close,
        }
        if answer.is_empty() {
            // What the client sent unread would turn a plain close into a reset, which can reach
            // it before the answer does (RFC 9112, section 9.6).
            if self.stream.shutdown(Shutdown::Write).is_err() {
                return Next::Close;
            }
            self.stage = Stage::Draining;
            self.deadline = now + DRAIN_FOR;
        }
        Next::Wait
    }

    fn drain(&mut self, scratch: &mut [u8]) -> Next {
        let mut moved: usize = 0;
        while moved < TURN_MAX {
            match read_some(&mut self.stream, scratch) {
                Chunk::Bytes(bytes) => moved = moved.saturating_add(bytes.len()),
                Chunk::Nothing => return Next::Wait,
                Chunk::End | Chunk::Gone => return Next::Close,
            }
        }
        Next::Again
    }
}

/// What one read brought.
enum Chunk<'a> {
    Bytes(&'a [u8]),
    Nothing,
    End,
    Gone,
}

fn read_some<'a>(from: &mut impl Read, scratch: &'a mut [u8]) -> Chunk<'a> {
    loop {
        match from.read(scratch) {
            Ok(0) => return Chunk::End,
            Ok(n) => return Chunk::Bytes(scratch.get(..n).unwrap_or_default()),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Chunk::Nothing,
            Err(_) => return Chunk::Gone,
        }
    }
}
