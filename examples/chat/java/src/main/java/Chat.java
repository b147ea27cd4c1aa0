import com.azure.core.http.rest.RequestOptions;
import com.azure.core.util.BinaryData;
import com.azure.messaging.webpubsub.WebPubSubServiceClient;
import com.azure.messaging.webpubsub.WebPubSubServiceClientBuilder;
import com.azure.messaging.webpubsub.models.GetClientAccessTokenOptions;
import com.azure.messaging.webpubsub.models.WebPubSubContentType;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The chat room of ../server.ts in Java: the same page, the same addresses, the same answers. The events of the service are
 * plain HTTP requests (CloudEvents in binary mode), read here without a library.
 */
public final class Chat {
    private static final int MAX_NAME_LENGTH = 24;
    private static final int MAX_TEXT_LENGTH = 2000;
    /** More than any text in bounds takes as UTF-8, so a longer body is refused without reading all of it. */
    private static final int MAX_BODY_BYTES = 16 * 1024;
    /** State of a connection: whether it was the first one of its user. The service keeps it and sends it along. */
    private static final String NEW_FACE = "new-face";
    private static final String SECOND_WINDOW = "second-window";
    private static final Path PAGE = Path.of(System.getProperty("page", "public"));
    private static final Map<String, String> PAGE_FILES = Map.of(
        "index.html", "text/html; charset=utf-8",
        "chat.css", "text/css; charset=utf-8",
        "chat.js", "text/javascript; charset=utf-8");

    private final WebPubSubServiceClient service;
    private final String accessKey;

    private Chat(String connectionString) {
        service = new WebPubSubServiceClientBuilder().connectionString(connectionString).hub("chat").buildClient();
        Matcher key = Pattern.compile("AccessKey=([^;]+)", Pattern.CASE_INSENSITIVE).matcher(connectionString);
        accessKey = key.find() ? key.group(1) : "";
    }

    public static void main(String[] arguments) {
        String connectionString = System.getenv("WebPubSubConnectionString");
        int port = Integer.parseInt(Objects.requireNonNullElse(System.getenv("PORT"), "3000"));
        if (connectionString == null || connectionString.isBlank()) {
            System.err.println("Set WebPubSubConnectionString to the connection string of the service, or use npm run java.");
            System.exit(2);
        }
        try {
            new Chat(connectionString).listen(port);
        } catch (IOException error) {
            System.err.printf("Cannot listen on port %d: %s. Set PORT to another one.%n", port, error.getMessage());
            System.exit(1);
        }
    }

