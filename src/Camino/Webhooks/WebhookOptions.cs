namespace Camino.Webhooks;

/// <summary>What the configuration says about notices to programs.</summary>
/// <param name="AllowPrivateAddresses">Endpoints may be plain http and lie in private networks: for development and tests alone.</param>
/// <param name="Secret">What the secrets of endpoints are sealed under, with a key of the database; null: that key alone.</param>
/// <param name="PreviousSecret">The one before: what it sealed can still be read.</param>
public sealed record WebhookOptions(bool AllowPrivateAddresses, string? Secret, string? PreviousSecret);
