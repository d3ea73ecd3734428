using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Camino.Data;
using Camino.Host.Local;
using Camino.Jobs;
using Camino.Lending;
using NUnit.Framework;

namespace Camino.Tests.HouseRules;

/// <summary>The four assemblies and the checkout, as the rules look at them.</summary>
internal static class House
{
    public static readonly Assembly Lending = typeof(Money).Assembly;
    public static readonly Assembly Jobs = typeof(JobRegistry).Assembly;
    public static readonly Assembly Camino = typeof(CaminoDb).Assembly;
    public static readonly Assembly Host = typeof(global::Camino.Host.Program).Assembly;

    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => code.Value);

    public static string Root
    {
        get
        {
            if (Repository.Root is null)
                Assert.Ignore("The build runs outside a checkout.");
            return Repository.Root ?? "";
        }
    }

    /// <summary>Files below a folder of the checkout, with what the build made left out.</summary>
    public static IEnumerable<string> Files(string folder, params string[] extensions) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
            .Where(file => extensions.Contains(Path.GetExtension(file), StringComparer.Ordinal)
                && !file.Split(Path.DirectorySeparatorChar).Any(part => part is "node_modules" or "bin" or "obj" or "artifacts"))
            .Order(StringComparer.Ordinal);

    /// <summary>The path within the checkout, with slashes.</summary>
    public static string Short(string file) => Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>Types that we wrote; what the compiler made for lambdas and async methods belongs to its outermost type.</summary>
    public static IEnumerable<Type> Types(Assembly assembly) => assembly.GetTypes().Where(type => !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false));

    /// <summary>The type with everything nested in it, also what the compiler made.</summary>
    public static IEnumerable<Type> WithNested(Type type) => type.GetNestedTypes(Everything).SelectMany(WithNested).Prepend(type);

    public static IEnumerable<MethodBase> Methods(Type type) => type.GetMethods(Everything).Cast<MethodBase>().Concat(type.GetConstructors(Everything));

    /// <summary>Types of everything that a type declares: fields, parameters, results, with their generic arguments.</summary>
    public static IEnumerable<Type> SignatureTypes(Type type) =>
        type.GetFields(Everything).Select(field => field.FieldType)
            .Concat(type.GetProperties(Everything).Select(property => property.PropertyType))
            .Concat(Methods(type).SelectMany(method => method.GetParameters().Select(parameter => parameter.ParameterType)))
            .Concat(type.GetMethods(Everything).Select(method => method.ReturnType))
            .SelectMany(Parts);

    /// <summary>Methods and fields that a method's body names.</summary>
    public static IEnumerable<MemberInfo> Uses(MethodBase method)
    {
        var il = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        var typeArguments = method.DeclaringType?.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < il.Length;)
        {
            var code = il[at] == 0xFE ? OpCodesByValue[(short)(0xFE00 | il[at + 1])] : OpCodesByValue[il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineTok or OperandType.InlineType
                && method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments) is { } member)
                yield return member;
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType && type.GetElementType() is { } element ? Parts(element)
        : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition())
        : [type];
}
