using System.Net;
using Camino.Lending;
using Camino.Webhooks;
using NUnit.Framework;

namespace Camino.Tests.Webhooks;

/// <summary>Where notices may go, and that nothing leads them elsewhere.</summary>
internal sealed class WebhookAddressTests
{
    private static readonly WebhookOptions Strict = new(AllowPrivateAddresses: false, null, null);
    private static readonly byte[][] Secrets = [[1, 2, 3]];

    [TestCase("0.0.0.0")]
    [TestCase("10.1.2.3")]
    [TestCase("100.64.0.1")]
    [TestCase("127.0.0.1")]
    [TestCase("127.255.255.254")]
    [TestCase("168.63.129.16")]
    [TestCase("169.254.169.254")]
    [TestCase("172.16.0.1")]
    [TestCase("172.31.255.255")]
    [TestCase("192.0.2.1")]
    [TestCase("192.168.1.1")]
    [TestCase("198.18.0.1")]
    [TestCase("224.0.0.1")]
    [TestCase("255.255.255.255")]
    [TestCase("::")]
    [TestCase("::1")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("::ffff:10.0.0.1")]
    [TestCase("::127.0.0.1")]
    [TestCase("64:ff9b::7f00:1")]
    [TestCase("2001::1")]
    [TestCase("2001:db8::1")]
    [TestCase("2002:7f00:1::")]
    [TestCase("fc00::1")]
    [TestCase("fd00:ec2::254")]
    [TestCase("fe80::1")]
    [TestCase("fec0::1")]
    [TestCase("ff02::1")]
    public void An_address_that_is_not_of_the_public_internet_is_none_for_notices(string address) => Assert.That(WebhookAddresses.IsPublic(IPAddress.Parse(address)), Is.False);

    [TestCase("8.8.8.8")]
    [TestCase("172.32.0.1")]
    [TestCase("100.128.0.1")]
    [TestCase("::ffff:8.8.8.8")]
    [TestCase("2606:4700::1111")]
    public void An_address_of_the_public_internet_is_one(string address) => Assert.That(WebhookAddresses.IsPublic(IPAddress.Parse(address)), Is.True);

    [TestCase("", "0 characters")]
    [TestCase("example.com", "no address")]
    [TestCase("ftp://example.com/", "begins with ftp")]
    [TestCase("http://example.com/", "begins with http;")]
    [TestCase("https://user:word@example.com/", "user name")]
    [TestCase("https://example.com/#part", "fragment")]
    [TestCase("https://exämple.com/", "in ASCII")]
    [TestCase("https://localhost/", "private network")]
    [TestCase("https://camino.internal/", "private network")]
    [TestCase("https://127.0.0.1/", "private network")]
    [TestCase("https://2130706433/", "private network")]
    [TestCase("https://0x7f.1/", "private network")]
    [TestCase("https://[::1]/", "private network")]
    [TestCase("https://[::ffff:169.254.169.254]/latest/meta-data", "private network")]
    public void A_url_that_must_not_be_sent_to_is_refused_in_words(string url, string sentence)
    {
        var refused = Assert.Throws<RefusedException>(() => WebhookAddresses.Read(url, Strict));

        Assert.That(refused?.Code, Is.EqualTo("webhook.url"));
        Assert.That(refused?.Message, Does.Contain(sentence));
    }

    [Test]
    public async Task A_name_that_leads_to_this_machine_is_refused_when_the_connection_is_made_whatever_it_led_to_before()
    {
        await using var receiver = await Receiver.StartAsync();
        var asked = 0;
        using var sender = new WebhookSender(Strict, TimeProvider.System, (_, _) =>
        {
            asked++;
            return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        });
        using var mixed = new WebhookSender(Strict, TimeProvider.System, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.8.8"), IPAddress.Parse("::ffff:127.0.0.1")]));
        var url = new Uri($"http://rebound.example:{receiver.At("/").Port}/hook");
        var answer = await sender.SendAsync(url, "msg_1", "{}", Secrets, CancellationToken.None);
        var literal = await sender.SendAsync(receiver.At("/hook"), "msg_1", "{}", Secrets, CancellationToken.None);
        var either = await mixed.SendAsync(url, "msg_1", "{}", Secrets, CancellationToken.None);

        Assert.That((answer.Problem, literal.Problem, either.Problem), Is.EqualTo(("address", "address", "address")));
        Assert.That(asked, Is.EqualTo(1), "a name is resolved once, for the connection");
        Assert.That(receiver.All, Is.Empty);
    }

    [Test]
    public async Task The_address_that_was_checked_is_the_one_that_is_connected_to_and_the_name_is_not_resolved_again()
    {
        await using var receiver = await Receiver.StartAsync();
        var asked = new List<string>();
        using var sender = new WebhookSender(Strict with { AllowPrivateAddresses = true }, TimeProvider.System, (host, _) =>
        {
            asked.Add(host);
            return Task.FromResult<IPAddress[]>([asked.Count == 1 ? IPAddress.Loopback : IPAddress.Parse("192.0.2.1")]);
        });
        var answer = await sender.SendAsync(new Uri($"http://once.example:{receiver.At("/").Port}/hook"), "msg_1", "{\"type\":\"x\"}", Secrets, CancellationToken.None);

        Assert.That((answer.Status, answer.Problem), Is.EqualTo(((int?)204, (string?)null)));
        Assert.That(asked, Is.EqualTo((string[])["once.example"]));
    }

    [Test]
    public async Task A_redirect_is_not_followed_and_an_endless_answer_is_not_read_to_its_end()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = async (one, context) =>
        {
            if (one.Path == "/moved")
            {
                context.Response.Redirect(receiver.At("/inside").ToString());
                return;
            }

            context.Response.StatusCode = 200;
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(new byte[4096], context.RequestAborted);
        };
        using var sender = new WebhookSender(Strict with { AllowPrivateAddresses = true }, TimeProvider.System);
        var moved = await sender.SendAsync(receiver.At("/moved"), "msg_1", "{\"type\":\"x\"}", Secrets, CancellationToken.None);
        var endless = await sender.SendAsync(receiver.At("/endless"), "msg_2", "{\"type\":\"x\"}", Secrets, CancellationToken.None);

        Assert.That((moved.Status, moved.Problem), Is.EqualTo(((int?)302, "status")));
        Assert.That((endless.Status, endless.Problem), Is.EqualTo(((int?)200, (string?)null)));
        Assert.That(receiver.All.Select(one => one.Path), Is.EqualTo((string[])["/moved", "/endless"]));
    }

    [Test]
    public void A_signature_is_that_of_the_worked_example_of_Standard_Webhooks()
    {
        var secret = Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        const string Body = "{\"test\": 2432232314}";

        Assert.That(WebhookSender.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", Body, [secret]), Is.EqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }
}
