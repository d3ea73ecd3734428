# shellcheck shell=bash
# Processes on this machine, for trying the pipeline's scripts and for their tests. An "image" is a folder that deploy/scripts/publish made.
# CAMINO_MACHINE is a folder: env (lines KEY=VALUE, the same for both roles), and per role its pid, its image and its log.

target_check() {
    [[ -n ${CAMINO_MACHINE:-} && -r $CAMINO_MACHINE/env ]] || die "CAMINO_MACHINE must name a folder with a file env."
    need tail
}

machine_exec() { # IMAGE VERB...: becomes the program
    local program=$1/camino settings=$CAMINO_MACHINE/env
    shift
    [[ -x $program ]] || die "There is no program $program."
    # what the scripts are told is not for the program: it refuses what it does not know
    unset CAMINO_TARGET CAMINO_MACHINE CAMINO_BY CAMINO_READY_SECONDS
    set -a
    # shellcheck source=/dev/null
    source "$settings"
    set +a
    cd -- "$(dirname -- "$program")"
    CAMINO_IMAGE=$(dirname -- "$program") exec "$program" "$@"
}

machine_run() { (machine_exec "$@"); }

machine_pid() { # ROLE: the pid, when that process is alive
    local pid
    pid=$(cat -- "$CAMINO_MACHINE/$1.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && printf '%s' "$pid"
}

machine_start() { # ROLE CONFIG IMAGE
    local role=$1 config=$2 from=$3
    # the program itself and no shell around it: its pid is the one that is asked to stop
    machine_exec "$from" run --config "$config" >>"$CAMINO_MACHINE/$role.log" 2>&1 </dev/null &
    printf '%s' "$!" >"$CAMINO_MACHINE/$role.pid"
    printf '%s' "$from" >"$CAMINO_MACHINE/$role.image"
    disown
    local tries
    for ((tries = 0; tries < ${CAMINO_READY_SECONDS:-120}; tries++)); do
        machine_pid "$role" >/dev/null || return 1
        if machine_run "$from" probe ready --config "$config" >/dev/null 2>&1; then return 0; fi
        sleep 1
    done
    return 1
}

machine_stop() { # ROLE
    local pid
    pid=$(machine_pid "$1") || return 0
    kill -TERM "$pid"
    tail --pid="$pid" -f /dev/null
}

target_once() { machine_run "$@"; }

target_image() { cat -- "$CAMINO_MACHINE/$1.image" 2>/dev/null || true; }

target_roll() {
    local role=$1 config=$2 to=$3 before
    before=$(target_image "$role")
    machine_stop "$role"
    if machine_start "$role" "$config" "$to"; then return 0; fi
    say "$role of $to did not become ready; its last lines:"
    tail -n 5 -- "$CAMINO_MACHINE/$role.log" >&2
    machine_stop "$role"
    if [[ -n $before && $before != "$to" ]]; then machine_start "$role" "$config" "$before" || say "and $before does not start either"; fi
    return 1
}

target_address() {
    (
        # shellcheck source=/dev/null
        source "$CAMINO_MACHINE/env"
        printf '%s' "${BACK_OFFICE_ADDRESS:-http://127.0.0.1:8080}"
    )
}

# a process here reads the file where it is
outside() {
    local from=$1
    shift 2
    "$from/camino" "$@"
}
outside_key=${SMOKE_KEY_FILE:-}
