#include "eval/xml.h"

#include <catch2/catch.hpp>

using swinzoo::eval::escape_xml;

TEST_CASE("markup and line breaks become references") {
  CHECK(escape_xml("a<b> & \"c\"\n\rd\t'") == "a&lt;b&gt; &amp; &quot;c&quot;&#10;&#13;d\t'");
  CHECK(escape_xml("") == "");
}

TEST_CASE("what XML can't hold becomes a question mark, and all else stays") {
  CHECK(escape_xml("\x01\x1b[0m\x7f") == "??[0m\x7f");
  CHECK(escape_xml("\u00e9\u20ac\U0001f600") == "\u00e9\u20ac\U0001f600");
  CHECK(escape_xml("\xff") == "?");
  CHECK(escape_xml("\xc3") == "?");            // cut short
  CHECK(escape_xml("\xc0\x80") == "??");       // too long a form
  CHECK(escape_xml("\xed\xa0\x80") == "???");  // a surrogate
  CHECK(escape_xml("\xef\xbf\xbf") == "???");  // no character
  CHECK(escape_xml("\xf4\x90\x80\x80") == "????");
}
