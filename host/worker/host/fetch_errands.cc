#include "worker/host/fetch_errands.h"

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "plugin/abi/structs.h"

namespace collet::worker {

using plugin::to_str;
using plugin::view;

struct FetchErrands::Errand {
  FetchErrands& all;
  std::uint32_t incarnation;
  std::uint64_t id;
  bool lost = false;  // the worker does not take what it is told; of the thread of the callbacks
};

bool FetchErrands::find_tables(const collet_host& host) {
  fetch_ = find<collet_fetch>(host, COLLET_EXT_FETCH);
  return fetch_ != nullptr;
}

Callback<void()> FetchErrands::forget() {
  if (exchanges_.empty()) return {};
  return [this, left = std::exchange(exchanges_, {})] {
    for (const auto& [id, exchange] : left) fetch_->cancel(host(), exchange);
  };
}

std::string FetchErrands::make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  if (head.type == FrameType::fetch) return fetch(incarnation, head.id, body);
  if (head.type == FrameType::fetch_taken) return note_taken(head.id, body);
  cancel(head.id);
  return {};
}

std::string FetchErrands::fetch(std::uint32_t incarnation, std::uint64_t id, std::string_view body) {
  FieldReader in(body);
  collet_fetch_params params{};
  params.struct_size = sizeof params;
  params.inside_of = in.number<std::uint64_t>();
  params.flags = params.inside_of ? 0 : COLLET_FETCH_AS_PLUGIN;
  params.timeout_ms = in.number<std::uint64_t>();
  params.connect_timeout_ms = in.number<std::uint64_t>();
  params.bytes_max = in.number<std::uint64_t>();
  params.redirects_max = in.number<std::uint32_t>();
  params.method = to_str(in.text());
  params.url = to_str(in.text());
  params.content = to_str(in.text());
  std::vector<collet_http_field> fields;
  while (!in.at_end() && !in.bad() && fields.size() <= limits::kFetchFieldsMax) {
    const std::string_view name = in.text();
    fields.push_back({to_str(name), to_str(in.text())});
  }
  if (!in.complete()) return "it sent a frame that is no request";
  params.fields = fields.data();
  params.field_count = fields.size();
  params.head = on_head;
  params.body = on_body;
  params.ended = on_end;
  return begin_fetch(incarnation, id, params);
}

std::string FetchErrands::begin_fetch(std::uint32_t incarnation, std::uint64_t id, const collet_fetch_params& wanted) {
  auto errand = std::make_unique<Errand>(Errand{*this, incarnation, id});
  collet_fetch_params params = wanted;
  params.context = errand.get();
  collet_exchange exchange = 0;
  // Under the lock its end cannot be told before it is noted.
  const auto held = lock_for(incarnation);
  if (!held) return {};
  if (id == 0 || exchanges_.contains(id)) return fmt::format("it used the number {} of an exchange twice", id);
  const std::int32_t status = fetch_->fetch(host(), &params, &exchange);
  if (status == COLLET_E_INVALID) return "it sent a request that its own side of the host would have refused";
  if (status < 0) {
    refuse(incarnation, id, status);
    return {};
  }
  static_cast<void>(errand.release());  // of whoever tells the end
  exchanges_[id] = exchange;
  return {};
}

std::string FetchErrands::note_taken(std::uint64_t id, std::string_view body) {
  FieldReader in(body);
  const auto bytes = in.number<std::uint64_t>();
  if (!in.complete()) return "it sent a frame that does not say what it has taken";
  const collet_exchange exchange = exchange_of(id);
  if (!exchange || fetch_->taken(host(), exchange, bytes) != COLLET_E_INVALID) return {};
  return "it has taken more of an answer than it was told";
}

void FetchErrands::cancel(std::uint64_t id) {
  if (const collet_exchange exchange = exchange_of(id)) fetch_->cancel(host(), exchange);
}

collet_exchange FetchErrands::exchange_of(std::uint64_t id) {
  const auto held = lock();
  const auto found = exchanges_.find(id);
  return found == exchanges_.end() ? 0 : found->second;
}

// what it is told

void FetchErrands::on_head(void* context, const collet_fetch_head* head) {
  Errand& its = *static_cast<Errand*>(context);
  std::string frame;
  {
    FrameWriter writer(frame, FrameType::fetch_head, its.id);
    writer.number(head->status).text(view(head->url));
    for (const collet_http_field& field : std::span(head->fields, head->field_count)) writer.text(view(field.name)).text(view(field.value));
  }
  its.all.say(its, frame);
}

void FetchErrands::on_body(void* context, const void* data, std::size_t size) {
  Errand& its = *static_cast<Errand*>(context);
  std::string frame;
  FrameWriter(frame, FrameType::fetch_bytes, its.id).text(view(static_cast<const char*>(data), size));
  its.all.say(its, frame);
}

// What is left out makes all that follows worthless.
void FetchErrands::say(Errand& errand, std::string_view frame) {
  if (errand.lost || send(errand.incarnation, frame, Need::may_be_lost)) return;
  errand.lost = true;
  collet_exchange exchange = 0;
  if (const auto held = lock_for(errand.incarnation)) exchange = exchanges_[errand.id];
  if (exchange) fetch_->cancel(host(), exchange);
}

void FetchErrands::on_end(void* context, const collet_fetch_end* end) {
  const std::unique_ptr<Errand> its(static_cast<Errand*>(context));
  if (const auto held = its->all.lock_for(its->incarnation)) its->all.exchanges_.erase(its->id);
  if (its->lost) {
    return its->all.say_end(its->incarnation, its->id, COLLET_FETCH_FAILED, 1, "The plugin's worker does not take what it is told");
  }
  its->all.say_end(its->incarnation, its->id, end->how, end->sent, view(end->message));
}

void FetchErrands::say_end(std::uint32_t incarnation, std::uint64_t id, std::uint32_t how, std::uint32_t sent,
                           std::string_view message) const {
  std::string frame;
  FrameWriter(frame, FrameType::fetch_end, id).number(how).number(sent).text(message.substr(0, limits::kWorkerReasonBytesMax));
  send(incarnation, frame, Need::must_be_sent);
}

// What fetch() would have returned in this process, had it known.
void FetchErrands::refuse(std::uint32_t incarnation, std::uint64_t id, std::int32_t status) const {
  const std::string why = status == COLLET_E_STALE || status == COLLET_E_STATE
                              ? "The call inside of which it was to be made has ended"
                              : fmt::format("The host refuses it: {}", plugin::status_name(status));
  say_end(incarnation, id, COLLET_FETCH_FAILED, 0, why);
}

}  // namespace collet::worker
