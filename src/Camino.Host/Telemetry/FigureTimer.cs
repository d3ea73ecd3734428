using Camino.Host.Health;

namespace Camino.Host.Telemetry;

/// <summary>Where figures leave by OTLP nobody asks for them: the database is asked every ten seconds instead of at each scrape.</summary>
internal sealed class FigureTimer(DatabaseFigures figures, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // nothing here may hold up the start
        await Task.Yield();
        using var timer = new PeriodicTimer(s_every, clock);
        try
        {
            do
                await figures.RefreshAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process ends.
        }
    }
}
