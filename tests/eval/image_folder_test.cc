#include "eval/image_folder.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "formats/error.h"
#include "tests/process.h"

using namespace swinzoo;
using namespace swinzoo::eval;

namespace fs = std::filesystem;

namespace {

void touch(const fs::path& file) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "x";
}

// "class/name label" of each sample, in order.
std::vector<std::string> lines_of(const ImageFolder& folder, const fs::path& root) {
  std::vector<std::string> lines;
  for (const Sample& sample : folder.samples) {
    lines.push_back(sample.path.lexically_relative(root).string() + " " + std::to_string(sample.label));
  }
  return lines;
}

ErrorCode code_of(const fs::path& root) {
  try {
    list_image_folder(root);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{};
}

}  // namespace

TEST_CASE("natural order is timm's") {
  // As sorted(key=timm.utils.misc.natural_key) puts them.
  const std::vector<std::string> sorted = {
      "",  "1",   "2",     "10",     "A1",        "a2",       "a2b",    "a10",  "a100000000000000000000",
      "B", "b_1", "c/2/x", "c/10/x", "n01440764", "n1440765", "x1.jpg", "x.jpg"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      INFO(sorted[i] << " and " << sorted[j]);
      CHECK(natural_less(sorted[i], sorted[j]) == (i < j));
    }
  }
  CHECK(natural_less("img01", "img1"));
  CHECK_FALSE(natural_less("img1", "img01"));
}

TEST_CASE("an image folder is listed and labelled as timm does") {
  const TemporaryFolder scratch;
  const fs::path root = scratch.path() / "val";
  for (const char* file :
       {"class10/b.jpg", "class10/a.JPEG", "class2/img10.png", "class2/img9.png", "Beta/x.jpg", "alpha/x.jpg",
        "alpha/notes.txt", "alpha/x.webp", "alpha/.jpg", "deep/er/class2/y.jpg"}) {
    touch(root / file);
  }
  fs::create_directories(root / "empty");
  fs::create_directory_symlink(root, root / "alpha" / "back");
  touch(scratch.path() / "elsewhere" / "z.jpg");
  fs::create_directory_symlink(scratch.path() / "elsewhere", root / "linked");

  const ImageFolder folder = list_image_folder(root);
  CHECK(folder.classes == std::vector<std::string>{"alpha", "Beta", "class2", "class10", "linked"});
  CHECK(lines_of(folder, root) == std::vector<std::string>{"alpha/x.jpg 0", "Beta/x.jpg 1",
                                                           "class2/img9.png 2", "class2/img10.png 2",
                                                           "class10/a.JPEG 3", "class10/b.jpg 3",
                                                           "deep/er/class2/y.jpg 2", "linked/z.jpg 4"});
  CHECK(lines_of(list_image_folder(root / ""), root) == lines_of(folder, root));
}

TEST_CASE("folders without labelled images are refused") {
  const TemporaryFolder scratch;
  CHECK(code_of(scratch.path() / "missing") == ErrorCode::kNotFound);
  CHECK(code_of(scratch.path()) == ErrorCode::kNotFound);
  touch(scratch.path() / "class" / "notes.txt");
  CHECK(code_of(scratch.path()) == ErrorCode::kNotFound);
  CHECK(code_of(scratch.path() / "class" / "notes.txt") == ErrorCode::kNotFound);

  touch(scratch.path() / "flat.jpg");
  try {
    list_image_folder(scratch.path() / "");
    FAIL("listed");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kCorrupt);
    CHECK_THAT(error.what(),
               Catch::Matchers::Contains("flat.jpg") && Catch::Matchers::Contains("CLASS/flat.jpg"));
  }
}
