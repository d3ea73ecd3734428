# shellcheck shell=bash
# Azure Container Apps as deploy/azure makes them. CAMINO_GROUP is the resource group, CAMINO_PREFIX the prefix of its names.

target_check() {
    need az jq
    [[ -n ${CAMINO_GROUP:-} && -n ${CAMINO_PREFIX:-} ]] || die "CAMINO_GROUP and CAMINO_PREFIX must name the resource group and the prefix of its names."
}

# One verb as a run of the job that has the owner's identity.
target_once() {
    local from=$1 run state tries
    shift
    run=$(az containerapp job start --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --image "$from" \
        --env-vars "CAMINO_IMAGE=$from" --args "$@" --query name --output tsv)
    for ((tries = 0; tries < 120; tries++)); do
        state=$(az containerapp job execution show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --job-execution-name "$run" --query properties.status --output tsv)
        case $state in
            Succeeded | Failed) az containerapp job logs show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-operator" --execution "$run" --container camino --format text || true ;;&
            Succeeded) return 0 ;;
            Failed | Stopped) return 1 ;;
        esac
        sleep 5
    done
    say "The run $run did not end within 10 minutes."
    return 1
}

target_image() { az containerapp show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$1" --query 'properties.template.containers[0].image' --output tsv 2>/dev/null || true; }

target_roll() {
    local role=$1 config=$2 to=$3 revision state tries
    revision=$(az containerapp update --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$role" --image "$to" \
        --set-env-vars "CAMINO_IMAGE=$to" --args run --config "$config" --query properties.latestRevisionName --output tsv)
    for ((tries = 0; tries < 120; tries++)); do
        state=$(az containerapp revision show --resource-group "$CAMINO_GROUP" --name "$CAMINO_PREFIX-$role" --revision "$revision" --query properties.runningState --output tsv)
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
