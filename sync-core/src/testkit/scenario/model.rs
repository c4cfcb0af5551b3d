//! A scenario in types: what the parser makes and the runner executes.

use super::field::{Assign, HubField, SourceField};

/// A field of a library contact with its value.
pub type HubAssign = Assign<HubField>;
/// A field of an item of a source with its value.
pub type SourceAssign = Assign<SourceField>;

/// The mailbox that `src` means without a name, and its user.
pub const DEFAULT_BOX: &str = "M";
/// The user whose mailbox `M` is, and who acts where no other user is named.
pub const DEFAULT_USER: &str = "u";

/// The account's name, which the scenarios expect in the name of a profile's own folder.
pub const ACCOUNT: &str = "ACME";

/// One scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The rule and number that it tests, such as `DG-05.2`.
    pub id: String,
    /// The profile.
    pub profile: String,
    /// Knobs that differ from the profile, by their flat keys, in order.
    pub settings: Vec<(String, String)>,
    /// The steps in order.
    pub steps: Vec<Placed>,
    /// The file it was read from, as named by the caller.
    pub file: String,
    /// The line of its header, from 1.
    pub line: usize,
}

/// A step and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The line, from 1.
    pub line: usize,
    /// The step.
    pub step: Step,
}

/// One line of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// How things stand.
    Given(Given),
    /// What happens.
    When(When),
    /// What must hold at this point.
    Then(Then),
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// `hub ID f=v …`
    Hub {
        /// Its name in the scenario.
        name: String,
        /// Its fields.
        fields: Vec<HubAssign>,
    },
    /// `src[@BOX] ID f=v …`
    Source {
        /// The mailbox.
        mailbox: String,
        /// Its id at the source.
        id: String,
        /// Its fields.
        fields: Vec<SourceAssign>,
    },
    /// `link H-S [BOX]`: already in sync.
    Link {
        /// The library contact.
        hub: String,
        /// The item.
        id: String,
        /// Its mailbox.
        mailbox: String,
    },
    /// `user U BOX`
    User {
        /// The user.
        user: String,
        /// The user's mailbox.
        mailbox: String,
    },
    /// `account ID name=N access=U,…`: a company that contacts can be linked to.
    Account {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// The users who may see it.
        access: Vec<String>,
    },
    /// `group "A, B"`: a group of the company directory, named by its members.
    Group {
        /// Its members.
        members: String,
    },
    /// `server requires=S,…`: without these settings the sign-in at `M` fails.
    Server {
        /// Keys of the settings.
        requires: Vec<String>,
    },
    /// `folder[@BOX] "N"`: an empty folder of a mailbox.
    Folder {
        /// The mailbox.
        mailbox: String,
        /// Its name.
        name: String,
    },
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// `hub add ID f=v … [by=U]`
    HubAdd {
        /// Its name in the scenario.
        name: String,
        /// Its fields.
        fields: Vec<HubAssign>,
        /// Who does it.
        by: Option<String>,
    },
    /// `hub edit ID f=v … [by=U]`
    HubEdit {
        /// The contact.
        name: String,
        /// The new values.
        fields: Vec<HubAssign>,
        /// Who does it.
        by: Option<String>,
    },
    /// `hub del ID [by=U]`
    HubDelete {
        /// The contact.
        name: String,
        /// Who does it.
        by: Option<String>,
    },
    /// `src[@BOX] add ID f=v …`
    SourceAdd {
        /// The mailbox.
        mailbox: String,
        /// Its id.
        id: String,
        /// Its fields.
        fields: Vec<SourceAssign>,
    },
    /// `src[@BOX] edit ID f=v …`
    SourceEdit {
        /// The mailbox.
        mailbox: String,
        /// The item.
        id: String,
        /// The new values.
        fields: Vec<SourceAssign>,
    },
    /// `src[@BOX] del ID`
    SourceDelete {
        /// The mailbox.
        mailbox: String,
        /// The item.
        id: String,
    },
    /// `sync [BOX]`: one cycle over all reachable sources, or over one.
    Sync(Option<String>),
    /// `open ID`: the user opens a contact to call or write.
    Open(String),
    /// `search TEXT`
    Search(String),
    /// `call NUMBER`; `None` is a withheld number, written `anonymous`.
    Call(Option<String>),
    /// `tick MINUTES`
    Tick(u32),
    /// `donate BOX S as H`
    Donate {
        /// The mailbox.
        mailbox: String,
        /// The item.
        id: String,
        /// The name that the new library contact gets.
        name: String,
    },
    /// `subscribe U ID`
    Subscribe {
        /// The user.
        user: String,
        /// The contact.
        name: String,
    },
    /// `unsubscribe U ID`
    Unsubscribe {
        /// The user.
        user: String,
        /// The contact.
        name: String,
    },
    /// `connect key=value …`; without settings, with those that worked before.
    Connect(Vec<(String, String)>),
    /// `disconnect`
    Disconnect,
    /// `offline BOX`
    Offline(String),
    /// `online BOX`
    Online(String),
    /// `expire`: the stored credentials become invalid.
    Expire,
    /// `set key=value`: a knob.
    Set {
        /// Its flat key.
        key: String,
        /// Its value.
        value: String,
    },
    /// `confirm`: the user lets the held deletes happen.
    Confirm,
    /// `restore`: the user has the held contacts made again at the source.
    Restore,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// `hub …`
    Hub(Check<HubField>),
    /// `src[@BOX] …`
    Source {
        /// The mailbox.
        mailbox: String,
        /// What holds there.
        check: Check<SourceField>,
    },
    /// `writes SIDE=N …`: writes since the first `when`; a side is `hub` or a mailbox.
    Writes(Vec<(String, u32)>),
    /// `caller …`: what the last call showed.
    Caller(Caller),
    /// `results NAME …`: the hits of the last search, in order.
    Results(Vec<String>),
    /// `state …`: of the connection of `M`.
    State(Connection),
    /// `event …`: has happened by now.
    Event(Event),
    /// `no_event …`: none that begins so has happened.
    NoEvent(Event),
    /// `folder[@BOX] "N"`: the mailbox has exactly one folder of this name.
    Folder {
        /// The mailbox.
        mailbox: String,
        /// The name.
        name: String,
    },
}

