//! The scenario notation: every shipped scenario parses and prints; what is wrong is refused with its line.

use acquaint_core::testkit::scenario::{Literal, Scenario, Step, When, parse};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// Every scenario of the folder `tests/scenarios`.
pub(crate) fn shipped() -> Vec<Scenario> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(&folder).expect("the folder of scenarios");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let parse_one = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a readable file");
        parse(&path.file_name().expect("a name").to_string_lossy(), &text).unwrap_or_else(|e| panic!("{e}"))
    };
    paths.iter().flat_map(parse_one).collect()
}

/// A scenario without its place in a file.
fn content(scenario: &Scenario) -> (&str, &str, &[(String, String)], Vec<&Step>) {
    let steps = scenario.steps.iter().map(|placed| &placed.step).collect();
    (&scenario.id, &scenario.profile, &scenario.settings, steps)
}

#[test]
fn all_shipped_scenarios_parse_and_print() {
    let scenarios = shipped();
    assert_eq!(scenarios.len(), 208);
    let ids: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    assert_eq!(ids.len(), 208, "an id comes twice");
    for scenario in &scenarios {
        let printed = scenario.to_string();
        let again = parse("printed", &printed).unwrap_or_else(|e| panic!("{e}\n{printed}"));
        assert_eq!(again.len(), 1);
        assert_eq!(content(&again[0]), content(scenario));
        assert_eq!(again[0].to_string(), printed);
    }
}

#[test]
fn the_canonical_form_is_readable() {
    let text = "\
scenario T-1 profile=PL in_folders=Suppliers|VIP required=
given user ann A
given server requires=username,server
given account A1 name=\"Acme Inc\" access=u,x
given group \"Leo, Renee\"
given folder@A \"Pipeliner (ACME)\"
given hub H1 first=Ida notes=\"likes tea\" phones=[] readers=[x,u] dir=yes
given src@A S1 first=Ida photo=P1 wm=on
given link H1-S1 A
when hub edit H1 first= by=cid
when src@A del S1
when sync
when sync A
when call anonymous
when call +14155550101
when donate A S1 as H2
when connect email=a@x.org username=\"CORP\\\\ann\"
when set required=
then hub one first=Ida emails=[\"a,b\",c]
then src@A S1 gone
then writes A=1 hub=0
then caller unknown
then caller \"Nora Vale\"
then results D1 \"group:Leo, Renee\" S1
then state needs_settings
then event conflict delete_vs_update winner=delete
then no_event guard held=3
then folder \"Pipeliner (ACME)\"
";
    let scenarios = parse("test", text).expect("parses");
    assert_eq!(scenarios[0].to_string(), text);
}

#[test]
fn markdown_blocks_keep_their_line_numbers() {
    let text = "# A rule\n\n```scenario\n# why\nscenario A profile=P\nwhen sync\n```\ntext\n```scenario\nscenario B profile=P\nwhen sync # at once\n```\n";
    let scenarios = parse("rules.md", text).expect("parses");
    let places: Vec<(&str, usize, usize)> =
        scenarios.iter().map(|s| (s.id.as_str(), s.line, s.steps[0].line)).collect();
    assert_eq!(places, [("A", 5, 6), ("B", 10, 11)]);
    assert_eq!(scenarios[1].steps[0].step, Step::When(When::Sync(None)));
    let error = parse("rules.md", "# none\n").expect_err("no scenario");
    assert_eq!(error.to_string(), "rules.md:1: expected at least one scenario");
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    for (line, problem) in [
        ("whenever sync", "expected scenario, given, when or then, found \"whenever\""),
        ("when dance", "after when, found \"dance\""),
        ("when sync now then", "found \"then\""),
        ("given robot R1", "after given, found \"robot\""),
        ("then moon full", "after then, found \"moon\""),
        ("given hub H1 frist=Ida", "expected a field of this side: one of first, last,"),
        ("given hub H1 wm=on", "expected a field of this side"),
        ("given src S1 owner=u", "expected a field of this side"),
        ("given hub H1 first=A first=B", "first comes twice"),
        ("given hub H1 phones=+1", "expected a list: phones=[…]"),
        ("given hub H1 first=[a]", "expected one text: first=…"),
        ("given src S1 wm=maybe", "expected wm=on|off"),
        ("given src S1 first", "expected key=value, found \"first\""),
        ("given link H1", "expected HUB-SOURCE, such as H1-S1"),
        ("given account A1 name=Acme", "expected name=… access=…"),
        ("given server requires=", "expected requires=…"),
        ("given hub one first=A", "expected the name of a contact, found \"one\""),
        ("when hub paint H1", "expected add, edit or del after hub"),
        ("when hub edit H1", "expected field=value"),
        ("when src del S1 first=A", "expected the end of the line, found first="),
        ("when hub del H1 by=[x]", "expected by=USER"),
        ("when tick soon", "expected a number of minutes, found \"soon\""),
        ("when tick -5", "expected a number of minutes"),
        ("when donate A S1 to H1", "expected as NAME, found \"to\""),
        ("when offline hub", "expected a mailbox, found the hub"),
        ("when set a=1 b=2", "expected one knob=value"),
        ("when set", "expected one knob=value"),
        ("then hub", "expected a contact, count, one or none at the end of the line"),
        ("then hub count", "expected a number of contacts at the end of the line"),
        ("then hub one", "expected field=value"),
        ("then writes", "expected SIDE=COUNT"),
        ("then writes M=few", "expected a number of writes, found \"few\""),
        ("then state happy", "expected a state: one of connected,"),
        ("then event gaurd", "expected an event: one of auth_failed,"),
        (
            "then no_event guard holding=3",
            "expected of event guard: one of emptied, held, of; found \"holding\"",
        ),
        ("then event conflict sideways", "after conflict"),
        ("then event linked twice", "expected nothing more after linked, found \"twice\""),
        ("then folder \"open", "expected a closing \""),
        ("scenario T-1 profile=P", "scenario T-1 comes twice"),
        ("scenario T-2", "expected profile=P in the header"),
        ("scenario T-2 profile=P", "expected steps after scenario T-2"),
    ] {
        let text = format!("scenario T-1 profile=P\nwhen sync\n\n{line}\n");
        let error = parse("test", &text).expect_err(line);
        assert_eq!(error.line, 4, "{line}");
        assert!(error.problem.contains(problem), "{line}: {}", error.problem);
    }
    let error = parse("test", "when sync\n").expect_err("no header");
    assert_eq!(error.to_string(), "test:1: expected scenario ID profile=P before the first step");
}

proptest! {
    #[test]
    fn any_values_survive_printing(one in "\\PC*", two in any::<String>(), many in prop::collection::vec(any::<String>(), 0..4)) {
        let mut scenario = parse("test", "scenario T profile=P\nwhen hub edit H1 notes=x phones=[]\nwhen search x").expect("parses").remove(0);
        if let Step::When(When::HubEdit { fields, .. }) = &mut scenario.steps[0].step {
            fields[0].value = Literal::One(one);
            fields[1].value = Literal::Many(many);
        }
        scenario.steps[1].step = Step::When(When::Search(two));
        let printed = scenario.to_string();
        let again = parse("printed", &printed).map_err(|e| TestCaseError::fail(format!("{e}: {printed}")))?;
        prop_assert_eq!(content(&again[0]), content(&scenario));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(scenario|given|when|then|hub|src@A|one|[ =\\[\\]\",\\\\#\n]|\\PC){0,40}") {
        let _ = parse("test.md", &format!("```scenario\n{text}"));
        let _ = parse("test", &text);
    }
}
