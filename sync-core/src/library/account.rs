//! Accounts: the companies that contacts of an organization belong to (K14).

use super::error::LibraryError;
use super::handle::Library;
use super::{Writer, codec, key};
use crate::id::UserId;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A company with the users who may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name. Several may have the same.
    #[serde(rename = "n")]
    pub name: String,
    /// Who may see it; `None` is everyone.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub access: Option<BTreeSet<UserId>>,
}

impl Account {
    /// Whether the user may see it.
    #[must_use]
    pub fn accessible_to(&self, user: &UserId) -> bool {
        self.access.as_ref().is_none_or(|users| users.contains(user))
    }
}

/// The key under which accounts are found by name: lower case, blanks collapsed.
#[must_use]
pub fn account_key(name: &str) -> String {
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

impl Writer {
    /// Puts an account with its index by name, in place of what it was before.
    pub fn put_account(&mut self, id: &str, old: Option<&Account>, new: &Account) {
        if let Some(old) = old {
            self.delete(key::account_named(&account_key(&old.name), id));
        }
        self.put(key::account_named(&account_key(&new.name), id), new);
        self.put(key::account(id), new);
    }
}

impl Library {
    /// Adds an account, or changes it. Contacts are linked to it when they are imported next.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn put_account(&self, id: &str, account: &Account) -> Result<(), LibraryError> {
        self.retry(async || {
            let row = self.store.get(vec![key::account(id)]).await?.pop().flatten();
            let old: Option<Account> = row.as_ref().map(codec::decode).transpose()?;
            let mut writer = Writer::new();
            writer.require(key::account(id), row.map(|row| row.revision));
            writer.put_account(id, old.as_ref(), account);
            self.commit(writer).await
        })
        .await
    }

    /// All accounts by id.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn accounts(&self) -> Result<BTreeMap<String, Account>, LibraryError> {
        let rows: Vec<(_, Account)> = self.all(key::accounts()).await?;
        let corrupt = || StoreError::Corrupt { detail: "an account has no id".into() };
        let named =
            rows.into_iter().map(|(key, account)| Ok((key::account_of(&key).ok_or_else(corrupt)?, account)));
        named.collect()
    }
}
