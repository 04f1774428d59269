#include "eval/label_files.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/mapped_file.h"
#include "formats/matlab.h"
#include "formats/number.h"
#include "formats/pickle.h"
#include "zoo/class_names.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  const size_t start = std::min(text.find_first_not_of(kSpace), text.size());
  text.remove_prefix(start);
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// The file's lines without the spaces around them; empty ones at its end are left out.
std::vector<std::string_view> lines_of(const MappedFile& file) {
  std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  std::vector<std::string_view> lines;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(trimmed(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.empty()) fail(ErrorCode::kCorrupt, "{}: the file is empty", file.path().string());
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::optional<int64_t> number_in(std::string_view text) {
  const auto number = whole_number<int64_t>(text);
  return number && *number >= 0 ? number : std::nullopt;
}

[[noreturn]] void fail_line(const fs::path& path, size_t line, const char* expected, std::string_view found) {
  fail(ErrorCode::kCorrupt, "{}:{}: expected {}, found '{}'", path.string(), line + 1, expected,
       found.substr(0, 80));
}

// The cells of a line of CSV (RFC 4180, without line breaks inside quotes); empty where the quotes are wrong.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += line[++i];
    } else if (c == '"' && (quoted || cells.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  if (quoted) cells.clear();
  return cells;
}

// The one synset of a PredictionString: "n03995372 85 1 499 272 n03995372 ..." (a box each).
std::optional<std::string> synset_in(std::string_view prediction) {
  const std::vector<std::string_view> words = words_of(prediction);
  if (words.empty() || words.size() % 5 != 0) return std::nullopt;
  for (size_t i = 5; i < words.size(); i += 5) {
    if (words[i] != words[0]) return std::nullopt;
  }
  return std::string(words[0]);
}

// LOC_val_solution.csv and path,label.
LabelFile read_csv(const fs::path& path, const std::vector<std::string_view>& lines) {
  LabelFile file;
  const bool is_kaggle = lines[0] == "ImageId,PredictionString";
  file.kind = is_kaggle ? LabelFile::Kind::kKaggle : LabelFile::Kind::kPaths;
  std::set<std::string> known;
  for (size_t i = is_kaggle || lines[0] == "path,label" ? 1 : 0; i < lines.size(); ++i) {
    const char* expected = is_kaggle ? "an image, and the boxes of one synset" : "a path, and a class";
    const std::vector<std::string> cells = cells_of(lines[i]);
    if (cells.size() != 2 || cells[0].empty()) fail_line(path, i, expected, lines[i]);
    const std::optional<std::string> label = is_kaggle ? synset_in(cells[1]) : std::string(trimmed(cells[1]));
    if (!label.has_value() || label->empty()) fail_line(path, i, expected, lines[i]);
    if (!known.insert(cells[0]).second) fail_line(path, i, "each image once", cells[0]);
    file.images.push_back(cells[0]);
    file.labels.push_back(*label);
  }
  if (file.images.empty()) fail(ErrorCode::kCorrupt, "{}: a heading and no images", path.string());
  return file;
}

// Which of a line's words are classes: those from here on, numbers all. The first word belongs to the path.
size_t first_class(const std::vector<std::string_view>& words) {
  size_t first = words.size();
  while (first > 1 && number_in(words[first - 1]).has_value()) --first;
  return first;
}

LabelFile read_annotations(const fs::path& path, const std::vector<std::string_view>& lines) {
  LabelFile file;
  file.kind = LabelFile::Kind::kAnnotations;
  std::set<std::string> known;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<std::string_view> words = words_of(lines[i]);
    const size_t first = first_class(words);
    if (first == words.size()) fail_line(path, i, "a path, and the numbers of its classes", lines[i]);
    file.images.emplace_back(lines[i].data(), &words[first - 1].back() + 1);  // a path may have spaces in it
    file.labels.push_back(
        fmt::format("{}", fmt::join(words.begin() + static_cast<ptrdiff_t>(first), words.end(), " ")));
    if (!known.insert(file.images.back()).second) fail_line(path, i, "each path once", file.images.back());
  }
  return file;
}

// The synsets of a meta.mat: of its struct array "synsets", those whose ILSVRC2012_ID is at most 1000; the
// others are groups of these.
std::vector<std::string> synsets_in_matlab(const MappedFile& file, size_t count) {
  const MatlabStructs meta = read_matlab_structs(file, "synsets");
  const std::vector<MatlabValue>& ids = meta.field("ILSVRC2012_ID");
  const std::vector<MatlabValue>& names = meta.field("WNID");
  std::vector<std::string> synsets(count);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i].numbers.size() != 1) {
      fail(ErrorCode::kCorrupt, "{}: synsets({}): ILSVRC2012_ID is no number", file.path().string(), i + 1);
    }
    const double id = ids[i].numbers[0];
    if (id > static_cast<double>(count)) continue;
    if (!(id >= 1))
      fail(ErrorCode::kCorrupt, "{}: synsets({}): ILSVRC2012_ID {}", file.path().string(), i + 1, id);
    synsets[static_cast<size_t>(id) - 1] = names[i].text;
  }
  return synsets;
}

}  // namespace

