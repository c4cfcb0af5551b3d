//! The contract as tables: every value of semantics sections 4, 10 and 13, every key of the scenario headers, the
//! round trip and the stored form.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn settings(text: &str) -> Vec<(&str, &str)> {
    text.split_whitespace().map(|setting| setting.split_once('=').expect("key=value")).collect()
}

fn policy(text: &str) -> Policy {
    Policy::from_map(settings(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every value of every knob (section 4), and of the settings that section 13 adds.
const VALUES: &[(&str, &[&str])] = &[
    ("trigger", &["none", "manual", "manual,on_open,on_search,on_push,on_connect,on_call"]),
    ("interval", &["0", "15"]),
    ("interval_max", &["0", "15"]),
    (
        "in_folders",
        &["all", "Suppliers|VIP", "dedicated:Pipeliner (<account>)", "all|", "a\\|b|c\\\\", "dedicated:x|"],
    ),
    ("in_shared", &["exclude", "include"]),
    ("in_filter", &["none", "categories=VIP&phones=*", "company=A\\&B", "custom:industry=Steel"]),
    (
        "out_scope",
        &[
            "all",
            "accessible",
            "owner",
            "owner_or_editor",
            "specific:",
            "specific:type=employee",
            "specific:type=employee+type=customer+folder=VIP",
            "specific:folder=R\\+D",
            "opted_in",
            "none",
        ],
    ),
    ("out_filter", &["none", "categories=Synced"]),
    ("scope_exit", &["unlink", "remove_copy", "freeze"]),
    ("import_on", &["on", "off"]),
    ("export_on", &["on", "off"]),
    ("in_create", &["apply", "link_only", "ignore"]),
    ("out_create", &["apply", "link_only", "ignore"]),
    ("in_update", &["apply", "ignore"]),
    ("out_update", &["apply", "ignore"]),
    ("push", &["field", "record"]),
    ("in_delete", &["propagate", "keep", "restore", "sole_or_restore", "unsubscribe", "mark"]),
    ("out_delete", &["propagate", "keep", "restore", "sole_or_restore", "unsubscribe", "mark"]),
    ("delete_tag", &["trash", "Gone at source"]),
    ("delete_untag", &["none", "Synced"]),
    (
        "field.last",
        &[
            "",
            "replace",
            "replace:in",
            "replace:out",
            "replace:none",
            "none",
            "fill_if_empty",
            "fill_if_empty:in",
            "never_clear",
            "replace+never_clear",
            "replace+as(custom:surname):out",
        ],
    ),
    (
        "field.phones",
        &["additive", "additive+never_clear", "replace+slots(3)", "additive+slots(2)+as(urls):in"],
    ),
    (
        "field.notes",
        &["replace+delimiter(-- a+b):in) --)", "fill_if_empty+never_clear+as(role)+delimiter(x):out"],
    ),
    ("field.custom:industry", &["replace", "none"]),
    ("field.industry", &["replace", "none"]),
    ("field.custom:*", &["replace", "none"]),
    ("field.*", &["replace", "none", "never_clear", "replace:in"]),
    (
        "conflict",
        &["latest", "hub_wins", "source_wins", "priority(work)", "priority(work,home)", "keep_both", "ask"],
    ),
    ("conflict.title", &["", "latest", "hub_wins", "source_wins", "priority(work,home)", "keep_both", "ask"]),
    ("conflict_category", &["none", "Conflict"]),
    ("delete_vs_update", &["update_wins", "delete_wins", "ask", "update_wins/delete_wins"]),
    ("in_delete_vs_update", &["update_wins", "delete_wins", "ask"]),
    ("out_delete_vs_update", &["update_wins", "delete_wins", "ask"]),
    ("receiver_edit", &["yield", "pin", "revert", "forbid"]),
    (
        "match",
        &[
            "none",
            "email",
            "phone",
            "remote_id,uid,marker,email,phone,name,name+company,email+name,phone+name",
        ],
    ),
    (
        "on_ambiguous",
        &["create_new", "skip", "suggest", "pick(oldest)", "pick(latest_activity,latest_change,oldest)"],
    ),
    ("on_match", &["link", "suggest"]),
    (
        "subscription",
        &["off", "opt_in", "opt_in(on,off)", "opt_in(off,on)", "opt_in(on,on)", "opt_in(off,off)"],
    ),
    ("required", &["none", "", "industry", "last", "name,custom:industry,emails"]),
    ("required.industry", &["block", "default(Steel)", "default(a,b)"]),
    (
        "relation.account",
        &["", "company:none,unique_accessible", "company:create,none", "custom:firm:none,first"],
    ),
    ("caller_match", &["e164", "last7", "last10"]),
    ("caller_order", &["none", "personal,directory,groups,sources", "source:work,personal"]),
    ("unknown_caller", &["none", "hub", "both"]),
    ("search_sources", &["personal,directory,groups,sources", "source:work", "none"]),
    ("search_min", &["1", "3"]),
    ("search_delay", &["0", "500"]),
    ("search_timeout", &["100", "5000"]),
    ("collapse", &["linked", "none", "matched"]),
    ("guard", &["hold", "block", "allow"]),
    ("guard_min", &["1", "3"]),
    ("guard_share", &["1", "100"]),
    ("guard_large", &["1", "50"]),
    ("guard_large_share", &["1", "100"]),
    ("guard_creates", &["0", "25000"]),
    ("guard_updates", &["0", "50000"]),
    ("connection", &["none", "email,password,imap_host,imap_port,smtp_host,smtp_port"]),
    ("connection_advanced", &["none", "username,server"]),
    ("retry", &["1", "4"]),
    ("retry_wait", &["1", "3600"]),
    ("on_disconnect", &["keep", "remove_unmodified", "remove_all"]),
    ("on_reconnect", &["relink", "match", "new"]),
    ("marker", &["none", "photo_watermark", "category", "hidden_property", "folder"]),
    ("audit", &["on", "off"]),
];

#[test]
fn every_value_is_taken_and_read_back() {
    for profile in Policy::profiles() {
        for (key, values) in VALUES {
            for value in *values {
                let mut policy = profile.policy.clone();
                policy.set(key, value).unwrap_or_else(|error| panic!("{error}"));
                let once = policy.clone();
                let text = policy.get(key).unwrap();
                policy.set(key, &text).unwrap();
                assert_eq!(policy, once, "{key}={value} comes back as {text}");
                assert_eq!(policy.get(key).unwrap(), text);
                assert_eq!(Policy::from_toml(&policy.to_toml()), Ok(policy.clone()), "{key}={value} in TOML");
            }
        }
    }
}

#[test]
fn a_value_given_in_its_own_form_comes_back_as_given() {
    // The others are short forms: of a list, of a field, of a rule's usual mode.
    let short = ["", "never_clear", "opt_in", "industry", "replace:none", "dedicated:x|"];
    for (key, values) in VALUES {
        for value in values.iter().filter(|value| !short.contains(value)) {
            let mut policy = Policy::default();
            policy.set(key, value).unwrap();
            assert_eq!(policy.get(key).unwrap(), *value, "{key}");
        }
    }
}

/// Texts that are nearly values: the pieces of real ones in any order.
fn near_values() -> impl Strategy<Value = String> {
    let words: Vec<String> = VALUES
        .iter()
        .flat_map(|(_, values)| values.iter())
        .flat_map(|value| value.split_inclusive(['|', '+', ':', ',', '(', ')', '=', '&', '\\']))
        .map(str::to_owned)
        .chain(["custom:", "é", " ", "\n", ")", "|", "\\", "+", ":in"].map(str::to_owned))
        .collect();
    let word = prop_oneof![4 => proptest::sample::select(words), 1 => "\\PC{0,3}"];
    proptest::collection::vec(word, 0..6).prop_map(|words| words.concat())
}

proptest! {
    /// No text panics, and what is taken comes back from its own text and from the stored form.
    #[test]
    fn any_text_is_refused_or_comes_back(
        (key, _) in proptest::sample::select(VALUES),
        name in near_values(),
        value in near_values(),
    ) {
        for key in [(*key).to_owned(), key.split_once('.').map_or(name.clone(), |(family, _)| format!("{family}.{name}"))] {
            let mut policy = Policy::default();
            let before = policy.clone();
            if policy.set(&key, &value).is_err() {
                prop_assert_eq!(policy, before, "a refused value changes nothing");
                continue;
            }
            let text = policy.get(&key).unwrap();
            let mut again = policy.clone();
            again.set(&key, &text).unwrap();
            prop_assert_eq!(&again, &policy, "{}={:?}", key, text);
            let mut fresh = Policy::default();
            fresh.set(&key, &text).unwrap();
            prop_assert_eq!(&fresh, &policy, "{}={:?} from the start", key, text);
            let stored = Policy::from_toml(&policy.to_toml());
            prop_assert_eq!(stored.as_ref(), Ok(&policy));
            prop_assert!(policy.check().iter().all(|finding| !finding.keys.is_empty()));
        }
    }
}

#[test]
fn every_knob_changes_the_policy() {
    for (key, values) in VALUES {
        let texts = values.iter().map(|value| {
            let mut policy = Policy::default();
            policy.set(key, value).unwrap();
            policy.to_toml()
        });
        assert!(texts.collect::<BTreeSet<_>>().len() > 1, "{key}");
    }
}

#[test]
fn the_table_has_every_knob_and_each_key_a_test() {
    let numbers: BTreeSet<u8> = Policy::table().iter().map(|knob| knob.number).collect();
    assert_eq!(numbers, (1..=20).collect());
    let tested: BTreeSet<String> = VALUES
        .iter()
        .map(|(key, _)| match key.split_once('.') {
            Some((family, _)) => {
                Policy::table().iter().find(|k| k.key.starts_with(&format!("{family}."))).unwrap().key
            }
            None => key,
        })
        .map(str::to_owned)
        .collect();
    for knob in Policy::table() {
        assert!(tested.contains(knob.key), "{} is not tested", knob.key);
        assert!(!knob.values.is_empty() && !knob.meaning.is_empty());
    }
    let keys: BTreeSet<&str> = Policy::table().iter().map(|knob| knob.key).collect();
    assert_eq!(keys.len(), Policy::table().len(), "a key stands twice");
}

#[test]
fn what_is_wrong_is_said_so_that_it_can_be_mended() {
    let refused = |key: &str, value: &str| Policy::default().set(key, value).unwrap_err().to_string();
    assert_eq!(refused("in_delte", "keep"), "there is no setting \"in_delte\"; did you mean \"in_delete\"?");
    assert_eq!(refused("colour", "red"), "there is no setting \"colour\"");
    assert_eq!(
        refused("fields.first", "none"),
        "there is no setting \"fields.first\"; did you mean \"field.first\"?"
    );
    assert_eq!(refused("conflict.", "ask"), "there is no setting \"conflict.\"; did you mean \"conflict\"?");
    assert_eq!(
        refused("in_delete", "Keep"),
        "in_delete cannot be \"Keep\"; allowed: propagate | keep | restore | sole_or_restore | unsubscribe | mark"
    );
    assert!(refused("field.frist", "none").contains("did you mean first?"));
    assert!(refused("required", "last,frist").contains("did you mean first?"));
    assert!(refused("profile", "DG").contains("choose it first"));
    assert!(refused("in_folders", &"x".repeat(20_000)).len() < 400);
    for (key, value) in [
        ("interval", "-1"),
        ("interval", "44641"),
        ("guard_share", "0"),
        ("guard_share", "101"),
        ("guard_min", "0"),
        ("guard_min", "4294967296"),
        ("search_timeout", "99"),
        ("retry", "0"),
        ("caller_match", "last3"),
        ("caller_match", "last16"),
        ("caller_match", "lastx"),
        ("in_folders", ""),
        ("in_folders", "|"),
        ("in_folders", "dedicated:"),
        ("out_scope", "specific"),
        ("out_scope", "specific:type="),
        ("out_scope", "specific:owner=u"),
        ("in_filter", "company"),
        ("in_filter", "company="),
        ("in_filter", "nothing=x"),
        ("conflict", "priority"),
        ("conflict", "priority()"),
        ("conflict", "priority(a b)"),
        ("on_ambiguous", "pick()"),
        ("on_ambiguous", "pick(best)"),
        ("match", "email,email"),
        ("match", "email,"),
        ("subscription", "opt_in(on)"),
        ("subscription", "opt_in(yes,no)"),
        ("field.first", "replace+"),
        ("field.first", "replace+fill_if_empty"),
        ("field.first", "replace:up"),
        ("field.emails", "replace+slots(0)"),
        ("field.emails", "replace+slots(x)"),
        ("field.notes", "replace+delimiter()"),
        ("field.notes", "replace+delimiter(x"),
        ("field.*", ""),
        ("required.industry", "default()"),
        ("required.industry", "Steel"),
        ("relation.account", "company"),
        ("relation.account", "company:none"),
        ("relation.a b", "company:none,first"),
        ("caller_order", "work"),
        ("connection", "E-mail"),
        ("delete_tag", " "),
        ("delete_vs_update", "ask/"),
        ("audit", "yes"),
    ] {
        let text = refused(key, value);
        assert!(text.contains(key) && text.contains("allowed: "), "{key}={value}: {text}");
    }
}

/// Every setting of a scenario header or a `when set` line of the specification.
const HEADERS: &[&str] = &[
    "profile=DG collapse=none",
    "profile=DG caller_match=last7",
    "profile=DG match=email",
    "profile=DG on_disconnect=remove_unmodified",
    "profile=DX1 receiver_edit=yield",
    "profile=DX1 receiver_edit=forbid",
    "profile=DX1 receiver_edit=revert",
    "profile=DXO",
    "profile=PLOUT out_scope=owner",
    "profile=PLOUT out_scope=accessible",
    "profile=PLOUT receiver_edit=revert",
    "profile=PLIN",
    "profile=PL in_delete=propagate",
    "profile=PL in_delete=keep",
    "profile=PL required=industry",
    "profile=PL required=",
    "profile=PL required=last",
    "profile=PL field.title=replace:out field.company=replace:in",
    "profile=CR export_on=off",
    "profile=CR import_on=off",
    "profile=CR export_on=off in_folders=Suppliers|VIP",
    "profile=CR out_scope=specific:type=employee",
    "profile=CR out_scope=specific:type=employee+type=customer+folder=VIP",
    "profile=CR out_scope=specific:",
    "profile=CR interval=0",
    "profile=CR interval=15",
    "profile=DX2 in_delete=restore",
    "profile=DX2 in_delete=mark",
    "profile=AC in_delete=unsubscribe",
    "profile=DX2 field.last=fill_if_empty",
    "profile=DX2 field.last=never_clear field.phones=never_clear",
    "profile=DX2 in_create=link_only match=email out_create=ignore",
    "profile=DX2 conflict=source_wins",
];

fn errors(policy: &Policy) -> Vec<String> {
    let findings = policy.check().into_iter().filter(|finding| finding.severity == Severity::Error);
    findings.map(|finding| finding.to_string()).collect()
}

#[test]
fn scenario_headers_are_policies_without_errors() {
    for header in HEADERS {
        assert_eq!(errors(&policy(header)), [""; 0], "{header}");
    }
}

#[test]
#[ignore = "reads the specification from the folder that ACQUAINT_SHARED names"]
fn the_specifications_own_headers_are_policies_without_errors() {
    let folder = std::env::var_os("ACQUAINT_SHARED").expect("ACQUAINT_SHARED names a folder");
    let text = fs::read_to_string(Path::new(&folder).join("semantics.md")).unwrap();
    let mut scenarios = 0;
    for line in text.lines() {
        if let Some((_, header)) = line.strip_prefix("scenario ").and_then(|rest| rest.split_once(' ')) {
            assert_eq!(errors(&policy(header)), [""; 0], "{line}");
            scenarios += 1;
        } else if let Some(setting) = line.strip_prefix("when set ") {
            policy(setting);
        }
    }
    assert!(scenarios > 100);
}

/// Section 13: further products as flat maps.
const PRODUCTS: &[(&str, &str)] = &[
    (
        "one-way, source authority, user edits undone",
        "export_on=off receiver_edit=revert in_delete=propagate out_delete=restore",
    ),
    ("one-way, user edits kept", "export_on=off receiver_edit=pin in_delete=keep out_delete=keep"),
    (
        "one-way, read-only in the hub",
        "export_on=off receiver_edit=forbid in_delete=propagate out_delete=keep",
    ),
    (
        "data-sync style, hub wins",
        "conflict=hub_wins field.*=never_clear in_delete=keep out_delete=keep match=email on_ambiguous=skip \
         in_filter=categories=Customer out_filter=emails=*",
    ),
    (
        "data-sync style, source wins, deletes marked",
        "conflict=source_wins field.*=never_clear in_delete=mark out_delete=keep match=email on_ambiguous=skip",
    ),
    (
        "field rules and notes persistence",
        "import_on=off in_delete=restore out_delete=propagate field.first=fill_if_empty field.last=never_clear \
         field.company=replace field.notes=replace+delimiter(--) match=email on_ambiguous=pick(oldest) \
         conflict=priority(staff,partners)",
    ),
    (
        "CRM both ways",
        "match=email,name on_ambiguous=pick(latest_activity,latest_change,oldest) in_delete=restore out_delete=restore \
         relation.account=company:none,none guard_creates=50000",
    ),
    (
        "CRM, one side overwrites",
        "export_on=off in_delete=keep out_delete=keep conflict=source_wins guard_creates=25000",
    ),
    ("desktop sync, later wins", "conflict=latest"),
    ("desktop sync, hub wins", "conflict=hub_wins"),
    ("desktop sync, source wins", "conflict=source_wins"),
    ("desktop sync, both kept", "conflict=keep_both"),
    ("unified contacts", "conflict=keep_both conflict_category=Conflict"),
    (
        "CRM with a mail server",
        "in_delete=unsubscribe conflict=latest subscription=opt_in in_create=ignore out_scope=opted_in",
    ),
    (
        "tag and group",
        "in_filter=categories=CRM out_filter=categories=CRM in_delete=keep out_delete=keep delete_untag=CRM conflict=latest",
    ),
    (
        "one source, everything",
        "in_delete=propagate out_delete=propagate on_disconnect=remove_all field.extra=replace",
    ),
    ("many sources, one record", "match=email,phone guard=hold"),
    (
        "remote directory search only",
        "import_on=off export_on=off in_delete=keep out_delete=keep search_min=3 search_delay=500 search_timeout=5000",
    ),
    ("enrich existing only", "in_create=link_only match=email"),
];

#[test]
fn products_are_flat_maps_without_errors() {
    for (product, text) in PRODUCTS {
        assert_eq!(errors(&policy(text)), [""; 0], "{product}");
    }
}

#[test]
fn the_default_profile_says_what_the_specification_says() {
    let policy = Policy::default();
    assert_eq!(
        policy.delete,
        PerDirection { inbound: DeleteReaction::Propagate, outbound: DeleteReaction::Propagate }
    );
    assert_eq!(policy.conflict.rule(&Field::Notes), &ConflictRule::Latest);
    assert_eq!(policy.conflict.delete_vs_update, PerDirection::default());
    assert!(Field::NAMED.iter().all(|f| policy.maps(f, Direction::In) && policy.maps(f, Direction::Out)));
    assert!(policy.maps(&Field::Custom("any".to_owned()), Direction::Out));
    assert!(!policy.is_receive_only(Side::Hub) && !policy.is_receive_only(Side::Source));
    assert_eq!(
        (policy.disconnect.copies, policy.disconnect.reconnect),
        (OnDisconnect::Keep, OnReconnect::Relink)
    );
}

#[test]
fn the_plans_questions_are_answered_by_the_profiles() {
    let inbound_only = policy("profile=DX1");
    assert!(inbound_only.is_receive_only(Side::Hub) && !inbound_only.is_receive_only(Side::Source));
    assert!(inbound_only.only_receives(Side::Hub, &Field::First));
    assert!(!inbound_only.only_receives(Side::Source, &Field::First));
    assert!(!inbound_only.only_receives(Side::Hub, &Field::Notes), "not mapped at all");
    assert!(!inbound_only.maps(&Field::Notes, Direction::In));

    let outbound_only = policy("profile=PLOUT");
    assert!(outbound_only.is_receive_only(Side::Source) && !outbound_only.is_receive_only(Side::Hub));
    let imported_only = policy("profile=CR export_on=off");
    assert!(imported_only.is_receive_only(Side::Hub));
    assert_eq!(imported_only.receiver_edit, ReceiverEdit::Yield);

    let one_way_fields = policy("profile=PL field.title=replace:out field.company=replace:in");
    assert!(one_way_fields.only_receives(Side::Source, &Field::Title));
    assert!(one_way_fields.only_receives(Side::Hub, &Field::Company));
    assert!(!one_way_fields.only_receives(Side::Hub, &Field::Last));

    let accumulating = policy("profile=DG");
    assert_eq!(accumulating.fields.rule(&Field::Phones).mode, FieldMode::Additive);
    assert_eq!(*accumulating.conflict.delete_vs_update.get(Direction::Out), DeleteVsUpdate::DeleteWins);
    let card = policy("profile=AC");
    assert!(card.maps(&Field::Photo, Direction::In));
    assert!(!card.maps(&Field::Custom("industry".to_owned()), Direction::In), "decision 44");
    assert_eq!(
        policy("profile=PL").scope.inbound.folders.dedicated_name("ACME").as_deref(),
        Some("Pipeliner (ACME)")
    );
    assert_eq!(policy("profile=AC").trigger.schedule(), Some((2, 15)));
    assert_eq!(policy("profile=CR interval=15").trigger.schedule(), Some((15, 15)));
    assert_eq!(policy("profile=CR interval=0").trigger.schedule(), None);
}

#[test]
fn the_stored_form_does_not_change_unseen() {
    let policy = policy(
        "profile=PL in_delete=keep field.notes=replace+never_clear field.birthday= conflict.title=hub_wins \
         required=industry required.industry=default(Steel) relation.account=company:none,unique_accessible \
         guard_share=25 in_folders=Clients|VIP",
    );
    assert_eq!(
        policy.to_toml(),
        r#""conflict.title" = "hub_wins"
"field.birthday" = ""
"field.notes" = "replace+never_clear"
guard_share = "25"
in_delete = "keep"
in_folders = "Clients|VIP"
profile = "PL"
"relation.account" = "company:none,unique_accessible"
required = "custom:industry"
"required.custom:industry" = "default(Steel)"
"#
    );
    assert_eq!(
        serde_json::to_string(&policy).unwrap(),
        r#"{"conflict.title":"hub_wins","field.birthday":"","field.notes":"replace+never_clear","guard_share":"25","in_delete":"keep","in_folders":"Clients|VIP","profile":"PL","relation.account":"company:none,unique_accessible","required":"custom:industry","required.custom:industry":"default(Steel)"}"#
    );
    let packed = rmp_serde::to_vec_named(&policy).unwrap();
    assert_eq!(rmp_serde::from_slice::<Policy>(&packed).unwrap(), policy);
    assert_eq!(serde_json::from_str::<Policy>(&serde_json::to_string(&policy).unwrap()).unwrap(), policy);
    for profile in Policy::profiles() {
        assert_eq!(profile.policy.to_toml(), format!("profile = \"{}\"\n", profile.name));
    }
}

#[test]
fn people_may_write_tables_numbers_and_switches() {
    let expected = policy("profile=DG guard_min=5 audit=on field.first=none match=email conflict.last=ask");
    let toml = "profile = \"d-g\"\nguard_min = 5\naudit = true\nmatch = \"email\"\n\"conflict.last\" = \"ask\"\n[field]\nfirst = \"none\"\n";
    assert_eq!(Policy::from_toml(toml), Ok(expected.clone()));
    let json = r#"{"profile":"DG","guard_min":5,"audit":true,"match":"email","conflict.last":"ask","field":{"first":"none"}}"#;
    assert_eq!(serde_json::from_str::<Policy>(json).unwrap(), expected);
    assert_eq!(Policy::from_toml(""), Ok(Policy::default()));

    for (text, part) in [
        ("profile = \"nothing\"", "there is no profile"),
        ("audit = [1]", "must be a text, a number, true, false"),
        ("guard_share = 2.5", "must be a text, a number, true, false"),
        ("guard_min = -1", "must be a text, a number, true, false"),
        ("audit", "cannot be read"),
        ("\"field.first\" = \"none\"\n[field]\nfirst = \"replace\"", "field.first is set twice"),
        ("mtch = \"email\"", "did you mean \"match\"?"),
        ("[field.first]\nmode = \"none\"", "field.first.mode"),
    ] {
        let error = Policy::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

/// No code may ask for a profile by name: what a profile does is in its file.
#[test]
fn no_profile_is_named_in_the_code() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 20, "the sources are where they are looked for");
    let mut hits = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let own_list = file.ends_with("policy/profile.rs");
        // Tests may choose a profile. Two-letter names are countries too: a line about a region is no hit.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.contains("region")) {
            for profile in Policy::profiles() {
                let names = [profile.name.clone(), profile.name.to_lowercase(), profile.name.to_uppercase()];
                let quoted = names
                    .iter()
                    .any(|n| line.contains(&format!("\"{n}\"")) || line.contains(&format!("={n} ")));
                assert!(!quoted, "{} names a profile: {line}", file.display());
                hits += usize::from(
                    own_list && line.contains(&format!("/{}.toml\"", profile.name.to_lowercase())),
                );
            }
        }
    }
    assert_eq!(hits, Policy::profiles().len(), "the list of files is the one place");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}
