#include "plugin/crash/record.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace collet::plugin::crash {

Record* map_record(int file, std::size_t offset) {
  void* at = mmap(nullptr, kRecordBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(offset));
  return at == MAP_FAILED ? nullptr : static_cast<Record*>(at);
}

void clear_record(int file, std::size_t offset) {
  const std::uint32_t nothing = Record::kNothing;
  static_cast<void>(!pwrite(file, &nothing, sizeof nothing, static_cast<off_t>(offset + offsetof(Record, stage))));
}

std::optional<Record> take_record(int file, std::size_t offset) {
  Record record;
  if (pread(file, &record, sizeof record, static_cast<off_t>(offset)) != sizeof record) return std::nullopt;
  if (record.stage == Record::kNothing) return std::nullopt;
  if (record.stage != Record::kWhole) record.frame_count = record.module_count = record.cut_off = 0;
  record.frame_count = std::min<std::uint32_t>(record.frame_count, Record::kFramesMax);
  record.module_count = std::min<std::uint32_t>(record.module_count, Record::kModulesMax);
  for (Record::Frame& frame : record.frames) {
    if (frame.module >= record.module_count) frame.module = Record::kNoModule;
  }
  return record;
}

}  // namespace collet::plugin::crash
