namespace Camino.Host.Local;

/// <summary>Camino or its PostgreSQL cannot be started on this machine; the message says why and what to do, and is meant to be printed as it is.</summary>
public sealed class LocalStartException(string message, Exception? cause = null) : Exception(message, cause);
