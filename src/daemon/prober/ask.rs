//! One check, from the first look-up to the last byte that is read.

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::header::{CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING};
use ureq::http::{HeaderName, HeaderValue, Response, Uri};
use ureq::{Agent, Body, Error};

use super::chunks::Chunks;
use super::client::{client, get};
use super::fault::{Failure, failure};
use super::login::{header, hidden};
use super::redirect::{REDIRECTS_MAX, place_if_other, target};
use super::secure::{self, Tls};
use super::{Probe, ProbeKind, Request};
use crate::daemon::names::Names;
use crate::daemon::trust::Trust;
use crate::engine::registration::Origin;
use crate::engine::text::plain;
use crate::engine::verdict::answer::{CheckEnd, Life, Outcome, Verdict, Whereabouts};
use crate::engine::verdict::trouble::Trouble;
use crate::engine::verdict::{Answer, BODY_READ_MAX, REASON_MAX, judge};

/// Who asks is not shown, or not the right thing (RFC 9110, section 15.5.2).
const UNAUTHORIZED: u16 = 401;

/// Makes checks. One for all threads.
#[derive(Clone, Debug)]
pub struct Prober {
    /// For registrations of this machine, which may name itself.
    own: Agent,
    /// For all others.
    network: Agent,
    pub(super) names: Names,
    ourselves: Ourselves,
}

/// What may be our own fault, when a check fails.
#[derive(Clone, Copy, Debug)]
pub struct Ourselves {
    /// Whether our clock is right, when a certificate is not yet valid (see
    /// [`clock::is_synchronised`](crate::daemon::clock::is_synchronised)).
    pub clock_is_right: fn() -> bool,
    /// Whether we are on no network, when nobody answers (see
    /// [`lookout::is_cut_off`](crate::daemon::lookout::is_cut_off)).
    pub is_cut_off: fn() -> bool,
    /// Where an address is (see [`lookout::whereabouts`](crate::daemon::lookout::whereabouts)).
    pub whereabouts: fn(IpAddr) -> Whereabouts,
}

impl Prober {
    /// Apps that speak TLS must be who `trust` believes they are. `ourselves` is asked when a check fails.
    pub fn new(names: Names, trust: Trust, ourselves: Ourselves) -> Prober {
        let tls = Arc::new(Tls::new(trust));
        let client = |origin| client(names.clone(), Arc::clone(&tls), origin);
        let (own, network) = (client(Origin::OwnMachine), client(Origin::Network));
        Prober { own, network, names, ourselves }
    }

    /// Makes one check. Takes no longer than the probe's limit, whatever the other side does.
    pub fn check(&self, probe: &Probe) -> CheckEnd {
        let budget = Budget::new(probe.limit());
        let mut end = match &probe.kind {
            ProbeKind::Http(request) => self.check_http(probe, request, &budget),
            ProbeKind::Tcp { host, port } => self.check_port(probe, host, *port, &budget),
            ProbeKind::Ping { host } => self.check_echo(probe, host, &budget),
        };
        if let CheckEnd::Verdict(verdict) = &mut end {
            self.look_behind(probe, verdict);
        }
        end
    }

    fn check_http(&self, probe: &Probe, request: &Request, budget: &Budget) -> CheckEnd {
        secure::begin(request.tls);
        let asked = self.ask(probe.origin, request, budget);
        let certificate = secure::end();
        let mut end = match asked {
            Ok(answer) => CheckEnd::Verdict(judged(&answer, request)),
            Err(failure) => self.failed(probe, failure),
        };
        if let CheckEnd::Verdict(verdict) = &mut end {
            verdict.certificate = certificate.map(Box::new);
        }
        // Also of what was packed, or went wrong.
        if let (CheckEnd::Verdict(verdict), Some(auth)) = (&mut end, &request.auth) {
            verdict.reason = hidden(auth, &verdict.reason);
            verdict.body = verdict.body.take().map(|body| hidden(auth, &body));
        }
        end
    }

