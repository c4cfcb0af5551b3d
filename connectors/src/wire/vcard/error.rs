//! Why a card cannot be read or written, and who can do something about it.

use acquaint_core::contact::Field;
use acquaint_core::limits;
use acquaint_core::source::{Refusal, RefusalKind};

/// A card that cannot be decoded or patched. Never carries content of the card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The source: there is no `BEGIN:VCARD`.
    #[error("no vCard found: the data has no BEGIN:VCARD line; the source has to send a vCard")]
    NotACard,
    /// The user: more bytes than [`limits::CARD_BYTES`], as a rule because of the picture.
    #[error(
        "the card is larger than {} bytes; its user can make it smaller, as a rule by a smaller picture",
        limits::CARD_BYTES
    )]
    TooLarge,
    /// The source: more content lines than [`limits::CARD_PROPERTIES`].
    #[error(
        "the card has more than {} properties; the source has to split or clean it",
        limits::CARD_PROPERTIES
    )]
    TooManyProperties,
    /// The source: a property has more parameters than [`limits::PROPERTY_PARAMETERS`].
    #[error(
        "a property has more than {} parameters; the source has to clean it",
        limits::PROPERTY_PARAMETERS
    )]
    TooManyParameters,
    /// The source: a structured value has more components than [`limits::VALUE_COMPONENTS`].
    #[error("a value has more than {} components; the source has to clean it", limits::VALUE_COMPONENTS)]
    TooManyComponents,
    /// The user: more values of one field than [`limits::FIELD_VALUES`].
    #[error("the card has more than {} values of {field}; its user can remove some", limits::FIELD_VALUES)]
    TooManyValues {
        /// The field.
        field: Field,
    },
    /// The host: a value is in a character set that this build does not know.
    #[error(
        "a value is in a character set this build cannot read; the host can enable the feature `charsets`"
    )]
    UnknownCharset,
    /// The host: the bytes of the picture that the contact names were not given along.
    #[error("the bytes of the contact's picture were not given along; the host has to supply them")]
    MissingPicture,
}

impl CardError {
    /// The same as a lasting refusal of one item.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let kind = match self {
            Self::TooLarge
            | Self::TooManyProperties
            | Self::TooManyParameters
            | Self::TooManyComponents
            | Self::TooManyValues { .. } => RefusalKind::TooLarge,
            Self::NotACard | Self::UnknownCharset => RefusalKind::Unreadable,
            Self::MissingPicture => RefusalKind::Invalid,
        };
        Refusal::new(kind, self.to_string())
    }
}
