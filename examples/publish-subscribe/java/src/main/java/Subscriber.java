import com.azure.messaging.webpubsub.WebPubSubServiceClientBuilder;
import com.azure.messaging.webpubsub.models.GetClientAccessTokenOptions;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** Prints every message of the hub until it is ended with Ctrl+C. */
public final class Subscriber {
    private static final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) throws InterruptedException {
        String connectionString = System.getenv("WebPubSubConnectionString");
        if (connectionString == null || connectionString.isBlank()) {
            System.err.println("Set WebPubSubConnectionString to the connection string of the service.");
            System.exit(2);
        }

        // The URL holds a token that is good for an hour. It is all a client needs.
        String url = new WebPubSubServiceClientBuilder()
            .connectionString(connectionString)
            .hub("notices")
            .buildClient()
            .getClientAccessToken(new GetClientAccessTokenOptions())
            .getUrl();

        try {
            HttpClient.newHttpClient().newWebSocketBuilder().buildAsync(URI.create(url), new Printer()).join();
        } catch (CompletionException failure) {
            System.err.println("The connection failed: " + failure.getCause());
            System.exit(1);
        }
        Thread.currentThread().join();
    }

    /** Prints what arrives; a long message comes in several parts. */
    private static final class Printer implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public void onOpen(WebSocket socket) {
            out.println("Connected. Waiting for messages.");
            socket.request(1);
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean isLast) {
            message.append(part);
            if (isLast) {
                out.println("Received: " + message);
                message.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            System.err.println("The connection was closed (" + code + ").");
            System.exit(1);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable failure) {
            System.err.println("The connection failed: " + failure);
            System.exit(1);
        }
    }
}
