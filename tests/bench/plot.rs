//! Draws what [`scale`](crate::scale) has measured: pictures for `docs`, in the colours of whoever looks at them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::report::Report;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// Around the field: for the numbers at its left and below, and the title above.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 160.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 44.0;
/// Names at the ends of lines are so far apart at least.
const NAME: f64 = 16.0;

/// A figure of each point, and how it is shown.
struct Chart {
    file: &'static str,
    title: &'static str,
    /// Where it is in a point.
    figure: &'static str,
    bare_loops: bool,
}

const CHARTS: [Chart; 3] = [
    Chart {
        file: "cost-cpu.svg",
        title: "µs of CPU for a check, by apps",
        figure: "/cpu_us_a_check",
        bare_loops: true,
    },
    Chart {
        file: "cost-memory.svg",
        title: "KiB of memory, resident, by apps",
        figure: "/resident_kib",
        bare_loops: false,
    },
    Chart {
        file: "cost-deviation.svg",
        title: "ms that 99 of 100 checks are off their interval at most, by apps",
        figure: "/deviation_ms/p99",
        bare_loops: false,
    },
];

/// A line: its name, its class in the style, and its points.
struct Line<'a> {
    name: &'a str,
    class: &'static str,
    points: Vec<(f64, f64)>,
}

/// Draws them all, of the figures that `make bench` has written.
pub(crate) fn draw() {
    let report = Report::new(false);
    let figures = report.figure("scale").unwrap();
    for chart in CHARTS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(chart.file);
        fs::write(&file, svg(chart.title, &lines(&chart, figures))).unwrap();
        println!("drawn: {}", file.display());
    }
}

fn lines(chart: &Chart, figures: &Value) -> Vec<Line<'static>> {
    let of = |who: &str| -> Vec<(f64, f64)> {
        let points = figures[who].as_array().unwrap().iter();
        let point = |it: &Value| Some((it["apps"].as_f64()?, it.pointer(chart.figure)?.as_f64()?));
        points.filter_map(point).collect()
    };
    let ours = of("healthchecker");
    let ends = [ours.first(), ours.last()].map(|end| end.map_or(1.0, |(apps, _)| *apps));
    let mut lines = vec![
        Line { name: "HealthChecker", class: "ours", points: ours },
        Line { name: "Monit", class: "theirs", points: of("monit") },
    ];
    if chart.bare_loops {
        let name = "bare loop, as often";
        lines.push(Line { name, class: "bare", points: of("bare_loop_paced") });
        let warm = figures["bare_loop_without_a_pause_us"].as_f64().unwrap();
        let points = ends.map(|apps| (apps, warm)).into();
        lines.push(Line { name: "bare loop, no pause", class: "bare", points });
    }
    lines.retain(|line| !line.points.is_empty());
    lines
}

/// Both axes count by powers of ten.
fn svg(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let decades = |values: &mut dyn Iterator<Item = f64>| {
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(l, m), v| (l.min(v), m.max(v)));
        let least = least.max(0.01).log10().floor();
        (least, most.max(0.01).log10().ceil().max(least + 1.0))
    };
    let across = decades(&mut all().map(|(apps, _)| apps));
    let up = decades(&mut all().map(|(_, value)| value));
    let share =
        |value: f64, (least, most): (f64, f64)| (value.max(0.01).log10() - least) / (most - least);
    let x = |apps: f64| LEFT + (WIDTH - LEFT - RIGHT) * share(apps, across);
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share(value, up);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n\
         svg {{ font: 13px sans-serif; background: #fff }} text {{ fill: #222 }} .grid {{ stroke: #ccc }}\n\
         .line {{ fill: none; stroke-width: 2.5 }} .ours {{ stroke: #0a6; fill: #0a6 }}\n\
         .theirs {{ stroke: #c50; fill: #c50 }} .bare {{ stroke: #777; fill: #777; stroke-dasharray: 5 4 }}\n\
         text.ours, text.theirs, text.bare {{ stroke: none }} .line.ours, .line.theirs, .line.bare {{ fill: none }}\n\
         @media (prefers-color-scheme: dark) {{ svg {{ background: #111 }} text {{ fill: #ddd }} .grid {{ stroke: #444 }} }}\n\
         </style>\n\
         <text x=\"{LEFT}\" y=\"22\" font-weight=\"bold\">{title}</text>\n"
    );
    for power in (across.0 as i32)..=(across.1 as i32) {
        let (apps, bottom) = (10f64.powi(power), HEIGHT - BOTTOM);
        writeln!(
            svg,
            "<path class=\"grid\" d=\"M{0:.1} {TOP}V{bottom}\"/><text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\">{2}</text>",
            x(apps),
            bottom + 20.0,
            grouped(apps)
        )
        .unwrap();
    }
    for power in (up.0 as i32)..=(up.1 as i32) {
        let value = 10f64.powi(power);
        writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{1}\"/><text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{4}</text>",
            y(value),
            WIDTH - RIGHT,
            LEFT - 8.0,
            y(value) + 4.0,
            grouped(value)
        )
        .unwrap();
    }
    let ends: Vec<f64> =
        lines.iter().map(|line| line.points.last().map_or(TOP, |(_, value)| y(*value))).collect();
    for (Line { name, class, points }, name_y) in lines.iter().zip(apart(&ends)) {
        let path: Vec<String> = points
            .iter()
            .map(|(apps, value)| format!("{:.1} {:.1}", x(*apps), y(*value)))
            .collect();
        let end_x = points.last().map_or(LEFT, |(apps, _)| x(*apps));
        writeln!(
            svg,
            "<path class=\"line {class}\" d=\"M{}\"/><text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            path.join("L"),
            end_x + 8.0,
            name_y + 4.0
        )
        .unwrap();
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where names stand that are to be at these heights: as near as can be, and none over another.
fn apart(heights: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|one, other| heights[*one].total_cmp(&heights[*other]));
    let mut places = heights.to_vec();
    // The middle one keeps its place; those above and below make way.
    let middle = order.len() / 2;
    for pair in order[middle..].windows(2) {
        places[pair[1]] = places[pair[1]].max(places[pair[0]] + NAME);
    }
    for pair in order[..=middle.min(order.len().saturating_sub(1))].windows(2).rev() {
        places[pair[0]] = places[pair[0]].min(places[pair[1]] - NAME);
    }
    places
}

/// With a comma before three digits: no number here has more than six.
fn grouped(number: f64) -> String {
    let text = number.to_string();
    match text.len().checked_sub(3) {
        Some(at @ 1..) if number >= 1_000.0 => format!("{},{}", &text[..at], &text[at..]),
        _ => text,
    }
}
