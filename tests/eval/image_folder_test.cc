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

ErrorCode code_of(const fs::path& root) {
  try {
    list_images(root);
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

TEST_CASE("an image folder is listed as timm does") {
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

  const std::vector<std::string> paths = list_images(root);
  CHECK(paths == std::vector<std::string>{"alpha/x.jpg", "alpha/x.webp", "Beta/x.jpg", "class2/img9.png",
                                          "class2/img10.png", "class10/a.JPEG", "class10/b.jpg",
                                          "deep/er/class2/y.jpg", "linked/z.jpg"});
  CHECK(list_images(root / "") == paths);
}

TEST_CASE("folders without images are refused") {
  const TemporaryFolder scratch;
  CHECK(code_of(scratch.path() / "missing") == ErrorCode::kNotFound);
  CHECK(code_of(scratch.path()) == ErrorCode::kNotFound);
  touch(scratch.path() / "class" / "notes.txt");
  CHECK(code_of(scratch.path()) == ErrorCode::kNotFound);
  CHECK(code_of(scratch.path() / "class" / "notes.txt") == ErrorCode::kNotFound);
}
