#!/usr/bin/env bash
# Usage: source scripts/shared.sh, at the root of the source tree. What the scripts share: words, copies, Pythons.

heading() { printf '\n==== %s  [%d s]\n' "$1" "$SECONDS"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }
# usage SCRIPT: the comment at its top, from "Usage:" on
usage() { sed -n '/^# Usage:/,/^[^#]/s/^# \{0,1\}//p' "$1"; }

# copy_to FOLDER: a copy of what git tracks or would track; of everything, where there is no git.
copy_to() {
    mkdir -p "$1"
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard |
            while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
            tar -cf - --null -T - | tar -xf - -C "$1"
    else
        cp -R . "$1" && rm -rf "$1/.venv"
    fi
}

# find_python 3.12: a Python of that version that runs and can make environments; nothing, if there is none.
find_python() {
    local candidate
    for candidate in "$(command -v "python$1" || true)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python"$1" \
        "$HOME"/.local/share/uv/python/*-"$1".*/bin/python"$1"; do
        if [ -x "$candidate" ] && [ "$("$candidate" -c 'import sys, ensurepip, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ]; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

# own_python: the Python of this folder's environment, or else the one that is active.
own_python() {
    local candidate
    for candidate in .venv/bin/python .venv/Scripts/python.exe "$(command -v python3 || command -v python)"; do
        if [ -x "$candidate" ]; then printf '%s\n' "$candidate" && return; fi
    done
}
