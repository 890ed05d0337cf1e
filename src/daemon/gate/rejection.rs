//! The gate's own answers: what never reaches the API.

use super::request::{BODY_MAX, HEAD_MAX, HEADERS_MAX};

/// Of an answer that is no page a browser uses nothing, and no other page may frame it.
pub(crate) const NO_PAGE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Why the gate turns a request away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 400: not a well-formed request; the sentence says where.
    Malformed(&'static str),
    /// 405: a method that nothing here has a use for.
    Method,
    /// 408: not whole in time.
    Slow,
    /// 413: the body is too long.
    LongBody,
    /// 431: the head is too long.
    LongHead,
    /// 501: a method that nobody knows.
    UnknownMethod,
    /// 501: a body in a coding that nothing here takes off.
    TransferEncoding,
    /// 503: no answer from the API in time, or the daemon stops.
    Busy,
}

impl Rejection {
    /// The status code and its words (RFC 9110, section 15; RFC 6585 for 431).
    fn status(self) -> &'static str {
        match self {
            Rejection::Malformed(_) => "400 Bad Request",
            Rejection::Method => "405 Method Not Allowed",
            Rejection::Slow => "408 Request Timeout",
            Rejection::LongBody => "413 Content Too Large",
            Rejection::LongHead => "431 Request Header Fields Too Large",
            Rejection::UnknownMethod | Rejection::TransferEncoding => "501 Not Implemented",
            Rejection::Busy => "503 Service Unavailable",
        }
    }

    fn sentence(self) -> String {
        match self {
            Rejection::Malformed(why) => format!("not a well-formed HTTP request: {why}"),
            Rejection::Method => "this method is not allowed; use GET, HEAD or POST".into(),
            Rejection::Slow => "the request did not arrive in time".into(),
            Rejection::LongBody => format!("the body is too long; at most {BODY_MAX} bytes"),
            Rejection::LongHead => {
                format!("the head is too long; at most {HEAD_MAX} bytes and {HEADERS_MAX} headers")
            }
            Rejection::UnknownMethod => "unknown method; use GET, HEAD or POST".into(),
            Rejection::TransferEncoding => {
                "the only Transfer-Encoding understood is chunked, once".into()
            }
            Rejection::Busy => {
                "the health checker is busy or stopping; try again in a moment".into()
            }
        }
    }

    fn header(self) -> &'static str {
        match self {
            Rejection::Method => "Allow: GET, HEAD, POST\r\n",
            Rejection::Busy => "Retry-After: 1\r\n",
            _ => "",
        }
    }

    /// The whole answer; without its body when the request was a HEAD.
    ///
    /// No `Date`: a clock that may not be set yet must not be asked (RFC 9110, section 6.6.1).
    pub fn answer(self, head_only: bool) -> Vec<u8> {
        // The sentences are ours: they need no escaping.
        let body = format!("{{\"error\":\"{}\"}}\n", self.sentence());
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\
             X-Content-Type-Options: nosniff\r\nContent-Security-Policy: {NO_PAGE_POLICY}\r\n\
             Connection: close\r\n\r\n",
            self.status(),
            body.len(),
            self.header(),
        );
        if head_only { head } else { head + &body }.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_and_its_body_is_json() {
        for refusal in [
            Rejection::Malformed("no"),
            Rejection::Method,
            Rejection::Slow,
            Rejection::LongBody,
            Rejection::LongHead,
            Rejection::UnknownMethod,
            Rejection::TransferEncoding,
            Rejection::Busy,
        ] {
            let answer = String::from_utf8(refusal.answer(false)).unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}", body.len())));
            assert!(head.contains("Connection: close"));
            assert!(head.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
            assert!(head.contains("\r\nContent-Security-Policy: default-src 'none'"));
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(json["error"].is_string());
            let bare = String::from_utf8(refusal.answer(true)).unwrap();
            assert_eq!(bare, format!("{head}\r\n\r\n"));
        }
    }
}
