//! The form in which a person has something watched, or changes how: a place for each field of `monitor`.

use super::frame;
use super::html::Html;
use crate::engine::registration::fields::FieldError;
use crate::engine::registration::spec::{Field, Takes, Value};
use crate::engine::registration::table::FIELDS;
use crate::engine::registration::values::Values;
use crate::engine::registration::{Kind, Registration};

/// The parameter by which the form says that it changes an app, whose name is known to it.
pub(crate) const CHANGES: &str = "changes";

/// The parameter by which it says that a secret of this name is to go.
pub(crate) const FORGET: &str = "forget";

/// What the form is made of.
#[derive(Debug)]
pub struct WatchForm {
    /// An app is changed, not added: its name stays.
    pub changes: bool,
    /// What stands in the fields, by their names; nothing where there is none.
    pub filled: Vec<(String, String)>,
    /// What is wrong with it.
    pub mistakes: Vec<FieldError>,
    /// What is watched if nothing is said of it.
    pub kind: Kind,
    /// Who is told about apps that name nobody.
    pub told: String,
    /// There is a login on record.
    pub has_auth: bool,
}

impl WatchForm {
    /// An empty one.
    pub(crate) fn new(told: String) -> WatchForm {
        let (filled, mistakes) = (Vec::new(), Vec::new());
        WatchForm { changes: false, filled, mistakes, kind: Kind::Http, told, has_auth: false }
    }

    /// One that has what is on record of an app.
    pub(crate) fn of(app: &Registration, told: String) -> WatchForm {
        let said = Values::said(app).into_iter();
        let filled = said.map(|(field, value)| (field.name().to_owned(), typed(&value))).collect();
        let (kind, has_auth) = (app.target.kind(), app.target.auth().is_some());
        WatchForm { changes: true, filled, kind, has_auth, ..WatchForm::new(told) }
    }

    /// The page.
    pub(crate) fn html(&self) -> String {
        let (mut title, mut main) = (Html::default(), Html::default());
        if !self.mistakes.is_empty() {
            title.raw("Not yet: ");
        }
        match self.changes {
            true => title.raw("Change ").put(self.text("appname")),
            false => title.raw("Watch something"),
        };
        main.raw("<header><p><a href=\"./\">All apps</a></p><h1><bdi>").add(&title);
        main.raw("</bdi></h1></header>");
        self.put(&mut main);
        title.raw(" · HealthChecker");
        frame::still(&title, &main)
    }

    /// The form itself.
    pub(super) fn put(&self, html: &mut Html) {
        html.raw("<form class=\"box watch\" method=\"post\" action=\"").to("watch");
        html.raw("\" novalidate>");
        let of_field = |mistake: &FieldError| {
            let name = mistake.field.as_deref();
            FIELDS.iter().any(|field| Some(field.name()) == name)
        };
        for mistake in self.mistakes.iter().filter(|mistake| !of_field(mistake)) {
            html.raw("<p class=\"wrong\" role=\"alert\">").put(&mistake.message).raw("</p>");
        }
        if self.changes {
            html.raw("<input type=\"hidden\" name=\"").raw(CHANGES).raw("\" value=\"true\">");
        }
        let unsaid = Registration::unsaid(self.kind);
        let mut place = Place { form: self, unsaid, has_focus: false };
        let (rare, common): (Vec<_>, Vec<_>) = FIELDS.iter().partition(|field| field.is_rare());
        common.into_iter().for_each(|field| place.put(html, field));
        let is_open = rare.iter().any(|field| self.is_set(field) || self.mistake(field).is_some());
        html.raw(if is_open { "<details open>" } else { "<details>" });
        html.raw("<summary>How often, what counts, who else</summary>");
        rare.into_iter().for_each(|field| place.put(html, field));
        html.raw("</details><p><button class=\"do\">");
        html.raw(if self.changes { "Save" } else { "Watch it" }).raw("</button>");
        if self.changes {
            html.raw(" <a class=\"button\" href=\"info?appname=");
            html.query(self.text("appname")).raw("#stop\">Stop watching …</a>");
        }
        html.raw("</p></form>");
    }

    fn text(&self, name: &str) -> &str {
        let text = self.filled.iter().find(|(its, _)| its == name);
        text.map_or("", |(_, text)| text.as_str())
    }

    fn mistake(&self, field: &Field) -> Option<&FieldError> {
        self.mistakes.iter().find(|mistake| mistake.field.as_deref() == Some(field.name()))
    }

    /// Whether it is not as it is by default.
    fn is_set(&self, field: &Field) -> bool {
        match field.takes {
            Takes::Flag { default, .. } => self.is_ticked(field, default) != default,
            Takes::Secret { .. } => self.has_auth,
            _ => !self.text(field.name()).is_empty(),
        }
    }

    fn is_ticked(&self, field: &Field, default: bool) -> bool {
        match self.text(field.name()) {
            "" => default,
            text => text == "true",
        }
    }
}

/// Puts one field after the other.
struct Place<'a> {
    form: &'a WatchForm,
    /// What an app has that says nothing.
    unsaid: Option<Registration>,
    /// The first one that is wrong has it.
    has_focus: bool,
}

