// What requests and answers over HTTP are made of besides JSON-RPC: media types, what pages need, answers in words.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transport/http.h"

namespace collet::protocol {

inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kEventsType = "text/event-stream";

// The kinds of answer that a client takes.
struct Accepted {
  bool json = true;
  bool events = true;
};
// What the Accept header says: the most specific range that fits a type decides, and q=0 is a no. A missing one
// accepts everything (RFC 9110 §12.5.1).
Accepted accepted(const transport::HttpRequest& http);

// Whether the body is JSON as it stands; else the request has been refused.
bool has_json_body(const transport::HttpRequest& http, transport::HttpReply& reply);

// The headers of those names that the request has, each with all that it says.
std::vector<std::pair<std::string, std::string>> kept_headers(const transport::HttpRequest& http,
                                                              const std::vector<std::string>& names);

// The Origin of the page that sends the request; empty: it comes from none. Of a request that Access lets in.
std::string_view page_of(const transport::HttpRequest& http);
// What lets a page of that origin read an answer (Fetch, CORS protocol).
std::array<transport::Header, 3> readable_by(std::string_view page);

// An answer that is a stream; the page, if there is one, can read it.
void begin_events(const transport::HttpRequest& http, transport::HttpReply& reply);
// An answer that the page, if there is one, can read.
void respond(transport::HttpReply& reply, std::string_view page, int status, std::vector<transport::Header> headers,
             std::string_view body = {});
// Likewise in words.
void refuse(transport::HttpReply& reply, std::string_view page, int status, std::string_view message,
            transport::Header extra = {});

// Whether the method is one of these, "GET, HEAD"; else the request has been refused. Empty: they are not known here.
bool takes_method(std::string_view methods, const transport::HttpRequest& http, transport::HttpReply& reply,
                  std::string_view page);

}  // namespace collet::protocol
