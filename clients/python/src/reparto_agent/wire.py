# SPDX-License-Identifier: Apache-2.0
"""Lines of the protocol: cut out of a stream of bytes, taken apart, and put together."""

import re
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from .errors import ProtocolError

_TAG = re.compile(r"[A-Za-z0-9.-]{1,16}\Z")
_VERB = re.compile(r"[A-Z]+\Z")
_WORD = re.compile(r"[A-Z][A-Z-]*\Z")
_KEY = re.compile(r"[a-z][a-z0-9-]{0,31}")
# Printable ASCII but the space, the quote, the equals sign and the backslash.
_BARE = re.compile(r"[!#-<>-\[\]-~]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_CLASSES = ("retry", "fix", "refresh", "fatal")

Fields = Dict[str, str]


def is_tag(text: str) -> bool:
    """Whether a request can carry this tag."""
    return text != "-" and _TAG.match(text) is not None


def format_value(text: str) -> str:
    """A value as it stands in a line: bare where that is possible, else in quotes.

    Raises ValueError where a line cannot carry it at all.
    """
    if _CONTROL.search(text):
        raise ValueError("a value has a control character, and no line can carry it")
    if _BARE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def format_request(tag: str, verb: str, fields: Mapping[str, str], line_max: int) -> bytes:
    """One request with its terminator. Raises ValueError for what the grammar or the server's bound does not allow."""
    if not is_tag(tag):
        raise ValueError(f"not a tag: {tag!r}")
    if not _VERB.match(verb):
        raise ValueError(f"not a verb: {verb!r}")
    parts = [tag, verb]
    for key, value in fields.items():
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")
        parts.append(f"{key}={format_value(value)}")
    line = " ".join(parts).encode("utf-8")
    if len(line) > line_max:
        raise ValueError(f"the line has {len(line)} bytes, and the server takes {line_max}")
    return line + b"\n"


def parse_fields(text: str, start: int) -> Tuple[Fields, List[str]]:
    """The fields from `start` on, each after exactly one space, and the keys that came more than once."""
    fields: Fields = {}
    repeated: List[str] = []
    index = start
    while index < len(text):
        if text[index] != " ":
            raise ProtocolError("two parts of a line are not separated by a space")
        key = _KEY.match(text, index + 1)
        if key is None or text[key.end() : key.end() + 1] != "=":
            raise ProtocolError("a field has no key")
        index = key.end() + 1
        quoted = text.startswith('"', index)
        value = (_QUOTED if quoted else _BARE).match(text, index)
        if value is None:
            raise ProtocolError("a field has no value")
        index = value.end()
        if key.group() in fields:
            repeated.append(key.group())
        fields[key.group()] = re.sub(r'\\(["\\])', r"\1", value.group(1)) if quoted else value.group()
    return fields, repeated


@dataclass(frozen=True)
class RequestLine:
    """A request, taken apart."""

    tag: str
    verb: str
    fields: Fields


def parse_request(line: str) -> RequestLine:
    """A request without its terminator. Raises ProtocolError where it does not follow the grammar."""
    tag, _, rest = line.partition(" ")
    verb = rest.partition(" ")[0]
    if not is_tag(tag) or not _VERB.match(verb):
        raise ProtocolError("a request begins with a tag and a verb")
    fields, repeated = parse_fields(line, len(tag) + 1 + len(verb))
    if repeated:
        raise ProtocolError(f"the key {repeated[0]} came twice")
    return RequestLine(tag, verb, fields)


@dataclass(frozen=True)
class ServerLine:
    """A line of the server's, taken apart.

    `kind` is `data`, `ok` or `no` with a tag, and `push` or `end` without one. `word` is the code of a refusal, or the
    name of a push; the greeting is the push `REPARTO`.
    """

    kind: str
    tag: Optional[str]
    word: str
    fields: Fields


def parse_server_line(line: str) -> ServerLine:
    """A line of the server's without its terminator. Raises ProtocolError where it does not follow the grammar.

    A key that came twice counts as a breach too: what it means could not be told.
    """
    first, _, rest = line.partition(" ")
    second = rest.partition(" ")[0]
    start = len(first) + 1 + len(second)
    if second == "NO":
        code = line[start + 1 :].partition(" ")[0]
        start += 1 + len(code)
        word, kind = code, ("end" if first == "*" else "no")
    elif first == "*":
        word, kind = second, "push"
    elif second in ("-", "OK"):
        word, kind = "", ("data" if second == "-" else "ok")
    else:
        raise ProtocolError("a line is neither data nor the end of a reply")
    if first != "*" and not is_tag(first):
        raise ProtocolError("a line has no tag")
    if kind in ("no", "end", "push") and not _WORD.match(word):
        raise ProtocolError("a code or the name of a push is not one")
    fields, repeated = parse_fields(line, start)
    if repeated:
        raise ProtocolError(f"the key {repeated[0]} came twice")
    if kind in ("no", "end") and fields.get("class") not in _CLASSES:
        raise ProtocolError(f"{word} has no class")
    return ServerLine(kind, None if first == "*" else first, word, fields)


class LineFramer:
    """Cuts a stream of bytes into lines. Keeps the unfinished line, `line_max` bytes and a terminator at most."""

    def __init__(self, line_max: int) -> None:
        self.line_max = line_max
        self._rest = b""

    def feed(self, data: bytes) -> List[str]:
        """The lines that `data` completes, without terminators. Raises ProtocolError where framing is broken."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = [self._line(one) for one in whole]
        if len(self._rest) > self.line_max + 1:
            raise ProtocolError(f"a line is longer than {self.line_max} bytes")
        return lines

    def _line(self, raw: bytes) -> str:
        if raw.endswith(b"\r"):
            raw = raw[:-1]
        if len(raw) > self.line_max:
            raise ProtocolError(f"a line is longer than {self.line_max} bytes")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise ProtocolError("a line is not UTF-8") from None
        if _CONTROL.search(text):
            raise ProtocolError("a line has a control character")
        return text
