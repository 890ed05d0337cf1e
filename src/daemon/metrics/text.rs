//! The Prometheus text format (version 0.0.4), written so that it cannot be broken.

use std::fmt::{self, Display, Write};

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many were no larger than what.
    Histogram,
}

/// A page of metrics under construction.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// One family; its samples follow.
pub(super) struct Family<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Page {
    /// Begins a family: what it is called and what it is, once, before its samples.
    pub(super) fn family(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
    ) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { page: self, name }
    }

    /// Goes on with the samples of a family whose beginning is on another page.
    pub(super) fn family_that_goes_on(&mut self, name: &'static str) -> Family<'_> {
        Family { page: self, name }
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }
}

impl Family<'_> {
    /// A sample; `suffix` is only for histograms.
    pub(super) fn sample(
        &mut self,
        suffix: &'static str,
        labels: &[(&'static str, &dyn Display)],
        value: impl Display,
    ) {
        self.sample_any(suffix, labels, &value);
    }

    /// The same, whose code is there once.
    fn sample_any(
        &mut self,
        suffix: &'static str,
        labels: &[(&'static str, &dyn Display)],
        value: &dyn Display,
    ) {
        self.page.write(format_args!("{}{suffix}", self.name));
        for (n, (label, text)) in labels.iter().enumerate() {
            let open = if n == 0 { '{' } else { ',' };
            self.page.write(format_args!("{open}{label}=\""));
            let _ = write!(Escaped(&mut self.page.0), "{text}");
            self.page.write(format_args!("\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.page.write(format_args!("{close} {value}\n"));
    }

    /// The only sample.
    pub(super) fn is(&mut self, value: impl Display) {
        self.sample("", &[], value);
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_holds_anything() {
        let mut page = Page::default();
        let mut family = page.family("a_total", Kind::Counter, "What it is.");
        family.sample("", &[("app", &"a\\b\"c\nd"), ("n", &1)], 2);
        family.is(0.5);
        assert_eq!(
            page.into_string(),
            "# HELP a_total What it is.\n# TYPE a_total counter\n\
             a_total{app=\"a\\\\b\\\"c\\nd\",n=\"1\"} 2\na_total 0.5\n"
        );
    }
}
