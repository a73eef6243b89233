"""Two streams in one: each piece behind eight bytes that say whose it is (moby: pkg/stdcopy).

     0        1  2  3      4  5  6  7      8 ...
    +--------+---------+----------------+----------+
    | stream |  zeros  | length, big e. | the data |
    +--------+---------+----------------+----------+

Programs on a terminal have one stream, and no frames in either direction.
"""

from __future__ import annotations

import struct

from node.model.output import Output

_HEAD = struct.Struct(">BxxxL")


def framed(output: Output) -> bytes:
    """A piece of output with its head."""
    return _HEAD.pack(output.stream, len(output.data)) + output.data
