//! Single values: text, date, picture.

use super::{Clash, KeptOut, Merged, Mode, Receiver, Sides, Terms, Winner};
use crate::contact::{Value, value_key};

pub(super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    a.map(value_key) == b.map(value_key)
}

pub(super) fn inbound(sides: Sides<'_>, terms: &Terms) -> Merged {
    let Sides { hub, source, base_hub, base_source } = sides;
    let edited_here = !same(hub, base_hub);
    let edited_there = !same(source, base_source);
    // The source's value is the base of both sides from now on. A hub value that stays then reads as a pending
    // local change: it is sent where the terms let it out, and stands where they do not.
    let keep = |base_hub: Option<&Value>, why: Option<KeptOut>, clash: Option<Clash>| Merged {
        hub: hub.cloned(),
        base_hub: base_hub.cloned(),
        base_source: source.cloned(),
        kept_out: why,
        clash,
    };
    let take = |clash: Option<Clash>| Merged {
        hub: source.cloned(),
        base_hub: source.cloned(),
        base_source: source.cloned(),
        kept_out: None,
        clash,
    };
    if same(hub, source) {
        // The same change on both sides is agreement, not a conflict.
        return keep(hub, None, None);
    }
    if !terms.inbound {
        return keep(base_hub, edited_there.then_some(KeptOut::Terms), None);
    }
    if !terms.outbound && terms.receiver == Receiver::Revert {
        return take(None);
    }
    if !edited_there {
        return keep(base_hub, None, None);
    }
    if source.is_none() && terms.required {
        return keep(hub, Some(KeptOut::Required), None);
    }
    let barred =
        (source.is_none() && terms.never_clear) || (hub.is_some() && terms.mode == Mode::FillIfEmpty);
    if barred {
        return keep(if edited_here { base_hub } else { hub }, Some(KeptOut::Terms), None);
    }
    if !edited_here {
        return take(None);
    }
    if !terms.outbound {
        return match terms.receiver {
            Receiver::Pin => keep(source, Some(KeptOut::Terms), None),
            Receiver::Yield | Receiver::Revert => take(None),
        };
    }
    let clash = Some(Clash { winner: terms.winner, hub: hub.cloned(), source: source.cloned() });
    match terms.winner {
        Winner::Source => take(clash),
        Winner::Hub | Winner::Open => keep(source, None, clash),
    }
}

pub(super) fn outbound(sides: Sides<'_>, terms: &Terms) -> Option<Value> {
    let Sides { hub, base_hub, base_source, .. } = sides;
    let unchanged = same(hub, base_hub);
    let reverts = !terms.inbound && terms.receiver == Receiver::Revert && !same(hub, base_source);
    let barred =
        (hub.is_none() && terms.never_clear) || (base_source.is_some() && terms.mode == Mode::FillIfEmpty);
    if (unchanged && !reverts) || barred { base_source.cloned() } else { hub.cloned() }
}
