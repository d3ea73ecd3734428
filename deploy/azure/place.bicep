// Where the container apps run, their log, the share that both roles keep files in, and the one for the nightly backup.
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

// an account of its own, in two regions: whoever loses the files keeps their copy
resource backups 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: '${replace(prefix, '-', '')}backups'
  location: location
  sku: { name: 'Standard_GZRS' }
  kind: 'StorageV2'
  properties: {
    minimumTlsVersion: 'TLS1_2'
    allowBlobPublicAccess: false
    supportsHttpsTrafficOnly: true
  }

  resource service 'fileServices' = {
    name: 'default'
    properties: { shareDeleteRetentionPolicy: { enabled: true, days: 35 } }

    resource share 'shares' = {
      name: 'backups'
      properties: { shareQuota: 2048 }
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

  resource backupStorage 'storages' = {
    name: 'backups'
    properties: {
      azureFile: {
        accountName: backups.name
        accountKey: backups.listKeys().keys[0].value
        shareName: 'backups'
        accessMode: 'ReadWrite'
      }
    }
  }
}

output environmentId string = environment.id
output filesStorage string = 'files'
output backupsStorage string = 'backups'
