// The table of collet.http.draft/1: what a call of a route asks, and how it is answered.
#pragma once

#include "collet/ext/draft/http.h"

namespace collet::plugin {

extern const collet_http kHttpTable;
// Of a debug host.
extern const collet_http kNotedHttpTable;

}  // namespace collet::plugin
