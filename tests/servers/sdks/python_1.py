import sys

from mcp.server.fastmcp import Context, FastMCP

server = FastMCP("python-1", host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)


@server.tool()
async def shout(text: str, context: Context) -> str:
    """In capitals; says so in the log"""
    await context.warning(f"shouting {text}")
    return text.upper()


@server.tool()
def add(a: int, b: int) -> str:
    """A sum"""
    return str(a + b)


server.run("streamable-http" if len(sys.argv) > 1 else "stdio")
