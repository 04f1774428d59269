// What the subcommands of `swinzoo cache` do, once their options are known.
#pragma once

#include <functional>
#include <string>

#include "cmd/cache_choice.h"
#include "cmd/command.h"
#include "zoo/cache_remove.h"

namespace swinzoo::cmd {

struct CacheListOptions {
  CacheFilter filter;
  std::string sort = "name";  // name, size, used or modified
  bool json = false;
};
int list_cache(const CacheListOptions& options);

struct CacheVerifyOptions {
  CacheFilter filter;
  bool json = false;
};
// kCorrupt if a file is wrong or missing; all are listed.
int verify_cache(const CacheVerifyOptions& options, const Globals& globals);

struct CacheRemoveOptions {
  CacheFilter filter;
  bool dry_run = false;
  bool json = false;
};
// kFailed if another process uses some of it, which stays.
int remove_from_cache(const CacheRemoveOptions& options,
                      const std::function<zoo::Removal(const ChosenModel&)>& removal_of,
                      const Globals& globals);

}  // namespace swinzoo::cmd
