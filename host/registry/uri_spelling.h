// The spelling under which two URIs that mean the same are found to be the same.
#pragma once

#include <string>
#include <string_view>

namespace collet::registry {

// Of a URI, an IRI or a URI template's text: scheme and host in lower case, percent-encoding where it is needed and
// in upper case, nowhere else (RFC 3986 §6.2.2.1 and §6.2.2.2, RFC 3987 §3.1), and of http and https the port that
// is meant anyway and the path of none (§6.2.3). Dots as segments stay: whoever reads the path must see them.
std::string normalised_uri(std::string_view uri);

// The same with the pairs of the query in one order, for who watches a resource: {?q,lang} takes them in any.
std::string watched_uri(std::string_view uri);

// Percent-encoding alone, of any part of a URI.
std::string normalised_encoding(std::string_view part);
// Scheme and host alone, as far as `uri` goes.
void lower_case_origin(std::string& uri);
// Each %XX is the byte that it stands for.
std::string percent_decoded(std::string_view text);

}  // namespace collet::registry
