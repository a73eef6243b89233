"""Errors as a program's socket raises them: OSErrors with Linux's numbers and words."""

from __future__ import annotations

import errno
import os


def os_error(number: int) -> OSError:
    """The error with the system's own words; Python chooses its subclass by the number."""
    return OSError(number, os.strerror(number))


class MessageTooLong(OSError):
    """EMSGSIZE, with the ``mtu`` in bytes that the message would have to fit."""

    def __init__(self, mtu: int) -> None:
        super().__init__(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        self.mtu = mtu
