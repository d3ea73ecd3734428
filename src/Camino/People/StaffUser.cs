using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Someone who signs in. The full model of people and rights grows on this.</summary>
public sealed class StaffUser : IdentityUser<Guid>
{
    /// <summary>Shown on pages and in the audit trail.</summary>
    [PersonalData]
    public string DisplayName { get; set; } = "";

    /// <summary><c>en</c> or <c>es</c>.</summary>
    public string Language { get; set; } = "en";

    /// <summary>Marked as demo wherever the user is shown.</summary>
    public bool IsDemo { get; set; }

    /// <summary>Signs in no more, and opens nothing by keys; wrong passwords lock for minutes only.</summary>
    public bool IsDisabled => LockoutEnd == DateTimeOffset.MaxValue;
}

/// <summary>The roles; what each may do stands in <see cref="Web.Permissions"/>. The names are stored and never change.</summary>
public static class StaffRoles
{
    /// <summary>Everything, including jobs of others.</summary>
    public const string Administrator = "administrator";

    /// <summary>Loan officer: takes loans and portfolios in.</summary>
    public const string Officer = "officer";

    /// <summary>Reads; changes nothing.</summary>
    public const string Viewer = "viewer";

    /// <summary>Decides on terms.</summary>
    public const string Underwriter = "underwriter";

    /// <summary>Pays out, takes payments in, changes running loans.</summary>
    public const string Servicing = "servicing";

    /// <summary>Looks after loans that are past due.</summary>
    public const string Collections = "collections";

    /// <summary>Closes the day, proves the ledger, charges off, reads the audit trail.</summary>
    public const string Accountant = "accountant";

    /// <summary>All.</summary>
    public static IReadOnlyList<string> All { get; } = [Administrator, Officer, Underwriter, Servicing, Collections, Accountant, Viewer];
}

/// <summary>A key with which a program calls the API; only its hash is kept.</summary>
public sealed class ApiKey
{
    private ApiKey()
    {
    }

    /// <param name="name">Shown to administrators, 1 to 100 characters.</param>
    /// <param name="userId">The user in whose name it acts.</param>
    /// <param name="hash">SHA-256 of the key (a key has 256 random bits, so no slow hash is needed).</param>
    public ApiKey(string name, Guid userId, byte[] hash, DateTimeOffset createdAt)
    {
        Id = Guid.CreateVersion7();
        Name = name;
        UserId = userId;
        Hash = hash;
        CreatedAt = createdAt;
    }

    public Guid Id { get; private set; }
    public string Name { get; private set; } = "";
    public Guid UserId { get; private set; }
    public byte[] Hash { get; private set; } = [];
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Set when the key was withdrawn; it opens nothing from then on.</summary>
    public DateTimeOffset? RevokedAt { get; private set; }
}

/// <summary>The one-time link with which the first administrator sets a password.</summary>
public sealed class FirstAdminLink
{
    public Guid Id { get; set; }

    /// <summary>SHA-256 of the token in the link.</summary>
    public byte[] Hash { get; set; } = [];

    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? UsedAt { get; set; }
}

/// <summary>A data-protection key, so that any Back Office can read any cookie.</summary>
public sealed class DataProtectionKeyRow
{
    public int Id { get; set; }
    public string FriendlyName { get; set; } = "";
    public string Xml { get; set; } = "";
}
