// A server made with mark3labs/mcp-go.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	made := server.NewMCPServer("go-mark3labs", "1.0.0", server.WithLogging())
	made.AddTool(mcp.NewTool("shout", mcp.WithDescription("In capitals; says so in the log"), mcp.WithString("text", mcp.Required())),
		func(ctx context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			text := request.GetString("text", "")
			_ = made.SendNotificationToClient(ctx, "notifications/message", map[string]any{"level": "warning", "data": "shouting " + text})
			return mcp.NewToolResultText(strings.ToUpper(text)), nil
		})
	made.AddTool(mcp.NewTool("add", mcp.WithDescription("A sum"), mcp.WithNumber("a", mcp.Required()), mcp.WithNumber("b", mcp.Required())),
		func(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText(fmt.Sprint(request.GetInt("a", 0) + request.GetInt("b", 0))), nil
		})
	if len(os.Args) > 1 {
		log.Fatal(server.NewStreamableHTTPServer(made).Start("127.0.0.1:" + os.Args[1]))
	}
	log.Fatal(server.ServeStdio(made))
}
