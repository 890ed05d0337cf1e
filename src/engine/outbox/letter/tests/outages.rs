//! What is told of apps that are silent together.

use super::*;

/// These apps on each of these hosts, UNHEALTHY, 13 s after each other.
fn outage(hosts: &[(Option<&str>, &[&str])]) -> Outage {
    let silent = |(place, app): (usize, &&str)| Silent {
        app: (*app).to_owned(),
        unhealthy: true,
        failures: 2,
        since: wall(i64::try_from(place).unwrap() * 13 - 40),
        reason: "no route to host".to_owned(),
    };
    let group = |(host, apps): &(Option<&str>, &[&str])| Group {
        host: host.map(str::to_owned),
        host_lives: false,
        outside: false,
        parent: None,
        apps: apps.iter().enumerate().map(silent).collect(),
    };
    let groups = hosts.iter().map(group).collect();
    Outage { at: wall(0), groups, more: false, keeps_failing: false, still: false, recent: vec![] }
}

#[test]
fn what_comes_and_goes_on_a_host_says_when_the_next_mail_comes() {
    let once = outage(&[(Some("192.168.1.20"), &["NAS", "Kodi"])]);
    let again = Outage { keeps_failing: true, ..once.clone() };
    let letter = |outage: &Outage| {
        write(&mail(vec![Notice::Outage(Box::new(outage.clone()))]), wall(0), None)
    };
    assert!(letter(&once).text.contains("One more mail comes when all of them are well."));
    let text = letter(&again).text;
    assert!(!text.contains("One more mail comes when all of them are well."), "{text}");
    let promise = "Some of them, or others on their host, were HEALTHY only shortly before. But for reminders, one \
                   more mail comes when all of them are HEALTHY and stay so for a while.";
    assert!(text.contains(promise), "{text}");
    assert_eq!(letter(&again).subject, letter(&once).subject);
}

#[test]
fn where_to_look_and_who_is_silent() {
    let both = [(Some("192.168.1.20"), &["NAS", "Kodi", "TV"][..]), (None, &["Heating", "Door"])];
    let (one, both) = (outage(&both[..1]), outage(&both));
    let mut lives = one.clone();
    lives.groups[0].host_lives = true;
    let mut fresh = both.clone();
    fresh.apps_mut().skip(1).for_each(|it| (it.unhealthy, it.failures) = (false, 1));
    let mut all_live = both.clone();
    all_live.groups.iter_mut().for_each(|group| group.host_lives = true);
    let (mut out_there, mut line) = (one.clone(), both.clone());
    for group in out_there.groups.iter_mut().chain(&mut line.groups) {
        group.outside = true;
    }
    let more = Outage { more: true, ..one.clone() };
    let mut last = more.clone();
    last.groups[0].apps.truncate(1);
    let switch = "Look at the switch or the power of 192.168.1.20:";
    let larger = "Look at the switch, the access point or the power:";
    for (outage, subject, first_line) in [
        (
            &one,
            "3 apps are UNHEALTHY: NAS and 2 on 192.168.1.20",
            format!("{switch} 3 apps on it went silent within 26 s"),
        ),
        (
            &lives,
            "3 apps are UNHEALTHY: NAS and 2 on 192.168.1.20",
            "Look at 192.168.1.20: it is on, but 3 apps on it went silent within 26 s".to_owned(),
        ),
        (
            &both,
            "5 apps are UNHEALTHY: NAS, Kodi, TV, Heating, Door",
            format!("{larger} 5 apps on different hosts went silent within 26 s"),
        ),
        (
            &all_live,
            "5 apps are UNHEALTHY: NAS, Kodi, TV, Heating, Door",
            "Look at what they have in common: their machines are on, but 5 apps on different hosts went silent within 26 s"
                .to_owned(),
        ),
        (
            &out_there,
            "3 apps are UNHEALTHY: NAS and 2 on 192.168.1.20",
            "Look at 192.168.1.20: 3 apps on it went silent within 26 s".to_owned(),
        ),
        (
            &line,
            "5 apps are UNHEALTHY: NAS, Kodi, TV, Heating, Door",
            "Look at the line to the internet: 5 apps on different hosts went silent within 26 s".to_owned(),
        ),
        (
            &fresh,
            "NAS is UNHEALTHY, 4 more do not answer",
            format!("{larger} 5 apps on different hosts went silent within 26 s"),
        ),
        (
            &more,
            "3 more apps are UNHEALTHY: NAS and 2 on 192.168.1.20",
            format!("{switch} 3 apps on it went silent, too, within 26 s"),
        ),
        (
            &last,
            "NAS on 192.168.1.20 is UNHEALTHY, too",
            format!("{switch} 1 app on it went silent, too"),
        ),
    ] {
        let letter = write(&mail(vec![Notice::Outage(Box::new(outage.clone()))]), wall(0), None);
        assert_eq!(letter.subject, format!("[HealthChecker] {subject}"));
        assert_eq!(letter.text.lines().next(), Some(first_line.as_str()));
    }
    let letter = write(&mail(vec![Notice::Outage(Box::new(fresh))]), wall(0), None);
    let lists = "\
On 192.168.1.20:
- NAS is UNHEALTHY since 2026-11-23 22:55:00 UTC (no route to host)
- Kodi was asked once since 2026-11-23 22:55:13 UTC (no route to host)
- TV was asked once since 2026-11-23 22:55:26 UTC (no route to host)

Elsewhere:
- Heating was asked once since 2026-11-23 22:55:00 UTC (no route to host)
";
    assert!(letter.text.contains(lists), "{}", letter.text);
}

#[test]
fn an_outage_that_is_over_by_the_end_of_the_mail_is_told_in_order_and_no_more() {
    let outage = outage(&[(Some("pi"), &["NAS", "Kodi"])]);
    let apps = vec!["NAS".to_owned(), "Kodi".to_owned()];
    let back =
        AllBack { apps, since: wall(0), at: wall(60), lasted_ms: 60_000, lasted_at_least: false };
    let letter =
        write(&mail(vec![Notice::Outage(Box::new(outage)), Notice::AllBack(back)]), wall(60), None);
    assert_eq!(letter.subject, "[HealthChecker] 2 apps are HEALTHY again after 1 min");
    assert!(letter.text.contains(": 2 apps are UNHEALTHY: NAS and 1 on pi"), "{}", letter.text);
    assert!(!letter.text.contains("Look at"), "{}", letter.text);
}

#[test]
fn without_names_an_outage_names_no_host_either() {
    let outage = outage(&[(Some("nas.example"), &["NAS", "Kodi"])]);
    let mail = Mail { nameless: true, ..mail(vec![Notice::Outage(Box::new(outage))]) };
    let letter = write(&mail, wall(0), None);
    let said = format!("{} {} {}", letter.subject, letter.text, letter.html);
    assert!(!said.contains("NAS") && !said.contains("nas") && !said.contains("Kodi"), "{said}");
    assert!(
        letter.subject.contains("2 apps are UNHEALTHY: app 1 and 1 on one host"),
        "{}",
        letter.subject
    );
}
