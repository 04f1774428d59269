// A table of texts, as aligned lines for a terminal or as Markdown.
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
  // line's end. A code point counts as one wide.
  std::string text() const;

  // A GitHub table; cells are escaped.
  std::string markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Text that shows as itself in a Markdown table's cell: what Markdown or HTML would read otherwise is
// escaped, line breaks become spaces. Underscores stay: inside words they mean nothing.
std::string escape_markdown(std::string_view text);

}  // namespace swinzoo::eval
