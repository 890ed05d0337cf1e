//! What an app answers at `/health` (draft-inadarei-api-health-check-06).

use serde_json::{Map, Value, json};

/// The media type of the answer.
///
/// ```
/// assert_eq!(healthchecker::client::health::CONTENT_TYPE, "application/health+json");
/// ```
pub const CONTENT_TYPE: &str = "application/health+json";

/// How an app is.
///
/// ```
/// use healthchecker::client::HealthStatus;
///
/// assert_eq!(HealthStatus::default(), HealthStatus::Pass);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthStatus {
    /// Fine.
    #[default]
    Pass,
    /// Working, and somebody should look.
    Warn,
    /// Not working.
    Fail,
}

impl HealthStatus {
    /// The word for it.
    ///
    /// ```
    /// # use healthchecker::client::HealthStatus;
    /// assert_eq!(HealthStatus::Warn.word(), "warn");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            HealthStatus::Pass => "pass",
            HealthStatus::Warn => "warn",
            HealthStatus::Fail => "fail",
        }
    }

    /// The HTTP status that goes with it (section 3.1 of the draft: 2xx or 3xx, for `fail` 4xx or
    /// 5xx).
    ///
    /// ```
    /// # use healthchecker::client::HealthStatus;
    /// assert_eq!(HealthStatus::Fail.code(), 503);
    /// ```
    pub fn code(self) -> u16 {
        match self {
            HealthStatus::Pass | HealthStatus::Warn => 200,
            HealthStatus::Fail => 503,
        }
    }
}

/// An answer in the making.
///
/// ```
/// use healthchecker::client::{HealthCheckResponse, HealthStatus};
///
/// let answer = HealthCheckResponse::new().description("NAS").status(HealthStatus::Pass).build();
/// assert_eq!(answer.code, 200);
/// assert_eq!(answer.body, r#"{"description":"NAS","status":"pass"}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthCheckResponse {
    status: HealthStatus,
    members: Map<String, Value>,
    notes: Vec<Value>,
    checks: Map<String, Value>,
    details: Map<String, Value>,
    links: Map<String, Value>,
    max_age: Option<u32>,
}

