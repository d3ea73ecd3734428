using System.Collections.Frozen;

namespace Camino.Lending.Screening;

/// <summary>Latin capitals for letters of other alphabets, and for Latin letters that do not come apart into a letter and an accent.</summary>
/// <remarks>Cyrillic as OFAC and passports write it, Greek by ISO 843's transcription, Arabic by consonants, for it writes no short vowels. Han, Kana, Hangul and Hebrew stay as they are and match only themselves.</remarks>
internal static class Romanisation
{
    private static readonly FrozenDictionary<char, string> s_letters = Table(
        "ß SS ẞ SS Æ AE Œ OE Ø O Ł L Đ D Ð D Þ TH Ħ H Ŋ N Ŧ T ı I İ I Ə A Ɵ O ʻ _ ʼ _ ʿ _ ʾ _",
        "А A Б B В V Г G Д D Е E Ё E Ж ZH З Z И I Й Y К K Л L М M Н N О O П P Р R С S Т T У U Ф F Х KH Ц TS Ч CH Ш SH Щ SHCH Ъ _ Ы Y Ь _ Э E Ю YU Я YA",
        "І I Ї YI Є YE Ґ G Ў U Ј J Љ LJ Њ NJ Ћ C Ђ DJ Џ DZ Ѕ DZ Ќ K Ѓ G Қ Q Ғ G Ң N Ө O Ұ U Ү U Һ H Ә A",
        "Α A Β V Γ G Δ D Ε E Ζ Z Η I Θ TH Ι I Κ K Λ L Μ M Ν N Ξ X Ο O Π P Ρ R Σ S ς S Τ T Υ Y Φ F Χ CH Ψ PS Ω O",
        "ا A أ A إ I آ A ٱ A ب B ت T ث TH ج J ح H خ KH د D ذ DH ر R ز Z س S ش SH ص S ض D ط T ظ Z ع _ غ GH ف F ق Q ك K ک K ل L م M ن N ه H ة A و U ي I ى A ی I ئ _ ؤ U ء _ پ P چ CH ژ ZH گ G ـ _");

    /// <summary>Letters of Cyrillic and Greek that look like a Latin one; they count as that where they stand among Latin letters.</summary>
    private static readonly FrozenDictionary<char, string> s_alike = Table("А A В B Е E К K М M Н H О O Р P С C Т T У Y Х X І I Ј J Ѕ S Α A Β B Ε E Ζ Z Η H Ι I Κ K Μ M Ν N Ο O Ρ P Τ T Υ Y Χ X");

    /// <summary>The Latin capitals of an upper-case letter; null where there are none. Empty: a sign that is not spoken.</summary>
    public static string? Of(char letter, bool amongLatin) =>
        amongLatin && s_alike.TryGetValue(letter, out var alike) ? alike : s_letters.GetValueOrDefault(letter);

    public static bool IsArabic(char letter) => letter is >= '\u0600' and <= '\u06FF';

    private static FrozenDictionary<char, string> Table(params string[] lines) =>
        lines.SelectMany(line => line.Split(' ').Chunk(2)).ToFrozenDictionary(pair => pair[0][0], pair => pair[1] == "_" ? "" : pair[1]);
}
