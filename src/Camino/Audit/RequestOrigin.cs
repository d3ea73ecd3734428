using Microsoft.AspNetCore.Http;

namespace Camino.Audit;

/// <summary>Where the request comes from that is being answered, for the audit trail.</summary>
public sealed class RequestOrigin(IHttpContextAccessor accessor)
{
    /// <summary>The caller's address as the proxy in front tells it; null outside a request: a job, a verb, the system itself.</summary>
    public string? Address
    {
        get
        {
            var address = accessor.HttpContext?.Connection.RemoteIpAddress;
            return (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString();
        }
    }
}
