using Microsoft.AspNetCore.Identity;

namespace Camino.People;

/// <summary>Says to the framework that a second step follows the password of whoever has a second factor. The step itself is <see cref="SecondFactors.PassAsync"/>; no token of the framework opens anything.</summary>
public sealed class SecondFactorProvider : IUserTwoFactorTokenProvider<StaffUser>
{
    /// <summary>Its name in the framework's list.</summary>
    public const string Name = "Camino";

    /// <inheritdoc/>
    public Task<bool> CanGenerateTwoFactorTokenAsync(UserManager<StaffUser> manager, StaffUser user) => Task.FromResult(true);

    /// <inheritdoc/>
    public Task<string> GenerateAsync(string purpose, UserManager<StaffUser> manager, StaffUser user) => Task.FromResult("");

    /// <inheritdoc/>
    public Task<bool> ValidateAsync(string purpose, string token, UserManager<StaffUser> manager, StaffUser user) => Task.FromResult(false);
}