/// What must hold of the contacts of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<D> {
    /// `ID f=v …`: it exists with these values; others are free.
    Has {
        /// The contact.
        name: String,
        /// The values.
        fields: Vec<Assign<D>>,
    },
    /// `ID gone`
    Gone(String),
    /// `count N`
    Count(u32),
    /// `one f=v …`: exactly one contact has these values.
    One(Vec<Assign<D>>),
    /// `none f=v …`: no contact has these values.
    None(Vec<Assign<D>>),
}

/// What a call shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody has the number.
    Unknown,
    /// The number is withheld.
    Withheld,
    /// This name, or the number of a contact without a name.
    Shown(String),
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It works.
    Connected,
    /// The source wants other credentials or more settings.
    NeedsSettings,
    /// The settings are incomplete or malformed; found without any network use.
    Invalid,
    /// There is none.
    Disconnected,
}

impl Connection {
    /// Every state with its word.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Connected, "connected"),
        (Self::NeedsSettings, "needs_settings"),
        (Self::Invalid, "invalid"),
        (Self::Disconnected, "disconnected"),
    ];
}

/// Something reported: words, then facts. `conflict field=first winner=hub`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The words that name it.
    pub words: Vec<String>,
    /// What is known of it.
    pub facts: Vec<(String, String)>,
}

/// The events that may be expected: first word, further words (`*` any), facts. An event that is not here would
/// make `no_event` hold always.
pub const EVENTS: &[(&str, &[&str], &[&str])] = &[
    ("auth_failed", &[], &["offer"]),
    ("blocked_create", &[], &["reason"]),
    ("conflict", &["delete_vs_update"], &["field", "winner"]),
    ("edit", &["refused"], &["reason"]),
    ("guard", &[], &["emptied", "held", "of"]),
    ("link", &["none"], &["reason"]),
    ("linked", &[], &[]),
    ("match", &["ambiguous"], &[]),
    ("missing", &["*"], &[]),
    ("rejected", &[], &["field", "reason"]),
];

impl Event {
    /// An event from its words, separated by blanks.
    #[must_use]
    pub fn new(words: &str) -> Self {
        Self { words: words.split_whitespace().map(str::to_owned).collect(), facts: Vec::new() }
    }

    /// The same with a fact.
    #[must_use]
    pub fn fact(mut self, key: impl Into<String>, value: impl ToString) -> Self {
        self.facts.push((key.into(), value.to_string()));
        self
    }

    /// Whether this event is one that begins like `pattern`: its words come first, its facts are among ours.
    #[must_use]
    pub fn is(&self, pattern: &Event) -> bool {
        self.words.starts_with(&pattern.words) && pattern.facts.iter().all(|fact| self.facts.contains(fact))
    }
}
