// Verbs beside the database, as the owner of the schema: migrate and release. Started by deploy/scripts, never by itself.
param name string
param location string
param environmentId string
param registry string
param image string
param identityId string
param vaultUri string
param settings array

resource operator 'Microsoft.App/jobs@2024-03-01' = {
  name: name
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      manualTriggerConfig: { parallelism: 1, replicaCompletionCount: 1 }
      replicaTimeout: 900
      replicaRetryLimit: 0
      registries: [{ server: registry, identity: identityId }]
      secrets: [
        { name: 'owner-connection', keyVaultUrl: '${vaultUri}secrets/operator--Migration--ConnectionString', identity: identityId }
        { name: 'owner-password', keyVaultUrl: '${vaultUri}secrets/operator--Migration--Password', identity: identityId }
      ]
    }
    template: {
      containers: [
        {
          name: 'camino'
          image: image
          args: ['version']
          env: settings
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: [{ volumeName: 'secrets', mountPath: '/run/secrets/camino' }]
        }
      ]
      volumes: [
        {
          name: 'secrets'
          storageType: 'Secret'
          secrets: [
            { secretRef: 'owner-connection', path: 'Migration__ConnectionString' }
            { secretRef: 'owner-connection', path: 'Database__ConnectionString' }
            { secretRef: 'owner-password', path: 'Migration__Password' }
            { secretRef: 'owner-password', path: 'Database__Password' }
          ]
        }
      ]
    }
  }
}
