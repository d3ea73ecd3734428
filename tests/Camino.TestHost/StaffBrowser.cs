using System.Net;
using System.Text.RegularExpressions;
using Camino.People;

namespace Camino.Testing;

/// <summary>A browser without windows: cookies of its own, forms with their tokens, no redirects followed.</summary>
public sealed partial class StaffBrowser : IDisposable
{
    private readonly CookieContainer _cookies = new();

    public StaffBrowser(Uri address, string? userAgent = null)
    {
        Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = _cookies }) { BaseAddress = address };
        if (userAgent is not null)
            Client.DefaultRequestHeaders.UserAgent.ParseAdd(userAgent);
    }

    public HttpClient Client { get; }

    /// <summary>What the authenticator app knows, in base 32; null until a second factor was set up.</summary>
    public string? Key { get; set; }

    /// <summary>As they were shown.</summary>
    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    /// <summary>Signs a demo user, or whoever has this e-mail, in by the form.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string user, string password = RunningCamino.Password) =>
        await PostAsync("/sign-in", "/sign-in", ("Email", user.Contains('@', StringComparison.Ordinal) ? user : $"{user}@demo.camino.example"), ("Password", password));

    /// <summary>Sets a second factor up as a person with a phone does, and keeps key and recovery codes.</summary>
    public async Task SetSecondFactorUpAsync()
    {
        (await PostAsync("/second-factor", "/second-factor?handler=Begin")).Dispose();
        Key = KeyOnPage().Match(await PageAsync("/second-factor")).Groups["key"].Value.Replace(" ", "", StringComparison.Ordinal);
        using var confirmed = await PostAsync("/second-factor", "/second-factor?handler=Confirm", ("code", Totp.Code(FromBase32(Key), Totp.StepOf(DateTimeOffset.UtcNow))));
        var page = await confirmed.Content.ReadAsStringAsync();
        RecoveryCodes = [.. CodeOnPage().Matches(page).Select(match => match.Groups["code"].Value)];
        if (RecoveryCodes.Count == 0)
            throw new InvalidOperationException($"The second factor was not set up ({confirmed.StatusCode}): {page}");
    }

    /// <summary>The bytes that a key in base 32 stands for.</summary>
    public static byte[] FromBase32(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Where(part => part.Length == 8).Select(part => Convert.ToByte(new string(part), 2))];
    }

    /// <summary>Opens an address as a person does who types it.</summary>
    public Task<HttpResponseMessage> GetAsync(string path) => Client.GetAsync(new Uri(path, UriKind.Relative));

    /// <summary>Opens a page that must be there.</summary>
    public Task<string> PageAsync(string path) => Client.GetStringAsync(new Uri(path, UriKind.Relative));

    /// <summary>Where an address leads.</summary>
    public async Task<string> LeadsToAsync(string path)
    {
        using var answer = await GetAsync(path);
        return answer.StatusCode == HttpStatusCode.OK ? path : answer.Headers.Location?.ToString() ?? answer.StatusCode.ToString();
    }

    /// <summary>Sends a form with the token of the page that it stands on.</summary>
    public async Task<HttpResponseMessage> PostAsync(string page, string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent([new("__RequestVerificationToken", await TokenAsync(page)), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        return await Client.PostAsync(new Uri(path, UriKind.Relative), form);
    }

    /// <summary>The token in a page's forms.</summary>
    public async Task<string> TokenAsync(string page) => TokenOf(await PageAsync(page));

    /// <summary>The token in what a page says.</summary>
    public static string TokenOf(string html) => WebUtility.HtmlDecode(Token().Match(html).Groups["value"].Value);

    /// <summary>Somebody who stole the cookies, at the same or another server.</summary>
    public StaffBrowser Copy(Uri? address = null)
    {
        var thief = new StaffBrowser(address ?? Client.BaseAddress ?? throw new InvalidOperationException("A browser has an address."));
        foreach (Cookie cookie in _cookies.GetAllCookies())
            thief._cookies.Add(new Cookie(cookie.Name, cookie.Value, "/", thief.Client.BaseAddress?.Host));
        return thief;
    }

    public void Dispose() => Client.Dispose();

    [GeneratedRegex("data-key>(?<key>[A-Z2-7 ]+)<", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex KeyOnPage();

    [GeneratedRegex("<li>(?<code>[a-z2-9-]{29})</li>", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex CodeOnPage();

    [GeneratedRegex("""__RequestVerificationToken"[^>]*value="(?<value>[^"]+)""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Token();
}