impl Place<'_> {
    fn put(&mut self, html: &mut Html, field: &'static Field) {
        let (form, name) = (self.form, field.name());
        if form.changes && matches!(field.takes, Takes::Name) {
            html.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"");
            html.put(form.text(name)).raw("\">");
            // It may have been stopped meanwhile, and be refused now.
            wrong(html, name, form.mistake(field));
            return;
        }
        html.raw("<div class=\"field\">");
        if let Takes::Flag { default, .. } = field.takes {
            html.raw("<label><input type=\"checkbox\" value=\"true\"");
            html.raw(if form.is_ticked(field, default) { " checked" } else { "" });
            self.end_tag(html, field);
            html.raw(" ").put(field.label()).raw("</label>");
            wrong(html, name, form.mistake(field));
            html.raw("</div>");
            return;
        }
        html.raw("<label for=\"field-").raw(name).raw("\">").put(field.label()).raw("</label>");
        wrong(html, name, form.mistake(field));
        html.raw("<p class=\"soft\" id=\"hint-").raw(name).raw("\">");
        self.hint(html, field);
        html.raw("</p>");
        self.control(html, field);
        html.raw("</div>");
    }

    /// What is valid, and what it is if nothing is said.
    fn hint(&self, html: &mut Html, field: &Field) {
        html.put(field.takes.valid());
        match field.takes {
            Takes::Name => {}
            Takes::Url => {
                html.raw(", such as http://192.168.1.20:8080");
                return;
            }
            Takes::Kind => {
                html.raw("; it follows from the address");
            }
            Takes::People => {
                html.raw("; if left empty: ").put(&self.form.told);
            }
            Takes::Secret { .. } if self.form.has_auth => {
                html.raw("; one is set, and stays if left empty, as long as the address does");
            }
            Takes::Secret { .. } => {}
            Takes::Lasting { default, .. } => {
                html.raw("; ").raw(default).raw(" if left empty");
            }
            _ => {
                let default = self.unsaid.as_ref().map(|app| (field.get)(app).text());
                if let Some(default) = default.filter(|text| !text.is_empty()) {
                    html.raw("; ").put(default).raw(" if left empty");
                }
            }
        }
        let only: Vec<&str> = field.only.iter().map(|kind| kind.word()).collect();
        if !only.is_empty() {
            html.raw("; for ").put(only.join(" or ")).raw(" alone");
        }
    }

    fn control(&mut self, html: &mut Html, field: &'static Field) {
        let text = self.form.text(field.name());
        match field.takes {
            Takes::Kind => {
                html.raw("<select");
                self.end_tag(html, field);
                html.raw("<option value=\"\">as the address says</option>");
                for word in Kind::all() {
                    html.raw(if word == text { "<option selected>" } else { "<option>" });
                    html.raw(word).raw("</option>");
                }
                html.raw("</select>");
            }
            // What is on record is shown to nobody, and no browser is to remember it as ours.
            Takes::Secret { .. } => {
                html.raw("<input type=\"password\" autocomplete=\"new-password\"");
                self.end_tag(html, field);
                if self.form.has_auth {
                    html.raw("<br><label><input type=\"checkbox\" name=\"").raw(FORGET);
                    html.raw("\" value=\"").raw(field.name()).raw("\"> Remove what is set</label>");
                }
            }
            // A name may have a comma in it: then each stands in a line.
            _ if text.contains('\n') => {
                html.raw("<textarea rows=\"3\"");
                self.end_tag(html, field);
                html.raw("\n").put(text).raw("</textarea>");
            }
            _ => {
                html.raw(match field.takes {
                    Takes::Whole { .. } | Takes::Lasting { .. } => "<input inputmode=\"numeric\"",
                    Takes::Url => "<input inputmode=\"url\" autocapitalize=\"none\"",
                    Takes::People => "<input inputmode=\"email\" autocapitalize=\"none\"",
                    _ => "<input",
                });
                html.raw(" value=\"").put(text).raw("\"");
                html.raw(if matches!(field.takes, Takes::Name) { " required" } else { "" });
                self.end_tag(html, field);
            }
        }
    }

    /// What every control has.
    fn end_tag(&mut self, html: &mut Html, field: &'static Field) {
        let (name, mistake) = (field.name(), self.form.mistake(field));
        html.raw(" id=\"field-").raw(name).raw("\" name=\"").raw(name).raw("\"");
        let has_hint = !matches!(field.takes, Takes::Flag { .. });
        if has_hint || mistake.is_some() {
            html.raw(" aria-describedby=\"");
            if mistake.is_some() {
                html.raw("wrong-").raw(name).raw(" ");
            }
            if has_hint {
                html.raw("hint-").raw(name);
            }
            html.raw("\"");
        }
        if mistake.is_some() {
            html.raw(" aria-invalid=\"true\"");
            if !self.has_focus {
                html.raw(" autofocus");
                self.has_focus = true;
            }
        }
        html.raw(">");
    }
}

