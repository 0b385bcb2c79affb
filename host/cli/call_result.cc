#include "cli/call_result.h"

#include <optional>

#include "base/json.h"
#include "cli/saved_contents.h"
#include "collet/kit/base64.hpp"
#include "registry/ending.h"

namespace collet::cli {
namespace {

// A block of content, or what was read of a resource.
struct Content {
  std::string_view what;  // "image"
  std::string_view type;  // "image/png"
  std::optional<std::string_view> text;
  std::optional<std::string_view> data;  // base64
};

Content content_of(const json::Value& block) {
  const json::Value* embedded = json::find(block, "resource");
  const json::Value& holder = embedded ? *embedded : block;
  Content content{.what = json::find_string(block, "type").value_or("blob"),
                  .type = json::find_string(holder, "mimeType").value_or("of no type"),
                  .text = json::find_string(block, "text"),
                  .data = json::find_string(block, "data")};
  if (!content.data) content.data = json::find_string(holder, "blob");
  return content;
}

// One result on its way to its places.
class ResultPrinter {
 public:
  ResultPrinter(const ResultForm& form, Output& out) : form_(form), out_(out), saved_(form.file) {}

  int print(registry::CallKind kind, const registry::Ending& ending) {
    if (form_.json) out_.write(registry::result_text(kind, ending) + '\n');
    if (kind == registry::CallKind::complete) {
      if (!form_.json) print_completion(ending);
      return kOk;
    }
    json::Document blocks;  // may be nested as deeply as is allowed, and stand in an array here
    COLLET_ASSERT(!json::parse("[" + ending.content + "]", blocks, {.depth_max = limits::kJsonDepthMax + 1}));
    for (const json::Value& block : blocks.GetArray()) print_block(kind, block);
    if (!form_.json && blocks.Empty() && !ending.structured.empty()) out_.write(ending.structured + '\n');
    if (!form_.file.empty() && saved_.count() == 0 && exit_code_ == kOk) {
      say(fmt::format("collet: {} is not written: there is nothing but text", form_.file));
    }
    return exit_code_ == kOk && ending.is_error ? kToolError : exit_code_;
  }

 private:
  void print_block(registry::CallKind kind, const json::Value& block) {
    const json::Value* inner = kind == registry::CallKind::prompt ? json::find(block, "content") : &block;
    if (!inner) return;
    const Content content = content_of(*inner);
    if (content.data && !form_.file.empty()) return save(content);
    if (form_.json) return;
    if (kind == registry::CallKind::resource) return print_read(content);
    if (kind == registry::CallKind::prompt) out_.print("{}: ", json::find_string(block, "role").value_or("nobody"));
    print_line(content, *inner);
  }

  void print_line(const Content& content, const json::Value& block) {
    if (content.text) return out_.print("{}\n", *content.text);
    out_.print("{}\n", content.data && out_.is_terminal() ? note_of(content) : json::to_text(block));
  }

  void print_read(const Content& content) {
    if (content.text) {
      out_.write(*content.text);
      if (out_.is_terminal() && !content.text->ends_with('\n')) out_.write("\n");
    } else if (out_.is_terminal()) {
      out_.print("{}\n", note_of(content));
    } else if (const auto bytes = bytes_of(content)) {
      out_.write(*bytes);
    }
  }

  static std::string note_of(const Content& content) {
    return fmt::format("[{}, {}, {} bytes of base64]", content.what, content.type, content.data ? content.data->size() : 0);
  }

  std::optional<std::string> bytes_of(const Content& content) {
    auto bytes = kit::from_base64(content.data.value_or(""));
    if (!bytes) exit_code_ = complain(fmt::format("what it gives as {} is no base64", content.type), kToolError);
    return bytes;
  }

  void save(const Content& content) {
    const auto bytes = bytes_of(content);
    if (!bytes || exit_code_ == kUnwritten) return;
    const auto file = saved_.save(*bytes);
    if (!file) {
      exit_code_ = complain(file.message(), kUnwritten);
      return;
    }
    say(fmt::format("{}: {}, {}, {} bytes", *file, content.what, content.type, bytes->size()));
  }

  void print_completion(const registry::Ending& ending) {
    json::Document completion;
    COLLET_ASSERT(!json::parse(registry::completion_text(ending), completion));
    for (const json::Value& value : json::find(completion, "values")->GetArray()) {
      if (value.IsString()) out_.print("{}\n", json::view(value));
    }
    const json::Value* more = json::find(completion, "hasMore");
    if (more && more->IsTrue()) say("collet: there are more values");
  }

  const ResultForm& form_;
  Output& out_;
  SavedContents saved_;
  int exit_code_ = kOk;
};

}  // namespace

int print_result(registry::CallKind kind, const registry::Ending& completed, const ResultForm& form, Output& out) {
  return ResultPrinter(form, out).print(kind, completed);
}

}  // namespace collet::cli
