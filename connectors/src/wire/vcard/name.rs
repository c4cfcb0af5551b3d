//! The properties that the model knows, by their names.

/// A property name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Begin,
    End,
    Version,
    Uid,
    Rev,
    ProdId,
    Fn,
    N,
    Nickname,
    Org,
    Title,
    Role,
    Tel,
    Email,
    Adr,
    Url,
    /// IMPP (RFC 4770, RFC 6350 section 6.4.3).
    Impp,
    /// `X-SOCIALPROFILE` of Apple.
    XSocialProfile,
    /// SOCIALPROFILE (RFC 9554 section 3.5).
    SocialProfile,
    /// `X-AIM` and its like: the service in the name. The text is our name of the service.
    XService(&'static str),
    Bday,
    /// ANNIVERSARY, and the extensions that mean the same.
    Anniversary,
    /// `X-ABDATE` of Apple; its label says which date.
    XAbDate,
    Related,
    /// `X-ABRELATEDNAMES` of Apple; its label says who.
    XAbRelatedNames,
    /// `X-SPOUSE` and its like: the relation in the name.
    XRelation(&'static str),
    /// GENDER, with its components.
    Gender,
    XGender,
    Categories,
    Note,
    Photo,
    /// KIND and `X-ADDRESSBOOKSERVER-KIND`.
    Kind,
    /// MEMBER and `X-ADDRESSBOOKSERVER-MEMBER`.
    Member,
    PhoneticFirst,
    PhoneticLast,
    /// `X-ABLabel` of Apple: the label of the other lines of its group.
    Label,
    /// A field of the host's own.
    Custom,
    /// Anything else.
    Other,
}

/// The property that carries a field of the host's own, as the field's name and its text (two components).
pub(super) const CUSTOM: &str = "X-ACQUAINT-FIELD";

impl Name {
    /// Whether a label names values of this property.
    pub(super) fn takes_label(self) -> bool {
        matches!(
            self,
            Self::Nickname
                | Self::Tel
                | Self::Email
                | Self::Adr
                | Self::Url
                | Self::Impp
                | Self::XSocialProfile
                | Self::SocialProfile
                | Self::XService(_)
                | Self::XAbDate
                | Self::Related
                | Self::XAbRelatedNames
                | Self::XRelation(_)
                | Self::Categories
        )
    }

    /// Recognises a name in any letter case.
    pub(super) fn of(name: &[u8]) -> Self {
        // Few names have the same length and first letter, so that this is one comparison for most.
        let is = |known: &[u8], property: Self| {
            if name.eq_ignore_ascii_case(known) { property } else { Self::Other }
        };
        match (name.len(), name.first().map_or(0, u8::to_ascii_uppercase)) {
            (1, b'N') => Self::N,
            (2, b'F') => is(b"FN", Self::Fn),
            (3, b'T') => is(b"TEL", Self::Tel),
            (3, b'A') => is(b"ADR", Self::Adr),
            (3, b'U') if name.eq_ignore_ascii_case(b"UID") => Self::Uid,
            (3, b'U') => is(b"URL", Self::Url),
            (3, b'O') => is(b"ORG", Self::Org),
            (3, b'R') => is(b"REV", Self::Rev),
            (3, b'E') => is(b"END", Self::End),
            (4, b'B') => is(b"BDAY", Self::Bday),
            (4, b'N') => is(b"NOTE", Self::Note),
            (4, b'R') => is(b"ROLE", Self::Role),
            (4, b'I') => is(b"IMPP", Self::Impp),
            (4, b'K') => is(b"KIND", Self::Kind),
            (5, b'E') => is(b"EMAIL", Self::Email),
            (5, b'T') => is(b"TITLE", Self::Title),
            (5, b'P') => is(b"PHOTO", Self::Photo),
            (5, b'B') => is(b"BEGIN", Self::Begin),
            (6, b'P') => is(b"PRODID", Self::ProdId),
            (6, b'G') => is(b"GENDER", Self::Gender),
            (6, b'M') => is(b"MEMBER", Self::Member),
            (7, b'V') => is(b"VERSION", Self::Version),
            (7, b'R') => is(b"RELATED", Self::Related),
            (8, b'N') => is(b"NICKNAME", Self::Nickname),
            (10, b'C') => is(b"CATEGORIES", Self::Categories),
            (11, b'A') => is(b"ANNIVERSARY", Self::Anniversary),
            (13, b'S') => is(b"SOCIALPROFILE", Self::SocialProfile),
            (2..=32, b'X') => {
                let mut buffer = [0_u8; 32];
                let Some(upper) = buffer.get_mut(..name.len()) else { return Self::Other };
                upper.copy_from_slice(name);
                upper.make_ascii_uppercase();
                upper.strip_prefix(b"X-").map_or(Self::Other, Self::extension)
            }
            _ => Self::Other,
        }
    }

    fn extension(name: &[u8]) -> Self {
        match name {
            b"ABLABEL" => Self::Label,
            b"ABDATE" => Self::XAbDate,
            b"ABRELATEDNAMES" => Self::XAbRelatedNames,
            b"SOCIALPROFILE" => Self::XSocialProfile,
            b"PHONETIC-FIRST-NAME" => Self::PhoneticFirst,
            b"PHONETIC-LAST-NAME" => Self::PhoneticLast,
            b"ADDRESSBOOKSERVER-KIND" => Self::Kind,
            b"ADDRESSBOOKSERVER-MEMBER" => Self::Member,
            b"ANNIVERSARY" | b"EVOLUTION-ANNIVERSARY" | b"KADDRESSBOOK-X-ANNIVERSARY" => Self::Anniversary,
            b"GENDER" => Self::XGender,
            b"SPOUSE" | b"EVOLUTION-SPOUSE" | b"KADDRESSBOOK-X-SPOUSESNAME" => Self::XRelation("spouse"),
            b"MANAGER" | b"EVOLUTION-MANAGER" | b"KADDRESSBOOK-X-MANAGERSNAME" => Self::XRelation("manager"),
            b"ASSISTANT" | b"EVOLUTION-ASSISTANT" | b"KADDRESSBOOK-X-ASSISTANTSNAME" => {
                Self::XRelation("assistant")
            }
            b"AIM" => Self::XService("aim"),
            b"ICQ" => Self::XService("icq"),
            b"JABBER" | b"XMPP" => Self::XService("xmpp"),
            b"MSN" => Self::XService("msn"),
            b"YAHOO" => Self::XService("yahoo"),
            b"SKYPE" | b"SKYPE-USERNAME" => Self::XService("skype"),
            b"GTALK" | b"GOOGLE-TALK" | b"GOOGLE TALK" => Self::XService("gtalk"),
            b"GADUGADU" | b"GADU-GADU" => Self::XService("gadugadu"),
            b"GROUPWISE" => Self::XService("groupwise"),
            b"QQ" => Self::XService("qq"),
            b"TWITTER" => Self::XService("twitter"),
            b"ACQUAINT-FIELD" => Self::Custom,
            _ => Self::Other,
        }
    }
}
