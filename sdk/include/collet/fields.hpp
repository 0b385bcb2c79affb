// What is known of a struct's fields: their names, and what its author says of them in describe().
#ifndef COLLET_FIELDS_HPP
#define COLLET_FIELDS_HPP

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
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
class Described;

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
concept Container = Sized<T> && !std::same_as<T, std::string>;

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
  // Likewise, of the schema of each element of a vector or a map.
  Field& element_schema(std::string_view members) requires detail::Container<Value> {
    return element_extra_ = members, *this;
  }

  bool required() const { return !optional_ && !detail::kIsOptional<M>; }
  const std::string& description() const { return description_; }

  // For Codec: `initial` is the field of a default-constructed struct.
  void append_schema(SchemaText& out, const M& initial) const {
    out.text += '{';
    if constexpr (detail::Number<Value>) {
      out.type(detail::Integer<Value> ? "integer" : "number");
    } else {
      Codec<Value>::schema(out);
      if (!element_extra_.empty()) append_element_extra(out);
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
  // The schema of a vector or a map ends with that of its elements. A codec of one's own may say something else.
  void append_element_extra(SchemaText& out) const {
    if (!out.text.ends_with('}')) throw Error("element_schema() needs a schema that ends with that of its elements");
    out.text.pop_back();
    if (out.text.back() != '{') out.text += ',';
    out.text += element_extra_ + '}';
  }
  void read_value(JsonReader& in, Value& out) const {
    Codec<Value>::read(in, out);
    if constexpr (detail::Number<Value> || detail::Sized<Value>) bounds_.check(in, out);
  }

  std::string description_, extra_, element_extra_;
  [[no_unique_address]] detail::ValueBounds<Value> bounds_;
  bool optional_ = false;
};

// Where T::describe(Fields<T>&) says more of its fields. Knows nothing of T but its members, since describe() may
// be compiled before COLLET_FIELDS is.
template <class T>
class Fields {
 public:
  template <class M>
  Field<M>& operator()(M T::*member, std::string_view description = {}) {
    for (const Slot& slot : slots_) {
      if (slot.address != &(initial_.*member) || slot.type != &kTypeMark<M>) continue;
      auto& field = *static_cast<Field<M>*>(slot.field);
      if (!description.empty()) field.description(description);
      return field;
    }
    throw Error("describe() names a member that COLLET_FIELDS leaves out");
  }

 private:
  template <class>
  friend class detail::Described;

  template <class M>
  static constexpr char kTypeMark = 0;
  struct Slot {
    const void* address;  // of the field in `initial`
    const void* type;     // kTypeMark of its type
    void* field;          // the Field<M>
  };

  explicit Fields(const T& initial) : initial_(initial) {}

  template <class M>
  void add(const M& member, Field<M>& field) {
    slots_.push_back({&member, &kTypeMark<M>, &field});
  }

  const T& initial_;
  std::vector<Slot> slots_;
};

namespace detail {

// All that is known of the fields of T, made once.
template <class T>
class Described {
  using Shape = Reflected<T>;

  template <class>
  struct FieldsOf;
  template <class... M>
  struct FieldsOf<std::tuple<M*...>> {
    using type = std::tuple<Field<M>...>;
  };

 public:
  static constexpr std::size_t kCount = Shape::kCount;

  static const Described& get() {
    static const Described described;
    return described;
  }

  template <std::size_t I>
  const auto& field() const {
    return std::get<I>(fields_);
  }

  // visit(index constant, Field<M>, the field of a default-constructed T)
  template <class Visit>
  void each(Visit&& visit) const {
    each(*this, visit);
  }

 private:
  Described() {
    if constexpr (requires(Fields<T> & fields) { T::describe(fields); }) {
      Fields<T> fields(initial_);
      each(*this, [&fields](auto, auto& field, const auto& initial) { fields.add(initial, field); });
      T::describe(fields);
    }
  }

  template <class Self, class Visit>
  static void each(Self& self, Visit&& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      [[maybe_unused]] const auto initial = Shape::pointers(std::as_const(self.initial_));
      (visit(std::integral_constant<std::size_t, I>(), std::get<I>(self.fields_), *std::get<I>(initial)), ...);
    }
    (std::make_index_sequence<kCount>{});
  }

  T initial_{};
  typename FieldsOf<decltype(Shape::pointers(std::declval<T&>()))>::type fields_;
};

}  // namespace detail

}  // namespace collet::inline v1

#endif
