using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Camino.Jobs.Tests")]
[assembly: InternalsVisibleTo("Camino.Jobs.Hangfire")]
