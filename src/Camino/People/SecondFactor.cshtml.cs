using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>The reader sets the own second factor up, and sees how many recovery codes are left. Whoever must have one and has none sees nothing else until then.</summary>
[Authorize(Permissions.Own)]
public sealed class SecondFactorPage(SecondFactors factors, Passkeys passkeys, PasskeySite site, SignInManager<StaffUser> signIn, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public SecondFactorState State { get; private set; } = new(null, false, 0);

    /// <summary>The address for the picture; null when no key waits.</summary>
    public string? Address => State.PendingKey is { } key ? Totp.Address(key, User.Identity?.Name ?? "") : null;

    /// <summary>The key in groups of four, to be typed.</summary>
    public string Typed => string.Join(' ', (State.PendingKey ?? "").Chunk(4).Select(part => new string(part)));

    /// <summary>Shown once.</summary>
    public IReadOnlyList<string> NewCodes { get; private set; } = [];

    public IReadOnlyList<PasskeyLine> Passkeys { get; private set; } = [];

    /// <summary>False where the address is none that a passkey can belong to.</summary>
    public bool CanHavePasskeys => site.OriginOf(Request) is not null;

    /// <summary>Something is set up, an app or a passkey.</summary>
    public bool HasAny => State.IsSet || Passkeys.Count > 0;

    /// <summary>What was typed as the name of a passkey that was refused.</summary>
    public string? Name { get; private set; }

    public bool MustSetUp => User.MustSetUp();

    public string? Problem { get; private set; }

    public Task OnGetAsync(CancellationToken ct) => ReadAsync(User.Id(), ct);

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostBeginAsync(CancellationToken ct)
    {
        try
        {
            await factors.BeginAsync(User.Id(), User.SessionId(), ct);
            return LocalRedirect("/second-factor");
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostConfirmAsync(string? code, CancellationToken ct)
    {
        try
        {
            var id = User.Id();
            NewCodes = await factors.ConfirmAsync(id, User.SessionId(), code, ct);
            db.ChangeTracker.Clear();
            return await GoOnAsync(id, hasFactor: true, ct);
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostCodesAsync(string? code, CancellationToken ct)
    {
        try
        {
            var state = await factors.StateAsync(User.Id(), User.SessionId(), ct);
            NewCodes = state.IsSet ? await factors.RenewCodesAsync(User.Id(), code, ct) : await passkeys.RenewCodesAsync(User.Id(), User.SessionId(), ct);
            await ReadAsync(User.Id(), ct);
            return Page();
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    /// <summary>What the browser needs to make a passkey; the page's script asks.</summary>
    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostPasskeyOptionsAsync(CancellationToken ct)
    {
        if (!CanHavePasskeys)
            return NotFound();
        try
        {
            return HttpContext.Ask(await passkeys.AskForNewAsync(User.Id(), User.SessionId(), HttpContext, ct));
        }
        catch (RefusedException refused)
        {
            return new ContentResult { Content = texts.Refusal(refused), ContentType = "text/plain; charset=utf-8", StatusCode = StatusCodes.Status422UnprocessableEntity };
        }
    }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostPasskeyAsync(string? name, string? credential, CancellationToken ct)
    {
        Name = name;
        try
        {
            var id = User.Id();
            NewCodes = await passkeys.AddAsync(id, User.SessionId(), HttpContext.Token(), credential, name, HttpContext, ct);
            db.ChangeTracker.Clear();
            Name = null;
            return await GoOnAsync(id, hasFactor: true, ct);
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostRemovePasskeyAsync(Guid id, CancellationToken ct)
    {
        try
        {
            var isLeft = await passkeys.RemoveAsync(User.Id(), User.SessionId(), id, ct);
            db.ChangeTracker.Clear();
            await GoOnAsync(User.Id(), isLeft, ct);
            return LocalRedirect("/second-factor");
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    /// <summary>Every session ended with it, this one too: a new one begins, with the roles.</summary>
    private async Task<IActionResult> GoOnAsync(Guid id, bool hasFactor, CancellationToken ct)
    {
        if (CompanyVouched.KeptIn(User, hasFactor) is { } vouched)
            HttpContext.Features.Set(vouched);
        if (await signIn.UserManager.FindByIdAsync(id.ToString()) is { } user)
            await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: hasFactor ? SignInCodePage.Method : null);
        await ReadAsync(id, ct);
        return Page();
    }

    private async Task ReadAsync(Guid id, CancellationToken ct)
    {
        State = await factors.StateAsync(id, User.SessionId(), ct);
        Passkeys = await passkeys.ListAsync(id, ct);
    }

    private async Task<IActionResult> RefusedAsync(RefusedException refused, CancellationToken ct)
    {
        db.ChangeTracker.Clear();
        Problem = texts.Refusal(refused);
        await ReadAsync(User.Id(), ct);
        return Page();
    }
}
