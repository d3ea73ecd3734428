using System.Net;
using System.Security.Cryptography;
using System.Text;
using Camino.People;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>What was stolen elsewhere is no password here, and finding that out needs no network.</summary>
internal sealed class BreachedPasswordsTests
{
    private const string Stolen = "seven clumsy walruses waltz";

    private string _folder = "";

    private string File => Path.Combine(_folder, "record.txt");

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("camino-record-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("\n", true)]
    [TestCase("\n", false)]
    [TestCase("\r\n", true)]
    [TestCase("\r\n", false)]
    public void Every_password_of_a_record_is_found_and_no_other(string end, bool isEnded)
    {
        foreach (var count in (int[])[1, 2, 3, 7, 1_000])
        {
            Write([.. Enumerable.Range(0, count).Select(n => $"stolen {n}")], end, isEnded);
            var record = new BreachedPasswords(File);

            Assert.That(BreachedPasswords.Fault(File), Is.Null);
            Assert.That(Enumerable.Range(0, count).Where(n => !record.Contains($"stolen {n}")), Is.Empty);
            Assert.That(Enumerable.Range(0, 1_000).Where(n => record.Contains($"kept {n}")), Is.Empty);
        }
    }

    [Test]
    public void Without_a_record_nothing_is_in_it() => Assert.That(new BreachedPasswords(null).Contains(Stolen), Is.False);

    [TestCase("", "shorter than one SHA-1 hash")]
    [TestCase("password\n123456\nqwerty\nletmein\nfootball\nmonkey\ndragon\n", "not an upper-case SHA-1 hash")]
    [TestCase("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n", "not an upper-case SHA-1 hash")]
    [TestCase("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8;37\n", "not an upper-case SHA-1 hash")]
    [TestCase("FBAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n0BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\n", "not in their order")]
    public void A_file_of_another_kind_is_told_from_a_record(string text, string said)
    {
        System.IO.File.WriteAllText(File, text);

        Assert.That(BreachedPasswords.Fault(File), Does.Contain(said));
        if (text.Length > 0 && !said.Contains("order", StringComparison.Ordinal))
            Assert.That(() => new BreachedPasswords(File).Contains(Stolen), Throws.InstanceOf<Camino.Lending.RefusedException>().With.Property("Code").EqualTo("password.record"));
    }

    [Test]
    public async Task Nobody_chooses_a_password_of_the_record_and_without_the_record_nobody_chooses_any()
    {
        Write([Stolen, "another one of them"], "\r\n", isEnded: true);
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        await using var office = await camino.StartSecondOfficeAsync(change: settings => settings.SignIn.BreachedPasswords = File);
        await camino.AddStaffAsync("stolen@lender.example", StaffRoles.Viewer, "Pat");
        using var browser = new StaffBrowser(RunningCamino.AddressOf(office));
        (await browser.SignInAsync("stolen@lender.example")).Dispose();

        Assert.That(await ChangeAsync(browser, Stolen), Does.Contain("stolen elsewhere").And.Not.Contain(Stolen));

        System.IO.File.Move(File, File + ".gone");
        Assert.That(await ChangeAsync(browser, "harbor violet engine stone"), Does.Contain("record of stolen passwords cannot be read"));

        System.IO.File.Move(File + ".gone", File);
        Assert.That(await ChangeAsync(browser, "harbor violet engine stone"), Is.EqualTo("/sign-in"));
    }

    /// <returns>Where it led, or the page that refused it.</returns>
    private static async Task<string?> ChangeAsync(StaffBrowser browser, string password)
    {
        using var answer = await browser.PostAsync("/password", "/password", ("present", RunningCamino.Password), ("password", password), ("passwordAgain", password));
        return answer.StatusCode == HttpStatusCode.Redirect ? answer.Headers.Location?.ToString() : await answer.Content.ReadAsStringAsync();
    }

    private void Write(IReadOnlyList<string> passwords, string end, bool isEnded)
    {
        var lines = passwords.Select(password => Convert.ToHexString(SHA1.HashData(Encoding.UTF8.GetBytes(password)))).Order(StringComparer.Ordinal).Select((hash, n) => n % 3 == 0 ? hash : $"{hash}:{n * 7_919}");
        System.IO.File.WriteAllText(File, string.Join(end, lines) + (isEnded ? end : ""));
    }
}
