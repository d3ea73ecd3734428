# shellcheck shell=bash
# Azure Container Apps as deploy/azure makes them. CAMINO_GROUP is the resource group, CAMINO_PREFIX the prefix of its names.

target_check() {
    need az jq
    [[ -n ${CAMINO_GROUP:-} && -n ${CAMINO_PREFIX:-} ]] || die "CAMINO_GROUP and CAMINO_PREFIX must name the resource group and the prefix of its names."
}

# operator_says RUN: what a run said; its lines reach the store of logs some time after it ended.
operator_says() {
    local tries lines
    for ((tries = 0; tries < 12; tries++)); do
        lines=$(az containerapp job logs show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --execution "$1" --container camino --format text --tail 300 || true)
        if [[ -n $lines ]]; then
            printf '%s\n' "$lines"
            return
        fi
        sleep 5
    done
    say "The run $1 left no line behind."
}

# One verb as a run of the job that has the owner's identity. Image and words go into the job itself before it is started: "az containerapp job start"
# takes no word that begins with a dash, and what it starts with an image of its own has no volumes. One deploy of an environment runs at a time (its lock).
target_once() {
    local from=$1 job id body run state tries
    shift
    id=$(az containerapp job show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --query id --output tsv)
    # read and written in one version of the interface, so that nothing comes back that it does not know
    job=$(az rest --method get --url "https://management.azure.com$id?api-version=2024-03-01" --output json)
    body=$(mktemp)
    jq -c --arg image "$from" '{properties: {template: (.properties.template
        | .containers[0].image = $image
        | .containers[0].args = $ARGS.positional
        | .containers[0].env = ([.containers[0].env[]? | select(.name != "CAMINO_IMAGE")] + [{name: "CAMINO_IMAGE", value: $image}]))}}' --args -- "$@" <<<"$job" >"$body"
    az rest --method patch --url "https://management.azure.com$id?api-version=2024-03-01" --headers Content-Type=application/json --body "@$body" --output none
    rm -f -- "$body"
    # the change is carried out after it was accepted
    for ((tries = 0; tries < 60; tries++)); do
        state=$(az containerapp job show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --query properties.provisioningState --output tsv || true)
        case $state in
            Succeeded) break ;;
            Failed | Canceled) die "The job $CAMINO_PREFIX-operator could not be changed: $state." ;;
        esac
        sleep 2
    done
    run=$(az containerapp job start --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --query name --output tsv)
    for ((tries = 0; tries < 120; tries++)); do
        state=$(az containerapp job execution show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --job-execution-name "$run" --query properties.status --output tsv || true)
        case $state in
            Succeeded)
                operator_says "$run"
                return 0
                ;;
            Failed | Stopped | Degraded)
                operator_says "$run" >&2
                return 1
                ;;
        esac
        sleep 5
    done
    say "The run $run did not end within 10 minutes."
    return 1
}

target_image() { az containerapp list --resource-group "$CAMINO_GROUP" --query "[?name=='$CAMINO_PREFIX-$1'].properties.template.containers[0].image" --output tsv; }

target_roll() {
    local role=$1 config=$2 to=$3 words revision state tries
    # which file an app runs with is said once, where it is made (deploy/azure/role.bicep): a deploy changes the image and nothing else
    words=$(az containerapp show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$role" --query 'join(`" "`, properties.template.containers[0].args)' --output tsv)
    [[ $words == "run --config $config" ]] || die "The app $CAMINO_PREFIX-$role runs \"$words\"; it must be \"run --config $config\", see deploy/azure."
    revision=$(az containerapp update --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$role" --image "$to" \
        --set-env-vars "CAMINO_IMAGE=$to" --query properties.latestRevisionName --output tsv)
    for ((tries = 0; tries < 120; tries++)); do
        state=$(az containerapp revision show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$role" --revision "$revision" --query properties.runningState --output tsv || true)
        case $state in
            Running | RunningAtMaxScale | ScaledToZero) return 0 ;;
            Failed | Degraded) break ;;
        esac
        sleep 5
    done
    say "The revision $revision of $role is $state."
    return 1
}

target_address() { printf 'https://%s' "$(az containerapp show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-back-office" --query properties.configuration.ingress.fqdn --output tsv)"; }
