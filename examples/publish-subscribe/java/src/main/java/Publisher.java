import com.azure.messaging.webpubsub.WebPubSubServiceClient;
import com.azure.messaging.webpubsub.WebPubSubServiceClientBuilder;
import com.azure.messaging.webpubsub.models.WebPubSubContentType;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

/** Sends its arguments to everybody in the hub, one message each; without any, every line of its standard input. */
public final class Publisher {
    public static void main(String[] args) {
        String connectionString = System.getenv("WebPubSubConnectionString");
        if (connectionString == null || connectionString.isBlank()) {
            System.err.println("Set WebPubSubConnectionString to the connection string of the service.");
            System.exit(2);
        }

        WebPubSubServiceClient service = new WebPubSubServiceClientBuilder()
            .connectionString(connectionString)
            .hub("notices")
            .buildClient();

        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Stream<String> texts = args.length > 0
            ? Stream.of(args)
            : new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).lines();
        texts.forEach(text -> {
            service.sendToAll(text, WebPubSubContentType.TEXT_PLAIN);
            out.println("Sent: " + text);
        });
    }
}
