//! What the daemon costs and how well it keeps time: `make bench`.
//!
//! Starts the real binary against targets on loopback, and counts at the targets. CPU is set
//! against a bare loop of blocking GETs in the same run, and against Monit where there is one, since
//! machines differ and drift.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly"
)]

mod board;
mod daemon;
mod day;
mod engine;
mod figures;
mod kinds;
mod monit;
mod page;
mod plot;
mod scale;
mod step;
mod target;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use daemon::Daemon;
use figures::{Usage, percentile};
use target::Target;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "bare-loop") {
        let number = |at: usize| arguments[at].parse().unwrap();
        return bare_loop(
            arguments[at + 1].parse().unwrap(),
            number(at + 2),
            Duration::from_millis(number(at + 3)),
        );
    }
    if arguments.iter().any(|argument| argument == "page") {
        return shown();
    }
    if arguments.iter().any(|argument| argument == "plots") {
        return plot::draw();
    }
    let quick = std::env::var_os("QUICK").is_some();
    if arguments.iter().any(|argument| argument == "scale") {
        return grow(quick, &Bare::measure(quick));
    }
    if arguments.iter().any(|argument| argument == "kinds") {
        return kinds::compare(if quick { 15 } else { 60 });
    }
    println!("{:<38}measured", "what");
    start_to_first_answer();
    start_with(1_000);
    registrations(if quick { 100 } else { 1_000 });
    sd_card();
    let step = step::microseconds(50, if quick { 100_000 } else { 1_000_000 });
    println!(
        "{:<38}{step:.2} µs, an hourly record included",
        "a check of 50 apps in the engine: CPU"
    );
    shown();
    idle(if quick { 5 } else { 30 });
    let bare = Bare::measure(quick);
    grow(quick, &bare);
    let seconds = if quick { 15 } else { 60 };
    looked_at(100, 5, seconds);
    if !quick {
        looked_at(1_000, 5, 60);
    }
    kinds::compare(seconds);
}

/// More and more apps.
fn grow(quick: bool, bare: &Bare) {
    let (seconds, most) = if quick { (15, 100) } else { (60, 10_000) };
    scale::measure(seconds, most, (bare.warm, bare.paced));
}

/// The limit: one thread, a fresh connection for each GET, nothing else.
fn bare_loop(target: SocketAddr, count: u64, pause: Duration) {
    let before = Usage::of(std::process::id()).cpu;
    for _ in 0..count {
        let mut stream = TcpStream::connect(target).unwrap();
        stream
            .write_all(b"GET /0/health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        thread::sleep(pause);
    }
    println!("{}", (Usage::of(std::process::id()).cpu - before).as_secs_f64());
}

/// CPU seconds for 1,000 GETs of the bare loop, in a process of its own: without a pause, when all
/// caches are warm, and at the pace of 100 apps at 5 s, when they are as cold as the daemon's.
struct Bare {
    warm: f64,
    paced: f64,
}

impl Bare {
    fn measure(quick: bool) -> Bare {
        let warm = bare_cost(if quick { 2_000 } else { 20_000 }, 0);
        let paced = bare_cost(if quick { 100 } else { 600 }, 50);
        println!("{:<38}{warm:.3} s per 1,000 checks", "bare loop, without a pause: CPU");
        println!("{:<38}{paced:.3} s per 1,000 checks", "bare loop, 20 a second: CPU");
        Bare { warm, paced }
    }
}

fn bare_cost(count: u64, pause_ms: u64) -> f64 {
    let target = Target::start();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["bare-loop", &target.address.to_string(), &count.to_string(), &pause_ms.to_string()])
        .output()
        .unwrap();
    let seconds: f64 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();
    seconds * 1_000.0 / count as f64
}

fn start_to_first_answer() {
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let daemon = Daemon::start();
            assert!(daemon.get("/health").contains("pass"));
            daemon.started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{:<38}{:.0} ms (median of 5)", "start to first answer", times[2]);
}

fn start_with(apps: usize) {
    let mut daemon = Daemon::start();
    for app in 0..apps {
        daemon.register(&format!("app{app}"), "http://127.0.0.1:9", 300);
    }
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            daemon.restart();
            assert!(daemon.get("/health").contains("pass"));
            daemon.started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{:<38}{:.0} ms (median of 5)", format!("start with {apps} apps on record"), times[2]);
}

/// What a client waits for its registration, beside what the disk takes for a sync at that time.
fn registrations(count: usize) {
    let daemon = Daemon::start();
    let mut file = File::create(daemon.folder().join("sync")).unwrap();
    let (mut syncs, mut answers) = (Vec::new(), Vec::new());
    for app in 0..count {
        syncs.push(milliseconds(|| {
            file.write_all(&[b'x'; 500]).unwrap();
            file.sync_data().unwrap();
        }));
        answers.push(milliseconds(|| {
            daemon.register(&format!("app{app}"), "http://127.0.0.1:9", 300);
        }));
    }
    println!(
        "{:<38}{:.1} / {:.1} ms; one sync of this disk {:.1} / {:.1} ms",
        "registration: p50 / p99",
        percentile(&mut answers, 50.0),
        percentile(&mut answers, 99.0),
        percentile(&mut syncs, 50.0),
        percentile(&mut syncs, 99.0),
    );
}

fn milliseconds(what: impl FnOnce()) -> f64 {
    let began = Instant::now();
    what();
    began.elapsed().as_secs_f64() * 1e3
}

fn sd_card() {
    let kib = day::bytes_written(100) / 1024;
    println!("{:<38}{kib} KiB a day", "written to disk, 100 quiet apps");
}

fn idle(seconds: u64) {
    let daemon = Daemon::start();
    thread::sleep(Duration::from_secs(2));
    let used = Usage::within(Duration::from_secs(seconds), daemon.pid());
    let rate = used.switches as f64 / seconds as f64;
    println!(
        "{:<38}{rate:.2} a second; {} KiB resident, {} threads",
        "idle: wake-ups, all threads", used.resident_kib, used.threads
    );
}

fn shown() {
    page::memory(10_000);
    page::show(1_000);
    page::show(10_000);
}

/// Whether checks are late while everything is shown, again and again.
fn while_shown(daemon: &Daemon, target: &Target, apps: usize, interval: u64, seconds: u64) {
    target.forget();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut pages = Vec::new();
    while Instant::now() < until {
        pages.push(milliseconds(|| {
            assert!(daemon.get("/healthchecker/status?format=html").contains("</html>"));
        }));
        thread::sleep(Duration::from_millis(200));
    }
    let arrivals = target.arrivals();
    let mut deviations = figures::deviations(&arrivals, apps, Duration::from_secs(interval));
    println!(
        "{:<38}page p50 {:.0} ms; deviation p50 / p99 {:.2} / {:.2} ms",
        format!("{apps} apps at {interval} s: 5 looks a second"),
        percentile(&mut pages, 50.0),
        percentile(&mut deviations, 50.0),
        percentile(&mut deviations, 99.0)
    );
}

/// Whether checks are late while somebody looks at the page again and again.
fn looked_at(apps: usize, interval: u64, seconds: u64) {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, apps, interval);
    thread::sleep(scale::until_in_rounds(interval));
    while_shown(&daemon, &target, apps, interval, seconds);
}
