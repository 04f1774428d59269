// Text in XML.
#pragma once

#include <string>
#include <string_view>

namespace swinzoo::eval {

// Text as it stands in an element or in an attribute between double quotes: &, <, >, " and line breaks as
// references; what XML 1.0 can't hold (control characters, bytes that are no UTF-8) as '?'.
std::string escape_xml(std::string_view text);

}  // namespace swinzoo::eval
