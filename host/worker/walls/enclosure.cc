#include "worker/walls/enclosure.h"

#include <sys/prctl.h>

#include "base/placement.h"
#include "worker/walls/call_filter.h"
#include "worker/walls/limits.h"
#include "worker/walls/rights.h"

namespace collet::worker {

void enclose() {
  const Permissions none;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  set_limits(none);
  lock_rights();
  drop_rights();
  static_cast<void>(filter_calls(none));  // nobody is there who could be asked: what would be, fails
}

}  // namespace collet::worker
