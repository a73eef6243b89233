"""Every driver of a node by its name: those that are built in, and one for each plugin that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from node.drivers.base import Driver


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
        """A driver that can be used now. Raises NotFound, Failed, without remembering a new name."""
        driver = self.get(name) or self._remote(name)
        await driver.ready()
        driver = self.setdefault(name, driver)
        await driver.ready()  # a watch may have brought networks of it meanwhile, and so another driver
        return driver
