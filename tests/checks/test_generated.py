"""The committed node/rpc is what proto/ says, and the comparison finds every way to differ."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

specification = importlib.util.spec_from_file_location("generate", ROOT / "proto" / "generate.py")
assert specification is not None
assert specification.loader is not None
generate = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generate)

SAMPLE = """
syntax = "proto3";
package node.rpc.v1;
import "google/protobuf/empty.proto";
service Sample { rpc Ask(Question) returns (google.protobuf.Empty); }
message Question { string text = 1; }
"""


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A folder with one proto file below proto/ and what is generated from it."""
    proto = tmp_path / "proto" / "node" / "rpc" / "v1" / "sample.proto"
    proto.parent.mkdir(parents=True)
    proto.write_text(SAMPLE)
    generate.generate(tmp_path / "proto", tmp_path)
    return tmp_path


def differences(folder: Path) -> list[str]:
    return generate.differences(folder / "proto", folder)


def test_committed_code_is_current() -> None:
    assert differences(ROOT) == [], "run `make proto` and commit what it writes"


def test_generated_code_is_found_current(sample: Path) -> None:
    assert (sample / "node/rpc/v1/sample_pb2_grpc.py").exists()
    assert differences(sample) == []


def test_a_proto_file_without_its_code_is_found(sample: Path) -> None:
    extra = sample / "proto/node/rpc/v1/extra.proto"
    extra.write_text('syntax = "proto3"; package node.rpc.v1; message Extra {}')
    assert differences(sample) == [
        "node/rpc/v1/extra_pb2.py",
        "node/rpc/v1/extra_pb2.pyi",
        "node/rpc/v1/extra_pb2_grpc.py",
    ]


def test_an_edit_by_hand_is_found(sample: Path) -> None:
    with (sample / "node/rpc/v1/sample_pb2.py").open("a") as file:
        file.write("# by hand\n")
    assert differences(sample) == ["node/rpc/v1/sample_pb2.py"]


def test_code_whose_proto_file_is_gone_is_found(sample: Path) -> None:
    (sample / "proto/node/rpc/v1/sample.proto").unlink()
    assert "node/rpc/v1/sample_pb2.py" in differences(sample)


def test_a_proto_file_that_does_not_parse_is_refused(sample: Path) -> None:
    (sample / "proto/node/rpc/v1/sample.proto").write_text("this is no protobuf")
    with pytest.raises(generate.Refused):
        differences(sample)
