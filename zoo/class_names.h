// The names of a model's classes: those that its files or the user give, or ImageNet-1k's.
//
// A list of names is whole or empty: element i is the name of class i, or nobody told the names. All
// functions are safe to call from several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json.h"
#include "zoo/spec.h"

namespace swinzoo::zoo {

// From a config.json: transformers' "id2label", or timm's "label_names" with their "label_descriptions", at
// its top or in "pretrained_cfg" ("labels" in old files). Empty where it names not exactly `num_classes`
// classes, each once, or where all are placeholders ("LABEL_0").
std::vector<std::string> class_names_from_config(const json::object& config, int64_t num_classes);

// From a text file of one name a line, as Kinetics' and Something-Something's lists are handed round. Throws
// kNotFound; kUsage where it has not as many lines as the model has classes.
std::vector<std::string> read_class_names(const std::filesystem::path& path, const ModelSpec& spec);

// The spec's own, else ImageNet-1k's where that is what the classes are: an image model of 1000 classes,
// whose training ended on imagenet-1k or is not known (as timm's infer_imagenet_subset takes it).
// Control characters are spaces, here and in read_class_names: these names are printed.
std::vector<std::string> class_names_of(const ModelSpec& spec);

// Whether the classes are ImageNet-1k's 1000 in their usual order, by the same signs.
bool has_imagenet1k_classes(const ModelSpec& spec);

// The WordNet synsets of ImageNet-1k's classes ("n01440764"), in the order of models' outputs, which is the
// sorted one.
const std::vector<std::string>& imagenet1k_synsets();

// The class of a synset, or -1.
int64_t imagenet1k_class(std::string_view synset);

}  // namespace swinzoo::zoo
