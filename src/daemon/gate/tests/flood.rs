//! Crowds of clients: silent, slow, greedy or just many.

use std::io::ErrorKind;
use std::thread;

use super::*;

const CONNECTIONS_PER_ADDRESS: usize = CONNECTIONS_MAX / SHARE_PER_ADDRESS;

/// True if the daemon has closed this connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    match stream.read(&mut [0; 1]) {
        Ok(0) => true,
        Ok(_) => panic!("an answer"),
        Err(why) => why.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn one_address_has_only_so_many_places() {
    let world = World::new(engine(0));
    let mut crowd: Vec<_> =
        (0..CONNECTIONS_PER_ADDRESS + 20).map(|_| world.connect_from(household(0))).collect();
    // Accepted in order: when the last has been closed, the others have been looked at.
    while !is_closed(crowd.last_mut().unwrap()) {
        std::thread::yield_now();
    }
    world.wait_for_connections(|n| n == CONNECTIONS_PER_ADDRESS);
    let closed = crowd.iter_mut().map(is_closed).filter(|closed| *closed);
    assert_eq!(closed.count(), 20);
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
}

#[test]
fn who_was_answered_and_has_hung_up_leaves_its_place_to_the_next() {
    let world = World::new(engine(0));
    let mut crowd: Vec<_> =
        (0..CONNECTIONS_PER_ADDRESS).map(|_| world.connect_from(household(0))).collect();
    for stream in &mut crowd {
        stream.write_all(GET_HEALTH.as_bytes()).unwrap();
    }
    for stream in &mut crowd {
        assert_eq!(code(&rest(stream)), "200");
    }
    let (begin, begun) = channel();
    let (blocked, go_on) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            world.at_gate(move |_, _, _| {
                begin.send(()).unwrap();
                go_on.recv()
            })
        });
        begun.recv().unwrap();
        // The loop sees the newcomer first, then the ends of the others.
        let mut next = world.connect_from(household(0));
        drop(crowd);
        drop(blocked);
        next.write_all(GET_HEALTH.as_bytes()).unwrap();
        assert_eq!(code(&rest(&mut next)), "200");
    });
}

#[test]
fn a_flood_of_silent_clients_leaves_room_for_an_honest_one() {
    let world = World::new(engine(0));
    let crowd: Vec<_> =
        (0..CONNECTIONS_MAX + 100).map(|n| world.connect_from(household(n))).collect();
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
    world.wait_for_connections(|n| n <= CONNECTIONS_MAX);
    drop(crowd);
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn half_requests_of_many_do_not_fill_the_memory() {
    let world = World::new(engine(0));
    let half = format!("POST / HTTP/1.1\r\nContent-Length: 16000\r\n\r\n{}", "x".repeat(15_999));
    let crowd: Vec<_> = (0..CONNECTIONS_MAX)
        .map(|n| {
            let mut stream = world.connect_from(household(n));
            let _ = stream.write_all(half.as_bytes());
            stream
        })
        .collect();
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
    world.wait_for_connections(|n| n <= HELD_MAX / half.len());
    drop(crowd);
}

#[test]
fn many_at_once_are_all_answered() {
    let world = World::new(engine(0));
    let clients: Vec<_> = (0..60)
        .map(|n| {
            let mut stream = world.connect_from(household(n % 3));
            stream.write_all(GET_HEALTH.as_bytes()).unwrap();
            stream
        })
        .collect();
    for mut client in clients {
        assert_eq!(code(&rest(&mut client)), "200");
    }
}

#[test]
fn a_large_answer_arrives_whole() {
    let world = World::new(engine(10_000));
    let answer = world.talk("GET /healthchecker/status HTTP/1.1\r\n\r\n");
    assert!(answer.len() > 3_000_000 && answer.ends_with("]}\n"));
    assert!(answer.contains(&format!("Content-Length: {}\r\n", body(&answer).len())));
}

#[test]
fn those_who_take_nothing_of_a_large_answer_give_way_to_who_waits() {
    let world = World::new(engine(10_000));
    let mut greedy: Vec<_> = (0..API_PLACES)
        .map(|n| {
            let mut stream = world.connect_from(household(n));
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let mut begun = [0; 9];
    for stream in &mut greedy {
        stream.read_exact(&mut begun).unwrap();
    }
    world.wait_for_calm();
    let mut honest = world.connect();
    honest.write_all(GET_HEALTH.as_bytes()).unwrap();
    world.wait_for_connections(|n| n == API_PLACES + 1);
    world.wait_for_calm();
    assert_eq!(world.connections(), API_PLACES + 1, "nobody goes before their time");
    world.skip(GIVES_WAY_AFTER);
    assert_eq!(code(&rest(&mut honest)), "200");
}

#[test]
fn those_who_take_nothing_of_a_large_answer_hold_up_nobody_else_and_are_let_go() {
    let world = World::new(engine(10_000));
    let mut greedy: Vec<_> = (0..4)
        .map(|_| {
            let mut stream = world.connect_from(household(0));
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    let mut begun = [0; 9];
    greedy[0].read_exact(&mut begun).unwrap();
    greedy[1].read_exact(&mut begun).unwrap();
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
    // The first two stall, then the next two.
    world.wait_for_calm();
    world.skip(STALL_MAX);
    greedy[2].read_exact(&mut begun).unwrap();
    greedy[3].read_exact(&mut begun).unwrap();
    world.wait_for_calm();
    world.skip(STALL_MAX);
    world.wait_for_connections(|n| n == 0);
}
