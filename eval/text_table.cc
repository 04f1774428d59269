#include "eval/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace swinzoo::eval {
namespace {

size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// With control characters as C writes them.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (const size_t at = std::string_view("\t\n\r").find(c); at != std::string_view::npos) {
      out += fmt::format("\\{}", "tnr"[at]);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += c;
    }
  }
  return out;
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Whether the run of underscores that the one at `at` stands in is between letters or digits.
bool is_within_word(std::string_view text, size_t at) {
  const size_t before = text.find_last_not_of('_', at), after = text.find_first_not_of('_', at);
  return before != std::string_view::npos && after != std::string_view::npos &&
         is_letter_or_digit(text[before]) && is_letter_or_digit(text[after]);
}

}  // namespace

void TextTable::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::string> TextTable::headers() const {
  std::vector<std::string> headers;
  for (const Column& column : columns_) headers.push_back(column.header);
  return headers;
}

std::string TextTable::text() const {
  std::vector<std::vector<std::string>> lines = {headers()};
  lines.insert(lines.end(), rows_.begin(), rows_.end());
  std::vector<size_t> widths(columns_.size());
  for (auto& cells : lines) {
    for (size_t i = 0; i < cells.size(); ++i) {
      cells[i] = shown(cells[i]);
      widths[i] = std::max(widths[i], width_of(cells[i]));
    }
  }

  std::string out;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - width_of(cells[i]), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == Align::kRight ? padding + cells[i] : cells[i] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  for (const auto& cells : lines) append(cells);
  return out;
}

std::string TextTable::markdown() const {
  std::string header = "|";
  std::string rule = "|";
  for (const Column& column : columns_) {
    header += fmt::format(" {} |", escape_markdown(column.header));
    rule += column.align == Align::kRight ? "---:|" : "---|";
  }
  std::string out = header + '\n' + rule + '\n';
  for (const auto& row : rows_) {
    out += '|';
    for (const std::string& cell : row) out += fmt::format(" {} |", escape_markdown(cell));
    out += '\n';
  }
  return out;
}

std::string TextTable::csv() const {
  std::string out = csv_line(headers());
  for (const auto& row : rows_) out += csv_line(row);
  return out;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      line += cell;
      continue;
    }
    line += '"';
    for (const char c : cell) line += c == '"' ? "\"\"" : std::string(1, c);
    line += '"';
  }
  return line + '\n';
}

std::string escape_markdown(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  line = shown(line);
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool is_read = std::string_view("\\|`<>*[]~&$").find(line[i]) != std::string_view::npos;
    if (is_read || (line[i] == '_' && !is_within_word(line, i))) out += '\\';
    out += line[i];
  }
  return out;
}

}  // namespace swinzoo::eval
