// Sends its arguments to everybody in the hub, one message each; without any, every line of its standard input.
using System.Text;
using Azure.Messaging.WebPubSub;

var connectionString = Environment.GetEnvironmentVariable("WebPubSubConnectionString");
if (string.IsNullOrWhiteSpace(connectionString))
{
    Console.Error.WriteLine("Set WebPubSubConnectionString to the connection string of the service.");
    return 2;
}

// The platform's default need not be UTF-8.
Console.InputEncoding = Encoding.UTF8;
Console.OutputEncoding = Encoding.UTF8;

var service = new WebPubSubServiceClient(connectionString, "notices");
foreach (var text in args.Length > 0 ? args : LinesOfInput())
{
    await service.SendToAllAsync(text);
    Console.WriteLine($"Sent: {text}");
}
return 0;

static IEnumerable<string> LinesOfInput()
{
    while (Console.ReadLine() is { } line) yield return line;
}
