// A table of texts, as aligned lines for a terminal, as Markdown or as CSV.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swinzoo::eval {

enum class Align { kLeft, kRight };

// Not thread-safe.
class TextTable {
 public:
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: a cell a column.
  void add(std::vector<std::string> cells);

  bool empty() const { return rows_.empty(); }

  // A line for the headers, then one a row, each ended by a newline; two spaces between columns, none at a
  // line's end. A code point counts as one wide. Control characters are shown as C writes them (\n, \x1b), so
  // that a file's name can't break a line or steer a terminal.
  std::string text() const;

  // A GitHub table; cells are escaped.
  std::string markdown() const;

  std::string csv() const;

 private:
  std::vector<std::string> headers() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// A line of CSV, quoted as RFC 4180 says where it must be, ended by a newline.
std::string csv_line(const std::vector<std::string>& cells);

// Text that shows as itself in a Markdown table's cell: what GitHub's Markdown, its mathematics ($) or HTML
// would read otherwise is escaped, line breaks become spaces, other control characters are shown as C writes
// them. Underscores between letters or digits stay: there they mean nothing (GitHub Flavored Markdown 6.2).
std::string escape_markdown(std::string_view text);

}  // namespace swinzoo::eval
