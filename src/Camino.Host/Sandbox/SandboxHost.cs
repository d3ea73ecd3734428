namespace Camino.Host.Sandbox;

/// <summary>The sandbox as a web server of its own: no database, no sign-in, the loopback address only.</summary>
internal static class SandboxHost
{
    /// <param name="address">On the loopback address.</param>
    public static WebApplication Build(string address, SandboxBehaviour behaviour)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || !uri.IsLoopback)
            throw new ArgumentException($"The sandbox listens on the loopback address only; got {address}.", nameof(address));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "camino", ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(address);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(behaviour);
        builder.Services.AddSingleton<SandboxServices>();
        var app = builder.Build();
        SandboxServices.Map(app);
        return app;
    }
}
