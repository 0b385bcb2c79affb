import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema;
import java.util.List;
import java.util.Map;

public class Main {
  static McpSchema.Tool tool(String name, String description, String type, String... members) {
    Map<String, Object> properties = new java.util.LinkedHashMap<>();
    for (String member : members) properties.put(member, Map.of("type", type));
    return McpSchema.Tool.builder(name, Map.of("type", "object", "properties", properties, "required", List.of(members)))
        .description(description).build();
  }

  static McpSchema.CallToolResult said(String text) {
    return McpSchema.CallToolResult.builder().addTextContent(text).build();
  }

  public static void main(String[] arguments) {
    McpServer.sync(new StdioServerTransportProvider(McpJsonDefaults.getMapper()))
        .serverInfo("java-2", "1.0.0")
        .capabilities(McpSchema.ServerCapabilities.builder().tools(true).logging().build())
        .toolCall(tool("shout", "In capitals; says so in the log", "string", "text"), (exchange, request) -> {
          String text = (String) request.arguments().get("text");
          exchange.loggingNotification(McpSchema.LoggingMessageNotification.builder()
              .level(McpSchema.LoggingLevel.WARNING).data("shouting " + text).build());
          return said(text.toUpperCase());
        })
        .toolCall(tool("add", "A sum", "integer", "a", "b"), (exchange, request) -> said(
            String.valueOf(((Number) request.arguments().get("a")).longValue() + ((Number) request.arguments().get("b")).longValue())))
        .build();
  }
}
