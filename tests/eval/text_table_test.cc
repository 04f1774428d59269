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

TEST_CASE("what GitHub's Markdown would read is escaped, and underscores within words are not") {
  CHECK(escape_markdown("swin_tiny_patch4 a__b") == "swin_tiny_patch4 a__b");
  CHECK(escape_markdown("_x_ __init__ a_ _b x_.y") == "\\_x\\_ \\_\\_init\\_\\_ a\\_ \\_b x\\_.y");
  CHECK(escape_markdown("~~old~~ ~x~") == "\\~\\~old\\~\\~ \\~x\\~");
  CHECK(escape_markdown("&lt; R&D") == "\\&lt; R\\&D");
  CHECK(escape_markdown("$x$") == "\\$x\\$");
  CHECK(escape_markdown("a\r\nb\x1b[2J") == "a  b\\\\x1b\\[2J");
}

TEST_CASE("control characters don't reach a terminal") {
  TextTable table({{"name"}, {"n", Align::kRight}});
  table.add({"two\nlines\t\x1b[2J\x7f\r", "1"});
  table.add({"müde", "22"});
  CHECK(table.text() ==
        "name                        n\n"
        "two\\nlines\\t\\x1b[2J\\x7f\\r   1\n"
        "müde                       22\n");
  CHECK(table.csv() == "name,n\n\"two\nlines\t\x1b[2J\x7f\r\",1\nmüde,22\n");
}

TEST_CASE("a table without columns or rows is no trouble") {
  CHECK(TextTable({}).text() == "\n");
  CHECK(TextTable({{"Only"}}).text() == "Only\n");
}