/// An answer, ready to be sent with any web server.
///
/// ```
/// use healthchecker::client::HealthCheckResponse;
///
/// let answer = HealthCheckResponse::new().build();
/// assert_eq!((answer.code, answer.body.as_str()), (200, r#"{"status":"pass"}"#));
/// assert!(answer.headers.contains(&("Cache-Control", "no-store".to_owned())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub code: u16,
    /// The headers that belong to it.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl HealthCheckResponse {
    /// Passes until it is told otherwise.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// assert_eq!(HealthCheckResponse::new().build().code, 200);
    /// ```
    pub fn new() -> HealthCheckResponse {
        HealthCheckResponse::default()
    }

    /// How the app is.
    ///
    /// ```
    /// # use healthchecker::client::{HealthCheckResponse, HealthStatus};
    /// assert_eq!(HealthCheckResponse::new().status(HealthStatus::Fail).build().code, 503);
    /// ```
    #[must_use]
    pub fn status(mut self, status: HealthStatus) -> Self {
        self.status = status;
        self
    }

    /// What the app is, for people.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().description("NAS").build();
    /// assert!(answer.body.contains("NAS"));
    /// ```
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        self.member("description", text)
    }

    /// The public version of the service.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().version("1").build();
    /// assert!(answer.body.contains("1"));
    /// ```
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.member("version", version)
    }

    /// The release, in the app's own numbers.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().release_id("1.2.2").build();
    /// assert!(answer.body.contains("1.2.2"));
    /// ```
    #[must_use]
    pub fn release_id(self, id: &str) -> Self {
        self.member("releaseId", id)
    }

    /// What identifies this instance.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().service_id("f03e522f").build();
    /// assert!(answer.body.contains("f03e522f"));
    /// ```
    #[must_use]
    pub fn service_id(self, id: &str) -> Self {
        self.member("serviceId", id)
    }

    /// One more note.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().notes("two disks").build();
    /// assert!(answer.body.contains("two disks"));
    /// ```
    #[must_use]
    pub fn notes(mut self, note: &str) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What is wrong: the daemon quotes it in its mail.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().output("disk 98 % full").build();
    /// assert!(answer.body.contains("disk 98 % full"));
    /// ```
    #[must_use]
    pub fn output(self, text: &str) -> Self {
        self.member("output", text)
    }

    /// One more result of a part of the app, such as `memory:utilization`.
    ///
    /// ```
    /// # use healthchecker::client::{HealthCheckResponse, health::Check};
    /// let uptime = Check::new().observed_value(7200).observed_unit("s");
    /// let answer = HealthCheckResponse::new().checks("uptime", uptime).build();
    /// assert!(answer.body.contains("7200"));
    /// ```
    #[must_use]
    pub fn checks(mut self, part: &str, check: Check) -> Self {
        push(&mut self.checks, part, check);
        self
    }

    /// As [`HealthCheckResponse::checks`], by the name that it had in the first drafts (00 to 02).
    ///
    /// ```
    /// # use healthchecker::client::{HealthCheckResponse, health::Check};
    /// let uptime = Check::new().observed_value(7200).observed_unit("s");
    /// let answer = HealthCheckResponse::new().details("uptime", uptime).build();
    /// assert!(answer.body.contains("7200"));
    /// ```
    #[must_use]
    pub fn details(mut self, part: &str, check: Check) -> Self {
        push(&mut self.details, part, check);
        self
    }

    /// One more link.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().links("about", "http://nas/about").build();
    /// assert!(answer.body.contains("http://nas/about"));
    /// ```
    #[must_use]
    pub fn links(mut self, relation: &str, uri: &str) -> Self {
        self.links.insert(relation.to_owned(), uri.into());
        self
    }

    /// For how many seconds a cache may give this answer to others. By default, none may.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// let answer = HealthCheckResponse::new().max_age(10).build();
    /// assert!(answer.headers.contains(&("Cache-Control", "max-age=10".to_owned())));
    /// ```
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.max_age = Some(seconds);
        self
    }

    /// The answer.
    ///
    /// ```
    /// # use healthchecker::client::HealthCheckResponse;
    /// assert_eq!(HealthCheckResponse::new().build().body, r#"{"status":"pass"}"#);
    /// ```
    pub fn build(mut self) -> Answer {
        self.members.insert("status".to_owned(), self.status.word().into());
        if !self.notes.is_empty() {
            self.members.insert("notes".to_owned(), self.notes.into());
        }
        for (name, object) in
            [("checks", self.checks), ("details", self.details), ("links", self.links)]
        {
            if !object.is_empty() {
                self.members.insert(name.to_owned(), object.into());
            }
        }
        let cache = match self.max_age {
            None => "no-store".to_owned(),
            Some(seconds) => format!("max-age={seconds}"),
        };
        Answer {
            code: self.status.code(),
            headers: vec![("Content-Type", CONTENT_TYPE.to_owned()), ("Cache-Control", cache)],
            body: Value::Object(self.members).to_string(),
        }
    }

    fn member(mut self, name: &str, text: &str) -> Self {
        self.members.insert(name.to_owned(), text.into());
        self
    }
}

/// The draft has a list for each part: there may be several of a kind.
fn push(parts: &mut Map<String, Value>, part: &str, check: Check) {
    if let Value::Array(list) = parts.entry(part).or_insert_with(|| json!([])) {
        list.push(Value::Object(check.members));
    }
}

/// One result of a part of an app (section 4 of the draft).
///
/// ```
/// use healthchecker::client::{HealthCheckResponse, HealthStatus, health::Check};
///
/// let disk = Check::new().observed_value(98).observed_unit("%").status(HealthStatus::Warn);
/// let answer = HealthCheckResponse::new().checks("disk:utilization", disk).build();
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    members: Map<String, Value>,
}

