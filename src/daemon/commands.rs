//! What clients ask for, carried out by the engine.

use super::api::{About, Became, Command, Done};
use crate::engine::beats::Heard;
use crate::engine::core::{CommandError, Engine, Registered};
use crate::engine::incidents::mutes::{HowLong, What};
use crate::engine::registration::Registration;
use crate::engine::registration::fields::shown;
use crate::engine::time::Now;

/// What is said when an app has moved, and who moved it may be anybody.
const AUTH_GONE: &str = "auth was for the address and the care over TLS before, and is removed: give it again if it is for these";

/// Carries a command out: what it did is in effect, and not on disk yet.
///
/// # Errors
/// No app has this name, or it is not the time for it.
pub fn carry_out(engine: &mut Engine, now: Now, command: Command) -> Result<Done, CommandError> {
    Ok(match command {
        Command::Monitor(registration) => {
            let appname = engine.name_for(&registration.name)?;
            let registration = Registration { name: appname.clone(), ..*registration };
            let says_auth = registration.target.says_auth();
            let had_auth = has_auth(engine, &appname);
            let result = engine.register(now, registration)?.into();
            let mut warnings = warnings(engine, &appname);
            if had_auth && !says_auth && !has_auth(engine, &appname) {
                warnings.push(AUTH_GONE.to_owned());
            }
            Done { warnings, ..done(appname, result) }
        }
        Command::Pause(name) => {
            let name = engine.on_record(&name)?;
            engine.pause(now, &name)?;
            done(name, Became::Paused)
        }
        Command::Quiet(name, span) => {
            let name = engine.on_record(&name)?;
            let is_quiet = engine.pause_for(now, &name, span)?;
            done(name, if is_quiet { Became::Quiet } else { Became::Paused })
        }
        Command::Mute(what, how_long) => {
            let what = match what {
                What::App(name, to) => What::App(engine.on_record(&name)?, to),
                mail @ What::Mail(..) => mail,
            };
            engine.mute(now, &what, how_long)?;
            let result = if how_long == HowLong::Not { Became::Unmuted } else { Became::Muted };
            match what {
                What::App(name, _) => done(name, result),
                What::Mail(_, to) => {
                    Done { about: About::Email(to.to_string()), ..done(String::new(), result) }
                }
            }
        }
        Command::Resume(name) => {
            let name = engine.on_record(&name)?;
            engine.resume(now, &name)?;
            done(name, Became::Resumed)
        }
        Command::Stop(name) => {
            let name = engine.on_record(&name)?;
            engine.stop(now, &name)?;
            done(name, Became::Stopped)
        }
        Command::Check(name) => {
            let name = engine.on_record(&name)?;
            engine.check(now, &name)?;
            done(name, Became::Asked)
        }
        Command::Beat(name, report) => {
            let name = engine.on_record(&name)?;
            let became = match engine.hear(now, &name, report)? {
                Heard::Counted => Became::Heard,
                Heard::Paused => Became::Paused,
            };
            done(name, became)
        }
        Command::Seen(email) => {
            engine.seen(&email)?;
            let about = About::Email(email);
            Done { about, result: Became::Seen, key: None, warnings: Vec::new() }
        }
    })
}

/// What of the app of this name may not be as it was meant.
pub(super) fn warnings(engine: &Engine, appname: &str) -> Vec<String> {
    let warning = |name: &String| {
        format!("parent {} is not watched: it explains nothing until it is", shown(name))
    };
    engine.unknown_parents(appname).iter().map(warning).collect()
}

fn has_auth(engine: &Engine, appname: &str) -> bool {
    engine.view().registered(appname).is_some_and(|app| app.target.auth().is_some())
}

fn done(appname: String, result: Became) -> Done {
    Done { about: About::AppName(appname), result, key: None, warnings: Vec::new() }
}

impl From<Registered> for Became {
    fn from(registered: Registered) -> Became {
        match registered {
            Registered::New => Became::Registered,
            Registered::Updated => Became::Updated,
            Registered::Unchanged => Became::Unchanged,
        }
    }
}
