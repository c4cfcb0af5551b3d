//! The values of the knobs that are one word, and how every value is read from text and written as text.

/// The text form of a knob's value. What [`Text::write`] gives, [`Text::read`] takes back.
pub(crate) trait Text: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// What is wrong with the text; empty where the knob's list of allowed values says it all.
    fn read(text: &str) -> Result<Self, String>;
    /// Writes the value.
    fn write(&self) -> String;
}

macro_rules! keywords {
    ($(
        $(#[$doc:meta])*
        $name:ident { $(#[$first_doc:meta])* $first:ident = $first_word:literal
            $(, $(#[$variant_doc:meta])* $variant:ident = $word:literal)* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $(#[$first_doc])* #[default] $first,
            $( $(#[$variant_doc])* $variant, )*
        }

        impl Text for $name {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $first_word => Ok(Self::$first),
                    $( $word => Ok(Self::$variant), )*
                    _ => Err(String::new()),
                }
            }

            fn write(&self) -> String {
                match self {
                    Self::$first => $first_word,
                    $( Self::$variant => $word, )*
                }.to_owned()
            }
        }
    )*};
}

keywords! {
    /// What a new contact on one side does on the other (K5).
    CreateRule {
        /// Create it there.
        Apply = "apply",
        /// Only link it with a contact that matches; create nothing.
        LinkOnly = "link_only",
        /// Nothing.
        Ignore = "ignore",
    }

    /// Whether changes flow in one direction (K6).
    Flow {
        /// They do.
        Apply = "apply",
        /// They do not.
        Ignore = "ignore",
    }

    /// How much an outbound update carries (K6).
    Push {
        /// Only the fields that changed.
        Field = "field",
        /// Every mapped field of a contact that changed.
        Record = "record",
    }

    /// What a delete on one side does on the other (K7).
    DeleteReaction {
        /// Deletes the other copy.
        Propagate = "propagate",
        /// Keeps the other copy and leaves a tombstone.
        Keep = "keep",
        /// Creates the deleted copy again.
        Restore = "restore",
        /// Propagates if the deleter is the only subscriber, else restores.
        SoleOrRestore = "sole_or_restore",
        /// Ends the deleter's subscription; all other copies stay.
        Unsubscribe = "unsubscribe",
        /// Tags the other copy and deletes nothing.
        Mark = "mark",
    }

    /// Which containers of other people are read (K2).
    Shared {
        /// None.
        Exclude = "exclude",
        /// All.
        Include = "include",
    }

    /// What happens when a contact leaves the scope (K4).
    ScopeExit {
        /// Both copies stay, the link ends.
        Unlink = "unlink",
        /// The copy on the other side is removed.
        RemoveCopy = "remove_copy",
        /// Both copies and the link stay, nothing is carried.
        Freeze = "freeze",
    }

    /// Which change wins when one side deletes what the other changed (K9).
    DeleteVsUpdate {
        /// The change; the contact is restored.
        UpdateWins = "update_wins",
        /// The delete; the lost change is reported.
        DeleteWins = "delete_wins",
        /// The user decides.
        Ask = "ask",
    }

    /// What becomes of an edit on a side, or of a field, that only receives (K10).
    ReceiverEdit {
        /// Stands until that field changes at the sender.
        Yield = "yield",
        /// Stands for good.
        Pin = "pin",
        /// Is undone at the next pass.
        Revert = "revert",
        /// Is refused; the contact is shown read-only.
        Forbid = "forbid",
    }

    /// What a unique match does (K11).
    OnMatch {
        /// Links the two.
        Link = "link",
        /// Only suggests it to the user.
        Suggest = "suggest",
    }

    /// What makes the better candidate (K11).
    Preference {
        /// The one used last.
        LatestActivity = "latest_activity",
        /// The one changed last.
        LatestChange = "latest_change",
        /// The one created first.
        Oldest = "oldest",
    }

    /// What a relation does when nothing has the name (K14).
    NoHit {
        /// Stays without a relation.
        None = "none",
        /// Creates the record.
        Create = "create",
    }

    /// What a relation does when several records have the name (K14). One hit always links, if accessible.
    ManyHits {
        /// Links if exactly one is accessible to the user.
        UniqueAccessible = "unique_accessible",
        /// Stays without a relation.
        None = "none",
        /// Links the first by id.
        First = "first",
    }

    /// Where the number of an unknown caller is saved (K15).
    UnknownCaller {
        /// Nowhere.
        None = "none",
        /// In the hub, as a local-only contact.
        Hub = "hub",
        /// In the hub and at the source.
        Both = "both",
    }

    /// Which hits of a search are folded into one (K16).
    Collapse {
        /// A contact and the remote copy it is linked to.
        Linked = "linked",
        /// None.
        None = "none",
        /// Linked copies, and those that match by number, email or name.
        Matched = "matched",
    }

    /// What the guard does when it trips (K17).
    GuardAction {
        /// Holds the deletes until the user confirms or restores.
        Hold = "hold",
        /// Refuses them.
        Block = "block",
        /// Lets them through.
        Allow = "allow",
    }

    /// What becomes of hub copies on disconnect (K19). The source is left as it is.
    OnDisconnect {
        /// All stay, links remembered.
        Keep = "keep",
        /// Those without edits of the hub's own are removed.
        RemoveUnmodified = "remove_unmodified",
        /// All are removed.
        RemoveAll = "remove_all",
    }

    /// How contacts find each other again after a reconnect (K19).
    OnReconnect {
        /// By the remembered remote ids.
        Relink = "relink",
        /// By the match keys.
        Match = "match",
        /// Not at all.
        New = "new",
    }

    /// How a synced copy is marked at the source (K20).
    Marker {
        /// Not at all.
        None = "none",
        /// A watermark on the picture.
        PhotoWatermark = "photo_watermark",
        /// A category.
        Category = "category",
        /// A property that the user does not see.
        HiddenProperty = "hidden_property",
        /// By lying in the engine's own folder; nothing is written to the copy.
        Folder = "folder",
    }
}

impl Text for bool {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(String::new()),
        }
    }

    fn write(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl Text for u32 {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| String::new())
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// A text that says something.
impl Text for String {
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn write(&self) -> String {
        self.clone()
    }
}

/// A text, or `none`.
impl Text for Option<String> {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Some(text).filter(|text| !matches!(*text, "" | "none")).map(str::to_owned))
    }

    fn write(&self) -> String {
        self.clone().unwrap_or_else(|| "none".to_owned())
    }
}

/// A list of values with commas between, in order and without repetition; `none` is the empty list.
impl<T: Text + PartialEq> Text for Vec<T> {
    fn read(text: &str) -> Result<Self, String> {
        if matches!(text, "" | "none") {
            return Ok(Vec::new());
        }
        let mut values = Vec::new();
        for part in text.split(',') {
            let value = T::read(part.trim()).map_err(|detail| match detail.as_str() {
                "" => format!("{:?} is none of them", part.trim()),
                _ => detail,
            })?;
            if values.contains(&value) {
                return Err(format!("{:?} stands twice", part.trim()));
            }
            values.push(value);
        }
        Ok(values)
    }

    fn write(&self) -> String {
        match self.as_slice() {
            [] => "none".to_owned(),
            values => values.iter().map(Text::write).collect::<Vec<_>>().join(","),
        }
    }
}

/// The text between the parentheses of `word(…)`.
pub(crate) fn argument<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')')
}

/// Splits at a separator; a backslash takes the next character as it is.
pub(crate) fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let plain = if character == '\\' { characters.next() } else { Some(character) };
        match (parts.last_mut(), plain) {
            (Some(_), Some(c)) if c == separator && character == separator => parts.push(String::new()),
            (Some(part), Some(c)) => part.push(c),
            (_, None) | (None, _) => {}
        }
    }
    parts
}

/// Puts a backslash before separators and backslashes, so that [`split_escaped`] gives the text back.
pub(crate) fn escape(text: &str, separator: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character == separator || character == '\\' {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
