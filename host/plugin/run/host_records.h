// The records of a plugin, where the store is in this process.
#pragma once

#include "plugin/run/own_records.h"

namespace collet::plugin {

class HostRecords final : public OwnRecords {
 public:
  // `answers` and `records` are borrowed. The plugin's space is that of its name in the configuration.
  HostRecords(Answers& answers, store::Records& records, std::string plugin)
      : OwnRecords(answers), records_(records), plugin_(std::move(plugin)) {}

 private:
  void start(std::uint64_t id, RecordOrder order) override;

  store::Records& records_;
  const std::string plugin_;
};

}  // namespace collet::plugin
