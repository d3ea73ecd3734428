using Camino.Settings;

namespace Camino.Host.Configuration;

/// <summary>What one process of the image is. Only the host knows.</summary>
public enum Role
{
    /// <summary>Answers staff and client requests; works no queue.</summary>
    BackOffice,

    /// <summary>Works the queues; serves nothing but health and metrics.</summary>
    Async,
}

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>Text on a terminal, JSON otherwise.</summary>
    Auto,

    /// <summary>One JSON object a line.</summary>
    Json,

    /// <summary>Readable text.</summary>
    Text,
}

/// <summary>How far the connection to the database is protected.</summary>
public enum DatabaseTls
{
    /// <summary>As Ssl Mode in Database:ConnectionString says.</summary>
    AsConnectionString,

    /// <summary>Encrypted, whoever answers.</summary>
    Required,

    /// <summary>Encrypted, and the server must show a certificate of its name that a trusted authority signed.</summary>
    Verified,
}

/// <summary>Whether a second factor is asked for.</summary>
public enum SecondFactorMode
{
    /// <summary>Whoever has a role that moves money sets one up at the first sign-in, and can do nothing before.</summary>
    Required,

    /// <summary>Whoever wants one; for demos.</summary>
    Optional,

    /// <summary>Whoever signs in sets one up, whatever the roles.</summary>
    Everybody,
}

/// <summary>Least severity that is written.</summary>
public enum LogLevelName
{
    Verbose,
    Debug,
    Information,
    Warning,
    Error,
}

/// <summary>A whole number that a setting may hold.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class BetweenAttribute(long least, long most) : Attribute
{
    public long Least { get; } = least;
    public long Most { get; } = most;
}

/// <summary>The setting must stand somewhere: in the file, the environment or the secrets folder.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NeededAttribute : Attribute;

/// <summary>The setting belongs to one role; in the other role's file it is refused.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OnlyForAttribute(Role role) : Attribute
{
    public Role Role { get; } = role;
}

/// <summary>The setting must be the same in both files.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SameInBothAttribute : Attribute;

/// <summary>A secret: never shown, and refused in the file itself.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;

/// <summary>A text that must match, with words for people.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MatchingAttribute(string pattern, string words) : Attribute
{
    public string Pattern { get; } = pattern;
    public string Words { get; } = words;
}

/// <summary>Everything a configuration file may say. Keys, ranges and owners are these properties: the file is checked against them before anything starts.</summary>
public sealed class HostSettings
{
    /// <summary>Where each value came from, for people to see. Empty where the settings were made by code.</summary>
    internal SettingsInEffect InEffect { get; set; } = new(() => new SettingsLook("", "", [], null), () => new SettingsLook("", "", [], null));

    /// <summary>Which role this process takes; there is no default.</summary>
    [Needed]
    public Role Role { get; set; }

    /// <summary>Folder with one file per secret, named like the key with two underscores (<c>Database__Password</c>).</summary>
    public string? SecretsFolder { get; set; }

    public WebSettings Web { get; set; } = new();
    public DatabaseSettings Database { get; set; } = new();
    public FilesSettings Files { get; set; } = new();
    public LogSettings Log { get; set; } = new();
    public JobsSettings Jobs { get; set; } = new();
    public MigrationSettings Migration { get; set; } = new();

    [OnlyFor(Role.BackOffice)]
    public LimitsSettings Limits { get; set; } = new();

    [OnlyFor(Role.BackOffice)]
    public KeysSettings Keys { get; set; } = new();

    [OnlyFor(Role.BackOffice)]
    public SignInSettings SignIn { get; set; } = new();

    [OnlyFor(Role.BackOffice)]
    public ApprovalsSettings Approvals { get; set; } = new();

    public ImportsSettings Imports { get; set; } = new();
    public ScreeningSettings Screening { get; set; } = new();
    public WebhooksSettings Webhooks { get; set; } = new();
    public DocumentsSettings Documents { get; set; } = new();
    public LenderSettings Lender { get; set; } = new();

    [OnlyFor(Role.Async)]
    public ApplicationsSettings Applications { get; set; } = new();

    [OnlyFor(Role.Async)]
    public ProvidersSettings Providers { get; set; } = new();

