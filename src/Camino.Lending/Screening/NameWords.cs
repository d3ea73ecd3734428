using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Camino.Lending.Screening;

/// <summary>A name taken apart: what it is compared by, and what it is not.</summary>
/// <remarks>Case, accents, punctuation, apostrophes and hyphens do not count; letters with full stops between them are one word (<c>S.A.</c>); legal forms stand apart.</remarks>
public sealed class NameWords
{
    /// <summary>Longest name that is taken apart, in characters; the rest is not looked at.</summary>
    public const int LongestName = 500;

    /// <summary>Most words of a name that are compared.</summary>
    public const int MostWords = 24;

    private static readonly FrozenSet<string> s_particles = Set("DE DEL DELLA DI DA DAS DO DOS DU LA LAS LE LES LOS EL AL UL ED Y E AND ET UND THE OF FOR TO IN VAN VON DER DEN BIN BEN IBN BINT OULD MR MRS MS DR SR SRA DON DONA");

    /// <summary>Legal forms; those of several words first, so that <c>S.A. DE C.V.</c> goes as one.</summary>
    private static readonly string[][] s_legalForms =
    [
        .. new[]
        {
            "SOCIEDAD ANONIMA DE CAPITAL VARIABLE", "S DE R L DE C V", "S A P I DE C V", "S DE RL DE CV", "SAPI DE CV", "S A DE C V", "SA DE CV", "S DE R L", "S DE RL", "DE C V", "DE CV", "SOCIEDAD ANONIMA", "SOCIEDAD LIMITADA",
            "LIMITED LIABILITY COMPANY", "JOINT STOCK COMPANY", "S EN C", "Y CIA", "E HIJOS", "AND SONS", "AND CO", "FZ LLC", "PTE LTD", "PTY LTD", "S A S", "S A R L", "S R L", "S P A", "S A", "S L", "C A", "L L C", "L L P", "L P", "B V", "N V", "P L C",
            "D O O", "E U", "CO LTD", "GMBH CO KG",
        }.Select(form => form.Split(' ')),
        .. "LLC LLP LP INC INCORPORATED CORP CORPORATION CO COMPANY COMPANIA LTD LIMITED LTDA LIMITADA SA SAS SRL SARL SPA SL SC CV CA CIA GMBH AG KG OHG BV NV PLC PTE PTY PJSC JSC OJSC CJSC PAO OAO ZAO AO OOO TOO DOO OOD EOOD AD AS OY AB APS FZE FZC FZCO FZCO EU ETS PC PLLC SDN BHD TBK PT KFT ZRT ANS SNC EIRL"
            .Split(' ').Select(form => new[] { form }),
    ];

    /// <summary>Forms that stand before the name.</summary>
    private static readonly FrozenSet<string> s_leadingForms = Set("OOO OAO ZAO PAO AO PJSC OJSC CJSC JSC TOO PT LLC");

    private NameWords(string text, IReadOnlyList<NameWord> words, IReadOnlyList<string> legalForms)
    {
        Text = text;
        Words = words;
        LegalForms = legalForms;
        Compact = string.Concat(words.Select(word => word.Text));
    }

    /// <summary>The name as it was written.</summary>
    public string Text { get; }

    /// <summary>What is compared, in the order in which it was written; empty where the name has no letter and no digit.</summary>
    public IReadOnlyList<NameWord> Words { get; }

    /// <summary>Legal forms that were set apart.</summary>
    public IReadOnlyList<string> LegalForms { get; }

    /// <summary>All words without blanks.</summary>
    internal string Compact { get; }

    /// <summary>Whether a word says little by itself.</summary>
    public static bool IsParticle(string word) => s_particles.Contains(word);

    /// <summary>Takes a name apart.</summary>
    /// <param name="name">Up to <see cref="LongestName"/> characters count.</param>
    /// <param name="kind">Of a person no legal form is set apart: <c>SA</c> and <c>CO</c> are surnames.</param>
    public static NameWords Of(string name, PartyKind kind)
    {
        ArgumentNullException.ThrowIfNull(name);
        var comma = kind is PartyKind.Person or PartyKind.Unknown ? Comma(name) : -1;
        List<NameWord> words = comma < 0 ? Split(name, NamePart.Unknown) : [.. Split(name[..comma], NamePart.Surname), .. Split(name[(comma + 1)..], NamePart.Given)];
        List<string> forms = [];
        if (kind != PartyKind.Person)
            SetFormsApart(words, forms);
        if (kind == PartyKind.Unknown && forms.Count > 0)
            words = [.. words.Select(word => word with { Part = NamePart.Unknown })]; // ACME, INC. is no person called Inc.
        return new NameWords(name, words.Count > MostWords ? words[..MostWords] : words, forms);
    }

