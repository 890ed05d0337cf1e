//! Those who call the daemon: apps that register, people who pause, resume and stop. Who gets no answer
//! tries again; what was answered must be true after each start.

use std::collections::{BTreeMap, HashMap};

use healthchecker::daemon::api::Command;
use healthchecker::engine::core::Engine;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::record::Record;
use healthchecker::engine::registration::{Host, Origin, Registration};
use healthchecker::engine::time::Now;

use crate::deed::Deed;
use crate::story::{AppId, Ms};

/// Who gets no answer tries again after so long.
const RETRY: Ms = 10_000;

/// A call, until it is answered.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) app: AppId,
    pub(super) command: Command,
}

/// What of an app is on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) registration: Registration,
    pub(super) paused: bool,
}

/// What must be true of an app after a start.
#[derive(Debug, Default)]
struct Promised {
    /// By the last call that was answered; `None`: that it is not watched.
    answered: Option<Known>,
    /// By the calls since: each may be on disk.
    possible: Vec<(u64, Option<Known>)>,
}

impl Promised {
    fn now(&self) -> Option<&Known> {
        self.possible.last().map_or(self.answered.as_ref(), |(_, known)| known.as_ref())
    }
}

/// Everybody who calls.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// When each tries again.
    waiting: BTreeMap<(Ms, u64), Call>,
    /// Carried out, and not answered yet.
    open: BTreeMap<u64, Call>,
    numbers: u64,
    promised: HashMap<AppId, Promised>,
}

/// The call that a deed is, if it is one.
///
/// # Errors
/// What a daemon would say of bad fields.
pub(super) fn call(
    deed: &Deed,
    name: impl Fn(AppId) -> String,
    recipients: &Recipients,
) -> Result<Option<Call>, String> {
    let (app, command) = match deed {
        Deed::Register { app, fields } => {
            let registration = read(fields, recipients)?;
            (*app, Command::Monitor(Box::new(registration)))
        }
        Deed::Pause(app) => (*app, Command::Pause(name(*app))),
        Deed::Quiet { app, lasts } => (*app, Command::Quiet(name(*app), *lasts)),
        Deed::Resume(app) => (*app, Command::Resume(name(*app))),
        Deed::Stop(app) => (*app, Command::Stop(name(*app))),
        Deed::Report { .. } | Deed::Ours(_) | Deed::ClockOff(_) | Deed::Mail(_) | Deed::Disk(_) => {
            return Ok(None);
        }
    };
    Ok(Some(Call { app, command }))
}

/// Apps on the daemon's own machine call from there.
fn read(fields: &[(String, String)], recipients: &Recipients) -> Result<Registration, String> {
    let read = |origin| {
        Registration::from_fields(fields, origin, recipients).map_err(|why| why.message.clone())
    };
    let own = read(Origin::OwnMachine)?;
    let is_own = match own.target.host() {
        Some(Host::Address(address)) => address.is_loopback(),
        Some(Host::Name(name)) => name == "localhost",
        None => false,
    };
    if is_own { Ok(own) } else { read(Origin::Network) }
}

impl Clients {
    /// Somebody calls, or will as soon as somebody listens. It takes the place of what they wanted of
    /// the same app before and were not told yet.
    pub(super) fn calls(&mut self, at: Ms, call: Call) {
        let stops = matches!(call.command, Command::Stop(_));
        let kind = std::mem::discriminant(&call.command);
        self.waiting.retain(|_, earlier| {
            let is_same = std::mem::discriminant(&earlier.command) == kind;
            // Each who mutes does so for themselves.
            let replaced = stops || (is_same && !matches!(call.command, Command::Mute(..)));
            earlier.app != call.app || !replaced
        });
        self.wait(at, call);
    }

    fn wait(&mut self, at: Ms, call: Call) {
        self.numbers += 1;
        self.waiting.insert((at, self.numbers), call);
    }

