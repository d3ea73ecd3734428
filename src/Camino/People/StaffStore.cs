using Camino.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace Camino.People;

/// <summary>The framework's store of users, with passkeys from a table of our own. What adds, uses and removes them is <see cref="Passkeys"/>; here the framework's handler looks them up.</summary>
public sealed class StaffStore(CaminoDb db, IdentityErrorDescriber? describer = null) : UserStore<StaffUser, IdentityRole<Guid>, CaminoDb, Guid>(db, describer)
{
    private sealed record Row(byte[] CredentialId, byte[] PublicKey, string Name, DateTimeOffset CreatedAt, long SignCount, string[] Transports, bool IsBackupEligible, bool IsBackedUp);

    /// <inheritdoc/>
    public override async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(StaffUser user, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(user);
        var rows = await Context.Database.SqlQuery<Row>(
            $"""
            select credential_id as "CredentialId", public_key as "PublicKey", name as "Name", created_at as "CreatedAt", sign_count as "SignCount", transports as "Transports", is_backup_eligible as "IsBackupEligible", is_backed_up as "IsBackedUp"
            from camino.staff_passkeys where user_id = {user.Id} order by id
            """).ToListAsync(cancellationToken);
        return [.. rows.Select(InfoOf)];
    }

    /// <inheritdoc/>
    public override async Task<UserPasskeyInfo?> FindPasskeyAsync(StaffUser user, byte[] credentialId, CancellationToken cancellationToken) =>
        (await GetPasskeysAsync(user, cancellationToken)).FirstOrDefault(one => one.CredentialId.AsSpan().SequenceEqual(credentialId));

    /// <inheritdoc/>
    public override async Task<StaffUser?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken)
    {
        var owner = await Context.Database.SqlQuery<Guid>($"""select user_id as "Value" from camino.staff_passkeys where credential_id = {credentialId}""").ToListAsync(cancellationToken);
        return owner is [var id] ? await FindByIdAsync(id.ToString(), cancellationToken) : null;
    }

    /// <inheritdoc/>
    public override Task AddOrUpdatePasskeyAsync(StaffUser user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw new NotSupportedException("Passkeys are added and used by Passkeys, with a trace.");

    /// <inheritdoc/>
    public override Task RemovePasskeyAsync(StaffUser user, byte[] credentialId, CancellationToken cancellationToken) => throw new NotSupportedException("Passkeys are removed by Passkeys, with a trace.");

    private static UserPasskeyInfo InfoOf(Row row) =>
        new(row.CredentialId, row.PublicKey, row.CreatedAt, (uint)row.SignCount, row.Transports, isUserVerified: true, row.IsBackupEligible, row.IsBackedUp, [], []) { Name = row.Name };
}
