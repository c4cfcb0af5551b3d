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
        let mut buffer = [0_u8; 32];
        let Some(upper) = buffer.get_mut(..name.len()) else { return Self::Other };
        upper.copy_from_slice(name);
        upper.make_ascii_uppercase();
        match &*upper {
            b"BEGIN" => Self::Begin,
            b"END" => Self::End,
            b"VERSION" => Self::Version,
            b"UID" => Self::Uid,
            b"REV" => Self::Rev,
            b"PRODID" => Self::ProdId,
            b"FN" => Self::Fn,
            b"N" => Self::N,
            b"NICKNAME" => Self::Nickname,
            b"ORG" => Self::Org,
            b"TITLE" => Self::Title,
            b"ROLE" => Self::Role,
            b"TEL" => Self::Tel,
            b"EMAIL" => Self::Email,
            b"ADR" => Self::Adr,
            b"URL" => Self::Url,
            b"IMPP" => Self::Impp,
            b"SOCIALPROFILE" => Self::SocialProfile,
            b"BDAY" => Self::Bday,
            b"ANNIVERSARY" => Self::Anniversary,
            b"RELATED" => Self::Related,
            b"GENDER" => Self::Gender,
            b"CATEGORIES" => Self::Categories,
            b"NOTE" => Self::Note,
            b"PHOTO" => Self::Photo,
            b"KIND" => Self::Kind,
            b"MEMBER" => Self::Member,
            [b'X', b'-', extension @ ..] => Self::extension(extension),
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
