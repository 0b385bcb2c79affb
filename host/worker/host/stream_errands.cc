#include "worker/host/stream_errands.h"

#include <span>

#include "base/result.h"
#include "plugin/abi/structs.h"

namespace collet::worker {
namespace {

using plugin::to_str;
using plugin::view;

constexpr const char* kNoQuestion = "it sent a frame that is no question to streams";

void write_page(FrameWriter& frame, const collet_events_page& page) {
  frame.number(page.after).number(page.first).number(page.last);
  for (const collet_event& event : std::span(page.events, page.event_count)) {
    frame.number(event.sequence).number(event.time_ms).text(view(event.bytes));
  }
}

// False if there is no such thing.
bool read_params(FieldReader& fields, collet_events_params& params) {
  params.struct_size = sizeof params;
  params.owner = to_str(fields.text());
  params.stream = to_str(fields.text());
  params.after = fields.number<std::uint64_t>();
  params.max = fields.number<std::uint32_t>();
  return fields.complete();
}

}  // namespace

bool StreamErrands::find_tables(const collet_host& host) {
  events_ = find<collet_events>(host, COLLET_EXT_EVENTS);
  return events_ != nullptr;
}

std::string StreamErrands::make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) {
  const FieldReader fields(body);
  if (head.type == FrameType::event_append) return append(incarnation, head.id, fields);
  if (head.type == FrameType::event_read) return read(incarnation, head.id, fields);
  if (head.type == FrameType::follow_next) return follow(incarnation, head.id, fields);
  unfollow(head.id);
  return {};
}

std::string StreamErrands::append(std::uint32_t incarnation, std::uint64_t id, FieldReader fields) {
  collet_append_params params{};
  params.struct_size = sizeof params;
  params.stream = to_str(fields.text());
  params.bytes = to_str(fields.text());
  if (!fields.complete()) return kNoQuestion;
  params.appended = [](void* context, std::int32_t status, std::uint64_t sequence) {
    answer(context, status, [&](FrameWriter& frame) { frame.number(sequence); });
  };
  return ask(incarnation, id, FrameType::appended, [&](void* context) {
    params.context = context;
    return events_->append(host(), &params);
  });
}

std::string StreamErrands::read(std::uint32_t incarnation, std::uint64_t id, FieldReader fields) {
  collet_events_params params{};
  if (!read_params(fields, params)) return kNoQuestion;
  params.told = [](void* context, const collet_events_page* page) {
    answer(context, page->status, [&](FrameWriter& frame) { write_page(frame, *page); });
  };
  return ask(incarnation, id, FrameType::events, [&](void* context) {
    params.context = context;
    return events_->read(host(), &params);
  });
}

std::string StreamErrands::follow(std::uint32_t incarnation, std::uint64_t id, FieldReader fields) {
  collet_events_params params{};
  if (!read_params(fields, params)) return kNoQuestion;
  params.told = [](void* context, const collet_events_page* page) {
    StreamErrands& all = static_cast<Follow*>(context)->all;
    const FollowPtr follow = all.take_followed(*static_cast<Follow*>(context));
    if (!follow) return;  // whoever ends it waits until this has returned
    if (page->status == COLLET_OK) all.events_->unfollow(all.host(), page->follow);
    std::string frame;
    {
      FrameWriter writer(frame, FrameType::next_events, follow->id);
      writer.number(page->status);
      write_page(writer, *page);
    }
    all.say(follow->incarnation, FrameType::next_events, follow->id, frame);
  };
  // Under the lock its page cannot be told before it is noted.
  const auto held = lock_for(incarnation);
  if (!held) return {};
  if (id == 0 || follows_.contains(id)) return fmt::format("it asked twice for what is next of {} that it follows", id);
  if (follows_.size() >= limits::kFollowsMax) return fmt::format("it follows more than {} streams", limits::kFollowsMax);
  Follow& followed = *follows_.emplace(id, std::make_unique<Follow>(Follow{*this, incarnation, id})).first->second;
  params.context = &followed;
  const std::int32_t status = events_->follow(host(), &params, &followed.follow);
  if (status < 0) {
    follows_.erase(id);
    say_status(incarnation, FrameType::next_events, id, status);
  }
  return {};
}

// Null: somebody else ends it.
StreamErrands::FollowPtr StreamErrands::take_followed(const Follow& follow) {
  const auto held = lock_for(follow.incarnation);
  if (!held) return nullptr;
  const auto found = follows_.find(follow.id);
  return found == follows_.end() ? nullptr : std::move(follows_.extract(found).mapped());
}

void StreamErrands::unfollow(std::uint64_t id) {
  FollowPtr follow;
  {
    const auto held = lock();
    const auto found = follows_.find(id);
    if (found == follows_.end()) return;  // its page is on its way
    follow = std::move(follows_.extract(found).mapped());
  }
  events_->unfollow(host(), follow->follow);
}

Callback<void()> StreamErrands::forget() {
  static_cast<void>(TableErrands::forget());
  if (follows_.empty()) return {};
  return [this, left = std::exchange(follows_, {})] {
    for (const auto& [id, follow] : left) events_->unfollow(host(), follow->follow);
  };
}

}  // namespace collet::worker
