"""Every driver of a node by its name: those that are built in, and one for each plugin that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from node.drivers.base import Driver
from node.errors import NodeError


class DriverTable(dict[str, Driver]):
    """A name that is no driver's is taken for a plugin's, which is looked for when it is first needed.

    So networks of plugins are there as soon as a node starts, whether the plugin answers yet or not.
    """

    def __init__(self, built_in: Iterable[Driver], remote: Callable[[str], Driver]) -> None:
        super().__init__({driver.name: driver for driver in built_in})
        self._remote = remote

    def __missing__(self, name: str) -> Driver:
        driver = self[name] = self._remote(name)
        return driver

    async def resolve(self, name: str) -> Driver:
        """A driver that can be used now. Raises NotFound, Failed, without remembering the name."""
        is_new = name not in self
        driver = self[name]
        try:
            await driver.ready()
        except NodeError:
            if is_new:
                self.pop(name, None)
            raise
        return driver
