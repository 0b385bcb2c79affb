#include <collet/plugin.hpp>

struct Add {
  std::int64_t a, b;
  std::optional<double> scale;
};

COLLET_PLUGIN("org.example.math", "1.0.0", plugin) {
  plugin.tool<Add>("add", "Add two integers", [](const Add& in, collet::Call&) { return in.a + in.b; });
}
