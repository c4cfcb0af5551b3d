//! Every scenario of `tests/scenarios`, on the real engine: with a source as it should be, and with many that are not.

use acquaint_core::capability::Capabilities;
use acquaint_core::testkit::host::EngineHost;
use acquaint_core::testkit::scenario::{Scenario, parse, run, run_file};
use acquaint_core::testkit::sim::{Faults, Habits, SimBox};
use std::fs;
use std::path::Path;

/// Name and text of every file.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("a folder of scenarios");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let read = |path: &Path| fs::read_to_string(path).expect("a text");
    files
        .iter()
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), read(path)))
        .collect()
}

fn scenarios() -> Vec<Scenario> {
    files().iter().flat_map(|(name, text)| parse(name, text).expect("scenarios")).collect()
}

/// Runs all scenarios with mailboxes prepared like this, but for those that are about something else then.
fn all_hold(prepare: fn(&SimBox), leave_out: &[&str]) {
    let mut failures = String::new();
    let mut failed = 0;
    for scenario in scenarios().iter().filter(|scenario| !leave_out.contains(&scenario.id.as_str())) {
        if let Err(failure) = run(scenario, &mut EngineHost::with(prepare)) {
            failures.push_str(&format!("\n{failure}"));
            failed += 1;
        }
    }
    assert!(failures.is_empty(), "{failed} fail:{failures}");
}

#[test]
fn every_scenario_holds() {
    let mut passed = 0;
    for (name, text) in files() {
        let summary = run_file(&name, &text).expect("scenarios");
        assert!(summary.failures.is_empty(), "{summary}");
        passed += summary.passed;
    }
    assert_eq!(passed, 208, "a file is missing, or new ones were not counted");
}

#[test]
fn with_ids_listed_one_a_page_and_one_item_a_command() {
    all_hold(
        |mailbox| {
            mailbox.set_habits(Habits { whole_items: false, page_rows: 1, ..Habits::default() });
            let ones = Capabilities { fetch_batch: 1, write_batch: 1, ..Capabilities::default() };
            mailbox.set_capabilities(ones);
        },
        &[],
    );
}

#[test]
fn with_many_commands_at_once() {
    all_hold(
        |mailbox| {
            mailbox.set_habits(Habits { whole_items: false, ..Habits::default() });
            mailbox.set_capabilities(Capabilities {
                in_flight: 4,
                fetch_batch: 2,
                ..Capabilities::default()
            });
        },
        &[],
    );
}

#[test]
fn with_writes_that_are_read_back() {
    all_hold(|mailbox| mailbox.set_habits(Habits { echo: false, ..Habits::default() }), &[]);
}

#[test]
fn without_cursors() {
    all_hold(|mailbox| mailbox.set_habits(Habits { cursors: false, ..Habits::default() }), &[]);
}

#[test]
fn without_versions() {
    all_hold(|mailbox| mailbox.set_habits(Habits { versions: false, ..Habits::default() }), &[]);
}

#[test]
fn with_uids() {
    all_hold(|mailbox| mailbox.set_capabilities(Capabilities { uids: true, ..Capabilities::default() }), &[]);
}

#[test]
fn with_cursors_that_expire() {
    all_hold(|mailbox| mailbox.set_faults(Faults { expired_cursors: 1, ..Faults::default() }), &[]);
}

#[test]
fn with_cursors_that_stand_still() {
    all_hold(|mailbox| mailbox.set_faults(Faults { stale_cursors: 3, ..Faults::default() }), &[]);
}

#[test]
fn with_lost_answers() {
    all_hold(|mailbox| mailbox.set_faults(Faults { lost_answers: 2, ..Faults::default() }), &[]);
}

#[test]
fn with_writes_that_arrive_twice() {
    all_hold(|mailbox| mailbox.set_faults(Faults { doubled: 5, ..Faults::default() }), &[]);
}

#[test]
fn with_guards_that_fail() {
    // Left out are those that count writes: the one that failed counts too.
    let counting = &["AC-06.1", "AC-07.2", "PL-09.1"];
    all_hold(|mailbox| mailbox.set_faults(Faults { stale: 1, ..Faults::default() }), counting);
}

#[test]
fn with_values_that_the_source_rewrites() {
    all_hold(|mailbox| mailbox.set_faults(Faults { rewrite: true, ..Faults::default() }), &[]);
}

#[test]
fn with_ids_that_the_source_chooses() {
    all_hold(|mailbox| mailbox.set_faults(Faults { new_ids: true, ..Faults::default() }), &[]);
}

#[test]
fn with_reads_that_lag() {
    all_hold(
        |mailbox| {
            mailbox.set_capabilities(Capabilities { lagging_reads: true, ..Capabilities::default() });
            mailbox.set_faults(Faults { old_reads: 1, ..Faults::default() });
        },
        &[],
    );
}

#[test]
fn with_reads_that_lag_and_no_cursors() {
    all_hold(
        |mailbox| {
            mailbox.set_habits(Habits { cursors: false, ..Habits::default() });
            mailbox.set_capabilities(Capabilities { lagging_reads: true, ..Capabilities::default() });
            mailbox.set_faults(Faults { old_reads: 1, ..Faults::default() });
        },
        &[],
    );
}

#[test]
fn a_preview_says_what_a_run_does() {
    let mut failures = String::new();
    for scenario in scenarios() {
        if let Err(failure) = run(&scenario, &mut EngineHost::previewing()) {
            failures.push_str(&format!("\n{failure}"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