    [OnlyFor(Role.BackOffice)]
    public SignatureSettings Signature { get; set; } = new();

    [OnlyFor(Role.Async)]
    public SmtpSettings Smtp { get; set; } = new();
}

/// <summary>Where the process listens and how it ends.</summary>
public sealed class WebSettings
{
    /// <summary>Addresses, separated by semicolons.</summary>
    [Needed]
    [Matching(@"^https?://[^\s;/]+(:\d{1,5})?/?(;https?://[^\s;/]+(:\d{1,5})?/?)*$", "addresses like http://127.0.0.1:8080, separated by semicolons")]
    public string Urls { get; set; } = "";

    /// <summary>Seconds that requests in flight may still take after SIGTERM; at least 10 more than Jobs:GraceSeconds on the Async Server.</summary>
    [Between(1, 600)]
    public int ShutdownSeconds { get; set; } = 20;

    /// <summary>Trust X-Forwarded-For and -Proto of the proxy in front.</summary>
    [OnlyFor(Role.BackOffice)]
    public bool BehindProxy { get; set; }

    /// <summary>Behind a proxy: from which networks it connects, separated by semicolons; of others nothing is believed. Without it, whoever connects is.</summary>
    [OnlyFor(Role.BackOffice)]
    [Matching(@"^[^\s;]{1,50}(;[^\s;]{1,50}){0,19}$", "1 to 20 networks such as 10.0.0.0/8, separated by semicolons")]
    public string? ProxyNetworks { get; set; }

    /// <summary>Behind a proxy: seconds after SIGTERM in which requests are still taken while readiness fails already, so that the proxy lets go first.</summary>
    [OnlyFor(Role.BackOffice)]
    [Between(0, 120)]
    public int DrainSeconds { get; set; } = 5;

    /// <summary>Behind a proxy: seconds at most in which the pages of every day are run once before readiness is given; 0 for not at all.</summary>
    [OnlyFor(Role.BackOffice)]
    [Between(0, 60)]
    public int WarmUpSeconds { get; set; } = 10;
}

/// <summary>The PostgreSQL server and what this process may take of it.</summary>
public sealed class DatabaseSettings
{
    /// <summary>Npgsql connection string; a password in it is refused in the file.</summary>
    [Needed]
    public string ConnectionString { get; set; } = "";

    /// <summary>The password, where the connection string has none.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Connections that one process keeps at most.</summary>
    [Between(4, 500)]
    public int MaxPoolSize { get; set; } = 20;

    /// <summary>Processes of this role at most, for the connection budget.</summary>
    [Between(1, 200)]
    public int MaxReplicas { get; set; } = 1;

    /// <summary>Seconds before one statement is given up.</summary>
    [Between(1, 3600)]
    public int CommandTimeoutSeconds { get; set; } = 30;

    /// <summary>A transaction pooler (PgBouncer) stands between: no session settings, no prepared statements, no wake-ups through it.</summary>
    public bool Pooler { get; set; }

    /// <summary>The way past the pooler, for the one connection that hears wake-ups; without it work is found by polling.</summary>
    [OnlyFor(Role.Async)]
    public string? DirectConnectionString { get; set; }

    /// <summary>How far the connection is protected.</summary>
    [SameInBoth]
    public DatabaseTls Tls { get; set; }

    /// <summary>File with the certificates of the authorities that may have signed the server's; the machine's own where it is left out.</summary>
    public string? RootCertificate { get; set; }
}

/// <summary>How the verbs of an operator reach the database (migrate, release, backup, restore): as the user that owns the tables, and past any pooler.</summary>
public sealed class MigrationSettings
{
    /// <summary>Npgsql connection string of the owner; the role's own connection where it is left out.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Its password.</summary>
    [Secret]
    public string? Password { get; set; }

    /// <summary>Seconds that a statement of a migration waits for a lock before it is given up, so that nobody queues behind it for longer.</summary>
    [Between(1, 60)]
    public int LockTimeoutSeconds { get; set; } = 4;

    /// <summary>How often a migration that did not get its locks is tried in all.</summary>
    [Between(1, 100)]
    public int Attempts { get; set; } = 10;
}

