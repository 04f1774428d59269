// The data sets that accuracies are published on, told by their images' names and classes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace swinzoo::eval {

struct KnownDataSet {
  std::string_view name;             // as zoo::PublishedAccuracy::dataset has it
  int64_t size = 0;                  // images of the whole set
  std::span<const int64_t> classes;  // ImageNet-1k's classes that an answer may be; empty: all of them
};

// N of a path that ends in ILSVRC2012_val_<N, 8 digits>.<ending>, from 1 to 50,000; 0 for any other.
int64_t validation_number(std::string_view path);

// The data set that these images are of, all of it or a part, or null where the names don't tell. ImageNet-V2
// has three editions with the same names inside: the matched-frequency one is known by its folder's own name,
// imagenetv2-matched-frequency. real_labels: whether ReaL's labels are used. Lives as long as the program.
const KnownDataSet* recognised(const std::filesystem::path& data, std::span<const std::string> paths,
                               const std::set<std::string>& class_names, bool real_labels);

}  // namespace swinzoo::eval