    /// When the next one calls.
    pub(super) fn next(&self) -> Option<Ms> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next one who calls.
    pub(super) fn pop(&mut self) -> Option<Call> {
        self.waiting.pop_first().map(|(_, call)| call)
    }

    /// Nobody listens: again a little later.
    pub(super) fn unheard(&mut self, at: Ms, call: Call) {
        self.wait(at + RETRY, call);
    }

    /// It is carried out, and waits for its answer under this number.
    pub(super) fn carried_out(&mut self, call: Call) -> u64 {
        self.numbers += 1;
        let promised = self.promised.entry(call.app).or_default();
        let known = after(&call.command, promised.now());
        promised.possible.push((self.numbers, known));
        self.open.insert(self.numbers, call);
        self.numbers
    }

    /// It is answered: what it asked for is kept, or it is not.
    pub(super) fn answered(&mut self, at: Ms, number: u64, kept: bool) {
        let Some(call) = self.open.remove(&number) else { return };
        if !kept {
            return self.unheard(at, call);
        }
        let Some(promised) = self.promised.get_mut(&call.app) else { return };
        let place = promised.possible.iter().position(|(its, _)| *its == number);
        if let Some(place) = place {
            promised.answered = promised.possible.drain(..=place).next_back().and_then(|it| it.1);
        }
    }

    /// The daemon is gone: who waited for an answer tries again.
    pub(super) fn hung_up(&mut self, at: Ms) {
        for call in std::mem::take(&mut self.open).into_values() {
            self.unheard(at, call);
        }
    }

    /// Compares what a daemon knows that has just started with what was promised. What is wrong, and
    /// what it knows of each app that was ever heard of.
    pub(super) fn compare(
        &mut self,
        engine: &Engine,
        now: Now,
        id_of: impl Fn(&str) -> Option<AppId>,
    ) -> (Vec<String>, Vec<(AppId, Option<Known>)>) {
        let mut found: BTreeMap<AppId, Known> = BTreeMap::new();
        let mut wrong = Vec::new();
        for record in engine.snapshot(now) {
            let Record::App(app) = record else { continue };
            let known = Known { registration: app.registration, paused: app.paused };
            match id_of(&known.registration.name) {
                Some(id) => drop(found.insert(id, known)),
                None => wrong.push(format!(
                    "{} is watched, but nobody registered it",
                    known.registration.name
                )),
            }
        }
        let mut all: Vec<AppId> = self.promised.keys().copied().collect();
        all.sort_unstable();
        let mut known = Vec::new();
        for id in all {
            let now = found.remove(&id);
            if let Some(promised) = self.promised.get_mut(&id) {
                let possible = promised.possible.iter().map(|(_, known)| known);
                let mut allowed = std::iter::once(&promised.answered).chain(possible);
                if !allowed.any(|allowed| *allowed == now) {
                    wrong.push(format!(
                        "after the start it is {}, though what was answered is {}",
                        told(now.as_ref()),
                        told(promised.answered.as_ref())
                    ));
                }
                // It goes on from there; what was promised stays so.
                if promised.now() != now.as_ref() {
                    promised.possible.push((0, now.clone()));
                }
            }
            known.push((id, now));
        }
        wrong
            .extend(found.into_values().map(|known| format!("{} is invented", told(Some(&known)))));
        (wrong, known)
    }

    /// How many apps are watched at an address, by what is in effect or still may be.
    pub(super) fn watched_at(&self, url: &str) -> usize {
        let is_there = |known: &Known| known.registration.target.address() == url;
        self.promised.values().filter(|promised| promised.now().is_some_and(is_there)).count()
    }

    /// What of an app is in effect.
    pub(super) fn known(&self, id: AppId) -> Option<&Known> {
        self.promised.get(&id)?.now()
    }
}