/// <summary>What the Back Office takes on at once; beyond it, it says so at once instead of answering late.</summary>
public sealed class LimitsSettings
{
    /// <summary>Requests in work at once.</summary>
    [Between(1, 10_000)]
    public int Concurrent { get; set; } = 100;

    /// <summary>Requests that wait for one of those places.</summary>
    [Between(0, 100_000)]
    public int Waiting { get; set; } = 200;

    /// <summary>Milliseconds that a request waits for a place before it is answered with 503.</summary>
    [Between(1, 60_000)]
    public int WaitMilliseconds { get; set; } = 2_000;

    /// <summary>Seconds that a page or a call of the API may take; then it is cancelled with every statement of it.</summary>
    [Between(1, 3_600)]
    public int RequestSeconds { get; set; } = 30;

    /// <summary>Files that arrive, or lists that are written out, at once.</summary>
    [Between(1, 10_000)]
    public int Transfers { get; set; } = 50;

    /// <summary>Open lines on which pages and programs hear of progress, at once.</summary>
    [Between(1, 100_000)]
    public int Listeners { get; set; } = 1_000;

    /// <summary>Seconds that a file may take to arrive, or a list to be written out.</summary>
    [Between(1, 86_400)]
    public int TransferSeconds { get; set; } = 3_600;

    /// <summary>Requests in a minute that one signed-in user may make; API clients have limits of their own.</summary>
    [Between(1, 1_000_000)]
    public int PerUserAMinute { get; set; } = 6_000;

    /// <summary>Sign-ins in a minute that one address may try.</summary>
    [Between(1, 100_000)]
    public int SignInsAMinute { get; set; } = 120;
}

/// <summary>What protects the keys of cookies and form tokens in the database.</summary>
public sealed class KeysSettings
{
    /// <summary>With it the stored keys are encrypted; every Back Office needs the same one. 32 characters or more.</summary>
    [Secret]
    [Matching("^.{32,1000}$", "32 to 1,000 characters")]
    public string? Secret { get; set; }

    /// <summary>The secret before the last rotation: what it encrypted can still be read.</summary>
    [Secret]
    [Matching("^.{32,1000}$", "32 to 1,000 characters")]
    public string? PreviousSecret { get; set; }
}

/// <summary>Where files handed in are kept until they are worked; both roles must see the same folder.</summary>
public sealed class FilesSettings
{
    /// <summary>A folder on this machine or a shared mount; relative to the current folder.</summary>
    [Needed]
    [SameInBoth]
    public string Folder { get; set; } = "";
}

/// <summary>What is written about what happens.</summary>
public sealed class LogSettings
{
    public LogLevelName Level { get; set; } = LogLevelName.Information;
    public LogFormat Format { get; set; }
}

/// <summary>The queue between the roles.</summary>
public sealed class JobsSettings
{
    /// <summary>The engine that every build has.</summary>
    public const string OwnEngine = "Camino";

    /// <summary>Which engine carries the jobs; one that was not built in is refused.</summary>
    [SameInBoth]
    [Matching("^(Camino|Hangfire)$", "Camino or Hangfire")]
    public string Engine { get; set; } = OwnEngine;

    /// <summary>Jobs that run at once in this process.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 256)]
    public int Slots { get; set; } = 8;

    /// <summary>A server that is silent for so long is dead and its jobs run elsewhere.</summary>
    [OnlyFor(Role.Async)]
    [Between(5, 600)]
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>The longest time until waiting work is noticed without a wake-up.</summary>
    [OnlyFor(Role.Async)]
    [Between(50, 60_000)]
    public int PollMilliseconds { get; set; } = 1_000;

    /// <summary>Seconds that running jobs may still take after SIGTERM before they are returned to the queue.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 600)]
    public int GraceSeconds { get; set; } = 8;

    /// <summary>Seconds after which a server whose release is retired ends itself, when nobody stopped it.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 86_400)]
    public int RetireSeconds { get; set; } = 60;

    /// <summary>After so many seconds of waiting a job counts as one of the next queue up; 0 switches ageing off.</summary>
    [OnlyFor(Role.Async)]
    [Between(0, 86_400)]
    public int AgeingSeconds { get; set; } = 300;

