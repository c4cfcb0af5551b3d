//! The rules of validation, each with what to do about it.

use super::{Rule, Severity};
use crate::contact::{Field, Shape};
use crate::policy::fields::FieldMode;
use crate::policy::values::Text;
use crate::policy::{
    ConflictRule, CreateRule, DeleteReaction, DeleteVsUpdate, Direction, Export, FieldDirection, FieldRule,
    Flow, GuardAction, Marker, MatchKey, OnReconnect, Policy, ReceiverEdit, Requirement, ScopeExit, Side,
    Subscription, UnknownCaller,
};
use std::collections::BTreeSet;

/// All rules, errors first.
pub(super) static RULES: &[Rule] = &[
    Rule {
        name: "caller_not_exported",
        severity: Severity::Error,
        text: "an unknown caller is to be saved at the source too, but new contacts do not go out: set \
            unknown_caller=hub, or let them out (out_create=apply, out_scope other than none)",
        broken: |p| {
            when(
                p.caller.unknown == UnknownCaller::Both
                    && (p.create.outbound != CreateRule::Apply || p.scope.outbound.who == Export::None),
                &["unknown_caller", "out_create", "out_scope"],
            )
        },
    },
    Rule {
        name: "opt_in_imports",
        severity: Severity::Error,
        text: "users choose their contacts, yet everything in their mailboxes would come into the library: \
            set in_create=ignore (a donation is explicit), or subscription=off",
        broken: |p| {
            when(
                p.subscription != Subscription::Off && p.create.inbound != CreateRule::Ignore,
                &["subscription", "in_create"],
            )
        },
    },
    Rule {
        name: "opt_in_exports",
        severity: Severity::Error,
        text: "users choose their contacts, yet others go out to them as well: set out_scope=opted_in, or \
            subscription=off",
        broken: |p| {
            when(
                p.subscription != Subscription::Off
                    && !matches!(p.scope.outbound.who, Export::OptedIn | Export::None),
                &["subscription", "out_scope"],
            )
        },
    },
    Rule {
        name: "opted_in_without_subscription",
        severity: Severity::Error,
        text: "only chosen contacts go out, but nobody can choose: set subscription=opt_in, or another \
            out_scope",
        broken: |p| {
            when(
                p.scope.outbound.who == Export::OptedIn && p.subscription == Subscription::Off,
                &["out_scope", "subscription"],
            )
        },
    },
    Rule {
        name: "reaction_needs_subscription",
        severity: Severity::Error,
        text: "this delete reaction asks who is subscribed, but there are no subscriptions: set \
            subscription=opt_in, or in_delete to keep, restore or propagate",
        broken: |p| {
            when(
                matches!(p.delete.inbound, DeleteReaction::SoleOrRestore | DeleteReaction::Unsubscribe)
                    && p.subscription == Subscription::Off,
                &["in_delete", "subscription"],
            )
        },
    },
    Rule {
        name: "outbound_reaction",
        severity: Severity::Error,
        text: "a delete in the hub can only propagate, keep the copy, or be undone: set out_delete to \
            propagate, keep or restore",
        broken: |p| {
            when(
                matches!(
                    p.delete.outbound,
                    DeleteReaction::SoleOrRestore | DeleteReaction::Unsubscribe | DeleteReaction::Mark
                ),
                &["out_delete"],
            )
        },
    },
    Rule {
        name: "unguarded_deletes",
        severity: Severity::Error,
        text: "deletes travel and nothing stops a mass delete by mistake: set guard=hold or guard=block",
        broken: |p| {
            when(
                p.guard.action == GuardAction::Allow && removes(p),
                &["guard", "in_delete", "out_delete", "scope_exit"],
            )
        },
    },
    Rule {
        name: "writes_to_source",
        severity: Severity::Error,
        text: "nothing goes out, yet a delete would write to the source: set out_delete=keep, and in_delete \
            to keep, propagate, mark or unsubscribe",
        broken: |p| {
            let restores =
                matches!(p.delete.inbound, DeleteReaction::Restore | DeleteReaction::SoleOrRestore);
            when(
                p.is_receive_only(Side::Hub) && (restores || p.delete.outbound == DeleteReaction::Propagate),
                &["in_delete", "out_delete"],
            )
        },
    },
    Rule {
        name: "writes_to_hub",
        severity: Severity::Error,
        text: "nothing comes in, yet a delete would write to the hub: set in_delete=keep, and out_delete to \
            keep or propagate",
        broken: |p| {
            let removes = matches!(
                p.delete.inbound,
                DeleteReaction::Propagate | DeleteReaction::Mark | DeleteReaction::SoleOrRestore
            );
            when(
                p.is_receive_only(Side::Source) && (removes || p.delete.outbound == DeleteReaction::Restore),
                &["in_delete", "out_delete"],
            )
        },
    },
    Rule {
        name: "receiver_edit_two_way",
        severity: Severity::Error,
        text: "no side and no field only receives, so no edit can be pinned, reverted or forbidden: set \
            receiver_edit=yield, or close a direction",
        broken: |p| {
            when(
                p.receiver_edit != ReceiverEdit::Yield
                    && p.update.inbound == Flow::Apply
                    && p.update.outbound == Flow::Apply
                    && !p.fields.any_one_way(),
                &["receiver_edit"],
            )
        },
    },
    Rule {
        name: "nothing_mapped",
        severity: Severity::Error,
        text: "no field is mapped, so contacts would sync without content: map fields \
            (field.first=replace), or close both directions",
        broken: |p| {
            when((p.flows(Direction::In) || p.flows(Direction::Out)) && !p.fields.any_mapped(), &["field.*"])
        },
    },
    Rule {
        name: "link_without_keys",
        severity: Severity::Error,
        text: "contacts are only to be linked where they match, but nothing is compared: set match, such as \
            match=email",
        broken: |p| {
            let link_only = [p.create.inbound, p.create.outbound].contains(&CreateRule::LinkOnly);
            when(link_only && p.matching.keys.is_empty(), &["match", "in_create", "out_create"])
        },
    },
    Rule {
        name: "reconnect_without_keys",
        severity: Severity::Error,
        text: "contacts are to find each other by match keys after a reconnect, but there are none: set \
            match, or on_reconnect=relink",
        broken: |p| {
            when(
                p.disconnect.reconnect == OnReconnect::Match && p.matching.keys.is_empty(),
                &["on_reconnect", "match"],
            )
        },
    },
    Rule {
        name: "interval_order",
        severity: Severity::Error,
        text: "the longest interval is shorter than the shortest: raise interval_max, or set it to 0",
        broken: |p| {
            when(
                p.trigger.interval_max > 0 && p.trigger.interval_max < p.trigger.interval,
                &["interval", "interval_max"],
            )
        },
    },
    Rule {
        name: "additive_single",
        severity: Severity::Error,
        text: "only lists can accumulate values: set the field to replace or fill_if_empty",
        broken: |p| {
            fields(p, |field, rule| rule.mode == FieldMode::Additive && field.is_none_or(|f| !f.is_list()))
        },
    },
    Rule {
        name: "slots_single",
        severity: Severity::Error,
        text: "only lists have slots: take slots(N) away",
        broken: |p| fields(p, |field, rule| rule.slots.is_some() && field.is_none_or(|f| !f.is_list())),
    },
    Rule {
        name: "delimiter_not_text",
        severity: Severity::Error,
        text: "only a text can be parted by a line: take delimiter(TEXT) away",
        broken: |p| {
            fields(p, |field, rule| {
                rule.delimiter.is_some() && field.is_none_or(|f| f.shape() != Shape::Text)
            })
        },
    },
    Rule {
        name: "other_shape",
        severity: Severity::Error,
        text: "the two fields hold different kinds of values: choose a source field of the same kind in \
            as(FIELD)",
        broken: |p| {
            fields(p, |field, rule| {
                rule.source_field
                    .as_ref()
                    .is_some_and(|source| field.is_none_or(|f| f.shape() != source.shape()))
            })
        },
    },
    Rule {
        name: "source_field_twice",
        severity: Severity::Error,
        text: "two fields of the hub would be kept in one field of the source: unmap one of them, or change \
            as(FIELD)",
        broken: |p| shared_source_fields(p),
    },
    Rule {
        name: "no_match_two_way",
        severity: Severity::Warning,
        text: "both sides create and nothing is compared, so a first sync of two filled sides keeps every \
            person twice: set match, such as match=email,phone",
        broken: |p| {
            when(
                p.create.inbound == CreateRule::Apply
                    && p.create.outbound == CreateRule::Apply
                    && p.matching.keys.is_empty(),
                &["match", "in_create", "out_create"],
            )
        },
    },
    Rule {
        name: "nothing_in_scope",
        severity: Severity::Warning,
        text: "new contacts or changes may go out, but no contact is in scope: set out_scope, or \
            out_create=ignore and out_update=ignore",
        broken: |p| {
            when(
                p.scope.outbound.who == Export::None && p.flows(Direction::Out),
                &["out_scope", "out_create", "out_update"],
            )
        },
    },
    Rule {
        name: "in_delete_vs_update_unused",
        severity: Severity::Warning,
        text: "a delete at the source never reaches the hub, so it never meets a change there: set \
            in_delete=propagate, or in_delete_vs_update=update_wins",
        broken: |p| {
            when(
                p.conflict.delete_vs_update.inbound != DeleteVsUpdate::UpdateWins
                    && !deletes(p.delete.inbound),
                &["in_delete_vs_update", "in_delete"],
            )
        },
    },
    Rule {
        name: "out_delete_vs_update_unused",
        severity: Severity::Warning,
        text: "a delete in the hub never reaches the source, so it never meets a change there: set \
            out_delete=propagate, or out_delete_vs_update=update_wins",
        broken: |p| {
            when(
                p.conflict.delete_vs_update.outbound != DeleteVsUpdate::UpdateWins
                    && !deletes(p.delete.outbound),
                &["out_delete_vs_update", "out_delete"],
            )
        },
    },
    Rule {
        name: "match_without_marker",
        severity: Severity::Warning,
        text: "contacts are compared by a marker that is never put on: set marker, or take it out of match",
        broken: |p| {
            when(
                p.matching.keys.contains(&MatchKey::Marker)
                    && matches!(p.marker, Marker::None | Marker::Folder),
                &["match", "marker"],
            )
        },
    },
    Rule {
        name: "conflict_unused",
        severity: Severity::Warning,
        text: "this field does not flow both ways, so it has no conflicts: take its conflict rule away, or \
            map the field both ways",
        broken: |p| {
            p.conflict
                .rules
                .keys()
                .filter(|field| p.fields.rule(field).direction != FieldDirection::Both)
                .map(|field| format!("conflict.{}", field.write()))
                .collect()
        },
    },
    Rule {
        name: "category_unused",
        severity: Severity::Warning,
        text: "no conflict is solved by keeping both, so no copy gets the category: set conflict=keep_both, \
            or conflict_category=none",
        broken: |p| {
            let mut rules = std::iter::once(&p.conflict.default).chain(p.conflict.rules.values());
            when(
                p.conflict.category.is_some() && !rules.any(|rule| *rule == ConflictRule::KeepBoth),
                &["conflict_category", "conflict"],
            )
        },
    },
    Rule {
        name: "untag_unused",
        severity: Severity::Warning,
        text: "no copy is kept when its partner is deleted, so none loses the category: set in_delete=keep \
            or out_delete=keep, or delete_untag=none",
        broken: |p| {
            when(
                p.delete_untag.is_some()
                    && ![p.delete.inbound, p.delete.outbound].contains(&DeleteReaction::Keep),
                &["delete_untag", "in_delete", "out_delete"],
            )
        },
    },
    Rule {
        name: "default_unused",
        severity: Severity::Warning,
        text: "the field has a value for the case that it is empty, but it is not required: add it to \
            required, or take the value away",
        broken: |p| {
            p.required
                .defaults
                .keys()
                .filter(|field| !p.required.includes(field))
                .map(|field| format!("required.{}", field.write()))
                .collect()
        },
    },
    Rule {
        name: "relation_unmapped",
        severity: Severity::Warning,
        text: "the field that names the related record does not come in, so the relation is never made: map \
            the field, or take the relation away",
        broken: |p| {
            p.relations
                .iter()
                .filter(|(_, relation)| !p.maps(&relation.field, Direction::In))
                .map(|(name, _)| format!("relation.{name}"))
                .collect()
        },
    },
    Rule {
        name: "required_unmapped",
        severity: Severity::Note,
        text: "a required field does not come in, so no new contact can come in until the field is filled \
            some other way; changes still do",
        broken: |p| {
            let unmet = |requirement: &Requirement| match requirement {
                Requirement::Field(field) => {
                    !p.maps(field, Direction::In) && !p.required.defaults.contains_key(field)
                }
                Requirement::Name => {
                    ![Field::First, Field::Middle, Field::Last].iter().any(|f| p.maps(f, Direction::In))
                }
            };
            let broken = p.create.inbound == CreateRule::Apply && p.required.what.iter().any(unmet);
            when(broken, &["required"])
        },
    },
];

