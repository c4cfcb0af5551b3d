use super::*;
use crate::contact::{Address, Content, Element};
use proptest::prelude::*;

fn list(numbers: &[&str]) -> Option<Value> {
    let elements: Vec<Element> = numbers.iter().map(|n| Element::text(*n)).collect();
    (!elements.is_empty()).then_some(Value::List(elements))
}

fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::from(text))
}

fn shown(value: &Option<Value>) -> String {
    value.as_ref().map(Value::show).unwrap_or_default()
}

/// Merges in, then works out what goes out: (hub, source) as both sides end.
fn round(
    field: &Field,
    hub: Option<Value>,
    source: Option<Value>,
    base: Option<Value>,
    terms: &Terms,
) -> (String, String) {
    let sides = Sides {
        hub: hub.as_ref(),
        source: source.as_ref(),
        base_hub: base.as_ref(),
        base_source: base.as_ref(),
    };
    let merged = inbound(field, sides, terms);
    let after = Sides {
        hub: merged.hub.as_ref(),
        source: None,
        base_hub: merged.base_hub.as_ref(),
        base_source: merged.base_source.as_ref(),
    };
    (shown(&merged.hub), shown(&outbound(field, after, terms)))
}

#[test]
fn single_values() {
    let hub_wins = Terms::TWO_WAY;
    let source_wins = Terms { winner: Winner::Source, ..Terms::TWO_WAY };
    let inward = Terms { outbound: false, ..Terms::TWO_WAY };
    let pinned = Terms { receiver: Receiver::Pin, ..inward };
    let undone = Terms { receiver: Receiver::Revert, ..inward };
    let outward = Terms { inbound: false, ..Terms::TWO_WAY };
    let outward_undone = Terms { receiver: Receiver::Revert, ..outward };
    let fill = Terms { mode: Mode::FillIfEmpty, ..Terms::TWO_WAY };
    let never = Terms { never_clear: true, ..Terms::TWO_WAY };
    let required = Terms { required: true, ..Terms::TWO_WAY };
    for (name, terms, base, hub, source, hub_after, source_after) in [
        ("nothing changed", hub_wins, "a", "a", "a", "a", "a"),
        ("changed there", hub_wins, "a", "a", "b", "b", "b"),
        ("changed here", hub_wins, "a", "b", "a", "b", "b"),
        ("same change", hub_wins, "a", "b", "b", "b", "b"),
        ("conflict, hub", hub_wins, "a", "b", "c", "b", "b"),
        ("conflict, source", source_wins, "a", "b", "c", "c", "c"),
        ("emptied there", hub_wins, "a", "a", "", "", ""),
        ("emptied here", hub_wins, "a", "", "a", "", ""),
        ("inbound only: edit stands", inward, "a", "b", "a", "b", "a"),
        ("inbound only: sender changes it", inward, "a", "b", "c", "c", "c"),
        ("pin: edit stands for good", pinned, "a", "b", "c", "b", "c"),
        ("revert: edit is undone", undone, "a", "b", "a", "a", "a"),
        ("outbound only: source edit stands", outward, "a", "a", "b", "a", "b"),
        ("outbound only: hub changes it", outward, "a", "c", "b", "c", "c"),
        ("outbound only, revert", outward_undone, "a", "a", "b", "a", "a"),
        ("fill: kept", fill, "a", "a", "b", "a", "b"),
        ("fill: filled", fill, "", "", "b", "b", "b"),
        ("never clear, there", never, "a", "a", "", "a", ""),
        ("never clear, here", never, "a", "", "a", "", "a"),
        ("required", required, "a", "a", "", "a", ""),
    ] {
        let got = round(&Field::First, text(hub), text(source), text(base), &terms);
        assert_eq!(got, (hub_after.to_owned(), source_after.to_owned()), "{name}");
    }
}

