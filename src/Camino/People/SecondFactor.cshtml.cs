using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.People;

/// <summary>The reader sets the own second factor up, and sees how many recovery codes are left. Whoever must have one and has none sees nothing else until then.</summary>
[Authorize(Permissions.Own)]
public sealed class SecondFactorPage(SecondFactors factors, SignInManager<StaffUser> signIn, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public SecondFactorState State { get; private set; } = new(null, false, 0);

    /// <summary>The address for the picture; null when no key waits.</summary>
    public string? Address => State.PendingKey is { } key ? Totp.Address(key, User.Identity?.Name ?? "") : null;

    /// <summary>The key in groups of four, to be typed.</summary>
    public string Typed => string.Join(' ', (State.PendingKey ?? "").Chunk(4).Select(part => new string(part)));

    /// <summary>Shown once.</summary>
    public IReadOnlyList<string> NewCodes { get; private set; } = [];

    public bool MustSetUp => User.MustSetUp();

    public string? Problem { get; private set; }

    public async Task OnGetAsync(CancellationToken ct) => State = await factors.StateAsync(User.Id(), ct);

    [Needs(Permissions.Own)]
    public async Task<IActionResult> OnPostBeginAsync(CancellationToken ct)
    {
        try
        {
            await factors.BeginAsync(User.Id(), ct);
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
            NewCodes = await factors.ConfirmAsync(id, code, ct);
            db.ChangeTracker.Clear();
            // every session ended with it, this one too: a new one begins, with the roles
            if (await signIn.UserManager.FindByIdAsync(id.ToString()) is { } user)
                await signIn.SignInAsync(user, isPersistent: false, authenticationMethod: SignInCodePage.Method);
            State = await factors.StateAsync(id, ct);
            return Page();
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
            NewCodes = await factors.RenewCodesAsync(User.Id(), code, ct);
            State = await factors.StateAsync(User.Id(), ct);
            return Page();
        }
        catch (RefusedException refused)
        {
            return await RefusedAsync(refused, ct);
        }
    }

    private async Task<IActionResult> RefusedAsync(RefusedException refused, CancellationToken ct)
    {
        db.ChangeTracker.Clear();
        Problem = texts.Refusal(refused);
        State = await factors.StateAsync(User.Id(), ct);
        return Page();
    }
}
