#!/usr/bin/env bash
# matrix.sh -- the whole suite on the oldest Python and NumPy that are promised, and on the newest at hand.
#
#     tools/matrix.sh [OLDEST [NEWEST]]        # interpreters; python3.11, and the newest that is found
#
# Each gets an environment of its own, a wheel made from the source distribution (against NumPy 2, as all wheels are), and
# runs what is installed, not what lies here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The first interpreter of version 3.$1 that runs, on PATH or where pyenv keeps them.
python_3() {
    local found
    for found in "python3.$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$1".*/bin/python3; do
        "$found" -c "import sys; sys.exit(sys.version_info[1] != $1)" 2>/dev/null && command -v "$found" && return
    done
    return 1
}

newest() {
    local minor
    for minor in $(seq 30 -1 11); do python_3 "$minor" && return; done
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# The suite, on an interpreter $1 with a NumPy $2.  A safe path, and the tests' own: not the source that lies here.
suite() {
    local place="$work/numpy${2//[^0-9]/}"
    "$1" -m venv "$place" || return
    local pip=("$place/bin/python" -m pip --disable-pip-version-check --quiet)
    "${pip[@]}" install build || return
    "$place/bin/python" -m build --outdir "$place/dist" . >"$work/log" 2>&1 || { cat "$work/log"; return 1; }
    local wheel=("$place"/dist/*.whl)
    "${pip[@]}" install "${wheel[0]}[test]" "$2" || return
    export PYTHONSAFEPATH=1 PYTHONPATH="$PWD/tests"
    "$place/bin/python" -c 'import sys, numpy, pyneural
print(f"Python {sys.version.split()[0]}, NumPy {numpy.__version__}, {pyneural.__file__}", flush=True)' || return
    "$place/bin/pytest" -p no:cacheprovider tests
}

status=0
(suite "${1:-$(python_3 11)}" 'numpy==1.26.*') || status=1
(suite "${2:-$(newest)}" 'numpy>=2') || status=1
exit $status