#[test]
fn lists_element_by_element() {
    let two_way = Terms::TWO_WAY;
    let inward = Terms { outbound: false, receiver: Receiver::Pin, ..Terms::TWO_WAY };
    let outward = Terms { inbound: false, ..Terms::TWO_WAY };
    let additive = Terms { mode: Mode::Additive, ..Terms::TWO_WAY };
    let never = Terms { never_clear: true, ..Terms::TWO_WAY };
    for (name, terms, base, hub, source, hub_after, source_after) in [
        ("both edit", two_way, "1 2", "2 20", "1 30", "20, 30", "30, 20"),
        ("both add the same", two_way, "1", "1 2", "1 2", "1, 2", "1, 2"),
        ("added twice stays twice", two_way, "", "", "1 1", "1, 1", "1, 1"),
        ("removed there", two_way, "1 2", "1 2", "1", "1", "1"),
        ("pin: own addition survives", inward, "1", "1 9", "2", "9, 2", "2"),
        ("pin: own removal survives", inward, "1 2", "1", "2 3", "3", "2, 3"),
        ("outbound: foreign element stands", outward, "1", "1 2", "1 9", "1, 2", "1, 9, 2"),
        ("additive: removal there still shows", additive, "1 2", "1 2", "1", "1, 2", "1"),
        ("additive: edit there is added", additive, "1", "1", "7", "1, 7", "7"),
        ("additive: hub edit replaces", additive, "1", "1 2", "1 3", "1, 2, 3", "1, 2, 3"),
        ("never clear", never, "1", "1", "", "1", ""),
    ] {
        let split = |s: &str| list(&s.split_whitespace().collect::<Vec<_>>());
        let got = round(&Field::Phones, split(hub), split(source), split(base), &terms);
        assert_eq!(got, (hub_after.to_owned(), source_after.to_owned()), "{name}");
    }
}

#[test]
fn a_value_relayed_from_another_source_is_added_not_imposed() {
    let terms = Terms { mode: Mode::Additive, relayed: true, ..Terms::TWO_WAY };
    let (hub, base_hub, base_source) = (list(&["1", "2", "9"]), list(&["1", "2"]), list(&["1"]));
    let sides = Sides {
        hub: hub.as_ref(),
        source: None,
        base_hub: base_hub.as_ref(),
        base_source: base_source.as_ref(),
    };
    assert_eq!(shown(&outbound(&Field::Phones, sides, &terms)), "1, 9");
}

#[test]
fn a_label_is_an_update_and_a_spelling_is_not() {
    let work = Some(Value::List(vec![Element::text("+1 415").tagged(["work"])]));
    let home = Some(Value::List(vec![Element::text("+1415").tagged(["home"])]));
    let (hub, _) = (work.clone(), ());
    let sides = Sides {
        hub: hub.as_ref(),
        source: home.as_ref(),
        base_hub: work.as_ref(),
        base_source: work.as_ref(),
    };
    let merged = inbound(&Field::Phones, sides, &Terms::TWO_WAY);
    let element = &merged.hub.as_ref().expect("kept").elements()[0];
    assert!(element.tags.contains("home"));
    assert_eq!(element.content.show(), "+1 415", "the spelling stays");
}

#[test]
fn parts_of_one_address_from_both_sides() {
    let address = |street: &str, city: &str| {
        let address = Address { street: street.into(), city: city.into(), ..Address::default() };
        Some(Value::List(vec![Element::new(Content::Address(Box::new(address))).tagged(["home"])]))
    };
    let base = address("Low 1", "Bern");
    let (hub, source) = (address("High 2", "Bern"), address("Low 1", "Basel"));
    let sides = Sides {
        hub: hub.as_ref(),
        source: source.as_ref(),
        base_hub: base.as_ref(),
        base_source: base.as_ref(),
    };
    let merged = inbound(&Field::Addresses, sides, &Terms::TWO_WAY);
    assert_eq!(shown(&merged.hub), "High 2, Basel");
    let after = Sides {
        hub: merged.hub.as_ref(),
        source: None,
        base_hub: merged.base_hub.as_ref(),
        base_source: merged.base_source.as_ref(),
    };
    assert_eq!(shown(&outbound(&Field::Addresses, after, &Terms::TWO_WAY)), "High 2, Basel");
}