fn when(broken: bool, keys: &[&str]) -> Vec<String> {
    if broken { keys.iter().map(|key| (*key).to_owned()).collect() } else { Vec::new() }
}

/// Whether a reaction can delete the other copy.
fn deletes(reaction: DeleteReaction) -> bool {
    match reaction {
        DeleteReaction::Propagate | DeleteReaction::SoleOrRestore => true,
        DeleteReaction::Keep
        | DeleteReaction::Restore
        | DeleteReaction::Unsubscribe
        | DeleteReaction::Mark => false,
    }
}

/// Whether anything in the policy can delete a contact.
fn removes(policy: &Policy) -> bool {
    deletes(policy.delete.inbound)
        || deletes(policy.delete.outbound)
        || policy.scope.exit == ScopeExit::RemoveCopy
}

/// The keys of mapped fields whose rule is wrong. The rule of all other fields comes without a field.
fn fields(policy: &Policy, wrong: impl Fn(Option<&Field>, &FieldRule) -> bool) -> Vec<String> {
    let default = (None, &policy.fields.default);
    let named = policy.fields.rules.iter().map(|(field, rule)| (Some(field), rule));
    let wrong = std::iter::once(default)
        .chain(named)
        .filter(|(field, rule)| rule.direction != FieldDirection::None && wrong(*field, rule));
    wrong.map(|(field, _)| format!("field.{}", field.map_or("*".to_owned(), Text::write))).collect()
}

/// The keys of fields that are kept in a source field where another one is kept already.
fn shared_source_fields(policy: &Policy) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let moved = |field: &&Field| policy.fields.rule(field).source_field.is_some();
    let all = Field::NAMED.iter().chain(policy.fields.rules.keys().filter(|f| matches!(f, Field::Custom(_))));
    let (moved, in_place): (Vec<&Field>, Vec<&Field>) =
        all.filter(|field| policy.fields.rule(field).direction != FieldDirection::None).partition(moved);
    taken.extend(in_place);
    let twice = moved.into_iter().filter(|field| {
        policy.fields.rule(field).source_field.as_ref().is_some_and(|source| !taken.insert(source))
    });
    twice.map(|field| format!("field.{}", field.write())).collect()
}
