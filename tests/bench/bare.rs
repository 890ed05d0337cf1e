//! The limit: one thread, a fresh connection for each GET, nothing else. In a process of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::figures::Usage;
use crate::target::Target;

/// What makes this program be the loop.
pub(crate) const NAME: &str = "bare-loop";

/// So many GETs without a pause; as few show what it costs, for caches are warm at once.
const WITHOUT_A_PAUSE: u64 = 20_000;
/// At a pace it goes on for so long.
const PACED_SECONDS: u64 = 15;

/// Microseconds of CPU for a GET without a pause.
pub(crate) fn warm(quick: bool) -> f64 {
    cost(if quick { WITHOUT_A_PAUSE / 10 } else { WITHOUT_A_PAUSE }, Duration::ZERO)
}

/// The same with so many GETs a second, evenly: caches are cold, and each wakes the machine.
pub(crate) fn paced(quick: bool, a_second: f64) -> f64 {
    let seconds = if quick { PACED_SECONDS / 3 } else { PACED_SECONDS };
    let count = (a_second * seconds as f64).max(10.0) as u64;
    cost(count, Duration::from_secs_f64(1.0 / a_second))
}

fn cost(count: u64, every: Duration) -> f64 {
    let target = Target::start();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([NAME, &target.address.to_string(), &count.to_string()])
        .arg(every.as_micros().to_string())
        .output()
        .unwrap();
    let microseconds: f64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
    microseconds / count as f64
}

/// The process itself: its arguments are the target, how many GETs, and every how many microseconds.
pub(crate) fn run(arguments: &[String]) {
    let target: SocketAddr = arguments[0].parse().unwrap();
    let [count, every] = [1, 2].map(|at| arguments[at].parse::<u64>().unwrap());
    let before = Usage::of(std::process::id()).cpu;
    let mut next = Instant::now();
    for _ in 0..count {
        thread::sleep(next.saturating_duration_since(Instant::now()));
        next += Duration::from_micros(every);
        get(target);
    }
    println!("{}", (Usage::of(std::process::id()).cpu - before).as_micros());
}

fn get(target: SocketAddr) {
    let mut stream = TcpStream::connect(target).unwrap();
    stream.write_all(b"GET /0/health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}
