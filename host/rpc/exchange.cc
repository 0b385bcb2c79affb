#include "rpc/exchange.h"

#include <array>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/text.h"

namespace collet::rpc {
namespace {

std::size_t size_of(std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace

Exchange::Exchange(Exchange&& other) noexcept
    : id_(std::move(other.id_)), outlet_(std::exchange(other.outlet_, nullptr)), watch_(std::move(other.watch_)) {}

Exchange& Exchange::operator=(Exchange&& other) noexcept {
  COLLET_ASSERT(!open());
  id_ = std::move(other.id_);
  outlet_ = std::exchange(other.outlet_, nullptr);
  watch_ = std::move(other.watch_);
  return *this;
}

Exchange::~Exchange() {
  if (open()) error(internal_error("The request was dropped without an answer"));
}

void Exchange::result(std::span<const std::string_view> pieces) {
  if (!open()) return;
  COLLET_ASSERT(pieces.size() <= kPiecesMax);
  std::array<std::string_view, kPiecesMax + 4> all;
  std::size_t count = 0;
  all[count++] = R"({"jsonrpc":"2.0","id":)";
  all[count++] = id_.text();
  all[count++] = R"(,"result":)";
  for (std::string_view piece : pieces) all[count++] = piece;
  all[count++] = "}";
  const auto watch = std::move(watch_);
  Outlet& outlet = *std::exchange(outlet_, nullptr);
  try {
    outlet.answer(200, {all.data(), count});
    if (watch) watch->on_result(size_of(pieces));
  } catch (const std::bad_alloc&) {
    const Error error = out_of_memory();
    if (watch) watch->on_error(error);
    const std::string text = error_message(id_, error);
    const std::string_view piece = text;
    outlet.answer(error.http_status, {&piece, 1});
  }
}

void Exchange::error(const Error& error) {
  if (!open()) return;
  const std::string text = error_message(id_, error);
  const std::string_view piece = text;
  if (const auto watch = std::move(watch_)) watch->on_error(error);
  std::exchange(outlet_, nullptr)->answer(error.http_status, {&piece, 1});
}

void Exchange::notify(std::string_view method, std::string_view params) {
  if (!open()) return;
  const std::string_view pieces[] = {R"({"jsonrpc":"2.0","method":")", method, R"(","params":)", params, "}"};
  outlet_->interim(pieces);
}

void Exchange::ask(std::uint64_t id, std::string_view request) {
  if (!open()) return;
  const std::string number = std::to_string(id);
  request.remove_prefix(request.find('{') + 1);
  const std::string_view pieces[] = {R"({"jsonrpc":"2.0","id":)", number, ",", request};
  outlet_->interim(pieces);
}

Exchange Exchange::move_to(Outlet& outlet) {
  COLLET_ASSERT(open());
  outlet_ = nullptr;
  Exchange moved(std::move(id_), outlet);
  moved.watch_ = std::move(watch_);
  return moved;
}

void Exchange::disown() {
  if (!std::exchange(outlet_, nullptr)) return;
  if (const auto watch = std::move(watch_)) watch->on_disowned();
}

std::string error_message(const Id& id, const Error& error) {
  std::string text = R"({"jsonrpc":"2.0",)";
  if (!id.empty()) text += R"("id":)" + id.text() + ",";
  text += R"("error":{"code":)" + std::to_string(error.code) + R"(,"message":)";
  text::append_json_string(text, error.message);
  if (!error.data.empty()) text += R"(,"data":)" + error.data;
  text += "}}";
  return text;
}

}  // namespace collet::rpc
