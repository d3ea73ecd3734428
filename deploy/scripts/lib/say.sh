# shellcheck shell=bash
# What every script of this folder begins with: where the repository is, how to say something, how to give up.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
export root

# say TEXT...: one line for people, beside what the script prints for programs.
say() { printf '%s\n' "$*" >&2; }

# die TEXT...: gives up with one sentence.
die() {
    say "$*"
    exit 1
}

# wrong_use TEXT...: gives up because of how it was called.
wrong_use() {
    say "$*"
    exit 2
}

# need PROGRAM...: gives up when one of them is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || die "${0##*/} needs $program, and there is none on the PATH."
    done
}

# usage: the comment at the head of the calling script is its help.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# image_names: the variables of deploy/images.env, where the caller has not set them.
image_names() {
    local key value
    while IFS='=' read -r key value; do
        if [[ $key == [A-Z]* && -z ${!key:-} ]]; then export "$key=$value"; fi
    done <"$root/deploy/images.env"
}

# camino VERB...: the program of this checkout.
camino() { "$root/camino" "$@"; }