    pub(super) fn failed(&self, probe: &Probe, failure: Failure) -> CheckEnd {
        let trouble = match failure {
            Failure::Theirs(trouble) => trouble,
            // In full there may be time for a turn at the look-ups.
            Failure::Ours(_) if probe.has_short_timeout() => return CheckEnd::CutShort,
            Failure::Ours(reason) => return CheckEnd::NoVerdict { reason },
        };
        let time_was_up =
            matches!(trouble, Trouble::Timeout { .. } | Trouble::LookupTimeout { .. });
        if time_was_up && probe.has_short_timeout() {
            return CheckEnd::CutShort;
        }
        if trouble == Trouble::NotYetValid && !(self.ourselves.clock_is_right)() {
            let reason = format!("{trouble}, but our own clock is not synchronised");
            let reason = plain::one_line(&reason, REASON_MAX);
            return CheckEnd::NoVerdict { reason };
        }
        CheckEnd::Verdict(judge(Err(trouble)))
    }

    /// Asks, and follows redirects. A redirect that the app is expected to answer is its answer. A login is for the place
    /// that it was given for, and is shown nowhere else.
    fn ask(&self, origin: Origin, request: &Request, budget: &Budget) -> Result<Received, Failure> {
        let auth = request.auth.as_ref();
        let mut moved: Option<String> = None;
        let mut redirects = 0;
        loop {
            let url = moved.as_deref().unwrap_or(&request.url);
            let elsewhere = place_if_other(&request.url, url);
            let shown = auth.filter(|_| elsewhere.is_none()).and_then(header);
            let response = self.get(origin, url, shown, budget)?;
            let status = response.status().as_u16();
            if request.expected.contains(status) {
                return receive(status, response, true, budget);
            }
            match target(url, &response).map_err(Failure::Theirs)? {
                None => match elsewhere.filter(|_| auth.is_some() && status == UNAUTHORIZED) {
                    Some(to) => {
                        return Err(Failure::Theirs(Trouble::LoginElsewhere { status, to }));
                    }
                    None => return receive(status, response, false, budget),
                },
                Some(_) if redirects == REDIRECTS_MAX => {
                    return Err(Failure::Theirs(Trouble::TooManyRedirects { status }));
                }
                Some(to) => moved = Some(to.into()),
            }
            redirects += 1;
        }
    }

    fn get(
        &self,
        origin: Origin,
        url: &str,
        shown: Option<HeaderValue>,
        budget: &Budget,
    ) -> Result<Response<Body>, Failure> {
        let client = match origin {
            Origin::OwnMachine => &self.own,
            Origin::Network => &self.network,
        };
        get(client, url, shown, budget.left()?).map_err(|error| failure(error, budget.limit))
    }

    /// What is behind a verdict: where the app is, and whether we can reach anybody. After a failure the
    /// address is looked up anew: the app may have moved, and what answers there now may be another's.
    fn look_behind(&self, probe: &Probe, verdict: &mut Verdict) {
        let failed = verdict.outcome == Outcome::Fail;
        if !failed && !probe.locate {
            return;
        }
        let host = host(&probe.kind);
        if verdict.life != Life::Answer || probe.locate {
            self.locate(&host, verdict);
        }
        if failed {
            self.names.doubt(&host);
        }
    }

    fn locate(&self, host: &str, verdict: &mut Verdict) {
        let address = self.names.known(host).and_then(|known| known.first().copied());
        verdict.whereabouts = address.map(|address| (self.ourselves.whereabouts)(address.ip()));
        if !verdict.life.is_shown() && !verdict.is_here() && (self.ourselves.is_cut_off)() {
            verdict.life = Life::CutOff;
        }
    }
}

/// Who is asked.
fn host(kind: &ProbeKind) -> String {
    match kind {
        ProbeKind::Http(request) => {
            let uri = request.url.parse::<Uri>().unwrap_or_default();
            uri.host().unwrap_or_default().to_owned()
        }
        ProbeKind::Tcp { host, .. } | ProbeKind::Ping { host } => host.to_string(),
    }
}

/// The time that a check may take, by our own clock.
pub(super) struct Budget {
    pub(super) deadline: Instant,
    pub(super) limit: Duration,
}

impl Budget {
    fn new(limit: Duration) -> Budget {
        Budget { deadline: Instant::now() + limit, limit }
    }

    /// What is left of it: more than nothing.
    fn left(&self) -> Result<Duration, Failure> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let after = self.limit;
            return Err(Failure::Theirs(Trouble::Timeout { after }));
        }
        Ok(left)
    }
}

/// The final answer.
struct Received {
    status: u16,
    content_type: String,
    content_encoding: String,
    body: Vec<u8>,
    cut: bool,
}

