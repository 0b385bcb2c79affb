// Names of the fields of an aggregate and of the enumerators of an enum.
//
// g++ 12 and later find both by themselves, for aggregates of up to 32 fields without base classes, and for
// enumerators from -8 to 63. Elsewhere, and wherever you like to be explicit, say them once at namespace scope,
// behind the type:
//   COLLET_FIELDS(Query, sql, limit)
//   COLLET_ENUM(Unit, metre, mile)
#ifndef COLLET_REFLECT_HPP
#define COLLET_REFLECT_HPP

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#define COLLET_FIELDS(Type, ...)                                                    \
  [[maybe_unused]] constexpr auto collet_fields_of(const Type*) {                   \
    using Self [[maybe_unused]] = Type;                                             \
    return std::tuple_cat(COLLET_EACH_(COLLET_FIELD_, __VA_ARGS__) std::tuple<>()); \
  }                                                                                 \
  static_assert(true)
#define COLLET_FIELD_(name) std::make_tuple(std::make_pair(std::string_view(#name), &Self::name)),

#define COLLET_ENUM(Type, ...)                                         \
  [[maybe_unused]] constexpr auto collet_enumerators_of(const Type*) { \
    using Self [[maybe_unused]] = Type;                                \
    return std::array{COLLET_EACH_(COLLET_ENUMERATOR_, __VA_ARGS__)};  \
  }                                                                    \
  static_assert(true)
#define COLLET_ENUMERATOR_(name) std::pair{Self::name, std::string_view(#name)},

// COLLET_EACH_(m, a, b, c) is m(a) m(b) m(c).
#define COLLET_EXPAND_(...) COLLET_EXPAND3_(COLLET_EXPAND3_(COLLET_EXPAND3_(COLLET_EXPAND3_(__VA_ARGS__))))
#define COLLET_EXPAND3_(...) COLLET_EXPAND2_(COLLET_EXPAND2_(COLLET_EXPAND2_(COLLET_EXPAND2_(__VA_ARGS__))))
#define COLLET_EXPAND2_(...) COLLET_EXPAND1_(COLLET_EXPAND1_(COLLET_EXPAND1_(COLLET_EXPAND1_(__VA_ARGS__))))
#define COLLET_EXPAND1_(...) __VA_ARGS__
#define COLLET_PARENS_ ()
#define COLLET_EACH_(macro, ...) COLLET_EXPAND_(COLLET_STEP_(macro, __VA_ARGS__))
#define COLLET_STEP_(macro, first, ...) macro(first) __VA_OPT__(COLLET_AGAIN_ COLLET_PARENS_(macro, __VA_ARGS__))
#define COLLET_AGAIN_() COLLET_STEP_

namespace collet::inline v1::detail {

template <class T>
concept NamesItsFields = requires(const T* type) {
  collet_fields_of(type);
};
template <class T>
concept NamesItsEnumerators = requires(const T* type) {
  collet_enumerators_of(type);
};

// What is written behind the last of `separators` in the only template argument that `pretty` shows.
constexpr std::string_view last_name(std::string_view pretty) {
  const auto begin = pretty.find(" = ") + 3;
  auto end = pretty.find(';', begin);               // g++: "[with auto V = Unit::mile; std::…]"
  if (end == pretty.npos) end = pretty.rfind(']');  // clang: "[V = Unit::mile]"
  auto name = pretty.substr(begin, end - begin);
  while (!name.empty() && name.back() == ')') name.remove_suffix(1);
  const auto start = name.find_last_of(":)");
  return start == name.npos ? name : name.substr(start + 1);
}

// ---- enumerators ---------------------------------------------------------------------------------------------

template <auto V>
constexpr std::string_view enumerator_name() {
  const std::string_view name = last_name(__PRETTY_FUNCTION__);  // "(Unit)7" if 7 has no name
  const bool named = !name.empty() && name[0] != '-' && (name[0] < '0' || name[0] > '9');
  return named ? name : std::string_view();
}

template <class E>
struct FoundEnumerators {
  static constexpr int kFirst = std::is_signed_v<std::underlying_type_t<E>> ? -8 : 0;
  static constexpr int kCount = 64 - kFirst;

  template <std::size_t... I>
  static constexpr auto all(std::index_sequence<I...>) {
    return std::array{std::pair{static_cast<E>(kFirst + static_cast<int>(I)),
                                enumerator_name<static_cast<E>(kFirst + static_cast<int>(I))>()}...};
  }
  static constexpr auto kAll = all(std::make_index_sequence<kCount>{});
  static constexpr std::size_t count() {
    std::size_t n = 0;
    for (const auto& [value, name] : kAll) n += !name.empty();
    return n;
  }
  static constexpr auto named() {
    std::array<std::pair<E, std::string_view>, count()> out{};
    std::size_t n = 0;
    for (const auto& entry : kAll) {
      if (!entry.second.empty()) out[n++] = entry;
    }
    return out;
  }
};

// An array of {value, name}.
template <class E>
constexpr auto enumerators() {
  if constexpr (NamesItsEnumerators<E>) {
    return collet_enumerators_of(static_cast<const E*>(nullptr));
  } else {
    static_assert(FoundEnumerators<E>::count() > 0, "no enumerator from -8 to 63: name them with COLLET_ENUM");
    return FoundEnumerators<E>::named();
  }
}

template <class E>
inline constexpr auto kEnumerators = enumerators<E>();

// ---- fields --------------------------------------------------------------------------------------------------

inline constexpr std::size_t kFieldsMax = 32;

// Converts to whatever a field is, but not to the aggregate that is counted.
template <class Owner>
struct Anything {
  template <class T>
  requires(!std::is_same_v<T, Owner>) operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything<T>{})...}; };
}

