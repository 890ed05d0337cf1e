//! What clients ask for, carried out by the engine.

use super::api::{About, Call, Change, Command, Done, Problem, Question, Reply};
use crate::engine::core::{Engine, MOST_APPS, Refusal, Registered};
use crate::engine::registration::Registration;
use crate::engine::registration::census::{Full, PEOPLE_MAX};
use crate::engine::time::{Moment, Now};

/// Carries out one call; `disk` is what there is to say about the disk.
pub(super) fn carry_out(
    engine: &mut Engine,
    now: Now,
    started: Moment,
    disk: Vec<String>,
    call: Call,
) -> Reply {
    answer(engine, now, started, disk, call)
        .unwrap_or_else(|refusal| Reply::Problem(problem(refusal)))
}

fn answer(
    engine: &mut Engine,
    now: Now,
    started: Moment,
    disk: Vec<String>,
    call: Call,
) -> Result<Reply, Refusal> {
    Ok(match call {
        Call::Do(Command::Monitor(registration)) => {
            let appname = engine.name_for(&registration.name)?;
            let registration = Registration { name: appname.clone(), ..*registration };
            done(appname, engine.register(now, registration)?.into())
        }
        Call::Do(Command::Pause(name)) => {
            let name = engine.on_record(&name)?;
            engine.pause(now, &name)?;
            done(name, Change::Paused)
        }
        Call::Do(Command::Resume(name)) => {
            let name = engine.on_record(&name)?;
            engine.resume(now, &name)?;
            done(name, Change::Resumed)
        }
        Call::Do(Command::Stop(name)) => {
            let name = engine.on_record(&name)?;
            engine.stop(now, &name)?;
            done(name, Change::Stopped)
        }
        Call::Do(Command::Check(name)) => {
            let name = engine.on_record(&name)?;
            engine.check(now, &name)?;
            done(name, Change::Asked)
        }
        Call::Do(Command::Seen(email)) => {
            engine.seen(&email)?;
            Reply::Done(Done { about: About::Email(email), result: Change::Seen })
        }
        Call::Show(Question::Info(name)) => {
            let name = engine.on_record(&name)?;
            Reply::Info(Box::new(engine.info(now, &name)?))
        }
        Call::Show(Question::Health) => Reply::Health(Box::new(engine.health(now, started, disk))),
    })
}

fn done(appname: String, result: Change) -> Reply {
    Reply::Done(Done { about: About::AppName(appname), result })
}

impl From<Registered> for Change {
    fn from(registered: Registered) -> Change {
        match registered {
            Registered::New => Change::Registered,
            Registered::Updated => Change::Updated,
            Registered::Unchanged => Change::Unchanged,
        }
    }
}

fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::UnknownApp(name) => Problem::unknown_app(&name),
        Refusal::NothingRefused(address) => Problem::nothing_refused(&address),
        Refusal::BadName(why) => Problem::from(why),
        Refusal::Paused(name) => Problem::paused(&name),
        Refusal::TooManyApps => Problem::unavailable(format!(
            "{MOST_APPS} apps are watched already; stop one of them first"
        )),
        Refusal::Full(Full::People) => Problem {
            field: Some("email".to_owned()),
            ..Problem::unavailable(format!(
                "{PEOPLE_MAX} people are told already, or have mail waiting; name one of them, or nobody"
            ))
        },
        Refusal::Full(Full::Bytes) => Problem::unavailable(
            "the registrations take all the room that there is; stop an app first, or shorten this one"
                .to_owned(),
        ),
    }
}
