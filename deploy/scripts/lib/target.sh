# shellcheck shell=bash
# Where a release goes. CAMINO_TARGET chooses the file that knows how: machine (processes here), kubernetes, containerapps (Azure).
# Every target has the same five functions, so that guard, migrate, deploy-role, smoke, promote and undo are the same everywhere:
#   target_once IMAGE VERB...           runs one verb of that image beside the database, as the owner of the schema, and waits for it
#   target_roll ROLE CONFIG IMAGE       brings the role to that image and waits until all of it is ready; on failure the old one goes on serving
#   target_image ROLE                   prints the image that the role runs, or nothing
#   target_address                      prints the address of the Back Office
#   target_check                        gives up in one sentence when something it needs is missing

# shellcheck source=deploy/scripts/lib/say.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/say.sh"

# The two roles of the one image and the file that makes each: the only difference between them. Async first: a Back Office of this
# release may enqueue kinds that only this release's Async Server knows.
# shellcheck disable=SC2034 # read by the scripts
declare -A role_config=([async]=appsettings.Async.json [back-office]=appsettings.BackOffice.json)

# manifest_of FILE: reads the release manifest into image, release.
manifest_of() {
    need jq
    [[ -r $1 ]] || die "There is no release manifest $1."
    image=$(jq -er '.image | strings' "$1") || die "$1 names no image; it is made by deploy/scripts/package."
    release=$(jq -er '.release | numbers' "$1") || die "$1 names no release number."
    export image release
}

# is_rollback NUMBER: whether this run goes back on purpose; 0 says no, and any other number must be the one of the manifest.
is_rollback() {
    [[ $1 =~ ^[0-9]+$ ]] || wrong_use "--rollback-to is \"$1\"; it must be 0 or a release number."
    if [[ $1 == 0 ]]; then return 1; fi
    [[ $1 == "$release" ]] || die "--rollback-to is $1, but the manifest is that of release $release."
}

# who: who decides, for the audit trail.
who() { printf '%s' "${CAMINO_BY:-${USER:-operator}}"; }

# outside IMAGE FILE VERB...: runs one verb of that image from where this script runs, with FILE readable as $outside_key.
outside() {
    local from=$1 file=$2
    shift 2
    docker run --rm --read-only --network host --volume "$file:/run/camino/key:ro" "$from" "$@"
}
outside_key=/run/camino/key

target=${CAMINO_TARGET:-}
case $target in
    machine | kubernetes | containerapps) ;;
    '') die "CAMINO_TARGET is not set; it must be machine, kubernetes or containerapps." ;;
    *) die "CAMINO_TARGET is \"$target\"; it must be machine, kubernetes or containerapps." ;;
esac
# shellcheck source=/dev/null
source "$(dirname -- "${BASH_SOURCE[0]}")/target-$target.sh"
target_check
