#include "plugin/house.h"
#include "worker/worker_image.h"

namespace collet::plugin {

const Placement kTestPlacement = Placement::worker;

LoaderOptions test_options() {
  LoaderOptions options;
  options.make_worker = [](WorkerOrder order) -> std::unique_ptr<Image> {
    worker::WorkerOptions of_worker;
    of_worker.executable = COLLET_TEST_WORKER;
    return std::make_unique<worker::WorkerImage>(std::move(order), std::move(of_worker));
  };
  return options;
}

}  // namespace collet::plugin
