using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Camino.TestDatabase")]
[assembly: InternalsVisibleTo("Camino.Tests")]
