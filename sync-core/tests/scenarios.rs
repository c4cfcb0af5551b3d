//! Every scenario of `tests/scenarios`, on the real engine.

use acquaint_core::testkit::scenario::run_file;
use std::fs;
use std::path::Path;

#[test]
fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("a folder of scenarios");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut passed = 0;
    let mut failures = Vec::new();
    for file in &files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let summary = run_file(&name, &fs::read_to_string(file).expect("a text")).expect("scenarios");
        passed += summary.passed;
        failures.extend(summary.failures);
    }
    for failure in &failures {
        println!("{failure}");
    }
    println!("{passed} passed, {} failed", failures.len());
    assert!(passed > 150, "only {passed} ran");
    assert!(failures.is_empty(), "{} scenarios fail", failures.len());
}
