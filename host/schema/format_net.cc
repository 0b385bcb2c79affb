#include "schema/format_net.h"

#include <string>

#include "schema/idna.h"

namespace collet::schema {
namespace {

constexpr std::size_t kHostnameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_ascii(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Letters, digits and hyphens, no hyphen at either end.
bool is_ldh_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax || label.front() == '-' || label.back() == '-') return false;
  for (char c : label) {
    if (!is_letter(c) && !is_digit(c) && c != '-') return false;
  }
  return true;
}

bool is_host_label(std::string_view label) {
  if (!is_ldh_label(label)) return false;
  if (label.size() < 4 || label.substr(2, 2) != "--") return true;
  // RFC 5891 §4.2.3.1: only A-labels have hyphens there.
  return (label[0] | 0x20) == 'x' && (label[1] | 0x20) == 'n' && idna::is_a_label(label);
}

template <class Check>
bool every_label(std::string_view text, Check check) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!check(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_atom_char(char c, bool international) {
  if (static_cast<unsigned char>(c) >= 0x80) return international;
  return is_letter(c) || is_digit(c) || is_one_of(c, "!#$%&'*+-/=?^_`{|}~");
}

bool is_local_part(std::string_view text, bool international) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      if (c == '\\' && i + 2 < text.size()) {
        ++i;
      } else if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || (c >= 0x80 && !international)) {
        return false;
      }
    }
    return true;
  }
  return every_label(text, [&](std::string_view atom) {
    for (char c : atom) {
      if (!is_atom_char(c, international)) return false;
    }
    return !atom.empty();
  });
}

bool is_mailbox(std::string_view text, bool international) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || !is_local_part(text.substr(0, at), international)) return false;
  std::string_view domain = text.substr(at + 1);
  if (domain.size() > 2 && domain.front() == '[' && domain.back() == ']') {
    domain = domain.substr(1, domain.size() - 2);
    if (domain.substr(0, 5) == "IPv6:") return is_ipv6(domain.substr(5));
    return is_ipv4(domain);
  }
  return international ? is_idn_hostname(domain) : is_hostname(domain);
}

// RFC 3986 (RFC 3987 if `international`), from left to right.
class UriCheck {
 public:
  UriCheck(std::string_view text, bool international) : rest_(text), international_(international) {}

  bool absolute() { return scheme() && behind_scheme(); }
  bool reference() {
    const std::size_t colon = rest_.find(':');
    if (colon != std::string_view::npos && rest_.substr(0, colon).find_first_of("/?#") == std::string_view::npos) {
      return absolute();  // the first segment of a relative path has no colon
    }
    return behind_scheme();
  }

 private:
  bool scheme() {
    const std::size_t colon = rest_.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_letter(rest_[0])) return false;
    for (char c : rest_.substr(0, colon)) {
      if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "+-.")) return false;
    }
    rest_.remove_prefix(colon + 1);
    return true;
  }

  bool behind_scheme() {
    const std::size_t hash = rest_.find('#');
    if (hash != std::string_view::npos) {
      if (!characters(rest_.substr(hash + 1), ":@/?")) return false;
      rest_ = rest_.substr(0, hash);
    }
    const std::size_t question = rest_.find('?');
    if (question != std::string_view::npos) {
      if (!characters(rest_.substr(question + 1), ":@/?")) return false;
      rest_ = rest_.substr(0, question);
    }
    if (rest_.substr(0, 2) == "//") {
      rest_.remove_prefix(2);
      const std::size_t slash = rest_.find('/');
      if (!authority(rest_.substr(0, slash))) return false;
      rest_ = slash == std::string_view::npos ? std::string_view{} : rest_.substr(slash);
    }
    return characters(rest_, ":@/");
  }

  bool authority(std::string_view text) {
    if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
      if (!characters(text.substr(0, at), ":")) return false;
      text.remove_prefix(at + 1);
    }
    std::size_t host_end = text.rfind(':');
    if (!text.empty() && text[0] == '[') {
      const std::size_t close = text.find(']');
      if (close == std::string_view::npos || !ip_literal(text.substr(1, close - 1))) return false;
      host_end = close + 1;
      if (host_end != text.size() && text[host_end] != ':') return false;
    } else if (!characters(text.substr(0, host_end), "")) {
      return false;
    }
    if (host_end == std::string_view::npos || host_end == text.size()) return true;
    for (char c : text.substr(host_end + 1)) {
      if (!is_digit(c)) return false;
    }
    return true;
  }

  bool ip_literal(std::string_view text) {
    if (text.empty() || (text[0] | 0x20) != 'v') return is_ipv6(text);
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == text.size()) return false;
    for (char c : text.substr(1, dot - 1)) {
      if (!is_hex(c)) return false;
    }
    return is_ascii(text) && characters(text.substr(dot + 1), ":");
  }

  // Unreserved characters, sub-delimiters, percent triplets and `more`.
  bool characters(std::string_view text, std::string_view more) const {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '%') {
        if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
        i += 2;
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        if (!international_) return false;
      } else if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "-._~!$&'()*+,;=") && !is_one_of(c, more)) {
        return false;
      }
    }
    return true;
  }

  std::string_view rest_;
  bool international_;
};

}  // namespace

