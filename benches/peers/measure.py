#!/usr/bin/env python3
"""Measures a two-way vCard sync client against a CardDAV server on loopback. Standard library only.

Phases, each a fresh process of the client, printed as one JSON line each:
  a_first_up    N local cards, an empty server
  b_noop        nothing changed (the first of them is the run after a first up)
  c_1pct_each   N/100 cards edited on the server and another N/100 in the folder
  d_first_down  with --down: an empty folder, a full server, no state
A line has wall and CPU seconds and the peak resident size of the client (GNU time), CPU seconds of the server,
requests by method, and bytes of response bodies (minidav only). After c it checks that every edit is on both sides.

The client is vdirsyncer (--engine vdirsyncer --bin PATH) or any command (--engine cmd --cmd '...'), in which these
are replaced: {local} the folder of cards, {vbase} its parent, {state} a folder for the client's state, {url} the
address book, {home} the server's root, {href} the address book's path, {port}.
"""

import argparse
import base64
import collections
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import gen_vcards

HERE = Path(__file__).resolve().parent
BOOK = "/bench/contacts/"
AUTH = {"Authorization": "Basic " + base64.b64encode(b"bench:bench").decode()}
MAKE_BOOK = (
    '<?xml version="1.0"?><create xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>'
    "<resourcetype><collection/><C:addressbook/></resourcetype><displayname>contacts</displayname>"
    "</prop></set></create>"
)


def lay(folder, cards):
    folder.mkdir(parents=True)
    for uid, data in cards:
        (folder / f"{uid}.vcf").write_bytes(data)


class Server:
    """Minidav or Radicale, with its log as the record of what the client asked."""

    def __init__(self, kind, radicale, work, port, cards):
        self.port = port
        self.log_path = work / "server.log"
        if kind == "minidav":
            command = [sys.executable, str(HERE / "minidav.py"), "--port", str(port)]
            if cards:
                lay(work / "seed", cards)
                command += ["--seed-dir", str(work / "seed")]
        else:
            command = radicale + ["--config", self.configure_radicale(work, cards)]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.wait_until_ready()
        if cards:
            self.request(
                "PROPFIND", BOOK, headers={"Depth": "1"}
            )  # fills Radicale's item cache before timing
        else:
            self.request("MKCOL", "/bench/")
            status, body = self.request("MKCOL", BOOK, MAKE_BOOK.encode())
            assert status == 201, (status, body)

    def configure_radicale(self, work, cards):
        storage, config = work / "radicale", work / "radicale.conf"
        config.write_text(
            f"[server]\nhosts=127.0.0.1:{self.port}\nmax_connections=64\n[auth]\ntype=none\n"
            f"[rights]\ntype=authenticated\n[storage]\nfilesystem_folder={storage}\n"
            "[logging]\nlevel=info\n[web]\ntype=none\n"
        )
        if cards:
            collection = storage / "collection-root" / "bench" / "contacts"
            lay(collection, cards)
            (collection / ".Radicale.props").write_text(
                '{"tag": "VADDRESSBOOK", "D:displayname": "contacts"}'
            )
        return str(config)

    def wait_until_ready(self):
        for _ in range(100):
            try:
                self.request("PROPFIND", "/")
                return
            except OSError:
                assert self.process.poll() is None, f"the server ended, see {self.log_path}"
                time.sleep(0.1)
        raise SystemExit(f"the server does not answer, see {self.log_path}")

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=900)
        connection.request(method, path, body, {**AUTH, **(headers or {})})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return response.status, data

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_size(self):
        time.sleep(0.3)  # a line is written after its answer is sent
        return self.log_path.stat().st_size

    def traffic(self, since):
        end = self.log_size()
        with open(self.log_path, "rb") as file:
            file.seek(since)
            text = file.read(end - since).decode("utf-8", "replace")
        requests = collections.Counter(re.findall(r"\b([A-Z]+) request for ", text))
        status = collections.Counter(re.findall(r"seconds[^:]*: (\d{3}) ", text))
        sizes = [int(size) for size in re.findall(r" len=(\d+)", text)]
        return {
            "requests": dict(requests),
            "total_requests": sum(requests.values()),
            "status": dict(status),
            "resp_bytes": sum(sizes) if sizes else None,
        }

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()


