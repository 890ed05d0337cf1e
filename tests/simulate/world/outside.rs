//! What is around the daemon: the house, its machine and disk, the mail server, those who call; and those
//! who watch it, write the story down and hold it to its promises.

use healthchecker::daemon::api::Command;
use healthchecker::daemon::mailer::{address, compose};
use healthchecker::engine::core::Engine;
use healthchecker::engine::incidents::mutes::{HowLong, What};
use healthchecker::engine::outbox::letter::RenderedMail;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::record::Record;
use healthchecker::engine::state::State;
use healthchecker::engine::time::Now;

use super::checks::{UrlId, Urls};
use super::clients::{Call, Clients};
use super::effort::Effort;
use super::finding::Chronicle;
use super::household::Household;
use super::ledger::Ledger;
use super::machine::Machine;
use super::mail_server::MailServer;
use super::recorder::Recorder;
use crate::chance::Chance;
use crate::deed::EnoughOf;
use crate::faulty::Faulty;
use crate::story::{AppId, Checked, Ms};

/// No line of a mail may be longer (RFC 5322 section 2.1.1).
const LONGEST_LINE: usize = 998;

pub(super) struct Outside<H> {
    pub(super) house: H,
    pub(super) machine: Machine,
    pub(super) disk: Faulty,
    pub(super) server: MailServer,
    pub(super) clients: Clients,
    pub(super) recipients: Recipients,
    pub(super) recorder: Recorder,
    pub(super) chronicle: Chronicle,
    pub(super) ledger: Ledger,
    pub(super) effort: Effort,
    pub(super) urls: Urls,
    chance: Chance,
}

impl<H: Household> Outside<H> {
    pub(super) fn new(seed: u64, house: H) -> Outside<H> {
        let owner = house.people().first().cloned().into_iter().collect();
        let mut chance = Chance::of(seed, "daemon", 0);
        Outside {
            machine: Machine::new(house.began()),
            disk: Faulty::new(chance.number()),
            server: MailServer::new(seed),
            clients: Clients::default(),
            recipients: Recipients::new(owner, &[]),
            recorder: Recorder::of(house.apps()),
            house,
            chronicle: Chronicle::default(),
            ledger: Ledger::default(),
            effort: Effort::begin(),
            urls: Urls::default(),
            chance,
        }
    }

    /// Any number up to this.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.chance.between(0..=most)
    }

    /// How long the card takes for a sync: as a rule some ms, now and then it cleans up.
    pub(super) fn sync_takes(&mut self) -> Ms {
        let range = match self.chance.between(0..=999) {
            0..=899 => 3..=40,
            900..=998 => 40..=400,
            _ => 400..=12_000,
        };
        self.chance.between(range)
    }

    pub(super) fn reaches_mail_server(&self, at: Ms) -> bool {
        !self.house.mail_is_cut_off(at) && !self.house.is_cut_off(at)
    }

    /// A letter arrives that was written and put into words then.
    pub(super) fn mail_arrives(&mut self, at: Ms, id: u64, letter: &RenderedMail, when: (Ms, Ms)) {
        let (written, worded) = when;
        self.chronicle.happened(at, format!("mail {id} to {}: {}", letter.to, letter.subject));
        self.recorder.letter(letter, written, worded, at);
        if let Some(twice) = self.ledger.taken(id, &letter.message_id, &letter.to) {
            self.chronicle.found(at, "a mail comes twice", twice);
        }
        if let Some(bad) = bad_form(letter) {
            self.chronicle.found(at, "a mail in bad form", bad);
        }
    }

    /// Its reader has it, which tells that this app is not well, and may have heard enough.
    pub(super) fn reads(&mut self, at: Ms, letter: &RenderedMail, app: &str) {
        let Some(enough) = self.house.reads(at, &letter.message_id) else { return };
        let Some(id) = self.recorder.id_of(app) else { return };
        let to = Recipient::mail(&letter.to);
        let what = match enough.of {
            EnoughOf::Mail => What::Mail(letter.message_id.clone(), to),
            EnoughOf::App => What::App(app.to_owned(), Some(to)),
            EnoughOf::AppForAll => What::App(app.to_owned(), None),
        };
        let how_long = enough.lasts.map_or(HowLong::Recovery, HowLong::Span);
        let mut says = |at: Ms, how_long| {
            let command = Command::Mute(what.clone(), how_long);
            self.clients.calls(at, Call { app: id, command });
        };
        says(enough.at, how_long);
        enough.again.into_iter().for_each(|again| says(again, HowLong::Not));
    }

    /// The daemon keeps records.
    pub(super) fn kept(&mut self, at: Ms, records: &[Record]) {
        for wrong in self.ledger.kept(at, records) {
            self.chronicle.found(at, "a mail is lost", wrong);
        }
    }

    /// Writes down how an app is watched now.
    pub(super) fn follow(&mut self, at: Ms, id: AppId) {
        let known = self.clients.known(id);
        self.recorder.watched(at, id, known.map(|known| &known.registration));
        self.recorder.paused(at, id, known.is_some_and(|known| known.paused));
        if let Some(known) = known {
            self.urls.belongs(known.registration.target.address(), id);
        }
    }

    pub(super) fn shows(&mut self, at: Ms, app: &str, state: State) {
        if let Some(id) = self.recorder.id_of(app) {
            self.recorder.shows(at, id, state);
        }
    }

    /// Writes down the state that the daemon shows of an app, unless it shows that it cannot know.
    pub(super) fn shows_now(&mut self, at: Ms, id: AppId, engine: &Engine, now: Now) {
        let Ok(info) = engine.view().info(now, self.recorder.name_of(id)) else { return };
        if info.app.settling_since.is_none() && info.app.not_visible_since.is_none() {
            self.recorder.shows(at, id, info.app.state);
        }
    }

    pub(super) fn check_begins(&mut self, at: Ms, url: &str) -> UrlId {
        let (id, under_way) = self.urls.begin(url);
        if under_way > 1 && under_way > self.clients.watched_at(url) {
            let what = format!("{under_way} checks of {url} are under way");
            self.chronicle.found(at, "checks overlap", what);
        }
        id
    }

    pub(super) fn check_ended(&mut self, url: UrlId) -> Option<AppId> {
        self.effort.checks += 1;
        self.urls.end(url)
    }

    pub(super) fn checked(&mut self, app: Option<AppId>, check: Checked) {
        if let Some(app) = app {
            self.recorder.checked(app, check);
        }
    }
}

/// What is wrong with the form in which a letter travels.
fn bad_form(letter: &RenderedMail) -> Option<String> {
    let (Ok(from), Ok(to)) = (address("pi@home.example"), address(&letter.to)) else {
        return Some(format!("{} is no address", letter.to));
    };
    let bytes = compose(letter, &from, &to, None);
    let longest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or_default();
    if longest > LONGEST_LINE {
        return Some(format!("a line of {longest} bytes: {}", letter.subject));
    }
    if letter.to.is_ascii() && !bytes.is_ascii() {
        return Some(format!("bytes beyond ASCII: {}", letter.subject));
    }
    let words = [&letter.subject, &letter.text];
    if words.iter().any(|words| words.trim().is_empty()) {
        return Some("an empty letter".to_owned());
    }
    None
}