    /// <summary>How far this process steps back for others on the same machine (Linux): 0 not at all, 19 until nobody else wants to run.</summary>
    [OnlyFor(Role.Async)]
    [Between(0, 19)]
    public int Niceness { get; set; } = 5;

    /// <summary>Strict: the first queue of the list that has work. Weighted: in turns by weight.</summary>
    [OnlyFor(Role.Async)]
    public Jobs.JobOrder Order { get; set; }

    /// <summary>Seconds that a job which its limit let in may wait to be taken, before its slot goes to others.</summary>
    [OnlyFor(Role.Async)]
    [Between(5, 3_600)]
    public int LimitLeaseSeconds { get; set; } = 60;

    /// <summary>Days that jobs are kept that are done or cancelled, or failed and acknowledged.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 3_650)]
    public int KeepDays { get; set; } = 30;

    /// <summary>Days that failed jobs are kept that nobody acknowledged.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 3_650)]
    public int KeepFailedDays { get; set; } = 365;

    /// <summary>Kinds that are kept longer or shorter.</summary>
    [OnlyFor(Role.Async)]
    public List<RetentionSettings> Retention { get; set; } = [];

    /// <summary>From which figures on alarms are raised.</summary>
    [OnlyFor(Role.Async)]
    public AlarmSettings Alarms { get; set; } = new();

    /// <summary>Other times for the recurring jobs of the release, and further ones.</summary>
    [OnlyFor(Role.Async)]
    public List<RecurringSettings> Recurring { get; set; } = [];

    /// <summary>Queues that are served, most urgent first.</summary>
    [OnlyFor(Role.Async)]
    [Needed]
    public List<QueueSettings> Queues { get; set; } = [];
}

/// <summary>One queue in the order of priority.</summary>
public sealed class QueueSettings
{
    [Needed]
    [Matching("^[a-z][a-z0-9-]{0,39}$", "1 to 40 small letters, digits and hyphens, beginning with a letter")]
    public string Name { get; set; } = "";

    /// <summary>Slots that only this queue and more urgent ones may take.</summary>
    [Between(0, 255)]
    public int ReservedSlots { get; set; }

    /// <summary>Its share where Jobs:Order is Weighted.</summary>
    [Between(1, 1_000)]
    public int Weight { get; set; } = 1;

    /// <summary>Seconds that its oldest job may wait before an alarm is raised; 0 means never.</summary>
    [Between(0, 604_800)]
    public int TargetSeconds { get; set; }

    /// <summary>Slots that this queue takes at most; 0 means no limit.</summary>
    [Between(0, 256)]
    public int MaxSlots { get; set; }
}

/// <summary>Acts that need a second person.</summary>
public sealed class ApprovalsSettings
{
    /// <summary>Hours for which a request waits for a second person at most.</summary>
    [Between(1, 720)]
    public int ExpireAfterHours { get; set; } = 72;

    /// <summary>In dollars: what one person may waive on one loan on one business day; more needs a second person.</summary>
    [Matching(@"^\d{1,9}(\.\d{1,2})?$", "an amount from 0.00 to 999999999.99")]
    public string WaiveOver { get; set; } = "100.00";
}

/// <summary>Limits of imported files.</summary>
public sealed class ImportsSettings
{
    /// <summary>Bytes of one uploaded file.</summary>
    [SameInBoth]
    [Between(1_024, 2_147_483_648)]
    public long MaxFileBytes { get; set; } = 2_147_483_648;

    /// <summary>Rows of one transaction.</summary>
    [OnlyFor(Role.Async)]
    [Between(100, 50_000)]
    public int ChunkRows { get; set; } = 10_000;

    /// <summary>So many times the time of each piece an import waits at most while the database serves others; 0 for never.</summary>
    [OnlyFor(Role.Async)]
    [Between(0, 100)]
    public int StepBack { get; set; } = 5;

    /// <summary>Days for which the file of an import that is over, or that nobody decided on, is kept. Its rows, figures and findings stay.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 3_650)]
    public int KeepFilesDays { get; set; } = 90;
}

