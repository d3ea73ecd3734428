using System.Security.Cryptography;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Notices;
using Camino.People;
using Camino.Servicing;
using Camino.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Documents;

/// <summary>What an applicant is asked for.</summary>
public sealed record DocumentRequestInput
{
    /// <summary>1 to 10 kinds of documents, in camel case.</summary>
    public IReadOnlyList<string?>? Kinds { get; init; }

    /// <summary>What the applicant reads on the page: up to 500 characters.</summary>
    public string? Note { get; init; }

    /// <summary>The link works for so many days: 1 to 30; left out: 14.</summary>
    public int? Days { get; init; }
}

/// <summary>A request that was made.</summary>
/// <param name="Token">For the link, shown this once; only its hash is kept.</param>
/// <param name="Language">Of the application: <c>en</c> or <c>es</c>.</param>
public sealed record DocumentRequestMade(Guid RequestId, string Token, string Language, DateTimeOffset ExpiresAt);

/// <summary>One request as staff see it.</summary>
/// <param name="Asked">The kinds that were asked for, each with how many documents of it came by the link.</param>
public sealed record DocumentRequestLine(Guid Id, IReadOnlyList<(DocumentKind Kind, int Received)> Asked, DateTimeOffset MadeAt, string? MadeByName, DateTimeOffset ExpiresAt, bool IsOpen);

/// <summary>Asks an applicant for documents by a link that hands them in without signing in: it works for some days, for this application alone, and shows nothing of it.</summary>
public sealed class AskApplicant(CaminoDb db, TimeProvider clock)
{
    public const int MostKinds = 10;
    public const int LongestNote = 500;
    public const int MostDays = 30;
    public const int UsualDays = 14;

