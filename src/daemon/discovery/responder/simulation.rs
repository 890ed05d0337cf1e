//! Many daemons with the same names on networks that come and go, from a seed: in the end each has a
//! name of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use super::tests::{LINK, place, responder};
use super::*;

/// A daemon on a cable.
struct Station {
    responder: Responder,
    address: String,
    /// Which network the cable leads to; `None`: it is pulled out.
    network: Option<u32>,
}

struct World {
    now: Moment,
    stations: Vec<Station>,
    chance: Chance,
    /// Of a hundred packets so many are lost.
    loss: u64,
    /// Packets on their way: when they arrive, where, from whom.
    air: Vec<(Moment, usize, SocketAddr, Vec<u8>)>,
}

impl World {
    fn new(seed: u64, count: usize, loss: u64) -> World {
        let now = Moment::START;
        let mut world =
            World { now, stations: Vec::new(), chance: Chance(seed), loss, air: Vec::new() };
        for number in 0..count {
            // All images of one SD card: the same host name, the same port.
            let responder = responder(8080, seed * 1000 + number as u64, now);
            let address = format!("10.0.0.{}", number + 1);
            world.stations.push(Station { responder, address, network: None });
        }
        world
    }

    /// Plugs the cable of a station into a network. Its link goes up, unless `unseen`: then it is a
    /// switch behind it that is joined to another.
    fn plug(&mut self, station: usize, network: u32, unseen: bool) {
        let one = &mut self.stations[station];
        one.network = Some(network);
        if !unseen {
            let mut place = place(&one.address);
            place.changes = self.now.as_millis();
            one.responder.handle_links(self.now, &[place]);
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let air = self.air.iter().map(|packet| packet.0);
            let due = self.stations.iter().filter_map(|one| one.responder.next_deadline());
            let Some(at) = air.chain(due).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            let (arrived, air) = std::mem::take(&mut self.air)
                .into_iter()
                .partition(|packet: &(Moment, _, _, _)| packet.0 <= self.now);
            self.air = air;
            for (_, to, from, packet) in arrived {
                let message = Message::read(&packet).unwrap();
                self.stations[to].responder.handle_message(self.now, LINK, from, &message);
            }
            for one in &mut self.stations {
                one.responder.handle_time(self.now);
            }
            self.carry();
        }
        self.now = end;
    }

    /// Everybody on the network hears what is sent, the one who sends it too, a little later.
    fn carry(&mut self) {
        for sender in 0..self.stations.len() {
            let network = self.stations[sender].network;
            let from = format!("{}:5353", self.stations[sender].address).parse().unwrap();
            while let Some(send) = self.stations[sender].responder.poll_send() {
                for (to, one) in self.stations.iter().enumerate() {
                    let is_lost = self.chance.between(0, 99) < self.loss;
                    if one.network == network && network.is_some() && !is_lost {
                        let delay = Duration::from_millis(self.chance.between(1, 30));
                        self.air.push((self.now + delay, to, from, send.packet.clone()));
                    }
                }
            }
        }
    }

    fn names(&self) -> Vec<(String, String)> {
        assert!(self.stations.iter().all(|one| one.responder.is_heard()));
        self.stations.iter().map(|one| one.responder.names()).collect()
    }

    fn assert_all_differ(&self, seed: u64) {
        let names = self.names();
        let services: BTreeSet<&String> = names.iter().map(|(service, _)| service).collect();
        let hosts: BTreeSet<&String> = names.iter().map(|(_, host)| host).collect();
        assert_eq!(services.len(), names.len(), "seed {seed}: {names:?}");
        assert_eq!(hosts.len(), names.len(), "seed {seed}: {names:?}");
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn those_who_start_at_one_instant_all_get_a_name_of_their_own() {
    for seed in 0..60 {
        for count in [2, 3, 6] {
            let mut world = World::new(seed, count, 0);
            (0..count).for_each(|station| world.plug(station, 1, false));
            world.run(30 * SECOND);
            world.assert_all_differ(seed);
            let plain = world.names().iter().filter(|(name, _)| !name.contains('(')).count();
            assert_eq!(plain, 1, "seed {seed}: one keeps the plain name");
        }
    }
}

#[test]
fn where_packets_are_lost_it_takes_longer() {
    for seed in 0..40 {
        let mut world = World::new(seed, 3, 30);
        (0..3).for_each(|station| world.plug(station, 1, false));
        world.run(1200 * SECOND);
        world.assert_all_differ(seed);
    }
}

#[test]
fn two_networks_that_are_joined_sort_it_out() {
    for seed in 0..40 {
        for unseen in [false, true] {
            let mut world = World::new(seed, 2, 0);
            world.plug(0, 1, false);
            world.plug(1, 2, false);
            world.run(Duration::from_secs(60 + seed));
            let names = world.names();
            assert_eq!(names[0], names[1], "each is alone");
            world.plug(1, 1, unseen);
            world.run(if unseen { 300 * SECOND } else { 15 * SECOND });
            world.assert_all_differ(seed);
        }
    }
}

#[test]
fn a_link_that_was_down_while_the_other_started() {
    for seed in 0..40 {
        let mut world = World::new(seed, 2, 0);
        world.plug(0, 1, false);
        world.run(60 * SECOND);
        world.stations[0].network = None;
        world.plug(1, 1, false);
        world.run(60 * SECOND);
        world.plug(0, 1, false);
        world.run(15 * SECOND);
        world.assert_all_differ(seed);
        let names = world.names();
        assert_eq!(names[1].0, "_healthchecker._http._tcp.local.", "who has it keeps it");
    }
}
