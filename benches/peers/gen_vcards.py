#!/usr/bin/env python3
"""A seeded address book of synthetic vCards. Standard library only.

  gen_vcards.py --n 1000 --seed 1 --photo-rate 0.05 --photo-bytes 10240 --out DIR [--concat FILE]

One .vcf per contact (vCard 3.0, CRLF, folded at 75 octets, UID = file name). Without a photo a card is 0.6 to 1.0 KB:
structured name, organisation, 2-4 phones in mixed national and international formats, 1-3 emails, 1-2 addresses, URL,
birthday, note, categories, a grouped X-ABLabel, and a few X- properties that a sync engine must carry through unread.
"""

import argparse
import base64
import hashlib
import random
import uuid
from pathlib import Path

FIRST = (
    "Anna Björn Çelik Dana Élodie Farah Günther Hana Ivo João Katarzyna Liam María Nguyễn Olga "
    "Paweł Quentin Rosa Søren Tomás Uma Vikram Wei Ximena Yuki Zoë 伟 花子 Олег Μαρία"
).split()
LAST = (
    "Almeida Brown Čapek Díaz Eriksson Fischer García Hernández Ivanov Johansson Kowalski Lopez "
    "Müller Novák O'Neil Petrov Quispe Rossi Schmidt Tanaka Umarov Vargas Wójcik Xu Yılmaz Zhang"
).split()
COMP = [
    "Acme GmbH",
    "Globex; Holdings",
    "Initech, Inc.",
    "Umbrella SA",
    "Stark & Söhne",
    "Wayne LLC",
    "Hooli",
]
CITY = ["Berlin", "São Paulo", "Kraków", "Göteborg", "Lyon", "Austin", "Osaka", "Łódź", "Québec"]
STREET = ["Hauptstr.", "Rue de la Paix", "Main St", "Calle Mayor", "Storgatan", "Avenida Paulista"]
CC = [("1", "415"), ("49", "30"), ("44", "20"), ("33", "1"), ("48", "22"), ("81", "3"), ("55", "11")]
WORDS = (
    "met at the trade fair asked for a quote prefers mornings renewal in spring speaks Portuguese "
    "key account partner of the Kraków office call before visiting invoice to head office"
).split()


def escape(s):
    return s.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line):
    b = line.encode("utf-8")
    if len(b) <= 75:
        return b
    out, first = [], True
    while b:
        n = 75 if first else 74
        if len(b) > n:
            while (b[n] & 0xC0) == 0x80:
                n -= 1
        out.append(b[:n] if first else b" " + b[:n])
        b, first = b[n:], False
    return b"\r\n".join(out)


def phone(rng):
    country, area = rng.choice(CC)
    a, b = rng.randrange(1000, 9999), rng.randrange(100, 9999)
    return rng.choice(
        [
            f"+{country}{area}{a}{b}",
            f"+{country} ({area}) {a}-{b}",
            f"({area}) {a}-{b}",
            f"00{country} {area} {a} {b}",
            f"{area}.{a}.{b}",
            f"+{country} {area} {a} {b};ext={rng.randrange(10, 999)}",
        ]
    )


