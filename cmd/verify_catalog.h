// swinzoo verify --catalog: every row of the catalog, without a file of it.
#pragma once

#include <cstdint>
#include <string>

#include "cmd/command.h"
#include "zoo/catalog.h"

namespace swinzoo::cmd {

struct CatalogOptions {
  std::string only;  // a part of an id or of an architecture's name; empty for all
  bool run = false;
  uint32_t seed = 1;
  double tolerance = 1e-4;
  int threads = 1;
  bool json = false;
};

// Prints a row as soon as it is verified. Throws kCorrupt, after the last one, if any is not as it should be;
// kNotFound if there is none.
int verify_catalog(const CatalogOptions& options, const zoo::Catalog& catalog, const Globals& globals);

}  // namespace swinzoo::cmd