impl Check {
    /// An empty one.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// assert_eq!(Check::new(), Check::default());
    /// ```
    pub fn new() -> Check {
        Check::default()
    }

    /// How this part is.
    ///
    /// ```
    /// # use healthchecker::client::{HealthStatus, health::Check};
    /// let disk = Check::new().status(HealthStatus::Warn);
    /// ```
    #[must_use]
    pub fn status(self, status: HealthStatus) -> Check {
        self.with("status", status.word())
    }

    /// What was measured: a number, a text, anything JSON has.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().observed_value(98.5);
    /// ```
    #[must_use]
    pub fn observed_value(self, value: impl Into<Value>) -> Check {
        self.with("observedValue", value)
    }

    /// Its unit.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().observed_value(98.5).observed_unit("%");
    /// ```
    #[must_use]
    pub fn observed_unit(self, unit: &str) -> Check {
        self.with("observedUnit", unit)
    }

    /// `component`, `datastore`, `system`, or a word of your own.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().component_type("datastore");
    /// ```
    #[must_use]
    pub fn component_type(self, kind: &str) -> Check {
        self.with("componentType", kind)
    }

    /// Which of several.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().component_id("sda1");
    /// ```
    #[must_use]
    pub fn component_id(self, id: &str) -> Check {
        self.with("componentId", id)
    }

    /// When it was measured (RFC 3339).
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().time("2026-11-27T08:00:00Z");
    /// ```
    #[must_use]
    pub fn time(self, time: &str) -> Check {
        self.with("time", time)
    }

    /// What is wrong.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().output("98 % full");
    /// ```
    #[must_use]
    pub fn output(self, text: &str) -> Check {
        self.with("output", text)
    }

    /// Any other member, by its name.
    ///
    /// ```
    /// # use healthchecker::client::health::Check;
    /// let disk = Check::new().with("affectedEndpoints", vec!["/films"]);
    /// ```
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Check {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_where_the_draft_has_it() {
        let answer = HealthCheckResponse::new()
            .description("NAS")
            .version("1")
            .release_id("1.2.2")
            .service_id("f03e522f")
            .notes("one")
            .notes("two")
            .output("disk 98 % full")
            .checks("disk:utilization", Check::new().observed_value(98).observed_unit("%"))
            .checks("disk:utilization", Check::new().status(HealthStatus::Warn).component_id("b"))
            .details("uptime", Check::new().with("metricValue", 1.5))
            .links("about", "http://nas/about")
            .status(HealthStatus::Fail)
            .build();
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            body,
            json!({
                "status": "fail", "description": "NAS", "version": "1", "releaseId": "1.2.2",
                "serviceId": "f03e522f", "notes": ["one", "two"], "output": "disk 98 % full",
                "checks": {"disk:utilization": [
                    {"observedValue": 98, "observedUnit": "%"},
                    {"status": "warn", "componentId": "b"},
                ]},
                "details": {"uptime": [{"metricValue": 1.5}]},
                "links": {"about": "http://nas/about"},
            })
        );
    }

    #[test]
    fn only_fail_is_a_server_error_and_no_cache_keeps_it() {
        for (status, code) in
            [(HealthStatus::Pass, 200), (HealthStatus::Warn, 200), (HealthStatus::Fail, 503)]
        {
            let answer = HealthCheckResponse::new().status(status).build();
            assert_eq!(answer.code, code);
            assert_eq!(
                answer.headers,
                [
                    ("Content-Type", "application/health+json".to_owned()),
                    ("Cache-Control", "no-store".to_owned())
                ]
            );
        }
        let kept = HealthCheckResponse::new().max_age(10).build();
        assert!(kept.headers.contains(&("Cache-Control", "max-age=10".to_owned())));
    }
}
