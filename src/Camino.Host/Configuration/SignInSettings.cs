namespace Camino.Host.Configuration;

/// <summary>Sign-in and sessions.</summary>
public sealed class SignInSettings
{
    /// <summary>Minutes without a request after which a session ends.</summary>
    [Between(5, 720)]
    public int IdleMinutes { get; set; } = 30;

    /// <summary>Hours after which a session ends, however busy it is.</summary>
    [Between(1, 24)]
    public int AbsoluteHours { get; set; } = 12;

    /// <summary>Whether roles that move money need a second factor.</summary>
    public SecondFactorMode SecondFactor { get; set; }

    /// <summary>Where people open the Back Office, as their browsers name it; passkeys belong to its host. Without it they work on localhost alone.</summary>
    [Matching(@"^(https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|http://localhost)(:\d{1,5})?$", "an address such as https://camino.lender.example, in lower case and without a path")]
    public string? Address { get; set; }

    /// <summary>Wrong passwords in a row before the account is locked for 5 minutes.</summary>
    [Between(3, 20)]
    public int Attempts { get; set; } = 5;

    /// <summary>Rounds of PBKDF2 with HMAC-SHA-512 for a new password; one that was made with fewer is made anew at its next right use.</summary>
    [Between(100_000, 10_000_000)]
    public int PasswordRounds { get; set; } = 210_000;

    /// <summary>A file of SHA-1 hashes of stolen passwords, in their order, as the downloader of Have I Been Pwned writes it; none of them can be chosen. Without it, only what the rules know is refused.</summary>
    public string? BreachedPasswords { get; set; }

    public CompanyProviderSettings Provider { get; set; } = new();
}

/// <summary>The company's identity provider, by OpenID Connect.</summary>
public sealed class CompanyProviderSettings
{
    /// <summary>Its issuer, exactly as it calls itself; without one there is none.</summary>
    [Matching(@"^(https://[^\s?#]{1,500}|http://(127\.0\.0\.1|localhost)(:\d{1,5})?(/[^\s?#]*)?)$", "an address that begins with https://")]
    public string? Authority { get; set; }

    /// <summary>What it knows Camino by.</summary>
    public string? ClientId { get; set; }

    /// <summary>What Camino proves that with.</summary>
    [Secret]
    public string? ClientSecret { get; set; }

    /// <summary>As people call it; stands on the button.</summary>
    [Matching("^.{1,40}$", "1 to 40 characters")]
    public string Name { get; set; } = "Company";

    /// <summary>Claim that holds the e-mail.</summary>
    [Matching("^[^ ]{1,100}$", "a claim such as email")]
    public string EmailClaim { get; set; } = "email";

    /// <summary>Take every e-mail that it says as verified, because its administrators set them; else only with email_verified.</summary>
    public bool TrustEmails { get; set; }

    /// <summary>Ask its userinfo for what does not stand in the ID token.</summary>
    public bool AskUserInfo { get; set; }

    /// <summary>Values of amr or acr, separated by spaces, that say that it asked for a second factor; without any, Camino asks for its own.</summary>
    [Matching("^.{0,500}$", "values separated by spaces, such as mfa")]
    public string? SecondFactorValues { get; set; }

    /// <summary>Whether people may sign in by password and passkey of Camino too.</summary>
    public bool LocalSignIn { get; set; } = true;

    /// <summary>E-mail of the one administrator who may still sign in by password where LocalSignIn is false.</summary>
    [Matching("^[^ @]{1,200}@[^ @]{1,200}$", "an e-mail such as name@lender.example")]
    public string? LocalAdministrator { get; set; }

    /// <summary>Add whoever it vouches for and is not there yet, with the roles of Groups; else an administrator adds people.</summary>
    public bool AddPeople { get; set; }

    /// <summary>Claim that holds somebody's groups.</summary>
    [Matching("^[^ ]{1,100}$", "a claim such as groups")]
    public string GroupClaim { get; set; } = "groups";

    /// <summary>Which role a group gives to whoever is added; who is in none of them is not added.</summary>
    public List<CompanyGroupSettings> Groups { get; set; } = [];

    /// <summary>Whether a group may make administrators; else Groups may not name that role.</summary>
    public bool AdministratorsByGroup { get; set; }
}

/// <summary>A group of the company's identity provider and the role that it gives.</summary>
public sealed class CompanyGroupSettings
{
    /// <summary>As the claim names it.</summary>
    [Needed]
    [Matching("^.{1,200}$", "1 to 200 characters")]
    public string Group { get; set; } = "";

    /// <summary>What whoever is in it becomes when added.</summary>
    [Needed]
    [Matching("^(viewer|officer|underwriter|servicing|collections|accountant|administrator)$", "viewer, officer, underwriter, servicing, collections, accountant or administrator")]
    public string Role { get; set; } = "";
}
