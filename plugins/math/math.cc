// Typed tools in C++: what they take and give is the structs, and nothing else is written down.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <collet/plugin.hpp>

namespace {

struct Add {
  std::int64_t a, b;
  std::optional<double> scale;

  static void describe(collet::Fields<Add>& f) { f(&Add::scale, "Multiplies the sum"); }
};

// Exact, unless a scale asks for a fraction.
std::string add(const Add& in) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(in.a, in.b, &sum)) throw collet::ToolError("the sum does not fit into 64 bits");
  return in.scale ? collet::to_json(static_cast<double>(sum) * *in.scale).text : collet::to_json(sum).text;
}

struct Sample {
  std::vector<double> values;

  static void describe(collet::Fields<Sample>& f) {
    f(&Sample::values, "The sample").min_length(1).max_length(10'000);
  }
};

struct Statistics {
  std::uint64_t count;
  double min, max, mean, median;
  std::optional<double> standard_deviation;  // of two values or more

  static void describe(collet::Fields<Statistics>& f) {
    f(&Statistics::standard_deviation, "Of the sample, by n - 1; absent for a single value");
  }
};

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

Statistics statistics(Sample& in) {
  Statistics out{};
  out.count = in.values.size();
  double squares = 0;  // Welford's, which does not lose digits when the mean is large
  for (double n = 1; const double value : in.values) {
    const double delta = value - out.mean;
    out.mean += delta / n++;
    squares += delta * (value - out.mean);
  }
  const auto [min, max] = std::minmax_element(in.values.begin(), in.values.end());
  out.min = *min;
  out.max = *max;
  if (out.count > 1) out.standard_deviation = std::sqrt(squares / static_cast<double>(out.count - 1));
  out.median = median_of(in.values);
  return out;
}

enum class Unit { metre, kilometre, inch, foot, mile };

struct Convert {
  double value;
  Unit from, to = Unit::metre;

  static void describe(collet::Fields<Convert>& f) { f(&Convert::to).optional(); }
};

double convert(const Convert& in) {
  constexpr double kTenthsOfMillimetres[] = {10'000, 10'000'000, 254, 3'048, 16'093'440};  // all exact
  return in.value * kTenthsOfMillimetres[static_cast<int>(in.from)] / kTenthsOfMillimetres[static_cast<int>(in.to)];
}

struct Primes {
  std::uint64_t below;

  static void describe(collet::Fields<Primes>& f) { f(&Primes::below).max(10'000'000'000); }
};

std::vector<std::uint32_t> primes_up_to(std::uint64_t limit) {
  std::vector<bool> composite(limit + 1);
  std::vector<std::uint32_t> out;
  for (std::uint64_t n = 2; n <= limit; ++n) {
    if (composite[n]) continue;
    out.push_back(static_cast<std::uint32_t>(n));
    for (std::uint64_t m = n * n; m <= limit; m += n) composite[m] = true;
  }
  return out;
}

// A sieve of one segment after the other: between two of them it tells how far it is, and looks whether to go on.
std::uint64_t count_primes(const Primes& in, collet::Call& call) {
  constexpr std::uint64_t kSegment = 1 << 20;
  const auto small = primes_up_to(static_cast<std::uint64_t>(std::sqrt(static_cast<double>(in.below))) + 1);
  std::vector<char> composite(kSegment);
  std::uint64_t count = 0;
  for (std::uint64_t first = 2; first < in.below; first += kSegment) {
    if (call.cancelled()) throw collet::ToolError("cancelled");
    const std::uint64_t end = std::min(first + kSegment, in.below);
    std::fill(composite.begin(), composite.end(), 0);
    for (const std::uint64_t prime : small) {
      if (prime * prime >= end) break;
      const std::uint64_t multiple = std::max(prime * prime, (first + prime - 1) / prime * prime);
      for (std::uint64_t m = multiple; m < end; m += prime) composite[m - first] = 1;
    }
    count += static_cast<std::uint64_t>(
        std::count(composite.begin(), composite.begin() + static_cast<std::ptrdiff_t>(end - first), 0));
    call.progress(static_cast<double>(end), static_cast<double>(in.below));
  }
  return count;
}

}  // namespace

COLLET_PLUGIN("org.collet.math", "1.0.0", plugin, .flags = COLLET_PLUGIN_CONCURRENT, .title = "Mathematics") {
  plugin.tool<Add>("add", "Add two integers", add, {.nonblocking = true, .read_only = true});
  plugin.tool<Sample>("statistics", "Describe a sample of numbers", statistics, {.read_only = true});
  plugin.tool<Convert>("convert", "Convert a length", convert, {.nonblocking = true, .read_only = true});
  plugin.tool<Primes>("primes", "Count the primes below a number", count_primes,
                      {.title = "Count primes", .task = collet::Task::optional, .read_only = true});
}
