using static Microsoft.Playwright.Assertions;

namespace Camino.Browser;

/// <summary>What happens to a form between the page and the server: the line is away, somebody else was faster, the session ended, a button is pressed twice. Nothing typed is lost, nothing is done twice, and the page says what happened.</summary>
internal sealed class ResilienceTests : BrowserTest
{
    [TestCase("en", "light")]
    [TestCase("es", "dark")]
    public async Task Offline_for_a_minute_nothing_is_sent_everything_stays_and_it_goes_when_the_line_is_back(string language, string theme)
    {
        var name = $"Faro del Sur LLC {language}";
        var page = await OpenAsync("admin", language: language, theme: theme);
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", name);
        await page.FillAsync("#Phones-0", "(912) 555-0171");
        await page.Context.SetOfflineAsync(true);
        var note = page.Locator("[data-line]");
        await Expect(note).ToContainTextAsync(language == "es" ? "No hay conexión" : "You are offline");

        await page.ClickAsync(".command-form .button-main");
        await Expect(note).ToContainTextAsync(language == "es" ? "no se envió nada" : "nothing was sent");
        await Expect(page.Locator("#Name")).ToHaveValueAsync(name);
        await Access.CheckAsync(page, "a form while the line is away");
        await PictureAsync(page, $"offline-{language}", whole: false);
        await page.SetViewportSizeAsync(320, 640);
        Assert.That(await IsTooWideAsync(page), Is.False);
        await PictureAsync(page, $"offline-phone-{language}", whole: false);
        await page.SetViewportSizeAsync(1400, 900);

        await page.Context.SetOfflineAsync(false);
        await Expect(note).ToContainTextAsync(language == "es" ? "Ha vuelto" : "The line is back");
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await Expect(page.Locator("main h1")).ToHaveTextAsync(name);
        Assert.That(await CountAsync(name), Is.EqualTo(1));
    }

    [Test]
    public async Task A_form_whose_line_broke_on_the_way_arrives_once_when_the_reader_loads_the_page_again()
    {
        const string Name = "Puente Roto Carpentry";
        var page = await OpenAsync("admin");
        Tolerate("ERR_CONNECTION_FAILED");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", Name);
        await page.SelectOptionAsync("#Language", "es");
        await page.RouteAsync("**/borrowers/edit", route => route.Request.Method == "POST" ? route.AbortAsync("connectionfailed") : route.ContinueAsync());
        await page.EvaluateAsync("() => { setTimeout(() => document.querySelector('.command-form .button-main').click()); }");
        try
        {
            await page.WaitForURLAsync(url => url.StartsWith("chrome-error:", StringComparison.Ordinal));
        }
        catch (PlaywrightException)
        {
            // the navigation failed, as it shall
        }

        Assert.That(await CountAsync(Name), Is.Zero);
        await page.UnrouteAllAsync();
        await page.ReloadAsync();
        // a browser sends the form again, or shows it as it was
        if (await page.Locator(".command-form #Name").CountAsync() > 0)
        {
            await Expect(page.Locator("#Name")).ToHaveValueAsync(Name);
            await Expect(page.Locator("#Language")).ToHaveValueAsync("es");
            await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        }

        await Expect(page.Locator("main h1")).ToHaveTextAsync(Name);
        Assert.That(await CountAsync(Name), Is.EqualTo(1));
    }

    [TestCase("en", "light")]
    [TestCase("es", "dark")]
    public async Task In_two_tabs_the_second_to_save_is_told_and_loses_nothing(string language, string theme)
    {
        var first = await OpenAsync("admin", language: language, theme: theme);
        await first.GotoAsync("/borrowers/edit");
        await first.FillAsync("#Name", $"Dos Hojas Printing {language}");
        await LeaveAsync(first, () => first.ClickAsync(".command-form .button-main"));
        var edit = "/borrowers/edit/" + new Uri(first.Url).Segments[^1];
        await first.GotoAsync(edit);
        var second = await first.Context.NewPageAsync();
        await second.GotoAsync(edit);

        await first.FillAsync("#TradeName", "Two Sheets");
        await LeaveAsync(first, () => first.ClickAsync(".command-form .button-main"));
        await second.FillAsync("#Phones-0", "(912) 555-0188");
        await LeaveAsync(second, () => second.ClickAsync(".command-form .button-main"));
        await Expect(second.GetByRole(AriaRole.Alert)).ToContainTextAsync(language == "es" ? "sigue aquí" : "still here");
        await Expect(second.Locator("#Phones-0")).ToHaveValueAsync("(912) 555-0188");
        await MustSuitAsync(second, $"a borrower that changed meanwhile ({language})", "changed-meanwhile", language, theme);
        await second.SetViewportSizeAsync(1400, 900);
        Assert.That(await Site.Camino.ScalarAsync<string>($"select trade_name from camino.borrowers where id = '{edit[^36..]}'"), Is.EqualTo("Two Sheets"), "Nothing is overwritten without a word.");

        await second.FillAsync("#TradeName", "Two Sheets");
        await LeaveAsync(second, () => second.ClickAsync(".command-form .button-main"));
        await Expect(second.Locator("main")).ToContainTextAsync("555-0188");
        await Expect(second.Locator("main")).ToContainTextAsync("Two Sheets");
    }

