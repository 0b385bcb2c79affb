// A tool whose result points to a resource, beside text.
#include <collet/plugin.hpp>

COLLET_PLUGIN("org.example.links", "1.0.0", plugin) {
  plugin.tool("link", "Points to a resource", [] {
    return collet::Content()
        .text("see there")
        .resource_link(
            {.uri = "file:///there.txt", .name = "there", .description = "A text", .mime_type = "text/plain"});
  });
}
