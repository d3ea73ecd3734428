using Camino.Lending;

namespace Camino.Imports;

/// <summary>Where an import stands. Stored as smallint: never renumber.</summary>
public enum ImportStatus
{
    /// <summary>The file is stored; a job will look at it.</summary>
    Received = 0,

    /// <summary>The columns are not of a known layout; staff say which is what.</summary>
    NeedsMapping = 1,

    /// <summary>The dry run is going on.</summary>
    Checking = 2,

    /// <summary>The dry run is done; staff decide.</summary>
    Checked = 3,

    /// <summary>Rows are being stored.</summary>
    Loading = 4,

    /// <summary>Every row has its outcome.</summary>
    Done = 5,

    /// <summary>The file as a whole could not be worked; what was committed before is reported.</summary>
    Failed = 6,

    /// <summary>Stopped by a person; exactly what is reported was committed.</summary>
    Cancelled = 7,
}

/// <summary>What is to happen with a file once it is here.</summary>
public enum ImportPlan
{
    /// <summary>Dry run, then a person looks and decides.</summary>
    Review = 0,

    /// <summary>Load at once.</summary>
    Load = 1,

    /// <summary>Dry run only; nothing will be stored.</summary>
    DryRun = 2,
}

/// <summary>One file handed in and what became of every row of it.</summary>
public sealed class Import
{
    private Import()
    {
    }

    /// <param name="fileName">As the person's machine called it, without folders; shown, never used as a path.</param>
    /// <param name="storedAs">Key in the file store.</param>
    /// <param name="sizeBytes">Bytes as uploaded.</param>
    /// <param name="sha256">Of the bytes as uploaded.</param>
    public Import(Guid id, string fileName, string storedAs, long sizeBytes, byte[] sha256, ImportPlan plan, Guid requestedBy, DateTimeOffset at)
    {
        Id = id;
        FileName = fileName;
        StoredAs = storedAs;
        SizeBytes = sizeBytes;
        Sha256 = sha256;
        Plan = plan;
        RequestedBy = requestedBy;
        RequestedAt = at;
    }

    public Guid Id { get; private set; }
    public string FileName { get; private set; } = "";
    public string StoredAs { get; private set; } = "";
    public long SizeBytes { get; private set; }
    public byte[] Sha256 { get; private set; } = [];
    public ImportPlan Plan { get; private set; }
    public ImportStatus Status { get; private set; }
    public Guid RequestedBy { get; private set; }
    public DateTimeOffset RequestedAt { get; private set; }

    /// <summary>The job that works on it now, or worked on it last.</summary>
    public Guid? JobId { get; private set; }

    /// <summary>Name of the layout found or chosen.</summary>
    public string? LayoutName { get; private set; }

    /// <summary>The mapping that staff chose, as JSON; null where the layout was recognised.</summary>
    public string? Mapping { get; private set; }

    /// <summary>Container, encoding, delimiter, header and preview of the file, as JSON; set when the file was first opened.</summary>
    public string? Shape { get; private set; }

    /// <summary>When work on the present step began.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>When figures last moved.</summary>
    public DateTimeOffset? ProgressAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>Bytes of the stored file that have been worked, for the bar and the time left.</summary>
    public long BytesDone { get; private set; }

    /// <summary>What the dry run counted; JSON of <see cref="ImportFigures"/>.</summary>
    public string? CheckFigures { get; private set; }

    /// <summary>What was stored, committed together with the rows it counts; JSON of <see cref="ImportFigures"/>.</summary>
    public string? LoadFigures { get; private set; }

    /// <summary>Why it failed: stable code (<c>import.file.empty</c>).</summary>
    public string? ErrorCode { get; private set; }

    /// <summary>What fills the places of the error's text.</summary>
    public string[] ErrorArguments { get; private set; } = [];

    /// <summary>No further step will happen.</summary>
    public bool IsOver => Status is ImportStatus.Done or ImportStatus.Failed or ImportStatus.Cancelled || (Plan == ImportPlan.DryRun && Status == ImportStatus.Checked);

    /// <summary>Says which job works on the next step.</summary>
    public void HandTo(Guid jobId) => JobId = jobId;

    /// <summary>It was handed in together with a mapping that staff had saved.</summary>
    public void Use(SavedMapping mapping)
    {
        LayoutName = mapping.Name;
        Mapping = mapping.Layout;
    }

    /// <summary>Staff said which column is what; the dry run starts over.</summary>
    /// <exception cref="RefusedException"><c>import.not_waiting_for_mapping</c>.</exception>
    public void Map(string layoutName, string mapping)
    {
        Refuse.If(Status is not (ImportStatus.NeedsMapping or ImportStatus.Checked or ImportStatus.Failed) || LoadFigures is not null, "import.not_waiting_for_mapping", $"The import is {Status}; columns can be said only before anything is stored.");
        LayoutName = layoutName;
        Mapping = mapping;
        CheckFigures = null;
        ErrorCode = null;
        ErrorArguments = [];
        FinishedAt = null;
        Restart();
    }

    /// <summary>A person looked at the dry run and wants the rows stored.</summary>
    /// <exception cref="RefusedException"><c>import.not_checked</c>.</exception>
    public void DecideToLoad()
    {
        Refuse.If(Status != ImportStatus.Checked, "import.not_checked", $"The import is {Status}; only one whose dry run is done can be loaded.");
        Plan = ImportPlan.Load;
        FinishedAt = null;
        Restart();
    }

    /// <summary>Stopped by a person. A chunk that is under way is not committed any more, and what had been committed stays and stays reported.</summary>
    /// <exception cref="RefusedException"><c>import.is_over</c>.</exception>
    public void Cancel(DateTimeOffset at)
    {
        Refuse.If(IsOver, "import.is_over", $"The import is {Status}; there is nothing left to cancel.");
        Status = ImportStatus.Cancelled;
        FinishedAt = at;
    }

    private void Restart()
    {
        Status = ImportStatus.Received;
        JobId = null;
        BytesDone = 0;
        StartedAt = null;
        ProgressAt = null;
    }
}

/// <summary>A row that did not simply go in: corrected or rejected, with what was found. One table for dry run and load.</summary>
public sealed class ImportRow
{
    public Guid ImportId { get; private set; }

    /// <summary>True for the dry run's first findings, false for what the load did.</summary>
    public bool DryRun { get; private set; }

    /// <summary>Physical line of the file where the row begins, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>2 rejected, 1 corrected; see <see cref="RowOutcome"/>.</summary>
    public RowOutcome Outcome { get; private set; }

    /// <summary>The loan's number, where it could be read.</summary>
    public string? Number { get; private set; }

    /// <summary>JSON list of <see cref="Finding"/>.</summary>
    public string Findings { get; private set; } = "[]";

    /// <summary>The row as it stood in the file (rejected rows only), cut at 64 KB.</summary>
    public string? Raw { get; private set; }
}

/// <summary>A mapping that staff gave a name, to use again for files with the same columns.</summary>
public sealed class SavedMapping
{
    private SavedMapping()
    {
    }

    public SavedMapping(string name, string layout, Guid createdBy, DateTimeOffset at)
    {
        Id = Guid.CreateVersion7();
        Name = name;
        Layout = layout;
        CreatedBy = createdBy;
        CreatedAt = at;
    }

    public Guid Id { get; private set; }

    /// <summary>1 to 60 characters, unique without regard to case.</summary>
    public string Name { get; private set; } = "";

    /// <summary>JSON of the layout.</summary>
    public string Layout { get; private set; } = "{}";

    public Guid CreatedBy { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Takes another layout under the same name.</summary>
    public void Replace(string layout) => Layout = layout;
}
