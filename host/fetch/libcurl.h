// libcurl, loaded when something is fetched for the first time: it brings some thirty libraries along, whose constructors take longer
// than all else of a start, and most processes of ours fetch nothing. Any thread.
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace collet::fetch {

// Its functions that are used, under their names without "curl_". In parentheses, since some of them are macros, too.
struct Libcurl {
  decltype(&(::curl_global_init)) global_init;
  decltype(&(::curl_free)) free;
  decltype(&(::curl_easy_init)) easy_init;
  decltype(&(::curl_easy_setopt)) easy_setopt;
  decltype(&(::curl_easy_getinfo)) easy_getinfo;
  decltype(&(::curl_easy_pause)) easy_pause;
  decltype(&(::curl_easy_reset)) easy_reset;
  decltype(&(::curl_easy_cleanup)) easy_cleanup;
  decltype(&(::curl_easy_strerror)) easy_strerror;
  decltype(&(::curl_multi_init)) multi_init;
  decltype(&(::curl_multi_setopt)) multi_setopt;
  decltype(&(::curl_multi_add_handle)) multi_add_handle;
  decltype(&(::curl_multi_remove_handle)) multi_remove_handle;
  decltype(&(::curl_multi_socket_action)) multi_socket_action;
  decltype(&(::curl_multi_info_read)) multi_info_read;
  decltype(&(::curl_multi_cleanup)) multi_cleanup;
  decltype(&(::curl_url)) url;
  decltype(&(::curl_url_set)) url_set;
  decltype(&(::curl_url_get)) url_get;
  decltype(&(::curl_url_strerror)) url_strerror;
  decltype(&(::curl_url_cleanup)) url_cleanup;
};

// Loads it, if that was not done, so that it can read URLs. An error, which the log says, too, tells why it cannot be had now.
Result<void> load_libcurl();
// Has it ready for more.
Result<void> start_libcurl();
// Once load_libcurl() has succeeded.
const Libcurl& libcurl();

}  // namespace collet::fetch
