// That no subcommand writes over what it reads.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "zoo/catalog.h"

namespace swinzoo::cmd {

// Throws kUsage where `output` is one of the files `inputs`, by another name or a link too. Paths that are
// empty or not there pass, and so do devices and pipes, which nothing can be lost from.
void require_not_an_input(const std::filesystem::path& output, std::span<const std::filesystem::path> inputs);

// The files that models are read from, their config.json too, as far as they are there; nothing is said of a
// model that can't be found.
std::vector<std::filesystem::path> files_of_models(std::span<const std::string> models,
                                                   const zoo::Catalog& catalog);

}  // namespace swinzoo::cmd
