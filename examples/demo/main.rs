//! The daemon with six pretend apps on this machine that fail, hang, warn, vanish together and come back, within a
//! minute: `make demo`. Its mails are not sent; they stand in its log, which is what you see.
//!
//! `demo PROGRAM [--once]`: with the daemon's program; `--once` ends when the story does.

// A program of its own says itself what it does.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod app;
mod daemon;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use app::{Mood, PretendApp};
use daemon::Daemon;

// Two, as a third mail of trouble to one person within a quarter of an hour waits.
const YOU: &str = "you@example.org";
const ANNA: &str = "anna@example.org";
const FAILS: Mood = Mood::Fails("no picture from the camera");
/// What a small program takes to start again.
const RESTART: Duration = Duration::from_secs(4);
const WARNS: Mood = Mood::Warns("the disk is 93 % full");

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(program), option) = (args.next(), args.next()) else {
        eprintln!("usage: demo PROGRAM [--once]");
        return ExitCode::FAILURE;
    };
    match demonstrate(&program, option.as_deref() == Some("--once")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("the demonstration ends here: {why}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate(program: &str, once: bool) -> Result<(), String> {
    let mut daemon = Daemon::start(program)?;
    let household = Household::new()?;
    say(&format!("the page is at {}: keep it open beside this", daemon.url()));
    household.register(&daemon)?;
    household.live(&mut daemon)?;
    if once {
        return Ok(());
    }
    say(&format!("that was all. The page stays at {} until you press Ctrl-C", daemon.url()));
    daemon.wait();
    Ok(())
}

/// What happens, between the lines of the log.
fn say(what: &str) {
    println!("\n>>> {what}\n");
}

struct Household {
    doorbell: PretendApp,
    kodi: PretendApp,
    nas: PretendApp,
    together: [PretendApp; 3],
}

impl Household {
    fn new() -> Result<Self, String> {
        Ok(Self {
            doorbell: PretendApp::start("Doorbell", YOU)?,
            kodi: PretendApp::start("Kodi", YOU)?,
            nas: PretendApp::start("NAS", ANNA)?,
            together: [
                PretendApp::start("Heating", ANNA)?,
                PretendApp::start("Lights", ANNA)?,
                PretendApp::start("Music", ANNA)?,
            ],
        })
    }

    fn register(&self, daemon: &Daemon) -> Result<(), String> {
        for app in [&self.doorbell, &self.kodi, &self.nas].into_iter().chain(&self.together) {
            daemon.register(app)?;
        }
        Ok(())
    }

    fn all_together(&self, mood: Mood) {
        for app in &self.together {
            app.set(mood);
        }
    }

    fn live(&self, daemon: &mut Daemon) -> Result<(), String> {
        say("six apps are asked every 5 s; each is HEALTHY after two checks that passed");
        for app in [&self.doorbell, &self.kodi, &self.nas].into_iter().chain(&self.together) {
            daemon.wait_for(&format!("{}: UNKNOWN -> HEALTHY", app.name))?;
        }
        daemon.wait_for_mail("Now watching")?;
        self.a_restart(daemon)?;
        self.one_after_the_other(daemon)?;
        self.three_at_once(daemon)
    }

    fn a_restart(&self, daemon: &Daemon) -> Result<(), String> {
        let [heating, ..] = &self.together;
        say("Heating is restarted, and registers again as it does at each start: nobody is told");
        heating.set(Mood::Gone);
        thread::sleep(RESTART);
        heating.set(Mood::Well);
        daemon.register(heating)
    }

    fn one_after_the_other(&self, daemon: &mut Daemon) -> Result<(), String> {
        say("Doorbell says that it fails: its people are told after the second failed check");
        self.doorbell.set(FAILS);
        daemon.wait_for_mail("Doorbell is UNHEALTHY")?;

        say(
            "Doorbell works again: a mail says so. Kodi hangs; NAS warns that its disk is nearly full",
        );
        self.doorbell.set(Mood::Well);
        self.kodi.set(Mood::Hangs);
        self.nas.set(WARNS);
        daemon.wait_for_mail("Doorbell is HEALTHY again")?;
        daemon.wait_for_mail("Kodi is UNHEALTHY")?;
        daemon.wait_for_mail("NAS is DEGRADED")?;

        say("Kodi answers again, and NAS has room");
        self.kodi.set(Mood::Well);
        self.nas.set(Mood::Well);
        daemon.wait_for_mail("Kodi is HEALTHY again")?;
        daemon.wait_for_mail("NAS is HEALTHY again")
    }

    fn three_at_once(&self, daemon: &mut Daemon) -> Result<(), String> {
        say("Heating, Lights and Music vanish together: one mail for one event");
        self.all_together(Mood::Gone);
        daemon.wait_for_mail("3 apps are UNHEALTHY")?;

        say("all three are back: one mail says so");
        self.all_together(Mood::Well);
        daemon.wait_for_mail("3 apps are HEALTHY again")
    }
}