    private void listen(int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("localhost"), port), 0);
        // Blocking calls of the SDK wait for the network, so several requests have to be under way at once.
        ExecutorService workers = Executors.newFixedThreadPool(16);
        server.setExecutor(workers);
        server.createContext("/", this::servePage);
        server.createContext("/negotiate", this::negotiate);
        server.createContext("/eventhandler", this::receive);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(0);
            workers.shutdown();
        }));
        server.start();
        System.out.println("Chat: http://localhost:" + server.getAddress().getPort());
    }

    private void servePage(HttpExchange exchange) throws IOException {
        String asked = exchange.getRequestURI().getPath();
        String file = asked.equals("/") ? "index.html" : asked.substring(1);
        String type = PAGE_FILES.get(file);
        if (type == null) answer(exchange, 404);
        else answer(exchange, 200, type, Files.readString(PAGE.resolve(file)));
    }

    /** Hands out the URL to connect with. A real application knows here who is asking; this one believes the name. */
    private void negotiate(HttpExchange exchange) throws IOException {
        String query = Objects.requireNonNullElse(exchange.getRequestURI().getRawQuery(), "");
        Matcher parameter = Pattern.compile("(?:^|&)name=([^&]*)").matcher(query);
        String name = parameter.find() ? URLDecoder.decode(parameter.group(1), StandardCharsets.UTF_8).strip() : "";
        if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
            answerJson(exchange, 400, Map.of("error", "A name has 1 to " + MAX_NAME_LENGTH + " characters."));
            return;
        }
        String url = service.getClientAccessToken(new GetClientAccessTokenOptions().setUserId(name)).getUrl();
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        answerJson(exchange, 200, Map.of("url", url));
    }

    private void receive(HttpExchange exchange) throws IOException {
        if (exchange.getRequestMethod().equals("OPTIONS")) {
            // The service asks whether it may send events. Anybody may: an event without a signature is refused below.
            exchange.getResponseHeaders().set("WebHook-Allowed-Origin", header(exchange, "WebHook-Request-Origin"));
            answer(exchange, 200);
            return;
        }
        if (!isSigned(header(exchange, "ce-connectionId"), header(exchange, "ce-signature"))) {
            answer(exchange, 401, "text/plain", "The signature is not that of the service.");
            return;
        }
        String name = header(exchange, "ce-userId");
        try {
            switch (header(exchange, "ce-type")) {
                case "azure.webpubsub.sys.connect" -> {
                    // Before somebody is let in: remember whether that is a new face or just a second window.
                    exchange.getResponseHeaders().set("ce-connectionState", isHere(name) ? SECOND_WINDOW : NEW_FACE);
                    answer(exchange, 204);
                }
                case "azure.webpubsub.sys.connected" -> {
                    answer(exchange, 200);
                    if (header(exchange, "ce-connectionState").equals(NEW_FACE)) notice(name + " joined");
                }
                case "azure.webpubsub.sys.disconnected" -> {
                    answer(exchange, 200);
                    if (!isHere(name)) notice(name + " left");
                }
                case "azure.webpubsub.user.message" -> say(exchange, name);
                default -> answer(exchange, 404);
            }
        } catch (RuntimeException error) {
            // The service could not be asked or told. The two events after the answer are lost, which the room survives.
            System.err.println("could not handle " + header(exchange, "ce-eventName") + ": " + error.getMessage());
            if (exchange.getResponseCode() == -1) answer(exchange, 500);
        }
    }

    /** Publishes what somebody said. The sender gets the acknowledgement of its message once this has answered. */
    private void say(HttpExchange exchange, String name) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
        String text = new String(body, StandardCharsets.UTF_8).strip();
        boolean isText = header(exchange, "Content-Type").startsWith("text/plain") && body.length <= MAX_BODY_BYTES;
        if (!isText || text.isEmpty() || text.length() > MAX_TEXT_LENGTH) {
            answer(exchange, 400, "text/plain", "not a chat message");
            return;
        }
        publish(Map.of("kind", "message", "from", name, "text", text));
        answer(exchange, 204);
    }

    private void notice(String text) {
        publish(Map.of("kind", "notice", "text", text));
    }

    private void publish(Map<String, String> line) {
        service.sendToAll(json(line), WebPubSubContentType.APPLICATION_JSON);
    }

    private boolean isHere(String name) {
        return service.userExistsWithResponse(name, new RequestOptions()).getValue();
    }

    /** Whether the service sent this event: only it and the application know the key. */
    private boolean isSigned(String connectionId, String signatures) {
        byte[] expected = ("sha256=" + hmac(connectionId)).getBytes(StandardCharsets.UTF_8);
        for (String signature : signatures.split(",")) {
            if (MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8))) return true;
        }
        return false;
    }

    private String hmac(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(accessKey.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    /** A header's value, empty without one. They come as UTF-8, which the JDK's server reads as Latin-1. */
    private static String header(HttpExchange exchange, String name) {
        String value = Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst(name), "");
        return new String(value.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    private static String json(Object value) {
        return BinaryData.fromObject(value).toString();
    }

    private static void answerJson(HttpExchange exchange, int status, Object value) throws IOException {
        answer(exchange, status, "application/json; charset=utf-8", json(value));
    }

    private static void answer(HttpExchange exchange, int status, String contentType, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", contentType);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static void answer(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }
}
