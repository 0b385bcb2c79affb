#include "plugin/run/own_errands.h"

namespace collet::plugin {

OwnErrands::OwnErrands(const GenerationSpec& spec, CallTable& calls, CallOwner& owner, OwnThreads& own_threads)
    : answers_(owner.name, own_threads),
      peers_(spec.make_peers ? spec.make_peers(calls, owner, answers_) : nullptr),
      records_(spec.make_records ? spec.make_records(answers_) : nullptr),
      streams_(spec.make_streams ? spec.make_streams(answers_) : nullptr),
      fetches_(spec.make_fetches ? spec.make_fetches(calls, owner, answers_) : nullptr) {}

void OwnErrands::open() {
  if (peers_) peers_->open();
  if (fetches_) fetches_->open();
  if (records_) records_->open();
  if (streams_) streams_->open();
}

void OwnErrands::cancel_inside(CallId call, registry::CancelReason reason) {
  if (peers_) peers_->cancel_inside(call, reason);
  if (fetches_) fetches_->cancel_inside(call);
}

void OwnErrands::end_all() {
  if (peers_) peers_->end_all();
  if (fetches_) fetches_->end_all();
  if (records_) records_->end_all();
  if (streams_) streams_->end_all();
}

bool OwnErrands::close(Clock::time_point deadline) { return answers_.close(deadline); }

}  // namespace collet::plugin
