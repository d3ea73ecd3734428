// One identity a role and one for the operator's verbs: each reads its own secrets and nothing else.
param prefix string
param location string

resource backOfficeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-back-office'
  location: location
}

resource asyncIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-async'
  location: location
}

resource operatorIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-operator'
  location: location
}

output backOffice object = { id: backOfficeIdentity.id, principalId: backOfficeIdentity.properties.principalId }
output async object = { id: asyncIdentity.id, principalId: asyncIdentity.properties.principalId }
output operator object = { id: operatorIdentity.id, principalId: operatorIdentity.properties.principalId }
