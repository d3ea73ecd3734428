// One role of the image. Both roles come through here; main.bicep names the configuration file.
param name string
param location string
param environmentId string
param filesStorage string
param registry string
param image string
param identityId string
param vaultUri string

@description('Secrets of this role are named PREFIX--KEY in the vault.')
param secretPrefix string
param arguments array
param settings array
param isPublic bool
param minReplicas int
param maxReplicas int
param cpu string
param memory string
param rules array

resource role 'Microsoft.App/containerApps@2024-03-01' = {
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
      // the new revision serves when it is ready, then the old one is stopped; which of them has the work says the fence
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 10
      ingress: isPublic ? { external: true, targetPort: 8080, transport: 'auto', allowInsecure: false } : null
      registries: [{ server: registry, identity: identityId }]
      secrets: [
        { name: 'database-connection', keyVaultUrl: '${vaultUri}secrets/${secretPrefix}--Database--ConnectionString', identity: identityId }
        { name: 'database-password', keyVaultUrl: '${vaultUri}secrets/${secretPrefix}--Database--Password', identity: identityId }
        { name: 'scaler-connection', keyVaultUrl: '${vaultUri}secrets/scaler--connection', identity: identityId }
      ]
    }
    template: {
      // above Web:ShutdownSeconds (20), so that nobody is killed
      terminationGracePeriodSeconds: 45
      containers: [
        {
          name: 'camino'
          image: image
          args: arguments
          env: settings
          resources: { cpu: json(cpu), memory: memory }
          probes: [
            { type: 'Startup', httpGet: { path: '/health/live', port: 8080 }, periodSeconds: 2, failureThreshold: 30 }
            { type: 'Liveness', httpGet: { path: '/health/live', port: 8080 }, periodSeconds: 20, failureThreshold: 3 }
            { type: 'Readiness', httpGet: { path: '/health/ready', port: 8080 }, periodSeconds: 5, failureThreshold: 2 }
          ]
          volumeMounts: [
            { volumeName: 'files', mountPath: '/var/lib/camino/files' }
            { volumeName: 'temporary', mountPath: '/tmp' }
            { volumeName: 'secrets', mountPath: '/run/secrets/camino' }
          ]
        }
      ]
      scale: { minReplicas: minReplicas, maxReplicas: maxReplicas, rules: rules }
      volumes: [
        { name: 'files', storageType: 'AzureFile', storageName: filesStorage }
        { name: 'temporary', storageType: 'EmptyDir' }
        {
          name: 'secrets'
          storageType: 'Secret'
          secrets: [
            { secretRef: 'database-connection', path: 'Database__ConnectionString' }
            { secretRef: 'database-password', path: 'Database__Password' }
          ]
        }
      ]
    }
  }
}

output address string = isPublic ? 'https://${role.properties.configuration.ingress.fqdn}' : ''
