using System.Text;
using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Jobs;
using Camino.Lending;
using Camino.Servicing;
using Camino.Webhooks;
using Microsoft.EntityFrameworkCore;

namespace Camino.Applications.Messages;

/// <summary>What is to be written.</summary>
/// <param name="Number">Of the offer, or of the event that declined the application; 1 elsewhere.</param>
/// <param name="Link">The whole address that the message leads to; null where it leads nowhere. Kept sealed.</param>
/// <param name="Until">The last day on which the link works.</param>
public sealed record MessageInput(MessageKind Kind, MessageChannel Channel, int Number, string? Link, DateOnly? Until);

/// <summary>Whether an applicant wants to be written to by e-mail and by text message.</summary>
public sealed record ContactChoices(bool Email, bool Text)
{
    /// <summary>Whether this way is wanted.</summary>
    public bool Allows(MessageChannel channel) => channel == MessageChannel.Email ? Email : Text;
}

/// <summary>Writes to an applicant: the message is stored and sent by a job, to the first address of the kind that the application names.</summary>
public sealed class WriteApplicant(CaminoDb db, WebhookVault vault, TimeProvider clock)
{
    /// <summary>Messages of one application.</summary>
    public const int Most = 200;

    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>message.unwanted</c>, <c>message.no_address</c>, <c>message.too_many</c>, <c>message.channel</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RunAsync(Guid id, MessageInput input, AskedBy by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(input);
        var at = clock.GetUtcNow();
        Refuse.If(input is { Kind: MessageKind.Decline, Channel: MessageChannel.Text }, "message.channel", "A notice with its reasons is too long for a text message; send it by e-mail or by post.");
        var sealedLink = input.Link is null ? null : await vault.SealAsync(Encoding.UTF8.GetBytes(input.Link), ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.message {id} {input.Kind} {input.Channel} {input.Number}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        Refuse.If(!(await db.ContactChoicesAsync(id, ct)).Allows(input.Channel), "message.unwanted", "The applicant does not want to be written to this way.");
        var contact = input.Channel == MessageChannel.Email ? 2 : 1;
        var position = await db.Database.SqlQuery<short>($"select position as \"Value\" from camino.application_contacts where application_id = {id} and kind = {(short)contact} order by position limit 1").ToListAsync(ct);
        Refuse.If(position.Count == 0, "message.no_address", "The application names no address of this kind.");
        var there = await db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from camino.application_messages where application_id = {id}").SingleAsync(ct);
        Refuse.If(there >= Most, "message.too_many", $"An application has at most {Most} messages.");
        var message = Guid.CreateVersion7(at);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_messages (id, application_id, kind, channel, number, position, language, template, sealed_link, until, asked_at, asked_by)
            select {message}, {id}, {(short)input.Kind}, {(short)input.Channel}, {input.Number}, {position[0]}, language, {$"{Words.Camel(input.Channel)}-{Words.Camel(input.Kind)}.1"}, {sealedLink}, {input.Until}, {at}, {by.UserId} from camino.applications where id = {id}
            """, ct);
        db.Enqueue(new SendMessage(message), new JobOptions { RequestedBy = by.UserId.ToString() });
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, course), by, "application.message-asked", at, new { message, kind = Words.Camel(input.Kind), channel = Words.Camel(input.Channel) }, ct);
    }

    /// <summary>Has a message sent that could not be sent.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>, <c>message.not_found</c>, <c>message.state</c>, <c>idempotency.*</c>.</exception>
    public async Task<ApplicationAnswer> RetryAsync(Guid id, Guid messageId, AskedBy by, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.ClaimAsync(by, $"application.message-retried {id} {messageId}", at, ct) is { } before)
            return ApplicationAnswer.Repeated(before);
        var (number, course) = await db.LockApplicationAsync(id, ct);
        var found = await db.Database.SqlQuery<short>($"select state as \"Value\" from camino.application_messages where id = {messageId} and application_id = {id} for update").ToListAsync(ct);
        Refuse.If(found.Count == 0, "message.not_found", "This application has no such message.");
        Refuse.If((MessageState)found[0] != MessageState.Failed, "message.state", "This message is not one that waits for another attempt; look again.");
        await db.Database.ExecuteSqlAsync($"update camino.application_messages set state = {(short)MessageState.Queued}, problem = null where id = {messageId}", ct);
        db.Enqueue(new SendMessage(messageId), new JobOptions { RequestedBy = by.UserId.ToString() });
        return await db.AnswerAsync(transaction, ApplicationAnswer.Of(id, number, course), by, "application.message-retried", at, new { message = messageId }, ct);
    }

    /// <summary>Keeps how the applicant wants to be written to.</summary>
    /// <exception cref="RefusedException"><c>application.not_found</c>.</exception>
    public async Task ChooseAsync(Guid id, ContactChoices choices, Guid by, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(choices);
        var at = clock.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.LockApplicationAsync(id, ct);
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into camino.application_contact_choices (application_id, email, text, chosen_at, chosen_by) values ({id}, {choices.Email}, {choices.Text}, {at}, {by})
            on conflict (application_id) do update set email = excluded.email, text = excluded.text, chosen_at = excluded.chosen_at, chosen_by = excluded.chosen_by
            """, ct);
        db.AuditEntries.Add(new AuditEntry(at, by, "application.contact-chosen", "application", id.ToString(), JsonSerializer.Serialize(new { email = choices.Email, text = choices.Text })));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }
}

/// <summary>The statements that acts on messages share.</summary>
internal static class MessageTable
{
    /// <summary>What the applicant chose; else what a borrower with the same tax number chose; else both ways.</summary>
    public const string Choices =
        """
        select coalesce(c.email, b.email, true) as "Email", coalesce(c.text, b.text, true) as "Text" from (values ({0}::uuid)) a (id) left join camino.application_contact_choices c on c.application_id = a.id
        left join lateral (
            select bool_and(b.contact_by in ('any', 'email')) as email, bool_and(b.contact_by in ('any', 'phone')) as text
            from camino.application_identifiers i join camino.borrower_identifiers bi on bi.hash = i.hash join camino.borrowers b on b.id = bi.borrower_id and b.merged_into is null where i.application_id = a.id) b on true
        """;

    private sealed record Chosen(bool Email, bool Text);

    /// <summary>How the applicant wants to be written to.</summary>
    public static async Task<ContactChoices> ContactChoicesAsync(this CaminoDb db, Guid id, CancellationToken ct)
    {
        var found = await db.Database.SqlQueryRaw<Chosen>(Choices, id).ToListAsync(ct);
        return new ContactChoices(found[0].Email, found[0].Text);
    }
}
