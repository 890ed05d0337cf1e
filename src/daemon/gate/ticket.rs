//! Which answer is whose, for an answer that must be held.

use std::str::FromStr;

/// The private header that names a request to the API. It is on no allow-list, so none from outside
/// ever passes.
pub(crate) const TICKET_HEADER: &str = "X-Healthchecker-Ticket";

/// Names a request and its answer. Each connection carries one, and none is ever given twice: what
/// is said of a client that is gone by now is said of nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket(u64);

impl Ticket {
    /// The one after this.
    pub fn next(self) -> Ticket {
        Ticket(self.0.wrapping_add(1))
    }

    /// The value of [`TICKET_HEADER`].
    pub fn to_header(self) -> String {
        self.0.to_string()
    }

    /// Reads the value of [`TICKET_HEADER`]; `None` if the gate did not write it.
    pub fn from_header(value: &str) -> Option<Ticket> {
        u64::from_str(value).ok().map(Ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_survives_its_header() {
        let one = Ticket::default().next();
        assert_ne!(one, one.next());
        assert_eq!(Ticket::from_header(&one.to_header()), Some(one));
        for value in ["", "-1", "one"] {
            assert_eq!(Ticket::from_header(value), None);
        }
    }
}
