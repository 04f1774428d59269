#include "formats/hdf5.h"

#include <algorithm>

#include "formats/mapped_file.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const TensorInfo& tensor : checkpoint.tensors()) names.push_back(tensor.name);
  return names;
}

// A fork costs 3 ms, and 30 ms under sanitizers: there, every 16th byte is damaged.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStep = 16;
constexpr int kFlips = 20;
#else
constexpr size_t kStep = 1;
constexpr int kFlips = 50;
#endif

// Every byte, with one bit of it flipped: the file is read or refused, in time.
void check_every_byte(const std::string& name) {
  const std::string bytes = read_text(made_file(name));
  REQUIRE_FALSE(bytes.empty());
  OneFile file(name);
  int refused = 0;
  for (size_t at = 0; at < bytes.size(); at += kStep) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at / kStep % 8));
    const Refusal refusal = refusal_of(file.write(damaged));
    INFO(name << " with a bit flipped at " << at << ": " << refusal.message);
    const bool is_known = refusal.code == ErrorCode{0} || refusal.code == ErrorCode::kCorrupt ||
                          refusal.code == ErrorCode::kUnsupported;
    REQUIRE(is_known);
    REQUIRE_THAT(refusal.message, !Contains("did not end"));
    refused += refusal.code == ErrorCode{0} ? 0 : 1;
  }
  CHECK(refused > 10);
}

}  // namespace

TEST_CASE("data sets of an HDF5 file are as they were written") {
  check_same_tensors(made_file("hdf5.h5"), made_file("hdf5.safetensors"));
  CHECK(open_checkpoint(made_file("hdf5.h5"))->format() == "hdf5");
}

TEST_CASE("dense data sets are read in place") {
  auto file = std::make_unique<MappedFile>(made_file("hdf5.h5"));
  const std::span<const std::byte> bytes = file->bytes();
  const auto checkpoint = open_hdf5(std::move(file));
  const auto is_in_place = [&](const char* name) {
    Tensor scratch;
    const TensorView view = checkpoint->read(static_cast<size_t>(checkpoint->find(name)), scratch);
    return view.bytes.data() >= bytes.data() && view.bytes.data() < bytes.data() + bytes.size();
  };
  for (const char* name : {"dense", "double", "half", "int8", "special", "groups/within/groups"})
    CHECK(is_in_place(name));
  for (const char* name : {"chunked", "gzip", "shuffled", "big_float", "compact", "never_written"}) {
    CHECK_FALSE(is_in_place(name));
  }
}

TEST_CASE("Keras' lists give the tensors and their order") {
  const auto weights = open_checkpoint(made_file("keras_weights.h5"));
  const std::vector<std::string> names = names_of(*weights);
  REQUIRE(names.size() == 50);
  CHECK(names[0] == "projection/conv_projection/kernel:0");
  CHECK(names[4] ==
        "basic_layer_3/swin_made/basic_layer_3/swin_transformer_block_0/layer_normalization_11/gamma:0");
  CHECK(names[13] == "basic_layer_3/dense_7/kernel:0");
  CHECK(names[49] == "classification_head/swin_made/classification_head/bias:0");
  CHECK(weights->metadata().empty());

  const auto model = open_checkpoint(made_file("keras_model.h5"));
  REQUIRE(model->tensors().size() == 50);
  CHECK(names_of(*model)[4] ==
        "swin_made/swin_made/basic_layer_3/swin_transformer_block_0/layer_normalization_11/gamma:0");
  CHECK(model->metadata().at("keras_version") == "2.15.0");
  CHECK_THAT(model->metadata().at("model_config"), Contains("SwinTransformer"));
  CHECK(model->metadata().at("signature.input_shape") == "[-1, 16, 16, 3]");
  CHECK(model->metadata().at("left_out") == "optimizer_weights/Adam/iterations:0");
}

TEST_CASE("Keras archives are read stored and deflated") {
  for (const char* name : {"keras_stored.keras", "keras_deflated.keras"}) {
    const auto checkpoint = open_checkpoint(made_file(name));
    CHECK(checkpoint->format() == "keras");
    REQUIRE(checkpoint->tensors().size() == 50);
    CHECK(checkpoint->find("layers/swin_transformer/norm/vars/0") >= 0);
    CHECK(checkpoint->metadata().at("signature.input_shape") == "[-1, 16, 16, 3]");
    CHECK(checkpoint->metadata().at("metadata.json") == R"({"keras_version": "2.15.0"})");
    CHECK(checkpoint->metadata().at("left_out") == "assets/a.txt, optimizer/vars/0");
    const auto plain = open_checkpoint(made_file("keras_3.weights.h5"));
    for (size_t i = 0; i < plain->tensors().size(); ++i) {
      Tensor scratch, other;
      const int64_t index = checkpoint->find("layers/swin_transformer/" + plain->tensors()[i].name);
      REQUIRE(index >= 0);
      CHECK(std::ranges::equal(plain->read(i, scratch).bytes,
                               checkpoint->read(static_cast<size_t>(index), other).bytes));
    }
  }
}

