//! The program that `make simulate` calls: one story told at length, or the score of many.

mod order;
mod seeds;
mod shrink;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::order::{Kind, Order};
use crate::judge::{Score, judge};
use crate::report;
use crate::world::{Effort, Finding, Part, clock};

/// The program.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match Order::read(&arguments, |name| std::env::var(name).ok()) {
        Ok(order) => carry_out(&order),
        Err(why) => {
            say(&format!("{why}\n"));
            ExitCode::from(64)
        }
    }
}

fn carry_out(order: &Order) -> ExitCode {
    let began = Instant::now();
    let (outcome, effort) = if order.seeds == 1 {
        seeds::one(&order.kind, order.seed, (order.tell, order.letters.is_some()))
    } else {
        match seeds::many(order) {
            Ok(done) => done,
            Err(why) => {
                say(&format!("cannot keep what is done below {}: {why}\n", seeds::FOLDER));
                return ExitCode::from(74);
            }
        }
    };
    let mut text = report::table(&outcome.score);
    outcome.told.iter().for_each(|told| _ = write!(text, "\n{told}"));
    if order.seeds > 1 {
        let lines = outcome.first_lines(order.tell);
        lines.iter().for_each(|line| _ = write!(text, "\n{line}"));
        text.push('\n');
    }
    for broken in &outcome.broken {
        let _ = write!(text, "\n{broken}");
    }
    if order.shrink {
        let is_broken = !outcome.broken.is_empty();
        let smallest = is_broken.then(|| shrink::smallest(&order.kind, order.seed)).flatten();
        text += &smallest.unwrap_or_else(|| "\nnothing to shrink: no promise is broken\n".into());
    }
    let _ = write!(
        text,
        "\n{} broken promises, {} mistakes\n",
        outcome.promises_broken, outcome.mistakes
    );
    let _ = std::io::stdout().write_all(text.as_bytes());
    let mut written = true;
    if let Some(file) = &order.json {
        let mut json = report::json(&outcome.score);
        json["broken_promises"] = outcome.promises_broken.into();
        json["order"] = order.kind.words().into();
        written &= write(file, &format!("{json:#}\n"));
    }
    if let Some(file) = &order.letters {
        written &= write(file, &outcome.letters);
    }
    if !written {
        return ExitCode::from(74);
    }
    say(&cost(&effort, began.elapsed()));
    let is_faulty = outcome.promises_broken > 0 || outcome.mistakes > 0;
    ExitCode::from(u8::from(order.strict && is_faulty))
}

fn write(file: &Path, text: &str) -> bool {
    let done = std::fs::write(file, text);
    if let Err(why) = &done {
        say(&format!("cannot write {}: {why}\n", file.display()));
    }
    done.is_ok()
}

/// Where the time went: not the same twice.
fn cost(effort: &Effort, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let mut text = format!(
        "{} checks in {seconds:.1} s, {:.0} a second, {:.1} s of processor",
        effort.checks,
        effort.checks as f64 / seconds.max(1e-9),
        effort.processor.as_secs_f64()
    );
    let whole: Duration = effort.took;
    for part in Part::ALL {
        let share = effort.spent(part).as_secs_f64() / whole.as_secs_f64().max(1e-9) * 100.0;
        let _ = write!(text, ", {} {share:.0} %", part.word());
    }
    text + "\n"
}

fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A promise that was broken, at length.
fn told(seed: u64, kind: &Kind, finding: &Finding) -> String {
    let mut text = format!(
        "seed {seed}, {}: {}: {}\nmake simulate SEED={seed} {}\n",
        clock(finding.at),
        finding.kind,
        finding.what,
        kind.words()
    );
    finding.around.iter().for_each(|line| _ = writeln!(text, "    {line}"));
    text
}
