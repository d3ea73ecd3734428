namespace Camino.Papers;

/// <summary>A paper as it is read from top to bottom, before it is laid out.</summary>
/// <param name="Title">What a reader's window is called.</param>
/// <param name="Language">Two letters, in which all of it is written.</param>
/// <param name="Foot">Stands at the foot of every page.</param>
/// <param name="PageWord">What comes before the number of a page, with places for the number and for how many there are.</param>
public sealed record PaperText(string Title, string Language, string Foot, string PageWord, IReadOnlyList<PaperBlock> Blocks);

/// <summary>A piece of a paper.</summary>
public abstract record PaperBlock;

/// <summary>The name of the paper (level 1) or of a part of it.</summary>
public sealed record PaperHeading(int Level, string Text) : PaperBlock;

/// <summary>One paragraph.</summary>
public sealed record PaperParagraph(string Text) : PaperBlock;

/// <summary>Short lines one below the other: an address.</summary>
public sealed record PaperLines(IReadOnlyList<string> Lines) : PaperBlock;

/// <summary>A list.</summary>
public sealed record PaperItems(IReadOnlyList<string> Items) : PaperBlock;

/// <summary>Names with their values.</summary>
public sealed record PaperPairs(IReadOnlyList<(string Name, string Value)> Pairs) : PaperBlock;

/// <summary>A table. The first column stands left, all others right.</summary>
/// <param name="Total">The last row, set off; empty: none.</param>
public sealed record PaperTable(IReadOnlyList<string> Heads, IReadOnlyList<IReadOnlyList<string>> Rows, IReadOnlyList<string> Total) : PaperBlock;

/// <summary>Places to sign on paper, each with who signs.</summary>
public sealed record PaperSignatures(IReadOnlyList<string> Names, string DateWord) : PaperBlock;

/// <summary>What follows begins on a page of its own.</summary>
public sealed record PaperPageBreak : PaperBlock;
