#!/bin/sh
# Makes .venv ready: `sh requirements/setup.sh runtime` for the demo, `... dev` for checks and tests.
#
#   does the stamp fit? --yes--> done: the usual case, a few milliseconds
#       | no
#   a Python --> .venv --> the locked packages, each file checked against its hash
#                      --> the project itself, editable --> the stamp
#
# `find-python` prints the Python that would be used. Nothing here needs root, and nothing asks.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd -P)
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

say() { printf '%s\n' "$*" >&2; }
fail() { say "Cannot set up Shoal: $*"; exit 1; }

# Prints the first Python that is new enough and can make virtual environments.
find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3.13 python3.12 python3.11 python3; fi
    old='' bare=''
    for candidate in "$@"; do
        version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        path=$(command -v "$candidate")
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            old="$version at $path"
        elif ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            bare="${bare:-$version at $path}"
        else
            printf '%s\n' "$path"
            return
        fi
    done
    if [ -n "$bare" ]; then lacks_venv "$bare"; fi
    if [ -n "$old" ]; then
        fail "it needs Python 3.11 or newer, and here is only $old." \
            "Install the packages python3.11 and python3.11-venv (or newer ones), or name a Python: make PYTHON=/path/to/python3 ..."
    fi
    if [ -n "${PYTHON:-}" ]; then fail "PYTHON names $PYTHON, which does not run."; fi
    fail "there is no Python. Install the packages python3 and python3-venv: sudo apt install python3 python3-venv"
}

# Debian and Ubuntu ship Python without the modules that make virtual environments.
lacks_venv() {
    package="python${1%% *}-venv"
    fail "Python $1 cannot make virtual environments. Install the package $package: sudo apt install $package"
}

# What the environment has to match: its place, how it is made, what is installed.
fingerprint() {
    { printf '%s\n' "$root"; cat requirements/setup.sh pyproject.toml "requirements/$1.lock"; } | sha256sum
}

fits() {
    [ -r ".venv/ready-$1" ] && [ "$(cat ".venv/ready-$1")" = "$(fingerprint "$1")" ]
}

# dev.lock holds all of runtime.lock.
is_ready() {
    [ -x .venv/bin/python ] && { fits "$1" || fits dev; }
}

# An environment is used again if it was made at this place (its scripts name their full path), by a
# Python that is still there, and was finished.
is_whole() {
    grep -qF -- " -m venv $root/.venv" .venv/pyvenv.cfg 2>/dev/null && .venv/bin/python -m pip --version >/dev/null 2>&1
}

make_environment() {
    python=$(find_python) || exit 1
    rm -rf .venv
    if ! words=$("$python" -m venv "$root/.venv" 2>&1); then
        rm -rf .venv
        say "$words"
        lacks_venv "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') at $python"
    fi
}

install() {
    if ! .venv/bin/python -m pip install --quiet --no-input --no-user --disable-pip-version-check "$@" >.venv/pip.log 2>&1; then
        unreachable='NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Temporary failure'
        if grep -qE "$unreachable" .venv/pip.log; then
            fail "PyPI does not answer, and Shoal's packages come from there (this once). Connect to the network and try again."
        fi
        tail -n 5 .venv/pip.log >&2
        fail "pip could not install the packages; all it said is in .venv/pip.log"
    fi
}

set_up() {
    if [ -d .venv ]; then
        say "Updating .venv ..."
    else
        say "Setting up .venv (first run: about 30 s) ..."
    fi
    is_whole || make_environment
    rm -f .venv/ready-*
    install --only-binary :all: --require-hashes --requirement "requirements/$1.lock"
    install --no-deps --no-build-isolation --editable .
    fingerprint "$1" >".venv/ready-$1"
}

case "${1:-}" in
find-python) find_python ;;
runtime | dev)
    is_ready "$1" || {
        exec 9<requirements/setup.sh
        if command -v flock >/dev/null; then flock 9; fi # two set-ups at once: the second waits for the first
        is_ready "$1" || set_up "$1"
    }
    ;;
*) fail "usage: sh requirements/setup.sh runtime|dev|find-python" ;;
esac
