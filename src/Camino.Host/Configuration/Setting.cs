using System.Collections;
using System.Reflection;

namespace Camino.Host.Configuration;

/// <summary>One key that a configuration file may hold, read off <see cref="HostSettings"/>.</summary>
/// <param name="Path">With colons; a list index stands as <c>#</c> (<c>Jobs:Queues:#:Name</c>).</param>
internal sealed record Setting(string Path, PropertyInfo Property, Role? OnlyFor)
{
    public Type Type => Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;
    public bool IsSecret => Property.IsDefined(typeof(SecretAttribute));
    public bool IsNeeded => Property.IsDefined(typeof(NeededAttribute));
    public bool IsSameInBoth => Property.IsDefined(typeof(SameInBothAttribute));
    public BetweenAttribute? Between => Property.GetCustomAttribute<BetweenAttribute>();
    public MatchingAttribute? Matching => Property.GetCustomAttribute<MatchingAttribute>();

    /// <summary>What may stand there, in words.</summary>
    public string Allowed =>
        Type.IsEnum ? string.Join(" or ", Enum.GetNames(Type))
        : Type == typeof(bool) ? "true or false"
        : Between is { } between ? FormattableString.Invariant($"a whole number from {between.Least} to {between.Most}")
        : Matching is { } matching ? matching.Words
        : IsList ? "a list with at least one entry"
        : "a text";

    /// <summary>A list of records, like the queues.</summary>
    public bool IsList => Type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(Type);

    /// <summary>All settings, in the order of the classes.</summary>
    public static IReadOnlyList<Setting> All { get; } = [.. Walk(typeof(HostSettings), "", null)];

    private static IEnumerable<Setting> Walk(Type type, string prefix, Role? onlyFor)
    {
        foreach (var property in type.GetProperties())
        {
            var owner = property.GetCustomAttribute<OnlyForAttribute>()?.Role ?? onlyFor;
            var setting = new Setting(prefix + property.Name, property, owner);
            if (setting.IsList)
            {
                yield return setting;
                foreach (var inner in Walk(property.PropertyType.GetGenericArguments()[0], setting.Path + ":#:", owner))
                    yield return inner;
            }
            else if (setting.Type.IsClass && setting.Type != typeof(string))
            {
                foreach (var inner in Walk(setting.Type, setting.Path + ":", owner))
                    yield return inner;
            }
            else
            {
                yield return setting;
            }
        }
    }
}
