//! How a scenario begins: contacts and links as if they had been there before.

use super::{World, card};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::library::{Link, Ref, Writer, key};
use crate::policy::{Direction, Marker, Subscription};
use crate::testkit::scenario::{DEFAULT_USER, Draft, HostResult, HubField};
use futures::executor::block_on;

impl World {
    pub(super) fn given_contact(&mut self, draft: &Draft) -> HostResult<ContactId> {
        let audit = draft.details.iter().find(|(detail, _)| *detail == HubField::Audit);
        let by = audit.and_then(|(_, name)| name.as_one()).unwrap_or(DEFAULT_USER);
        let by = UserId::from(by);
        let added = self.library.add(vec![card::new_contact(draft)], &by, self.clock.now());
        block_on(added)?.first().copied().ok_or_else(|| "no contact was added".into())
    }

    pub(super) fn given_link(&mut self, id: ContactId, source: &SourceId, item: &RemoteId) -> HostResult<()> {
        let sim = self.sources.get(source).ok_or("no such mailbox")?;
        let watermark = self.policy.marker == Marker::PhotoWatermark;
        if watermark {
            sim.mark(item.clone(), true).map_err(|error| error.to_string())?;
        }
        let item = sim.item(item).ok_or("no such item")?;
        let listed = block_on(self.library.contact(id))?.ok_or("no such contact")?;
        let mut link = Link::new(item.id.clone());
        link.version.clone_from(&item.version);
        link.folder.clone_from(&item.folder);
        link.raw = item.raw.clone();
        link.marked = item.marked;
        let hub = &listed.record.contact;
        for field in hub
            .changed_fields(&crate::contact::Contact::new())
            .into_iter()
            .chain(item.contact.fields().cloned())
        {
            let mapped = [Direction::In, Direction::Out].iter().any(|d| self.policy.maps(&field, *d));
            if mapped {
                link.set_bases(&field, hub.get(&field).cloned(), item.contact.get(&field).cloned());
            }
        }
        let mut writer = Writer::new();
        writer.put_link(source, id, None, Some(&link));
        writer.delete(key::dirty(source, id));
        if self.policy.subscription != Subscription::Off {
            writer.put(key::reference(id, source), &Ref { linked: true, subscribed: Some(true) });
        }
        block_on(self.store.apply(writer.finish())).map_err(|error| error.to_string())?;
        Ok(())
    }
}
