// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

namespace files {

// Reads the character that `bytes`, not empty, starts with; its length, or 0 if that is no character.
std::size_t decode_utf8(std::string_view bytes, char32_t& character);

bool is_utf8(std::string_view bytes);

// What a reader would call text: UTF-8 without NUL.
bool is_text(std::string_view bytes);

// `bytes` without the pieces of characters at its ends that cutting a text at any byte leaves behind.
std::string_view whole_characters(std::string_view bytes);

}  // namespace files
