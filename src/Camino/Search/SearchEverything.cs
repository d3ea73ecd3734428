using System.Text.Json.Serialization;
using Camino.Borrowers;
using Camino.Branches;
using Camino.Imports;
using Camino.Lending;
using Camino.Lending.Applications;
using Camino.Lending.Screening;
using Camino.Servicing;
using Camino.Web;
using Npgsql;

namespace Camino.Search;

/// <summary>What can be found, in the order in which it is shown.</summary>
public enum SearchKind
{
    Borrowers = 1,

    /// <summary>Owners and guarantors of borrowers.</summary>
    Owners,
    Applications,

    /// <summary>Loans of the own book.</summary>
    ServicedLoans,

    /// <summary>Loans of portfolios.</summary>
    ImportedLoans,
}

/// <summary>Something that was found.</summary>
/// <param name="Id">Of the borrower (also for an owner), the application or the loan.</param>
/// <param name="Name">Of the borrower, the owner or the applicant.</param>
/// <param name="Number">Of a loan or an application.</param>
/// <param name="Detail">The place, or whose owner it is.</param>
/// <param name="State">Of a loan or an application: <c>underwriting</c>.</param>
/// <param name="Why">What was like the text: <c>name</c>, <c>tradeName</c>, <c>similarName</c>, <c>owner</c>, <c>borrower</c>, <c>phone</c>, <c>email</c>, <c>taxNumber</c>, <c>last4</c>, <c>number</c>.</param>
public sealed record SearchHit(Guid Id, string Name, string? Number, string? Detail, string? State, string Why);

/// <summary>What was found of one kind.</summary>
/// <param name="Kind"><c>borrowers</c>, <c>owners</c>, <c>applications</c>, <c>servicedLoans</c> or <c>importedLoans</c>.</param>
/// <param name="Items">The likest first; at most <see cref="SearchEverything.Most"/>.</param>
/// <param name="HasMore">There are others; more of the text would tell them apart.</param>
public sealed record SearchGroup(string Kind, IReadOnlyList<SearchHit> Items, bool HasMore)
{
    /// <summary>Where the pages of what was found begin.</summary>
    [JsonIgnore]
    public string Place => Kind switch
    {
        "applications" => "/applications/",
        "servicedLoans" => "/servicing/",
        "importedLoans" => "/loans/",
        _ => "/borrowers/",
    };
}

/// <summary>Kinds of which nothing was found are left out.</summary>
public sealed record SearchAnswer(IReadOnlyList<SearchGroup> Groups);

/// <summary>
/// Finds borrowers, owners, applications and loans by name, phone, e-mail, tax number or its last four, and number, in at most three statements. Names are found by the beginnings of their words, without accents;
/// where that finds too few, also by words that are written nearly so.
/// </summary>
public sealed class SearchEverything(NpgsqlDataSource source, FieldVault vault, BranchScope scope)
{
    /// <summary>Found of each kind at most.</summary>
    public const int Most = 8;

    /// <summary>Characters of what is looked for.</summary>
    public const int LongestText = 100;

    private static readonly (SearchKind Kind, string Permission)[] s_rights =
    [
        (SearchKind.Borrowers, Permissions.BorrowersRead), (SearchKind.Owners, Permissions.BorrowersRead), (SearchKind.Applications, Permissions.ApplicationsRead),
        (SearchKind.ServicedLoans, Permissions.BookRead), (SearchKind.ImportedLoans, Permissions.LoansRead),
    ];

    /// <param name="text">1 to <see cref="LongestText"/> characters.</param>
    /// <param name="may">Whether the reader has a permission; what it may not read it does not find.</param>
    /// <param name="client">The API client that asks: of applications it finds those that it handed in.</param>
    /// <exception cref="RefusedException"><c>input.query</c>; the text is not repeated.</exception>
    public async Task<SearchAnswer> RunAsync(string? text, Func<string, bool> may, CancellationToken ct, Guid? client = null)
    {
        var (asked, near) = await TakeApartAsync(CheckedBorrower.Text("query", text, LongestText), ct);
        var kinds = s_rights.Where(one => may(one.Permission)).Select(one => one.Kind).ToHashSet();
        var found = new List<Row>();
        await ReadAsync(SearchSql.Find(source, asked, kinds, client, scope.Seen), found, ct);
        kinds.RemoveWhere(kind => found.Where(row => row.Kind == kind).DistinctBy(row => row.Key).Count() >= Most);
        if (near is not null && kinds.Count > 0 && !found.Exists(row => row.Hit.Why == "number"))
            await ReadAsync(SearchSql.Find(source, near, kinds, client, scope.Seen), found, ct);
        return new SearchAnswer([.. found.GroupBy(row => row.Kind).OrderBy(group => group.Key).Select(Group)]);
    }

