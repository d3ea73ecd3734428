using Camino.Branches;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Search;

/// <summary>What is looked for, taken apart.</summary>
/// <param name="Text">As it was typed.</param>
internal sealed record SearchedFor(string Text)
{
    /// <summary>The digits of a last four, a tax number or a phone; null where the text is no such number.</summary>
    public string? Digits { get; init; }

    /// <summary>The digits as phones are stored.</summary>
    public string? Phone { get; init; }

    /// <summary>The keyed hash of nine digits.</summary>
    public byte[]? Hash { get; init; }

    /// <summary>An e-mail address or its beginning, in small letters.</summary>
    public string? Email { get; init; }

    /// <summary>Whether the text may be the number of a loan or an application.</summary>
    public bool IsNumber { get; init; }

    /// <summary>For each word, the words that may stand for it; a name has one of each.</summary>
    public IReadOnlyList<string[]> Words { get; init; } = [];

    /// <summary>The words are like those that were typed, not the same; nothing but names is looked for.</summary>
    public bool IsNear { get; init; }

    /// <summary>Not all that is found will be shown: more is looked at.</summary>
    public bool IsBound { get; init; }

    /// <summary>Found by each way at most: what is shown of a kind and one more, or enough that something of the reader's branches is among it.</summary>
    public int Most => IsBound ? 200 : SearchEverything.Most + 1;

    /// <inheritdoc cref="Most"/>
    public int MostNumbers => IsBound ? 200 : 20;
}

/// <summary>The statements of the search. Values travel as parameters; only fixed words are put together.</summary>
/// <remarks>Each branch finds a few ids from an index and stops; what is shown is read for those alone.</remarks>
internal static class SearchSql
{
    /// <summary>Rows that are compared before the best of them are taken: a name of common words has thousands.</summary>
    private const int Compared = 200;

    /// <summary>The words of the text that are long enough to tell names apart, each with the words that begin with it and those that are written nearly so.</summary>
    private const string WordsOf =
        """
        select a.word,
            array(select distinct s.word from camino.search_words s where s.word >= a.word and s.word < a.word || @end order by s.word limit 200),
            case when length(a.word) >= 4 then camino.near_words(a.word) else '{}' end
        from unnest(camino.name_words(camino.core_words(@text))) a (word)
        where length(a.word) >= 3
        order by length(a.word) desc, a.word
        limit 6
        """;

    /// <summary>The words of a text, and those that may stand for each.</summary>
    public static NpgsqlCommand Words(NpgsqlDataSource source, string text)
    {
        var command = source.CreateCommand(WordsOf);
        command.Parameters.AddWithValue("text", text);
        command.Parameters.AddWithValue("end", "\U0010FFFF");
        return command;
    }

    /// <summary>What is found of these kinds; null where nothing of them can be found.</summary>
    public static NpgsqlCommand? Find(NpgsqlDataSource source, SearchedFor asked, IReadOnlySet<SearchKind> kinds, Guid? client = null, Guid[]? branches = null)
    {
        asked = asked with { IsBound = branches is not null };
        var borrowers = Borrowers(asked);
        var parts = new List<string>();
        if (kinds.Contains(SearchKind.Borrowers) && borrowers.Count > 0)
            parts.Add("(select 1::smallint, b.id, b.name, null::text, nullif(concat_ws(', ', a.city, a.state), ''), null::smallint, n.why, n.rank from named n join camino.borrowers b on b.id = n.id left join camino.borrower_addresses a on a.borrower_id = b.id and a.position = 1" + (branches is null ? "" : " where " + BranchSql.Row("b")) + ")");
        if (kinds.Contains(SearchKind.Owners))
            Add(parts, Owners(asked), found => $"select 2::smallint, b.id, o.name, null::text, b.name, null::smallint, f.why, f.rank from ({found}) f (id, why, rank) join camino.borrower_owners o on o.id = f.id join camino.borrowers b on b.id = o.borrower_id where b.merged_into is null{BranchSql.And(branches, BranchSql.Row("b"))}");
        if (kinds.Contains(SearchKind.Applications))
            Add(parts, Applications(asked), found => $"select 3::smallint, a.id, a.name, a.number, nullif(concat_ws(', ', a.city, a.place_state), ''), a.state, f.why, f.rank from ({found}) f (id, why, rank) join camino.applications a on a.id = f.id where true{(client is null ? "" : " and a.received_by = @client and a.channel = 'api'")}{BranchSql.And(branches, BranchSql.Row("a"))}");
        if (kinds.Contains(SearchKind.ServicedLoans))
            Add(parts, Loans(asked, "camino.serviced_loans", "@own_numbers", ownBook: true, borrowers.Count > 0), found => $"select 4::smallint, l.id, l.borrower_name, l.number, null::text, l.status::smallint, f.why, f.rank from ({found}) f (id, why, rank) join camino.serviced_loans l on l.id = f.id{(branches is null ? "" : " where " + BranchSql.Loan("l.id"))}");
        if (kinds.Contains(SearchKind.ImportedLoans))
            Add(parts, Loans(asked, "camino.loans", "@numbers", ownBook: false, borrowers.Count > 0), found => $"select 5::smallint, l.id, coalesce(l.borrower_name, ''), l.number, nullif(concat_ws(', ', l.city, l.state), ''), l.status::smallint, f.why, f.rank from ({found}) f (id, why, rank) join camino.loans l on l.id = f.id{(branches is null ? "" : " where " + BranchSql.Loan("l.id"))}");
        if (parts.Count == 0)
            return null;

        // borrowers are found once; their loans hang on them
        var named = borrowers.Count == 0 ? "" : $"with named (id, why, rank) as materialized (select f.id, f.why, f.rank from ({All(borrowers)}) f (id, why, rank) join camino.borrowers b on b.id = f.id where b.merged_into is null) ";
        var command = source.CreateCommand(named + string.Join(" union all ", parts));
        AddValues(command, asked);
        command.AddBranches(branches);
        if (client is { } asking)
            command.Parameters.AddWithValue("client", asking);
        return command;
    }

