//! Which account an imported contact belongs to, by the name of its company (K14).

use super::Site;
use crate::library::{Account, Standing};
use crate::policy::{ManyHits, NoHit, RelationRule};
use std::collections::BTreeMap;

/// What becomes of the contact's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It stays: a user chose it, or there is nothing to go by.
    Keep,
    /// It is this one.
    Link(String),
    /// One of this name has to be made.
    Create,
    /// None, and a link that the rule made before ends. `reason`: why, where a name was given.
    Unlink {
        /// `no_match`, `no_access` or `ambiguous`.
        reason: Option<&'static str>,
    },
}

/// Decides, given all accounts with the name.
#[must_use]
pub fn relate(
    site: &Site<'_>,
    rule: &RelationRule,
    standing: &Standing,
    name: &str,
    hits: &BTreeMap<String, Account>,
) -> Relation {
    if standing.account.is_some() && !standing.account_by_rule {
        return Relation::Keep;
    }
    if name.trim().is_empty() {
        return if standing.account.is_some() { Relation::Unlink { reason: None } } else { Relation::Keep };
    }
    let none = |reason| Relation::Unlink { reason: Some(reason) };
    let mut accessible =
        hits.iter().filter(|(_, account)| account.accessible_to(site.user)).map(|(id, _)| id);
    match (hits.len(), accessible.next(), accessible.next()) {
        (0, ..) => match rule.no_hit {
            NoHit::None => none("no_match"),
            NoHit::Create => Relation::Create,
        },
        (1, None, _) => none("no_access"),
        (1, Some(id), _) => Relation::Link(id.clone()),
        (_, first, second) => match (rule.many_hits, first, second) {
            (ManyHits::UniqueAccessible, Some(id), None) => Relation::Link(id.clone()),
            (ManyHits::First, Some(id), _) => Relation::Link(id.clone()),
            (ManyHits::First, None, _) => none("no_access"),
            (ManyHits::UniqueAccessible | ManyHits::None, ..) => none("ambiguous"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::Capabilities;
    use crate::id::{SourceId, UserId};
    use crate::policy::Policy;
    use crate::time::Time;

    fn account(access: &[&str]) -> Account {
        let access = access.iter().map(|user| UserId::from(*user)).collect();
        Account { name: "Acme".into(), access: Some(access) }
    }

    #[test]
    fn accounts_with_the_name_and_those_that_the_importer_may_see() {
        let source = SourceId::new("m").expect("a name");
        let (user, policy, capabilities) = (UserId::from("u"), Policy::default(), Capabilities::default());
        let site =
            Site { source: &source, user: &user, policy: &policy, capabilities: &capabilities, now: Time(0) };
        let none = |reason| Relation::Unlink { reason: Some(reason) };
        let one = |id: &str| Relation::Link(id.to_owned());
        for (access, many, expected) in [
            (&[][..], ManyHits::UniqueAccessible, none("no_match")),
            (&[&["u", "x"][..]][..], ManyHits::UniqueAccessible, one("0")),
            (&[&["x"]], ManyHits::UniqueAccessible, none("no_access")),
            (&[&["x"]], ManyHits::First, none("no_access")),
            (&[&["x"], &["u"]], ManyHits::UniqueAccessible, one("1")),
            (&[&["u"], &["u"]], ManyHits::UniqueAccessible, none("ambiguous")),
            (&[&["x"], &["y"]], ManyHits::UniqueAccessible, none("ambiguous")),
            (&[&["x"], &["u"], &["u"]], ManyHits::First, one("1")),
            (&[&["x"], &["x"]], ManyHits::First, none("no_access")),
            (&[&["u"], &["x"]], ManyHits::None, none("ambiguous")),
        ] {
            let hits = access.iter().enumerate().map(|(n, users)| (n.to_string(), account(users))).collect();
            let rule =
                RelationRule { field: crate::contact::Field::Company, no_hit: NoHit::None, many_hits: many };
            let found = relate(&site, &rule, &Standing::default(), "Acme", &hits);
            assert_eq!(found, expected, "{access:?} {many:?}");
        }
        let rule = RelationRule {
            field: crate::contact::Field::Company,
            no_hit: NoHit::Create,
            many_hits: ManyHits::None,
        };
        let hits = BTreeMap::new();
        let by =
            |account_by_rule| Standing { account: Some("A".into()), account_by_rule, ..Standing::default() };
        assert_eq!(relate(&site, &rule, &Standing::default(), "Acme", &hits), Relation::Create);
        assert_eq!(relate(&site, &rule, &Standing::default(), " ", &hits), Relation::Keep);
        assert_eq!(relate(&site, &rule, &by(false), "Acme", &hits), Relation::Keep, "a user's choice stays");
        assert_eq!(relate(&site, &rule, &by(false), "", &hits), Relation::Keep);
        assert_eq!(relate(&site, &rule, &by(true), "", &hits), Relation::Unlink { reason: None });
    }
}