    /// <summary>The one comma that divides surnames from given names.</summary>
    private static int Comma(string name)
    {
        var first = name.IndexOf(',', StringComparison.Ordinal);
        return first <= 0 || name.IndexOf(',', first + 1) >= 0 ? -1 : first;
    }

    private static List<NameWord> Split(string name, NamePart part)
    {
        if (name.Length > LongestName)
            name = name[..LongestName];
        var words = new List<NameWord>();
        for (var at = 0; at < name.Length;)
        {
            while (at < name.Length && !IsOfWord(name, at))
                at++;
            var from = at;
            while (at < name.Length && IsOfWord(name, at))
                at++;
            if (at > from && Word(name[from..at], part) is { } word)
                words.Add(word);
        }

        return words;
    }

    /// <summary>Letters, digits, accents, apostrophes within; a full stop between single letters.</summary>
    private static bool IsOfWord(string name, int at)
    {
        var sign = name[at];
        if (char.IsLetterOrDigit(sign) || char.IsSurrogate(sign) || CharUnicodeInfo.GetUnicodeCategory(sign) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format or UnicodeCategory.SpacingCombiningMark)
            return true;
        if (IsApostrophe(sign))
            return at > 0 && at + 1 < name.Length && char.IsLetterOrDigit(name[at - 1]) && char.IsLetterOrDigit(name[at + 1]);
        return sign == '.' && IsLone(name, at - 1) && IsLone(name, at + 1);
    }

    private static bool IsApostrophe(char sign) => sign is '\'' or '\u2018' or '\u2019' or '`' or '\u00B4' or '\u02BC' or '\u02BB' or '\u02BF' or '\u02BE';

    /// <summary>A letter with no letter beside it.</summary>
    private static bool IsLone(string name, int at) =>
        at >= 0 && at < name.Length && char.IsLetter(name[at]) && (at == 0 || !char.IsLetterOrDigit(name[at - 1])) && (at + 1 == name.Length || !char.IsLetterOrDigit(name[at + 1]));

    private static NameWord? Word(string shown, NamePart part)
    {
        var plain = true;
        foreach (var sign in shown)
            plain &= char.IsAsciiLetterOrDigit(sign) || sign is '\'' or '.';
        if (plain)
        {
            var ascii = shown.ToUpperInvariant().Replace("'", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal);
            return ascii.Length == 0 ? null : new NameWord(ascii, shown, WasTransliterated: false, WithoutVowels: false, part);
        }

        var whole = Normal(shown, NormalizationForm.FormKC).ToUpperInvariant().Replace("\u039F\u03A5", "OU", StringComparison.Ordinal).Replace("\u039F\u038E", "OU", StringComparison.Ordinal); // Greek writes this sound with two letters
        var amongLatin = shown.Any(char.IsAsciiLetter);
        var text = new StringBuilder(whole.Length + 8);
        var withoutVowels = false;
        foreach (var sign in whole)
        {
            withoutVowels |= Romanisation.IsArabic(sign);
            // letters of their own first, such as the Cyrillic short I; only then is an accent an accent
            if (Romanisation.Of(sign, amongLatin) is { } latin)
                text.Append(latin);
            else
                AppendApart(text, sign, amongLatin);
        }

        return text.Length == 0 ? null : new NameWord(text.ToString(), shown, WasTransliterated: true, withoutVowels, part);
    }

    private static void AppendApart(StringBuilder text, char sign, bool amongLatin)
    {
        foreach (var part in Normal(sign.ToString(), NormalizationForm.FormKD))
        {
            if (Romanisation.Of(part, amongLatin) is { } latin)
                text.Append(latin);
            else if (char.IsLetterOrDigit(part) || char.IsSurrogate(part))
                text.Append(part);
        }
    }

    private static string Normal(string text, NormalizationForm form)
    {
        try
        {
            return text.Normalize(form);
        }
        catch (ArgumentException)
        {
            return text; // half of a surrogate pair
        }
    }

    /// <summary>Takes legal forms off the end and off the front, as long as a word remains.</summary>
    private static void SetFormsApart(List<NameWord> words, List<string> forms)
    {
        while (words.Count > 1 && s_legalForms.FirstOrDefault(form => EndsWith(words, form)) is { } form)
        {
            words.RemoveRange(words.Count - form.Length, form.Length);
            forms.Insert(0, string.Join(' ', form));
        }

        while (words.Count > 1 && s_leadingForms.Contains(words[0].Text))
        {
            forms.Add(words[0].Text);
            words.RemoveAt(0);
        }
    }

    private static bool EndsWith(List<NameWord> words, string[] form)
    {
        if (form.Length >= words.Count)
            return false;
        for (var i = 0; i < form.Length; i++)
        {
            if (words[words.Count - form.Length + i].Text != form[i])
                return false;
        }

        return true;
    }

    private static FrozenSet<string> Set(string words) => words.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
