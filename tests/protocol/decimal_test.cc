#include "protocol/decimal.h"

#include "support/catch.h"

using collet::protocol::Decimal;

TEST_CASE("numbers are equal whatever they are written like, and never because they are large") {
  const auto [a, b, equal] = GENERATE(table<const char*, const char*, bool>({
      {"42", "42", true},
      {"42", "42.0", true},
      {"42", "4.2e1", true},
      {"42", "420E-1", true},
      {"4200", "42e+2", true},
      {"0", "-0.00e7", true},
      {"0.5", "5e-1", true},
      {"-7", "-7.000", true},
      {"-7", "7", false},
      {"42", "43", false},
      {"42", "4.2", false},
      {"9007199254740993", "9007199254740992", false},
      {"18446744073709551617", "18446744073709551616", false},
      {"0.1", "0.1000000000000000055511151231257827", false},
      {"1e400", "1e401", false},
      {"1e400", "10e399", true},
  }));
  INFO(a << " and " << b);
  REQUIRE(Decimal::parse(a));
  REQUIRE(Decimal::parse(b));
  CHECK((Decimal::parse(a) == Decimal::parse(b)) == equal);
}

TEST_CASE("what is no JSON number is none") {
  for (const char* bad : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1e99999999999", "0x1", "inf", "nan", "1 ",
                          " 1", "1,5", "--1", "1e5.0"}) {
    INFO(bad);
    CHECK_FALSE(Decimal::parse(bad));
  }
}
