namespace Camino.Jobs.Tests;

internal sealed class OptionsTests
{
    [Test]
    public void The_options_of_the_tests_are_good() => Assert.That(Bed.Options().Validate(), Is.Empty);

    [Test]
    public void Every_value_out_of_range_is_named_with_its_key_and_what_is_allowed()
    {
        var faults = Bed.Options(options =>
        {
            options.Slots = 0;
            options.LeaseSeconds = 4;
            options.ServerName = "";
            options.Queues = [new() { Name = "Urgent" }, new() { Name = "bulk" }, new() { Name = "bulk" }];
        }).Validate();

        Assert.That(faults, Is.EquivalentTo(new[]
        {
            "Jobs:ServerName has 0 characters; it must have 1 to 100, none of them NUL.",
            "Jobs:Slots is 0; it must be 1 to 256.",
            "Jobs:LeaseSeconds is 4; it must be 5 to 600.",
            "Jobs:Queues:0:Name is 'Urgent'; it must be 1 to 50 lower case letters, digits and hyphens, and begin with a letter.",
            "Jobs:Queues:2:Name is 'bulk', which stands further up already; each queue is listed once.",
        }));
    }

    [Test]
    public void Reserving_every_slot_is_refused_where_another_queue_would_never_run()
    {
        var faults = Bed.Options(options =>
        {
            options.Slots = 4;
            options.Queues = [new() { Name = "urgent", ReservedSlots = 4 }, new() { Name = "bulk" }];
        }).Validate();

        Assert.That(faults.Single(), Is.EqualTo("Jobs:Queues reserve all 4 slots, so 'bulk' would never run; leave at least one slot unreserved."));
    }

    [Test]
    public void Slots_are_shared_out_by_reservation_and_maximum()
    {
        var slots = new SlotLedger(Bed.Options(options =>
        {
            options.Slots = 10;
            options.Queues = [new() { Name = "urgent", ReservedSlots = 2 }, new() { Name = "default" }, new() { Name = "bulk", MaxSlots = 3 }];
        }));
        var room = slots.Room(ahead: 0);
        Assert.That(room?.Takes, Is.EqualTo(new[] { 10, 8, 3 }));
        Assert.That(room?.Owns, Is.EqualTo(new[] { 2, 0, 0 }));
        Assert.That(room?.Shared, Is.EqualTo(8));

        for (var job = 0; job < 8; job++)
        {
            slots.Hold(1);
            slots.Start(1);
        }
        Assert.That(slots.CanStart(1), Is.False);
        Assert.That(slots.CanStart(0), Is.True);
        Assert.That(slots.Room(ahead: 0)?.Takes, Is.EqualTo(new[] { 2, 0, 0 }));
        Assert.That(slots.Room(ahead: 5)?.Takes, Is.EqualTo(new[] { 7, 5, 3 }));
    }
}
