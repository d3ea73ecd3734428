using System.CommandLine;
using System.Text.Json;
using Camino.Applications.Underwriting;
using Camino.Host.Configuration;
using Camino.Host.Local;
using Camino.Lending;
using Camino.People;
using Camino.Screening;
using Camino.Servicing;

namespace Camino.Host.Verbs;

/// <summary>A container of the application's operations for verbs, on the Back Office's settings.</summary>
internal static class VerbServices
{
    public static async Task<ServiceProvider> BuildAsync(HostSettings settings, string purpose, CancellationToken ct)
    {
        var source = Database.Connect(settings, purpose);
        await using (var connection = await source.OpenConnectionAsync(ct))
        {
            if (Data.SchemaWindow.Refusal(await Data.SchemaWindow.ReadAsync(connection, ct), "...") is { } refusal)
                throw new Lending.RefusedException("schema.outside_window", refusal);
        }

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddDatabase(source);
        services.AddCaminoApplication(settings);
        services.AddHttpContextAccessor();
        services.AddAuthentication();
        services.AddDataProtection();
        services.AddCaminoIdentity(settings);
        return services.BuildServiceProvider();
    }

    /// <summary>The Back Office's settings with what <c>camino up</c> chose at its start.</summary>
    public static HostSettings OfRunning(string data)
    {
        var running = Running.Read(data) ?? throw new RefusedException("data.nothing_runs", $"Nothing runs on the data folder {data}; start ./camino up first, or name a configuration file with --config.");
        var office = running.Roles.First(r => r.Role == nameof(Role.BackOffice));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["CAMINO_Database__ConnectionString"] = running.ConnectionString, ["CAMINO_Files__Folder"] = running.FilesFolder };
        return HostConfig.Read(office.Config, environment);
    }
}

/// <summary><c>camino seed-demo --config FILE --data FOLDER</c>: invented users for trying Camino out; <c>camino up</c> calls it.</summary>
internal static class SeedDemoVerb
{
    private sealed record Kept(string Password, string ApiKey);

    public static Command Create()
    {
        var config = Options.Config();
        var data = new Option<string>("--data") { Description = "The data folder that keeps the demo password and key.", DefaultValueFactory = _ => ".camino" };
        var command = new Command("seed-demo", "Create the demo users that are missing and print them with their password and an API key, as JSON.") { config, data };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), parse.GetRequiredValue(data), ct));
        return command;
    }

    private static async Task<int> RunAsync(string? config, string data, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var services = await VerbServices.BuildAsync(settings, "seed-demo", ct);
        await using var scope = services.CreateAsyncScope();
        var seed = scope.ServiceProvider.GetRequiredService<SeedDemo>();
        var file = Path.Combine(data, "demo.json");
        var kept = File.Exists(file) ? JsonSerializer.Deserialize<Kept>(await File.ReadAllTextAsync(file, ct)) : null;
        var password = kept?.Password ?? SeedDemo.NewPassword();
        var users = await seed.RunAsync(password, ct);
        await scope.ServiceProvider.GetRequiredService<SeedBook>().RunAsync(await seed.OfficerIdAsync(ct), ct);
        await scope.ServiceProvider.GetRequiredService<SeedPolicy>().RunAsync(await seed.OfficerIdAsync(ct), ct);
        await scope.ServiceProvider.GetRequiredService<SeedLists>().RunAsync(await seed.OfficerIdAsync(ct), ct);
        var known = kept is not null && await seed.KnowsKeyAsync(kept.ApiKey, ct);
        var key = known && kept is not null ? kept.ApiKey : await seed.AddKeyAsync("demo", ct);
        Directory.CreateDirectory(data);
        var json = JsonSerializer.Serialize(new Kept(password, key));
        await File.WriteAllTextAsync(file, json, ct);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Console.WriteLine(JsonSerializer.Serialize(new { users, apiKey = key }, JsonSerializerOptions.Web));
        return 0;
    }
}

/// <summary><c>camino first-admin-link --config FILE</c>: the one-time link for the first administrator.</summary>
internal static class FirstAdminLinkVerb
{
    public static Command Create()
    {
        var config = Options.Config();
        var address = new Option<string?>("--address") { Description = "Address of the Back Office as a browser sees it; Web:Urls stands in for it." };
        var command = new Command("first-admin-link", "Print a one-time link with which the first administrator chooses a password. Prints nothing when there is an administrator.") { config, address };
        command.SetAction((parse, ct) => RunAsync(parse.GetValue(config), parse.GetValue(address), ct));
        return command;
    }

    private static async Task<int> RunAsync(string? config, string? address, CancellationToken ct)
    {
        var settings = HostConfig.Read(config);
        await using var services = await VerbServices.BuildAsync(settings, "first-admin-link", ct);
        await using var scope = services.CreateAsyncScope();
        var token = await scope.ServiceProvider.GetRequiredService<OfferFirstAdminLink>().RunAsync(ct);
        if (token is not null)
            Console.WriteLine($"{(address ?? settings.Web.Urls.Split(';')[0]).TrimEnd('/')}/first-admin?token={token}");
        return 0;
    }
}
