#include "house.h"
#include "table_host.h"

namespace collet::plugin {

const Placement kTestPlacement = Placement::in_process;

LoaderOptions test_options() {
  LoaderOptions options = patient_options();
  options.preflight_executable = COLLET_TEST_PREFLIGHT;
  return options;
}

namespace {

class DirectCallers final : public Callers {
  registry::Listener& stand_in(registry::Listener& listener, CallKind, const std::string&) override {
    return listener;
  }
  const content::Form& form() const override { return content::kClientForm; }
  BlobMemory* blob_memory() const override { return nullptr; }
};

}  // namespace

std::unique_ptr<Callers> make_callers(loop::Loop&) { return std::make_unique<DirectCallers>(); }

}  // namespace collet::plugin
