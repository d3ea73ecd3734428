using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Camino.Imports;

/// <summary>What a column can be. The lower-camel name is stored in saved mappings: never rename, never reuse.</summary>
[JsonConverter(typeof(LoanFieldJson))]
public enum LoanField
{
    LoanNumber,
    BorrowerName,
    Street,
    City,
    State,
    Zip,
    County,

    /// <summary>Five-digit FIPS code of the county; only its state is used, and only where no state column says one.</summary>
    CountyFips,
    CongressionalDistrict,
    UrbanRural,
    LenderName,
    LenderState,
    Naics,
    IndustryTitle,
    BusinessType,
    BusinessAge,
    FranchiseCode,
    NonProfit,
    ApprovedOn,
    ApprovalFiscalYear,
    DisbursedOn,
    ChargedOffOn,
    PaidInFullOn,
    TermMonths,
    Employees,
    JobsCreated,
    JobsRetained,
    Revolving,
    LowDocumentation,
    FixedRate,
    InterestRatePercent,
    ProcessingMethod,
    Status,
    Disbursed,
    Approved,
    Guaranteed,
    ChargedOff,
    Balance,

    /// <summary>An amount given as a range in words, as in the PPP files of $150,000 and more.</summary>
    AmountRange,
}

/// <summary>How the text of a column is read.</summary>
public enum LoanValueKind
{
    Key,
    Text,
    Code,
    State,
    Zip,
    Naics,
    Date,
    Number,
    Flag,
    Percent,
    Status,
    Money,
    Range,
}

/// <summary>Name and kind of each field.</summary>
public static class LoanFields
{
    private static readonly FrozenDictionary<string, LoanField> ByName =
        Enum.GetValues<LoanField>().ToFrozenDictionary(Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>All fields in the order in which a person would look for them.</summary>
    public static IReadOnlyList<LoanField> All { get; } = Enum.GetValues<LoanField>();

    /// <summary>The stable name: <c>borrowerName</c>.</summary>
    public static string Name(LoanField field) => JsonNamingPolicy.CamelCase.ConvertName(field.ToString());

    /// <summary>Reads a stable name.</summary>
    public static bool TryParse(string? name, out LoanField field)
    {
        field = default;
        return name is not null && ByName.TryGetValue(name, out field);
    }

    /// <summary>How a column of this field is read.</summary>
    public static LoanValueKind Kind(LoanField field) => field switch
    {
        LoanField.LoanNumber => LoanValueKind.Key,
        LoanField.State or LoanField.LenderState => LoanValueKind.State,
        LoanField.Zip => LoanValueKind.Zip,
        LoanField.Naics => LoanValueKind.Naics,
        LoanField.ApprovedOn or LoanField.DisbursedOn or LoanField.ChargedOffOn or LoanField.PaidInFullOn => LoanValueKind.Date,
        LoanField.ApprovalFiscalYear or LoanField.TermMonths or LoanField.Employees or LoanField.JobsCreated or LoanField.JobsRetained
            or LoanField.CountyFips => LoanValueKind.Number,
        LoanField.Revolving or LoanField.LowDocumentation or LoanField.NonProfit or LoanField.FixedRate => LoanValueKind.Flag,
        LoanField.InterestRatePercent => LoanValueKind.Percent,
        LoanField.Status => LoanValueKind.Status,
        LoanField.Disbursed or LoanField.Approved or LoanField.Guaranteed or LoanField.ChargedOff or LoanField.Balance => LoanValueKind.Money,
        LoanField.AmountRange => LoanValueKind.Range,
        LoanField.UrbanRural or LoanField.BusinessAge or LoanField.BusinessType or LoanField.FranchiseCode or LoanField.ProcessingMethod
            or LoanField.CongressionalDistrict => LoanValueKind.Code,
        _ => LoanValueKind.Text,
    };
}

/// <summary>Writes a field by its stable name and reads nothing else.</summary>
public sealed class LoanFieldJson() : JsonStringEnumConverter<LoanField>(JsonNamingPolicy.CamelCase, allowIntegerValues: false);
