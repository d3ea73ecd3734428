// PostgreSQL inside the network, with backups that can be put back to any second of 35 days.
param prefix string
param location string
param subnetId string
param zoneId string
param sku object
param maxConnections int
param highAvailability bool
@secure()
param ownerPassword string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: '${prefix}-database'
  location: location
  sku: sku
  properties: {
    version: '17'
    administratorLogin: 'camino'
    administratorLoginPassword: ownerPassword
    storage: { storageSizeGB: 256, autoGrow: 'Enabled' }
    backup: { backupRetentionDays: 35, geoRedundantBackup: 'Enabled' }
    highAvailability: { mode: highAvailability ? 'ZoneRedundant' : 'Disabled' }
    network: {
      delegatedSubnetResourceId: subnetId
      privateDnsZoneArmResourceId: zoneId
      publicNetworkAccess: 'Disabled'
    }
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 7, startMinute: 0 }
  }

  resource database 'databases' = {
    name: 'camino'
    properties: { charset: 'UTF8', collation: 'C.UTF-8' }
  }

  resource connections 'configurations' = {
    name: 'max_connections'
    properties: { value: string(maxConnections), source: 'user-override' }
  }

  resource tls 'configurations' = {
    name: 'require_secure_transport'
    properties: { value: 'ON', source: 'user-override' }
    dependsOn: [connections]
  }

  resource idle 'configurations' = {
    name: 'idle_in_transaction_session_timeout'
    properties: { value: '120000', source: 'user-override' }
    dependsOn: [tls]
  }

  // the search's own index; the migration creates it
  resource extensions 'configurations' = {
    name: 'azure.extensions'
    properties: { value: 'PG_TRGM', source: 'user-override' }
    dependsOn: [idle]
  }
}

output host string = server.properties.fullyQualifiedDomainName
