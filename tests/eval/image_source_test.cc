#include "eval/image_source.h"

#include <catch2/catch.hpp>

#include "formats/atomic_file.h"
#include "formats/error.h"
#include "tests/process.h"
#include "tests/raw_tar.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using Catch::Matchers::Contains;

namespace fs = std::filesystem;

namespace {

using Strings = std::vector<std::string>;

std::string text_of(const ImageSource& source, size_t image) {
  const ImageBytes stored = source.read(image);
  const auto* text = reinterpret_cast<const char*>(stored.bytes.data());
  return {text, text + stored.bytes.size()};
}

void check_not_found(const std::function<void()>& act, const std::string& said) {
  try {
    act();
    FAIL("found");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kNotFound);
    CHECK_THAT(error.what(), Contains(said));
  }
}

}  // namespace

TEST_CASE("a folder and a tar of it give the same images in the same order") {
  const TemporaryFolder scratch;
  const std::vector<std::pair<std::string, std::string>> files = {{"val/n02/img10.png", "ten"},
                                                                  {"val/n02/img9.JPEG", "nine"},
                                                                  {"val/n01/a.jpg", "a"},
                                                                  {"val/notes.txt", "no"}};
  for (const auto& [name, bytes] : files) write_file(scratch.path() / "data" / name, bytes);
  write_file(scratch.path() / "data.tar", made_tar(files));
  for (const char* name : {"data", "data.tar"}) {
    INFO(name);
    const ImageSource source = ImageSource::all_in(scratch.path() / name);
    CHECK(source.paths() == Strings{"val/n01/a.jpg", "val/n02/img9.JPEG", "val/n02/img10.png"});
    CHECK(text_of(source, 0) == "a");
    CHECK(text_of(source, 1) == "nine");
    CHECK(text_of(source, 2) == "ten");
    CHECK_THAT(source.name_of(1),
               Catch::StartsWith((scratch.path() / name).string()) && Contains("img9.JPEG"));

    const ImageSource listed =
        ImageSource::listed(scratch.path() / name, {"val/notes.txt", "val/none.jpg", "val/n01/a.jpg"});
    CHECK(text_of(listed, 0) == "no");
    CHECK(text_of(listed, 2) == "a");
    check_not_found([&] { listed.read(1); }, "none.jpg");
  }
}

TEST_CASE("images outlive the source that they were read from") {
  const TemporaryFolder scratch;
  write_file(scratch.path() / "data.tar", made_tar({{"a.jpg", "bytes"}}));
  ImageBytes stored;
  {
    const ImageSource source = ImageSource::all_in(scratch.path() / "data.tar");
    stored = source.read(0);
  }
  CHECK(static_cast<char>(stored.bytes[4]) == 's');
}

TEST_CASE("sources without images are refused") {
  const TemporaryFolder scratch;
  check_not_found([&] { ImageSource::all_in(scratch.path() / "none"); }, "none");
  check_not_found([&] { ImageSource::listed(scratch.path() / "none", {"a"}); }, "none");
  check_not_found([&] { ImageSource::all_in(scratch.path()); }, "no images");
  write_file(scratch.path() / "data.tar", made_tar({{"a.txt", "bytes"}}));
  check_not_found([&] { ImageSource::all_in(scratch.path() / "data.tar"); }, "data.tar: no images");
}
