//! What is seen on the network, with a button for each device that is not watched yet.

use super::frame;
use super::html::Html;
use crate::daemon::api::{Device, ScanView};

/// The page.
pub(crate) struct ScanPage<'a>(pub(crate) &'a ScanView);

impl ScanPage<'_> {
    pub(crate) fn html(&self) -> String {
        let (mut title, mut html) = (Html::default(), Html::default());
        title.raw("Seen on your network · HealthChecker");
        html.raw("<header><p><a href=\"/healthchecker/\">All apps</a></p>");
        html.raw("<h1><span>Seen on your network</span></h1></header>");
        if self.0.seen.is_empty() {
            html.raw("<div class=\"empty\"><p>Nothing announces itself here just now. ");
            html.raw("What sleeps does not, and what is behind another router cannot be heard.</p></div>");
        } else {
            html.raw("<p>Devices and programs that announce themselves. What is watched is asked ");
            html.raw("as a visitor would: nothing on it is changed.</p><section class=\"box\"><ul class=\"seen\">");
            self.0.seen.iter().for_each(|device| row(&mut html, device));
            html.raw("</ul></section>");
        }
        again(&mut html);
        // It is the answer to a POST, and nobody can ask for it anew.
        frame::still(&title, &html)
    }
}

/// The button that asks the network.
pub(super) fn again(html: &mut Html) {
    html.raw("<form method=\"post\" action=\"/healthchecker/scan\">");
    html.raw("<button>Look around on the network</button> <span class=\"soft\">takes 5 seconds</span></form>");
}

fn row(html: &mut Html, device: &Device) {
    html.raw("<li><b><bdi>").put(&device.name).raw("</bdi></b> ").put(device.kind);
    html.raw(" <span class=\"soft\">").put(device.address).raw("</span> ");
    if let Some(name) = &device.watched {
        html.raw("<a href=\"/healthchecker/info?appname=").query(name).raw("\">watched as <bdi>");
        html.put(name).raw("</bdi></a>");
    }
    if let Some(monitor) = &device.monitor {
        html.raw("<form method=\"post\" action=\"/healthchecker/monitor\">");
        for (name, value) in [
            ("appname", monitor.appname.as_str()),
            ("url", &monitor.url),
            ("path", monitor.path),
            ("expect", monitor.expect),
        ] {
            if !value.is_empty() {
                html.raw("<input type=\"hidden\" name=\"")
                    .raw(name)
                    .raw("\" value=\"")
                    .put(value)
                    .raw("\">");
            }
        }
        html.raw("<button aria-label=\"Watch ")
            .put(&monitor.appname)
            .raw("\">Watch</button></form>");
    }
    html.raw("</li>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::api::Proposal;

    #[test]
    fn what_others_announce_is_text_and_what_is_watched_has_no_button() {
        let device = |watched: Option<&str>| Device {
            name: "<script>alert(1)</script>".to_owned(),
            kind: "Printer",
            service: "_ipp._tcp",
            address: "10.0.0.7:631".parse().unwrap(),
            watched: watched.map(str::to_owned),
            monitor: watched.is_none().then(|| Proposal {
                appname: "\"><b>".to_owned(),
                url: "tcp://10.0.0.7:631".to_owned(),
                path: "",
                expect: "",
            }),
        };
        let new = ScanPage(&ScanView { seen: vec![device(None)] }).html();
        assert!(!new.contains("<script>alert") && !new.contains("\"><b>"), "{new}");
        assert!(!new.contains("http-equiv") && !new.contains("<script>"), "it stays as it is");
        assert!(new.contains("name=\"url\" value=\"tcp://10.0.0.7:631\""), "{new}");
        assert!(!new.contains("name=\"path\""), "{new}");
        let known = ScanPage(&ScanView { seen: vec![device(Some("a&b"))] }).html();
        assert!(known.contains("appname=a%26b") && !known.contains("name=\"appname\""), "{known}");
        assert!(ScanPage(&ScanView { seen: vec![] }).html().contains("Nothing announces itself"));
    }
}
