#include "plugin/abi/structs.h"

namespace collet::plugin {

std::string_view status_name(std::int32_t status) {
  switch (status) {
    case COLLET_OK:
      return "COLLET_OK";
    case COLLET_E_INVALID:
      return "COLLET_E_INVALID";
    case COLLET_E_STALE:
      return "COLLET_E_STALE";
    case COLLET_E_LIMIT:
      return "COLLET_E_LIMIT";
    case COLLET_E_STATE:
      return "COLLET_E_STATE";
    case COLLET_E_UNSUPPORTED:
      return "COLLET_E_UNSUPPORTED";
    case COLLET_E_DUPLICATE:
      return "COLLET_E_DUPLICATE";
    default:
      return "COLLET_E_INTERNAL";
  }
}

}  // namespace collet::plugin
