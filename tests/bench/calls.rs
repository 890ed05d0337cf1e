//! What a check asks of the machine: system calls, which strace counts, and instructions, which an emulator does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::daemon::{Daemon, Start};
use crate::report::Report;
use crate::scale::until_in_rounds;
use crate::target::Target;

const INTERVAL: u64 = 5;
/// Apps while system calls are counted, and instructions: emulated, each takes many times as long.
const APPS: [usize; 2] = [1_000, 100];
/// Runs the program of a Pi Zero, and has plugins; the static one has none.
const EMULATOR: &str = "qemu-arm";
/// So many kinds of calls are named.
const NAMED: usize = 8;
/// A tool that has not done what it was told by then never does.
const PATIENCE: Duration = Duration::from_secs(30);

/// Counts both, each where its tool is installed.
pub(crate) fn measure(report: &mut Report) {
    let seconds = report.seconds(20);
    match system_calls(if report.quick { 100 } else { APPS[0] }, seconds) {
        Some((figures, words)) => {
            report.note("system_calls", "system calls for a check", figures, &words);
        }
        None => println!("{:<38}no strace", "system calls for a check"),
    }
    match instructions(APPS[1], report.seconds(30)) {
        Some(count) => report.note(
            "instructions",
            "ARMv6 instructions for a check",
            json!({ "apps": APPS[1], "a_check": count }),
            &format!("{count:.0}, beside the kernel's, {} apps at {INTERVAL} s", APPS[1]),
        ),
        None => {
            println!("{:<38}no program, no cc or no {EMULATOR}", "ARMv6 instructions for a check")
        }
    }
}

fn system_calls(apps: usize, seconds: u64) -> Option<(Value, String)> {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, apps, INTERVAL);
    thread::sleep(until_in_rounds(INTERVAL));
    let counts = tempfile::NamedTempFile::new().unwrap();
    let pid = daemon.pid().to_string();
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-q", "-p", &pid, "-o"])
        .arg(counts.path())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let status = format!("/proc/{pid}/status");
    wait_for(|| !fs::read_to_string(&status).unwrap().contains("TracerPid:\t0\n"));
    target.forget();
    thread::sleep(Duration::from_secs(seconds));
    let checks = target.arrivals().len() as f64;
    Command::new("kill").args(["-INT", &strace.id().to_string()]).status().ok()?;
    strace.wait().ok()?;
    Some(told(&fs::read_to_string(counts.path()).unwrap(), apps, checks))
}

/// What stands in the table of strace.
fn told(table: &str, apps: usize, checks: f64) -> (Value, String) {
    // % time, seconds, usecs/call, calls, errors where there are any, syscall.
    let row = |line: &str| -> Option<(String, f64)> {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let calls = columns.get(3)?.parse::<f64>().ok()?;
        Some(((*columns.last()?).to_owned(), calls / checks))
    };
    let mut rows: Vec<(String, f64)> = table.lines().filter_map(row).collect();
    rows.retain(|(name, _)| name != "total");
    rows.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let all: f64 = rows.iter().map(|(_, calls)| calls).sum();
    let named: Vec<String> =
        rows.iter().take(NAMED).map(|(name, calls)| format!("{name} {calls:.2}")).collect();
    let calls: serde_json::Map<String, Value> =
        rows.into_iter().map(|(name, calls)| (name, json!(calls))).collect();
    let words = format!("{all:.1}, {apps} apps at {INTERVAL} s: {}", named.join(", "));
    (json!({ "apps": apps, "a_check": all, "by_call": calls }), words)
}

/// Instructions of the program of a Pi Zero for a check, the kernel's not among them: what emulates it counts them.
fn instructions(apps: usize, seconds: u64) -> Option<f64> {
    let program = arm_binary().filter(|program| program.exists())?;
    let folder = tempfile::tempdir().unwrap();
    let [counter, counted] = ["counter.so", "counted"].map(|name| folder.path().join(name));
    let made = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&counter)
        .arg(repository().join("packaging/instructions.c"))
        .status();
    made.ok().filter(ExitStatus::success)?;
    Command::new(EMULATOR).arg("-version").output().ok()?;
    let plugin = counter.to_str()?.to_owned();
    let under = [EMULATOR, "-cpu", "arm1176", "-plugin", &plugin].map(str::to_owned);
    let variables = [("INSTRUCTIONS", counted.to_str()?.to_owned())];
    let target = Target::start();
    let how = Start { under: &under, program: Some(program), variables: &variables };
    let daemon = Daemon::start_as(&how);
    daemon.watch(target.address, apps, INTERVAL);
    thread::sleep(until_in_rounds(INTERVAL));
    let count = || Some(u64::from_le_bytes(fs::read(&counted).ok()?.try_into().ok()?));
    target.forget();
    let before = count()?;
    thread::sleep(Duration::from_secs(seconds));
    let checks = target.arrivals().len() as f64;
    Some((count()? - before) as f64 / checks)
}

/// The program of a Pi Zero, where it was built: `make arm`.
fn arm_binary() -> Option<PathBuf> {
    let built = repository().join("target/arm-unknown-linux-musleabihf/release/healthchecker");
    let named = env::var_os("HEALTHCHECKER_ARM_BIN").map(PathBuf::from).unwrap_or(built);
    std::path::absolute(named).ok()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn wait_for(is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
}
