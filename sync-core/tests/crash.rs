//! A crash before or after any effect, then a run to the end, leaves what no crash would have left: nothing lost,
//! nothing doubled.

use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::driver::load;
use acquaint_core::engine::{Answer, Effect, EffectKind, Engine, Event, Job, Report};
use acquaint_core::id::{SourceId, UserId};
use acquaint_core::library::{Edit, Library, NewContact, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::source::HostSource;
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock, Edit as SimEdit, Faults, Habits, SimBox};
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::collections::VecDeque;
use std::sync::Arc;

struct World {
    clock: Clock,
    store: Arc<MemoryStore>,
    library: Library,
    a: SimBox,
    b: SimBox,
}

fn source(name: &str) -> SourceId {
    SourceId::new(name).expect("a name")
}

fn person(n: u32) -> Contact {
    Contact::new()
        .with(Field::First, format!("P{n}").as_str())
        .with_element(Field::Phones, Element::text(format!("+1 {n:04}")))
}

impl World {
    /// Two sources with some contacts each, one cycle done, then edits of every kind on all sides.
    fn new(habits: &Habits, matching: &str) -> Self {
        let clock = Clock::new(Time(1_000_000));
        let store = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(store.clone(), [7; 16])).expect("a library");
        let (a, b) = (SimBox::new(clock.clone()), SimBox::new(clock.clone()));
        for (name, sim) in [("a", &a), ("b", &b)] {
            sim.set_habits(habits.clone());
            let mut policy = Policy::default();
            policy.set("match", matching).expect("a knob");
            let row = SourceRow::new("sim", UserId::from("u"), policy);
            block_on(library.add_source(&source(name), &row)).expect("added");
        }
        for n in 0..8 {
            let sim = if n % 2 == 0 { &a } else { &b };
            sim.add(format!("p{n}"), &SimEdit::from_contact(&person(n))).expect("added");
        }
        let world = Self { clock, store, library, a, b };
        world.run(None);
        world.tick();
        world.a.edit("p0", &SimEdit::new().set(Field::Last, "Edited")).expect("edited");
        world.a.delete("p2").expect("deleted");
        world.b.edit("p1", &SimEdit::new().set(Field::Title, "CEO")).expect("edited");
        world.a.add("p20", &SimEdit::from_contact(&person(20))).expect("added");
        world.tick();
        let user = UserId::from("u");
        let ids = block_on(world.library.contacts(None, 100)).expect("contacts");
        let edit = Edit { fields: vec![(Field::Company, Some("Acme".into()))], ..Edit::default() };
        block_on(world.library.edit(ids[0].id, &edit, &user, world.clock.now())).expect("edited");
        block_on(world.library.edit(ids[3].id, &edit, &user, world.clock.now())).expect("edited");
        block_on(world.library.delete(ids[5].id, &user, world.clock.now())).expect("deleted");
        let new = NewContact { contact: person(30), ..NewContact::default() };
        block_on(world.library.add(vec![new], &user, world.clock.now())).expect("added");
        world
    }

    fn tick(&self) {
        self.clock.move_to(self.clock.now().plus_seconds(1));
    }

    fn carry_out(&self, effect: &Effect) -> Option<Answer> {
        Some(match effect.kind.clone() {
            EffectKind::Load(query) => Answer::Loaded(block_on(load(&*self.store, query))),
            EffectKind::Commit(batch) => Answer::Committed(block_on(self.store.apply(batch))),
            EffectKind::Run { source, command } => {
                let sim = if source.as_str() == "a" { &self.a } else { &self.b };
                Answer::Ran(block_on(sim.run(command)))
            }
            EffectKind::Report(_) | EffectKind::Finish(_) => return None,
        })
    }

    /// Runs a cycle; with `crash` it stops before (`.1 == false`) or after carrying out the n-th effect.
    fn run(&self, crash: Option<(usize, bool)>) -> Option<Report> {
        let mut engine = Engine::new();
        let begin = Event::Begin { now: self.clock.now(), job: Job::Cycle(None), alone: true };
        let mut queue: VecDeque<Effect> = engine.step(begin).into();
        let mut done = 0;
        while let Some(effect) = queue.pop_front() {
            if let EffectKind::Finish(report) = effect.kind {
                assert_eq!((&report.store_error, &report.bug), (&None, &None));
                return Some(report);
            }
            if crash == Some((done, false)) {
                return None;
            }
            let Some(answer) = self.carry_out(&effect) else { continue };
            if crash == Some((done, true)) {
                return None;
            }
            done += 1;
            queue.extend(engine.step(Event::Done { now: self.clock.now(), id: effect.id, answer }));
        }
        panic!("the engine waits for nothing");
    }

    /// What all sides hold, without ids.
    fn contents(&self) -> Vec<Vec<String>> {
        let show = |contact: &Contact| {
            contact.iter().map(|(f, v)| format!("{f}={}", v.show())).collect::<Vec<_>>().join(" ")
        };
        let hub = block_on(self.library.contacts(None, 1_000)).expect("contacts");
        let mut sides: Vec<Vec<String>> = vec![hub.iter().map(|l| show(&l.record.contact)).collect()];
        for sim in [&self.a, &self.b] {
            sides.push(sim.items().iter().map(|item| show(&item.contact)).collect());
        }
        sides.iter_mut().for_each(|side| side.sort());
        sides
    }

    fn settle(&self) {
        for _ in 0..3 {
            self.tick();
            let report = self.run(None).expect("a report");
            let quiet = report.sources.values().all(|s| s.counts.writes() == (0, 0) && s.error.is_none());
            if quiet {
                return;
            }
        }
        panic!("it does not come to rest");
    }
}

