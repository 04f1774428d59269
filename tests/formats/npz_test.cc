#include "formats/npz.h"

#include "formats/mapped_file.h"
#include "formats/npy.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

// A .npy file of version 1.
std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                const std::string& data) {
  const std::string literal =
      "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  const auto length = static_cast<uint16_t>(literal.size());
  return std::string("\x93NUMPY\x01\x00", 8) + std::string(reinterpret_cast<const char*>(&length), 2) +
         literal + data;
}

Refusal refusal_of_member(const std::string& member) {
  OneFile file("made.npz");
  return refusal_of(file.write(ZipMaker().add(ZipMaker::stored("a.npy", member)).finish()));
}

}  // namespace

TEST_CASE("arrays of an npz file are as NumPy saved them") {
  check_same_tensors(made_file("stored.npz"), made_file("arrays.safetensors"));
  check_same_tensors(made_file("deflated.npz"), made_file("arrays.safetensors"));
  CHECK(open_checkpoint(made_file("stored.npz"))->format() == "npz");
}

TEST_CASE("npz members that are no arrays are told") {
  OneFile file("made.npz");
  const auto checkpoint =
      open_checkpoint(file.write(ZipMaker()
                                     .add(ZipMaker::stored("a.npy", npy("'|u1'", "False", "(2,)", "ab")))
                                     .add(ZipMaker::stored("notes.txt", "hello"))
                                     .finish()));
  CHECK(checkpoint->tensors().size() == 1);
  CHECK(checkpoint->metadata().at("left_out") == "notes.txt");
}

TEST_CASE("damaged npz files are refused or read and nothing else") {
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    check_truncations(made_file(name));
    check_flips(made_file(name), 1000);
  }
}

TEST_CASE("bad npy members are refused by what is wrong") {
  CHECK(refusal_of(made_file("objects.npz")).code == ErrorCode::kUnsupported);
  CHECK_THAT(refusal_of(made_file("objects.npz")).message, Contains("text.npy") && Contains("<U1"));
  CHECK(refusal_of_member(npy("'<f4'", "False", "(1,)", "abcd")).code == ErrorCode{0});
  CHECK(refusal_of_member(npy("'>f4'", "False", "(1,)", "abcd")).code == ErrorCode::kUnsupported);
  CHECK(refusal_of_member(npy("'|O'", "False", "(1,)", "abcd")).code == ErrorCode::kUnsupported);
  CHECK(refusal_of_member(npy("[('a', '<f4')]", "False", "(1,)", "abcd")).code == ErrorCode::kUnsupported);
  for (const char* shape : {"(2,)", "(-1,)", "(4294967296, 4294967296)", "(99999999999999999999,)", "(1", "7",
                            "(a,)", "(4611686018427387904,)"}) {
    INFO(shape);
    CHECK(refusal_of_member(npy("'<f4'", "False", shape, "abcd")).code == ErrorCode::kCorrupt);
  }
  CHECK(refusal_of_member(npy("'<f4'", "True", "(0, 4611686018427387904, 8)", "")).code == ErrorCode{0});
  CHECK(refusal_of_member("").code == ErrorCode::kCorrupt);
  CHECK(refusal_of_member(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12)).code == ErrorCode::kCorrupt);
  CHECK(refusal_of_member(std::string("\x93NUMPY\x01\x00\x02\x00{}", 12)).code == ErrorCode::kCorrupt);
}
