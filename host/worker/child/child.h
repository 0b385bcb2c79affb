// The worker process: one generation, as in a host, whose callers are frames.
#pragma once

namespace collet::worker {

// What the host's executable does under kWorkerVerb. Does not return while the host wants it.
[[noreturn]] void worker_main();

}  // namespace collet::worker
