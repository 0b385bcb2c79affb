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
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <collet/json.hpp>
#include <collet/reflect.hpp>

namespace collet::inline v1 {

// A JSON Schema in the making.
struct SchemaText : JsonMembers {
  std::vector<const void*> open;  // the structs around this place, to end at a type that contains itself

  void type(const char* name) { add("type", name); }
};

// How a type looks in JSON:
//   static void schema(SchemaText&)           writes the members of its schema
//   static void read(JsonReader&, T& out)     takes one value or throws; `out` is default-constructed
//   static void write(std::string& out, const T&)
template <class T>
struct Codec;

namespace detail {

template <class T>
struct OptionalTraits {
  using Value = T;
  static constexpr bool kIs = false;
};
template <class T>
struct OptionalTraits<std::optional<T>> {
  using Value = T;
  static constexpr bool kIs = true;
};
template <class T>
inline constexpr bool kIsOptional = OptionalTraits<T>::kIs;

template <class T>
concept Integer =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
template <class T>
concept Number = Integer<T> || std::same_as<T, float> || std::same_as<T, double>;
template <class T>
concept Sized = requires(const T& value) {
  value.size();
};

template <class T>
void append_schema(SchemaText& out) {
  out.text += '{';
  Codec<T>::schema(out);
  out.text += '}';
}

template <Number T>
void append_bounds(SchemaText& out, std::optional<T> min, std::optional<T> max) {
  // 64 bits bound themselves: few readers of schemas take such large numbers exactly.
  if constexpr (Integer<T>) {
    if (!min && (sizeof(T) < 8 || std::is_unsigned_v<T>)) min = std::numeric_limits<T>::min();
    if (!max && sizeof(T) < 8) max = std::numeric_limits<T>::max();
  }
  if (min) out.add("minimum", *min);
  if (max) out.add("maximum", *max);
}

// JSON Schema counts the characters of a string, not its bytes.
template <Sized T>
std::size_t json_size(const T& value) {
  if constexpr (std::same_as<T, std::string>) {
    return static_cast<std::size_t>(std::ranges::count_if(value, [](char c) { return (c & 0xC0) != 0x80; }));
  } else {
    return value.size();
  }
}

template <class T>
struct SizeWords {
  static constexpr const char *kMin = "minItems", *kMax = "maxItems", *kWhat = " items";
};
template <>
struct SizeWords<std::string> {
  static constexpr const char *kMin = "minLength", *kMax = "maxLength", *kWhat = " characters";
};
template <class T>
requires requires { typename T::mapped_type; }
struct SizeWords<T> {
  static constexpr const char *kMin = "minProperties", *kMax = "maxProperties", *kWhat = " members";
};

template <class V>
struct ValueBounds {};
template <Number V>
struct ValueBounds<V> {
  std::optional<V> min, max;

  void append(SchemaText& out) const { append_bounds<V>(out, min, max); }
  void check(const JsonReader& in, V value) const {
    if (min && value < *min) fail(in, "must be at least ", *min);
    if (max && value > *max) fail(in, "must be at most ", *max);
  }
  [[noreturn]] static void fail(const JsonReader& in, std::string message, V bound) {
    append_json(message, bound);
    in.fail(message);
  }
};
template <Sized V>
struct ValueBounds<V> {
  std::optional<std::size_t> min, max;

  void append(SchemaText& out) const {
    if (min) out.add(SizeWords<V>::kMin, *min);
    if (max) out.add(SizeWords<V>::kMax, *max);
  }
  void check(const JsonReader& in, const V& value) const {
    if (!min && !max) return;
    const std::size_t size = json_size(value);
    if (min && size < *min) in.fail("must have at least " + std::to_string(*min) + SizeWords<V>::kWhat);
    if (max && size > *max) in.fail("must have at most " + std::to_string(*max) + SizeWords<V>::kWhat);
  }
};

}  // namespace detail

// What describe() says of one field of type M, beyond its type.
template <class M>
class Field {
 public:
  using Value = typename detail::OptionalTraits<M>::Value;

  Field& description(std::string_view text) { return description_ = text, *this; }
  // Not required; a field that is no std::optional keeps its default member initializer.
  Field& optional() { return optional_ = true, *this; }

  Field& min(Value bound) requires detail::Number<Value> { return bounds_.min = bound, *this; }
  Field& max(Value bound) requires detail::Number<Value> { return bounds_.max = bound, *this; }
  // Characters of a string, elements of a vector, members of a map.
  Field& min_length(std::size_t n) requires detail::Sized<Value> { return bounds_.min = n, *this; }
  Field& max_length(std::size_t n) requires detail::Sized<Value> { return bounds_.max = n, *this; }

