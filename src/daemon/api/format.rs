//! Whether a client wants a page for a person or JSON for a program.

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, unless the client asks for something else: programs keep what they have.
    Json,
    Html,
}

impl Format {
    /// What the `Accept` headers ask for (RFC 9110, section 12.5.1). A browser names `text/html`; a
    /// program that takes anything (`*/*`, as curl does) gets JSON.
    pub(super) fn accepted<'a>(headers: impl Iterator<Item = &'a str>) -> Format {
        let (mut html, mut json) = (0, 0);
        for range in headers.flat_map(|header| header.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = weight(parts);
            match media_type.as_str() {
                "text/html" | "application/xhtml+xml" => html = html.max(weight),
                "application/json" | "application/health+json" => json = json.max(weight),
                _ => {}
            }
        }
        if html > json { Format::Html } else { Format::Json }
    }

    /// What `format=` names.
    pub(super) fn named(word: &str) -> Option<Format> {
        match word {
            "json" => Some(Format::Json),
            "html" => Some(Format::Html),
            _ => None,
        }
    }
}

/// The `q` of a media range, in thousandths.
fn weight<'a>(parameters: impl Iterator<Item = &'a str>) -> u16 {
    let mut given = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let q: Option<f32> = given.next().map(|value| value.parse().unwrap_or(0.0));
    q.map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_json() {
        for (accept, format) in [
            // Firefox, Chromium, Safari.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                Format::Html,
            ),
            // curl and python-requests, Home Assistant, wget.
            ("*/*", Format::Json),
            ("application/json", Format::Json),
            ("application/json, text/plain, */*", Format::Json),
            ("", Format::Json),
            ("text/html;q=0.5, application/json", Format::Json),
            ("application/json;q=0.5, text/html", Format::Html),
            ("TEXT/HTML ; Q=1", Format::Html),
            ("text/html;q=0", Format::Json),
            ("text/html;q=x", Format::Json),
        ] {
            assert_eq!(Format::accepted([accept].into_iter()), format, "{accept}");
        }
        assert_eq!(Format::accepted(["*/*", "text/html"].into_iter()), Format::Html);
        assert_eq!(Format::accepted([].into_iter()), Format::Json);
    }
}
