//! What was promised, beside what was measured: the last part of `make bench`.

use serde_json::Value;

use crate::report::Report;

/// A promise: its figure is no more than `most`.
struct Budget {
    what: &'static str,
    unit: &'static str,
    /// Where the figure is in the report.
    figure: &'static str,
    most: Most,
    /// What measures it.
    part: &'static str,
}

enum Most {
    Of(f64),
    /// So many times another figure.
    Times(f64, &'static str),
}

const fn of(
    what: &'static str,
    (most, unit): (f64, &'static str),
    figure: &'static str,
    part: &'static str,
) -> Budget {
    Budget { what, unit, figure, most: Most::Of(most), part }
}

const BUDGETS: [Budget; 20] = [
    of(
        "memory, 100 apps at 5 s, resident",
        (3.0 * 1024.0, "KiB"),
        "scale/healthchecker/1/resident_kib",
        "scale",
    ),
    of(
        "the same, anonymous",
        (0.8 * 1024.0, "KiB"),
        "scale/healthchecker/1/anonymous_kib",
        "scale",
    ),
    of(
        "memory, 1,000 apps at 5 s",
        (5.0 * 1024.0, "KiB"),
        "scale/healthchecker/2/resident_kib",
        "scale",
    ),
    of(
        "memory, 10,000 apps at 30 s",
        (20.0 * 1024.0, "KiB"),
        "scale/healthchecker/3/resident_kib",
        "scale",
    ),
    Budget {
        what: "CPU of a check, 100 apps at 5 s: below Monit's",
        unit: "µs",
        figure: "scale/healthchecker/1/cpu_us_a_check",
        most: Most::Times(1.0, "scale/monit/1/cpu_us_a_check"),
        part: "scale",
    },
    Budget {
        what: "CPU of a check, 1,000 apps at 5 s: half of Monit's",
        unit: "µs",
        figure: "scale/healthchecker/2/cpu_us_a_check",
        most: Most::Times(0.5, "scale/monit/2/cpu_us_a_check"),
        part: "scale",
    },
    of("wake-ups a second, no app", (1.0, "a second"), "idle/wakes_a_second", "idle"),
    of(
        "deviation p99, 100 apps at 5 s",
        (5.0, "ms"),
        "scale/healthchecker/1/deviation_ms/p99",
        "scale",
    ),
    of(
        "deviation p99, 1,000 apps at 5 s",
        (20.0, "ms"),
        "scale/healthchecker/2/deviation_ms/p99",
        "scale",
    ),
    of(
        "deviation p99, 10,000 apps at 30 s",
        (5.0, "ms"),
        "scale/healthchecker/3/deviation_ms/p99",
        "scale",
    ),
    of(
        "checks in any 100 ms, 100 apps at 5 s",
        (10.0, ""),
        "scale/healthchecker/1/most_in_100_ms",
        "scale",
    ),
    of("wake-ups a second, 20 apps at 30 s", (0.5, "a second"), "household/wakes_a_second", "more"),
    of("50 of 100 apps hang: all found", (30.0, "s"), "hanging/found_s", "hanging"),
    of(
        "the others' largest gap, of 5 s",
        (5.25, "s"),
        "hanging/largest_gap_of_others_s",
        "hanging",
    ),
    of(
        "1,800 slow clients: an answer, at worst",
        (100.0, "ms"),
        "slow_clients/answer_max_ms",
        "clients",
    ),
    of("the same: memory up by", (2.0 * 1024.0, "KiB"), "slow_clients/grown_kib", "clients"),
    of("start to first answer", (20.0, "ms"), "start_ms/0", "start"),
    of("the same, 1,000 apps on record", (50.0, "ms"), "start_ms/1000", "start"),
    of("written to disk in a day, 100 quiet apps", (1024.0, "KiB"), "disk_kib_a_day", "disk"),
    of("break to accepted mail, an app that fails", (30.0, "s"), "alarm/fails/max_s", "alarm"),
];

/// Prints them all as a table, with what measures each.
pub(crate) fn say(report: &Report) {
    println!(
        "\n| what | goal | measured | | `make bench PARTS=` |\n| --- | --- | --- | --- | --- |"
    );
    for Budget { what, unit, figure, most, part } in &BUDGETS {
        let number = |pointer| report.figure(pointer).and_then(Value::as_f64);
        let goal = match most {
            Most::Of(most) => Some(*most),
            Most::Times(times, other) => number(other).map(|other| times * other),
        };
        let (Some(goal), Some(measured)) = (goal, number(figure)) else {
            println!("| {what} | | not measured | | `{part}` |");
            continue;
        };
        let met = if measured <= goal { "met" } else { "not met" };
        let [goal, measured] = [goal, measured].map(in_few_digits);
        println!("| {what} | {goal} {unit} | {measured} {unit} | {met} | `{part}` |");
    }
}

/// Three of them say enough.
fn in_few_digits(number: f64) -> String {
    if number >= 100.0 || number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}
