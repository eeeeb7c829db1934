"""Who is in which layer, packed: a million people take about half a megabyte, not a million rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import zstandard

__all__ = ["Members", "pack", "unpack"]

_FORMAT = b"TLM1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Members:
    """uid: int64[n] ascending; codes: int16[n], places in `keys`."""

    uid: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int16]
    keys: list[str]

    def of(self, key: str) -> npt.NDArray[np.int64]:
        """The uids of one layer, ascending; none for a key that is not there."""
        if key not in self.keys:
            return np.empty(0, np.int64)
        return self.uid[self.codes == self.keys.index(key)]

    def layer_of(self, uid: int) -> str | None:
        """The key of a person's layer, or None for somebody this layering does not know."""
        place = int(np.searchsorted(self.uid, uid))
        if place == len(self.uid) or self.uid[place] != uid:
            return None
        return self.keys[int(self.codes[place])]

    def without(self, uids: npt.NDArray[np.int64]) -> Members:
        keep = ~np.isin(self.uid, uids)
        return Members(uid=self.uid[keep], codes=self.codes[keep], keys=self.keys)


def pack(members: Members) -> bytes:
    """Steps between uids (mostly 1) and the codes, compressed; keys are kept as text in front."""
    steps = np.diff(members.uid, prepend=np.int64(0)).astype("<i8")
    keys = "\n".join(members.keys).encode()
    head = _FORMAT + len(keys).to_bytes(4, "little") + len(steps).to_bytes(8, "little") + keys
    # Bytes of the same significance lie together, so the upper seven of each step cost nothing.
    planes = np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 8).T)
    body = planes.tobytes() + members.codes.astype("<i2").tobytes()
    return zstandard.compress(head + body, 3)


def unpack(data: bytes) -> Members:
    raw = zstandard.decompress(data)
    if raw[:4] != _FORMAT:
        raise ValueError("these are not packed members")
    size, count = int.from_bytes(raw[4:8], "little"), int.from_bytes(raw[8:16], "little")
    keys = raw[16 : 16 + size].decode().split("\n") if size else []
    body = np.frombuffer(raw, np.uint8, offset=16 + size)
    steps = np.ascontiguousarray(body[: 8 * count].reshape(8, count).T).view("<i8").reshape(count)
    codes = np.frombuffer(raw, "<i2", offset=16 + size + 8 * count, count=count)
    return Members(uid=np.cumsum(steps), codes=codes.astype(np.int16), keys=keys)
