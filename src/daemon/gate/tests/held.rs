//! Answers that promise something, held until it is known what becomes of it.

use std::io::ErrorKind;

use super::*;

/// An answer of this many bytes is more than the gate holds.
const LONG: usize = 2_000_000;

/// Takes the next call, has its answer held, and answers it.
fn hold_next(
    world: &World,
    calls: &channel::Receiver<ApiRequest>,
    done: Result<Done, Problem>,
) -> Ticket {
    let (ticket, responder) = take(world, calls);
    responder.answer(done);
    ticket
}

/// Takes the next call and has its answer held.
fn take(world: &World, calls: &channel::Receiver<ApiRequest>) -> (Ticket, Responder) {
    let (_, responder) = command(calls.recv().unwrap());
    let ticket = responder.promise().ticket();
    world.at_gate(move |gate, _, _| gate.hold(ticket));
    (ticket, responder)
}

fn settle(world: &World, ticket: Ticket, verdict: Settlement) {
    world.at_gate(move |gate, registry, now| gate.settle(registry, ticket, verdict, now));
}

fn instead() -> Settlement {
    Settlement::Instead(
        b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 2\r\n\r\nno".to_vec(),
    )
}

fn ask_from(world: &World, from: usize, request: &str) -> TcpStream {
    let mut stream = world.connect_from(household(from));
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn has_nothing(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    read.is_err_and(|why| why.kind() == ErrorKind::WouldBlock)
}

fn wait_until_all_is_held(world: &World, wanted: usize) {
    world.wait_at_gate(move |gate| gate.places.of_phase(Phase::Holding).len() == wanted);
}

#[test]
fn many_answers_are_held_at_once_and_leave_the_api_to_others() {
    let (world, calls) = by_hand();
    let many = 5 * API_PLACES;
    // All from one machine: what is held takes none of its places at the API.
    let mut clients: Vec<_> = (0..many).map(|_| ask_from(&world, 1, PAUSE)).collect();
    let tickets: Vec<_> = (0..many).map(|_| hold_next(&world, &calls, paused())).collect();
    wait_until_all_is_held(&world, many);
    let mut reader = ask_from(&world, 1, PAUSE);
    answer_paused(calls.recv().unwrap());
    assert_eq!(code(&rest(&mut reader)), "200");
    assert!(clients.iter_mut().all(has_nothing));
    for ticket in tickets {
        settle(&world, ticket, Settlement::True);
    }
    for client in &mut clients {
        let answer = rest(client);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nConnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("}\n") && !answer.contains("X-Healthchecker"), "{answer}");
    }
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn an_answer_that_is_not_true_is_never_given() {
    let (world, calls) = by_hand();
    let mut client = ask_from(&world, 1, PAUSE);
    let ticket = hold_next(&world, &calls, paused());
    wait_until_all_is_held(&world, 1);
    settle(&world, ticket, instead());
    // The first verdict is the last.
    settle(&world, ticket, Settlement::True);
    let answer = rest(&mut client);
    assert!(answer.starts_with("HTTP/1.1 507 Insufficient Storage\r\nConnection: close\r\n"));
    assert!(answer.ends_with("\r\n\r\nno") && !answer.contains("200"), "{answer}");
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn the_disk_may_be_faster_than_the_answer() {
    let (world, calls) = by_hand();
    for (verdict, status) in [(Settlement::True, "200"), (instead(), "507")] {
        let mut client = ask_from(&world, 1, PAUSE);
        let (ticket, responder) = take(&world, &calls);
        settle(&world, ticket, verdict);
        responder.answer(paused());
        assert_eq!(code(&rest(&mut client)), status);
    }
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn a_held_answer_is_given_up_after_the_deadline() {
    let (world, calls) = by_hand();
    let mut client = ask_from(&world, 1, PAUSE);
    let ticket = hold_next(&world, &calls, paused());
    wait_until_all_is_held(&world, 1);
    world.skip(ANSWER_WITHIN);
    let answer = rest(&mut client);
    assert_eq!(code(&answer), "503");
    assert!(body(&answer).contains("try again"));
    settle(&world, ticket, Settlement::True);
    drop(client);
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn a_client_that_hangs_up_meanwhile_leaves_nothing_behind() {
    let (world, calls) = by_hand();
    let gone = ask_from(&world, 1, PAUSE);
    let gone_ticket = hold_next(&world, &calls, paused());
    wait_until_all_is_held(&world, 1);
    SockRef::from(&gone).set_linger(Some(Duration::ZERO)).unwrap();
    drop(gone);
    settle(&world, gone_ticket, Settlement::True);
    world.wait_for_connections(|n| n == 0);
    // Whoever has its place now is not meant.
    let mut next = ask_from(&world, 1, PAUSE);
    let ticket = hold_next(&world, &calls, paused());
    wait_until_all_is_held(&world, 1);
    settle(&world, gone_ticket, Settlement::True);
    assert!(has_nothing(&mut next));
    settle(&world, ticket, Settlement::True);
    assert_eq!(code(&rest(&mut next)), "200");
}

#[test]
fn what_is_held_takes_little_memory_however_long_the_answer() {
    let (world, calls) = by_hand();
    let mut client = ask_from(&world, 1, PAUSE);
    let long = Err(Problem::unavailable("x".repeat(LONG)));
    let ticket = hold_next(&world, &calls, long);
    world.wait_at_gate(|gate| gate.places.held() > HEAD_MAX);
    world.wait_for_calm();
    assert!(world.at_gate(|gate, _, _| gate.places.held()) < LONG / 10);
    assert!(has_nothing(&mut client));
    settle(&world, ticket, Settlement::True);
    assert!(rest(&mut client).len() > LONG);
}

#[test]
fn at_the_end_what_is_held_is_waited_for() {
    let (mut world, calls) = by_hand();
    let mut client = ask_from(&world, 1, PAUSE);
    let ticket = hold_next(&world, &calls, paused());
    wait_until_all_is_held(&world, 1);
    world.stop();
    settle(&world, ticket, Settlement::True);
    assert_eq!(code(&rest(&mut client)), "200");
    drop(client);
    world.join();
}
