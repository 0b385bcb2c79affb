// Files for a test.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/catch.h"

// A folder of its own, gone afterwards.
class Folder {
 public:
  Folder() {
    char path[] = "/tmp/collet-test-XXXXXX";
    REQUIRE(mkdtemp(path));
    root_ = path;
  }
  ~Folder() { std::filesystem::remove_all(root_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const char* text) {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    FILE* out = std::fopen(path.c_str(), "w");
    REQUIRE(out);
    std::fputs(text, out);
    std::fclose(out);
    return path.string();
  }
  // Empty: there is no such file.
  std::string read(const std::string& name) const {
    std::ifstream in(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string path() const { return root_.string(); }

 private:
  std::filesystem::path root_;
};
