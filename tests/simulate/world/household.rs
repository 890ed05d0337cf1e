//! What the world has to know of a house: the one from a seed, or one that a test writes by hand.

use healthchecker::engine::surroundings::look::{Place, Sight};

use crate::deed::{Deed, Enough, Question, Reply};
use crate::house::{House, Truth};
use crate::story::{HostId, Ms};

/// A house: what it does, how its apps answer, and at the end what was really the matter.
pub(crate) trait Household {
    /// The right wall time at 0, in ms since 1970.
    fn began(&self) -> i64;

    /// The people; the daemon's option `email` names the first.
    fn people(&self) -> &[String];

    /// Each app's name and host.
    fn apps(&self) -> &[(String, HostId)];

    /// Whether people are told again of trouble that lasts.
    fn reminds(&self) -> bool;

    /// Quiet times of all apps that have none of their own.
    fn quiet(&self) -> &str;

    /// What the reader of a mail of trouble does that arrives then, if they have heard enough.
    fn reads(&self, at: Ms, message_id: &str) -> Option<Enough>;

    /// When the next deed is due.
    fn next(&self) -> Option<Ms>;

    /// The next deed, and when; in the order of time.
    fn pop(&mut self) -> Option<(Ms, Deed)>;

    /// What a check gets that begins then. Asked in the order of time.
    fn answer(&mut self, question: Question<'_>) -> Reply;

    /// Whether the daemon's machine is cut off from everything.
    fn is_cut_off(&self, at: Ms) -> bool;

    /// Whether its machine sees that: it has no carrier.
    fn is_without_carrier(&self, at: Ms) -> bool;

    /// What who connects to a place then sees, and when. Asked in the order of time.
    fn look(&mut self, at: Ms, place: &Place) -> Option<(Ms, Sight)>;

    /// Whether no mail gets to the mail server, whatever its mood.
    fn mail_is_cut_off(&self, at: Ms) -> bool;

    /// What really happened.
    fn truth(self) -> Truth;
}

impl Household for House {
    fn began(&self) -> i64 {
        House::began(self)
    }

    fn people(&self) -> &[String] {
        House::people(self)
    }

    fn apps(&self) -> &[(String, HostId)] {
        House::apps(self)
    }

    fn reminds(&self) -> bool {
        House::reminds(self)
    }

    fn quiet(&self) -> &str {
        House::quiet(self)
    }

    fn reads(&self, at: Ms, message_id: &str) -> Option<Enough> {
        House::reads(self, at, message_id)
    }

    fn next(&self) -> Option<Ms> {
        House::next(self)
    }

    fn pop(&mut self) -> Option<(Ms, Deed)> {
        House::pop(self)
    }

    fn answer(&mut self, question: Question<'_>) -> Reply {
        House::answer(self, question)
    }

    fn is_cut_off(&self, at: Ms) -> bool {
        House::is_cut_off(self, at)
    }

    fn is_without_carrier(&self, at: Ms) -> bool {
        House::is_without_carrier(self, at)
    }

    fn look(&mut self, at: Ms, place: &Place) -> Option<(Ms, Sight)> {
        House::look(self, at, place)
    }

    fn mail_is_cut_off(&self, at: Ms) -> bool {
        House::mail_is_cut_off(self, at)
    }

    fn truth(self) -> Truth {
        House::truth(self)
    }
}
