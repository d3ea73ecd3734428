using System.Text;
using System.Text.Json;
using Camino.Data;
using Camino.Jobs;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Camino.Applications;

/// <summary>Asks whether the applicant's bank account is there, open and held in the name that was given. The number is opened for the question alone, and its seal for that is taken away with the answer.</summary>
internal sealed class BankAccountCheck(CaminoDb db, Providers providers, ProviderClient client, WebhookVault questions, TimeProvider clock) : IApplicationCheck
{
    private const string Keep = "update camino.application_accounts set outcome = $2, name_match = $3, checked_at = $4, sealed_question = null where id = $1";

    private sealed record Asked(Guid Id, string Holder, string Routing, byte[] Question);

    public CheckKind Kind => CheckKind.BankAccount;

    public bool IsOn => providers.Account.Address is not null;

    public bool NeedsAccount => true;

    public bool IsAlsoLate => true;

    public JobLimit? Limit => providers.Account.Limit;

    public async Task<CheckFinding> RunAsync(CheckSubject subject, CancellationToken ct)
    {
        var found = await db.Database.SqlQuery<Asked>($"select x.id as \"Id\", x.holder as \"Holder\", x.routing as \"Routing\", x.sealed_question as \"Question\" from camino.application_accounts x where x.application_id = {subject.ApplicationId} and x.sealed_question is not null").ToListAsync(ct);
        if (found.Count == 0)
            throw new JobSnoozedException(TimeSpan.FromSeconds(1), "The bank account was answered for already.");
        var account = found[0];
        var answer = await client.AskAsync(
            providers.Account, "account/v1/checks", subject.StepId, new { account.Holder, account.Routing, account = Encoding.UTF8.GetString(await questions.OpenAsync(account.Question, ct)) }, ct, reference: account.Id);
        try
        {
            var outcome = ProviderCheck.OneOf(answer, "outcome", "verified", "nameDiffers", "closed", "notFound");
            var match = answer.TryGetProperty("nameMatch", out var share) && share.ValueKind != JsonValueKind.Null ? share.GetInt16() : (short?)null;
            if (match is < 0 or > 100)
                throw new FormatException("A name agrees by 0 to 100.");
            return new CheckFinding(new { outcome, nameMatch = match }, (connection, transaction, token) => KeepAsync(account.Id, outcome, match, connection, transaction, token));
        }
        catch (Exception wrong) when (wrong is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ProviderFailedException($"{providers.Account.Name} answered without what was asked for", wrong);
        }
    }

    /// <exception cref="JobSnoozedException">another account was given meanwhile, and is asked for.</exception>
    private async Task KeepAsync(Guid account, string outcome, short? match, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Keep, connection, transaction)
        {
            Parameters = { new() { Value = account }, new() { Value = outcome }, new() { Value = (object?)match ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Smallint }, new() { Value = clock.GetUtcNow() } },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
            throw new JobSnoozedException(TimeSpan.FromSeconds(1), "Another bank account was given meanwhile.");
    }
}
