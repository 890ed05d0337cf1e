//! Tables that fit the terminal.

use std::io;

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthChar;

/// Between two columns.
const GAP: usize = 2;
/// No column is cut to less: a state, or the beginning of a name, can still be read.
const COLUMN_MIN: usize = 8;
/// Where nothing is cut, a longer cell sticks out of its column and does not push the others apart.
const ALIGNED_MAX: usize = 40;
/// A terminal that says that it is narrower does not know, or must break lines anyway.
const TERMINAL_MIN: usize = 40;
/// What stands at the end of a cell that was cut.
const ELLIPSIS: char = '…';

/// How wide a table may be, in columns of the screen: what a terminal has; `None` in a pipe or a file,
/// where whoever reads wants all of it.
pub(super) fn room() -> Option<usize> {
    let columns = tcgetwinsize(io::stdout()).ok()?.ws_col;
    // A terminal on a serial line says 0.
    Some(usize::from(columns)).filter(|columns| *columns >= TERMINAL_MIN).or(Some(80))
}

/// Columns as wide as they need, and cut, the widest first, where there is no room for all of them. No
/// blanks at the end of a line.
pub(super) fn table(rows: &[Vec<String>], room: Option<usize>) -> String {
    let widths = match room {
        Some(room) => fitted(natural(rows, usize::MAX), room),
        None => natural(rows, ALIGNED_MAX),
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, most) in row.iter().zip(&widths) {
            let cell = if room.is_some() { cut(cell, *most) } else { cell.clone() };
            line.push_str(&cell);
            let rest = most.saturating_sub(width(&cell)) + GAP;
            line.extend(std::iter::repeat_n(' ', rest));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The widest cell of each column, of those that are no wider than this.
fn natural(rows: &[Vec<String>], most: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(cell)).filter(|width| *width <= most).max()
    };
    (0..columns).map(|column| widest(column).unwrap_or(0)).collect()
}

/// Takes from the widest column until all fit, or none can give.
fn fitted(mut widths: Vec<usize>, room: usize) -> Vec<usize> {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
            _ => break,
        }
    }
    widths
}

/// `text` in so many columns of the screen.
fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += width_of(c);
        if used + 1 > most {
            break;
        }
        cut.push(c);
    }
    cut.push(ELLIPSIS);
    cut
}

/// The columns that a text takes on the screen: two for a letter of East Asia or a picture, none for
/// an accent that stands by itself.
fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn wide_letters_and_lone_accents_are_counted() {
        let rows = rows(&[&["台所", "a"], &["Ku\u{308}che", "b"], &["\u{1f373}", "c"]]);
        assert_eq!(table(&rows, None), "台所   a\nKu\u{308}che  b\n\u{1f373}     c\n");
        assert_eq!(cut("台所台所台所", 8), "台所台…");
        assert_eq!(cut("Ku\u{308}chenuhr", 4), "Ku\u{308}c…");
    }

    #[test]
    fn a_long_name_pushes_nobody_off_the_screen() {
        let long = "n".repeat(128);
        let rows = rows(&[
            &["NAME", "STATE", "ADDRESS"],
            &["a", "HEALTHY", "http://a"],
            &[&long, "UNHEALTHY", "http://b"],
        ]);
        let fitted = table(&rows, Some(80));
        assert!(fitted.lines().all(|line| width(line) <= 80), "{fitted}");
        assert!(fitted.contains("…  UNHEALTHY  http://b\n"), "{fitted}");
        let whole = table(&rows, None);
        assert!(whole.contains(&format!("{long}  UNHEALTHY  http://b\n")), "{whole}");
        assert!(whole.contains("a     HEALTHY    http://a\n"), "{whole}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            cells in proptest::collection::vec("\\PC{0,60}", 1..5),
            room in TERMINAL_MIN..200,
        ) {
            let text = table(&[cells], Some(room));
            prop_assert!(width(text.trim_end_matches('\n')) <= room, "{text}");
        }
    }
}
