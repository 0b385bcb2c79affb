// Text of any origin as a person may see it, on a terminal or in a log: it cannot steer the terminal, and shows no
// secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace collet::display {

// On one line. What a terminal acts on without showing it becomes \x1b and the like: control characters, and marks
// that are invisible or turn the direction of writing.
std::string printable(std::string_view text);

// On as many lines as it has: as above, but newlines, tabs and a carriage return in front of a newline stay.
std::string printable_lines(std::string_view text);

// As a JSON string, quotes included, with JSON's escapes for what printable() shows as \x1b and the like.
std::string json_string(std::string_view text);

// *** for all of it, except references (${env:NAME}) and the scheme in front of a credential ("Bearer ").
std::string redact(std::string_view text);

// Whether a value with that name may be a secret: the name contains, whatever its case, one of token, secret, pass,
// pwd, key, auth, cred, header, cookie, bearer, session.
bool names_secret(std::string_view name);

// Whether a value may be a secret by its look: it begins as well-known keys do (sk-, ghp_, …), or is one piece of
// 20 or more characters with letters and digits.
bool looks_secret(std::string_view text);

// A URL without its secrets.
// - What stands before the last @ of the authority becomes ***.
// - In query and fragment, which are NAME=VALUE parts between & or ;, redact() is applied to the value if
//   names_secret() holds for the name, %-escapes undone, or the name contains "sig" or "code", or if looks_secret()
//   holds for the value; with Values::all to every value. A part without = is redacted if it looks secret.
// All else stays as it is, so that redacting a second time changes nothing.
enum class Values : std::uint8_t { secret, all };
std::string redact_url(std::string_view url, Values hidden = Values::secret);

}  // namespace collet::display
