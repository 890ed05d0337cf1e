//! The score as a table for people, and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::judge::{Counts, Figures, MailKind, Score, Wrong};
use crate::story::Ms;

const DAY: Ms = 86_400_000;

/// The table: a line for each kind of cause, then what no cause explains.
pub(crate) fn table(score: &Score) -> String {
    let mut rows = vec![vec![
        "cause".to_owned(),
        "incidents".into(),
        "to tell".into(),
        "missed".into(),
        "late".into(),
        "false".into(),
        "tolerated".into(),
        "mails p50".into(),
        "p99".into(),
        "max".into(),
        "delay p50".into(),
        "p99".into(),
        "max".into(),
        "written p50".into(),
        "p99".into(),
        "max".into(),
    ]];
    for (kind, figures) in &score.by_cause {
        rows.push(row(&format!("{kind:?}"), figures));
    }
    if score.false_of_nothing > 0 {
        let none = Figures { false_alarms: score.false_of_nothing, ..Figures::default() };
        rows.push(row("(nothing)", &none));
    }
    rows.push(row("all", &score.total()));
    let mut text = format!(
        "{} seeds, {} days, {} app days. Mails are for each incident and person who had any; delays in seconds, from\n\
         the cause to the mail accepted, and to the mail written, for those who had to be told.\n\n",
        score.seeds,
        score.simulated_ms / DAY,
        score.watched_ms / DAY
    );
    text.push_str(&aligned(&rows));
    let counted = |all: Vec<(&str, u64)>| {
        aligned(
            &all.into_iter()
                .map(|(what, n)| vec![what.to_owned(), n.to_string()])
                .collect::<Vec<_>>(),
        )
    };
    let _ = write!(text, "\n{}", counted(others(score)));
    let _ =
        write!(text, "\nmails of incidents, each for one and a person\n{}", counted(kinds(score)));
    if !score.busiest.most.is_empty() {
        text += "\nthe most for one\n";
        score.busiest.most.iter().for_each(|busy| _ = writeln!(text, "{}", busy.line));
    }
    text
}

/// What the mails of incidents were.
fn kinds(score: &Score) -> Vec<(&'static str, u64)> {
    let count = |kind| score.busiest.by_kind.get(&kind).copied().unwrap_or_default();
    MailKind::ALL.map(|kind| (kind.words(), count(kind))).to_vec()
}

fn row(name: &str, it: &Figures) -> Vec<String> {
    let counts = |counts: &Counts| {
        [counts.percentile(50), counts.percentile(99), counts.max()]
            .map(|number| number.map_or("-".to_owned(), |number| number.to_string()))
    };
    let plain = [it.incidents, it.must_be_told, it.missed, it.late, it.false_alarms, it.tolerated];
    let plain = plain.map(|number| number.to_string());
    let spread = [&it.mails, &it.delay_s, &it.written_s].map(counts);
    [name.to_owned()].into_iter().chain(plain).chain(spread.into_iter().flatten()).collect()
}

/// What is counted without regard to a cause.
fn others(score: &Score) -> Vec<(&'static str, u64)> {
    let mut others = vec![
        ("letters", score.letters),
        ("accepted once more", score.letters_again),
        ("welcomes", score.welcomes),
        ("recoveries without their alarm", score.recoveries_without_alarm),
        ("alarms without their end", score.alarms_without_end),
        ("mails that say nothing new", score.nothing_new),
        ("reminders that did not come", score.not_reminded),
        ("mails in a quiet time", score.in_quiet),
        ("mails of what was muted", score.in_mute),
        ("mutes that were refused", score.not_muted),
        ("power cuts that brought a person a report", score.reports_a_cut.total()),
        ("reports and their ends for one: p99", score.reports_a_cut.percentile(99).unwrap_or(0)),
        ("reports and their ends for one: max", score.reports_a_cut.max().unwrap_or(0)),
        ("causes that no check met", score.not_asked),
        ("letters that the judge cannot read", score.unread),
        ("wrong statements", score.wrong.values().sum()),
    ];
    for wrong in Wrong::ALL {
        others.push((wrong.words(), score.wrong.get(&wrong).copied().unwrap_or_default()));
    }
    others
}

