//! The configuration file.

use std::ffi::OsString;

use healthchecker::config;

/// The file is read to its end: all mistakes name a line of it, and what is in force can be shown.
pub fn run(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let (assignments, complaints) = config::file::read(bytes);
    assert!(assignments.iter().all(|one| (1..=lines).contains(&one.line)));
    assert!(complaints.iter().all(|one| (1..=lines).contains(&one.line)));
    let arguments = ["--check_config", "--config", "given"].map(OsString::from);
    match config::parse(arguments, [], &|_| Ok(bytes.to_vec())) {
        Ok(config::Command::CheckConfig(in_force)) => drop(in_force.to_string()),
        Ok(other) => panic!("{other:?}"),
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
}
