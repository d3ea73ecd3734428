// Where the container apps run, their log, and the share that both roles keep files in.
param prefix string
param location string
param subnetId string

resource log 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: '${prefix}-log'
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90
  }
}

resource files 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${replace(prefix, '-', '')}files'
  location: location
  sku: { name: 'Standard_ZRS' }
  kind: 'StorageV2'
  properties: {
    minimumTlsVersion: 'TLS1_2'
    allowBlobPublicAccess: false
    supportsHttpsTrafficOnly: true
  }

  resource service 'fileServices' = {
    name: 'default'

    resource share 'shares' = {
      name: 'files'
      properties: { shareQuota: 1024 }
    }
  }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: '${prefix}-apps'
  location: location
  properties: {
    zoneRedundant: true
    vnetConfiguration: { infrastructureSubnetId: subnetId, internal: false }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: log.properties.customerId
        sharedKey: log.listKeys().primarySharedKey
      }
    }
  }

  resource storage 'storages' = {
    name: 'files'
    properties: {
      azureFile: {
        accountName: files.name
        accountKey: files.listKeys().keys[0].value
        shareName: 'files'
        accessMode: 'ReadWrite'
      }
    }
  }
}

output environmentId string = environment.id
output filesStorage string = 'files'
