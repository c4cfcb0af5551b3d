#!/usr/bin/env python3
"""A small CardDAV server in memory, so that a measurement measures the client. Standard library only.

PROPFIND, addressbook-multiget, sync-collection with tokens, ETag preconditions, keep-alive; PUT and DELETE take
constant time (Radicale's grow with the collection). One address book at /bench/contacts/, any credentials.
Its log has the form of Radicale's, with the size of each response body.

  minidav.py --port 15300 [--seed-dir DIR]
"""

import argparse
import hashlib
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

HOME, BOOK = "/bench/", "/bench/contacts/"
NAMESPACES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/"'

items = {}  # name -> (ETag, bytes)
history = []  # the name of each write; a sync token is a length of this list
lock = threading.Lock()


def etag(data):
    return '"' + hashlib.md5(data).hexdigest() + '"'


def token():
    return f"data:,{len(history)}"


def put(name, data):
    items[name] = (etag(data), data)
    history.append(name)


def found(href, properties):
    return (
        f"<response><href>{href}</href><propstat><prop>{properties}</prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def item(name, with_data=False):
    if name not in items:
        return f"<response><href>{BOOK}{name}</href><status>HTTP/1.1 404 Not Found</status></response>"
    tag, data = items[name]
    if with_data:
        rest = f"<C:address-data>{escape(data.decode())}</C:address-data>".replace("\r", "&#13;")
    else:
        rest = "<resourcetype/><getcontenttype>text/vcard</getcontenttype>"
    return found(BOOK + name, f"<getetag>{tag}</getetag>{rest}")


def collection(href):
    is_book = href == BOOK
    reports = "".join(
        f"<supported-report><report><{report}/></report></supported-report>"
        for report in ("sync-collection", "C:addressbook-multiget")
    )
    state = f"<sync-token>{token()}</sync-token><S:getctag>{token()}</S:getctag>" if is_book else ""
    return found(
        href,
        f"<resourcetype><collection/>{'<C:addressbook/>' if is_book else ''}</resourcetype>"
        f'<displayname>contacts</displayname><getetag>"c{len(history)}"</getetag>'
        f"<current-user-principal><href>{HOME}</href></current-user-principal>"
        f"<C:addressbook-home-set><href>{HOME}</href></C:addressbook-home-set>"
        f"{state}<supported-report-set>{reports}</supported-report-set>",
    )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", content_type="application/xml; charset=utf-8", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        sys.stdout.write(
            f"{self.command} request for '{self.path}'\n"
            f"{self.command} response in 0.000 seconds: {status} x len={len(body)}\n"
        )
        sys.stdout.flush()

    def multistatus(self, responses, tail=""):
        document = f'<?xml version="1.0" encoding="utf-8"?><multistatus {NAMESPACES}>{"".join(responses)}{tail}</multistatus>'
        self.answer(207, document.encode(), DAV="1, 3, addressbook")

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def name(self):
        """The item's name; empty for the address book."""
        return urllib.parse.unquote(self.path)[len(BOOK) :]

    def refused(self, current):
        """Whether a precondition forbids the write; `current` is the stored item, if any."""
        match, none_match = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if none_match == "*" and current:
            return True
        return match is not None and (not current or match not in ("*", current[0]))

    def do_PROPFIND(self):
        self.read_body()
        path = urllib.parse.unquote(self.path)
        if path.startswith(BOOK) and path != BOOK:
            return self.multistatus([item(self.name())]) if self.name() in items else self.answer(404)
        href = BOOK if path.rstrip("/") + "/" == BOOK else HOME
        with lock:
            responses = [collection(href)]
            if self.headers.get("Depth", "1") != "0":
                responses += [collection(BOOK)] if href == HOME else [item(name) for name in items]
        self.multistatus(responses)

    def do_REPORT(self):
        body = self.read_body().decode()
        with lock:
            if "multiget" in body:
                hrefs = re.findall(r"<(?:\w+:)?href[^>]*>([^<]+)<", body)
                names = [urllib.parse.unquote(href).rsplit("/", 1)[-1] for href in hrefs]
                return self.multistatus([item(name, with_data=True) for name in names])
            if "sync-collection" in body:
                since = re.search(r"<(?:\w+:)?sync-token[^>]*>data:,(\d+)<", body)
                names = sorted(set(history[int(since[1]) :])) if since and int(since[1]) else list(items)
                return self.multistatus([item(name) for name in names], f"<sync-token>{token()}</sync-token>")
        self.answer(501)

    def do_PUT(self):
        data, name = self.read_body(), self.name()
        with lock:
            current = items.get(name)
            if self.refused(current):
                return self.answer(412)
            put(name, data)
        self.answer(204 if current else 201, ETag=etag(data))

    def do_DELETE(self):
        self.read_body()
        name = self.name()
        with lock:
            current = items.get(name)
            if not current or self.refused(current):
                return self.answer(412 if current else 404)
            del items[name]
            history.append(name)
        self.answer(204)

    def do_GET(self):
        current = items.get(self.name())
        if not current:
            return self.answer(404)
        self.answer(200, current[1], "text/vcard; charset=utf-8", ETag=current[0])

    def do_MKCOL(self):
        self.read_body()
        self.answer(201)

    def do_OPTIONS(self):
        self.answer(200, DAV="1, 3, addressbook", Allow="OPTIONS,GET,PUT,DELETE,PROPFIND,REPORT,MKCOL")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=15300)
    parser.add_argument("--seed-dir", type=Path)
    options = parser.parse_args()
    if options.seed_dir:
        for path in sorted(options.seed_dir.iterdir()):
            put(path.name, path.read_bytes())
    Server(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
