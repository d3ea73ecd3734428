// Every night a dump of the whole database and the files that were handed in, on a share of its own (docs/operating.md, Backups). It stands beside the server's own
// backups, which bring the database back to any second of 35 days: a dump is read by any PostgreSQL, and its age is a figure with an alert.
param name string
param location string
param environmentId string
param identityId string
param vaultUri string
param filesStorage string
param backupsStorage string

@description('POSTGRES_IMAGE of deploy/images.env: it has pg_dump and a shell, which the image of the roles lacks.')
param image string = 'docker.io/library/postgres:18.4-alpine3.22'

resource backup 'Microsoft.App/jobs@2024-03-01' = {
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
      triggerType: 'Schedule'
      scheduleTriggerConfig: { cronExpression: '10 7 * * *', parallelism: 1, replicaCompletionCount: 1 }
      replicaTimeout: 21600
      replicaRetryLimit: 2
      secrets: [
        { name: 'program', value: loadTextContent('../postgres/backup.sh') }
        { name: 'owner-connection', keyVaultUrl: '${vaultUri}secrets/operator--Migration--ConnectionString', identity: identityId }
        { name: 'owner-password', keyVaultUrl: '${vaultUri}secrets/operator--Migration--Password', identity: identityId }
      ]
    }
    template: {
      containers: [
        {
          name: 'backup'
          image: image
          command: ['sh', '/run/secrets/camino/backup.sh']
          args: ['once']
          env: [
            { name: 'BACKUP_FOLDER', value: '/backups' }
            { name: 'BACKUP_FILES', value: '/files' }
            { name: 'BACKUP_CONNECTION', value: '/run/secrets/camino/Migration__ConnectionString' }
            { name: 'BACKUP_PASSWORD', value: '/run/secrets/camino/Migration__Password' }
          ]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: [
            { volumeName: 'secrets', mountPath: '/run/secrets/camino' }
            { volumeName: 'files', mountPath: '/files' }
            { volumeName: 'backups', mountPath: '/backups' }
          ]
        }
      ]
      volumes: [
        {
          name: 'secrets'
          storageType: 'Secret'
          secrets: [
            { secretRef: 'program', path: 'backup.sh' }
            { secretRef: 'owner-connection', path: 'Migration__ConnectionString' }
            { secretRef: 'owner-password', path: 'Migration__Password' }
          ]
        }
        { name: 'files', storageType: 'AzureFile', storageName: filesStorage }
        { name: 'backups', storageType: 'AzureFile', storageName: backupsStorage }
      ]
    }
  }
}
