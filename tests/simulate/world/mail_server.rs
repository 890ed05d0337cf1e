//! The mail server, as the household's moods have it.

use std::collections::HashMap;
use std::time::Duration;

use healthchecker::daemon::mailer::classify::{Stage, classify};
use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::outbox::letter::RenderedMail;

use crate::chance::Chance;
use crate::deed::MailMood;
use crate::story::Ms;

/// A mail that is greylisted is taken when it comes again after so long: Postgrey's default.
const GREY_FOR: Ms = 5 * 60_000;
/// Who cannot be reached is given up after so long: about what Linux takes for a host that is not there.
const NO_ROUTE_AFTER: Ms = 3_000;
/// A conversation with a server that is well: a local one is quick, one far away takes a second or two.
const CONVERSATION: std::ops::RangeInclusive<Ms> = 80..=2_500;
/// Its last answer travels so long.
const LAST_ANSWER: std::ops::RangeInclusive<Ms> = 5..=150;

/// What is asked of the mailer.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// `trouble`: the first app that it tells is not well, if there is one.
    Mail {
        id: u64,
        letter: Box<RenderedMail>,
        trouble: Option<String>,
        written: Ms,
        worded: Ms,
    },
    Rehearsal,
}

/// How a conversation goes, if nothing comes between.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How long until the server has taken the mail, if it does.
    pub(super) takes: Option<Ms>,
    /// How long until we know how it ended.
    pub(super) ends: Ms,
    pub(super) delivery: Delivery,
}

#[derive(Debug)]
pub(super) struct MailServer {
    mood: MailMood,
    /// When each mail was tried first, while it greylists.
    grey: HashMap<String, Ms>,
    chance: Chance,
}

impl MailServer {
    pub(super) fn new(seed: u64) -> MailServer {
        let chance = Chance::of(seed, "mail server", 0);
        MailServer { mood: MailMood::Accepts, grey: HashMap::new(), chance }
    }

    pub(super) fn set_mood(&mut self, mood: MailMood) {
        self.mood = mood;
    }

    /// Whether it is there to take a mail at the end of a conversation.
    pub(super) fn is_there(&self) -> bool {
        self.mood != MailMood::Away
    }

    /// A conversation begins.
    pub(super) fn plan(&mut self, at: Ms, job: &Job, reached: bool) -> Plan {
        let takes = self.chance.between(CONVERSATION);
        if !reached {
            let text = "could not connect to mail.example:465: no route to host";
            return no(NO_ROUTE_AFTER, Delivery::Later(text.to_owned()));
        }
        let mood = self.mood;
        match mood {
            MailMood::Away => {
                let text = "could not connect to mail.example:465: connection refused";
                no(LAST_ANSWER.start() * 2, Delivery::Later(text.to_owned()))
            }
            MailMood::Refuses => {
                no(takes, classify(Stage::Login, 535, "5.7.8 authentication failed"))
            }
            MailMood::Greylists if self.is_grey(at, job) => {
                no(takes, classify(Stage::Recipient, 450, "4.7.1 greylisted, try again later"))
            }
            MailMood::Slow(span) => self.takes(job, span.as_millis() as Ms),
            MailMood::Loses250 if matches!(job, Job::Mail { .. }) => {
                let lost = Delivery::Later("the connection was reset".to_owned());
                Plan { ends: takes + 60_000, delivery: lost, ..self.takes(job, takes) }
            }
            MailMood::Accepts | MailMood::Loses250 | MailMood::Greylists => self.takes(job, takes),
        }
    }

    fn takes(&mut self, job: &Job, after: Ms) -> Plan {
        let takes = matches!(job, Job::Mail { .. }).then_some(after);
        let ends = after + self.chance.between(LAST_ANSWER);
        Plan { takes, ends, delivery: Delivery::Accepted }
    }

    /// Whether a mail has not waited long enough. (Nothing is greylisted that is only asked.)
    fn is_grey(&mut self, at: Ms, job: &Job) -> bool {
        let Job::Mail { letter, .. } = job else { return false };
        let key = format!("{} {}", letter.to, letter.message_id);
        at < *self.grey.entry(key).or_insert(at) + GREY_FOR
    }
}

fn no(ends: Ms, delivery: Delivery) -> Plan {
    Plan { takes: None, ends, delivery }
}

/// What is said of a conversation that broke off.
pub(super) fn broken_off() -> Delivery {
    Delivery::Later("the connection was reset".to_owned())
}

/// After so long a mail is given up that hangs; see `mailer::attempt`.
pub(super) fn given_up() -> Delivery {
    Delivery::Later("no end after 30 min".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(message_id: &str) -> Job {
        let letter = RenderedMail {
            to: "ann@home.example".to_owned(),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
            message_id: message_id.to_owned(),
            references: Vec::new(),
        };
        Job::Mail { id: 1, letter: Box::new(letter), trouble: None, written: 0, worded: 0 }
    }

    fn plan(server: &mut MailServer, at: Ms, mood: MailMood) -> (bool, Delivery) {
        server.set_mood(mood);
        let plan = server.plan(at, &job("m1"), true);
        assert!(plan.takes.is_none_or(|takes| takes < plan.ends));
        (plan.takes.is_some(), plan.delivery)
    }

    #[test]
    fn each_mood_has_its_own_end() {
        let mut server = MailServer::new(1);
        let accepted = (true, Delivery::Accepted);
        assert_eq!(plan(&mut server, 0, MailMood::Accepts), accepted);
        assert_eq!(plan(&mut server, 0, MailMood::Slow(Duration::from_secs(40))), accepted);
        assert!(matches!(plan(&mut server, 0, MailMood::Away), (false, Delivery::Later(_))));
        assert!(matches!(plan(&mut server, 0, MailMood::Refuses), (false, Delivery::Settings(_))));
        assert!(matches!(plan(&mut server, 0, MailMood::Loses250), (true, Delivery::Later(_))));
        assert!(matches!(plan(&mut server, 0, MailMood::Greylists), (false, Delivery::Later(_))));
        let grey = plan(&mut server, GREY_FOR - 1, MailMood::Greylists);
        assert!(matches!(grey, (false, Delivery::Later(_))));
        assert_eq!(plan(&mut server, GREY_FOR, MailMood::Greylists), accepted);
        let unreached = server.plan(0, &Job::Rehearsal, false);
        assert!(matches!(unreached.delivery, Delivery::Later(_)));
        let asked = server.plan(0, &Job::Rehearsal, true);
        assert_eq!((asked.takes, asked.delivery), (None, Delivery::Accepted));
    }
}
