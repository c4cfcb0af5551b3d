//! Every rule is broken once and mended once.

use super::rules::RULES;
use super::*;

/// Rule, what it is broken with, what then mends it.
const CASES: &[(&str, &str, &str)] = &[
    ("caller_not_exported", "unknown_caller=both out_create=ignore", "unknown_caller=hub"),
    ("caller_not_exported", "unknown_caller=both out_create=link_only", "out_create=apply"),
    ("caller_not_exported", "unknown_caller=both out_scope=none", "out_scope=owner"),
    ("opt_in_imports", "subscription=opt_in out_scope=opted_in", "in_create=ignore"),
    ("opt_in_imports", "subscription=opt_in in_create=link_only", "subscription=off"),
    ("opt_in_exports", "subscription=opt_in in_create=ignore", "out_scope=opted_in"),
    ("opted_in_without_subscription", "out_scope=opted_in", "subscription=opt_in"),
    ("reaction_needs_subscription", "in_delete=sole_or_restore", "subscription=opt_in"),
    ("reaction_needs_subscription", "in_delete=unsubscribe", "in_delete=keep"),
    ("outbound_reaction", "out_delete=mark", "out_delete=keep"),
    ("outbound_reaction", "out_delete=sole_or_restore", "out_delete=restore"),
    ("outbound_reaction", "out_delete=unsubscribe", "out_delete=propagate"),
    ("unguarded_deletes", "guard=allow", "guard=block"),
    (
        "unguarded_deletes",
        "guard=allow in_delete=keep out_delete=keep scope_exit=remove_copy",
        "scope_exit=freeze",
    ),
    ("writes_to_source", "export_on=off", "out_delete=keep"),
    ("writes_to_source", "export_on=off out_delete=keep in_delete=restore", "in_delete=mark"),
    ("writes_to_hub", "import_on=off", "in_delete=keep"),
    ("writes_to_hub", "import_on=off in_delete=mark", "import_on=on"),
    ("writes_to_hub", "import_on=off in_delete=keep out_delete=restore", "out_delete=propagate"),
    ("receiver_edit_two_way", "receiver_edit=pin", "receiver_edit=yield"),
    ("receiver_edit_two_way", "receiver_edit=forbid", "export_on=off"),
    ("receiver_edit_two_way", "receiver_edit=revert", "field.notes=replace:in"),
    ("nothing_mapped", "field.*=none field.first=none", "field.first=replace"),
    ("nothing_mapped", "field.*=none", "import_on=off export_on=off"),
    ("link_without_keys", "in_create=link_only match=none", "match=email"),
    ("link_without_keys", "out_create=link_only match=none", "out_create=apply"),
    ("reconnect_without_keys", "on_reconnect=match match=none", "match=phone"),
    ("interval_order", "interval=20 interval_max=15", "interval=15"),
    ("interval_order", "interval=20 interval_max=15", "interval_max=0"),
    ("additive_single", "field.title=additive", "field.title=replace"),
    ("additive_single", "field.custom:tag=additive", "field.custom:tag=none"),
    ("additive_single", "field.*=additive", "field.*=replace field.phones=additive"),
    ("slots_single", "field.title=replace+slots(2)", "field.title= field.phones=replace+slots(2)"),
    (
        "delimiter_not_text",
        "field.phones=replace+delimiter(--)",
        "field.phones= field.notes=replace+delimiter(--)",
    ),
    ("other_shape", "field.phones=replace+as(notes)", "field.phones=replace+as(urls)"),
    ("source_field_twice", "field.title=replace+as(role)", "field.role=none"),
    ("source_field_twice", "field.role=none field.title=as(role) field.notes=as(role)", "field.notes=none"),
    ("no_match_two_way", "match=none", "match=email"),
    ("no_match_two_way", "match=none", "in_create=ignore"),
    ("nothing_in_scope", "out_scope=none", "out_scope=all"),
    ("nothing_in_scope", "out_scope=none out_create=ignore", "out_update=ignore"),
    ("in_delete_vs_update_unused", "in_delete_vs_update=delete_wins in_delete=keep", "in_delete=propagate"),
    (
        "out_delete_vs_update_unused",
        "out_delete_vs_update=ask out_delete=restore",
        "out_delete_vs_update=update_wins",
    ),
    ("match_without_marker", "match=marker", "marker=category"),
    ("match_without_marker", "match=marker,email marker=folder", "match=email"),
    ("conflict_unused", "conflict.title=ask field.title=replace:in", "field.title=replace"),
    ("category_unused", "conflict_category=Copy", "conflict.notes=keep_both"),
    ("untag_unused", "delete_untag=Synced", "out_delete=keep"),
    ("default_unused", "required.industry=default(Steel)", "required=industry"),
    (
        "relation_unmapped",
        "relation.account=company:none,first field.company=replace:out",
        "field.company=replace",
    ),
    ("required_unmapped", "required=industry,last field.custom:*=none", "required=last"),
    ("required_unmapped", "required=industry field.custom:*=none", "required.industry=default(Steel)"),
    (
        "required_unmapped",
        "required=name field.first=none field.middle=none field.last=none",
        "field.last=replace",
    ),
];

fn apply(policy: &mut Policy, settings: &str) {
    for setting in settings.split(' ') {
        let (key, value) = setting.split_once('=').expect("key=value");
        policy.set(key, value).expect(setting);
    }
}

fn finds(policy: &Policy, rule: &str) -> bool {
    policy.check().iter().any(|finding| finding.rule == rule)
}

#[test]
fn every_rule_is_broken_and_mended() {
    for (rule, broken, mended) in CASES {
        let mut policy = Policy::default();
        assert!(!finds(&policy, rule), "{rule}: before");
        apply(&mut policy, broken);
        assert!(finds(&policy, rule), "{rule}: {broken}");
        apply(&mut policy, mended);
        assert!(!finds(&policy, rule), "{rule}: {broken} mended by {mended}");
    }
    for rule in RULES {
        assert!(CASES.iter().any(|(name, ..)| *name == rule.name), "{} has no case", rule.name);
    }
}

#[test]
fn findings_name_keys_that_exist_and_say_what_to_do() {
    for (rule, broken, _) in CASES {
        let mut policy = Policy::default();
        apply(&mut policy, broken);
        for finding in policy.check().iter().filter(|finding| finding.rule == *rule) {
            for key in &finding.keys {
                assert!(policy.get(key).is_ok(), "{rule}: {key}");
            }
            assert!(finding.to_string().contains(&finding.keys.join(", ")));
        }
        let severities: Vec<Severity> = policy.check().iter().map(|finding| finding.severity).collect();
        assert!(severities.is_sorted());
    }
}

#[test]
fn shipped_profiles_have_no_errors() {
    // A shipped profile may warn only of what its product does on purpose (DG-17, design section 8 point 17).
    for profile in Policy::profiles() {
        for finding in profile.policy.check() {
            assert_eq!(finding.rule, "no_match_two_way", "{}: {finding}", profile.name);
        }
    }
    assert_eq!(Policy::default().check(), []);
}
