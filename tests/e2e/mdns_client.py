"""mDNS by hand, on a machine of the `Lan`: what no library would send.

mdns_client.py ask NAME TYPE qm|qu SECONDS    asks once; who answered how, a JSON line for each packet
mdns_client.py flood questions|answers|noise PACKETS    as fast as it goes; prints the bytes sent
mdns_client.py lie COUNT    so many printers that are not there, over some seconds; prints the bytes sent
"""

from __future__ import annotations

import json
import random
import socket
import struct
import sys
import time

GROUP = "224.0.0.251"
PORT = 5353
TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
INTERFACE = "eth0"
SERVICE = "_http._tcp.local"


def wire(name: str) -> bytes:
    labels = (label.encode() for label in name.rstrip(".").split("."))
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def header(flags: int, questions: int = 0, answers: int = 0) -> bytes:
    return struct.pack("!6H", 0, flags, questions, answers, 0, 0)


def opened() -> socket.socket:
    """A socket that hears the group, and unicast if it was opened last."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    index = socket.if_nametoindex(INTERFACE)
    request = struct.pack("4s4si", socket.inet_aton(GROUP), b"\0" * 4, index)
    one.bind(("", PORT))
    one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    # Where a packet was sent to (ip(7)): IP_PKTINFO.
    one.setsockopt(socket.IPPROTO_IP, 8, 1)
    return one


def ask(name: str, kind: str, how: str, seconds: str) -> None:
    one = opened()
    unicast = 0x8000 if how == "qu" else 0
    question = wire(name) + struct.pack("!2H", TYPES[kind], 1 | unicast)
    one.sendto(header(0, questions=1) + question, (GROUP, PORT))
    began = time.monotonic()
    until = began + float(seconds)
    while (left := until - time.monotonic()) > 0:
        one.settimeout(left)
        try:
            packet, control, _, source = one.recvmsg(9000, 256)
        except TimeoutError:
            break
        if not packet[2] & 0x80:
            continue
        to = socket.inet_ntoa(control[0][2][8:12])
        after = time.monotonic() - began
        print(json.dumps({"from": source[0], "to": to, "after": after}), flush=True)


def questions() -> bytes:
    """One question 230 times: 1.4 KB."""
    first = wire(SERVICE) + struct.pack("!2H", TYPES["PTR"], 1)
    again = struct.pack("!3H", 0xC00C, TYPES["PTR"], 1)
    return header(0, questions=230) + first + again * 229


def answers(number: int) -> bytes:
    """30 addresses that nobody has asked for, for weeks."""
    records = b"".join(
        wire(f"h{number}x{part}.local")
        + struct.pack("!2HIH", TYPES["A"], 1, 2_000_000, 4)
        + bytes([10, 77, part, 9])
        for part in range(30)
    )
    return header(0x8400, answers=30) + records


PRINTERS = "_ipp._tcp.local"
# Where the liars say that they are: the reader's own machine, one on the internet, one of nobody.
LIES = ["127.0.0.1", "0.0.0.0", "198.51.100.8", "10.77.0.250"]
# The name of the daemon, markup, and what a terminal and a list obey.
NAMES = ["_healthchecker", "</b><script>alert(1)</script>", "a\tb\r\n\x1b[2J", "'\"><img src=x>"]
LIE_SECONDS = 3


def record(name: bytes, kind: str, data: bytes) -> bytes:
    return name + struct.pack("!2HIH", TYPES[kind], 1, 120, len(data)) + data


def instance(number: int) -> bytes:
    """A printer: its name, its place and its address."""
    label = f"{NAMES[number % len(NAMES)]} {number}".encode()
    full = bytes([len(label)]) + label + wire(PRINTERS)
    host = wire(f"liar{number}.local")
    address = socket.inet_aton(LIES[number // len(NAMES) % len(LIES)])
    return (
        record(wire(PRINTERS), "PTR", full)
        + record(full, "SRV", struct.pack("!3H", 0, 0, 631) + host)
        + record(host, "A", address)
    )


def lie(count: str) -> None:
    one = opened()
    sent, at_once = 0, 5
    packets = int(count) // at_once
    for packet in range(packets):
        records = b"".join(instance(packet * at_once + n) for n in range(at_once))
        sent += one.sendto(header(0x8400, answers=3 * at_once) + records, (GROUP, PORT))
        time.sleep(LIE_SECONDS / packets)
    print(json.dumps(sent), flush=True)


def noise(chance: random.Random) -> bytes:
    """Our packets with some bytes that are others."""
    packet = bytearray(chance.choice([questions()[:200], answers(1)]))
    for _ in range(chance.randrange(1, 12)):
        packet[chance.randrange(len(packet))] = chance.randrange(256)
    return bytes(packet[: chance.randrange(1, len(packet) + 1)])


def flood(what: str, packets: str) -> None:
    one = opened()
    chance = random.Random(7)
    sent = 0
    for number in range(int(packets)):
        packet = {
            "questions": questions,
            "answers": lambda: answers(number),
            "noise": lambda: noise(chance),
        }[what]()
        sent += one.sendto(packet, (GROUP, PORT))
    print(json.dumps(sent), flush=True)


if __name__ == "__main__":
    {"ask": ask, "flood": flood, "lie": lie}[sys.argv[1]](*sys.argv[2:])