def run(command, log):
    # GNU time forks the client from a tiny process; as our own child its peak would start at the size of Python.
    times = log.with_suffix(".time")
    command = ["/usr/bin/time", "-f", "%U %S %M", "-o", str(times), "--"] + command
    started = time.monotonic()
    with open(log, "ab") as file:
        status = subprocess.run(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL).returncode
    wall = time.monotonic() - started
    user, system, peak = times.read_text().split("\n")[-2].split()
    return {
        "rc": status,
        "wall": round(wall, 3),
        "user": float(user),
        "sys": float(system),
        "rss_mib": round(int(peak) / 1024, 1),
    }


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = Path(options.work).resolve()
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.log = self.work / "client.log"
        self.results = []
        self.cards = [
            gen_vcards.card(i, options.seed, options.photo_rate, options.photo_bytes)
            for i in range(options.n)
        ]
        on_server = self.cards if options.seed_server else []
        self.local = self.work / "local" / "contacts"
        lay(self.local, [] if options.seed_server else self.cards)
        self.server = Server(options.server, options.radicale.split(), self.work, options.port, on_server)

    def client(self, local, state):
        """The command of one sync between `local` and the server."""
        state.mkdir()
        home = f"http://127.0.0.1:{self.options.port}/"
        url = home.rstrip("/") + BOOK
        if self.options.engine == "vdirsyncer":
            return self.vdirsyncer(local, state, url)
        values = {"local": local, "vbase": local.parent, "state": state, "url": url, "home": home}
        values |= {"href": BOOK, "port": self.options.port}
        return [word.format(**values) for word in self.options.cmd.split()]

    def vdirsyncer(self, local, state, url):
        config = state / "config"
        config.write_text(
            f'[general]\nstatus_path = "{state}/status/"\n'
            '[pair p]\na = "l"\nb = "r"\ncollections = null\nconflict_resolution = "a wins"\n'
            f'[storage l]\ntype = "filesystem"\npath = "{local}"\nfileext = ".vcf"\n'
            f'[storage r]\ntype = "carddav"\nurl = "{url}"\nusername = "bench"\npassword = "bench"\n'
        )
        base = [self.options.bin, "-c", str(config)]
        discovered = run(base + ["discover", "p"], self.log)
        assert discovered["rc"] == 0, self.log.read_text()
        return base + ["sync", "p"]

    def phase(self, name, command):
        log_before, cpu_before = self.server.log_size(), self.server.cpu()
        result = {"phase": name, "engine": self.options.label or self.options.engine, "n": self.options.n}
        result |= {"server": self.options.server} | run(command, self.log)
        result["server_cpu"] = round(self.server.cpu() - cpu_before, 2)
        result |= self.server.traffic(log_before)
        self.results.append(result)
        print(json.dumps(result), flush=True)

    def edit_both_sides(self):
        """Returns the edits as (uid, tag): a hundredth of the cards on the server, another in the folder."""
        count = max(1, self.options.n // 100)
        remote = [(uid, data, f"remote{i}") for i, (uid, data) in enumerate(self.cards[:count])]
        local = [(uid, data, f"local{i}") for i, (uid, data) in enumerate(self.cards[count : 2 * count])]
        for uid, data, tag in remote:
            edited = gen_vcards.edit(data, tag)
            status, _ = self.server.request("PUT", f"{BOOK}{uid}.vcf", edited, {"Content-Type": "text/vcard"})
            assert status in (201, 204), status
        time.sleep(1.1)  # clients that look at whole seconds of the file's time
        for uid, _, tag in local:
            path = self.local / f"{uid}.vcf"
            path.write_bytes(gen_vcards.edit(path.read_bytes(), tag))
        return [(uid, tag.encode()) for uid, _, tag in remote + local]

    def missing_edits(self, edits):
        missing = 0
        for uid, tag in edits:
            _, on_server = self.server.request("GET", f"{BOOK}{uid}.vcf")
            missing += tag not in on_server or tag not in (self.local / f"{uid}.vcf").read_bytes()
        return missing

    def measure(self):
        """Whether every run ended well and no edit was lost."""
        sync = self.client(self.local, self.work / "state")
        self.phase("d_first_down" if self.options.seed_server else "a_first_up", sync)
        for _ in range(self.options.noop_runs):
            self.phase("b_noop", sync)
        missing = 0
        if not self.options.no_edits:
            edits = self.edit_both_sides()
            self.phase("c_1pct_each", sync)
            missing = self.missing_edits(edits)
        files = len(list(self.local.glob("*.vcf")))
        print(json.dumps({"check_edits_missing": missing, "local_files": files}), flush=True)
        if self.options.down and not self.options.seed_server:
            empty = self.work / "local2" / "contacts"
            empty.mkdir(parents=True)
            self.phase("d_first_down", self.client(empty, self.work / "state2"))
            print(json.dumps({"down_files": len(list(empty.glob("*.vcf")))}))
        return missing == 0 and all(result["rc"] == 0 for result in self.results)

    def close(self):
        self.server.stop()
        (self.work / "result.json").write_text(json.dumps(self.results, indent=1))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=["vdirsyncer", "cmd"], default="vdirsyncer")
    parser.add_argument("--bin", default="vdirsyncer")
    parser.add_argument("--cmd")
    parser.add_argument("--label")
    parser.add_argument("--server", choices=["radicale", "minidav"], default="radicale")
    parser.add_argument("--radicale", default=sys.executable + " -m radicale", help="how to start Radicale")
    parser.add_argument("--port", type=int, default=15232)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--photo-rate", type=float, default=0.05)
    parser.add_argument("--photo-bytes", type=int, default=10240)
    parser.add_argument("--work", required=True, help="a folder that is emptied first")
    parser.add_argument("--noop-runs", type=int, default=3)
    parser.add_argument("--no-edits", action="store_true", help="without phase c")
    parser.add_argument("--down", action="store_true", help="a first sync down at the end")
    parser.add_argument(
        "--seed-server",
        action="store_true",
        help="a full server and an empty folder: the first phase is d, not a",
    )
    bench = Bench(parser.parse_args())
    try:
        good = bench.measure()
    finally:
        bench.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