    /// <summary>Open requests of one application.</summary>
    public const int MostOpen = 5;

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>application.state</c>, <c>document_request.too_many</c>, <c>input.*</c>.</exception>
    public async Task<DocumentRequestMade> RunAsync(Guid applicationId, DocumentRequestInput input, Guid by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var at = clock.GetUtcNow();
        var given = (input.Kinds ?? []).Where(kind => !string.IsNullOrWhiteSpace(kind)).ToList();
        Refuse.If(given.Count is 0 or > MostKinds, "input.kinds", $"kinds has 1 to {MostKinds} kinds of documents; got {given.Count}.");
        var kinds = given.Select(DocumentWords.Kind).Distinct().ToList();
        var note = string.IsNullOrWhiteSpace(input.Note) ? "" : InputText.Text("note", Imports.StorableText.Of(input.Note), LongestNote);
        var days = input.Days ?? UsualDays;
        Refuse.If(days is < 1 or > MostDays, "input.days", $"days is 1 to {MostDays}; got {days}.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var found = await db.Database.SqlQuery<Asked>($"select state as \"State\", language as \"Language\" from camino.applications where id = {applicationId} for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "application.not_found", $"There is no application {applicationId}.");
        Refuse.If((ApplicationState)found[0].State >= ApplicationState.Booked, "application.state", "The application has ended; nobody is asked for documents any more.");
        var open = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.document_requests where application_id = {applicationId} and ended_at is null and expires_at > {at}").SingleAsync(ct);
        Refuse.If(open >= MostOpen, "document_request.too_many", $"{MostOpen} links of this application are open; end one first.");
        var (id, token) = (Guid.CreateVersion7(at), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        var expires = at.AddDays(days);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.document_requests (id, application_id, hash, kinds, note, made_at, made_by, expires_at)
            values ({id}, {applicationId}, {FirstAdmin.HashOf(token)}, {kinds.Select(kind => (short)kind).ToArray()}, {note}, {at}, {by}, {expires})
            """, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "document_request.made", "application", applicationId.ToString(), JsonSerializer.Serialize(new { requestId = id, kinds = kinds.Select(kind => Words.Camel(kind)), days }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return new DocumentRequestMade(id, token, found[0].Language, expires);
    }

    /// <summary>Makes a link useless; a second time changes nothing.</summary>
    /// <exception cref="RefusedException"><c>document_request.not_found</c>.</exception>
    public async Task EndAsync(Guid applicationId, Guid requestId, Guid by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var ended = await db.Database.SqlQuery<bool>($"select ended_at is not null as \"Value\" from camino.document_requests where id = {requestId} and application_id = {applicationId} for update").ToListAsync(ct);
        Refuse.If(ended.Count == 0, "document_request.not_found", "This application has no such link.");
        if (ended[0])
            return;
        await db.Database.ExecuteSqlAsync($"update camino.document_requests set ended_at = {at}, ended_by = {by} where id = {requestId}", ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "document_request.ended", "application", applicationId.ToString(), JsonSerializer.Serialize(new { requestId }, JsonSerializerOptions.Web)));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>The requests of an application, the newest first.</summary>
    public async Task<IReadOnlyList<DocumentRequestLine>> ListAsync(Guid applicationId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var rows = await db.Database.SqlQuery<Stored>(
            $"""
            select r.id as "Id", r.kinds as "Kinds", array(select coalesce((select count(*) from camino.documents d where d.request_id = r.id and d.kind = k and d.removed_at is null), 0)::int from unnest(r.kinds) with ordinality u (k, n) order by n) as "Received",
                r.made_at as "MadeAt", (select u.display_name from camino.staff_users u where u.id = r.made_by) as "MadeByName", r.expires_at as "ExpiresAt", r.ended_at is null as "IsOpen"
            from camino.document_requests r where r.application_id = {applicationId} order by r.id desc limit 20
            """).ToListAsync(ct);
        return [.. rows.Select(row => new DocumentRequestLine(row.Id, [.. row.Kinds.Zip(row.Received, (kind, received) => ((DocumentKind)kind, received))], row.MadeAt, row.MadeByName, row.ExpiresAt, row.IsOpen && row.ExpiresAt > now))];
    }

    private sealed record Asked(short State, string Language);

    private sealed record Stored(Guid Id, short[] Kinds, int[] Received, DateTimeOffset MadeAt, string? MadeByName, DateTimeOffset ExpiresAt, bool IsOpen);
}

/// <summary>What the link of a request opens, for who has it.</summary>
/// <param name="Received">How many files came by this link.</param>
public sealed record OpenRequest(Guid Id, Guid ApplicationId, string Number, IReadOnlyList<DocumentKind> Kinds, string Note, DateTimeOffset ExpiresAt, Guid MadeBy, int Received);

/// <summary>Takes what an applicant hands in by a link.</summary>
public sealed class ReceiveFromApplicant(CaminoDb db, KeepDocument keep, TimeProvider clock)
{
    /// <summary>Files of one link.</summary>
    public const int MostFiles = 30;

    private sealed record Stored(Guid Id, Guid ApplicationId, string Number, short[] Kinds, string Note, DateTimeOffset ExpiresAt, Guid MadeBy, int Received);

    /// <summary>What the link opens.</summary>
    /// <exception cref="RefusedException"><c>document_request.link</c>: it never was one, was ended, has expired, or the application has ended.</exception>
    public async Task<OpenRequest> FindAsync(string? token, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var hash = FirstAdmin.HashOf(token is { Length: <= 200 } ? token : "");
        var found = await db.Database.SqlQuery<Stored>(
            $"""
            select r.id as "Id", r.application_id as "ApplicationId", a.number as "Number", r.kinds as "Kinds", r.note as "Note", r.expires_at as "ExpiresAt", r.made_by as "MadeBy",
                (select count(*)::int from camino.documents d where d.request_id = r.id) as "Received"
            from camino.document_requests r join camino.applications a on a.id = r.application_id
            where r.hash = {hash} and r.ended_at is null and r.expires_at > {now} and a.ended_at is null
            """).ToListAsync(ct);
        Refuse.If(found.Count == 0, "document_request.link", "This link does not work any more. Ask for a new one.");
        var row = found[0];
        return new OpenRequest(row.Id, row.ApplicationId, row.Number, [.. row.Kinds.Select(kind => (DocumentKind)kind)], row.Note, row.ExpiresAt, row.MadeBy, row.Received);
    }

    /// <summary>Keeps one file; who asked for it is told.</summary>
    /// <exception cref="RefusedException"><c>document_request.*</c>, <c>document.*</c>, <c>input.kind</c>.</exception>
    public async Task<DocumentAnswer> RunAsync(string? token, string? kind, Stream content, string? fileName, string key, CancellationToken ct)
    {
        var request = await FindAsync(token, ct);
        Refuse.If(request.Received >= MostFiles, "document_request.full", $"{MostFiles} files came by this link, as many as it takes. Ask for a new one.");
        Refuse.If(!request.Kinds.Contains(DocumentWords.Kind(kind)), "input.kind", $"kind is one of {string.Join(", ", request.Kinds.Select(one => Words.Camel(one)))}; got {InputText.Short(kind)}.");
        var answer = await keep.AddAsync(SubjectKind.Application, request.ApplicationId, new DocumentInput { Kind = kind }, content, fileName, new AskedBy(request.Id, key), ct, request.Id);
        if (!answer.IsRepeated)
        {
            db.Notices.Add(new Notice(request.MadeBy, "Notice.DocumentReceived", [request.Number], $"/applications/{request.ApplicationId}#documents", clock.GetUtcNow()));
            await db.SaveChangesAsync(ct);
        }

        return answer;
    }
}
