using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.Loader;
using Camino.Clients;
using Camino.People;
using Camino.Testing;
using Camino.Tests.HouseRules;
using Camino.Web.Reference;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.DependencyInjection;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using NUnit.Framework;

namespace Camino.Tests.Api;

/// <summary>A client that a generator makes of the API's description works against the API, as the program of somebody who read nothing else.</summary>
internal sealed class GeneratedClientTests
{
    private static readonly string[] Scopes = ["borrowers:read", "loans:read", "loans:book", "applications:create", "applications:read"];

    [Test]
    public async Task A_generated_client_reads_through_pages_hands_an_application_in_once_and_reads_a_refusal_as_its_type()
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        var book = new ServicedBook(camino);
        await book.PrepareAsync();
        for (var i = 0; i < 51; i++) // a page has 50
            await book.BookedLoanAsync(borrower: FormattableString.Invariant($"Harbor Lantern {i + 1}"));
        using var http = camino.Client();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await KeyAsync(camino));

        var code = await GenerateAsync(await http.GetStringAsync(new Uri(ApiDocument.Address, UriKind.Relative)));
        Assert.That(code, Does.Contain("class OwnerInput").And.Contain("class ApplicationOwnerInput").And.Not.Match(@"class Owners\d?\b"), "What a list holds has the name of its type, and none that the generator invented.");
        var journey = Compile(code, await File.ReadAllTextAsync(Path.Combine(House.Root, "tests/Camino.Tests/Api/client/Journey.cs.txt")));
        var seen = await journey(http);

        Assert.That(seen["loans"], Is.EqualTo("50 + 1, all different"));
        Assert.That(seen["borrowers"], Is.EqualTo("50 + 1, all different"));
        Assert.That(seen["loan"], Does.Match("^WC-12 for Harbor Lantern [0-9]+$"));
        Assert.That(seen["application"], Is.EqualTo("taken in once, generated as the same"));
        Assert.That(seen["refusal"], Does.StartWith("422 ").And.Contain("amount"));
        Assert.That(seen["scope"], Is.EqualTo("403"));
    }

    private static async Task<string> GenerateAsync(string description)
    {
        var settings = new CSharpClientGeneratorSettings { ClassName = "CaminoClient", ExceptionClass = "CaminoException", DisposeHttpClient = false, UseBaseUrl = false, GenerateOptionalParameters = true };
        settings.CSharpGeneratorSettings.Namespace = "Generated";
        settings.CSharpGeneratorSettings.JsonLibrary = CSharpJsonLibrary.SystemTextJson;
        settings.CSharpGeneratorSettings.DateType = "System.DateOnly";
        settings.CSharpGeneratorSettings.GenerateNullableReferenceTypes = true;
        settings.CSharpGeneratorSettings.GenerateOptionalPropertiesAsNullable = true;
        return new CSharpClientGenerator(await OpenApiDocument.FromJsonAsync(description), settings).GenerateFile();
    }

    /// <summary>The generated client and a program that uses it, as one assembly.</summary>
    private static Func<HttpClient, Task<IReadOnlyDictionary<string, string>>> Compile(string client, string program)
    {
        var platform = ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "").Split(Path.PathSeparator).Select(file => MetadataReference.CreateFromFile(file));
        var compilation = CSharpCompilation.Create("camino-client", [CSharpSyntaxTree.ParseText(client), CSharpSyntaxTree.ParseText(program)], platform, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        using var bytes = new MemoryStream();
        var made = compilation.Emit(bytes);
        Assert.That(made.Diagnostics.Where(one => one.Severity == DiagnosticSeverity.Error).Select(one => one.ToString()), Is.Empty);
        bytes.Position = 0;
        var run = AssemblyLoadContext.Default.LoadFromStream(bytes).GetType("Journey")?.GetMethod("RunAsync", BindingFlags.Public | BindingFlags.Static) ?? throw new InvalidOperationException("The program has no Journey.RunAsync.");
        return run.CreateDelegate<Func<HttpClient, Task<IReadOnlyDictionary<string, string>>>>();
    }

    private static async Task<string> KeyAsync(RunningCamino camino)
    {
        await using var scope = camino.Office.Services.CreateAsyncScope();
        var (_, key) = await scope.ServiceProvider.GetRequiredService<AddClient>().RunAsync("Generated", new ClientTerms(Scopes, ClientTerms.MostAMinute, ClientTerms.MostInBurst, null), null, new StaffActor(null, "test"), CancellationToken.None);
        return key;
    }
}
