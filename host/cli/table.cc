#include "cli/table.h"

#include <algorithm>

#include "cli/columns.h"

namespace collet::cli {

// 0: the column is left out.
std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (std::size_t row = 1; row < rows_.size(); ++row) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], columns_of(rows_[row][i]));
  }
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], columns_of(rows_.front()[i]));
  }
  return widths;
}

std::string Table::to_text(std::size_t width) const {
  const std::vector<std::size_t> columns = widths();
  std::size_t last = columns.size();
  while (last > 0 && columns[last - 1] == 0) --last;
  std::string out;
  for (const std::vector<std::string>& row : rows_) {
    std::string line(kIndent, ' ');
    std::size_t begin = kIndent;
    for (std::size_t i = 0; i + 1 < last; ++i) {
      if (columns[i] == 0) continue;
      line += padded(row[i], columns[i] + kGap);
      begin += columns[i] + kGap;
    }
    const std::size_t room = width > begin ? width - begin : 0;
    if (last > 0) line += wrapped(row[last - 1], width == kAnyWidth ? kAnyWidth : std::max(room, kLastColumnMin), begin);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

}  // namespace collet::cli