LabelFile read_label_file(const fs::path& path) {
  const MappedFile file(path);
  const std::vector<std::string_view> lines = lines_of(file);
  if (lines[0].find(',') != std::string_view::npos) return read_csv(path, lines);
  const std::vector<std::string_view> words = words_of(lines[0]);
  if (first_class(words) < words.size()) return read_annotations(path, lines);
  LabelFile labels;
  const bool are_ids = number_in(lines[0]).has_value();
  labels.kind = are_ids ? LabelFile::Kind::kDevkitIds : LabelFile::Kind::kSynsets;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (are_ids) {
      const auto id = number_in(lines[i]);
      if (!id.has_value() || *id < 1 || *id > 1000)
        fail_line(path, i, "the devkit's number, 1 to 1000", lines[i]);
    } else if (zoo::imagenet1k_class(lines[i]) < 0) {
      fail_line(
          path, i,
          "the devkit's number, a synset of ImageNet-1k (n01440764), path,label, or a path and a number",
          lines[i]);
    }
    labels.labels.emplace_back(lines[i]);
  }
  return labels;
}

std::vector<std::string> read_devkit_synsets(const fs::path& path) {
  const MappedFile file(path);
  const std::vector<std::string>& sorted = zoo::imagenet1k_synsets();
  std::vector<std::string> synsets;
  if (looks_like_matlab(file)) {
    synsets = synsets_in_matlab(file, sorted.size());
  } else {
    for (const std::string_view line : lines_of(file)) {
      const std::vector<std::string_view> words = words_of(line);
      const bool counts = words.size() < 2 || !number_in(words[1]).has_value() ||
                          number_in(words[1]) == static_cast<int64_t>(synsets.size()) + 1;
      if (words.empty() || !counts) fail_line(path, synsets.size(), "a synset and the line's number", line);
      synsets.emplace_back(words[0]);
    }
  }
  if (synsets == sorted) {
    fail(ErrorCode::kCorrupt,
         "{}: these synsets are sorted, as models' outputs are; the devkit has its own order (n02119789 is "
         "the "
         "first): give its meta.mat",
         path.string());
  }
  if (!std::ranges::is_permutation(synsets, sorted)) {
    fail(ErrorCode::kCorrupt, "{}: expected the {} synsets of ImageNet-1k, each once, in the devkit's order",
         path.string(), sorted.size());
  }
  return synsets;
}

std::vector<std::vector<int64_t>> read_real_labels(const fs::path& path) {
  std::vector<std::vector<int64_t>> labels;
  const json::value document = read_json(path);
  for (const json::value& image : as_array(document, path.string())) {
    const std::string where = fmt::format("{}: image {}", path.string(), labels.size() + 1);
    std::vector<int64_t>& classes = labels.emplace_back();
    for (const json::value& label : as_array(image, where)) {
      classes.push_back(as_int(label, where));
      if (classes.back() < 0) fail(ErrorCode::kCorrupt, "{}: class {}", where, classes.back());
    }
  }
  return labels;
}

std::vector<int64_t> read_valid_labels(const fs::path& path) {
  const MappedFile file(path);
  const std::vector<std::string_view> lines = lines_of(file);
  std::vector<int64_t> classes;
  std::set<int64_t> known;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto number = number_in(lines[i]);
    if (!number.has_value()) fail_line(path, i, "a class's number", lines[i]);
    if (!known.insert(*number).second) fail_line(path, i, "each class once", lines[i]);
    classes.push_back(*number);
  }
  return classes;
}

std::map<std::string, int64_t> read_class_map(const fs::path& path) {
  const MappedFile file(path);
  std::map<std::string, int64_t> classes;
  if (path.extension() != ".pkl") {
    const std::vector<std::string_view> lines = lines_of(file);
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!classes.emplace(lines[i], static_cast<int64_t>(i)).second) {
        fail_line(path, i, "each name once", lines[i]);
      }
    }
    return classes;
  }
  const Pickle pickle(file.bytes(), [](std::string_view) { return false; });
  const PickleValue& dict = pickle[pickle.top()];
  const auto fail_pickle = [&] {
    fail(ErrorCode::kCorrupt, "{}: expected a dict of names and classes' numbers", path.string());
  };
  if (dict.kind != PickleValue::Kind::kDict) fail_pickle();
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& name = pickle[dict.items[i]];
    const PickleValue& number = pickle[dict.items[i + 1]];
    if (name.kind != PickleValue::Kind::kText || number.kind != PickleValue::Kind::kInt ||
        number.integer < 0) {
      fail_pickle();
    }
    classes[std::string(name.text)] = number.integer;
  }
  return classes;
}

}  // namespace swinzoo::eval
