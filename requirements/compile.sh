#!/bin/sh
# Writes requirements/*.lock from pyproject.toml: every package, its version and the hashes of all its files.
#
#   runtime.lock   what `make demo` needs, and setuptools, which installs the project itself
#   dev.lock       the same versions, and what checks and tests need beside them
#
# Run by hand, on the oldest Python we support, since the oldest needs the most packages: `make lock` when
# pyproject.toml asks for something new, `make lock ARGS=--upgrade` for newer versions of everything.
# A lock must not depend on the machine it was made on: what pip is told here about indexes is left out.
set -eu
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sh requirements/setup.sh find-python)
"$python" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet 'pip-tools==7.6.2'

unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL
export PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND='make lock'

compile() {
    "$scratch/venv/bin/pip-compile" --quiet --no-config --generate-hashes --strip-extras --allow-unsafe \
        --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options "$@" pyproject.toml
}
compile "$@" --build-deps-for editable --output-file requirements/runtime.lock
compile "$@" --build-deps-for editable --extra dev --constraint requirements/runtime.lock \
    --output-file requirements/dev.lock