/// <summary>Sanctions screening: how alike a name must be, and where the lists come from.</summary>
public sealed class ScreeningSettings
{
    /// <summary>Least score of a hit.</summary>
    [SameInBoth]
    [Between(60, 100)]
    public int Threshold { get; set; } = 85;

    /// <summary>Pay no loan out before a sanctions list was taken in; set it wherever real money goes out.</summary>
    [SameInBoth]
    public bool Required { get; set; }

    /// <summary>Folder with OFAC's files that the recurring job reads; with neither folder nor address it does nothing.</summary>
    [OnlyFor(Role.Async)]
    public string? Folder { get; set; }

    /// <summary>Address below which the files are fetched; it goes before the folder.</summary>
    [OnlyFor(Role.Async)]
    [Matching("^https?://[^ ]{1,500}$", "an address that begins with https:// or http://")]
    public string? Address { get; set; }
}

/// <summary>Notices to programs that handed applications in.</summary>
public sealed class WebhooksSettings
{
    /// <summary>With it the secrets of endpoints are sealed; both roles need the same one. 32 characters or more.</summary>
    [Secret]
    [Matching("^.{32,1000}$", "32 to 1,000 characters")]
    public string? Secret { get; set; }

    /// <summary>The secret before the last rotation: what it sealed can still be read.</summary>
    [Secret]
    [Matching("^.{32,1000}$", "32 to 1,000 characters")]
    public string? PreviousSecret { get; set; }

    /// <summary>Endpoints may be plain http and lie in private networks; for development alone.</summary>
    [SameInBoth]
    public bool AllowPrivateAddresses { get; set; }
}

/// <summary>Documents about borrowers, applications and loans: how large, where, and who looks at them for malware.</summary>
public sealed class DocumentsSettings
{
    /// <summary>Bytes of one file at most.</summary>
    [SameInBoth]
    [Between(1_024, 26_214_400)]
    public int MaxFileBytes { get; set; } = 20_971_520;

    /// <summary>Where a malware scanner that speaks clamd's protocol listens; without one nobody looks.</summary>
    [SameInBoth]
    [Matching(@"^[A-Za-z0-9.\-]{1,200}:\d{1,5}$", "a host and a port such as clamd:3310")]
    public string? Scanner { get; set; }

    /// <summary>So many days before a document expires a task is made of it.</summary>
    [OnlyFor(Role.Async)]
    [Between(1, 365)]
    public int ExpiryDays { get; set; } = 30;

    /// <summary>Kinds of documents of applications that the outside service (Providers:Reading) reads as they come, separated by commas; without one only those that somebody has read.</summary>
    [SameInBoth]
    [Matching("^(other|identity|bankStatement|taxReturn|financials|registration|lease|insurance|contract|letter)(,(other|identity|bankStatement|taxReturn|financials|registration|lease|insurance|contract|letter))*$", "kinds of documents such as bankStatement,taxReturn")]
    public string? ReadKinds { get; set; }

    public BucketSettings Bucket { get; set; } = new();
}

/// <summary>A bucket of an S3-compatible store, where documents are kept instead of below Files:Folder.</summary>
public sealed class BucketSettings
{
    /// <summary>Address of the store, without the bucket.</summary>
    [SameInBoth]
    [Matching("^https?://[^ /?]{1,300}/?$", "an address that begins with https:// or http://")]
    public string? Address { get; set; }

    [SameInBoth]
    [Matching("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "a bucket's name: 3 to 63 small letters, digits, points and hyphens")]
    public string? Name { get; set; }

    /// <summary>As the store signs it.</summary>
    [SameInBoth]
    [Matching("^[a-z0-9-]{1,40}$", "a region such as us-east-1")]
    public string Region { get; set; } = "us-east-1";

    /// <summary>What the store knows this lender by.</summary>
    [Secret]
    public string? KeyId { get; set; }

    [Secret]
    public string? Secret { get; set; }
}

/// <summary>The service level of the checks of applications.</summary>
public sealed class ApplicationsSettings
{
    /// <summary>Minutes after which an application whose checks are not done raises a task.</summary>
    [Between(1, 10_080)]
    public int StepLimitMinutes { get; set; } = 60;
}
