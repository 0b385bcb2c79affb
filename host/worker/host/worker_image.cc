#include "worker/host/worker_image.h"

#include "base/json.h"
#include "base/limits.h"
#include "plugin/abi/caller_info.h"
#include "plugin/abi/entered.h"
#include "plugin/abi/structs.h"
#include "plugin/run/call_table.h"
#include "worker/talk/web_frame.h"

namespace collet::worker {
namespace {

WorkerImage& image_of(void* self) { return *static_cast<WorkerImage*>(self); }

// All that is known of the caller, by its key's place: asking for it later would need a call back into a host that may have moved on.
void append_info(FrameWriter& frame, const collet_host& host, collet_call call) {
  constexpr auto& kKeys = plugin::CallerInfo::kKeys;
  plugin::HostSide& side = *plugin::side_of(&host);
  plugin::LockedCall running = side.calls.lock(call, side.owner);  // its listener lives for as long
  if (!running) return;
  for (std::uint8_t i = 0; i < std::size(kKeys); ++i) {
    if (const auto known = running->listener->info(kKeys[i])) frame.number(i).text(*known);
  }
}

}  // namespace

WorkerImage::WorkerImage(plugin::WorkerOrder order, WorkerOptions options)
    : order_(std::move(order)),
      options_(std::move(options)),
      path_(order_.file.path()),
      link_(std::make_shared<ProcessLink>(options_.hang_ms)),
      router_(*link_, arena_, events_),
      processes_(options_.executable),
      supervisor_({.order = order_,
                   .options = options_,
                   .arena = arena_,
                   .link = *link_,
                   .router = router_,
                   .processes = processes_},
                  {.opened = [this](const Opened& opened) { return take_table(opened); },
                   .refused = [this](std::string_view info) { take_info(info); },
                   .gone = [this](const std::string& cause) { tell_gone(cause); }}) {}

Result<void> WorkerImage::open() {
  auto arena = ArenaView::create();
  if (!arena) return arena.failure();
  arena_ = std::move(*arena);
  if (auto opened = link_->open(); !opened) return opened;
  return supervisor_.start();
}

std::string WorkerImage::take_table(const Opened& opened) {
  collet_plugin said{};
  said.struct_size = sizeof said;
  said.flags = opened.flags;
  said.id = {opened.id.data(), opened.id.size()};
  said.version = {opened.version.data(), opened.version.size()};
  if (!opened.info.empty()) said.info = {opened.info.data(), opened.info.size()};
  said.create = [](const collet_host*, const collet_create_params*, void**) -> std::int32_t {
    return COLLET_E_UNSUPPORTED;  // see WorkerImage::create()
  };
  said.destroy = destroy;
  said.call = call_plugin;
  said.cancel = cancel_call;
  said.quiesce = quiesce;
  auto table = plugin::read_plugin_table(&said);
  if (!table) return table.message();
  table_ = std::move(*table);
  table_.functions.id = table_.functions.version = table_.functions.info = {};  // the texts were the frame's
  if (opened.offered & kSavesState) save_state_ = {sizeof save_state_, opened.state_version, save};
  if (opened.offered & kReconfigures) reconfigure_ = {sizeof reconfigure_, 0, reconfigure};
  if (opened.offered & kReportsStatus) status_ = {sizeof status_, 0, status};
  if (opened.offered & kWatches) watch_ = {sizeof watch_, 0, watch};
  return {};
}

void WorkerImage::take_info(std::string_view info) {
  if (info.size() <= limits::kPluginInfoBytesMax && json::is_object(info)) table_.info = info;
}

void WorkerImage::tell_gone(const std::string& cause) const {
  if (host_) events_.gone(fmt::format("plugin {}: {}", order_.name, cause));
}

std::int32_t WorkerImage::create(const collet_host& host, const collet_create_params&, void** self) {
  link_->attach(host);
  host_ = &host;
  router_.attach(host);
  *self = this;
  return COLLET_OK;
}

const void* WorkerImage::get_extension(std::string_view id) {
  if (id == COLLET_EXT_SAVE_STATE && save_state_.save) return &save_state_;
  if (id == COLLET_EXT_RECONFIGURE && reconfigure_.reconfigure) return &reconfigure_;
  if (id == COLLET_EXT_STATUS && status_.status) return &status_;
  if (id == COLLET_EXT_WATCH && watch_.watch) return &watch_;
  static constexpr collet_http_watch kHttpWatch{sizeof(collet_http_watch), 0, taken, body_came};
  if (id == COLLET_EXT_HTTP) return &kHttpWatch;
  return nullptr;
}

// calls

std::int32_t WorkerImage::call_plugin(void* self, collet_call call, const collet_call_params* params) {
  return image_of(self).pass_on(call, *params);
}

std::int32_t WorkerImage::pass_on(collet_call call, const collet_call_params& params) {
  const auto item = ItemMirror::Handle::of(params.item_user);
  thread_local std::string buffer;
  buffer.clear();
  {
    FrameWriter frame(buffer, FrameType::call, call);
    frame.number(item.worker_id).number(params.kind).number(params.round).number(params.state_version);
    frame.number(params.deadline_ms).text(plugin::view(params.name));
    for (const collet_str* text : {&params.arguments, &params.variables, &params.input_responses, &params.state}) {
      frame.text_or_nothing(plugin::optional_view(*text));
    }
    if (params.kind == COLLET_ROUTE) frame.text(web_request_field(*host_, call));
    append_info(frame, *host_, call);
  }
  std::string reason;
  loop::Loop* const here = loop::Loop::current();
  const auto when = here ? ProcessLink::Send::at_turn_end : ProcessLink::Send::now;
  const bool given = link_->give_call(call, item.incarnation, buffer, when, reason);
  if (given && here) here->at_turn_end(link_);
  if (buffer.capacity() > limits::kWorkerReadBytes) std::string().swap(buffer);
  if (!given) {
    if (reason.empty()) reason = supervisor_.down_words();
    reason = fmt::format("plugin {}: {}", order_.name, reason);
    host_.load()->fail(host_, call, plugin::kInternalError, reason.data(), reason.size(), nullptr, 0);
  }
  return COLLET_OK;
}

void WorkerImage::cancel_call(void* self, collet_call call, std::uint32_t reason) { image_of(self).link_->cancel(call, reason); }

void WorkerImage::taken(void* self, collet_call call, std::size_t bytes) { image_of(self).link_->taken(call, bytes); }

void WorkerImage::body_came(void* self, collet_call call) { image_of(self).router_.body_came(call); }

// questions

std::int32_t WorkerImage::save(void* self, collet_state_write write, void* to) {
  const Questions::Answer answer = image_of(self).link_->ask(FrameType::save_state);
  if (answer.status < 0) return answer.status;
  const std::int32_t written = write(to, answer.bytes.data(), answer.bytes.size());
  return written < 0 ? written : answer.status;
}

std::int32_t WorkerImage::reconfigure(void* self, const char* config, std::size_t size) {
  WorkerImage& image = image_of(self);
  const std::string_view given(config, size);
  const Questions::Answer answer = image.link_->ask(FrameType::reconfigure, given);
  if (answer.status >= 0) image.supervisor_.set_config(given);
  return answer.status;
}

std::int32_t WorkerImage::status(void* self, void (*take)(void*, const char*, std::size_t), void* context) {
  WorkerImage& image = image_of(self);
  const Questions::Answer answer = image.link_->ask(FrameType::status, {}, image.options_.status_ms);
  if (answer.status >= 0) take(context, answer.bytes.data(), answer.bytes.size());
  return answer.status;
}

void WorkerImage::watch(void* self, const char* uri, std::size_t size, std::uint32_t watched) {
  image_of(self).link_->watch(std::string_view(uri, size), watched != 0);
}

// the end

std::int32_t WorkerImage::quiesce(void* self, std::uint32_t deadline_ms) {
  WorkerImage& image = image_of(self);
  image.router_.expect_ended_calls();
  image.link_->quiesce(deadline_ms);
  return COLLET_OK;
}

void WorkerImage::destroy(void* self) { image_of(self).supervisor_.stop(); }

bool WorkerImage::kill(std::string_view why) {
  supervisor_.kill(why);
  return true;
}

bool WorkerImage::close() {
  supervisor_.join();
  return true;
}

}  // namespace collet::worker
