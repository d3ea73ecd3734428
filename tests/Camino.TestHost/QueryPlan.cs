using Npgsql;

namespace Camino.Testing;

/// <summary>What PostgreSQL means to do with a statement.</summary>
public static class QueryPlan
{
    /// <summary>The plan as <c>explain</c> tells it; the statement does not run.</summary>
    /// <param name="command">With its parameters; its text is changed.</param>
    public static async Task<string> OfAsync(NpgsqlCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        command.CommandText = "explain " + command.CommandText;
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync())
            lines.Add(rows.GetString(0));
        return string.Join('\n', lines);
    }
}
