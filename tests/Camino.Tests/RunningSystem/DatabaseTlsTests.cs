using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Camino.Host.Configuration;
using Camino.Host.Local;
using Npgsql;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>TLS to the database by configuration, on a server of its own.</summary>
[Parallelizable]
public sealed class DatabaseTlsTests
{
    private string _folder = "";
    private LocalPostgres _postgres = null!;
    private string _own = "";
    private string _other = "";

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("camino-tls-").FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, (UnixFileMode)Convert.ToInt32("755", 8));
        _postgres = await LocalPostgres.StartAsync(
            new LocalPostgresOptions { Folder = Path.Combine(_folder, "pg"), PackageFolder = Path.Combine(Repository.Root ?? _folder, ".camino", "postgres"), Say = TestContext.Out.WriteLine, ThrowAway = true }, CancellationToken.None);
        (_own, var certificate, var key) = Certificate();
        (_other, _, _) = Certificate();
        await using var source = NpgsqlDataSource.Create(_postgres.ConnectionString("postgres"));
        // the server writes its key itself, so that it is its own and nobody else's
        foreach (var (name, text) in new[] { ("tls.crt", certificate), ("tls.key", key) })
        {
            await using var write = source.CreateCommand($"copy (select unnest(string_to_array('{text.Trim()}', E'\\n'))) to program 'umask 077; cat > {name}'");
            await write.ExecuteNonQueryAsync();
        }

        foreach (var setting in new[] { "ssl_cert_file = 'tls.crt'", "ssl_key_file = 'tls.key'", "ssl = on" })
        {
            await using var set = source.CreateCommand($"alter system set {setting}");
            await set.ExecuteNonQueryAsync();
        }

        await using var reload = source.CreateCommand("select pg_reload_conf()");
        await reload.ExecuteNonQueryAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!await IsEncryptedAsync(DatabaseTls.Required, null, limit.Token))
            await Task.Delay(50, limit.Token);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _postgres.StopAsync(TimeSpan.Zero);
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task Required_is_encrypted_whoever_the_server_is() =>
        Assert.That(await IsEncryptedAsync(DatabaseTls.Required, null, CancellationToken.None), Is.True);

    [Test]
    public async Task Verified_takes_the_server_whose_certificate_the_file_vouches_for() =>
        Assert.That(await IsEncryptedAsync(DatabaseTls.Verified, _own, CancellationToken.None), Is.True);

    [Test]
    public void Verified_refuses_a_server_that_nobody_vouches_for()
    {
        Assert.That(async () => await EncryptedAsync(DatabaseTls.Verified, _other), Throws.InstanceOf<NpgsqlException>());
        Assert.That(async () => await EncryptedAsync(DatabaseTls.Verified, null), Throws.InstanceOf<NpgsqlException>(), "the machine's own authorities do not know it");
    }

    /// <summary>False while the server does not offer it yet.</summary>
    private async Task<bool> IsEncryptedAsync(DatabaseTls tls, string? root, CancellationToken ct)
    {
        try
        {
            return await EncryptedAsync(tls, root);
        }
        catch (NpgsqlException) when (!ct.IsCancellationRequested && ct.CanBeCanceled)
        {
            return false;
        }
    }

    private async Task<bool> EncryptedAsync(DatabaseTls tls, string? root)
    {
        var settings = new HostSettings
        {
            Role = Role.BackOffice,
            Database = new DatabaseSettings { ConnectionString = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString("postgres")) { Pooling = false }.ConnectionString, Tls = tls, RootCertificate = root },
        };
        await using var source = Camino.Host.Database.Connect(settings, "tls");
        await using var ask = source.CreateCommand("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
        return await ask.ExecuteScalarAsync() is true;
    }

    /// <summary>One that signs itself for this machine: where it is to be found, and both halves as text.</summary>
    private (string Path, string Certificate, string Key) Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=camino test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("127.0.0.1");
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(_folder, $"{Guid.CreateVersion7():N}.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        return (path, certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
