"""Names for containers that were given none: a mood and a person, as in "calm_hopper"."""

from __future__ import annotations

import random

MOODS = """
    able agile amber apt awake bold brave bright brisk calm candid clever cool cosy crisp curious daring
    deft eager earnest easy epic exact fair fond frank free fresh gentle glad golden grand happy hardy
    honest humble jolly keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble
    open patient placid plucky polite proud quick quiet ready rapid serene sharp shiny silent sleek
    smart snug sober spry steady stoic sunny swift tidy trusty upbeat vivid warm wise witty zesty
""".split()  # noqa: SIM905 - readable as it stands

PEOPLE = """
    abramson allen baran bartik bernerslee boole borg cerf chandra clarke conway crocker dijkstra diffie
    elliott engelbart estrin feinler floyd franklin goldberg hamilton hamming hellman hoare holberton
    hopper jacobson jennings johnson kahn karels karn kay kernighan kleinrock knuth lamarr lamport
    liskov lovelace lynch mccarthy mcilroy metcalfe mills mockapetris moore murai nagle noether perlman
    pike pouzin postel ritchie roberts shannon shaw shor spafford sutherland tanenbaum thompson
    tomlinson turing vixie wilkes wing wirth yao zimmermann
""".split()  # noqa: SIM905 - readable as it stands


def container_name(chance: random.Random, attempt: int = 0) -> str:
    """A name; from the second attempt on with a digit behind it, as the engine does."""
    name = f"{chance.choice(MOODS)}_{chance.choice(PEOPLE)}"
    return f"{name}{chance.randrange(10)}" if attempt else name
