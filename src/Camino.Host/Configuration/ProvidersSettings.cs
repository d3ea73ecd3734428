namespace Camino.Host.Configuration;

/// <summary>The outside services that applications are checked at, and those that send messages to applicants.</summary>
public sealed class ProvidersSettings
{
    public ProviderSettings Registry { get; set; } = new();
    public ProviderSettings Credit { get; set; } = new();
    public ProviderSettings Identity { get; set; } = new();
    public ProviderSettings Account { get; set; } = new();
    public ProviderSettings Reading { get; set; } = new();
    public ProviderSettings Signature { get; set; } = new();
    public ProviderSettings Email { get; set; } = new();
    public ProviderSettings Text { get; set; } = new();
}

/// <summary>Callbacks of the signature service.</summary>
public sealed class SignatureSettings
{
    /// <summary>What the service signs them with; without it none is taken, and envelopes are asked for from time to time alone.</summary>
    [Secret]
    [Matching("^.{32,1000}$", "32 to 1,000 characters")]
    public string? CallbackSecret { get; set; }
}

/// <summary>How a mail server is spoken to; never in the clear.</summary>
public enum SmtpSecurity
{
    /// <summary>In the clear up to STARTTLS, before which nothing is said; a server that does not offer it gets no mail.</summary>
    StartTls,

    /// <summary>Encrypted from the first byte.</summary>
    Tls,
}

/// <summary>A mail server that takes e-mails by SMTP, instead of a service over HTTP.</summary>
public sealed class SmtpSettings
{
    /// <summary>The server; without one e-mails go to Providers:Email.</summary>
    [Matching(@"^[A-Za-z0-9.\-]{1,200}$", "a host such as mail.lender.example")]
    public string? Host { get; set; }

    [Between(1, 65_535)]
    public int Port { get; set; } = 587;

    public SmtpSecurity Security { get; set; } = SmtpSecurity.StartTls;

    /// <summary>What it knows this lender by; without one it is not asked to sign in.</summary>
    [Matching(@"^[^\p{C}]{1,200}$", "1 to 200 characters")]
    public string? User { get; set; }

    [Secret]
    public string? Password { get; set; }

    /// <summary>The address that mails come from.</summary>
    [Matching(@"^[^\s@<>,;:""]{1,64}@[A-Za-z0-9.\-]{1,190}$", "an e-mail address")]
    public string? From { get; set; }

    /// <summary>File of certificates in PEM that may vouch for the server; without one those that this computer trusts.</summary>
    public string? RootCertificate { get; set; }

    /// <summary>The longest that handing over one mail may take.</summary>
    [Between(1, 100)]
    public int TimeoutSeconds { get; set; } = 30;

    /// <summary>For how long nobody of a process tries after five failures in a row.</summary>
    [Between(1, 600)]
    public int RestSeconds { get; set; } = 15;

    /// <summary>Mails that are handed over at the same time, of all servers together.</summary>
    [Between(1, 1_000)]
    public int AtOnce { get; set; } = 4;

    /// <summary>Mails within any minute, of all servers together.</summary>
    [Between(1, 10_000)]
    public int PerMinute { get; set; } = 120;
}

/// <summary>One outside service.</summary>
public sealed class ProviderSettings
{
    /// <summary>Address below which it is asked; without one it is not, and its steps are not planned.</summary>
    [Matching("^https?://[^ ]{1,500}$", "an address that begins with https:// or http://")]
    public string? Address { get; set; }

    /// <summary>What it knows this lender by.</summary>
    [Secret]
    public string? Key { get; set; }

    /// <summary>The longest that one question may take.</summary>
    [Between(1, 100)]
    public int TimeoutSeconds { get; set; } = 10;

    /// <summary>For how long nobody of a process asks after five failures in a row.</summary>
    [Between(1, 600)]
    public int RestSeconds { get; set; } = 15;

    /// <summary>Questions at the same time, of all servers together.</summary>
    [Between(1, 1_000)]
    public int AtOnce { get; set; } = 8;

    /// <summary>Questions that begin within any minute, of all servers together.</summary>
    [Between(1, 10_000)]
    public int PerMinute { get; set; } = 600;
}
