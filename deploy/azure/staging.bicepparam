using 'main.bicep'

param prefix = 'caminostage'
param registry = 'caminoregistry.azurecr.io'
param registryId = readEnvironmentVariable('CAMINO_REGISTRY_ID')
param image = readEnvironmentVariable('CAMINO_FIRST_IMAGE')
param databaseSku = { name: 'Standard_D2ds_v5', tier: 'GeneralPurpose' }
param maxConnections = 200
param maxReplicas = 2
param minBackOffices = 2
param highAvailability = false
param budget = 600
param budgetFrom = '2027-01-01'
param budgetMails = ['operations@camino.example']
param ownerPassword = readEnvironmentVariable('CAMINO_OWNER_PASSWORD')
