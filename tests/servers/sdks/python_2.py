import sys

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("python-2")


@server.tool()
async def shout(text: str, context: Context) -> str:
    """In capitals; says so in the log"""
    await context.warning(f"shouting {text}")
    return text.upper()


@server.tool()
def add(a: int, b: int) -> str:
    """A sum"""
    return str(a + b)


if len(sys.argv) > 1:
    server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
else:
    server.run("stdio")