/// Columns as wide as their widest, numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            let _ = match column {
                0 => write!(text, "{cell:width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

/// The same figures for programs.
pub(crate) fn json(score: &Score) -> Value {
    let counts = |counts: &Counts| {
        json!({
            "count": counts.total(),
            "p50": counts.percentile(50),
            "p99": counts.percentile(99),
            "max": counts.max(),
        })
    };
    let figures = |it: &Figures| {
        json!({
            "incidents": it.incidents,
            "to_tell": it.must_be_told,
            "missed": it.missed,
            "late": it.late,
            "false": it.false_alarms,
            "tolerated": it.tolerated,
            "mails": counts(&it.mails),
            "delay_s": counts(&it.delay_s),
            "written_s": counts(&it.written_s),
        })
    };
    let causes = score.by_cause.iter().map(|(kind, it)| (format!("{kind:?}"), figures(it)));
    let others = others(score).into_iter().map(|(what, n)| (what.to_owned(), json!(n)));
    let kinds = kinds(score).into_iter().map(|(what, n)| (what.to_owned(), json!(n)));
    json!({
        "seeds": score.seeds,
        "days": score.simulated_ms / DAY,
        "app_days": score.watched_ms / DAY,
        "causes": causes.collect::<serde_json::Map<_, _>>(),
        "false_of_nothing": score.false_of_nothing,
        "all": figures(&score.total()),
        "others": others.collect::<serde_json::Map<_, _>>(),
        "mails": kinds.collect::<serde_json::Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Busiest, Busy};
    use crate::story::CauseKind;

    fn score() -> Score {
        let mut figures =
            Figures { incidents: 12, must_be_told: 10, missed: 1, ..Figures::default() };
        [1, 2, 30].into_iter().for_each(|mails| figures.mails.count(mails));
        let quiet = Figures::default();
        Score {
            seeds: 1,
            simulated_ms: 3 * DAY,
            by_cause: [(CauseKind::Crash, figures), (CauseKind::NameService, quiet)].into(),
            false_of_nothing: 2,
            wrong: [(Wrong::Since, 4)].into(),
            busiest: Busiest {
                by_kind: [(MailKind::Alarm, 3)].into(),
                most: vec![Busy { mails: 30, line: "SEED=4 day 2".to_owned() }],
            },
            ..Score::default()
        }
    }

    #[test]
    fn the_table_is_aligned_and_has_a_line_for_everything() {
        let table = table(&score());
        let lines: Vec<&str> = table.lines().skip_while(|it| !it.starts_with("cause")).collect();
        let width = lines[0].chars().count();
        assert!(lines[1..5].iter().all(|line| line.chars().count() == width), "{table}");
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let crash = ["Crash", "12", "10", "1", "0", "0", "0", "2", "30", "30"];
        assert_eq!(cells(lines[1])[..10], crash);
        assert_eq!(cells(lines[4])[..6], ["all", "12", "10", "1", "0", "2"]);
        let since = lines.iter().find(|line| line.starts_with("wrong: since when")).unwrap();
        assert!(since.ends_with(" 4"), "{table}");
        assert!(table.contains("\nalarms                 3\n"), "{table}");
        assert!(table.ends_with("\nthe most for one\nSEED=4 day 2\n"), "{table}");
    }

    #[test]
    fn the_figures_for_programs_are_those_of_the_table() {
        let json = json(&score());
        assert_eq!(
            json["causes"]["Crash"]["mails"],
            json!({"count": 3, "p50": 2, "p99": 30, "max": 30})
        );
        assert_eq!(json["all"]["false"], 2);
        assert_eq!(json["others"]["wrong: since when"], 4);
        assert_eq!(json["mails"]["alarms"], 3);
        assert_eq!(json["all"]["delay_s"]["p50"], Value::Null);
    }
}
