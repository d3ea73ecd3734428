using Camino.Data;
using Microsoft.AspNetCore.Http;
using Npgsql;
using NpgsqlTypes;

namespace Camino.Branches;

/// <summary>The branches of whoever asks, read with the session or the key at every request.</summary>
/// <param name="Seen">The branches that the reader is bound to, with their teams; null: bound to none, so everything is seen.</param>
/// <param name="Home">Where new things go that name no branch: the one branch that the reader is bound to; null: there is none, or more than one.</param>
public sealed record ReaderBranches(Guid[]? Seen, Guid? Home)
{
    /// <summary>Bound to no branch: sees everything.</summary>
    public static ReaderBranches All { get; } = new(null, null);

    /// <summary>Of the branches that somebody is bound to, and those with their teams.</summary>
    internal static ReaderBranches Of(Guid[] bound, Guid[] seen) => bound.Length == 0 ? All : new(seen, bound.Length == 1 ? bound[0] : null);

    /// <summary>Two columns: what somebody is bound to, and that with the teams. For the statement that knows whoever asks anyway.</summary>
    /// <param name="table">Holds who is bound.</param>
    /// <param name="whose">Its column.</param>
    /// <param name="id">Who asks, as the statement says it.</param>
    internal static string Columns(string table, string whose, string id) =>
        $"array(select m.branch_id from camino.{table} m where m.{whose} = {id}), "
        + $"array(select r.id from camino.{table} m join camino.branches r on r.id = m.branch_id or r.parent_id = m.branch_id where m.{whose} = {id})";
}

/// <summary>
/// What whoever asks may see, in one place: every list, search, report, export and act takes its condition from here. Something of no branch is the whole house's and everybody's;
/// who is bound to no branch sees everything, and so do jobs and operators.
/// </summary>
public sealed class BranchScope(IHttpContextAccessor? accessor)
{
    /// <summary>Sees everything: for work that nobody asks for by a request.</summary>
    public static BranchScope Everything { get; } = new(null);

    /// <summary>The branches that are seen; null: all.</summary>
    public Guid[]? Seen => Reader.Seen;

    /// <summary>Whether there is anything that whoever asks does not see.</summary>
    public bool IsBound => Reader.Seen is not null;

    /// <summary>Where new things go that name no branch.</summary>
    public Guid? Home => Reader.Home;

    /// <summary>Whether a branch is seen; no branch is everybody's.</summary>
    public bool Sees(Guid? branch) => branch is not { } one || Reader.Seen is not { } seen || seen.Contains(one);

    /// <exception cref="InvalidOperationException">somebody is signed in whose branches were not read: a new way of signing in forgot them.</exception>
    private ReaderBranches Reader
    {
        get
        {
            if (accessor?.HttpContext is not { } http)
                return ReaderBranches.All;
            return http.Features.Get<ReaderBranches>() ?? (http.User.Identity?.IsAuthenticated == true ? throw new InvalidOperationException("The branches of whoever asks were not read.") : ReaderBranches.All);
        }
    }
}

/// <summary>The conditions that the scope is made of, as SQL. The parameter is an array of ids.</summary>
internal static class BranchSql
{
    /// <summary>Name of the parameter in statements with names.</summary>
    public const string Parameter = "@branches";

    /// <summary>A row that has its branch itself: a borrower, an application, an import.</summary>
    public static string Row(string row, string parameter = Parameter) => $"({row}.branch_id is null or {row}.branch_id = any({parameter}))";

    /// <summary>A loan of the own book or of a portfolio.</summary>
    /// <param name="id">The loan's id.</param>
    public static string Loan(string id, string parameter = Parameter) => $"not exists (select from camino.loan_branches lb where lb.loan_id = {id} and lb.branch_id <> all({parameter}))";

    /// <summary>A task, a note or a document: as what it is about; about nothing in particular it is everybody's.</summary>
    public static string About(string row, string parameter = Parameter) =>
        $"(case {row}.subject when 1 then exists (select from camino.borrowers sb where sb.id = {row}.subject_id and {Row("sb", parameter)}) when 2 then exists (select from camino.applications sa where sa.id = {row}.subject_id and {Row("sa", parameter)}) "
        + $"when 3 then {Loan(row + ".subject_id", parameter)} else true end)";

    /// <summary>A request that waits for a second person: those about loans and applications that are seen.</summary>
    public static string Approval(string row, string parameter = Parameter) =>
        $"({row}.subject = 'loan' and {Loan($"(case when {row}.subject = 'loan' then {row}.subject_id::uuid end)", parameter)} "
        + $"or {row}.subject = 'application' and exists (select from camino.applications sa where sa.id = (case when {row}.subject = 'application' then {row}.subject_id::uuid end) and {Row("sa", parameter)}))";

    /// <summary>The condition and its parameter, where whoever asks is bound; else nothing.</summary>
    /// <param name="branches">What is seen; null: everything.</param>
    public static void Within(this KeysetSql sql, Guid[]? branches, string condition)
    {
        if (branches is not null)
            sql.Add(condition, ("branches", branches));
    }

    /// <summary>The condition behind others, or nothing.</summary>
    public static string And(Guid[]? branches, string condition) => branches is null ? "" : " and " + condition;

    /// <summary>The parameter, in a statement whose parameters have names.</summary>
    public static void AddBranches(this NpgsqlCommand command, Guid[]? branches)
    {
        if (branches is not null)
            command.Parameters.Add(new NpgsqlParameter("branches", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = branches });
    }

    /// <summary>The parameter, in a statement whose parameters stand in order.</summary>
    public static void AddNextBranches(this NpgsqlCommand command, Guid[]? branches)
    {
        if (branches is not null)
            command.Parameters.Add(new NpgsqlParameter { Value = branches, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
    }
}
