"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.launch.etcd import EtcdProcess
from tests.real_etcd import some_member

pytest_plugins = ["tests.session"]


@pytest.fixture(scope="session")
def shared_etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdProcess]:
    """A real etcd, started, for every test that does not mind the others' keys: await wait_ready()."""
    etcd = EtcdProcess(some_member(tmp_path_factory.mktemp("etcd")))
    try:
        etcd.start()
        yield etcd
    finally:
        etcd.kill()
