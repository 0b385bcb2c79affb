#include "fetch/target.h"


#include <algorithm>
#include <charconv>
#include <memory>

#include "base/address.h"
#include "base/display.h"
#include "base/limits.h"
#include "fetch/libcurl.h"

namespace collet::fetch {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { libcurl().url_cleanup(url); }
};
using UrlPtr = std::unique_ptr<CURLU, FreeUrl>;

std::string part_of(const CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (libcurl().url_get(const_cast<CURLU*>(url), part, &text, flags) != CURLUE_OK || !text) return {};
  std::string out(text);
  libcurl().free(text);
  return out;
}

Error no_url(std::string_view text, std::string_view why) {
  return error("{} is no URL that can be fetched: {}", display::printable(display::redact_url(text)), why);
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

Result<Target> target_of(CURLU* url, std::string_view text) {
  Target out;
  out.scheme = part_of(url, CURLUPART_SCHEME);
  if (out.scheme != "http" && out.scheme != "https") return no_url(text, "it is neither http nor https");
  if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
    return no_url(text, "it names a user: credentials go into a field");
  if (!part_of(url, CURLUPART_ZONEID).empty()) return no_url(text, "its address has a zone");
  libcurl().url_set(url, CURLUPART_FRAGMENT, nullptr, 0);
  out.url = part_of(url, CURLUPART_URL);
  out.host = part_of(url, CURLUPART_HOST);
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
  const std::string port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (out.port == 0) return no_url(text, "its port cannot be");
  if (out.host.empty() || !is_plain(out.url)) return no_url(text, "it has no host, or bytes that no URL has");
  if (out.url.size() > limits::kFetchUrlBytesMax) return no_url(text, "it is too long");
  if (const auto address = in_words(out.host, 0)) {  // in its one form
    out.host = address->substr(0, address->rfind(':'));
    if (out.host.starts_with('[')) out.host = out.host.substr(1, out.host.size() - 2);
  }
  return out;
}

}  // namespace

std::string Target::place() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

bool Target::is_of_same_origin(const Target& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

bool Target::is_loopback() const {
  std::string_view name = host;
  if (name.ends_with('.')) name.remove_suffix(1);
  const bool is_address = in_words(name, 0).has_value();
  return name == "localhost" || name.ends_with(".localhost") || name == "::1" || name == "::" || name == "0.0.0.0" ||
         (is_address && name.starts_with("127."));
}

Result<Target> read_target(std::string_view url) {
  if (url.size() > limits::kFetchUrlBytesMax) return no_url(url.substr(0, limits::kUriBytesMax), "it is too long");
  if (!is_plain(url)) return no_url(url, "it has bytes that no URL has: they are to be percent-encoded");
  if (auto there = load_libcurl(); !there) return there.failure();
  const UrlPtr parsed(libcurl().url());
  const std::string text(url);
  const CURLUcode code = parsed ? libcurl().url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) : CURLUE_OUT_OF_MEMORY;
  if (code != CURLUE_OK) return no_url(url, libcurl().url_strerror(code));
  return target_of(parsed.get(), url);
}

Result<Target> resolve_target(const Target& base, std::string_view reference) {
  if (reference.size() > limits::kFetchUrlBytesMax) return no_url(reference.substr(0, limits::kUriBytesMax), "it is too long");
  const UrlPtr parsed(libcurl().url());
  const std::string text(reference);
  CURLUcode code = parsed ? libcurl().url_set(parsed.get(), CURLUPART_URL, base.url.c_str(), 0) : CURLUE_OUT_OF_MEMORY;
  if (code == CURLUE_OK) code = libcurl().url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
  if (code != CURLUE_OK) return no_url(reference, libcurl().url_strerror(code));
  return target_of(parsed.get(), reference);
}

}  // namespace collet::fetch
