//! A sample address book: invented people, with the oddities of the programs that real cards come from.

/// The cards at the server: file name and content.
pub(super) const CARDS: [(&str, &str); 12] = [
    // Apple: labels in groups, a picture, a birthday without year in Apple's way.
    (
        "anna.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "PRODID:-//Example Fruit//Contacts 14//EN\n",
            "UID:0a6f1a5e-anna\n",
            "N:Berg;Anna;Maria;Dr.;\n",
            "FN:Dr. Anna Maria Berg\n",
            "ORG:Nordlicht GmbH;Research;\n",
            "TITLE:Physicist\n",
            "item1.TEL;type=pref:+49 30 5550101\n",
            "item1.X-ABLabel:Lab\n",
            "TEL;type=CELL;type=VOICE:+49 170 5550101\n",
            "item2.EMAIL;type=INTERNET:anna@nordlicht.example\n",
            "item2.X-ABLabel:_$!<Other>!$_\n",
            "item3.ADR;type=HOME:;;Seestraße 5;Berlin;;13353;Germany\n",
            "item3.X-ABADR:de\n",
            "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12\n",
            "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA\n",
            " DUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==\n",
            "X-ABUID:0A6F1A5E\\:ABPerson\n",
            "END:VCARD\n",
        ),
    ),
    // An old phone: vCard 2.1, quoted-printable with a soft line break, types without a name.
    (
        "joerg.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:2.1\n",
            "UID:joerg-21\n",
            "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\n",
            "TEL;CELL:+491715550102\n",
            "TEL;WORK;FAX:+49305550103\n",
            "EMAIL;INTERNET:joerg@werkstatt.example\n",
            "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Werkstatt hinter der Br=C3=BC=\n",
            "cke, zweite T=C3=BCr links\n",
            "X-NOKIA-RINGTONE:bells\n",
            "END:VCARD\n",
        ),
    ),
    // vCard 4.0: a birthday without year, a number as URI, a map of clients.
    (
        "zoe.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:4.0\n",
            "PRODID:-//Example Cloud//4.2//EN\n",
            "UID:urn:uuid:5b1c0000-0000-4000-8000-00000000002a\n",
            "N:Grünwald;Zoë;;;\n",
            "FN:Zoë Grünwald\n",
            "TITLE:Engineer\n",
            "ORG:Acme\n",
            "TEL;VALUE=uri;TYPE=\"voice,home\";PREF=1:tel:+43-1-5550104\n",
            "EMAIL;TYPE=work;PID=1.1:zoe@acme.example\n",
            "BDAY:--0229\n",
            "CLIENTPIDMAP:1;urn:uuid:53e374d9-337e-4727-8803-a1e9c14e0556\n",
            "REV:20250301T100000Z\n",
            "END:VCARD\n",
        ),
    ),
    // A desktop program with properties of its own, and a folded note.
    (
        "tomas.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:pas-id-4B7F\n",
            "N:Novák;Tomáš;;;\n",
            "FN:Tomáš Novák\n",
            "X-EVOLUTION-FILE-AS:Novák\\, Tomáš\n",
            "X-MOZILLA-HTML:FALSE\n",
            "TEL;TYPE=\"WORK,VOICE\":+420 2 5550105\n",
            "EMAIL;TYPE=WORK:tomas@novak.example\n",
            "NOTE:Met at the fair in Brno\\, stand 12\\; wants the price list before summer \n",
            " and a call in the first week of May.\\nSpeaks Czech\\, German and English.\n",
            "END:VCARD\n",
        ),
    ),
    // An office program: address label, several urls, time stamp.
    (
        "maya.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:040000008200E00074C5B7101A82E008\n",
            "N:Stone;Maya;;Ms.;\n",
            "FN:Ms. Maya Stone\n",
            "ORG:Stone & Sons\n",
            "TITLE:Owner\n",
            "TEL;TYPE=WORK,VOICE:+1 415 555 0106\n",
            "ADR;TYPE=WORK;CHARSET=UTF-8:;;1 Pier Road;San Francisco;CA;94105;USA\n",
            "LABEL;TYPE=WORK:1 Pier Road\\nSan Francisco\\, CA 94105\n",
            "URL;TYPE=WORK:https://stone.example\n",
            "EMAIL;TYPE=PREF,INTERNET:maya@stone.example\n",
            "X-MS-OL-DEFAULT-POSTAL-ADDRESS:2\n",
            "REV:20240606T120000Z\n",
            "END:VCARD\n",
        ),
    ),
    // A web address book: everything in groups, an own label.
    (
        "kenji.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:web-7c1\n",
            "N:田中;健司;;;\n",
            "FN:田中 健司\n",
            "X-PHONETIC-FIRST-NAME:けんじ\n",
            "X-PHONETIC-LAST-NAME:たなか\n",
            "item1.EMAIL;TYPE=INTERNET:kenji@tanaka.example\n",
            "item1.X-ABLabel:ゼミ\n",
            "TEL;TYPE=CELL:+81 90 5555 0107\n",
            "END:VCARD\n",
        ),
    ),
    // A company without a person.
    (
        "acme.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:company-acme\n",
            "N:;;;;\n",
            "FN:Acme Industries\n",
            "ORG:Acme Industries\n",
            "X-ABShowAs:COMPANY\n",
            "TEL;TYPE=MAIN:+1 202 555 0108\n",
            "END:VCARD\n",
        ),
    ),
    // Messaging and social accounts, each written in another way.
    (
        "lena.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:lena-3\n",
            "N:Okafor;Lena;;;\n",
            "FN:Lena Okafor\n",
            "IMPP;X-SERVICE-TYPE=XMPP;TYPE=HOME:xmpp:lena@chat.example\n",
            "X-SOCIALPROFILE;type=mastodon:https://social.example/@lena\n",
            "X-SKYPE:lena.okafor\n",
            "NICKNAME:Leni,L.\n",
            "CATEGORIES:Friends,Climbing\n",
            "EMAIL:lena@okafor.example\n",
            "END:VCARD\n",
        ),
    ),
    // A calendar-minded person: dates and relatives.
    (
        "omar.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:4.0\n",
            "UID:omar-4\n",
            "N:Haddad;Omar;;;\n",
            "FN:Omar Haddad\n",
            "BDAY:1971\n",
            "ANNIVERSARY:20090808\n",
            "RELATED;TYPE=spouse;VALUE=text:Rima Haddad\n",
            "TEL:+961 1 555 109\n",
            "GENDER:M\n",
            "LANG:ar\n",
            "END:VCARD\n",
        ),
    ),
    (
        "priya.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:priya-5\n",
            "N:Raman;Priya;;;\n",
            "FN:Priya Raman\n",
            "ROLE:Editor\n",
            "TEL;TYPE=CELL:+91 98 5550 1110\n",
            "GEO:13.08;80.27\n",
            "END:VCARD\n",
        ),
    ),
    (
        "sam.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:sam-6\n",
            "N:O'Neil;Sam;;;Jr.\n",
            "FN:Sam O'Neil Jr.\n",
            "TEL;TYPE=HOME:(202) 555-0111\n",
            "X-CUSTOM;FOO=bar:kept as it is\n",
            "END:VCARD\n",
        ),
    ),
    // A list of members: synced as it is, never taken for a person.
    (
        "friends.vcf",
        concat!(
            "BEGIN:VCARD\n",
            "VERSION:3.0\n",
            "UID:group-friends\n",
            "N:Friends;;;;\n",
            "FN:Friends\n",
            "X-ADDRESSBOOKSERVER-KIND:group\n",
            "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:lena-3\n",
            "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:omar-4\n",
            "END:VCARD\n",
        ),
    ),
];

/// The folder's own card of somebody that the server knows too, under another UID.
pub(super) const TWIN: (&str, &str) = (
    "priya-r.vcf",
    concat!(
        "BEGIN:VCARD\n",
        "VERSION:3.0\n",
        "UID:from-the-folder\n",
        "N:Raman;Priya;;;\n",
        "FN:Priya Raman\n",
        "TEL;TYPE=CELL:+919855501110\n",
        "EMAIL:priya@raman.example\n",
        "END:VCARD\n",
    ),
);

/// The UID of the server's card of the same person.
pub(super) const TWIN_UIDS: (&str, &str) = ("from-the-folder", "priya-5");

/// A card with the line ends that the format asks for.
pub(super) fn bytes(card: &str) -> Vec<u8> {
    card.replace('\n', "\r\n").into_bytes()
}
