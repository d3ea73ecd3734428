[assembly: NUnit.Framework.LevelOfParallelism(3)]
