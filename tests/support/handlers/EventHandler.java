import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An event handler that relies on what the Java sample relies on, with the JDK alone.
 *
 * <p>Listens on a free loopback port, prints its URL, then one line per event: type, user, length of the body.
 */
final class EventHandler {
  private static final Pattern USER = Pattern.compile("\"id\"\\s*:\\s*\\[\\s*\"([^\"]*)\"");

  public static void main(String[] args) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
    server.createContext("/", EventHandler::handle);
    server.start();
    System.out.println("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private static void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().toString().equals("/eventhandler")) {
        answer(exchange, 404, "");
      } else if (exchange.getRequestMethod().equals("OPTIONS")) {
        exchange.getResponseHeaders().set("WebHook-Allowed-Origin", "*");
        answer(exchange, 200, "");
      } else {
        event(exchange);
      }
    }
  }

  private static void event(HttpExchange exchange) throws IOException {
    // The sample asks for the length first and reads nothing without it.
    String length = exchange.getRequestHeaders().getFirst("Content-Length");
    byte[] body = length == null ? new byte[0] : exchange.getRequestBody().readNBytes(Integer.parseInt(length));
    String text = new String(body, StandardCharsets.UTF_8);
    String type = exchange.getRequestHeaders().getFirst("ce-type");
    String user = exchange.getRequestHeaders().getFirst("ce-userId");
    System.out.println(type + " " + user + " " + body.length);
    switch (type) {
      case "azure.webpubsub.sys.connect" -> {
        Matcher id = USER.matcher(text);
        if (id.find()) {
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          answer(exchange, 200, "{\"userId\":\"" + id.group(1) + "\"}");
        } else {
          answer(exchange, 401, "missing user id");
        }
      }
      case "azure.webpubsub.user.echo" -> {
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        answer(exchange, 200, "[" + user + "] " + text);
      }
      default -> answer(exchange, 200, "");
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    exchange.getResponseBody().write(body);
  }
}
