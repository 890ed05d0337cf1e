//! The places at the gate: who has one, who must go, who is next to run out of time.

use std::net::IpAddr;

use crate::engine::sorted::SortedSet;
use crate::engine::time::Moment;

use super::client::Client;
use super::connection::{Connection, Phase};
use super::ticket::Ticket;

/// The most connections at once: 1,800 slow clients get these and no more. A place costs little
/// until it is filled (see [`HELD_MAX`]). Fewer where the system allows few descriptors.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// The most for one address, as a part of all: all apps of a big machine may register in the same
/// second (64 of 256), and one that floods leaves room for the others.
pub(super) const SHARE_PER_ADDRESS: usize = 4;
/// The most bytes of requests and answers in memory, so that a flood of half requests costs less
/// than 2 MiB.
pub(crate) const HELD_MAX: usize = 1024 * 1024;

/// All connections, by index, and the order of their deadlines.
pub(super) struct Places {
    max: usize,
    connections: Vec<Option<Connection>>,
    /// One entry for each connection.
    deadlines: SortedSet<(Moment, usize)>,
    held: usize,
}

impl Places {
    /// Room for `max` connections.
    pub(super) fn new(max: usize) -> Places {
        Places { max, connections: Vec::new(), deadlines: SortedSet::default(), held: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// Bytes of memory taken for requests and answers.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The connection that has been due for longest.
    pub(super) fn first_due(&self, now: Moment) -> Option<usize> {
        self.deadlines.first().filter(|(at, _)| *at <= now).map(|(_, index)| *index)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Connection> {
        self.connections.get(index).and_then(Option::as_ref)
    }

    /// Where the connection with `ticket` is, unless it is gone.
    pub(super) fn find(&self, ticket: Ticket) -> Option<usize> {
        let has_it = |place: &Option<Connection>| {
            place.as_ref().is_some_and(|connection| connection.ticket() == ticket)
        };
        self.connections.iter().position(has_it)
    }

    /// The index for a new connection.
    pub(super) fn free_index(&self) -> usize {
        self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len())
    }

    /// Takes a connection out, for good or until it is put back.
    pub(super) fn take(&mut self, index: usize) -> Option<Connection> {
        let connection = self.connections.get_mut(index).and_then(Option::take)?;
        self.deadlines.remove(&(connection.deadline(), index));
        self.held = self.held.saturating_sub(connection.held());
        Some(connection)
    }

    /// Puts a connection at a free index.
    pub(super) fn put(&mut self, index: usize, connection: Connection) {
        self.deadlines.insert((connection.deadline(), index));
        self.held = self.held.saturating_add(connection.held());
        if self.connections.len() <= index {
            self.connections.resize_with(index.saturating_add(1), || None);
        }
        if let Some(place) = self.connections.get_mut(index) {
            *place = Some(connection);
        }
    }

    /// How many connections are accepted before the others have their turn: a part of the places,
    /// so that nobody must go before they were heard.
    pub(super) fn accepts_per_turn(&self) -> usize {
        self.max.div_ceil(4)
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    /// Whether the address of `client` has its share of the places already.
    pub(super) fn is_share_taken(&self, client: Client) -> bool {
        let place = client.household_place();
        let same = |one: &&Connection| one.client().household_place() == place;
        self.present().filter(same).count() >= self.max.div_ceil(SHARE_PER_ADDRESS)
    }

    /// The connections from the address of `client` that have been answered.
    pub(super) fn answered_of(&self, client: Client) -> Vec<usize> {
        let place = client.household_place();
        let mut answered = self.of_phase(Phase::Draining);
        answered.retain(|index| {
            self.get(*index).is_some_and(|one| one.client().household_place() == place)
        });
        answered
    }

    /// The oldest connection to which nothing is owed.
    pub(super) fn oldest(&self) -> Option<usize> {
        self.deadlines.iter().map(|(_, index)| *index).find(|index| {
            let phase = self.get(*index).map(Connection::phase);
            matches!(phase, Some(Phase::Reading | Phase::Draining))
        })
    }

    /// Who has the API's places, one entry for each.
    pub(super) fn asking(&self) -> Vec<IpAddr> {
        let asking = self.present().filter(|one| one.phase() == Phase::Asking);
        asking.map(|one| one.client().household_place()).collect()
    }

    /// The connection whose answer has been flowing from the API for longest, and since when.
    pub(super) fn longest_answered(&self) -> Option<(Moment, usize)> {
        let begun = |(index, one): (usize, &Option<Connection>)| {
            Some((one.as_ref()?.answer_begun_at()?, index))
        };
        self.connections.iter().enumerate().filter_map(begun).min()
    }

    pub(super) fn of_phase(&self, phase: Phase) -> Vec<usize> {
        let here = |index: &usize| self.get(*index).is_some_and(|one| one.phase() == phase);
        (0..self.connections.len()).filter(here).collect()
    }

    fn present(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }
}
