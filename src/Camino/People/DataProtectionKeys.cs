using System.Xml.Linq;
using Camino.Data;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Camino.People;

/// <summary>Keeps the data-protection keys in the database, so that any Back Office can read any cookie.</summary>
public sealed class DataProtectionKeys(NpgsqlDataSource source, IServiceScopeFactory scopes) : IXmlRepository
{
    /// <inheritdoc/>
    /// <remarks>Asked before the first request is served, and so by a statement of its own: building the model of <see cref="CaminoDb"/> takes longer than all the rest of the start.</remarks>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = source.CreateCommand("select xml from camino.data_protection_keys order by id");
        using var reader = command.ExecuteReader();
        var keys = new List<XElement>();
        while (reader.Read())
            keys.Add(XElement.Parse(reader.GetString(0)));
        return keys;
    }

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        db.DataProtectionKeys.Add(new DataProtectionKeyRow { FriendlyName = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting) });
        db.SaveChanges();
    }
}
