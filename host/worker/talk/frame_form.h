// How a worker writes results down: as pieces that its host says to the host table.
#pragma once

#include "plugin/abi/content.h"
#include "registry/item.h"
#include "worker/talk/arena.h"

namespace collet::worker {

class FrameForm final : public plugin::content::Form {
 public:
  // The arena is borrowed; a block that has been written down belongs to the host.
  explicit FrameForm(const Arena& arena) : arena_(arena) {}

  void text(std::string& out, registry::CallKind kind, const plugin::content::Reading& reading,
            std::string_view text) const override;
  void json(std::string& out, std::string_view json) const override;
  void blob(std::string& out, registry::CallKind kind, const plugin::content::Reading& reading,
            std::string_view type, std::string_view mime, plugin::Blob blob) const override;
  void field(std::string& out, std::string_view key, std::string_view json) const override;
  void whole(registry::Ending& ending, std::string_view result) const override;

 private:
  const Arena& arena_;
};

}  // namespace collet::worker
