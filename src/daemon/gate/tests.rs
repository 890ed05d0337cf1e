mod flood;
mod held;
mod world;

use crate::daemon::channel::{self, channel};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::daemon::api::{About, ApiRequest, Became, Command, Done, LoopState, Problem, Responder};
use crate::daemon::journal::Stats;
use crate::daemon::metrics::PoolUse;
use crate::engine::core::{Engine, Options};
use crate::engine::outbox::Policy;
use crate::engine::recipients::Recipients;
use crate::engine::registration::{Origin, Registration};
use crate::engine::time::{Moment, Now};

use super::*;
use connection::{ANSWER_WITHIN, DRAIN_FOR, REQUEST_WITHIN, STALL_MAX};
use places::SHARE_PER_ADDRESS;
use world::{World, rest};

/// Characters in the path of an app's address: so, 10,000 apps are a large answer.
const URL: usize = 480;

/// Answers every call at once; `apps` apps are there to be seen.
fn engine(apps: usize) -> impl FnMut(ApiRequest) + Send {
    let (now, started) = (Now::default(), Moment::START);
    let recipients = Recipients::new(Vec::new(), &[]);
    let options = Options {
        mail: Policy { mailing: false, mail_without_clock: false, recipients: recipients.clone() },
        workers: 1,
        seed: 1,
        boot_id: None,
        settle: Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: crate::engine::registration::QuietTimes::default(),
        zone: crate::engine::time::Zone::UTC,
    };
    let mut engine = Engine::new(options);
    for n in 0..apps {
        let fields = [
            ("appname", format!("app-{n:06}")),
            ("url", format!("http://kodi/{}", "x".repeat(URL))),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let app = Registration::from_fields(&fields, Origin::Network, &recipients).unwrap();
        let name = app.name.clone();
        engine.register(now, app).unwrap();
        // One that is not paused is given a place among the others, which takes long for so many.
        engine.pause(now, &name).unwrap();
    }
    move |request| match request {
        ApiRequest::Query(query) => {
            let (pool, journal) = (PoolUse::default(), Stats::default());
            let (engine, disk, names) = (&engine, Vec::new(), Vec::new());
            query.answer(&LoopState { engine, now, started, disk, names, pool, journal });
        }
        ApiRequest::Do { command, responder } => responder.answer(match command {
            Command::Monitor(registration) => Ok(done(registration.name, Became::Registered)),
            Command::Pause(name) => Ok(done(name, Became::Paused)),
            Command::Mute(..) => Err(Problem::nothing_to_mute()),
            Command::Quiet(name, _) => Ok(done(name, Became::Quiet)),
            Command::Resume(name) => Ok(done(name, Became::Resumed)),
            Command::Stop(name) => Ok(done(name, Became::Stopped)),
            Command::Check(name) => Ok(done(name, Became::Asked)),
            Command::Beat(name, _) => Ok(done(name, Became::Heard)),
            Command::Seen(email) => Err(Problem::nothing_refused(&email)),
        }),
    }
}

fn done(appname: String, result: Became) -> Done {
    Done { about: About::AppName(appname), result, key: None, warnings: Vec::new() }
}

/// The command of a request that is answered by hand.
fn command(request: ApiRequest) -> (Command, Responder) {
    match request {
        ApiRequest::Do { command, responder } => (command, responder),
        ApiRequest::Query(query) => panic!("{query:?}"),
    }
}

fn paused() -> Result<Done, Problem> {
    Ok(done("Kodi".to_owned(), Became::Paused))
}

fn answer_paused(request: ApiRequest) {
    command(request).1.answer(paused());
}

const PAUSE: &str = "GET /healthchecker/pause?appname=Kodi HTTP/1.1\r\nHost: pi\r\n\r\n";
const GET_HEALTH: &str = "GET /health HTTP/1.1\r\nHost: pi\r\n\r\n";

fn post(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /healthchecker/monitor HTTP/1.1\r\nHost: pi\r\nContent-Type: {content_type}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn code(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[test]
fn a_registration_arrives_in_each_of_its_forms() {
    let world = World::new(engine(0));
    // An address that is taken from callers on the daemon's own machine alone.
    let query = "appname=Kodi&url=http%3A%2F%2F127.0.0.1";
    for request in [
        post("application/x-www-form-urlencoded", query),
        post("application/json", r#"{"appname": "Kodi", "url": "http://127.0.0.1"}"#),
        format!("POST /healthchecker/monitor?{query} HTTP/1.0\r\n\r\n"),
    ] {
        let answer = world.talk(&request);
        assert_eq!(code(&answer), "200", "{answer}");
        assert_eq!(body(&answer), "{\"appname\":\"Kodi\",\"result\":\"registered\"}\n");
    }
}

#[test]
fn an_answer_closes_the_connection_and_says_so() {
    let world = World::new(engine(0));
    let answer = world.talk(GET_HEALTH);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.contains("Content-Type: application/health+json\r\n"));
    assert!(!answer.contains("chunked"));
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn head_is_get_without_the_body() {
    let world = World::new(engine(3));
    let get = world.talk("GET /healthchecker/status HTTP/1.1\r\n\r\n");
    let head = world.talk("HEAD /healthchecker/status HTTP/1.1\r\n\r\n");
    let length = format!("Content-Length: {}\r\n", body(&get).len());
    assert!(get.contains(&length) && head.contains(&length), "{head}");
    assert_eq!(body(&head), "");
}

#[test]
fn mistakes_are_named() {
    let world = World::new(engine(0));
    for (request, status, word) in [
        ("GET /nothing HTTP/1.1\r\n\r\n", "404", "status"),
        ("GET /healthchecker/info?appname=x HTTP/1.1\r\n\r\n", "404", "appname"),
        ("PUT /healthchecker/monitor HTTP/1.1\r\n\r\n", "405", "Allow: POST\r\n"),
        ("TRACE / HTTP/1.1\r\n\r\n", "405", "Allow: GET, HEAD, POST\r\n"),
        ("GET /healthchecker/pause HTTP/1.1\r\n\r\n", "400", "appname"),
        (
            "POST /healthchecker/monitor?interval=3&appname=a&url=http://a HTTP/1.1\r\n\r\n",
            "400",
            "5 to 300",
        ),
        (
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "400",
            "Content-Length",
        ),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501", "chunked"),
        ("POST / HTTP/1.1\r\nContent-Length: 9000000000000000000\r\n\r\n", "413", "16384"),
        ("\u{16}\u{3}\u{1}", "400", "https"),
    ] {
        let answer = world.talk(request);
        assert_eq!(code(&answer), status, "{request:?} gave {answer}");
        assert!(answer.contains(word), "{answer}");
        assert!(
            serde_json::from_str::<serde_json::Value>(body(&answer)).unwrap()["error"].is_string()
        );
    }
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(9000));
    assert_eq!(code(&world.talk(long)), "431");
    let fair = format!("GET /health HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(2000));
    assert_eq!(code(&world.talk(fair)), "200");
}

#[test]
fn a_refusal_arrives_though_the_client_goes_on_sending() {
    let world = World::new(engine(0));
    let mut stream = world.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n").unwrap();
    stream.write_all(&vec![b'x'; 3_000_000]).unwrap();
    assert_eq!(code(&rest(&mut stream)), "413");
}

#[test]
fn what_follows_a_request_is_ignored() {
    let world = World::new(engine(0));
    let answer = world.talk(GET_HEALTH.repeat(20));
    assert_eq!(answer.matches("HTTP/1.1").count(), 1);
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let world = World::new(engine(0));
    let mut stream = world.connect();
    stream.set_nodelay(true).unwrap();
    for byte in post("", "appname=a&url=http://a").bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(code(&rest(&mut stream)), "200");
}

#[test]
fn a_body_is_invited() {
    let world = World::new(engine(0));
    let mut stream = world.connect();
    let whole = post("", "appname=a&url=http://a").replace("Host: pi", "Expect: 100-continue");
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
    let mut invitation = [0; 25];
    stream.read_exact(&mut invitation).unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(code(&rest(&mut stream)), "200");
}

#[test]
fn a_client_that_closes_its_side_is_answered_all_the_same() {
    let world = World::new(engine(0));
    for (request, status) in [(GET_HEALTH, "200"), ("GET /hea", "400")] {
        let mut stream = world.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(code(&rest(&mut stream)), status);
    }
}

#[test]
fn a_slow_client_is_told_after_the_deadline_and_not_before() {
    let world = World::new(engine(0));
    let mut slow = world.connect();
    slow.write_all(b"GET /hea").unwrap();
    world.wait_for_connections(|n| n == 1);
    world.skip(REQUEST_WITHIN / 2);
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
    slow.write_all(b"l").unwrap();
    world.skip(REQUEST_WITHIN / 2);
    assert_eq!(code(&rest(&mut slow)), "408");
}

#[test]
fn a_client_that_never_hangs_up_is_let_go() {
    let world = World::new(engine(0));
    let mut stream = world.connect();
    world.wait_for_connections(|n| n == 1);
    stream.write_all(GET_HEALTH.as_bytes()).unwrap();
    assert_eq!(code(&rest(&mut stream)), "200");
    world.skip(DRAIN_FOR);
    world.wait_for_connections(|n| n == 0);
}

#[test]
fn resets_at_any_time_do_no_harm() {
    let world = World::new(engine(500));
    for request in ["", "GET /hea", GET_HEALTH, "GET / HTTP/1.1\r\n\r\n"] {
        for _ in 0..25 {
            let mut stream = world.connect_from(household(3));
            let _ = stream.write_all(request.as_bytes());
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
    // Accepted in order: by then all of them have been.
    assert_eq!(code(&world.talk(GET_HEALTH)), "200");
    world.wait_for_connections(|n| n == 0);
}

fn household(n: usize) -> IpAddr {
    let n = u8::try_from(n % 200).unwrap();
    Ipv4Addr::new(127, 0, 7, n + 1).into()
}

/// An engine that hands its calls to the test.
fn by_hand() -> (World, channel::Receiver<ApiRequest>) {
    let (calls, taken) = channel();
    let world = World::new(move |request| calls.send(request).unwrap());
    (world, taken)
}

#[test]
fn one_address_has_only_so_many_calls_under_way() {
    let (world, calls) = by_hand();
    let ask = |from: usize| {
        let mut stream = world.connect_from(household(from));
        stream.write_all(PAUSE.replace("Kodi", &from.to_string()).as_bytes()).unwrap();
        stream
    };
    let mut same: Vec<_> = (0..5).map(|_| ask(1)).collect();
    let mut other = ask(2);
    let first: Vec<_> = (0..3).map(|_| command(calls.recv().unwrap())).collect();
    assert!(calls.try_recv().is_err());
    let of_one = first.iter().filter(|(command, _)| *command == Command::Pause("1".to_owned()));
    assert_eq!(of_one.count(), API_PLACES_PER_ADDRESS);
    first.into_iter().for_each(|(_, responder)| responder.answer(paused()));
    assert_eq!(code(&rest(&mut other)), "200");
    for _ in 0..3 {
        answer_paused(calls.recv().unwrap());
    }
    for stream in &mut same {
        assert_eq!(code(&rest(stream)), "200");
    }
}

#[test]
fn without_an_answer_the_client_is_told_so() {
    let (world, calls) = by_hand();
    let mut asked = world.connect();
    asked.write_all(GET_HEALTH.as_bytes()).unwrap();
    drop(calls.recv().unwrap());
    assert_eq!(code(&rest(&mut asked)), "503");
    let mut asked = ["GET", "HEAD"].map(|method| {
        let mut stream = world.connect();
        stream.write_all(GET_HEALTH.replace("GET", method).as_bytes()).unwrap();
        stream
    });
    let _kept = [(); 2].map(|()| calls.recv().unwrap());
    world.skip(ANSWER_WITHIN);
    let answers = asked.each_mut().map(rest);
    assert_eq!(answers.each_ref().map(|answer| code(answer)), ["503", "503"]);
    assert!(body(&answers[0]).contains("try again"));
    assert_eq!(body(&answers[1]), "");
}

#[test]
fn at_the_end_the_answers_under_way_are_finished() {
    let (mut world, calls) = by_hand();
    let mut half = world.connect();
    half.write_all(b"GET /hea").unwrap();
    let mut asked = world.connect();
    asked.write_all(PAUSE.as_bytes()).unwrap();
    let call = calls.recv().unwrap();
    world.wait_for_connections(|n| n == 2);
    world.stop();
    assert_eq!(code(&rest(&mut half)), "503");
    assert!(TcpStream::connect(world.addr).is_err());
    answer_paused(call);
    assert_eq!(code(&rest(&mut asked)), "200");
    drop((half, asked));
    world.join();
}
