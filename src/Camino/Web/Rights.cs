namespace Camino.Web;

/// <summary>Names of the policies; what each asks for stands in <see cref="CaminoModule"/>.</summary>
public static class Rights
{
    /// <summary>May hand in, decide and cancel.</summary>
    public const string CanWrite = "CanWrite";

    /// <summary>May do what concerns other people and the system.</summary>
    public const string IsAdministrator = "IsAdministrator";
}