template <class T, std::size_t N = kFieldsMax + 1>
constexpr std::size_t count_fields() {
  if constexpr (takes<T>(std::make_index_sequence<N>{})) {
    return N;
  } else {
    return count_fields<T, N - 1>();
  }
}

// Pointers to each field of `object`, as a tuple.
template <std::size_t N, class T>
constexpr auto fields_by_binding(T& object) {
#define COLLET_BIND_(n, ...)                                                  \
  if constexpr (N == n) {                                                     \
    auto& [__VA_ARGS__] = object;                                             \
    return [](auto&... field) { return std::tuple(&field...); }(__VA_ARGS__); \
  } else
  if constexpr (N == 0) {
    return std::tuple<>();
  } else
    COLLET_BIND_(1, a)
  COLLET_BIND_(2, a, b)
  COLLET_BIND_(3, a, b, c)
  COLLET_BIND_(4, a, b, c, d)
  COLLET_BIND_(5, a, b, c, d, e)
  COLLET_BIND_(6, a, b, c, d, e, f)
  COLLET_BIND_(7, a, b, c, d, e, f, g)
  COLLET_BIND_(8, a, b, c, d, e, f, g, h)
  COLLET_BIND_(9, a, b, c, d, e, f, g, h, i)
  COLLET_BIND_(10, a, b, c, d, e, f, g, h, i, j)
  COLLET_BIND_(11, a, b, c, d, e, f, g, h, i, j, k)
  COLLET_BIND_(12, a, b, c, d, e, f, g, h, i, j, k, l)
  COLLET_BIND_(13, a, b, c, d, e, f, g, h, i, j, k, l, m)
  COLLET_BIND_(14, a, b, c, d, e, f, g, h, i, j, k, l, m, n)
  COLLET_BIND_(15, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)
  COLLET_BIND_(16, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
  COLLET_BIND_(17, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)
  COLLET_BIND_(18, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r)
  COLLET_BIND_(19, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s)
  COLLET_BIND_(20, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)
  COLLET_BIND_(21, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u)
  COLLET_BIND_(22, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v)
  COLLET_BIND_(23, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w)
  COLLET_BIND_(24, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x)
  COLLET_BIND_(25, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y)
  COLLET_BIND_(26, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z)
  COLLET_BIND_(27, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa)
  COLLET_BIND_(28, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab)
  COLLET_BIND_(29, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac)
  COLLET_BIND_(30, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad)
  COLLET_BIND_(31, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae)
  COLLET_BIND_(32, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae,
               af) {
    static_assert(N <= kFieldsMax, "an aggregate may have up to 32 fields");
  }
#undef COLLET_BIND_
}

template <class T>
struct Holder {
  T value;
};
// Never defined: only the addresses of its fields are formed, for the names in them.
template <class T>
extern const Holder<T> exemplar;

template <auto Pointer>
constexpr std::string_view field_name() {
  return last_name(__PRETTY_FUNCTION__);
}

template <class T>
struct FieldsByBinding {
  static constexpr std::size_t kCount = count_fields<T>();

  static constexpr auto pointers(auto& object) { return fields_by_binding<kCount>(object); }

  static constexpr auto names() {
#if defined(__clang__)
    static_assert(kCount == 0, "this compiler cannot see field names: say them with COLLET_FIELDS(Type, …)");
    return std::array<std::string_view, 0>();
#else
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<std::string_view, kCount>{field_name<std::get<I>(pointers(exemplar<T>.value))>()...};
    }
    (std::make_index_sequence<kCount>{});
#endif
  }
};

template <class T>
struct FieldsByMacro {
  static constexpr auto kFields = collet_fields_of(static_cast<const T*>(nullptr));
  static constexpr std::size_t kCount = std::tuple_size_v<decltype(kFields)>;

  static constexpr auto pointers(auto& object) {
    return std::apply([&object](const auto&... field) { return std::tuple(&(object.*field.second)...); }, kFields);
  }
  static constexpr auto names() {
    return std::apply([](const auto&... field) { return std::array<std::string_view, kCount>{field.first...}; },
                      kFields);
  }
};

template <class T>
struct ReflectedBy {
  using type = FieldsByBinding<T>;
};
template <NamesItsFields T>
struct ReflectedBy<T> {
  using type = FieldsByMacro<T>;
};

// kCount; names(), an array; pointers(object), a tuple of pointers to the fields, const if the object is.
template <class T>
using Reflected = typename ReflectedBy<T>::type;

template <class T>
inline constexpr auto kFieldNames = Reflected<T>::names();

template <class T>
concept Struct = std::is_class_v<T> &&(std::is_aggregate_v<T> || NamesItsFields<T>);

}  // namespace collet::inline v1::detail

#endif
