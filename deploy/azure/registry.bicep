// The registry of all environments, made once: images are pushed once and named by their digest.
//   az deployment group create --resource-group RG --template-file deploy/azure/registry.bicep --parameters name=caminoregistry
@minLength(5)
@maxLength(50)
param name string
param location string = resourceGroup().location

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  sku: { name: 'Premium' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    zoneRedundancy: 'Enabled'
    policies: {
      retentionPolicy: { status: 'enabled', days: 90 }
    }
  }
}

output loginServer string = registry.properties.loginServer
output id string = registry.id
