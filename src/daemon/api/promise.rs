//! Answers that promise something.
//!
//! An answer that says that a change is made promises that it survives a power cut. It is written at
//! once all the same, since a thread that waits for the disk answers nobody else: the gate holds it
//! until the change is on disk, or another is given instead.

use crate::daemon::gate::Ticket;
use crate::daemon::page::Base;

use super::format::Format;
use super::problem::Problem;
use super::response;

/// Stands for an answer that the gate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Promise {
    ticket: Ticket,
    format: Format,
    base: Base,
}

impl Promise {
    /// For the answer to the request of `ticket`, in the format that its client wants, whose page is at `base`.
    pub(crate) fn new(ticket: Ticket, format: Format, base: Base) -> Promise {
        Promise { ticket, format, base }
    }

    /// Whose answer it is.
    pub(crate) fn ticket(self) -> Ticket {
        self.ticket
    }

    /// The whole answer that is given instead. Small, so the event loop may write it.
    pub(crate) fn broken(self, problem: &Problem) -> Vec<u8> {
        let response = response::problem_response(problem, self.format, self.base);
        let mut bytes = Vec::new();
        // What is changed is never asked for by HEAD.
        let printed =
            response.raw_print(&mut bytes, tiny_http::HTTPVersion(1, 1), &[], false, None);
        if let Err(why) = printed {
            // Of nothing the gate makes a 503 of its own.
            log::error!("cannot write an answer to memory: {why}");
            bytes.clear();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::commit_queue::NotKept;
    use crate::daemon::journal::DiskTrouble;

    #[test]
    fn a_broken_promise_is_said_in_the_format_of_the_client() {
        let trouble = DiskTrouble { text: "no space left".into(), full: true };
        let problem = Problem::from(NotKept::Trouble(trouble));
        for (format, content_type) in
            [(Format::Json, "application/json\r\n"), (Format::Html, "text/html; charset=utf-8\r\n")]
        {
            let answer = Promise::new(Ticket::default(), format, Base::default()).broken(&problem);
            let answer = String::from_utf8(answer).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 507 "), "{head}");
            assert!(head.contains(&format!("Content-Type: {content_type}")), "{head}");
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            assert!(body.contains("no space left"), "{body}");
        }
    }
}
