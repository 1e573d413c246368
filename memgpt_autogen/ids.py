"""Identifiers that sort by the time they were made: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A UUIDv7 as text. Within one process each is greater than the one before."""
    global _last
    with _lock:
        # 48 bits of milliseconds, then 12 bits of fraction: the RFC's method 3 for a clock finer than 1 ms.
        ticks = time.time_ns() * 4096 // 1_000_000
        _last = max(ticks, _last + 1)
        millis, fraction = divmod(_last, 4096)
    random = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    value = (millis & (2**48 - 1)) << 80 | 7 << 76 | fraction << 64 | 2 << 62 | random
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