impl Received {
    /// As it is judged, with this for its body.
    fn with<'a>(&'a self, body: &'a [u8], request: &'a Request) -> Answer<'a> {
        Answer {
            status: self.status,
            expected: request.expected.contains(self.status),
            content_type: &self.content_type,
            content_encoding: &self.content_encoding,
            body,
            cut: self.cut,
            contains: request.contains.as_deref(),
        }
    }
}

/// The verdict on what came. What is said of it is said of what may be shown, so that nothing is cut off in the middle
/// of what is to be hidden; but a password that is a word of the app's own changes no verdict.
fn judged(answer: &Received, request: &Request) -> Verdict {
    let verdict = judge(Ok(answer.with(&answer.body, request)));
    let text = std::str::from_utf8(&answer.body).ok();
    let Some((auth, text)) = request.auth.as_ref().zip(text) else { return verdict };
    let safe = hidden(auth, text);
    if safe == text {
        return verdict;
    }
    let shown = judge(Ok(answer.with(safe.as_bytes(), request)));
    if shown.outcome == verdict.outcome { shown } else { verdict }
}

/// Reads the body. When the status alone decides, the body is read only for the app's own words,
/// and what goes wrong with it changes nothing.
fn receive(
    status: u16,
    response: Response<Body>,
    body_matters: bool,
    budget: &Budget,
) -> Result<Received, Failure> {
    let header = |name: HeaderName| {
        let value = response.headers().get(name).map(|value| value.as_bytes());
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    };
    let (content_type, content_encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
    // The head that ureq saw was ours, and says so only where a body may come.
    let is_chunked = response.headers().contains_key(TRANSFER_ENCODING);
    let bytes = response.into_body().into_reader();
    let mut body = Vec::new();
    let most = BODY_READ_MAX as u64 + 1;
    let read = if is_chunked {
        Chunks::new(bytes).take(most).read_to_end(&mut body)
    } else {
        bytes.take(most).read_to_end(&mut body)
    };
    // A body that is there is an answer, though the time be up: it may be we who were late.
    if let (Err(error), true) = (read, body_matters) {
        return Err(body_failure(error.into(), budget));
    }
    let cut = body.len() > BODY_READ_MAX;
    body.truncate(BODY_READ_MAX);
    Ok(Received { status, content_type, content_encoding, body, cut })
}

/// What stopped a body that had begun.
fn body_failure(error: Error, budget: &Budget) -> Failure {
    match failure(error, budget.limit) {
        Failure::Theirs(Trouble::NoAnswer) => Failure::Theirs(Trouble::EndedEarly),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::registration::auth::Auth;

    /// The verdict on a body of an app that is shown `login`, and must say `contains`.
    fn verdict(login: &str, contains: Option<&str>, body: &str) -> Verdict {
        let answer = Received {
            status: 200,
            content_type: "application/json".to_owned(),
            content_encoding: String::new(),
            body: body.as_bytes().to_vec(),
            cut: false,
        };
        let auth = Auth::read(login).unwrap();
        let contains = contains.map(str::to_owned);
        judged(&answer, &Request { auth, contains, ..Request::default() })
    }

    #[test]
    fn a_password_that_is_a_word_of_the_app_changes_no_verdict() {
        for (login, contains, body) in [
            ("me:pass", None, r#"{"status":"pass"}"#),
            ("me:status", None, r#"{"status":"pass"}"#),
            ("admin:admin", Some("admin"), "<p>Log in as admin</p>"),
        ] {
            assert_eq!(verdict(login, contains, body).outcome, Outcome::Pass, "{login}");
        }
        let failed = verdict("me:fail", None, r#"{"status":"fail","output":"disk"}"#);
        assert_eq!(failed.outcome, Outcome::Fail);
    }

    #[test]
    fn what_is_said_is_cut_off_after_it_is_hidden() {
        let output = format!("{}secret-password", "x".repeat(REASON_MAX - 30));
        let body = format!(r#"{{"status":"fail","output":"{output}"}}"#);
        let verdict = verdict("me:secret-password", None, &body);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert!(!verdict.reason.contains("sec"), "{}", verdict.reason);
        assert!(!verdict.body.unwrap_or_default().contains("secret-password"));
    }
}
