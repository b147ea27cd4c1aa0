// Prints every message of the hub until it is ended with Ctrl+C.
using System.Net.WebSockets;
using System.Runtime.InteropServices;
using System.Text;
using Azure.Messaging.WebPubSub;

var connectionString = Environment.GetEnvironmentVariable("WebPubSubConnectionString");
if (string.IsNullOrWhiteSpace(connectionString))
{
    Console.Error.WriteLine("Set WebPubSubConnectionString to the connection string of the service.");
    return 2;
}

// Before anything is printed: the platform's default need not be UTF-8.
Console.OutputEncoding = Encoding.UTF8;

using var ended = new CancellationTokenSource();
void End(PosixSignalContext context)
{
    context.Cancel = true; // the process ends below, once the connection is closed
    ended.Cancel();
}
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

// The URL holds a token that is good for an hour. It is all a client needs.
var service = new WebPubSubServiceClient(connectionString, "notices");
var url = await service.GetClientAccessUriAsync(TimeSpan.FromHours(1));

using var socket = new ClientWebSocket();
try
{
    await socket.ConnectAsync(url, ended.Token);
    Console.WriteLine("Connected. Waiting for messages.");

    var buffer = new byte[8192];
    using var message = new MemoryStream();
    while (true)
    {
        var part = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), ended.Token);
        if (part.MessageType == WebSocketMessageType.Close)
        {
            Console.Error.WriteLine($"The connection was closed ({(int?)part.CloseStatus}).");
            return 1;
        }

        // A long message comes in several parts.
        message.Write(buffer, 0, part.Count);
        if (!part.EndOfMessage) continue;
        Console.WriteLine($"Received: {Encoding.UTF8.GetString(message.ToArray())}");
        message.SetLength(0);
    }
}
catch (OperationCanceledException) when (ended.IsCancellationRequested)
{
    return 0; // leaving disposes of the socket, which ends the connection
}
catch (WebSocketException failure)
{
    Console.Error.WriteLine($"The connection failed: {failure.Message}");
    return 1;
}