TEST_CASE("a model's configuration that says no shape is kept as text") {
  const std::string weights = read_text(made_file("hdf5_small.h5"));
  OneFile file("made.keras");
  for (
      const char* config :
      {"", "{", "[]", "{}", R"({"config": []})", R"({"config": {"layers": 1}})",
       R"({"config": {"layers": [1]}})", R"({"config": {"layers": [{"class_name": "InputLayer"}]}})",
       R"({"config": {"layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [null, null]}}]}})"}) {
    INFO(config);
    const auto checkpoint = open_checkpoint(file.write(ZipMaker()
                                                           .add(ZipMaker::stored("model.weights.h5", weights))
                                                           .add(ZipMaker::stored("config.json", config))
                                                           .finish()));
    CHECK(checkpoint->metadata().at("model_config") == config);
    CHECK_FALSE(checkpoint->metadata().contains("signature.input_shape"));
  }
}

TEST_CASE("Keras archives that lack or spoil their weights are refused") {
  const std::string weights = read_text(made_file("hdf5_small.h5"));
  OneFile file("made.keras");
  const auto code_with = [&](const ZipMaker::Entry& entry) {
    return refusal_of(file.write(ZipMaker().add(entry).finish())).code;
  };
  CHECK(code_with(ZipMaker::stored("model.weights.h5", weights)) == ErrorCode{0});
  CHECK(code_with(ZipMaker::deflated("model.weights.h5", weights)) == ErrorCode{0});
  CHECK(code_with(ZipMaker::stored("config.json", "{}")) == ErrorCode::kCorrupt);
  CHECK(code_with(ZipMaker::stored("model.weights.h5", "")) == ErrorCode::kCorrupt);
  CHECK(code_with(ZipMaker::deflated("model.weights.h5", "")) == ErrorCode::kCorrupt);
  CHECK(code_with(ZipMaker::stored("model.weights.h5", weights.substr(0, 1000))) == ErrorCode::kCorrupt);
  ZipMaker::Entry damaged = ZipMaker::deflated("model.weights.h5", weights);
  damaged.crc ^= 1;
  CHECK(code_with(damaged) == ErrorCode::kCorrupt);
}

TEST_CASE("links are not followed out of a file and cycles end") {
  const auto checkpoint = open_checkpoint(made_file("hdf5_links.h5"));
  CHECK(names_of(*checkpoint) == std::vector<std::string>{"a/b/here", "twice"});
  CHECK(checkpoint->metadata().at("left_out") == "dangling, outside, soft, type");
  Tensor scratch;
  CHECK(checkpoint->read(1, scratch).as<float>()[1] == 1.0f);
}

TEST_CASE("HDF5 files that are not read say why") {
  const auto check = [](const std::string& name, ErrorCode code, const std::string& message) {
    const Refusal refusal = refusal_of(made_file(name));
    INFO(name);
    CHECK(refusal.code == code);
    CHECK_THAT(refusal.message, Contains(name + ": HDF5 file: ") && Contains(message));
  };
  check("hdf5_external.h5", ErrorCode::kUnsupported, "/passwords has its elements in other files");
  check("hdf5_virtual.h5", ErrorCode::kUnsupported, "/elsewhere has its elements in other files");
  check("hdf5_lzf.h5", ErrorCode::kUnsupported, "/lzf goes through filter 32000");
  check("hdf5_strings.h5", ErrorCode::kUnsupported, "/text is of a type");
  check("hdf5_user_block.h5", ErrorCode::kCorrupt, "does not start as HDF5 files do");
  check("hdf5_huge.h5", ErrorCode::kCorrupt, "claims 4398046511104 bytes, of which 0 are stored");
  check("hdf5_huge_contiguous.h5", ErrorCode::kCorrupt, "claims 4398046511104 bytes");
  check("hdf5_overflow.h5", ErrorCode::kCorrupt, "[8589934592, 8589934592]");
  check("hdf5_most.h5", ErrorCode::kCorrupt, "2305843009213693952 elements");
  check("hdf5_bomb.h5", ErrorCode::kCorrupt, "/zeros claims 71303168 bytes, of which 69315 are stored");
  check("hdf5_deep.h5", ErrorCode::kCorrupt, "64 deep");
  check("hdf5_unlisted.h5", ErrorCode::kCorrupt, "k:0, which is not there");
}

TEST_CASE("a damaged compressed data set is refused when it is read") {
  const std::string bytes = read_text(made_file("hdf5.h5"));
  const size_t at = bytes.find("\x78\x5e");  // a zlib stream's beginning, at level 4
  REQUIRE(at != std::string::npos);
  std::string damaged = bytes;
  damaged.replace(at + 2, 8, std::string(8, '\xff'));
  OneFile file("made.h5");
  const Refusal refusal = refusal_of(file.write(damaged));
  CHECK(refusal.code == ErrorCode::kCorrupt);
  CHECK_THAT(refusal.message, Contains("made.h5: data set /"));
}

TEST_CASE("HDF5 files cut at any length are refused") {
  check_truncations(made_file("hdf5_small.h5"));
  CHECK_THAT(refusal_of(OneFile("a.h5").write(read_text(made_file("hdf5_small.h5")).substr(0, 1000))).message,
             Contains("cut short: 1000 of 2648 bytes"));
  check_truncations(made_file("hdf5_small_new.h5"));
}

TEST_CASE("HDF5 files of Keras' kind with any byte changed are read or refused") {
  check_every_byte("hdf5_small.h5");
}

TEST_CASE("HDF5 files of the newer kind with any byte changed are read or refused") {
  check_every_byte("hdf5_small_new.h5");
}

TEST_CASE("larger HDF5 files with damaged bytes are read or refused") {
  check_flips(made_file("hdf5.h5"), kFlips);
  check_flips(made_file("keras_weights.h5"), kFlips);
  check_flips(made_file("keras_deflated.keras"), kFlips);
}
