//! Links imported contacts to accounts (K14).

use super::context::Context;
use super::event::What;
use super::page::Page;
use crate::id::ContactId;
use crate::library::{Account, Record, account_key};
use crate::plan::{self, Relation};
use std::collections::{BTreeMap, BTreeSet};

/// The relation that the library knows: the account a contact belongs to.
pub(super) const ACCOUNT: &str = "account";

/// Accounts by the key of their name, then by id.
pub(super) type Accounts = BTreeMap<String, BTreeMap<String, Account>>;

impl Page<'_> {
    /// Applies the rule to a contact whose company came in. Says whether its account changed.
    pub(super) fn relate(&mut self, context: &mut Context<'_>, id: ContactId, record: &mut Record) -> bool {
        let Some(lane) = context.shared.lanes.get(self.source) else { return false };
        let site = lane.site(self.source, context.now);
        let Some(rule) = site.policy.relations.get(ACCOUNT) else { return false };
        let name = record.contact.text(&rule.field).to_owned();
        let none = BTreeMap::new();
        let hits = self.accounts.get(&account_key(&name)).unwrap_or(&none);
        let before = record.standing.account.clone();
        let account = match plan::relate(&site, rule, &record.standing, &name, hits) {
            Relation::Keep => return false,
            Relation::Link(account) => Some(account),
            Relation::Create => {
                // It belongs to whoever brought it.
                let made = Account { name: name.clone(), access: Some(BTreeSet::from([site.user.clone()])) };
                let account = context.new_contact().to_string();
                self.writer.put_account(&account, None, &made);
                self.accounts.entry(account_key(&name)).or_default().insert(account.clone(), made);
                Some(account)
            }
            Relation::Unlink { reason } => {
                if let Some(reason) = reason {
                    self.notice(Some(id), What::NoRelation { reason: reason.to_owned() });
                }
                None
            }
        };
        record.standing.account_by_rule = account.is_some();
        record.standing.account = account;
        record.standing.account != before
    }
}