    /// <summary>What a text may mean: as it stands, and with slips of the pen; null where there are none to allow for.</summary>
    internal async Task<(SearchedFor AsItStands, SearchedFor? Near)> TakeApartAsync(string text, CancellationToken ct)
    {
        var isNumber = text.Length is >= 3 and <= 40 && text.Any(char.IsAsciiDigit) && !text.Any(char.IsWhiteSpace);
        var digits = text.All(c => char.IsAsciiDigit(c) || c is ' ' or '-' or '.' or '(' or ')' or '+' or '/') ? CheckedBorrower.Digits(text) : "";
        var asked = new SearchedFor(text)
        {
            Digits = digits.Length == 4 ? digits : null,
            Hash = digits.Length == 9 ? await vault.HashAsync(digits, ct) : null,
            Phone = digits.Length is >= 7 and <= 15 ? CheckedBorrower.PhoneDigits(digits) : null,
            Email = text.IndexOf('@', StringComparison.Ordinal) > 0 && !text.Any(char.IsWhiteSpace) ? text.ToLowerInvariant() : null,
            IsNumber = isNumber,
        };
        if (digits.Length > 0 || asked.Email is not null)
            return (asked, null);
        var words = await WordsAsync(text, ct);
        var isKnown = words.Count > 0 && words.TrueForAll(word => word.Beginning.Length > 0);
        var near = words.Where(word => word.Beginning.Length > 0 || word.Near.Length > 0).ToList();
        return (
            isKnown ? asked with { Words = [.. words.Select(word => word.Beginning)] } : asked,
            near.Count == 0 || (isKnown && near.TrueForAll(word => word.Near.Length == 0)) ? null : new SearchedFor(text) { Words = [.. near.Select(word => word.Beginning.Union(word.Near, StringComparer.Ordinal).ToArray())], IsNear = true });
    }

    private async Task<List<(string[] Beginning, string[] Near)>> WordsAsync(string text, CancellationToken ct)
    {
        var words = new List<(string[] Beginning, string[] Near)>();
        await using var command = SearchSql.Words(source, text);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            var word = rows.GetString(0);
            words.Add((rows.GetFieldValue<string[]>(1), [.. rows.GetFieldValue<string[]>(2).Where(other => other != word && Edits.Between(word, other) <= (word.Length < 6 ? 1 : 2))]));
        }

        return words;
    }

    private static async Task ReadAsync(NpgsqlCommand? command, List<Row> found, CancellationToken ct)
    {
        if (command is null)
            return;
        await using (command)
        {
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                var kind = (SearchKind)rows.GetInt16(0);
                var state = await rows.IsDBNullAsync(5, ct) ? null : StateOf(kind, rows.GetInt16(5));
                found.Add(new Row(kind, rows.GetDouble(7), new SearchHit(rows.GetGuid(1), rows.GetString(2), await TextAsync(rows, 3, ct), await TextAsync(rows, 4, ct), state, rows.GetString(6))));
            }
        }
    }

    private static SearchGroup Group(IGrouping<SearchKind, Row> rows)
    {
        var hits = rows.OrderByDescending(row => row.Rank).DistinctBy(row => row.Key).Select(row => row.Hit).ToList();
        return new SearchGroup(Words.Camel(rows.Key), [.. hits.Take(Most)], hits.Count > Most);
    }

    private static string? StateOf(SearchKind kind, short state) => kind switch
    {
        SearchKind.Applications => Words.Camel((ApplicationState)state),
        SearchKind.ServicedLoans => Words.Camel((Lending.Loans.LoanStatus)state),
        SearchKind.ImportedLoans => Words.Camel((LoanStatus)state),
        _ => null,
    };

    private static async Task<string?> TextAsync(NpgsqlDataReader rows, int column, CancellationToken ct) => await rows.IsDBNullAsync(column, ct) ? null : rows.GetString(column);

    private sealed record Row(SearchKind Kind, double Rank, SearchHit Hit)
    {
        /// <summary>One borrower may be found by two of its owners.</summary>
        public (Guid Id, string Name) Key => (Hit.Id, Hit.Name);
    }
}
