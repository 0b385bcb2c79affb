// An Authorizer that needs nothing, and that consents to each challenge.
#pragma once

#include "client/net/authorizer.h"

struct Obliging final : collet::client::Authorizer {
  void headers(std::string_view, std::string_view,
               std::function<void(collet::client::Result<std::vector<collet::client::HttpHeader>>)> done) override {
    done(std::vector<collet::client::HttpHeader>());
  }
  std::optional<collet::client::LastingHeaders> lasting_headers(std::string_view) const override {
    return collet::client::LastingHeaders();
  }
  void challenged(int, const std::vector<collet::client::HttpHeader>&,
                  std::function<void(collet::client::Result<bool>)> done) override {
    ++challenges;
    done(true);
  }
  std::vector<std::string> secrets() const override { return {}; }
  unsigned challenges = 0;
};
