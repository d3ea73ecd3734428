using System.Diagnostics;
using Camino.Testing;
using NUnit.Framework;

namespace Camino.Tests.RunningSystem;

/// <summary>How often a page asks the database: counted by the driver's own trace of each statement, so that nobody adds one for each line of a list.</summary>
[NonParallelizable] // what listens to traces hears everybody's
internal sealed class StatementsPerPageTests
{
    /// <summary>Besides the three of the page: who the session belongs to, with what of the frame around a page is the reader's own.</summary>
    private const int OfTheFrame = 1;

    [TestCase("/loans", 3)]
    [TestCase("/borrowers", 3)]
    [TestCase("/servicing", 4)] // the list, how many there are, the saved filters, and what its own filter can choose from
    [TestCase("/applications", 3)]
    [TestCase("/tasks", 3)]
    [TestCase("/portfolio", 3)]
    [TestCase("/imports", 3)]
    [TestCase("/approvals", 3)]
    [TestCase("/screening", 4)] // four lists on one page
    public async Task A_page_asks_the_database_no_more_often_than_its_limit(string path, int most)
    {
        await using var camino = await RunningCamino.StartAsync(withAsync: false);
        using var staff = new StaffBrowser(camino.OfficeAddress);
        (await staff.SignInAsync("admin")).Dispose();
        await staff.PageAsync(path); // what is asked once in a while is remembered from here
        var statements = new List<string>();
        var trace = ActivityTraceId.CreateRandom();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = one =>
            {
                if (one.Source.Name != "Npgsql" || one.TraceId != trace || one.GetTagItem("db.query.text") is not string and not null)
                    return;
                lock (statements)
                    statements.Add(one.GetTagItem("db.query.text") as string ?? one.GetTagItem("db.statement") as string ?? one.DisplayName);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
        using var answer = await staff.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();

        Assert.That(statements, Is.Not.Empty, "the trace is heard");
        Assert.That(statements, Has.Count.LessThanOrEqualTo(most + OfTheFrame), string.Join("\n--\n", statements));
    }
}
