//! The runner: a right host passes, each wrong one fails at the step that shows it.

use crate::fake::{Fake, Flaw};
use crate::notation::shipped;
use acquaint_core::testkit::scenario::{Failure, parse, run};

fn play(flaw: Flaw, steps: &str) -> Result<(), Box<Failure>> {
    let scenarios =
        parse("test", &format!("scenario T-1 profile=FAKE\n{steps}")).unwrap_or_else(|e| panic!("{e}"));
    run(&scenarios[0], &mut Fake::new(flaw))
}

const COPY: &str = "\
given src S1 first=Maya phones=[+14155550102]
given src S2 first=Leo
when sync
then hub count 2
then hub one first=Maya phones=[+14155550102]
then hub none first=Ida
then src S1 first=Maya
then writes M=0 hub=2
then event linked
when src edit S1 first=May
when sync
then hub one first=May
then writes M=0 hub=3
";

#[test]
fn a_right_host_passes() {
    assert_eq!(play(Flaw::None, COPY), Ok(()));
    // Users' steps are no writes; what is under way at the end may still be carried over before the quiet cycle.
    let steps = "\
given hub H1 first=Ida audit=cid
given src S1 first=Ida
given link H1-S1
when hub edit H1 title=CEO by=ann
then hub H1 first=Ida title=CEO audit=ann owner=u
then writes hub=0 M=0
when hub add H2 first=Zoe
when hub del H2
then hub H2 gone
when src add S2 first=Oto photo=P1 notes=\"likes tea\" folder=Contacts
when tick 10
then hub one first=Oto photo=P1
when src del S2
then src S2 gone
then src count 1
when search Ida
then results H1 group:all
when call anonymous
then caller withheld
when call +1
then caller unknown
then folder Contacts
then no_event guard
when src edit S1 first=Ada
";
    assert_eq!(play(Flaw::None, steps), Ok(()));
}

#[test]
fn connections() {
    let steps = "\
given server requires=username
given src S1 first=Maya
then state disconnected
when connect email=a@x.org
then state needs_settings
then event auth_failed offer=username
then hub count 0
when connect email=a@x.org username=ann
then state connected
then hub count 1
when disconnect
then state disconnected
when connect
then state connected
when expire
when sync
then state needs_settings
when connect
when offline M
when src add S2 first=Leo
when sync
then hub count 1
when online M
when sync M
then hub count 2
";
    assert_eq!(play(Flaw::None, steps), Ok(()));
    let failure = play(Flaw::Boastful, steps).expect_err("a boastful host");
    assert_eq!(
        (failure.line, failure.problem.as_str()),
        (6, "state: expected needs_settings, found connected")
    );
}

#[test]
fn mailboxes_of_several_users() {
    let steps = "\
given user ann A
given user bob B
given src@A S1 first=Ida
given src@B S1 first=Oto
when sync A
then hub count 1
when donate B S1 as H1
then hub H1 first=Oto
then src@B S1 first=Oto
then writes A=0 B=0 hub=2
";
    assert_eq!(play(Flaw::None, steps), Ok(()));
    let failure = play(Flaw::None, "given user ann A\ngiven src S1 first=Ida\n").expect_err("there is no M");
    assert_eq!((failure.line, failure.problem.as_str()), (3, "the scenario has no mailbox M"));
}

#[test]
fn wrong_hosts_fail_where_it_shows() {
    for (flaw, line, problem) in [
        (Flaw::Idle, 5, "expected 2 contacts, found 0"),
        (
            Flaw::DropsPhones,
            6,
            "expected one contact like this, found none; nearest is 1-1: \
             expected phones=[+14155550102], found phones=[]",
        ),
        (Flaw::Doubles, 5, "expected 2 contacts, found 4"),
        (Flaw::Echoes, 9, "expected writes M=0, found M=2"),
        (Flaw::Restless, 9, "expected writes hub=2, found hub=3"),
        (Flaw::Silent, 10, "expected event linked, it has not happened"),
        (Flaw::Broken, 4, "the engine broke"),
    ] {
        let failure = play(flaw, COPY).expect_err("a wrong host");
        assert_eq!((failure.line, failure.problem.as_str()), (line, problem), "{flaw:?}");
    }
}

