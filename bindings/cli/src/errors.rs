//! What can go wrong, said so that the reader knows what happened, who can mend it, and what to do next.

use acquaint_core::contact::UnknownField;
use acquaint_core::id::InvalidId;
use acquaint_core::library::LibraryError;
use acquaint_core::policy::PolicyError;
use acquaint_core::source::{RefusalKind, SourceError};
use acquaint_core::store::StoreError;
use serde_json::{Value, json};
use std::path::Path;

/// Who can mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The person at the terminal.
    You,
    /// Whoever runs the server or the account.
    Administrator,
    /// The program at the other end.
    Source,
    /// Nobody has to: it passes.
    Passing,
    /// The makers of this program.
    Us,
}

impl Who {
    /// The word in JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Administrator => "administrator",
            Self::Source => "source",
            Self::Passing => "passing",
            Self::Us => "us",
        }
    }
}

/// A command that could not do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// A stable name, such as `no_contact`.
    pub(crate) code: &'static str,
    /// What happened.
    pub(crate) message: String,
    /// Who can mend it.
    pub(crate) who: Who,
    /// What to do next.
    pub(crate) next: String,
    /// Whether the command itself was wrong (exit code 2), not its work (1).
    pub(crate) usage: bool,
}

impl Failure {
    /// A failure that the user can mend.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code, message: message.into(), who: Who::You, next: next.into(), usage: false }
    }

    /// A wrong command.
    pub(crate) fn usage(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { usage: true, ..Self::new("usage", message, next) }
    }

    /// The same with another who.
    pub(crate) fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }

    /// As the member `error` of a JSON document.
    pub(crate) fn json(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "who": self.who.as_str(), "next": self.next })
    }

    /// 1, or 2 for a wrong command.
    pub(crate) fn exit(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let next = match error.kind() {
            Kind::NotFound => "check the path",
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
                "choose another place, or change its permissions"
            }
            Kind::StorageFull | Kind::QuotaExceeded => "free some space and run the command again",
            Kind::AlreadyExists => "choose another name, or add --replace",
            _ => "check the path and run the command again",
        };
        Self::new("file", format!("{} cannot be {doing}: {}", path.display(), error.kind()), next)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Conflict => Self::new("conflict", message, "run the command again").by(Who::Passing),
            StoreError::Busy => {
                Self::new("busy", message, "wait for the other program and run the command again")
                    .by(Who::Passing)
            }
            StoreError::Full => Self::new("disk_full", message, "free some space and run the command again"),
            StoreError::ReadOnly { .. } => Self::new(
                "read_only",
                message,
                "make the file and its folder writable, or name another library with --library FILE",
            ),
            StoreError::Corrupt { .. } => Self::new(
                "not_a_library",
                message,
                "name another file with --library FILE, or put a copy of the library back; this file was left as it is",
            ),
            StoreError::FromTheFuture { .. } => {
                Self::new("from_the_future", message, "update this program; the file was left as it is")
            }
            StoreError::Failed { .. } => Self::new(
                "store",
                message,
                "check that the folder of the library exists and can be written, and run the command again",
            ),
        }
    }
}