#[test]
fn times_judge_and_the_hub_has_the_benefit_of_the_doubt() {
    let t = |t| Some(Time(t));
    assert_eq!(latest(t(1), t(2)), Winner::Source);
    assert_eq!(latest(t(2), t(1)), Winner::Hub);
    assert_eq!(latest(t(1), t(1)), Winner::Hub);
    assert_eq!(latest(t(1), None), Winner::Hub);
    assert_eq!(latest(None, None), Winner::Hub);
}

fn numbers() -> impl Strategy<Value = Option<Value>> {
    prop::collection::vec(0u8..6, 0..5).prop_map(|n| {
        let elements: Vec<Element> = n.iter().map(|n| Element::text(n.to_string())).collect();
        (!elements.is_empty()).then_some(Value::List(elements))
    })
}

fn keys(value: &Option<Value>) -> Vec<String> {
    let mut keys: Vec<String> =
        value.iter().flat_map(|v| v.elements()).map(|e| e.key(&Field::Phones)).collect();
    keys.sort();
    keys
}

proptest! {
    /// After one merge and one push both sides hold the same, and a second round changes nothing.
    #[test]
    fn two_way_lists_converge_and_rest(hub in numbers(), source in numbers(), base in numbers()) {
        let terms = Terms::TWO_WAY;
        let sides = Sides { hub: hub.as_ref(), source: source.as_ref(), base_hub: base.as_ref(), base_source: base.as_ref() };
        let merged = inbound(&Field::Phones, sides, &terms);
        let sent = outbound(&Field::Phones, Sides {
            hub: merged.hub.as_ref(), source: None,
            base_hub: merged.base_hub.as_ref(), base_source: merged.base_source.as_ref(),
        }, &terms);
        prop_assert_eq!(keys(&merged.hub), keys(&sent));
        let again = inbound(&Field::Phones, Sides {
            hub: merged.hub.as_ref(), source: sent.as_ref(), base_hub: merged.hub.as_ref(), base_source: sent.as_ref(),
        }, &terms);
        prop_assert_eq!(keys(&again.hub), keys(&merged.hub));
    }

    /// Nothing that one side added is lost, and nothing comes back that a side removed.
    #[test]
    fn additions_stay_and_removals_hold(hub in numbers(), source in numbers(), base in numbers()) {
        let sides = Sides { hub: hub.as_ref(), source: source.as_ref(), base_hub: base.as_ref(), base_source: base.as_ref() };
        let merged = inbound(&Field::Phones, sides, &Terms::TWO_WAY);
        let (h, s, b, m) = (keys(&hub), keys(&source), keys(&base), keys(&merged.hub));
        for key in h.iter().chain(&s).filter(|k| !b.contains(k)) {
            prop_assert!(m.contains(key));
        }
        for key in b.iter().filter(|k| !h.contains(k) && !s.contains(k)) {
            prop_assert!(!m.contains(key));
        }
    }

    /// Swapping the sides gives the same set.
    #[test]
    fn lists_merge_alike_from_both_sides(hub in numbers(), source in numbers(), base in numbers()) {
        let one = Sides { hub: hub.as_ref(), source: source.as_ref(), base_hub: base.as_ref(), base_source: base.as_ref() };
        let two = Sides { hub: source.as_ref(), source: hub.as_ref(), ..one };
        let a = inbound(&Field::Phones, one, &Terms::TWO_WAY);
        let b = inbound(&Field::Phones, two, &Terms::TWO_WAY);
        prop_assert_eq!(keys(&a.hub), keys(&b.hub));
    }
}
