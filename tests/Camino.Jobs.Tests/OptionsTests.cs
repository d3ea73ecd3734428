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

    [Test]
    public void Turns_are_shared_out_by_weight_and_a_queue_that_was_idle_makes_up_for_little()
    {
        var turns = new QueueTurns([3, 1]);
        var taken = new int[2];
        for (var claim = 0; claim < 400; claim++)
        {
            var first = turns.Order()[0];
            taken[first] += 10;
            turns.Took(first == 0 ? [10, 0] : [0, 10]);
        }
        Assert.That(taken, Is.EqualTo(new[] { 3000, 1000 }));

        for (var claim = 0; claim < 1000; claim++)
            turns.Took([10, 0]);
        var ofTheIdle = 0;
        while (turns.Order()[0] == 1)
        {
            turns.Took([0, 10]);
            ofTheIdle += 10;
        }
        Assert.That(ofTheIdle, Is.LessThanOrEqualTo(530));
    }

    [Test]
    public void Retention_and_alarms_out_of_range_are_named_with_their_keys()
    {
        var faults = Bed.Options(options =>
        {
            options.Queues[0].Weight = 0;
            options.Queues[1].TargetSeconds = 0;
            options.Retention = [new() { Kind = "test.act", DoneDays = 0 }, new() { Kind = "test.act" }];
            options.Alarms.HorizonSeconds = 1;
        }).Validate();

        Assert.That(faults, Is.EquivalentTo(new[]
        {
            "Jobs:Queues:0:Weight is 0; it must be 1 to 1000.",
            "Jobs:Queues:1:TargetSeconds is 0; it must be 1 to 604800.",
            "Jobs:Retention:0:DoneDays is 0; it must be 1 to 3650.",
            "Jobs:Retention:1:Kind is 'test.act', which stands further up already; each kind is listed once.",
            "Jobs:Alarms:HorizonSeconds is 1; it must be 10 to 86400.",
        }));
    }
}
