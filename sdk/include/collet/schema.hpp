// From C++ types to JSON Schema, from JSON to values and back.
//
// Known types: bool, every integer, float, double, std::string, std::optional, std::vector, std::map and
// std::unordered_map by string, enums by name, collet::Json, and structs of all these. To teach one more,
// specialise collet::Codec.
#ifndef COLLET_SCHEMA_HPP
#define COLLET_SCHEMA_HPP

#include <algorithm>
#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <collet/fields.hpp>

namespace collet::inline v1 {

// ---- scalars -------------------------------------------------------------------------------------------------

template <>
struct Codec<bool> {
  static void schema(SchemaText& out) { out.type("boolean"); }
  static void read(JsonReader& in, bool& out) { out = in.read_bool(); }
  static void write(std::string& out, bool value) { append_json(out, value); }
};

template <detail::Number T>
struct Codec<T> {
  static void schema(SchemaText& out) {
    out.type(detail::Integer<T> ? "integer" : "number");
    detail::append_bounds<T>(out, {}, {});
  }
  static void read(JsonReader& in, T& out) {
    if constexpr (detail::Integer<T>) {
      out = in.read_integer<T>();
    } else {
      out = in.read_number<T>();
    }
  }
  static void write(std::string& out, T value) { append_json(out, value); }
};

template <>
struct Codec<std::string> {
  static void schema(SchemaText& out) { out.type("string"); }
  static void read(JsonReader& in, std::string& out) {
    const std::string_view text = in.read_string(out);
    if (text.data() != out.data()) out = text;
  }
  static void write(std::string& out, std::string_view value) { append_json(out, value); }
};

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static void schema(SchemaText& out) {
    out.type("string");
    out.key("enum");
    out.text += '[' + names() + ']';
  }
  static void read(JsonReader& in, E& out) {
    std::string scratch;
    const std::string_view text = in.read_string(scratch);
    for (const auto& [value, name] : detail::kEnumerators<E>) {
      if (name == text) return void(out = value);
    }
    std::string got;
    append_json(got, text);
    in.fail("expected one of " + names() + ", got " + got);
  }
  static void write(std::string& out, E value) { append_json(out, name(value)); }

  // Throws Error for a value without a name.
  static std::string_view name(E wanted) {
    for (const auto& [value, name] : detail::kEnumerators<E>) {
      if (value == wanted) return name;
    }
    throw Error("the result is an enumerator without a name: " + std::to_string(static_cast<long long>(wanted)));
  }

 private:
  static std::string names() {
    std::string out;
    for (const auto& [value, name] : detail::kEnumerators<E>) {
      if (!out.empty()) out += ',';
      append_json(out, name);
    }
    return out;
  }
};

template <>
struct Codec<Json> {
  static void schema(SchemaText&) {}
  static void read(JsonReader& in, Json& out) { out.text = in.read_raw(); }
  static void write(std::string& out, const Json& value) { out += value.text.empty() ? "null" : value.text; }
};

// ---- containers ----------------------------------------------------------------------------------------------

// As an element; a struct's field leaves it out instead of saying null.
template <class T>
struct Codec<std::optional<T>> {
  static void schema(SchemaText& out) {
    out.key("anyOf");
    out.text += '[';
    detail::append_schema<T>(out);
    out.text += R"(,{"type":"null"}])";
  }
  static void read(JsonReader& in, std::optional<T>& out) {
    if (!in.read_null()) Codec<T>::read(in, out.emplace());
  }
  static void write(std::string& out, const std::optional<T>& value) {
    if (value) {
      Codec<T>::write(out, *value);
    } else {
      out += "null";
    }
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static void schema(SchemaText& out) {
    out.type("array");
    out.key("items");
    detail::append_schema<T>(out);
  }
  static void read(JsonReader& in, std::vector<T>& out) {
    in.read_array([&] {
      T item{};
      Codec<T>::read(in, item);
      out.push_back(std::move(item));
    });
  }
  static void write(std::string& out, const std::vector<T>& value) {
    out += '[';
    for (bool first = true; const T& item : value) {
      if (!std::exchange(first, false)) out += ',';
      Codec<T>::write(out, item);
    }
    out += ']';
  }
};

template <class M>
requires std::same_as<M, std::map<std::string, typename M::mapped_type>> ||
    std::same_as<M, std::unordered_map<std::string, typename M::mapped_type>>
struct Codec<M> {
  using T = typename M::mapped_type;