    [TestCase("en")]
    [TestCase("es")]
    public async Task A_session_that_ended_before_a_payment_was_confirmed_leaves_it_undone_and_typed(string language)
    {
        var loan = await (await LoanBook.OpenAsync()).DisbursedLoanAsync();
        var page = await OpenAsync(language: language);
        await page.GotoAsync($"/servicing/{loan}/record-payment");
        await page.FillAsync("#Amount", "271.83");
        await page.FillAsync("#On", "2026-02-01");
        await page.FillAsync("#Note", "By check, number 1188.");
        await LeaveAsync(page, () => page.ClickAsync(".command-form button"));
        await page.Context.ClearCookiesAsync(new() { Name = "camino.session" });
        await LeaveAsync(page, () => page.ClickAsync("section[aria-labelledby=preview-head] form button"));
        await Expect(page.Locator("main .message")).ToBeVisibleAsync();
        await SignInTests.SignInAsync(page, "officer@demo.camino.example", RunningCamino.Password);

        await Expect(page.Locator("#Amount")).ToHaveValueAsync("271.83");
        await Expect(page.Locator("#On")).ToHaveValueAsync("2026-02-01");
        await Expect(page.Locator("#Note")).ToHaveValueAsync("By check, number 1188.");
        await Expect(page.Locator("[data-line]")).ToContainTextAsync(language == "es" ? "Su sesión había terminado" : "Your session had ended");
        await Access.CheckAsync(page, "a form that is filled in again");
        await PictureAsync(page, $"session-ended-payment-{language}", whole: false);
        Assert.That(await EventsAsync(loan), Is.EqualTo(1), "Nothing was carried out.");

        await LeaveAsync(page, () => page.ClickAsync(".command-form button"));
        await LeaveAsync(page, () => page.ClickAsync("section[aria-labelledby=preview-head] form button"));
        Assert.That(await EventsAsync(loan), Is.EqualTo(2));
    }

    [Test]
    public async Task What_one_person_had_typed_is_not_shown_to_the_next_one_in_the_same_tab()
    {
        var page = await OpenAsync("admin");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", "Confidential Bakery");
        await page.Context.ClearCookiesAsync(new() { Name = "camino.session" });
        await LeaveAsync(page, () => page.ClickAsync(".command-form .button-main"));
        await SignInTests.SignInAsync(page, "officer@demo.camino.example", RunningCamino.Password);

        await Expect(page.Locator("#Name")).ToHaveValueAsync("");
        await page.WaitForFunctionAsync("() => sessionStorage.getItem('camino.kept') === null");
    }

    [Test]
    public async Task Back_after_a_post_and_sent_again_stores_one_borrower_and_a_double_click_too()
    {
        const string Name = "Vuelta Atrás Cycles";
        var page = await OpenAsync("admin");
        await page.GotoAsync("/borrowers/edit");
        await page.FillAsync("#Name", Name);
        var again = await page.EvaluateAsync<string>("() => new URLSearchParams(new FormData(document.querySelector('.command-form'))).toString()");
        await LeaveAsync(page, () => page.Locator(".command-form .button-main").DblClickAsync());
        await Expect(page.Locator("main h1")).ToHaveTextAsync(Name);

        // what a browser sends that still has the page as it was: the same form with the same key
        await page.EvaluateAsync("async (body) => { await fetch('/borrowers/edit', { method: 'POST', body: new URLSearchParams(body) }); }", again);
        await page.GoBackAsync();
        await Expect(page.Locator(".command-form")).ToBeVisibleAsync();
        Assert.That(await CountAsync(Name), Is.EqualTo(1));
    }

    private static Task<long> CountAsync(string name) => Site.Camino.ScalarAsync<long>($"select count(*) from camino.borrowers where name = '{name}'");

    private static Task<long> EventsAsync(Guid loan) => Site.Camino.ScalarAsync<long>($"select count(*) from camino.loan_events where loan_id = '{loan}'");
}
