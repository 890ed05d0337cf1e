//! An alert on record.

use std::time::Duration;

use super::{AlertRecord, ToldRecord};
use crate::engine::incidents::alert::{Alert, Level, Muted, Tie, Told};
use crate::engine::recipients::Recipient;

impl AlertRecord {
    pub(super) fn of(alert: &Alert) -> AlertRecord {
        let worst = alert.everybody().filter_map(|(_, told)| told.written.max(told.arrived)).max();
        let level = worst.unwrap_or(Level::Degraded);
        let threads =
            alert.everybody().map(|(to, told)| (to.to_string(), told.thread.clone())).collect();
        let records = alert.everybody().map(|(to, told)| (to.to_string(), told.record()));
        let differing = records.filter(|(_, record)| *record != ToldRecord::all(level)).collect();
        AlertRecord {
            level,
            opened: alert.opened,
            threads,
            differing,
            over: alert.over,
            report: alert.tie.number(),
            report_at: match alert.tie {
                Tie::Of { told, .. } => Some(told),
                Tie::Alone | Tie::Collected => None,
            },
            recovered: alert.recovered,
            keeps_failing: alert.keeps_failing,
            silent: alert.silent,
            falls: alert.falls,
            reminded: alert.reminded,
            collected: alert.tie == Tie::Collected,
        }
    }

    pub(super) fn restored(self) -> Alert {
        let mut alert = Alert::new(self.opened);
        (alert.over, alert.reminded) = (self.over, self.reminded);
        (alert.recovered, alert.keeps_failing) = (self.recovered, self.keeps_failing);
        (alert.silent, alert.falls) = (self.silent, self.falls);
        alert.tie = match self.report {
            // Of an earlier release: it was told when it was opened, or soon after.
            Some(number) => Tie::Of { number, told: self.report_at.unwrap_or(self.opened) },
            None if self.collected => Tie::Collected,
            None => Tie::Alone,
        };
        for (to, thread) in self.threads {
            let ToldRecord { written, arrived, muted_since, muted_for } =
                self.differing.get(&to).copied().unwrap_or_else(|| ToldRecord::all(self.level));
            let span = (muted_for > 0).then(|| Duration::from_secs(muted_for));
            let muted = muted_since.map(|since| Muted { since, span });
            alert.restore(
                Recipient::Mail(to),
                Told { written, arrived, thread, reminded: None, muted },
            );
        }
        alert
    }
}

impl ToldRecord {
    fn all(level: Level) -> ToldRecord {
        let level = Some(level);
        ToldRecord { written: level, arrived: level, muted_since: None, muted_for: 0 }
    }
}

impl Told {
    fn record(&self) -> ToldRecord {
        ToldRecord {
            written: self.written,
            arrived: self.arrived,
            muted_since: self.muted.map(|muted| muted.since),
            muted_for: self.muted.and_then(|muted| muted.span).map_or(0, |span| span.as_secs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{Now, Stamp};

    #[test]
    fn what_each_person_knows_is_restored() {
        let mut alert = Alert::new(Stamp::noted(Now::default()));
        for (to, arrives, end) in
            [("a@b.c", true, false), ("d@e.f", false, false), ("g@h.i", true, true)]
        {
            let to = Recipient::mail(to);
            alert.tell(&to, Level::Unhealthy, &[]);
            if arrives {
                alert.arrive(&to, "m1", Some(Level::Unhealthy));
            }
            if end {
                alert.tell_end(&to, alert.opened);
            }
        }
        let record = AlertRecord::of(&alert);
        assert_eq!(record.differing.len(), 2);
        let text = serde_json::to_string(&record).unwrap();
        let restored = serde_json::from_str::<AlertRecord>(&text).unwrap().restored();
        assert!(restored.everybody().eq(alert.everybody()), "{text}");
    }

    #[test]
    fn an_alert_of_an_earlier_release_was_told_to_all_in_it() {
        let text = r#"{"level":"DEGRADED","opened":"2026-11-23T22:55:40.000Z",
            "threads":{"Owner@b.c":["m1"],"owner@b.c":["m2"]}}"#;
        let restored = serde_json::from_str::<AlertRecord>(text).unwrap().restored();
        assert_eq!(restored.everybody().count(), 1, "one mailbox");
        let told = restored.told(&Recipient::mail("OWNER@b.c")).unwrap();
        assert_eq!((told.written, told.arrived), (Some(Level::Degraded), Some(Level::Degraded)));
        assert!(!restored.over);
        assert_eq!(restored.tie, Tie::Alone, "each was an incident of its own");
    }

    #[test]
    fn how_often_it_fell_silent_is_restored_and_once_is_not_written() {
        let mut alert = Alert::new(Stamp::noted(Now::default()));
        let once = serde_json::to_string(&AlertRecord::of(&alert)).unwrap();
        assert!(!once.contains("falls"), "{once}");
        assert_eq!(serde_json::from_str::<AlertRecord>(&once).unwrap().restored(), alert);
        (alert.silent, alert.falls) = (true, 3);
        let often = serde_json::to_string(&AlertRecord::of(&alert)).unwrap();
        assert_eq!(serde_json::from_str::<AlertRecord>(&often).unwrap().restored(), alert);
    }

    #[test]
    fn the_incident_that_it_belongs_to_is_restored() {
        let told = Stamp::noted(Now::default());
        for tie in [Tie::Alone, Tie::Collected, Tie::Of { number: 7, told }] {
            let mut alert = Alert::new(told);
            alert.tie = tie;
            let text = serde_json::to_string(&AlertRecord::of(&alert)).unwrap();
            assert_eq!(serde_json::from_str::<AlertRecord>(&text).unwrap().restored(), alert);
        }
        let text =
            r#"{"level":"UNHEALTHY","opened":"2026-11-23T22:55:40.000Z","threads":{},"report":3}"#;
        let restored = serde_json::from_str::<AlertRecord>(text).unwrap().restored();
        assert_eq!(restored.tie, Tie::Of { number: 3, told: restored.opened });
    }
}