bool is_email(std::string_view text) { return is_ascii(text) && is_mailbox(text, false); }
bool is_idn_email(std::string_view text) { return is_mailbox(text, true); }

bool is_hostname(std::string_view text) {
  return text.size() <= kHostnameBytesMax && every_label(text, is_host_label);
}

bool is_idn_hostname(std::string_view text) {
  // RFC 3490 §3.1: what else separates labels.
  std::string dotted;
  for (std::size_t i = 0; i < text.size();) {
    constexpr std::string_view kDots[] = {"\u3002", "\uff0e", "\uff61"};
    const std::string_view three = text.substr(i, 3);
    const bool dot = three == kDots[0] || three == kDots[1] || three == kDots[2];
    dotted += dot ? '.' : text[i];
    i += dot ? 3 : 1;
  }
  std::string ascii;
  bool right_to_left = false;
  const bool well_formed = every_label(dotted, [&](std::string_view label) {
    if (is_ascii(label)) {
      if (!is_host_label(label)) return false;
      ascii.append(label) += '.';
      right_to_left |= idna::is_right_to_left(label);
      return true;
    }
    const auto encoded = idna::to_a_label(label);
    if (!encoded || encoded->size() > kLabelBytesMax) return false;
    ascii.append(*encoded) += '.';
    right_to_left |= idna::is_right_to_left(label);
    return true;
  });
  if (!well_formed || ascii.size() > kHostnameBytesMax + 1) return false;
  return !right_to_left || every_label(dotted, idna::obeys_bidi_rule);
}

bool is_ipv4(std::string_view text) {
  unsigned parts = 0;
  return every_label(text,
                     [&](std::string_view part) {
                       if (++parts > 4 || part.empty() || part.size() > 3 || (part.size() > 1 && part[0] == '0'))
                         return false;
                       unsigned value = 0;
                       for (char c : part) {
                         if (!is_digit(c)) return false;
                         value = value * 10 + static_cast<unsigned>(c - '0');
                       }
                       return value <= 255;
                     }) &&
         parts == 4;
}

bool is_ipv6(std::string_view text) {
  unsigned groups = 0;
  bool gap = false;
  if (text.substr(0, 2) == "::") {
    gap = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      groups += 2;
      if (!is_ipv4(group)) return false;
    } else {
      ++groups;
      if (group.empty() || group.size() > 4) return false;
      for (char c : group) {
        if (!is_hex(c)) return false;
      }
    }
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
    if (!text.empty() && text[0] == ':') {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
      if (text.empty()) break;
    }
  }
  return gap ? groups < 8 : groups == 8;
}

bool is_uri(std::string_view text) { return UriCheck(text, false).absolute(); }
bool is_uri_reference(std::string_view text) { return UriCheck(text, false).reference(); }
bool is_iri(std::string_view text) { return UriCheck(text, true).absolute(); }
bool is_iri_reference(std::string_view text) { return UriCheck(text, true).reference(); }

}  // namespace collet::schema
