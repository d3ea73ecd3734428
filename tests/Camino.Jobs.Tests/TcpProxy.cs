using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Camino.Jobs.Tests;

/// <summary>Stands between a client and PostgreSQL: counts the statements that pass, and can go deaf and dumb while every connection stays open.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly NpgsqlConnectionStringBuilder _target;
    private readonly List<Task> _pumps = [];
    private readonly Task _accepting;
    private readonly List<Line> _lines = [];
    private long _statements;

    public TcpProxy(string connectionString)
    {
        _target = new NpgsqlConnectionStringBuilder(connectionString);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Execute and simple-query messages so far.</summary>
    public long Statements => Interlocked.Read(ref _statements);

    /// <summary>What passes from now on over the connections that are open is lost, as on a line that somebody cut; new connections work.</summary>
    public void CutOpenOnes()
    {
        lock (_lines)
            _lines.ForEach(line => line.Cut = true);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_pumps);
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_over.Token);
                var line = new Line();
                lock (_lines)
                    _lines.Add(line);
                _pumps.Add(ServeAsync(client, line));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy is thrown away.
        }
    }

    private async Task ServeAsync(TcpClient client, Line line)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                client.NoDelay = true;
                server.NoDelay = true;
                await server.ConnectAsync(_target.Host ?? "127.0.0.1", _target.Port, _over.Token);
                await Task.WhenAny(PumpAsync(client.GetStream(), server.GetStream(), line, count: true), PumpAsync(server.GetStream(), client.GetStream(), line, count: false));
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // One side hung up.
            }
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, Line line, bool count)
    {
        var buffer = new byte[16384];
        var messages = new Messages(() => Interlocked.Increment(ref _statements));
        while (true)
        {
            var length = await from.ReadAsync(buffer, _over.Token);
            if (length == 0)
                return;
            if (line.Cut)
                continue;
            if (count)
                messages.Read(buffer.AsSpan(0, length));
            await to.WriteAsync(buffer.AsMemory(0, length), _over.Token);
        }
    }

    private sealed class Line
    {
        public volatile bool Cut;
    }

    /// <summary>The client's side of PostgreSQL's protocol: a first message without a type, then type, length and body.</summary>
    private sealed class Messages(Action onStatement)
    {
        private readonly byte[] _head = new byte[5];
        private int _headLength;
        private long _skip;
        private bool _begun;

        public void Read(ReadOnlySpan<byte> bytes)
        {
            foreach (var one in bytes)
            {
                if (_skip > 0)
                {
                    _skip--;
                    continue;
                }
                _head[_headLength++] = one;
                var needed = _begun ? 5 : 4;
                if (_headLength < needed)
                    continue;
                _skip = BinaryPrimitives.ReadInt32BigEndian(_head.AsSpan(needed - 4, 4)) - 4;
                if (_begun && _head[0] is (byte)'E' or (byte)'Q')
                    onStatement();
                _begun = true;
                _headLength = 0;
            }
        }
    }
}
