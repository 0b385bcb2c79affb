// A server made with the official SDK for Go.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type words struct {
	Text string `json:"text"`
}

type numbers struct {
	A int `json:"a"`
	B int `json:"b"`
}

func said(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

func shout(ctx context.Context, request *mcp.CallToolRequest, in words) (*mcp.CallToolResult, any, error) {
	request.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "warning", Data: "shouting " + in.Text})
	return said(strings.ToUpper(in.Text)), nil, nil
}

func add(_ context.Context, _ *mcp.CallToolRequest, in numbers) (*mcp.CallToolResult, any, error) {
	return said(fmt.Sprint(in.A + in.B)), nil, nil
}

func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "go-official", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "shout", Description: "In capitals; says so in the log"}, shout)
	mcp.AddTool(server, &mcp.Tool{Name: "add", Description: "A sum"}, add)
	if len(os.Args) > 1 {
		handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
		log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
	}
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Fatal(err)
	}
}