    private static List<string> Borrowers(SearchedFor asked)
    {
        var found = Numbers(asked, (holds, why) => $"select i.borrower_id, {why}, 3::float8 from camino.borrower_identifiers i where {holds} and i.owner_id is null order by i.borrower_id desc limit {asked.MostNumbers}");
        found.AddRange(Contacts(asked, "camino.borrower_contacts", "borrower_id"));
        if (!asked.IsNear)
            found.Add($"select b.id, 'name', (2 + public.similarity(b.sort_name, camino.plain_words(@text)))::float8 from camino.borrowers b where b.merged_into is null and b.sort_name >= camino.plain_words(@text) and b.sort_name < camino.plain_words(@text) || @end order by b.sort_name, b.id limit {asked.Most}");
        if (asked.Words.Count > 0)
            found.Add(Named(asked, "camino.borrowers", "sort_name", "name_words(x.name, x.trade_name)", "camino.plain_words(x.trade_name)", "x.merged_into is null and "));
        return found;
    }

    private static List<string> Owners(SearchedFor asked)
    {
        var found = Numbers(asked, (holds, why) => $"select i.owner_id, {why}, 3::float8 from camino.borrower_identifiers i where {holds} and i.owner_id is not null order by i.owner_id desc limit {asked.MostNumbers}");
        if (asked.Words.Count > 0)
            found.Add(Named(asked, "camino.borrower_owners", "name", "name_words(x.name)", "null::text", ""));
        return found;
    }

    private static List<string> Applications(SearchedFor asked)
    {
        var found = Numbers(asked, (holds, why) => $"select i.application_id, {why}, 3::float8 from camino.application_identifiers i where {holds} order by i.application_id desc limit {asked.MostNumbers}");
        found.AddRange(Contacts(asked, "camino.application_contacts", "application_id"));
        if (asked.IsNumber)
            found.Add("select a.id, 'number', 4::float8 from camino.applications a where a.number = any(@application_numbers)");
        if (!asked.IsNear)
            found.Add($"select a.id, 'name', (2 + public.similarity(a.core_name, camino.core_words(@text)))::float8 from camino.applications a where a.core_name >= camino.core_words(@text) and a.core_name < camino.core_words(@text) || @end order by a.core_name, a.id limit {asked.Most}");
        if (asked.Words.Count == 0)
            return found;
        found.Add(Named(asked, "camino.applications", "name", "name_words(x.name, x.trade_name)", "camino.plain_words(x.trade_name)", ""));
        found.Add($"select o.application_id, 'owner', f.rank from ({Named(asked, "camino.application_owners", "name", "name_words(x.name)", "null::text", "")}) f (id, why, rank) join camino.application_owners o on o.id = f.id");
        return found;
    }

