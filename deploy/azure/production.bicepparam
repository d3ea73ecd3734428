using 'main.bicep'

param prefix = 'camino'
param registry = 'caminoregistry.azurecr.io'
param registryId = readEnvironmentVariable('CAMINO_REGISTRY_ID')
param image = readEnvironmentVariable('CAMINO_FIRST_IMAGE')
param databaseSku = { name: 'Standard_D4ds_v5', tier: 'GeneralPurpose' }
param maxConnections = 500
param maxReplicas = 6
param minBackOffices = 3
param highAvailability = true
param budget = 2500
param budgetFrom = '2027-01-01'
param budgetMails = ['operations@camino.example']
param ownerPassword = readEnvironmentVariable('CAMINO_OWNER_PASSWORD')
