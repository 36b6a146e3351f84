#!/usr/bin/env bash
# matrix.sh -- runs the whole test suite on the oldest supported Python and NumPy, and on the newest installed ones.
#
#     tools/matrix.sh [OLDEST [NEWEST]]        # interpreters; default: python3.11, and the newest that is found
#
# Each gets a separate environment and a wheel built from the source distribution (against NumPy 2, as all wheels), and
# tests the installed package, not this checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The first working interpreter of version 3.$1, on PATH or installed by pyenv.
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

# Runs the suite on interpreter $1 with NumPy $2.  PYTHONSAFEPATH keeps this checkout off the import path.
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