#[test]
fn the_cycle_after_the_last_step_must_be_quiet() {
    let steps = "given src S1 first=Maya\nwhen sync\nthen hub count 1\n";
    assert_eq!(play(Flaw::None, steps), Ok(()));
    for (flaw, problem) in [
        (Flaw::Echoes, "expected a quiet cycle, found 1 writes at M"),
        (Flaw::Restless, "expected a quiet cycle, found 1 writes at hub"),
        (Flaw::Secretive, "expected a quiet cycle, found the library changed"),
    ] {
        let failure = play(flaw, steps).expect_err("a restless host");
        assert_eq!(failure.step, "(the cycle after the last step)", "{flaw:?}");
        assert_eq!(failure.problem, problem, "{flaw:?}");
    }
}

#[test]
fn a_failure_shows_step_values_and_both_sides() {
    let steps = "given src S1 first=Maya phones=[+1]\nwhen sync\nthen hub one first=Mia\n";
    let failure = play(Flaw::None, steps).expect_err("a wrong name");
    assert_eq!(
        failure.to_string(),
        "T-1 failed at test:4\n  \
         then hub one first=Mia\n  \
         expected one contact like this, found none; nearest is 1-1: expected first=Mia, found first=Maya\n  \
         hub 1-1 first=Maya phones=[+1]\n  \
         src@M S1 first=Maya phones=[+1] folder=Contacts\n  \
         event linked source=M\n"
    );
}

#[test]
fn mistakes_of_the_scenario_fail_too() {
    for (steps, problem) in [
        ("then hub H1 first=Ida", "no step has named a contact H1"),
        ("then hub H1 gone", "no step has named a contact H1"),
        ("then src S1 gone", "no step has put an item S1 into M"),
        ("when src edit S1 first=A", "the source has no item S1"),
        ("given src S1\ngiven src S1", "the source already has an item S1"),
        ("given hub H1 first=A\nwhen hub add H1 first=B", "H1 is the name of another contact"),
        ("given hub H1 first=A\ngiven link H1-S1", "no step has put an item S1 into M"),
        ("then caller unknown", "there was no call yet"),
        ("then results H1", "there was no search yet"),
        ("then writes X=0", "the scenario has no side X"),
        ("then folder None", "expected one folder \"None\", found 0"),
        ("when search x\nthen results H1", "these hits: expected results H1, found results group:all"),
        ("when set knob=1", "no knob knob"),
    ] {
        let failure = play(Flaw::None, steps).expect_err(steps);
        assert_eq!(failure.problem, problem, "{steps}");
    }
    let scenario = parse("test", "scenario T-1 profile=NONE\nwhen sync").expect("parses").remove(0);
    let failure = run(&scenario, &mut Fake::new(Flaw::None)).expect_err("an unknown profile");
    assert_eq!((failure.line, failure.problem.as_str()), (1, "no profile NONE"));
}

/// Scenarios that only say what must not happen. Each stands beside others that say what must.
const ONLY_FORBID: &[&str] = &[
    "AC-10.1", "CR-09.3", "CR-11.1", "CR-14.1", "DC-05.1", "DX1-03.1", "DX1-04.1", "DX1-05.2", "DX2-02.5",
    "DX2-04.1", "DX2-05.1", "DG-04.1", "DG-05.2", "DG-06.2", "DG-10.1", "DG-10.2", "DG-14.1", "DG-15.2",
    "KN-06.1", "PL-07.2", "PL-12.1",
];

#[test]
fn a_host_that_does_nothing_fails_all_scenarios_but_the_forbidding_ones() {
    let mut passed = Vec::new();
    for mut scenario in shipped() {
        scenario.profile = "FAKE".to_owned();
        if run(&scenario, &mut Fake::new(Flaw::Idle)).is_ok() {
            passed.push(scenario.id);
        }
    }
    assert_eq!(passed, ONLY_FORBID);
}
