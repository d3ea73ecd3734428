namespace Camino.Notices;

/// <summary>Something a person is told on the screen: what they asked for has ended.</summary>
public sealed class Notice
{
    private Notice()
    {
    }

    /// <param name="userId">Who is told.</param>
    /// <param name="text">Name of the text resource: <c>Notice.ImportDone</c>.</param>
    /// <param name="arguments">What fills the text's places.</param>
    /// <param name="link">Path inside the Back Office that shows the result.</param>
    public Notice(Guid userId, string text, string[] arguments, string link, DateTimeOffset at)
    {
        Id = Guid.CreateVersion7();
        UserId = userId;
        Text = text;
        Arguments = arguments;
        Link = link;
        CreatedAt = at;
    }

    public Guid Id { get; private set; }
    public Guid UserId { get; private set; }
    public string Text { get; private set; } = "";
    public string[] Arguments { get; private set; } = [];
    public string Link { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? ReadAt { get; private set; }

    /// <summary>The person has seen it; a second reading changes nothing.</summary>
    public void Read(DateTimeOffset at) => ReadAt ??= at;
}
