//! What is seen on the network, with a button for each device that is not watched yet.

use super::frame;
use super::html::Html;
use crate::daemon::api::{Device, Picked, SEEN, ScanView, WATCH, parts};

/// The page.
pub(crate) struct ScanPage<'a>(pub(crate) &'a ScanView);

impl ScanPage<'_> {
    pub(crate) fn html(&self) -> String {
        let (mut title, mut html) = (Html::default(), Html::default());
        title.raw("Seen on your network · HealthChecker");
        html.raw("<header><p><a href=\"./\">All apps</a></p>");
        html.raw("<h1><span>Seen on your network</span></h1></header>");
        if self.0.seen.is_empty() {
            html.raw("<div class=\"empty\"><p>Nothing announces itself here just now. ");
            html.raw("What sleeps does not, and what is behind another router cannot be heard.</p></div>");
        } else {
            html.raw("<p>Devices and programs that announce themselves. What is watched is asked ");
            html.raw("as a visitor would: nothing on it is changed.</p><div class=\"box\">");
            self.list(&mut html);
            html.raw("</div>");
        }
        again(&mut html);
        // It is the answer to a POST, and nobody can ask for it anew.
        frame::still(&title, &html)
    }
}

impl ScanPage<'_> {
    /// Each button sends the list back, as far as a form may be long, and the answer is the list again.
    fn list(&self, html: &mut Html) {
        let picked = self.0.picked.as_ref();
        for (part, list) in parts(&self.0.seen) {
            html.raw("<form method=\"post\" action=\"scan\"><input type=\"hidden\" name=\"");
            html.raw(SEEN).raw("\" value=\"").put(list).raw("\"><ul class=\"seen\">");
            for (place, device) in part.iter().enumerate() {
                row(html, device, place, picked.filter(|picked| picked.place == place));
            }
            html.raw("</ul></form>");
        }
    }
}

/// The button that asks the network.
pub(super) fn again(html: &mut Html) {
    html.raw("<form method=\"post\" action=\"").to("scan").raw("\">");
    html.raw("<button>Look around on the network</button> <span class=\"soft\">takes 5 seconds</span></form>");
}

fn row(html: &mut Html, device: &Device, place: usize, picked: Option<&Picked>) {
    html.raw("<li><b><bdi>").put(&device.name).raw("</bdi></b> ").put(device.kind);
    html.raw(" <span class=\"soft\">").put(device.address);
    // Whose address changes is better watched by it, as its owner may say.
    html.raw(" · <bdi>").put(&device.host).raw("</bdi></span> ");
    // Whoever has touched it is there again.
    let focus = if picked.is_some() { " autofocus" } else { "" };
    if let Some(name) = &device.watched {
        html.raw("<a").raw(focus).raw(" href=\"info?appname=").query(name);
        html.raw("\">watched as <bdi>").put(name).raw("</bdi></a>");
    }
    if let Some(monitor) = &device.monitor {
        html.raw("<button").raw(focus).raw(" name=\"").raw(WATCH).raw("\" value=\"").put(place);
        html.raw("\" aria-label=\"Watch ").put(&monitor.appname).raw("\">Watch</button>");
    }
    if let Some(why) = picked.and_then(|picked| picked.refused.as_ref()) {
        html.raw("<p class=\"wrong\" role=\"alert\">").put(why).raw("</p>");
    }
    html.raw("</li>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::api::Proposal;

    #[test]
    fn what_others_announce_is_text_and_what_is_watched_has_no_button() {
        let device = |watched: Option<&str>| device("<script>alert(1)</script>", watched);
        let page = |seen, picked| ScanPage(&ScanView { seen, picked }).html();
        let new = page(vec![device(None)], None);
        assert!(!new.contains("<script>alert") && !new.contains("\"><b>"), "{new}");
        assert!(!new.contains("http-equiv") && !new.contains("<script>"), "it stays as it is");
        assert!(new.contains("10.0.0.7:631 · <bdi>box.local</bdi>"), "{new}");
        assert!(new.contains("name=\"watch\" value=\"0\" aria-label=\"Watch &quot;"), "{new}");
        assert!(!new.contains("autofocus"), "{new}");
        let known = page(vec![device(Some("a&b"))], None);
        assert!(known.contains("appname=a%26b") && !known.contains("name=\"watch\""), "{known}");
        assert!(page(vec![], None).contains("Nothing announces itself"));
    }

    #[test]
    fn what_came_of_a_touch_stands_beside_it() {
        let device = |watched: Option<&str>| device("TV", watched);
        let all = || vec![device(None), device(Some("box")), device(None)];
        let page = |place, refused: Option<&str>| {
            let picked = Some(Picked { place, refused: refused.map(str::to_owned) });
            ScanPage(&ScanView { seen: all(), picked }).html()
        };
        let done = page(1, None);
        assert!(done.contains("<a autofocus href=\"info?appname=box\">"), "{done}");
        assert_eq!(
            (done.matches(" autofocus").count(), done.matches("role=\"alert\"").count()),
            (1, 0)
        );
        let refused = page(2, Some("no room <b>"));
        assert!(refused.contains("<button autofocus name=\"watch\" value=\"2\""), "{refused}");
        assert!(refused.contains("role=\"alert\">no room &lt;b&gt;</p>"), "{refused}");
        assert_eq!(refused.matches(" autofocus").count(), 1);
    }

    fn device(name: &str, watched: Option<&str>) -> Device {
        Device {
            name: name.to_owned(),
            kind: "Printer",
            service: "_ipp._tcp",
            address: "10.0.0.7:631".parse().unwrap(),
            host: "box.local".to_owned(),
            watched: watched.map(str::to_owned),
            monitor: watched.is_none().then(|| Proposal {
                appname: "\"><b>".to_owned(),
                url: "tcp://10.0.0.7:631".to_owned(),
                path: "",
                expect: "",
            }),
        }
    }
}
