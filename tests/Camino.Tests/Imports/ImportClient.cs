using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Camino.Data;
using Camino.Imports;
using Camino.Jobs;
using Camino.Testing;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>Files in Camino's template, and what tests ask of an import's answer.</summary>
internal static class ImportClient
{
    /// <summary>A file in the template.</summary>
    public static byte[] Template(params string[] rows) => Encoding.UTF8.GetBytes(Layouts.TemplateCsv + "\n" + string.Join('\n', rows) + "\n");

    /// <summary>An invented loan that nothing is wrong with.</summary>
    public static string Row(string number, decimal disbursed = 100m, string name = "Maple Row Traders") =>
        string.Create(CultureInfo.InvariantCulture, $"{number},{name},,,GA,,,,2024-01-15,,36,,,{disbursed:0.00},{disbursed:0.00},,,,,,Open");

    /// <summary>So many loans with numbers and amounts of their own.</summary>
    public static string[] Rows(int count, string prefix = "R") => [.. Enumerable.Range(1, count).Select(i => Row(string.Create(CultureInfo.InvariantCulture, $"{prefix}-{i:000000}"), 1_000m + i))];

    public static string Status(this JsonElement import) => import.GetProperty("status").GetString() ?? "";

    public static long Number(this JsonElement import, string name) => import.GetProperty(name).GetInt64();

    public static string? ErrorCode(this JsonElement import) => import.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null;

    public static (long Rows, long Imported, long Unchanged, long Corrected, long Rejected) Counts(this JsonElement import) =>
        (import.Number("rows"), import.Number("imported"), import.Number("unchanged"), import.Number("corrected"), import.Number("rejected"));

    /// <summary>GET of a path below <c>/api/v1</c>.</summary>
    public static Task<JsonElement> GetAsync(this RunningCamino camino, string path) => camino.Api.GetFromJsonAsync<JsonElement>(new Uri("/api/v1" + path, UriKind.Relative));

    /// <summary>The download of rejected rows.</summary>
    public static Task<byte[]> RejectedAsync(this RunningCamino camino, JsonElement import) =>
        camino.Api.GetByteArrayAsync(new Uri($"/api/v1/imports/{import.GetProperty("importId").GetGuid()}/rejected", UriKind.Relative));

    /// <summary>POST without a body.</summary>
    public static Task<HttpResponseMessage> PostAsync(this HttpClient client, string path) => client.PostAsync(new Uri(path, UriKind.Relative), null);

    /// <summary>The code of a problem+json answer.</summary>
    public static async Task<string?> ProblemCodeAsync(this HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return JsonSerializer.Deserialize<JsonElement>(text).TryGetProperty("code", out var code) ? code.GetString() : text;
    }

    /// <summary>Every file in the store, finished or not.</summary>
    public static IReadOnlyList<string> StoredFiles(this RunningCamino camino) =>
        Directory.Exists(camino.FilesFolder) ? Directory.GetFiles(camino.FilesFolder, "*", SearchOption.AllDirectories) : [];

    /// <summary>Waits until a question to the database has the wanted answer.</summary>
    public static async Task UntilAsync<T>(this RunningCamino camino, string sql, Func<T?, bool> enough)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!enough(await camino.ScalarAsync<T>(sql)))
            await timer.WaitForNextTickAsync(limit.Token);
    }

    /// <summary>Has a job run by the Async Server, and waits until it is done.</summary>
    public static async Task RunJobAsync<T>(this RunningCamino camino, T args)
        where T : IJobArgs
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<CaminoDb>();
        var id = db.Enqueue(args);
        await db.SaveChangesAsync();
        await camino.UntilAsync<string>($"select coalesce((select state::text from jobs.finished where id = '{id}'), '')", state => state is { Length: > 0 });
        Assert.That(await camino.ScalarAsync<string>($"select state::text from jobs.finished where id = '{id}'"), Is.EqualTo("done"));
    }
}
