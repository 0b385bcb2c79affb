import sys

from fastmcp import Context, FastMCP

server = FastMCP("fastmcp")


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
    server.run("http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
else:
    server.run("stdio", show_banner=False)
