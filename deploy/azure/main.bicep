// One environment of Camino on Azure: both roles as container apps from one module, PostgreSQL without a public address, key vault, identities, budget.
//   az deployment group create --resource-group RG --template-file deploy/azure/main.bicep --parameters deploy/azure/production.bicepparam
// It makes the place once; releases come in by deploy/scripts (CAMINO_TARGET=containerapps), which change the image and nothing here.
targetScope = 'resourceGroup'

@description('Prefix of every name; the scripts know it as CAMINO_PREFIX.')
@minLength(3)
@maxLength(12)
param prefix string

@description('Where everything is.')
param location string = resourceGroup().location

@description('Login server of the registry that deploy/azure/registry.bicep made; shared by all environments, so that the digest that was tried is the digest that goes out.')
param registry string

@description('Resource id of that registry.')
param registryId string

@description('The first image, by digest: registry/camino@sha256:...; later ones come by deploy/scripts/deploy-role.')
param image string

@description('Size of the database server.')
param databaseSku object

@description('Connections that the server takes; the budget of camino check must fit.')
@minValue(100)
@maxValue(5000)
param maxConnections int

@description('Processes of one role at most; Database:MaxReplicas.')
@minValue(1)
@maxValue(30)
param maxReplicas int

@description('Fewest Back Offices.')
@minValue(1)
param minBackOffices int

@description('Two zones for the database, and a copy that takes over.')
param highAvailability bool

@description('US dollars a month; at 80 and 100 percent the people of budgetMails are told.')
@minValue(1)
param budget int

@description('First day of a month, for the budget.')
param budgetFrom string

@description('Who is told.')
param budgetMails array

@description('Password of the database owner, given once; kept in the key vault.')
@secure()
param ownerPassword string

module network 'network.bicep' = {
  name: 'network'
  params: {
    prefix: prefix
    location: location
  }
}

module identity 'identity.bicep' = {
  name: 'identity'
  params: {
    prefix: prefix
    location: location
  }
}

module pull 'pull.bicep' = {
  name: 'pull'
  scope: resourceGroup(split(registryId, '/')[2], split(registryId, '/')[4])
  params: {
    registryName: last(split(registryId, '/'))
    principals: [
      identity.outputs.backOffice.principalId
      identity.outputs.async.principalId
      identity.outputs.operator.principalId
    ]
  }
}

module database 'database.bicep' = {
  name: 'database'
  params: {
    prefix: prefix
    location: location
    subnetId: network.outputs.databaseSubnetId
    zoneId: network.outputs.databaseZoneId
    sku: databaseSku
    maxConnections: maxConnections
    highAvailability: highAvailability
    ownerPassword: ownerPassword
  }
}

module vault 'vault.bicep' = {
  name: 'vault'
  params: {
    prefix: prefix
    location: location
    subnetId: network.outputs.endpointSubnetId
    zoneId: network.outputs.vaultZoneId
    ownerPassword: ownerPassword
    readers: [
      identity.outputs.backOffice.principalId
      identity.outputs.async.principalId
      identity.outputs.operator.principalId
    ]
  }
}

module place 'place.bicep' = {
  name: 'place'
  params: {
    prefix: prefix
    location: location
    subnetId: network.outputs.appsSubnetId
  }
}

// what is the same for both roles; the configuration file of the image says the rest
var settings = [
  { name: 'CAMINO_Web__Urls', value: 'http://0.0.0.0:8080' }
  { name: 'CAMINO_Files__Folder', value: '/var/lib/camino/files' }
  { name: 'CAMINO_SecretsFolder', value: '/run/secrets/camino' }
  { name: 'CAMINO_Log__Format', value: 'Json' }
  { name: 'CAMINO_Database__MaxReplicas', value: string(maxReplicas) }
  { name: 'CAMINO_Database__MaxPoolSize', value: '16' }
  { name: 'CAMINO_Database__Tls', value: 'Verified' }
  { name: 'CAMINO_IMAGE', value: image }
]

// the fork: one module, twice
module roles 'role.bicep' = [
  for role in [
    {
      name: 'back-office'
      config: 'appsettings.BackOffice.json'
      identityId: identity.outputs.backOffice.id
      isPublic: true
      own: [{ name: 'CAMINO_Web__BehindProxy', value: 'true' }]
      minReplicas: minBackOffices
      cpu: '1.0'
      memory: '2Gi'
      rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '40' } } }]
    }
    {
      name: 'async'
      config: 'appsettings.Async.json'
      identityId: identity.outputs.async.id
      isPublic: false
      own: []
      minReplicas: 1
      cpu: '1.0'
      memory: '2Gi'
      rules: [
        {
          name: 'waiting-work'
          custom: {
            type: 'postgresql'
            metadata: {
              query: 'select in_flight + due_soon + case when oldest_seconds > 10 then ready else least(ready, 4) end from camino.async_demand()'
              targetQueryValue: '8'
            }
            auth: [{ secretRef: 'scaler-connection', triggerParameter: 'connection' }]
          }
        }
      ]
    }
  ]: {
    name: 'role-${role.name}'
    dependsOn: [pull, database]
    params: {
      name: '${prefix}-${role.name}'
      location: location
      environmentId: place.outputs.environmentId
      filesStorage: place.outputs.filesStorage
      registry: registry
      image: image
      identityId: role.identityId
      vaultUri: vault.outputs.uri
      secretPrefix: role.name
      arguments: ['run', '--config', role.config]
      settings: concat(settings, role.own)
      isPublic: role.isPublic
      minReplicas: role.minReplicas
      maxReplicas: maxReplicas
      cpu: role.cpu
      memory: role.memory
      rules: role.rules
    }
  }
]

module operator 'operator.bicep' = {
  name: 'operator'
  dependsOn: [pull, database]
  params: {
    name: '${prefix}-operator'
    location: location
    environmentId: place.outputs.environmentId
    registry: registry
    image: image
    identityId: identity.outputs.operator.id
    vaultUri: vault.outputs.uri
    settings: settings
  }
}

module backup 'backup.bicep' = {
  name: 'backup'
  dependsOn: [database]
  params: {
    name: '${prefix}-backup'
    location: location
    environmentId: place.outputs.environmentId
    identityId: identity.outputs.operator.id
    vaultUri: vault.outputs.uri
    filesStorage: place.outputs.filesStorage
    backupsStorage: place.outputs.backupsStorage
  }
}

module alert 'budget.bicep' = {
  name: 'budget'
  params: {
    prefix: prefix
    amount: budget
    from: budgetFrom
    mails: budgetMails
  }
}

output address string = roles[0].outputs.address
