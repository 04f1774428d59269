#include "eval/label_files.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tests/process.h"
#include "zoo/class_names.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;

namespace fs = std::filesystem;

namespace {

class Files {
 public:
  fs::path write(const std::string& name, const std::string& text) const {
    write_file(folder_.path() / name, text);
    return folder_.path() / name;
  }

 private:
  TemporaryFolder folder_;
};

// Reading is refused as damaged, and the message tells this.
template <typename Read>
void check_refused(Read read, const fs::path& path, const std::string& said) {
  try {
    read(path);
    FAIL("read: " << path);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    CHECK_THAT(error.what(), Contains(path.filename().string()) && Contains(said));
  }
}

// The devkit's order, made up: synset i of n is the sorted list's from behind.
std::string reversed_synsets(bool with_numbers) {
  std::string text;
  const std::vector<std::string>& sorted = zoo::imagenet1k_synsets();
  for (size_t i = 0; i < sorted.size(); ++i) {
    text += sorted[sorted.size() - 1 - i];
    if (with_numbers) text += fmt::format(" {} some_name", i + 1);
    text += "\r\n";
  }
  return text;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("label files are told by their first line") {
  const Files files;
  const LabelFile devkit = read_label_file(files.write("truth.txt", "490\n1\r\n1000\n\n"));
  CHECK(devkit.kind == LabelFile::Kind::kDevkitIds);
  CHECK(devkit.labels == Strings{"490", "1", "1000"});

  const LabelFile synsets = read_label_file(files.write("synsets.txt", "n01751748\nn01440764\n"));
  CHECK(synsets.kind == LabelFile::Kind::kSynsets);
  CHECK(synsets.labels == Strings{"n01751748", "n01440764"});

  const LabelFile kaggle = read_label_file(
      files.write("LOC_val_solution.csv",
                  "ImageId,PredictionString\nILSVRC2012_val_00048981,n03995372 85 1 499 272 \n"
                  "ILSVRC2012_val_00037956,n03481172 131 0 499 254 n03481172 0 224 136 355 \n"));
  CHECK(kaggle.kind == LabelFile::Kind::kKaggle);
  CHECK(kaggle.images == Strings{"ILSVRC2012_val_00048981", "ILSVRC2012_val_00037956"});
  CHECK(kaggle.labels == Strings{"n03995372", "n03481172"});

  const LabelFile paths =
      read_label_file(files.write("list.csv", "path,label\na/b.jpg,7\n\"c,\"\"d\"\".png\",0\n"));
  CHECK(paths.kind == LabelFile::Kind::kPaths);
  CHECK(paths.images == Strings{"a/b.jpg", "c,\"d\".png"});
  CHECK(paths.labels == Strings{"7", "0"});
  CHECK(read_label_file(files.write("bare.csv", "a.jpg,cat")).labels == Strings{"cat"});
}

TEST_CASE("lists of mmaction2 have a path and one or more classes a line") {
  const Files files;
  const LabelFile list = read_label_file(
      files.write("list.txt", "abseiling/0wR5jVB-WPk.mp4 0\r\n12 some name.mp4  17 \n34 5 1\n\n"));
  CHECK(list.kind == LabelFile::Kind::kAnnotations);
  CHECK(list.images == Strings{"abseiling/0wR5jVB-WPk.mp4", "12 some name.mp4", "34"});
  CHECK(list.labels == Strings{"0", "17", "5 1"});

  check_refused(&read_label_file, files.write("none.txt", "a.mp4 1\nb.mp4\n"), "none.txt:2: expected a path");
  check_refused(&read_label_file, files.write("gap.txt", "a.mp4 1\n\nb.mp4 2\n"),
                "gap.txt:2: expected a path");
  check_refused(&read_label_file, files.write("less.txt", "a.mp4 1\nb.mp4 -1\n"),
                "less.txt:2: expected a path");
  check_refused(&read_label_file, files.write("twice.txt", "a.mp4 1\na.mp4 2\n"),
                "twice.txt:2: expected each");
}

TEST_CASE("label files that are none are refused by line") {
  const Files files;
  const auto refused = [&](const std::string& text, const std::string& said) {
    check_refused(&read_label_file, files.write("labels", text), said);
  };
  refused("", "empty");
  refused("\n\n", "empty");
  refused("tench\n", "labels:1: expected the devkit's number, a synset");
  refused("1\n2\n1001\n", "labels:3: expected the devkit's number, 1 to 1000, found '1001'");
  refused("1\n0\n", "labels:2");
  refused("1\nn01440764\n", "labels:2");
  refused("n01440764\nn00000001\n", "labels:2");
  refused("n01440764\n\nn01440764\n", "labels:2");
  refused("path,label\n", "no images");
  refused("a.jpg,1,2\n", "labels:1: expected a path, and a class");
  refused("a.jpg,\n", "labels:1");
  refused(",1\n", "labels:1");
  refused("\"a.jpg,1\n", "labels:1");
  refused("a.jpg,1\na.jpg,2\n", "labels:2: expected each image once");
  refused("ImageId,PredictionString\na,n03995372 85 1 499\n", "labels:2: expected an image, and the boxes");
  refused("ImageId,PredictionString\na,n03995372 1 2 3 4 n01440764 1 2 3 4\n", "labels:2");
  CHECK_THROWS_AS(read_label_file("/no/such/file"), Error);
}

TEST_CASE("the devkit's synsets come from a text or from meta.mat, and never in sorted order") {
  const Files files;
  for (const bool with_numbers : {false, true}) {
    const Strings synsets = read_devkit_synsets(files.write("map.txt", reversed_synsets(with_numbers)));
    REQUIRE(synsets.size() == 1000);
    CHECK(synsets.front() == "n15075141");
    CHECK(synsets.back() == "n01440764");
  }
  // Made with the same order by tests/data/make_meta_mat.py.
  CHECK(read_devkit_synsets(SWINZOO_TEST_DATA "/labels/meta.mat") ==
        read_devkit_synsets(files.write("map.txt", reversed_synsets(false))));

  std::string sorted;
  for (const std::string& synset : zoo::imagenet1k_synsets()) sorted += synset + "\n";
  check_refused(&read_devkit_synsets, files.write("map.txt", sorted), "sorted");
  check_refused(&read_devkit_synsets, files.write("map.txt", "n02119789\nn02100735\n"), "1000 synsets");
  check_refused(&read_devkit_synsets, files.write("map.txt", "n02119789 1 kit_fox\nn02100735 3 setter\n"),
                "map.txt:2");
}

TEST_CASE("ReaL's labels are lists of classes") {
  const Files files;
  CHECK(read_real_labels(files.write("real.json", "[[], [970, 795], [0]]")) ==
        std::vector<std::vector<int64_t>>{{}, {970, 795}, {0}});
  check_refused(&read_real_labels, files.write("real.json", "{}"), "expected an array");
  check_refused(&read_real_labels, files.write("real.json", "[[1], 2]"), "image 2");
  check_refused(&read_real_labels, files.write("real.json", "[[1], [-2]]"), "image 2");
  check_refused(&read_real_labels, files.write("real.json", "[[1], [1.5]]"), "image 2");
}

TEST_CASE("valid labels and class maps are read as timm reads them") {
  const Files files;
  CHECK(read_valid_labels(files.write("valid.txt", "6\n 11 \r\n13")) == std::vector<int64_t>{6, 11, 13});
  check_refused(&read_valid_labels, files.write("valid.txt", "6\nx\n"),
                "valid.txt:2: expected a class's number");
  check_refused(&read_valid_labels, files.write("valid.txt", "6\n-1\n"), "valid.txt:2");
  check_refused(&read_valid_labels, files.write("valid.txt", "6\n6\n"), "each class once");

  const std::map<std::string, int64_t> expected = {{"cat", 0}, {"a dog", 1}, {"ant", 2}};
  CHECK(read_class_map(files.write("map.txt", "cat\na dog\r\nant\n")) == expected);
  check_refused(&read_class_map, files.write("map.txt", "cat\ndog\ncat\n"),
                "map.txt:3: expected each name once");
  // pickle.dumps({"cat": 0, "a dog": 1, "ant": 2}, 2)
  const std::string pickle(
      "\x80\x02}q\x00(X\x03\x00\x00\x00"
      "catq\x01K\x00X\x05\x00\x00\x00"
      "a dogq\x02K\x01X\x03\x00\x00\x00"
      "antq\x03K\x02u.",
      46);
  CHECK(read_class_map(files.write("map.pkl", pickle)) == expected);
  // pickle.dumps([1], 2)
  check_refused(&read_class_map,
                files.write("map.pkl", std::string("\x80\x02]q\x00K\x01"
                                                   "a.",
                                                   9)),
                "expected a dict");
}