  // More members of its schema, such as R"("pattern":"^[a-z]+$")". Only the host checks these.
  Field& schema(std::string_view members) { return extra_ = members, *this; }

  bool required() const { return !optional_ && !detail::kIsOptional<M>; }
  const std::string& description() const { return description_; }

  // For Codec: `initial` is the field of a default-constructed struct.
  void append_schema(SchemaText& out, const M& initial) const {
    out.text += '{';
    if constexpr (detail::Number<Value>) {
      out.type(detail::Integer<Value> ? "integer" : "number");
    } else {
      Codec<Value>::schema(out);
    }
    if constexpr (detail::Number<Value> || detail::Sized<Value>) bounds_.append(out);
    if (!description_.empty()) out.add("description", description_);
    if constexpr (!detail::kIsOptional<M>) {
      if (optional_) out.key("default"), Codec<M>::write(out.text, initial);
    }
    if (!extra_.empty()) out.text += ',', out.text += extra_;
    out.text += '}';
  }
  void read(JsonReader& in, M& out) const {
    if constexpr (detail::kIsOptional<M>) {
      read_value(in, out.emplace());
    } else {
      out = M{};
      read_value(in, out);
    }
  }

 private:
  void read_value(JsonReader& in, Value& out) const {
    Codec<Value>::read(in, out);
    if constexpr (detail::Number<Value> || detail::Sized<Value>) bounds_.check(in, out);
  }

  std::string description_, extra_;
  [[no_unique_address]] detail::ValueBounds<Value> bounds_;
  bool optional_ = false;
};

// What is known of the fields of T: their names, and what T::describe(Fields<T>&) says, if T has it.
template <class T>
class Fields {
  using Shape = detail::Reflected<T>;

  template <class>
  struct RulesOf;
  template <class... M>
  struct RulesOf<std::tuple<M*...>> {
    using type = std::tuple<Field<M>...>;
  };
  using Rules = typename RulesOf<decltype(Shape::pointers(std::declval<T&>()))>::type;

 public:
  static constexpr std::size_t kCount = Shape::kCount;

  // The same for every use of T.
  static const Fields& get() {
    static const Fields fields;
    return fields;
  }

  template <class M>
  Field<M>& operator()(M T::*member, std::string_view description = {}) {
    Field<M>* found = nullptr;
    each([&](auto index, auto& rule, const auto& field) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(rule)>, Field<M>>) {
        if (&field == &(initial_.*member)) found = &rule;
      }
      static_cast<void>(index);
    });
    if (!found) throw Error("describe() names a member that COLLET_FIELDS leaves out");
    if (!description.empty()) found->description(description);
    return *found;
  }

  // visit(index constant, Field<M>&, the field of a default-constructed T)
  template <class Visit>
  void each(Visit&& visit) const {
    each(*this, visit);
  }
  template <class Visit>
  void each(Visit&& visit) {
    each(*this, visit);
  }

  template <std::size_t I>
  const auto& rule() const {
    return std::get<I>(rules_);
  }

 private:
  Fields() {
    if constexpr (requires { T::describe(*this); }) T::describe(*this);
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      [[maybe_unused]] const auto fields = Shape::pointers(self.initial_);
      (visit(std::integral_constant<std::size_t, I>(), std::get<I>(self.rules_), *std::get<I>(fields)), ...);
    }
    (std::make_index_sequence<kCount>{});
  }

  T initial_{};
  Rules rules_;
};

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
    Fields<T>::get().each([&](auto index, const auto& rule, const auto& initial) {
      out.key(kNames[index]);
      rule.append_schema(out, initial);
      if (rule.required()) append_json(required += required.empty() ? "" : ",", kNames[index]);
    });
    out.text += '}';
    if (!required.empty()) out.key("required"), out.text += '[' + required + ']';
    out.key("additionalProperties");
    out.text += "false";
    out.open.pop_back();
  }

  static void read(JsonReader& in, T& out) {
    const auto& fields = Fields<T>::get();
    [[maybe_unused]] const auto pointers = detail::Reflected<T>::pointers(out);
    std::bitset<kCount> seen;
    std::size_t expected = 0;  // members mostly come in the order of the fields
    in.read_object([&](std::string_view key) {
      const std::size_t found = find(key, expected);
      if (found == kCount) fail_unknown(in);
      if (seen[found]) in.fail("given twice");
      seen.set(found);
      expected = found + 1;
      select(found, [&](auto index) { fields.template rule<index>().read(in, *std::get<index>(pointers)); });
    });
    fields.each([&](auto index, const auto& rule, const auto&) {
      if (!seen[index] && rule.required()) in.fail_at(kNames[index], "required, but missing");
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
  static constexpr std::size_t kCount = Fields<T>::kCount;
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
