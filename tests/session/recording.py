"""What one program said in a session, as lines that two programs can be compared by.

Only what no two runs share is written as a word instead of itself: times, latencies and spans that
were lived through, ports, folders, the ids of mails, and what a metric measured of the machine.
"""

from __future__ import annotations

import re

MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
CLOCK = r"\d\d:\d\d(?::\d\d)?"
SPAN = r"(?:less than 1 s|\d+ (?:s|min))"

FIGURES = [
    (re.compile(pattern), word)
    for pattern, word in [
        # Moments: in JSON and the log, in heads of HTTP and mail, for people.
        (rf"\b\d{{4}}-\d\d-\d\d[T ]{CLOCK}(?:\.\d+)?Z?", "TIME"),
        (rf"\b[A-Z][a-z]{{2}}, \d?\d {MONTH} \d{{4}} {CLOCK} (?:GMT|[+-]\d{{4}})", "TIME"),
        (rf"\b{CLOCK}(?= UTC)|\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"\b20\d\d-\d\d-\d\d\b", "DAY"),
        # Spans that were lived through, and no others: what was set is compared.
        (rf"\b(after|for|since|in the last|over) {SPAN}\b(?! or more)", r"\1 SPAN"),
        (rf"{SPAN} ago\b", "SPAN ago"),
        (rf'(datetime="TIME">|\bnext check in ){SPAN}\b', r"\1SPAN"),
        (r"\b\d+ on average", "N on average"),
        (r"\bSINCE +LAST CHECK +", "SINCE | LAST CHECK | "),
        (r"\b(?:\d+ to )?\d+ ms\b", "N ms"),
        (r'("(?:\w+_ms|uptime)": ?)\d+', r"\1N"),
        (rf"\b((?:UNKNOWN|HEALTHY|DEGRADED|UNHEALTHY)(?:, paused)? +){SPAN} ", r"\1SPAN "),
        (r'("observedValue":)\d+(,"observedUnit":"s")', r"\1N\2"),
        # What underlines a mail's headline, which may tell a span.
        (r"^-{8,}(?=\\r$)", "UNDERLINE"),
        # Where the parts of a mail end; what a run calls its folder for sockets.
        (r"\b[A-Za-z0-9]{40}\b", "BOUNDARY"),
        (r"\bhealthchecker-\d+-\d+\b", "healthchecker-RUN"),
    ]
]

# What a mail is known by.
MESSAGE_ID = re.compile(r"<[^<>@ ]{16,}@")
# Of a metric that measures the machine, or adds up latencies, no more than its name and labels.
MEASURED = re.compile(
    r"^((?:process_|healthchecker_)\w*"
    r"(?:_seconds|_seconds_total|_seconds_sum|_seconds_bucket|_bytes|_bytes_total|_syncs_total)"
    r"(?:\{[^}]*\})?) \S+$",
    re.MULTILINE,
)
# A line of latencies: its places.
SPARK = re.compile(r'(<svg class="spark".*?\bd=")[^"]*', re.DOTALL)
# How many blanks set a table's columns apart hangs on the digits of its figures.
COLUMNS = re.compile(r"(?<=\S) {2,}(?=\S)")


class Recording:
    """Lines under headings. Names stand for what differs from run to run, such as a port."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, str] = {}
        self.message_ids: list[str] = []

    def call(self, what: object, name: str) -> None:
        """From now on `what` is written as `name`."""
        self.names[str(what)] = name

    def heading(self, text: str) -> None:
        """What the next lines are about."""
        self.lines += ["", f"=== {self.comparable(text)}"]

    def say(self, text: str) -> None:
        """Text, as it is compared."""
        self.lines += self.comparable(text).split("\n")

    def answer(self, raw: bytes) -> None:
        """An answer of HTTP, byte for byte. The length hangs on latencies, and is checked here."""
        head, gap, body = raw.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        if length:
            said = (
                b"THAT OF THE BODY"
                if int(length[1]) == len(body)
                else b"ANOTHER"
                if body
                else b"WITHOUT A BODY"
            )
            head = head[: length.start(1)] + said + head[length.end(1) :]
        if b"\r\nContent-Type: text/html" in head:
            # For a reader of differences.
            body = body.replace(b"><", b">\n<")
        self.say(visible(head + gap + body))

    def mail(self, raw: bytes) -> None:
        """A mail, byte for byte but for soft line breaks, which fall where the figures let them."""
        self.say(visible(raw.replace(b"=\r\n", b"")))

    def log(self, lines: list[str]) -> None:
        """Log lines, those that begin alike in their order: between threads there is none."""
        said = [self.comparable(line) for line in lines]
        self.lines += sorted(said, key=lambda line: line.partition("] ")[2].partition(":")[0])

    def comparable(self, text: str) -> str:
        """The text without what no two runs share."""
        text = MESSAGE_ID.sub(lambda found: f"<MAIL-{self.number_of(found[0])}@", text)
        text = SPARK.sub(r"\1N", text)
        text = MEASURED.sub(r"\1 MEASURED", text)
        # Longest first: a folder may lie within another.
        for what in sorted(self.names, key=len, reverse=True):
            text = re.sub(rf"(?<!\d){re.escape(what)}(?!\d)", self.names[what], text)
        return "\n".join(without_figures(line) for line in text.split("\n"))

    def number_of(self, message_id: str) -> int:
        """Mails are numbered as they come: which one is answered can be compared."""
        if message_id not in self.message_ids:
            self.message_ids.append(message_id)
        return self.message_ids.index(message_id) + 1


def without_figures(line: str) -> str:
    written = line
    for pattern, word in FIGURES:
        written = pattern.sub(word, written)
    return written if written == line else COLUMNS.sub("  ", written)


def visible(raw: bytes) -> str:
    """Bytes as text whose line ends can be seen to be CR LF."""
    return raw.decode("utf-8", "backslashreplace").replace("\r", "\\r")
