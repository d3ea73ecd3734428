using System.Text.Json;
using Camino.Audit;
using Camino.Data;
using Camino.Lending;
using Camino.People;
using Camino.Servicing;
using Microsoft.EntityFrameworkCore;

namespace Camino.Branches;

/// <summary>One branch, or one team of a branch.</summary>
/// <param name="ParentCode">The branch of which it is a team; null: it is a branch.</param>
/// <param name="Staff">Users that are bound to it.</param>
/// <param name="Clients">API clients that are bound to it.</param>
public sealed record BranchLine(Guid Id, string Code, string Name, Guid? ParentId, string? ParentCode, bool IsClosed, int Version, int Staff, int Clients)
{
    /// <summary>As it is chosen: <c>SAV Savannah</c>.</summary>
    public string Label => $"{Code} {Name}";
}

/// <summary>What became of a branch.</summary>
public sealed record BranchAnswer(Guid BranchId, string Code);

/// <summary>What acts on branches and new things in them share.</summary>
internal static class BranchTable
{
    public const int LongestName = 100;
    private const int LongestCode = 20;

    /// <summary>Where something new goes: the branch that is named, else the one that whoever asks is bound to, else the whole house.</summary>
    /// <exception cref="RefusedException"><c>input.branch</c>.</exception>
    public static async Task<Guid?> BranchForNewAsync(this CaminoDb db, string? code, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(code))
        {
            Refuse.If(db.Scope is { IsBound: true, Home: null }, "input.branch", "branch is missing; you are bound to more than one, so say which.");
            return db.Scope.Home;
        }

        return await db.OpenBranchAsync(code, ct);
    }

    /// <summary>A branch that is open and seen by whoever asks.</summary>
    /// <exception cref="RefusedException"><c>input.branch</c>.</exception>
    public static async Task<Guid> OpenBranchAsync(this CaminoDb db, string code, CancellationToken ct)
    {
        var wanted = code.Trim().ToUpperInvariant();
        var found = wanted.Length > LongestCode ? [] : await db.Database.SqlQuery<Guid>($"select id as \"Value\" from camino.branches where code = {wanted} and closed_at is null").ToListAsync(ct);
        Refuse.If(found.Count == 0 || !db.Scope.Sees(found[0]), "input.branch", $"branch is the code of an open branch that you see; got {InputText.Short(code)}.");
        return found[0];
    }

    /// <exception cref="RefusedException"><c>branch.code</c>.</exception>
    public static string Code(string? text)
    {
        var code = text?.Trim().ToUpperInvariant() ?? "";
        Refuse.If(code.Length is 0 or > LongestCode || code[0] == '-' || !code.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter) || letter == '-'), "branch.code", $"A code is 1 to 20 letters, digits and hyphens such as SAV-2; got {InputText.Short(text)}.");
        return code;
    }

    /// <exception cref="RefusedException"><c>branch.name</c>.</exception>
    public static string Name(string? text)
    {
        var name = Imports.StorableText.Of(text?.Trim() ?? "");
        Refuse.If(name.Length is 0 or > LongestName || name.Any(char.IsControl), "branch.name", $"A branch's name has 1 to {LongestName} characters; got {name.Length}.");
        return name;
    }

    /// <exception cref="RefusedException"><c>branch.reason</c>.</exception>
    public static string Reason(string? text)
    {
        var reason = Imports.StorableText.Of(text?.Trim() ?? "");
        Refuse.If(reason.Length is < 3 or > 300, "branch.reason", $"Say in 3 to 300 characters why; got {reason.Length}.");
        return reason;
    }

    public static AuditEntry Entry(DateTimeOffset at, StaffActor actor, string action, string subject, Guid id, object details)
    {
        var written = JsonSerializer.SerializeToNode(details, JsonSerializerOptions.Web)?.AsObject() ?? [];
        if (actor.Operator is { } name)
            written["operator"] = name;
        return new AuditEntry(at, actor.UserId, action, subject, id.ToString(), written.ToJsonString(JsonSerializerOptions.Web));
    }
}
