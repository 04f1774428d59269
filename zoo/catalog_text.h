// The built-in catalog's text: catalog.json, embedded at build time.
#pragma once

#include <string>

namespace swinzoo::zoo {

std::string catalog_text();

}  // namespace swinzoo::zoo
