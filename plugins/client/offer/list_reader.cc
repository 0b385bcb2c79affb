#include "client/offer/list_reader.h"

#include <algorithm>

#include <collet/json.hpp>

#include "client/limits.h"

namespace collet::client {

ListReader::ListReader(Connection& connection, std::string method, std::string member, std::uint64_t page_ms,
                       std::function<void(Result<List>)> done)
    : connection_(connection),
      method_(std::move(method)),
      member_(std::move(member)),
      page_ms_(page_ms),
      done_(std::move(done)) {
  list_.version = connection.version();
  ask({});
}

void ListReader::ask(std::string_view cursor) {
  std::string params;
  if (cursor.data()) {
    params = R"("cursor":)";
    collet::append_json(params, cursor);
  }
  request_ = connection_.ask(method_, params, page_ms_, [this](const Answer& answer) { on_page(answer); });
}

const char* ListReader::too_much(std::size_t element_bytes) const {
  if (list_.elements.size() >= limits::kItemsMax) return "it is too long";
  return bytes_ + element_bytes > limits::kListBytesMax ? "it is too large" : nullptr;
}

void ListReader::on_page(const Answer& answer) {
  request_ = 0;
  ++pages_;
  if (!answer.ok()) {
    // A capability that covers two lists does not promise both.
    if (answer.error && answer.error->code == kMethodNotFound) return finish(std::move(list_));
    lost_ = answer.lost;
    return finish(Error{"cannot read its " + method_ + ": " + answer.problem()});
  }
  const std::string_view elements = find_member(answer.result, member_);
  const char* why = nullptr;
  const bool valid = for_each_element(elements, [&](std::string_view element) {
    if (!why) why = too_much(element.size());
    if (why) return;
    bytes_ += element.size();
    list_.elements.emplace_back(element);
  });
  if (!valid) return finish(Error{"cannot read its " + method_ + ": it has no array \"" + member_ + "\""});
  if (const auto ttl = find_unsigned(answer.result, "ttlMs"))
    list_.ttl_ms = std::min(list_.ttl_ms.value_or(*ttl), *ttl);
  auto next = find_string(answer.result, "nextCursor");
  if (next && next->empty()) next.reset();  // some servers say so that there is no more
  if (!why && next && *next == cursor_) why = "a page leads to itself";
  if (!why && next && pages_ >= limits::kPagesMax) why = "it has too many pages";
  if (why) {
    list_.warning = "its " + method_ + " is cut off after " + std::to_string(list_.elements.size()) + ": " + why;
  }
  if (why || !next) return finish(std::move(list_));
  cursor_ = *next;
  ask(cursor_);
}

void ListReader::finish(Result<List> result) {
  const auto done = done_;
  done(std::move(result));
}

}  // namespace collet::client
