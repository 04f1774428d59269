#include "eval/data_set.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <sstream>

#include "eval/image_folder.h"
#include "eval/label_files.h"
#include "formats/error.h"
#include "zoo/class_names.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

constexpr const char* kWhatGivesLabels =
    "sort the images into a folder for each class (n01440764/...), or give --labels FILE: the devkit's "
    "ILSVRC2012_validation_ground_truth.txt with --meta meta.mat, Kaggle's LOC_val_solution.csv, a synset a "
    "line, or "
    "path,label";

using NaturalSet = std::set<std::string, decltype(&natural_less)>;

std::string folder_of(const std::string& path) { return fs::path(path).parent_path().filename().string(); }

// Which line of a file of a line an image is this image's.
class LineNumbers {
 public:
  // By the numbers in their names where all are named as ImageNet's validation images; else in their order,
  // which there must be as many lines for.
  LineNumbers(const std::vector<std::string>& paths, size_t lines, const fs::path& file) : paths_(paths) {
    numbered_ =
        std::ranges::all_of(paths, [](const std::string& path) { return validation_number(path) > 0; });
    if (!numbered_ && lines != paths.size()) {
      fail(ErrorCode::kCorrupt, "{}: {} lines for {} images, whose names have no number ({})", file.string(),
           lines, paths.size(), paths.front());
    }
    for (size_t i = 0; numbered_ && i < paths.size(); ++i) {
      if ((*this)[i] >= lines) {
        fail(ErrorCode::kCorrupt, "{}: {} lines, none for {}", file.string(), lines, paths[i]);
      }
    }
  }

  size_t operator[](size_t image) const {
    return numbered_ ? static_cast<size_t>(validation_number(paths_[image])) - 1 : image;
  }

 private:
  const std::vector<std::string>& paths_;
  bool numbered_ = false;
};

// The same order everywhere: the standard fixes what mt19937_64 gives, but not what std::shuffle makes of it.
void shuffle(std::vector<size_t>& order, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (size_t i = order.size(); i > 1; --i) {
    const uint64_t unbiased = std::mt19937_64::max() - std::mt19937_64::max() % i;
    uint64_t drawn = random();
    while (drawn >= unbiased) drawn = random();
    std::swap(order[i - 1], order[drawn % i]);
  }
}

std::shared_ptr<const ImageSource> images_of(const DataOptions& options) {
  return std::make_shared<ImageSource>(options.paths ? ImageSource::named(options.data, *options.paths)
                                                     : ImageSource::all_in(options.data));
}

// The whole of a text as a number, or -1.
int64_t number_of(const std::string& text) {
  const bool digits = !text.empty() && text.size() <= 18 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return digits && (text.size() == 1 || text[0] != '0') ? std::stoll(text) : -1;
}

// A first line whose label is no number, where all others are: a heading other than "path,label".
void drop_heading(LabelFile& file) {
  const auto is_number = [](const std::string& label) { return number_of(label) >= 0; };
  const std::span<const std::string> labels(file.labels);
  if (labels.size() < 2 || is_number(labels.front()) || !std::ranges::all_of(labels.subspan(1), is_number)) {
    return;
  }
  file.images.erase(file.images.begin());
  file.labels.erase(file.labels.begin());
}

// The labels that a file of path,label has of these images, in their order.
std::vector<std::string> labels_by_path(const LabelFile& file, const std::vector<std::string>& paths,
                                        const fs::path& csv) {
  std::map<std::string_view, const std::string*> labels;
  for (size_t i = 0; i < file.images.size(); ++i) labels[file.images[i]] = &file.labels[i];
  std::vector<std::string> found;
  for (const std::string& path : paths) {
    const auto label = labels.find(path);
    if (label == labels.end()) fail(ErrorCode::kCorrupt, "{}: no line for {}", csv.string(), path);
    found.push_back(*label->second);
  }
  return found;
}