/// What a call leaves behind.
fn after(command: &Command, before: Option<&Known>) -> Option<Known> {
    let paused = |paused| before.map(|known| Known { paused, ..known.clone() });
    match command {
        Command::Monitor(registration) => Some(Known {
            registration: Registration::clone(registration),
            paused: before.is_some_and(|known| known.paused),
        }),
        Command::Pause(_) => paused(true),
        Command::Resume(_) => paused(false),
        Command::Stop(_) => None,
        Command::Check(_)
        | Command::Mute(..)
        | Command::Quiet(..)
        | Command::Seen(_)
        | Command::Beat(..) => before.cloned(),
    }
}

fn told(known: Option<&Known>) -> String {
    known.map_or("no app".to_owned(), |Known { registration, paused }| {
        let paused = if *paused { ", paused" } else { "" };
        format!(
            "{} at {} every {} s for {:?}{paused}",
            registration.name,
            registration.target.address(),
            registration.interval.as_secs(),
            registration.email
        )
    })
}

#[cfg(test)]
mod tests {
    use healthchecker::engine::core::Options;
    use healthchecker::engine::outbox::Policy;

    use super::*;

    fn registers(url: &str) -> Call {
        let fields = [("appname", "NAS"), ("url", url)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let deed = Deed::Register { app: AppId(0), fields: fields.into() };
        call(&deed, |_| String::new(), &Recipients::default()).unwrap().unwrap()
    }

    fn engine_with(call: Option<&Call>) -> Engine {
        let mail =
            Policy { mailing: true, mail_without_clock: false, recipients: Recipients::default() };
        let mut engine = Engine::new(Options {
            mail,
            workers: 1,
            seed: 1,
            boot_id: None,
            settle: std::time::Duration::ZERO,
            anchors: Vec::new(),
            reminders: true,
            quiet: healthchecker::engine::registration::QuietTimes::default(),
            zone: healthchecker::engine::time::Zone::UTC,
        });
        if let Some(Call { command: Command::Monitor(registration), .. }) = call {
            engine.register(Now::default(), Registration::clone(registration)).unwrap();
        }
        engine
    }

    fn wrong(clients: &mut Clients, call: Option<&Call>) -> Vec<String> {
        clients.compare(&engine_with(call), Now::default(), |_| Some(AppId(0))).0
    }

    #[test]
    fn what_was_answered_must_be_there_after_a_start() {
        let (first, second) = (registers("http://10.7.0.2"), registers("http://10.7.0.3"));
        let mut clients = Clients::default();
        let number = clients.carried_out(first.clone());
        assert!(wrong(&mut clients, None).is_empty(), "not answered: it may be lost");
        let mut clients = Clients::default();
        let answered = clients.carried_out(first.clone());
        assert_eq!(number, answered);
        clients.answered(0, answered, true);
        assert!(wrong(&mut clients, Some(&first)).is_empty());
        assert_eq!(wrong(&mut clients, None).len(), 1);
        assert_eq!(wrong(&mut clients, Some(&second)).len(), 1);
        clients.carried_out(second.clone());
        assert!(wrong(&mut clients, Some(&first)).is_empty());
        assert!(wrong(&mut clients, Some(&second)).is_empty(), "either, until it is answered");
    }

    #[test]
    fn who_is_not_answered_calls_again_and_a_stop_ends_that() {
        let mut clients = Clients::default();
        clients.calls(5, registers("http://10.7.0.2"));
        clients.calls(6, registers("http://10.7.0.3"));
        assert_eq!(clients.next(), Some(6), "the newer takes the place of the older");
        let call = clients.pop().unwrap();
        clients.unheard(6, call);
        assert_eq!(clients.next(), Some(6 + RETRY));
        let call = clients.pop().unwrap();
        let number = clients.carried_out(call);
        clients.hung_up(100);
        assert_eq!(clients.next(), Some(100 + RETRY));
        clients.answered(200, number, true);
        clients.calls(300, Call { app: AppId(0), command: Command::Stop("NAS".to_owned()) });
        assert!(matches!(clients.pop(), Some(Call { command: Command::Stop(_), .. })));
        assert_eq!(clients.next(), None);
    }
}
