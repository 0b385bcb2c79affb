// Media types, and answers that are not JSON-RPC.
#pragma once

#include <string_view>
#include <vector>

#include "transport/http.h"

namespace collet::protocol {

// Whether a Content-Type or one of an Accept header's ranges is `type`; parameters do not matter.
bool is_media_type(std::string_view value, std::string_view type);
// Whether the Accept header allows `type`. A missing one accepts everything (RFC 9110 §12.5.1).
bool accepts(const transport::HttpRequest& http, std::string_view type);

// What lets a page in a browser read the answer. Borrows from the request.
std::vector<transport::Header> allow_origin(const transport::HttpRequest& http);

// An answer in words.
void refuse(transport::HttpReply& reply, int status, std::string_view message, transport::Header extra = {});

}  // namespace collet::protocol