  static void schema(SchemaText& out) {
    out.type("object");
    out.key("additionalProperties");
    detail::append_schema<T>(out);
  }
  static void read(JsonReader& in, M& out) {
    in.read_object([&](std::string_view key) {
      const auto [at, is_new] = out.try_emplace(std::string(key));
      if (!is_new) in.fail("given twice");
      Codec<T>::read(in, at->second);
    });
  }
  static void write(std::string& out, const M& value) {
    out += '{';
    for (bool first = true; const auto& [key, item] : value) {
      if (!std::exchange(first, false)) out += ',';
      append_json(out, key);
      out += ':';
      Codec<T>::write(out, item);
    }
    out += '}';
  }
};

// ---- structs -------------------------------------------------------------------------------------------------

template <detail::Struct T>
struct Codec<T> {
  static void schema(SchemaText& out) {
    out.type("object");
    static constexpr char kMark = 0;
    if (std::ranges::find(out.open, &kMark) != out.open.end()) return;
    out.open.push_back(&kMark);
    std::string required;
    out.key("properties");
    out.text += '{';
    detail::Described<T>::get().each([&](auto index, const auto& field, const auto& initial) {
      out.key(kNames[index]);
      field.append_schema(out, initial);
      if (field.required()) append_json(required += required.empty() ? "" : ",", kNames[index]);
    });
    out.text += '}';
    if (!required.empty()) out.key("required"), out.text += '[' + required + ']';
    out.key("additionalProperties");
    out.text += "false";
    out.open.pop_back();
  }

  static void read(JsonReader& in, T& out) {
    const auto& described = detail::Described<T>::get();
    [[maybe_unused]] const auto pointers = detail::Reflected<T>::pointers(out);
    std::bitset<kCount> seen;
    std::size_t expected = 0;  // members mostly come in the order of the fields
    in.read_object([&](std::string_view key) {
      const std::size_t found = find(key, expected);
      if (found == kCount) fail_unknown(in);
      if (seen[found]) in.fail("given twice");
      seen.set(found);
      expected = found + 1;
      select(found, [&](auto index) { described.template field<index>().read(in, *std::get<index>(pointers)); });
    });
    described.each([&](auto index, const auto& field, const auto&) {
      if (!seen[index] && field.required()) in.fail_at(kNames[index], "required, but missing");
    });
  }

  static void write(std::string& out, const T& value) {
    out += '{';
    [[maybe_unused]] const auto pointers = detail::Reflected<T>::pointers(value);
    bool first = true;
    each_index([&](auto index) {
      const auto& field = *std::get<index>(pointers);
      using M = std::remove_cvref_t<decltype(field)>;
      if constexpr (detail::kIsOptional<M>) {
        if (!field) return;
      }
      if (!std::exchange(first, false)) out += ',';
      append_json(out, kNames[index]);
      out += ':';
      if constexpr (detail::kIsOptional<M>) {
        Codec<typename M::value_type>::write(out, *field);
      } else {
        Codec<M>::write(out, field);
      }
    });
    out += '}';
  }

 private:
  static constexpr std::size_t kCount = detail::Described<T>::kCount;
  static constexpr const auto& kNames = detail::kFieldNames<T>;

  static std::size_t find(std::string_view key, std::size_t expected) {
    if (expected < kCount && kNames[expected] == key) return expected;
    return static_cast<std::size_t>(std::ranges::find(kNames, key) - kNames.begin());
  }

  template <class Visit>
  static void each_index(Visit&& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (visit(std::integral_constant<std::size_t, I>()), ...); }
    (std::make_index_sequence<kCount>{});
  }
  template <class Visit>
  static void select(std::size_t wanted, Visit&& visit) {
    each_index([&](auto index) {
      if (index == wanted) visit(index);
    });
  }

  [[noreturn]] static void fail_unknown(const JsonReader& in) {
    std::string names;
    for (const std::string_view name : kNames) names.append(names.empty() ? "" : ", ").append(name);
    in.fail(names.empty() ? "unknown, nothing is allowed here" : "unknown, allowed are: " + names);
  }
};

// ---- whole texts ---------------------------------------------------------------------------------------------

// The schema of T as JSON text.
template <class T>
std::string schema_of() {
  SchemaText out;
  detail::append_schema<T>(out);
  return std::move(out.text);
}

// Throws Error that begins with the place: "ROOT/limit: must be at least 1".
template <class T>
T from_json(std::string_view text, std::string_view root = {}) {
  T value{};
  JsonReader in(text, root);
  Codec<T>::read(in, value);
  in.read_end();
  return value;
}

template <class T>
Json to_json(const T& value) {
  Json out;
  Codec<T>::write(out.text, value);
  return out;
}

}  // namespace collet::inline v1

#endif