    private static List<string> Loans(SearchedFor asked, string table, string numbers, bool ownBook, bool hasBorrowers)
    {
        var found = new List<string>();
        if (asked.IsNumber)
            found.Add($"select l.id, 'number', l.rank from unnest({numbers}) n cross join lateral (select l.id, case when l.number = n then 4 else 3 end::float8 as rank from {table} l where l.number >= n and l.number < n || @end order by l.number limit {asked.Most}) l");
        if (hasBorrowers)
            found.Add($"select k.loan_id, 'borrower', n.rank from named n cross join lateral (select k.loan_id from camino.loan_borrowers k where k.borrower_id = n.id and {(ownBook ? "" : "not ")}k.own_book order by k.loan_id desc limit {asked.Most}) k order by n.rank desc, k.loan_id desc limit {asked.MostNumbers}");
        return found;
    }

    /// <summary>By the last four or by the whole of a tax number.</summary>
    private static List<string> Numbers(SearchedFor asked, Func<string, string, string> statement)
    {
        var found = new List<string>();
        if (asked.Digits is { Length: 4 })
            found.Add(statement("i.last4 = @digits", "'last4'"));
        if (asked.Hash is not null)
            found.Add(statement("i.hash = @hash", "'taxNumber'"));
        return found;
    }

    private static IEnumerable<string> Contacts(SearchedFor asked, string table, string whose)
    {
        if (asked.Phone is not null)
            yield return $"select c.{whose}, 'phone', 3::float8 from {table} c where c.digits = @phone order by c.{whose} desc limit {asked.MostNumbers}";
        if (asked.Email is not null)
            yield return $"select c.{whose}, 'email', case when lower(c.value) = @email then 4 else 3 end::float8 from {table} c where c.kind = 2 and lower(c.value) collate \"C\" >= @email and lower(c.value) collate \"C\" < @email || @end limit {asked.MostNumbers}";
    }

    /// <summary>Names that hold one of the words for each that was typed; of the first of them the likest.</summary>
    /// <remarks>
    /// The limit is a question and no number: knowing it, the planner thinks that so few rows of so many possible words are soon met in the table itself, and reads nearly all of it where the words are rare.
    /// </remarks>
    private static string Named(SearchedFor asked, string table, string name, string words, string otherName, string condition)
    {
        var holds = string.Join(" and ", asked.Words.Select((_, at) => $"camino.{words} && @w{at}"));
        var why = asked.IsNear ? "'similarName'" : "case when x.other > x.own then 'tradeName' else 'name' end";
        return $"select x.id, {why}, ({(asked.IsNear ? 0 : 1)} + greatest(x.own, x.other))::float8 as rank from (select x.id, public.similarity(camino.plain_words(x.{name}), camino.plain_words(@text)) as own, public.similarity({otherName}, camino.plain_words(@text)) as other from {table} x where {condition}{holds} limit (select {Compared})) x order by rank desc, x.id desc limit {asked.Most}";
    }

    private static void Add(List<string> parts, List<string> found, Func<string, string> statement)
    {
        if (found.Count > 0)
            parts.Add("(" + statement(All(found)) + ")");
    }

    private static string All(List<string> found) => string.Join(" union all ", found.Select(one => $"({one})"));

    /// <summary>Only what the statement names: a parameter that it does not name would have no type.</summary>
    private static void AddValues(NpgsqlCommand command, SearchedFor asked)
    {
        var number = asked.Text.ToUpperInvariant();
        var isDigits = number.All(char.IsAsciiDigit);
        (string Name, object? Value)[] values =
        [
            ("text", asked.Text), ("end", "\U0010FFFF"), ("digits", asked.Digits), ("phone", asked.Phone), ("hash", asked.Hash), ("email", asked.Email),
            ("numbers", new[] { asked.Text, number }.Distinct(StringComparer.Ordinal).ToArray()),
            ("own_numbers", isDigits ? new[] { "L-" + number } : [number]),
            ("application_numbers", isDigits ? new[] { "A-" + number } : [number]),
            .. asked.Words.Select((words, at) => ("w" + at, (object?)words)),
        ];
        foreach (var (name, value) in values)
        {
            if (value is not null && command.CommandText.Contains("@" + name, StringComparison.Ordinal))
                command.Parameters.Add(new NpgsqlParameter(name, TypeOf(value)) { Value = value });
        }
    }

    private static NpgsqlDbType TypeOf(object value) => value switch
    {
        byte[] => NpgsqlDbType.Bytea,
        string[] => NpgsqlDbType.Array | NpgsqlDbType.Text,
        _ => NpgsqlDbType.Text,
    };
}
