using Camino.People;
using NUnit.Framework;

namespace Camino.Tests.People;

/// <summary>What guessers try first is refused; what a person makes up of unrelated words is not.</summary>
public sealed class PasswordRulesTests
{
    [TestCase("eleven chars", null)]
    [TestCase("12345678901", "password.length")]
    [TestCase("", "password.length")]
    [TestCase(null, "password.length")]
    [TestCase("aaaaaaaaaaaaaaaa", "password.pattern")]
    [TestCase("123456789012", "password.pattern")]
    [TestCase("210987654321", "password.pattern")]
    [TestCase("qwertyuiop123", "password.pattern")]
    [TestCase("1q2w3e4r5t6y", "password.pattern")]
    [TestCase("abcdefghijklmno", "password.pattern")]
    [TestCase("Passw0rd2026!!", "password.pattern")]
    [TestCase("P@$$w0rdP@$$w0rd", "password.pattern")]
    [TestCase("Welcome12345!", "password.pattern")]
    [TestCase("Summer2026!Summer", "password.pattern")]
    [TestCase("contraseña2026", "password.pattern")]
    [TestCase("CaminoLending1", "password.pattern")]
    [TestCase("correct horse battery staple", "password.common")]
    [TestCase("MayTheForceBeWithYou", "password.common")]
    [TestCase("Te quiero mucho 99", "password.common")]
    [TestCase("RosaIglesias2026", "password.personal")]
    [TestCase("r0s4igl3si4s-1987", "password.personal")]
    [TestCase("bluebonnet.2026", "password.personal")]
    [TestCase("lantern mesa orchard tuesday", null)]
    [TestCase("mi perro come tortillas frías", null)]
    [TestCase("kd8-4hzq-92xv-mmpa", null)]
    [TestCase("the welcome committee ate nine pies", null)]
    public void A_password_is_refused_for_what_guessers_know(string? password, string? code) =>
        Assert.That(PasswordRules.Fault(password, "rosa.iglesias@bluebonnet.example", "Rosa Iglesias")?.Code, Is.EqualTo(code));

    [Test]
    public void A_password_may_be_200_characters_long_and_no_longer()
    {
        var long200 = string.Concat(Enumerable.Range(0, 100).Select(n => $"{(char)('a' + (n * 7 % 26))}{n % 10}"));

        Assert.That(PasswordRules.Fault(long200, null, null), Is.Null);
        Assert.That(PasswordRules.Fault(long200 + "x", null, null)?.Message, Is.EqualTo("password has 201 characters; it must have 12 to 200."));
    }

    [Test]
    public void Demo_passwords_are_let_through() =>
        Assert.That(Enumerable.Range(0, 200).Select(_ => SeedDemo.NewPassword()).Where(password => PasswordRules.Fault(password, "admin@demo.camino.example", "Alma Reyes (demo)") is not null), Is.Empty);
}
