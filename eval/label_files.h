// The files that say which classes images show, and which classes an answer may be. Numbers of classes are
// the model's, from 0, unless said otherwise; lines may end in CR LF.
//
// All functions throw kNotFound if the file is missing, and kCorrupt, naming the file and the line, if it is
// not what it should be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace swinzoo::eval {

struct LabelFile {
  enum class Kind {
    kDevkitIds,    // ILSVRC2012_validation_ground_truth.txt: a number from 1 to 1000 a line, in the devkit's
                   // own order
    kSynsets,      // a synset a line (TensorFlow's imagenet_2012_validation_synset_labels.txt)
    kKaggle,       // LOC_val_solution.csv: ImageId (a file's name without its ending), PredictionString
    kPaths,        // path,label: a path and a class's number or name; a first line "path,label" is a heading
    kAnnotations,  // mmaction2's lists: a path, and the numbers of one or more classes, with spaces between
  };
  Kind kind = Kind::kPaths;
  // kKaggle, kPaths and kAnnotations: as the file names them; no image stands there twice.
  std::vector<std::string> images;
  // A line an image, in the file's order; synsets for kKaggle; for kAnnotations numbers with a space between.
  std::vector<std::string> labels;
};

// Told by the first line.
LabelFile read_label_file(const std::filesystem::path& path);

// The devkit's synsets: element i is that of its id i + 1. From meta.mat, or from a text file with a synset
// at the start of each line (map_clsloc.txt: "n02119789 1 kit_fox"), of which there are ImageNet-1k's 1000. A
// file in the sorted order of synsets is refused: that is the order of models' outputs, never the devkit's.
std::vector<std::string> read_devkit_synsets(const std::filesystem::path& path);

// ReaL's real.json (https://github.com/google-research/reassessed-imagenet): element i has the classes that
// are right for ILSVRC2012_val_<i + 1>, and is empty where nobody could tell.
std::vector<std::vector<int64_t>> read_real_labels(const std::filesystem::path& path);

// timm's --valid-labels: a class a line, of which each stands there once.
std::vector<int64_t> read_valid_labels(const std::filesystem::path& path);

// timm's --class-map: names' classes. A .txt has a name a line, whose class is the line's number from 0; a
// .pkl is a pickled dict of names and numbers (nothing in it is run).
std::map<std::string, int64_t> read_class_map(const std::filesystem::path& path);

}  // namespace swinzoo::eval
