//! What the documents say of the code is true: limits, tests and places.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: impl AsRef<Path>) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The rows below the first table head that begins so, as cells.
fn rows(document: &str, head: &str) -> Vec<Vec<String>> {
    let lines = document.lines().skip_while(|line| !line.starts_with(head)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = rows
        .map(|row| row.trim_matches('|').split(" | ").map(|it| it.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "no table begins with {head}");
    rows
}

/// The texts between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// `gate::request` as a file: `src/daemon/gate/request.rs` or `src/daemon/gate/request/mod.rs`.
fn file_of(module: &str) -> PathBuf {
    let inner = module.replace("::", "/");
    let candidates = ["src", "src/daemon", "src/engine"].into_iter().flat_map(|room| {
        ["", "/mod"].map(|tail| PathBuf::from(format!("{room}/{inner}{tail}.rs")))
    });
    let mut found = candidates.filter(|file| root().join(file).is_file());
    let file = found.next().unwrap_or_else(|| panic!("there is no {module}"));
    assert_eq!(found.next(), None, "{module} is two files");
    file
}

/// The value of a constant, as its source has it: numbers, products, spans in seconds, ranges.
fn constant(place: &str) -> Vec<u64> {
    let (module, name) = place.rsplit_once("::").expect(place);
    let source = read(file_of(module));
    let start = format!("const {name}: ");
    let at = source.find(&start).unwrap_or_else(|| panic!("{module} has no {name}"));
    let statement = &source[at..at + source[at..].find(';').unwrap()];
    let (_, value) = statement.split_once(" = ").unwrap();
    let inner = value
        .trim_start_matches("Duration::from_secs(")
        .trim_start_matches("1..=")
        .trim_end_matches(')');
    let product = |text: &str| -> u64 {
        let factors = text.split('*').map(|factor| factor.trim().replace('_', ""));
        factors
            .map(|factor| factor.parse::<u64>().unwrap_or_else(|_| panic!("{place}: {value}")))
            .product()
    };
    inner.split("..=").map(product).collect()
}

/// `16 KiB`, `10,000`, `10 s`, `2 to 60`, each number by itself.
fn stated(cell: &str) -> Vec<u64> {
    let unit = |word: &str| match word {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "min" => 60,
        "h" => 3600,
        _ => 1,
    };
    let words: Vec<String> = cell.split_whitespace().map(|word| word.replace(',', "")).collect();
    let numbers = words.iter().enumerate().filter_map(|(at, word)| {
        let number: u64 = word.parse().ok()?;
        Some(number * words.get(at + 1).map_or(1, |next| unit(next)))
    });
    numbers.collect()
}

/// The rows of both tables of limits.
fn limits() -> Vec<Vec<String>> {
    let document = read("docs/limits.md");
    [rows(&document, "| limit |"), rows(&document, "| time or number |")].concat()
}

#[test]
fn every_limit_is_the_constant_that_it_names() {
    for row in limits() {
        let [what, limit, why, place] = row.as_slice() else { panic!("{row:?}") };
        assert!(!why.is_empty(), "{what}: why?");
        let places = quoted(place);
        assert_eq!(places.len(), 1, "{what}: where is it?");
        assert_eq!(stated(limit), constant(places[0]), "{what}: {}", places[0]);
    }
}

/// The rooms whose every number and span stands in the tables of limits.
const ROOMS: [&str; 3] = ["surroundings", "incidents", "chronicle"];

/// The constants of a file that are numbers or spans.
fn numbers(source: &str) -> Vec<&str> {
    let constants = source.lines().filter_map(|line| line.split_once("const ")?.1.split_once(": "));
    let kinds = ["Duration =", "usize =", "u8 =", "u16 =", "u32 =", "u64 ="];
    let numbers = constants.filter(|(_, rest)| kinds.iter().any(|kind| rest.starts_with(kind)));
    numbers.map(|(name, _)| name).collect()
}

#[test]
fn every_number_and_span_of_the_household_is_among_the_limits() {
    let named: Vec<String> = limits().iter().map(|row| quoted(&row[3])[0].to_owned()).collect();
    let mut seen = 0;
    for room in ROOMS {
        let files = fs::read_dir(root().join("src/engine").join(room)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        for name in names.filter(|name| name.ends_with(".rs") && name != "tests.rs") {
            let source = read(format!("src/engine/{room}/{name}"));
            let module = match name.trim_end_matches(".rs") {
                "mod" => room.to_owned(),
                inner => format!("{room}::{inner}"),
            };
            for number in numbers(&source) {
                let place = format!("{module}::{number}");
                assert!(named.contains(&place), "docs/limits.md has no row for {place}");
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "only {seen} were found");
}

#[test]
fn what_the_readme_says_of_the_cost_is_what_was_measured() {
    let figures = |rows: Vec<Vec<String>>| -> Vec<String> {
        let cells = rows.into_iter().flat_map(|row| row[1..].to_vec());
        let words = |cell: String| cell.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let numbers =
            cells.flat_map(words).map(|it| it.trim_matches(['(', ')', ',', ';']).to_owned());
        numbers.filter(|it| it.starts_with(|first: char| first.is_ascii_digit())).collect()
    };
    let measured = figures(rows(&read("docs/cost.md"), "| what | measured |"));
    let said = figures(rows(&read("README.md"), "| what | measured |"));
    assert!(said.len() > 8, "{said:?}");
    for figure in said {
        assert!(measured.contains(&figure), "docs/cost.md does not say {figure}");
    }
}

#[test]
fn every_row_of_the_threat_model_names_tests_that_exist() {
    let rows = rows(&read("SECURITY.md"), "| who |");
    for row in rows {
        let [who, what, defence, tests] = row.as_slice() else { panic!("{row:?}") };
        assert!(![who, what, defence].iter().any(|cell| cell.is_empty()), "{row:?}");
        let tests = quoted(tests);
        assert!(!tests.is_empty(), "{what}: no test proves it");
        assert_exist(&tests, what);
    }
}

/// Whether each of these is `FILE::TEST` of a test that there is.
fn assert_exist(tests: &[&str], what: &str) {
    for test in tests {
        let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{what}: {test}"));
        let source = read(file);
        let keyword = if file.ends_with(".py") { "def" } else { "fn" };
        assert!(source.contains(&format!("{keyword} {name}(")), "{file} has no {name}");
    }
}

#[test]
fn every_situation_of_a_client_is_told_for_each_and_shown_by_tests_that_exist() {
    let document = read("docs/clients.md");
    let told = rows(&document, "| situation | Python |");
    let shown = rows(&document, "| situation | tests |");
    let situations =
        |rows: &[Vec<String>]| -> Vec<String> { rows.iter().map(|row| row[0].clone()).collect() };
    assert_eq!(situations(&told), situations(&shown));
    assert!(told.iter().all(|row| row.len() == 7 && row.iter().all(|cell| !cell.is_empty())));
    for row in shown {
        let [situation, tests] = row.as_slice() else { panic!("{row:?}") };
        let tests = quoted(tests);
        assert!(!tests.is_empty(), "{situation}: no test shows it");
        assert_exist(&tests, situation);
    }
}

/// The lines before the one at `at` that belong to its item: documentation and attributes.
fn is_shown_by_an_example(lines: &[&str], at: usize) -> bool {
    let before = lines[..at].iter().rev().map(|line| line.trim_start());
    let mut own = before.take_while(|line| line.starts_with("///") || line.starts_with("#["));
    own.any(|line| line.starts_with("/// ```"))
}

#[test]
fn every_public_item_of_the_client_has_an_example() {
    let folder = root().join("src/client");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for file in files.filter(|file| file.extension().is_some_and(|it| it == "rs")) {
        let source = read(&file);
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let item = line.trim_start();
            let kinds = ["fn", "struct", "enum", "const", "type", "trait"];
            if kinds.iter().any(|kind| item.starts_with(&format!("pub {kind} "))) {
                assert!(is_shown_by_an_example(&lines, at), "{}: {item}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "only {seen} public items were found");
}

/// All documents of a person who uses or changes the program.
fn documents() -> Vec<String> {
    let files = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let docs =
        files.filter_map(|file| file.into_string().ok()).filter(|file| file.ends_with(".md"));
    let above = ["README.md", "SECURITY.md", "CONTRIBUTING.md"].map(str::to_owned);
    above.into_iter().chain(docs.map(|file| format!("docs/{file}"))).collect()
}

#[test]
fn the_readme_is_short_and_leads_to_everything_else() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 300, "what is reference belongs into docs/");
    for document in documents().iter().filter(|it| *it != "README.md") {
        assert!(readme.contains(document), "nobody finds {document}");
    }
}

/// All sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|it| if it.is_dir() { sources(&it) } else { vec![it] });
    all.filter(|it| it.extension().is_some_and(|end| end == "rs")).collect()
}

/// The rooms of the engine, in the order in which `src/engine/mod.rs` names them.
fn rooms_of_the_engine() -> Vec<String> {
    let map = read("src/engine/mod.rs");
    let rooms = map.lines().filter_map(|line| line.strip_suffix(';')?.split_once("mod "));
    rooms.map(|(_, room)| room.to_owned()).collect()
}

/// The rooms of the engine that a file uses, as it is shipped.
fn rooms_used(file: &Path, is_the_top: bool) -> Vec<String> {
    let source = read(file);
    let shipped = source.split("#[cfg(test)]").next().unwrap();
    let code: Vec<&str> =
        shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let paths = code.split(|c: char| !(c.is_alphanumeric() || c == ':' || c == '_'));
    let room = |path: &str| {
        let by_name = path.strip_prefix("crate::engine::");
        let beside = path.strip_prefix("super::").filter(|_| is_the_top);
        Some(by_name.or(beside)?.split("::").next()?.to_owned())
    };
    paths.filter_map(room).collect()
}

#[test]
fn each_room_of_the_engine_uses_only_those_above_it() {
    let rooms = rooms_of_the_engine();
    assert!(rooms.len() > 12, "{rooms:?}");
    let level = |room: &str| rooms.iter().position(|known| known == room);
    let engine = root().join("src/engine");
    let mut wrong = Vec::new();
    for file in sources(&engine).iter().filter(|file| !file.ends_with("tests.rs")) {
        let inner = file.strip_prefix(&engine).unwrap().with_extension("");
        let room = inner.iter().next().unwrap().to_str().unwrap();
        let Some(own) = level(room) else { continue };
        let is_the_top = inner.components().count() == 1 || inner == Path::new(room).join("mod");
        for used in rooms_used(file, is_the_top) {
            if level(&used).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses {used}, which comes after it", inner.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_engine_imports_from_no_other_room_and_nothing_of_the_system() {
    let others =
        ["daemon", "config", "client", "logging", "setup"].map(|room| format!("crate::{room}"));
    let system = ["fs", "thread", "process", "env", "io"].map(|it| format!("std::{it}"));
    // Addresses are words; sockets and clocks are not.
    let types = ["TcpStream", "TcpListener", "UdpSocket", "Instant", "SystemTime"];
    let files = sources(&root().join("src/engine"));
    assert!(files.len() > 50, "only {} files", files.len());
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for word in others.iter().chain(&system) {
            assert!(!source.contains(word.as_str()), "{}: {word}", file.display());
        }
        for word in types {
            assert!(!source.contains(word), "{}: {word}", file.display());
        }
    }
}

/// Whether a source has a function, a type, a constant or a module of this name.
fn has_item(source: &str, name: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];
    kinds.iter().any(|kind| {
        let start = format!("{kind} {name}");
        let ends = |rest: &str| rest.starts_with(|it: char| !it.is_alphanumeric() && it != '_');
        source.match_indices(&start).any(|(at, _)| ends(&source[at + start.len()..]))
    })
}

#[test]
fn every_item_of_the_source_that_a_document_names_is_there() {
    let mut seen = 0;
    let mut missing = Vec::new();
    for document in documents() {
        let text = read(&document);
        let places = text.lines().flat_map(quoted).filter(|it| it.starts_with("src/"));
        for (file, item) in places.filter_map(|place| place.split_once(".rs::")) {
            seen += 1;
            let file = format!("{file}.rs");
            if !fs::read_to_string(root().join(&file)).is_ok_and(|it| has_item(&it, item)) {
                missing.push(format!("{document}: {file} has no {item}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(seen > 60, "only {seen} items were found");
}

#[test]
fn every_place_that_a_document_names_is_there() {
    for document in documents() {
        for name in read(&document).lines().flat_map(quoted).map(str::to_owned) {
            let first = name.split(['/', ':']).next().unwrap();
            let is_place = ["src", "tests", "docs", "examples", "packaging"].contains(&first);
            if is_place && name.contains('/') && !name.contains(['*', ' ', '=']) {
                let file = name.split("::").next().unwrap();
                assert!(root().join(file).exists(), "{document}: {name}");
            }
        }
    }
}
