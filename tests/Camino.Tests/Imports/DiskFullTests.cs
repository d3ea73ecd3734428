using System.Diagnostics;
using System.Net;
using Camino.Imports;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.Imports;

/// <summary>A disk that is really full: the files folder lies on a file system of 512 KB.</summary>
internal sealed class DiskFullTests
{
    private const string MountProgram = "/bin/mount";
    private const string UnmountProgram = "/bin/umount";
    private string _disk = "";
    private RunningCamino _camino = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _disk = Directory.CreateTempSubdirectory("camino-small-disk-").FullName;
        if (!OperatingSystem.IsLinux() || !File.Exists(MountProgram) || !await SucceedsAsync(MountProgram, "-t", "tmpfs", "-o", "size=512k", "camino-test", _disk))
            Assert.Ignore("A small file system can be mounted by root on Linux only.");
        _camino = await RunningCamino.StartAsync(filesFolder: Path.Combine(_disk, "files"));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_camino is not null)
        {
            await _camino.DisposeAsync();
            await SucceedsAsync(UnmountProgram, _disk);
        }

        Directory.Delete(_disk, recursive: true);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_full_disk_is_told_in_words_and_leaves_nothing_and_the_next_file_that_fits_goes_in(bool sizeAnnounced)
    {
        var rows = ImportClient.Rows(20_000); // 1.4 MB
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/imports?fileName=large.csv", UriKind.Relative)) { Content = new ByteArrayContent(ImportClient.Template(rows)) };
        request.Headers.TransferEncodingChunked = !sizeAnnounced;
        using var answer = await _camino.Api.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.InsufficientStorage), await answer.Content.ReadAsStringAsync());
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(await answer.ProblemCodeAsync(), Is.EqualTo("import.disk_full"));
        Assert.That(_camino.StoredFiles().Where(file => new FileInfo(file).Length > 100_000), Is.Empty);
        Assert.That(await _camino.ScalarAsync<long>("select count(*) from camino.imports where file_name = 'large.csv'"), Is.Zero);

        var small = await _camino.ImportAsync(ImportClient.Template(ImportClient.Rows(10)), "small.csv");
        Assert.That(small.Status(), Is.EqualTo("done"));
    }

    [Test]
    public void A_folder_that_cannot_be_written_is_no_fault_of_the_sender()
    {
        var file = Path.Combine(_disk, "a-file-where-a-folder-should-be");
        File.WriteAllText(file, "");
        var store = new FileStore(new FileStoreOptions(file, 1_000_000));

        Assert.That(async () => await store.SaveAsync(Guid.CreateVersion7(), new MemoryStream([1]), null, CancellationToken.None), Throws.TypeOf<FileStoreException>());
    }

    private static async Task<bool> SucceedsAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true });
        if (process is null)
            return false;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
