// Rows of texts in columns, for a person.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace collet::cli {

class Table {
 public:
  static constexpr std::size_t kIndent = 2;       // blanks before each line
  static constexpr std::size_t kGap = 2;          // between columns
  static constexpr std::size_t kLastColumnMin = 20;  // however narrow the terminal is

  explicit Table(std::vector<std::string> heads) : rows_{std::move(heads)} {}
  // As many texts as there are heads, each on one line.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  bool empty() const { return rows_.size() == 1; }
  // A column where no row has a text is left out; the last one is wrapped to keep to the width.
  std::string to_text(std::size_t width) const;

 private:
  std::vector<std::size_t> widths() const;

  std::vector<std::vector<std::string>> rows_;  // the heads first
};

}  // namespace collet::cli
