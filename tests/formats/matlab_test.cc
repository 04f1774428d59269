#include "formats/matlab.h"

#include "formats/mapped_file.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

MatlabStructs read(const std::filesystem::path& path) {
  return read_matlab_structs(MappedFile(path), "synsets");
}

Refusal matlab_refusal(const std::filesystem::path& path) {
  return refusal_from([&] { read(path); });
}

}  // namespace

TEST_CASE("MATLAB struct arrays are read as SciPy wrote them") {
  for (const char* name : {"structs.mat", "structs_deflated.mat"}) {
    INFO(name);
    CHECK(looks_like_matlab(MappedFile(made_file(name))));
    const MatlabStructs structs = read(made_file(name));
    CHECK(structs.fields.size() == 8);
    const auto& ids = structs.field("ILSVRC2012_ID");
    REQUIRE(ids.size() == 3);
    CHECK(ids[0].numbers == std::vector<double>{1});
    CHECK(ids[2].numbers == std::vector<double>{1001});
    CHECK(structs.field("WNID")[0].text == "n02119789");
    CHECK(structs.field("WNID")[1].text == "n02100735");
    CHECK(structs.field("words")[1].text == "w");
    CHECK(structs.field("gloss")[1].text.empty());
    CHECK(structs.field("num_train_images")[0].numbers == std::vector<double>{1300});
    CHECK(structs.field("children")[0].numbers.empty());
    CHECK(structs.field("children")[2].numbers == std::vector<double>{1, 2, 3});
    CHECK_THROWS_WITH(structs.field("WNIDs"), Contains("synsets: there is no field 'WNIDs'"));
    CHECK_THROWS_WITH(read_matlab_structs(MappedFile(made_file(name)), "others"),
                      Contains("no struct array 'others'"));
  }
}

TEST_CASE("every truncation of a MAT-file is refused") {
  OneFile file("meta.mat");
  for (const char* name : {"structs.mat", "structs_deflated.mat"}) {
    const std::string bytes = read_text(made_file(name));
    for (size_t length = 0; length < bytes.size(); ++length) {
      const Refusal refusal = matlab_refusal(file.write(bytes.substr(0, length)));
      INFO(name << " cut to " << length << ": " << refusal.message);
      REQUIRE(refusal.code == ErrorCode::kCorrupt);
      CHECK_THAT(refusal.message, Contains("meta.mat"));
    }
  }
}

TEST_CASE("MAT-files with bytes changed are read or refused") {
  OneFile file("meta.mat");
  const std::string bytes = read_text(made_file("structs.mat"));
  int refused = 0;
  for (size_t i = 126; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] ^= '\x55';
    refused += matlab_refusal(file.write(damaged)).code != ErrorCode{0};
  }
  CHECK(refused > 100);
  std::string big_endian = bytes;
  big_endian.replace(126, 2, "MI");
  CHECK(matlab_refusal(file.write(big_endian)).code == ErrorCode::kUnsupported);
}