// Those in a text, with spaces between. REQUIRES: it holds nothing else.
std::vector<int64_t> numbers_of(const std::string& text) {
  std::istringstream words(text);
  std::vector<int64_t> numbers;
  for (int64_t number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

bool is_list(const fs::path& data) { return data.extension() == ".csv" || data.extension() == ".txt"; }

bool lists_paths(const LabelFile& file) {
  return file.kind == LabelFile::Kind::kPaths || file.kind == LabelFile::Kind::kAnnotations;
}

}  // namespace

DataSet::DataSet(const DataOptions& options) : data_(options.data) {
  if (!options.meta.empty() && options.labels.empty()) {
    fail(ErrorCode::kUsage, "--meta tells the synsets of the devkit's ground truth: give that with --labels");
  }
  if (!options.real_labels.empty() && (!options.labels.empty() || !options.class_map.empty())) {
    fail(ErrorCode::kUsage,
         "--real-labels takes the place of all other labels: leave out --labels and --class-map");
  }
  if (!options.class_map.empty()) class_map_ = read_class_map(options.class_map);
  if (!options.valid_labels.empty()) valid_classes_ = read_valid_labels(options.valid_labels);

  if (is_list(options.data) && !options.paths) {
    list_by_path(options);
  } else if (!options.labels.empty()) {
    name_by_file(options);
  } else {
    source_ = images_of(options);
    options.real_labels.empty() ? name_by_folder(options) : take_real_labels(options);
  }
  choose(options);
}

// Images and labels from a list.
void DataSet::list_by_path(const DataOptions& options) {
  const bool is_data = options.labels.empty();
  const fs::path& csv = is_data ? options.data : options.labels;
  LabelFile file = read_label_file(csv);
  if (!lists_paths(file) || (is_data && !options.real_labels.empty()) ||
      (!is_data && !options.paths && is_list(options.data))) {
    fail(ErrorCode::kUsage,
         "{}: a list as --data has lines of path,label, or of a path and numbers, and is all the labels "
         "there are",
         options.data.string());
  }
  drop_heading(file);
  origin_ = csv.filename().string();
  if (options.paths) {
    source_ = images_of(options);
    file.labels = labels_by_path(file, source_->paths(), csv);
  } else {
    source_ = std::make_shared<ImageSource>(ImageSource::listed(
        is_data ? fs::absolute(csv).parent_path() : options.data, std::move(file.images)));
  }
  const bool is_list_of_names =
      file.kind == LabelFile::Kind::kPaths &&
      !std::ranges::all_of(file.labels, [](const std::string& label) { return number_of(label) >= 0; });
  if (is_list_of_names) {
    names_ = std::move(file.labels);
    return;
  }
  kind_ = Kind::kNumbers;
  for (const std::string& label : file.labels) numbers_.push_back(numbers_of(label));
}

void DataSet::name_by_folder(const DataOptions& options) {
  origin_ = "folders";
  by_folder_ = true;
  const std::vector<std::string>& paths = source_->paths();
  for (const std::string& path : paths) names_.push_back(folder_of(path));
  const auto flat = std::ranges::find(names_, "");
  const bool all_in_one =
      std::ranges::all_of(names_, [&](const auto& name) { return name == names_.front(); }) &&
      zoo::imagenet1k_class(names_.front()) < 0 && validation_number(paths.front()) > 0;
  if (all_in_one || std::ranges::all_of(names_, [](const std::string& name) { return name.empty(); })) {
    fail(ErrorCode::kCorrupt, "{}: {} images in no class's folder, and nothing that says what they show; {}",
         options.data.string(), paths.size(), kWhatGivesLabels);
  }
  if (flat != names_.end()) {
    const std::string& path = paths[static_cast<size_t>(flat - names_.begin())];
    fail(ErrorCode::kCorrupt,
         "{}: an image outside any class's folder, so without a label; expected CLASS/{}",
         (options.data / path).string(), path);
  }
}

void DataSet::name_by_file(const DataOptions& options) {
  LabelFile file = read_label_file(options.labels);
  if (!options.meta.empty() && file.kind != LabelFile::Kind::kDevkitIds) {
    fail(ErrorCode::kUsage, "{}: has no numbers of the devkit's: leave out --meta", options.labels.string());
  }
  if (lists_paths(file)) return list_by_path(options);
  origin_ = options.labels.filename().string();
  source_ = images_of(options);
  const std::vector<std::string>& paths = source_->paths();
  if (file.kind == LabelFile::Kind::kKaggle) {
    std::map<std::string, std::string> synsets;
    for (size_t i = 0; i < file.images.size(); ++i) synsets[file.images[i]] = file.labels[i];
    for (const std::string& path : paths) {
      const auto found = synsets.find(fs::path(path).stem().string());
      if (found == synsets.end()) {
        fail(ErrorCode::kCorrupt, "{}: no line for {}", options.labels.string(), path);
      }
      names_.push_back(found->second);
    }
    return;
  }
  if (file.kind == LabelFile::Kind::kDevkitIds) {
    if (options.meta.empty()) {
      fail(ErrorCode::kUsage,
           "{}: numbers of the devkit, which are not the order of models' classes: give the devkit's "
           "meta.mat with "
           "--meta, or a text file with the synset of each number",
           options.labels.string());
    }
    const std::vector<std::string> synsets = read_devkit_synsets(options.meta);
    for (std::string& label : file.labels) label = synsets[std::stoul(label) - 1];
  }
  const LineNumbers lines(paths, file.labels.size(), options.labels);
  for (size_t i = 0; i < paths.size(); ++i) names_.push_back(file.labels[lines[i]]);
}

void DataSet::take_real_labels(const DataOptions& options) {
  kind_ = Kind::kReal;
  origin_ = options.real_labels.filename().string();
  const std::vector<std::vector<int64_t>> labels = read_real_labels(options.real_labels);
  for (const std::string& path : source_->paths()) {
    const int64_t number = validation_number(path);
    if (number == 0 || number > static_cast<int64_t>(labels.size())) {
      fail(ErrorCode::kCorrupt, "{}: labels of ILSVRC2012_val_00000001 to {:08}, so none for {}",
           options.real_labels.string(), labels.size(), path);
    }
    numbers_.push_back(labels[static_cast<size_t>(number) - 1]);
  }
}

// Which images are run, and in which order.
void DataSet::choose(const DataOptions& options) {
  const size_t all = source_->paths().size();
  for (size_t i = 0; i < all; ++i) {
    const bool is_mapped = kind_ != Kind::kNames || class_map_.empty() || class_map_.contains(names_[i]);
    if (is_mapped) order_.push_back(i);
  }
  left_out_ = static_cast<int64_t>(all - order_.size());
  if (order_.empty()) {
    fail(ErrorCode::kCorrupt, "{}: none of the {} images' classes ('{}') is in it",
         options.class_map.string(), all, names_.front());
  }
  known_ = recognised(data_, source_->paths(), {names_.begin(), names_.end()}, kind_ == Kind::kReal);
  if (options.shuffle_seed.has_value()) shuffle(order_, *options.shuffle_seed);
  const auto limit = static_cast<size_t>(options.limit.value_or(static_cast<int64_t>(order_.size())));
  const bool is_drawn = limit >= order_.size() || options.shuffle_seed.has_value();
  represents_ = is_drawn && left_out_ == 0 && valid_classes_.empty();
  order_.resize(std::min(order_.size(), limit));
}

int64_t DataSet::class_count() const {
  if (kind_ == Kind::kNames) return std::ssize(std::set(names_.begin(), names_.end()));
  int64_t greatest = -1;
  for (const std::vector<int64_t>& numbers : numbers_) {
    for (const int64_t number : numbers) greatest = std::max(greatest, number);
  }
  return greatest + 1;
}

DataSet::Numbering DataSet::number_names(const zoo::ModelSpec& spec) const {
  if (!class_map_.empty()) return {class_map_, "through the class map", true};
  const NaturalSet names(names_.begin(), names_.end(), &natural_less);
  const bool is_imagenet = zoo::has_imagenet1k_classes(spec);
  Numbering numbering;
  const auto number_by = [&](int64_t (*class_of)(const std::string&), const char* by) {
    for (const std::string& name : names) numbering.classes[name] = class_of(name);
    numbering.by = by;
    return numbering;
  };
  const auto synset_class = [](const std::string& name) { return zoo::imagenet1k_class(name); };
  const auto all = [&](auto is) { return std::ranges::all_of(names, is); };
  const bool are_synsets = all([&](const auto& name) { return synset_class(name) >= 0; });
  if (are_synsets && is_imagenet) return number_by(synset_class, "as synsets of ImageNet-1k");
  if (are_synsets && !by_folder_) {
    fail(ErrorCode::kCorrupt,
         "{}: its labels are synsets of ImageNet-1k, but {} has {} classes; --class-map tells which is which",
         origin_, spec.id, spec.num_classes);
  }
  const bool are_numbers =
      all([](const auto& name) { return number_of(name) >= 0 && number_of(name) < 1000; });
  if (by_folder_ && are_numbers && is_imagenet) return number_by(&number_of, "by their numbers");
  int64_t next = 0;
  for (const std::string& name : names) numbering.classes[name] = next++;
  numbering.by = "in natural order";
  numbering.counts_valid = true;
  return numbering;
}

LabelledImages DataSet::labelled_for(const zoo::ModelSpec& spec) const {
  LabelledImages labelled{source_, {}, valid_classes_, {}, origin_};
  Numbering numbering{{}, "the model's own classes"};
  if (kind_ == Kind::kNames) numbering = number_names(spec);
  labelled.labelled_by += fmt::format(", {}", numbering.by);
  if (labelled.valid_classes.empty() && known_ != nullptr && zoo::has_imagenet1k_classes(spec) &&
      class_map_.empty()) {
    labelled.valid_classes.assign(known_->classes.begin(), known_->classes.end());
  }
  std::vector<int64_t>& valid = labelled.valid_classes;
  for (const int64_t id : valid) {
    if (id >= spec.num_classes) {
      fail(ErrorCode::kCorrupt, "the valid labels have class {}, but {} has {} classes", id, spec.id,
           spec.num_classes);
    }
  }
  const std::set<int64_t> allowed(valid.begin(), valid.end());
  for (const size_t image : order_) {
    Sample& sample = labelled.samples.emplace_back(Sample{image, {}});
    if (kind_ == Kind::kNames) {
      int64_t id = numbering.classes.at(names_[image]);
      if (numbering.counts_valid && !valid.empty()) {
        if (id >= std::ssize(valid)) {
          fail(ErrorCode::kCorrupt, "{}: has label {}, but there are {} valid labels",
               source_->name_of(image), id, valid.size());
        }
        id = valid[static_cast<size_t>(id)];
      }
      sample.labels = {id};
      labelled.class_names.emplace(id, names_[image]);
    } else {
      sample.labels = numbers_[image];
    }
    for (const int64_t id : sample.labels) {
      if (id >= spec.num_classes) {
        fail(ErrorCode::kCorrupt, "{}: has label {}, but {} has {} classes", source_->name_of(image), id,
             spec.id, spec.num_classes);
      }
      if (kind_ != Kind::kReal && !allowed.empty() && !allowed.contains(id)) {
        fail(ErrorCode::kCorrupt, "{}: its class {} ({}) is none of the {} valid labels",
             source_->name_of(image), id,
             labelled.class_names.contains(id) ? labelled.class_names[id] : "a number", valid.size());
      }
    }
  }
  return labelled;
}

}  // namespace swinzoo::eval