def card(i, seed, photo_rate, photo_bytes):
    rng = random.Random(f"{seed}:{i}")
    uid = str(uuid.UUID(bytes=hashlib.md5(f"{seed}:{i}".encode()).digest()))
    first, last = rng.choice(FIRST), rng.choice(LAST)
    middle = rng.choice(["", rng.choice(FIRST)])
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        "PRODID:-//synthetic//gen_vcards//EN",
        f"UID:{uid}",
        f"N:{escape(last)};{escape(first)};{escape(middle)};{rng.choice(['', 'Dr.', 'Ms.', 'Mr.'])};{rng.choice(['', 'Jr.', 'PhD'])}",
        f"FN:{escape(' '.join(x for x in (first, middle, last) if x))}",
        f"ORG:{escape(rng.choice(COMP))};{rng.choice(['Sales', 'R&D', 'Ops'])}",
        f"TITLE:{rng.choice(['Account Manager', 'CTO', 'Einkäufer', 'Directrice', 'Engineer'])}",
    ]
    for k in range(rng.randint(2, 4)):
        lines.append(
            f"TEL;TYPE={rng.choice(['CELL', 'WORK,VOICE', 'HOME,VOICE', 'WORK,FAX', 'MAIN'])}"
            f"{';TYPE=PREF' if k == 0 else ''}:{phone(rng)}"
        )
    slug = f"u{i}.{last}".encode("ascii", "ignore").decode().lower().replace("'", "")
    for k in range(rng.randint(1, 3)):
        lines.append(
            f"EMAIL;TYPE=INTERNET,{rng.choice(['WORK', 'HOME'])}:{slug}{k or ''}@{rng.choice(['example.com', 'mail.example.org', 'corp.example.net'])}"
        )
    for _ in range(rng.randint(1, 2)):
        lines.append(
            f"ADR;TYPE={rng.choice(['HOME', 'WORK'])}:;;{escape(rng.choice(STREET) + ' ' + str(rng.randint(1, 300)))};"
            f"{escape(rng.choice(CITY))};;{rng.randint(10000, 99999)};{rng.choice(['Germany', 'Brasil', 'Polska', 'France', 'USA', 'Japan'])}"
        )
    lines.append(f"item1.URL:https://www.example.com/people/{uid}")
    lines.append("item1.X-ABLabel:_$!<HomePage>!$_")
    if rng.random() < 0.5:
        lines.append(f"BDAY:{rng.randint(1940, 2005)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}")
    lines.append(
        f"CATEGORIES:{','.join(sorted(set(rng.choice(['Customers', 'Friends', 'Press', 'Suppliers']) for _ in range(2))))}"
    )
    lines.append(
        "NOTE:" + escape(" ".join(rng.choice(WORDS) for _ in range(rng.randint(8, 40)))) + "\\nsecond line"
    )
    lines.append(f"X-CRM-ID:{rng.randrange(10**9)}")
    lines.append(f"X-PHONETIC-LAST-NAME:{escape(last)}")
    lines.append(
        f"REV:2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:00:00Z"
    )
    if rng.random() < photo_rate:
        raw = b"\xff\xd8\xff\xe0" + rng.randbytes(photo_bytes - 6) + b"\xff\xd9"
        lines.append("PHOTO;ENCODING=b;TYPE=JPEG:" + base64.b64encode(raw).decode())
    lines.append("END:VCARD")
    return uid, b"\r\n".join(fold(x) for x in lines) + b"\r\n"


def edit(data, tag):
    """A small, valid edit of one card: one more phone and an X-EDIT line (keeps the file's own line ends)."""
    nl = b"\r\n" if b"\r\n" in data else b"\n"
    n = int(hashlib.md5(tag.encode()).hexdigest(), 16) % 10000
    assert b"END:VCARD" in data
    return data.replace(
        b"END:VCARD", b"TEL;TYPE=CELL:+1 415 555 %04d%sX-EDIT:%s%sEND:VCARD" % (n, nl, tag.encode(), nl)
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--photo-rate", type=float, default=0.05)
    parser.add_argument("--photo-bytes", type=int, default=10240)
    parser.add_argument("--out", type=Path, help="a folder for one file a card")
    parser.add_argument("--concat", type=Path, help="one file for all cards")
    options = parser.parse_args()
    cards = [card(i, options.seed, options.photo_rate, options.photo_bytes) for i in range(options.n)]
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for uid, data in cards:
            (options.out / f"{uid}.vcf").write_bytes(data)
    if options.concat:
        options.concat.write_bytes(b"".join(data for _, data in cards))
    total = sum(len(data) for _, data in cards)
    print(f"{options.n} cards, {total} bytes, mean {total / options.n:.0f}")


if __name__ == "__main__":
    main()
