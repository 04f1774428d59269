#include <array>

#include "cmd/command.h"

namespace swinzoo::cmd {

std::span<const Command> commands() {
  static constexpr std::array<Command, 2> kCommands = {{
      {"list", "List the catalog's entries", &setup_list},
      {"info", "Show everything about one entry", &setup_info},
  }};
  return kCommands;
}

}  // namespace swinzoo::cmd