fn habits() -> [Habits; 3] {
    [
        Habits::default(),
        Habits { cursors: false, whole_items: false, echo: false, ..Habits::default() },
        Habits { echo: false, page_rows: 3, ..Habits::default() },
    ]
}

#[test]
fn a_crash_anywhere_changes_nothing_in_the_end() {
    // Without matching nothing but the key of a create can find a copy again.
    for (habits, matching) in habits().into_iter().map(|habits| (habits, "none")) {
        let calm = World::new(&habits, matching);
        calm.settle();
        let expected = calm.contents();
        assert_eq!(expected[0], expected[1]);
        assert_eq!(expected[0], expected[2]);
        let mut points = 0;
        for n in 0.. {
            let mut over = false;
            for after in [false, true] {
                let world = World::new(&habits, matching);
                over |= world.run(Some((n, after))).is_some();
                world.settle();
                assert_eq!(
                    world.contents(),
                    expected,
                    "crash {} effect {n}",
                    if after { "after" } else { "before" }
                );
                points += 1;
            }
            if over {
                break;
            }
        }
        assert!(points > 40, "only {points} crash points");
    }
}

#[test]
fn lost_answers_never_double_a_contact() {
    // Without matching nothing but the key of a create can find a copy again.
    for (habits, matching) in habits().into_iter().flat_map(|h| [(h.clone(), "none"), (h, "phone")]) {
        let calm = World::new(&habits, matching);
        calm.settle();
        let expected = calm.contents();
        for faults in [
            Faults { lost_answers: 1, ..Faults::default() },
            Faults { lost_answers: 5, ..Faults::default() },
            Faults { lost_answers: 5, new_ids: true, ..Faults::default() },
            Faults { unsent: 3, ..Faults::default() },
            Faults { stale: 2, ..Faults::default() },
            Faults { expired_cursors: 1, ..Faults::default() },
            Faults { throttled: 2, ..Faults::default() },
            Faults { cut_after: Some(0), ..Faults::default() },
        ] {
            let world = World::new(&habits, matching);
            world.a.set_faults(faults.clone());
            world.b.set_faults(faults.clone());
            for _ in 0..4 {
                world.tick();
                world.run(None);
            }
            world.a.set_faults(Faults::default());
            world.b.set_faults(Faults::default());
            world.tick();
            world.run(None);
            world.settle();
            assert_eq!(world.contents(), expected, "{faults:?}");
        }
    }
}
