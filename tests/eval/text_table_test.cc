#include "eval/text_table.h"

#include <catch2/catch.hpp>

using namespace swinzoo::eval;

TEST_CASE("a table's columns are aligned and lines have no blanks at their end") {
  TextTable table({{"Model"}, {"ms", Align::kRight}, {"Note"}});
  CHECK(table.empty());
  table.add({"swin_tiny", "7.5", "x"});
  table.add({"müde", "1234.5", ""});
  CHECK(table.text() ==
        "Model          ms  Note\n"
        "swin_tiny     7.5  x\n"
        "müde       1234.5\n");
}

TEST_CASE("a Markdown table escapes its cells") {
  TextTable table({{"A|B"}, {"n", Align::kRight}});
  table.add({"a|b `c` <d>\\|", "1"});
  table.add({"two\nlines", "-2"});
  CHECK(table.markdown() ==
        "| A\\|B | n |\n"
        "|---|---:|\n"
        "| a\\|b \\`c\\` \\<d\\>\\\\\\| | 1 |\n"
        "| two lines | -2 |\n");
}

TEST_CASE("a table without columns or rows is no trouble") {
  CHECK(TextTable({}).text() == "\n");
  CHECK(TextTable({{"Only"}}).text() == "Only\n");
}
