using Camino.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Npgsql;

namespace Camino.Host;

/// <summary>For <c>dotnet ef migrations add</c>: the same model as at run time, no server needed.</summary>
public sealed class DesignTime : IDesignTimeDbContextFactory<CaminoDb>
{
    /// <inheritdoc/>
    public CaminoDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<CaminoDb>();
        Database.Configure(options, NpgsqlDataSource.Create("Host=localhost;Database=camino"));
        return new CaminoDb(options.Options);
    }
}
