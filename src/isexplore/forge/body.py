"""Reading a body within bounds, packed or not. Pure.

The bound is inside the unpacking: one kilobyte of a packed bomb becomes a megabyte before anybody
behind the unpacker could count it.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from typing import Literal

from isexplore.text import clean_line

Keep = Literal["all", "head", "tail"]
"""What to do with a body above its limit: refuse it, keep its beginning, or keep its end."""

STREAM_LIMIT = 64 << 20
"""Most bytes read or unpacked to get at the end of a log, and read of anything whose limit is no higher."""
_PIECE = 65_536


class UnreadableBodyError(Exception):
    """The body is too large, or packed in a way that was not asked for; the text says which."""


class Body:
    """Takes a body piece by piece and keeps at most `limit` bytes of it.

    Raises:
        UnreadableBodyError: the encoding is not gzip.
    """

    def __init__(self, encoding: str, *, limit: int, keep: Keep) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise UnreadableBodyError(f"It is packed as {clean_line(encoding, 40)}, which was not asked for.")
        self._gunzip = _Gunzip() if encoding.endswith("gzip") else None
        self._limit = limit
        self._keep = keep
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._read = 0
        self._passed = 0
        self._truncated = False

    def take(self, piece: bytes) -> bool:
        """Take the next piece as it came over the wire; return whether more is wanted.

        Raises:
            UnreadableBodyError: too large, or not packed as it says.
        """
        self._read += len(piece)
        try:
            for chunk in self._gunzip.feed(piece) if self._gunzip is not None else (piece,):
                self._add(chunk)
                if self._truncated and self._keep == "head":
                    return False
        except zlib.error as error:
            raise UnreadableBodyError("It is not packed as it says.") from error
        # Something packed need not come to anything, so that what is read has a bound of its own.
        most = max(STREAM_LIMIT, self._limit)
        if self._read > most:
            raise UnreadableBodyError(f"It is larger than {most >> 20} MiB.")
        return True

    def _add(self, chunk: bytes) -> None:
        self._kept.append(chunk)
        self._size += len(chunk)
        self._passed += len(chunk)
        if self._size <= self._limit:
            return
        self._truncated = True
        if self._keep == "all":
            raise UnreadableBodyError(f"It is larger than {self._limit:,} bytes.")
        if self._passed > STREAM_LIMIT:
            raise UnreadableBodyError(f"It is larger than {STREAM_LIMIT >> 20} MiB.")
        while self._keep == "tail" and self._size - len(self._kept[0]) >= self._limit:
            self._size -= len(self._kept.popleft())

    @property
    def cut_short(self) -> bool:
        """Whether a packed body ended before its end."""
        wants_more = self._gunzip is not None and self._read > 0 and not self._gunzip.done
        return wants_more and not (self._truncated and self._keep == "head")

    def result(self) -> tuple[bytes, bool]:
        """Return what was kept, and whether something was left out."""
        body = b"".join(self._kept)
        if self._keep == "tail":
            return body[max(0, len(body) - self._limit) :], self._truncated
        return body[: self._limit], self._truncated


class _Gunzip:
    """Unpacks gzip in pieces of at most 64 KiB, however small the packed piece was."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def done(self) -> bool:
        """Whether the packed data came to its proper end."""
        return self._stream.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` unpacks to.

        Raises:
            zlib.error: it is not gzip.
        """
        while data:
            if self._stream.eof:
                # A gzip file may have several members (RFC 1952, section 2.2).
                self._stream = zlib.decompressobj(wbits=31)
            chunk = self._stream.decompress(data, _PIECE)
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if chunk:
                yield chunk
