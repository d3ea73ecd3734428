using System.Text.Json;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>Every package that comes with us or builds us was looked at, and its licence is one that a lender may ship.</summary>
public sealed class LicenceTests
{
    /// <summary>Package and licence, as its own package says it. Look at the licence before adding a line.</summary>
    private static readonly Dictionary<string, string> Reviewed = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AWSSDK.Core"] = "Apache-2.0",
        ["AWSSDK.Extensions.Numerics"] = "Apache-2.0",
        ["AWSSDK.S3"] = "Apache-2.0",
        ["BouncyCastle.Cryptography"] = "MIT",
        ["Deque.AxeCore.Commons"] = "MPL-2.0",
        ["Fluid.Core"] = "MIT",
        ["FsCheck"] = "BSD-3-Clause",
        ["FSharp.Core"] = "MIT",
        ["Humanizer.Core"] = "MIT",
        ["MailKit"] = "MIT",
        ["Meziantou.Analyzer"] = "MIT",
        ["Microsoft.ApplicationInsights"] = "MIT",
        ["Microsoft.AspNetCore.Authentication.OpenIdConnect"] = "MIT",
        ["Microsoft.AspNetCore.Identity.EntityFrameworkCore"] = "MIT",
        ["Microsoft.AspNetCore.OpenApi"] = "MIT",
        ["Microsoft.Bcl.AsyncInterfaces"] = "MIT",
        ["Microsoft.Bcl.Cryptography"] = "MIT",
        ["Microsoft.Build.Framework"] = "MIT",
        ["Microsoft.CodeAnalysis.Analyzers"] = "MIT",
        ["Microsoft.CodeAnalysis.BannedApiAnalyzers"] = "MIT",
        ["Microsoft.CodeAnalysis.Common"] = "MIT",
        ["Microsoft.CodeAnalysis.CSharp"] = "MIT",
        ["Microsoft.CodeAnalysis.CSharp.Workspaces"] = "MIT",
        ["Microsoft.CodeAnalysis.Workspaces.Common"] = "MIT",
        ["Microsoft.CodeAnalysis.Workspaces.MSBuild"] = "MIT",
        ["Microsoft.CodeCoverage"] = "MIT",
        ["Microsoft.EntityFrameworkCore"] = "MIT",
        ["Microsoft.EntityFrameworkCore.Abstractions"] = "MIT",
        ["Microsoft.EntityFrameworkCore.Analyzers"] = "MIT",
        ["Microsoft.EntityFrameworkCore.Design"] = "MIT",
        ["Microsoft.EntityFrameworkCore.Relational"] = "MIT",
        ["Microsoft.Extensions.DependencyModel"] = "MIT",
        ["Microsoft.IdentityModel.Abstractions"] = "MIT",
        ["Microsoft.IdentityModel.JsonWebTokens"] = "MIT",
        ["Microsoft.IdentityModel.Logging"] = "MIT",
        ["Microsoft.IdentityModel.Protocols"] = "MIT",
        ["Microsoft.IdentityModel.Protocols.OpenIdConnect"] = "MIT",
        ["Microsoft.IdentityModel.Tokens"] = "MIT",
        ["Microsoft.NET.StringTools"] = "MIT",
        ["MimeKit"] = "MIT",
        ["Microsoft.NET.Test.Sdk"] = "MIT",
        ["Microsoft.OpenApi"] = "MIT",
        ["Microsoft.Playwright"] = "MIT",
        ["Microsoft.Testing.Extensions.Telemetry"] = "MIT",
        ["Microsoft.Testing.Extensions.TrxReport.Abstractions"] = "MIT",
        ["Microsoft.Testing.Extensions.VSTestBridge"] = "MIT",
        ["Microsoft.Testing.Platform"] = "MIT",
        ["Microsoft.Testing.Platform.MSBuild"] = "MIT",
        ["Microsoft.TestPlatform.AdapterUtilities"] = "MIT",
        ["Microsoft.TestPlatform.ObjectModel"] = "MIT",
        ["Microsoft.TestPlatform.TestHost"] = "MIT",
        ["Microsoft.Win32.SystemEvents"] = "MIT",
        ["Namotion.Reflection"] = "MIT",
        ["Newtonsoft.Json"] = "MIT",
        ["NJsonSchema"] = "MIT",
        ["NJsonSchema.Annotations"] = "MIT",
        ["NJsonSchema.CodeGeneration"] = "MIT",
        ["NJsonSchema.CodeGeneration.CSharp"] = "MIT",
        ["Npgsql"] = "PostgreSQL",
        ["Npgsql.EntityFrameworkCore.PostgreSQL"] = "PostgreSQL",
        ["NSwag.CodeGeneration"] = "MIT",
        ["NSwag.CodeGeneration.CSharp"] = "MIT",
        ["NSwag.Core"] = "MIT",
        ["NUnit"] = "MIT",
        ["NUnit.Analyzers"] = "MIT",
        ["NUnit3TestAdapter"] = "MIT",
        ["OpenTelemetry"] = "Apache-2.0",
        ["OpenTelemetry.Api"] = "Apache-2.0",
        ["OpenTelemetry.Api.ProviderBuilderExtensions"] = "Apache-2.0",
        ["OpenTelemetry.Exporter.OpenTelemetryProtocol"] = "Apache-2.0",
        ["Parlot"] = "BSD-3-Clause",
        ["PDFsharp"] = "MIT",
        ["PdfPig"] = "Apache-2.0",
        ["QRCoder"] = "MIT",
        ["Serilog"] = "Apache-2.0",
        ["Serilog.Extensions.Logging"] = "Apache-2.0",
        ["Serilog.Sinks.Console"] = "Apache-2.0",
        ["System.CommandLine"] = "MIT",
        ["System.ComponentModel.Annotations"] = "MIT",
        ["System.Composition"] = "MIT",
        ["System.Composition.AttributedModel"] = "MIT",
        ["System.Composition.Convention"] = "MIT",
        ["System.Composition.Hosting"] = "MIT",
        ["System.Composition.Runtime"] = "MIT",
        ["System.Composition.TypedParts"] = "MIT",
        ["System.IdentityModel.Tokens.Jwt"] = "MIT",
        ["YamlDotNet"] = "MIT",
        ["System.Drawing.Common"] = "MIT",
        ["System.IO.Abstractions"] = "MIT",
        ["System.IO.Hashing"] = "MIT",
        ["System.Security.Cryptography.Pkcs"] = "MIT",
        ["TimeZoneConverter"] = "MIT",
    };

    private static readonly string[] Allowed = ["MIT", "Apache-2.0", "BSD-3-Clause", "PostgreSQL"];

    /// <summary>Binds who changes its files, not who uses them; fine where nothing of it is handed on, so only in tests.</summary>
    private const string OnlyInTests = "MPL-2.0";

    [Test]
    public void Every_package_has_a_reviewed_licence()
    {
        var used = House.Files("", ".json").Where(file => Path.GetFileName(file) == "packages.lock.json").SelectMany(Packages).Distinct(StringComparer.OrdinalIgnoreCase).ToList();

        Assert.That(used, Is.Not.Empty);
        Assert.That(used.Where(id => !Reviewed.ContainsKey(id)), Is.Empty, "Look at the licence of these packages, then add them to the list in this file.");
        Assert.That(Reviewed.Where(package => !Allowed.Contains(package.Value) && package.Value != OnlyInTests), Is.Empty);
    }

    [Test]
    public void What_is_handed_on_binds_nobody()
    {
        var shipped = House.Files("src", ".json").Where(file => Path.GetFileName(file) == "packages.lock.json").SelectMany(Packages).Distinct(StringComparer.OrdinalIgnoreCase);

        Assert.That(shipped.Where(id => Reviewed.GetValueOrDefault(id) == OnlyInTests), Is.Empty);
    }

    private static IEnumerable<string> Packages(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        return
        [
            .. from framework in json.RootElement.GetProperty("dependencies").EnumerateObject()
               from package in framework.Value.EnumerateObject()
               where package.Value.GetProperty("type").GetString() != "Project"
               select package.Name,
        ];
    }
}
