# shellcheck shell=bash
# A cluster. CAMINO_OVERLAY is staging or production (deploy/kubernetes/overlays), CAMINO_CONTEXT the context of kubectl, CAMINO_ADDRESS the Back Office.

target_check() {
    need kubectl jq
    [[ -d $root/deploy/kubernetes/overlays/${CAMINO_OVERLAY:-} && -n ${CAMINO_OVERLAY:-} ]] || die "CAMINO_OVERLAY must be staging or production."
    [[ -n ${CAMINO_CONTEXT:-} ]] || die "CAMINO_CONTEXT must name a context of kubectl."
}

kube() { kubectl --context "$CAMINO_CONTEXT" --namespace camino "$@"; }

# kube_rendered IMAGE: the overlay with the image by digest. Nothing in the checkout is edited: the digest stands in a kustomization of its own.
kube_rendered() {
    local place
    place=$(mktemp -d)
    # a base is named relatively
    cat >"$place/kustomization.yaml" <<KUSTOMIZATION
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - $(realpath --relative-to="$place" "$root/deploy/kubernetes/overlays/$CAMINO_OVERLAY")
images:
  - name: camino
    newName: ${1%@*}
    digest: ${1##*@}
configMapGenerator:
  - name: camino-release
    namespace: camino
    behavior: merge
    literals:
      - CAMINO_IMAGE=$1
KUSTOMIZATION
    kubectl kustomize "$place"
    rm -rf -- "$place"
}

# kube_documents: the documents on standard input, one JSON object after another.
kube_documents() { kubectl --context "$CAMINO_CONTEXT" create --dry-run=client -o json -f - "$@" | jq -c '(.items? // [.])[]'; }

# One verb as a Job made from the migrate Job: same image, same user, same network. What the Job stands on (its account, its settings, which image
# this is) is applied first: the first deploy has none of it, and every release has settings of its own, under names of their own. Nothing else is
# touched before the verb has said yes.
target_once() {
    local from=$1 name verb rendered seconds=${CAMINO_ONCE_TIMEOUT:-900} tries state
    shift
    seconds=${seconds%s}
    [[ $seconds =~ ^[0-9]+$ ]] || die "CAMINO_ONCE_TIMEOUT is \"$seconds\"; it must be a number of seconds."
    name=camino-$1-$(date -u +%s)-$RANDOM
    verb=$(jq -cn '$ARGS.positional' --args -- "$@")
    rendered=$(kube_rendered "$from")
    kube_documents -l 'app.kubernetes.io/component in (migrate, shared)' <<<"$rendered" | jq -c 'select(.kind == "Namespace" or .kind == "ServiceAccount" or .kind == "ConfigMap")' | kube apply -f - >&2
    # a refusal is no reason to try again: the exit code is the answer
    kube_documents -l app.kubernetes.io/component=migrate <<<"$rendered" \
        | jq --arg name "$name" --argjson verb "$verb" 'select(.kind == "Job") | .metadata.name = $name
            | .spec.backoffLimit = 0 | .spec.template.spec.containers[0].args = $verb' \
        | kube create -f - >&2
    for ((tries = 0; tries <= seconds; tries += 2)); do
        # one question that is not answered is asked again
        state=$(kube get job "$name" -o jsonpath='{.status.conditions[?(@.status=="True")].type}' || true)
        case " $state " in
            *" Complete "*)
                kube logs "job/$name"
                return 0
                ;;
            *" Failed "*)
                kube logs "job/$name" >&2 || true
                return 1
                ;;
        esac
        sleep 2
    done
    say "The job $name did not end within $seconds s."
    kube logs "job/$name" >&2 || true
    return 1
}

target_image() { kube get deployment "camino-$1" --ignore-not-found -o jsonpath='{.spec.template.spec.containers[0].image}'; }

target_roll() {
    local role=$1 to=$3
    # services, policies and scalers that both roles share have no component of their own
    kube_rendered "$to" | kube apply -l "app.kubernetes.io/component in ($role, shared)" -f - >&2 || return 1
    if kube rollout status "deployment/camino-$role" --timeout="${CAMINO_READY_SECONDS:-600}s" >&2; then return 0; fi
    kube rollout undo "deployment/camino-$role" >&2 || true
    return 1
}

target_address() { printf '%s' "${CAMINO_ADDRESS:?CAMINO_ADDRESS must be the address of the Back Office}"; }
