namespace Camino.Releases;

/// <summary>One release of the program, as it names itself.</summary>
/// <param name="Number">0 or more; of two releases the newer one has the higher number.</param>
/// <param name="Name">Version and commit, for people.</param>
/// <param name="Revision">The whole name of the commit, or empty.</param>
/// <param name="Image">Digest of the image it runs from; null where it runs from a folder.</param>
public sealed record ReleaseIdentity(long Number, string Name, string Revision, string? Image);

/// <summary>One start of one process.</summary>
/// <param name="Role">What it calls its role.</param>
/// <param name="Address">Where it listens; only for people.</param>
/// <param name="TakesWork">It works queues.</param>
public sealed record ThisProcess(Guid Id, ReleaseIdentity Release, string Role, string Host, int Pid, string Address, bool TakesWork);
