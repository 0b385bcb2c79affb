// The records of a worker's plugin: what it asks of them is asked at the host table for it.
#pragma once

#include "collet/ext/draft/store.h"
#include "worker/host/table_errands.h"

namespace collet::worker {

class RecordErrands final : public TableErrands {
 public:
  using TableErrands::TableErrands;

 private:
  bool find_tables(const collet_host& host) override;
  std::string make(std::uint32_t incarnation, const FrameHead& head, std::string_view body) override;
  std::string list(std::uint32_t incarnation, std::uint64_t id, FieldReader fields);

  const collet_store* store_ = nullptr;
};

}  // namespace collet::worker