fn wrong(html: &mut Html, name: &'static str, mistake: Option<&FieldError>) {
    if let Some(mistake) = mistake {
        html.raw("<p class=\"wrong\" id=\"wrong-").raw(name).raw("\">");
        html.put(&mistake.message).raw("</p>");
    }
}

/// A value as it is typed: names that have a comma in them each in a line.
fn typed(value: &Value) -> String {
    match value {
        Value::List(texts) if texts.iter().any(|text| text.contains(',')) => {
            texts.iter().map(|text| format!("{text}\n")).collect()
        }
        value => value.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::Origin;

    fn app(more: &[(&str, &str)]) -> Registration {
        registered(&[&[("appname", "NAS"), ("url", "http://nas")], more].concat())
    }

    fn registered(pairs: &[(&str, &str)]) -> Registration {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap()
    }

    fn refused(field: Option<&str>, message: &str) -> FieldError {
        FieldError { field: field.map(str::to_owned), message: message.to_owned() }
    }

    #[test]
    fn every_field_has_its_place_and_a_label() {
        let html = WatchForm::new("nobody".to_owned()).html();
        for field in &FIELDS {
            let name = field.name();
            assert_eq!(
                html.matches(&format!(" id=\"field-{name}\" name=\"{name}\"")).count(),
                1,
                "{name}"
            );
            assert!(html.contains(&field.label().replace('\'', "&#39;")), "{name}");
        }
        assert!(html.contains("<details><summary>"), "what is rare is folded away");
        assert!(html.contains("; 30 if left empty"), "{html}");
        assert!(html.contains("200 if left empty; for http alone"), "{html}");
        assert!(!html.contains("<script>") && !html.contains("http-equiv"), "nothing moves");
    }

    #[test]
    fn what_is_on_record_is_filled_in_and_what_is_as_by_default_is_not() {
        let html = WatchForm::of(&app(&[]), String::new()).html();
        assert!(html.contains("type=\"hidden\" name=\"appname\" value=\"NAS\""));
        assert!(html.contains("<details><summary>"));
        let said = [("interval", "60"), ("reminders", "no"), ("may_be_off", "yes")];
        let html = WatchForm::of(&app(&said), String::new()).html();
        assert!(html.contains("value=\"60\" id=\"field-interval\""), "{html}");
        assert!(html.contains("<details open>"), "what is set is in sight");
        assert!(html.contains("value=\"true\" checked id=\"field-may_be_off\""));
        assert!(html.contains("value=\"true\" id=\"field-reminders\""), "not ticked");
        let html = WatchForm::of(&app(&[("parent", "Switch, upstairs\n")]), String::new()).html();
        assert!(html.contains(">\nSwitch, upstairs\n</textarea>"), "{html}");
    }

    #[test]
    fn a_login_is_typed_and_never_shown() {
        let (set, none) = (app(&[("auth", "me:hunter2")]), app(&[]));
        let html = WatchForm::of(&set, String::new()).html();
        let control = "<input type=\"password\" autocomplete=\"new-password\" id=\"field-auth\"";
        assert!(html.contains(control) && !html.contains("hunter2"), "{html}");
        let box_of_it = "name=\"forget\" value=\"auth\"";
        assert!(html.contains(box_of_it) && html.contains("<details open>"), "{html}");
        let html = WatchForm::of(&none, String::new()).html();
        assert!(!html.contains(box_of_it) && !html.contains("<details open>"), "{html}");
    }

    #[test]
    fn what_reports_by_itself_needs_no_address() {
        let beat = |interval: &str, grace: &str| {
            let pairs =
                [("appname", "Backup"), ("kind", "beat"), ("interval", interval), ("grace", grace)];
            let html = WatchForm::of(&registered(&pairs), String::new()).html();
            assert!(html.contains("<option selected>beat</option>"), "{html}");
            html
        };
        let html = beat("86400", "");
        assert!(html.contains("value=\"86400\""), "{html}");
        assert!(html.contains("value=\"\" id=\"field-grace\""), "it follows from the interval");
        assert!(beat("86400", "90").contains("value=\"90\" id=\"field-grace\""));
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_the_first_has_the_focus() {
        let mut form = WatchForm::new(String::new());
        let evil = "<b>\"'";
        form.filled = vec![("interval".to_owned(), evil.to_owned())];
        form.mistakes = vec![
            refused(Some("interval"), "interval must be <x>"),
            refused(Some("expect"), "expect must be"),
            refused(None, "no room <x>"),
            refused(Some("what"), "unknown parameter"),
        ];
        let html = form.html();
        assert!(html.contains("aria-describedby=\"wrong-interval hint-interval\" aria-invalid"));
        assert!(html.contains("id=\"wrong-interval\">interval must be &lt;x&gt;</p>"), "{html}");
        assert_eq!(html.matches(" autofocus").count(), 1);
        assert_eq!(html.matches(" aria-invalid").count(), 2);
        assert_eq!(html.matches("role=\"alert\"").count(), 2, "those of no field");
        assert!(html.contains("<details open>"));
        assert!(html.contains("value=\"&lt;b&gt;&quot;&#39;\" id=\"field-interval\""));
    }
}
