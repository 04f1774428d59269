// The images that accuracy is measured on, in the order in which they are run, and the classes that are right
// for them (docs/preprocessing.md). What of a model an image's class is depends on the model: see
// DataSet::labelled_for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/image_source.h"
#include "eval/known_data_sets.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// Paths that are empty were not given.
struct DataOptions {
  // A folder, a tar archive, or a list: a .csv of path,label, or a .txt as mmaction2 writes them (paths from
  // the list's folder on).
  std::filesystem::path data;
  std::optional<std::vector<std::string>> paths;  // the images, where `data` is not to be looked at
  std::filesystem::path labels;                   // LabelFile
  std::filesystem::path meta;                     // the devkit's synsets, for LabelFile::Kind::kDevkitIds
  std::filesystem::path real_labels;              // ReaL's; they take the place of all others
  std::filesystem::path valid_labels;             // timm's
  std::filesystem::path class_map;                // timm's
  std::optional<int64_t> limit;                   // only so many, the first ones
  std::optional<uint64_t> shuffle_seed;  // in an order drawn with this seed; before the limit is applied
};

struct Sample {
  size_t image = 0;             // in LabelledImages::source
  std::vector<int64_t> labels;  // the classes that are right; none: nobody knows, and the image doesn't count
};

// Images with a model's own classes.
struct LabelledImages {
  std::shared_ptr<const ImageSource> source;
  std::vector<Sample> samples;                 // in the order in which they are run
  std::vector<int64_t> valid_classes;          // those that an answer may be, in timm's order; empty: all
  std::map<int64_t, std::string> class_names;  // what the data calls the classes: folders, synsets
  std::string labelled_by;                     // a few words for people
};

// Immutable, so safe to share between threads.
class DataSet {
 public:
  // Lists the images and reads the label files; decodes nothing. Throws kUsage for options that contradict
  // each other; kNotFound if a file is missing or there is no image; kCorrupt for images without a label,
  // saying what would give them one, and for label files that are damaged or don't fit the images.
  explicit DataSet(const DataOptions& options);

  // What is run: after the class map, the order and the limit.
  int64_t size() const { return static_cast<int64_t>(order_.size()); }
  // Classes that the data tells apart: its names, or its greatest number and 1.
  int64_t class_count() const;
  // All that the data holds or lists.
  const ImageSource& source() const { return *source_; }
  // Images that the class map leaves out, as timm's does.
  int64_t left_out() const { return left_out_; }
  // Null where the data is none that figures are published on.
  const KnownDataSet* known() const { return known_; }
  // Whether figures about these images say something about all of the known set: they are all that the data
  // holds of it, or drawn from that at random, and the user restricted neither classes nor answers.
  bool represents_known() const { return known_ != nullptr && represents_; }

  // The classes, by the first rule that fits:
  //   ReaL's labels and a list's numbers are the model's own classes;
  //   with a class map, a name's class is its number there;
  //   where the model has ImageNet-1k's classes: names that are synsets are those, wherever they come from,
  //   and folders that are all named by numbers from 0 to 999 are these; else names are numbered in natural
  //   order, as timm does.
  // Numbers of the second and the last rule count the valid classes, where these are given, as in timm.
  // Throws kCorrupt where a label is none of the model's classes or of the valid ones, or there is no way to
  // number it.
  LabelledImages labelled_for(const zoo::ModelSpec& spec) const;

 private:
  enum class Kind { kNames, kNumbers, kReal };
  struct Numbering {
    std::map<std::string, int64_t> classes;
    const char* by = "";        // in words
    bool counts_valid = false;  // the numbers are places among the valid classes, where these are given
  };

  void list_by_path(const DataOptions& options);
  void name_by_folder(const DataOptions& options);
  void name_by_file(const DataOptions& options);
  void take_real_labels(const DataOptions& options);
  void choose(const DataOptions& options);
  Numbering number_names(const zoo::ModelSpec& spec) const;

  std::filesystem::path data_;
  std::shared_ptr<const ImageSource> source_;
  Kind kind_ = Kind::kNames;
  bool by_folder_ = false;
  std::string origin_;                         // where the labels come from, for people
  std::vector<std::string> names_;             // kNames: an image's class
  std::vector<std::vector<int64_t>> numbers_;  // kNumbers, kReal: an image's classes
  std::map<std::string, int64_t> class_map_;   // empty: none
  std::vector<int64_t> valid_classes_;         // empty: all
  std::vector<size_t> order_;                  // images of the source
  int64_t left_out_ = 0;
  const KnownDataSet* known_ = nullptr;
  bool represents_ = false;
};

}  // namespace swinzoo::eval