impl From<LibraryError> for Failure {
    fn from(error: LibraryError) -> Self {
        let message = error.to_string();
        match error {
            LibraryError::Store(error) => error.into(),
            LibraryError::NoContact(_) => Self::new(
                "no_contact",
                message,
                "`acquaint contact list` shows the ids; `acquaint search TEXT` finds one",
            ),
            LibraryError::NoSource(_) => {
                Self::new("no_source", message, "`acquaint source list` shows the names")
            }
            LibraryError::SourceExists(_) => {
                Self::new("source_exists", message, "`acquaint source show NAME` tells what it is")
            }
            LibraryError::Refused { .. } => Self::new(
                "refused",
                message,
                "edit it at the source that it comes from, or change the rule receiver_edit with `acquaint source set`",
            ),
            LibraryError::NoConflict => {
                Self::new("no_conflict", message, "`acquaint conflict list` shows the open ones")
            }
            LibraryError::NoChoice(_) => Self::new(
                "no_choice",
                message,
                "`acquaint source set NAME subscription=opt_in` lets contacts be chosen there",
            ),
            LibraryError::Settings(_) => {
                Self::new("settings", message, "correct the settings and run the command again")
            }
            LibraryError::Policy(error) => error.into(),
            LibraryError::Unsafe(_) => Self {
                usage: true,
                ..Self::new(
                    "policy",
                    message,
                    "change one of the settings named; `acquaint source knobs` explains each",
                )
            },
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let next = match &error {
            PolicyError::UnknownProfile { .. } => "choose one of these profiles with --profile",
            PolicyError::UnknownKey { .. } | PolicyError::Value { .. } => {
                "`acquaint source knobs` lists every setting with its values"
            }
            PolicyError::ProfileIsFixed => "add the source anew with --profile, or set the knobs that differ",
            PolicyError::Syntax(_) => "write KEY=VALUE; `acquaint source knobs` lists the keys",
        };
        Self { usage: true, ..Self::new("policy", error.to_string(), next) }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let message = error.to_string();
        let (code, who, next) = match &error {
            SourceError::Auth { offer } if !offer.is_empty() => {
                ("auth", Who::You, format!("the server asks for: {}", offer.join(", ")))
            }
            SourceError::Auth { .. } => (
                "auth",
                Who::You,
                "check --user and the password (some servers want an app password made for this program)".to_owned(),
            ),
            SourceError::Settings { .. } => ("settings", Who::You, "correct the setting and run the command again".to_owned()),
            SourceError::NotASource { .. } => (
                "not_a_source",
                Who::You,
                "check --url: it must lead to a CardDAV server; open it in a browser to see what answers there".to_owned(),
            ),
            SourceError::Forbidden { .. } => ("forbidden", Who::Administrator, "ask for access to this address book".to_owned()),
            SourceError::Unreachable { .. } => {
                ("unreachable", Who::Passing, "check the network and run `acquaint sync` again later".to_owned())
            }
            SourceError::Unsafe { .. } => (
                "unsafe",
                Who::Administrator,
                "check the server's certificate; for one of your own, add the source with --ca-file FILE".to_owned(),
            ),
            SourceError::Throttled { .. } => ("throttled", Who::Passing, "run `acquaint sync` again later".to_owned()),
            SourceError::CursorExpired => ("cursor_expired", Who::Passing, "run `acquaint sync` again".to_owned()),
            SourceError::Protocol { .. } => (
                "protocol",
                Who::Source,
                "run `acquaint sync` again; if it stays, tell the maker of the server".to_owned(),
            ),
            SourceError::Local { .. } => {
                ("local", Who::You, "mend this and run `acquaint sync` again".to_owned())
            }
            SourceError::Host { .. } => ("host", Who::Us, "please report this with the command that led to it".to_owned()),
            SourceError::Cancelled => ("cancelled", Who::You, "run the command again".to_owned()),
        };
        Self::new(code, message, next).by(who)
    }
}

impl From<InvalidId> for Failure {
    fn from(error: InvalidId) -> Self {
        Self::usage(error.to_string(), "write it as shown by the list commands")
    }
}

impl From<UnknownField> for Failure {
    fn from(error: UnknownField) -> Self {
        Self {
            code: "no_field",
            ..Self::usage(error.to_string(), "`acquaint contact edit --help` lists the fields")
        }
    }
}

/// What to do about an item that a source refused for good.
pub(crate) fn refusal(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::ReadOnly => "ask for write access, or edit it at its owner's",
        RefusalKind::Invalid => "edit the contact so that the source takes it",
        RefusalKind::TooLarge => "make the contact smaller, as a rule its picture",
        RefusalKind::DuplicateUid => "delete one of the two contacts with the same UID at the source",
        RefusalKind::Quota => "free some space in the account",
        RefusalKind::Unreadable => "mend or delete the card at the source",
    }
}
