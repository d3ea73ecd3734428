using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Camino.Jobs.Tests")]
