// swinzoo predict, by the real binary.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <map>

#include "formats/atomic_file.h"
#include "formats/safetensors.h"
#include "tests/cmd/results.h"
#include "tests/has_precision.h"
#include "tests/made_model.h"
#include "tests/process.h"

using namespace swinzoo;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

const fs::path kImages = SWINZOO_TEST_DATA "/preprocess/images";

struct Fixture {
  TemporaryFolder folder;
  std::string model = folder.path() / "mini";
  std::string out = folder.path() / "out.safetensors";

  Fixture() { write_model(model); }

  std::string input(const Shape& shape, DType dtype = DType::kF32, const std::string& name = "x") const {
    MadeTensor x{name, shape, {}};
    for (int64_t i = 0; i < element_count(shape); ++i)
      x.values.push_back(static_cast<float>(i % 61 - 30) / 64.0f);
    write_checkpoint(folder.path() / "x.safetensors", {x}, dtype);
    return folder.path() / "x.safetensors";
  }

  // numpy.save's file of the same values.
  std::string npy_input(const Shape& shape) const {
    input(shape);
    const auto x = open_checkpoint(folder.path() / "x.safetensors");
    Tensor scratch;
    const auto bytes = x->read(0, scratch).bytes;
    const std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}\n", fmt::join(shape, ", "));
    const auto length = static_cast<uint16_t>(header.size());
    AtomicFile file(folder.path() / "x.npy");
    file.write(std::string_view("\x93NUMPY\x01\x00", 8));
    file.write(std::string_view(reinterpret_cast<const char*>(&length), 2));
    file.write(header);
    file.write(bytes);
    file.commit();
    return folder.path() / "x.npy";
  }

  Result predict(std::vector<std::string> more) const {
    more.insert(more.begin(), {"predict", model, "--threads", "2"});
    return run_swinzoo(more);
  }
};

std::map<std::string, Shape> shapes_in(const std::string& path) {
  const auto file = open_checkpoint(path);
  std::map<std::string, Shape> shapes;
  for (const TensorInfo& info : file->tensors()) shapes[info.name] = info.shape;
  return shapes;
}

std::vector<float> values_in(const std::string& path, const std::string& name) {
  const auto file = open_checkpoint(path);
  REQUIRE(file->find(name) >= 0);
  Tensor scratch;
  const auto values = file->read(static_cast<size_t>(file->find(name)), scratch).as<float>();
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("predict prints the best classes of images") {
  const Fixture made;
  const Result text = made.predict({kImages / "rgb.png", "--topk", "2"});
  CHECK(text.status == 0);
  CHECK_THAT(text.out, Contains("rgb.png") && Contains("probability"));
  const json::array results = results_of(made.predict({kImages / "rgb.png", kImages / "gray.jpg", "--json"}));
  REQUIRE(results.size() == 2);
  for (const json::value& result : results) {
    CHECK(result.at("model") == "mini");
    const json::array& top = result.at("top").as_array();
    REQUIRE(top.size() == 5);
    double sum = 0, before = 2;
    for (const json::value& guess : top) {
      sum += as_number(guess.at("probability"), "p");
      CHECK(as_number(guess.at("probability"), "p") <= before);
      before = as_number(guess.at("probability"), "p");
    }
    CHECK(sum == Approx(1));
  }
  CHECK(results_of(made.predict({kImages / "rgb.png", "--json", "--topk", "100"}))[0]
            .at("top")
            .as_array()
            .size() == 5);
}

TEST_CASE("predict says the precision that ran, and a CPU or backend without the one asked for ends in 7") {
  const Fixture made;
  CHECK(results_of(made.predict({kImages / "rgb.png", "--json"}))[0].at("precision") == "fp32");
  const Result reference =
      made.predict({kImages / "rgb.png", "--backend", "reference", "--precision", "bf16"});
  CHECK(reference.status == 7);
  CHECK_THAT(reference.err, Contains("fp32 only"));
  const Result bf16 = made.predict({kImages / "rgb.png", "--precision", "bf16", "--json"});
  if (has_precision(backends::Precision::kBf16)) {
    CHECK(results_of(bf16)[0].at("precision") == "bf16");
  } else {
    CHECK(bf16.status == 7);
    CHECK(bf16.out.empty());
  }
}

TEST_CASE("predict names the classes of ImageNet-1k") {
  const Fixture made;
  const std::string model = made.folder.path() / "thousand";
  write_model(model, {.num_classes = 1000});
  const json::array top =
      results_of(run_swinzoo({"predict", model, kImages / "rgb.png", "--topk", "1000", "--json"}))[0]
          .at("top")
          .as_array();
  REQUIRE(top.size() == 1000);
  for (const json::value& guess : top) {
    if (guess.at("class") == 0) CHECK(guess.at("name") == "tench, Tinca tinca");
    if (guess.at("class") == 999) CHECK(guess.at("name") == "toilet tissue, toilet paper, bathroom tissue");
  }
  const Result text = run_swinzoo({"predict", model, kImages / "rgb.png", "--topk", "1000"});
  CHECK_THAT(text.out, Contains("class  name ") && Contains("  1  goldfish, Carassius auratus "));
}

TEST_CASE("predict names the classes as the model's config or a file does") {
  const Fixture made;
  const auto names_of = [&](const std::string& model, std::vector<std::string> more) {
    more.insert(more.begin(), {"predict", model, kImages / "rgb.png", "--json"});
    std::map<int64_t, std::string> names;
    const json::array results = results_of(run_swinzoo(more));
    for (const json::value& guess : results.at(0).at("top").as_array()) {
      const json::value* name = find_member(guess.as_object(), "name");
      names[as_int(guess.at("class"), "class")] = name == nullptr ? "none" : as_string(*name, "name");
    }
    return names;
  };
  const std::map<int64_t, std::string> none = {
      {0, "none"}, {1, "none"}, {2, "none"}, {3, "none"}, {4, "none"}};
  CHECK(names_of(made.model, {}) == none);

  json::object config = made_config({});
  config["label_names"] = {"n0", "n1", "n2", "n3", "n4"};
  config["label_descriptions"] = json::object{{"n3", "drei"}};
  write_file(fs::path(made.model) / "config.json", to_pretty_json(config));
  const std::map<int64_t, std::string> labels = {{0, "n0"}, {1, "n1"}, {2, "n2"}, {3, "drei"}, {4, "n4"}};
  CHECK(names_of(made.model, {}) == labels);
  const std::string converted = made.folder.path() / "converted.safetensors";
  CHECK(run_swinzoo({"convert", made.model, "-o", converted}).status == 0);
  CHECK(names_of(converted, {}) == labels);

  const fs::path list = made.folder.path() / "list.txt";
  write_file(list, "a\nb\nc\nd\ne\n");
  CHECK(names_of(converted, {"--classes", list}) ==
        std::map<int64_t, std::string>{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}});
  write_file(list, "a\nb\n");
  const Result wrong = made.predict({kImages / "rgb.png", "--classes", list});
  CHECK(wrong.status == 2);
  CHECK_THAT(wrong.err, Contains("list.txt: 2 names") && Contains("5 classes"));
  CHECK(made.predict({kImages / "rgb.png", "--classes", "/no/such.txt"}).status == 3);
}

TEST_CASE("predict reads a folder of images in natural order") {
  const Fixture made;
  const fs::path images = made.folder.path() / "images";
  fs::create_directories(images / "below");
  for (const char* name : {"img10.png", "img2.PNG", "below/a.png"})
    fs::copy_file(kImages / "rgb.png", images / name);
  write_file(images / "notes.txt", "no image");
  const json::array results = results_of(made.predict({images, "--json"}));
  REQUIRE(results.size() == 3);
  CHECK(results[0].at("input") == json::value((images / "below/a.png").string()));
  CHECK(results[1].at("input") == json::value((images / "img2.PNG").string()));
  CHECK(as_number(results[0].at("top").at(0).at("logit"), "logit") ==
        Approx(as_number(results[2].at("top").at(0).at("logit"), "logit")));
}

TEST_CASE("predict writes every output and both backends agree") {
  const Fixture made;
  const std::vector<std::string> all = {made.input({2, 3, 32, 32}),
                                        "--outputs",
                                        "logits,embedding,features,feature_maps,attention",
                                        "-o",
                                        made.out,
                                        "-q"};
  CHECK(made.predict(all).status == 0);
  const std::map<std::string, Shape> expected = {{"logits", {2, 5}},
                                                 {"embedding", {2, 64}},
                                                 {"features", {2, 1, 1, 64}},
                                                 {"feature_map.0", {2, 8, 8, 8}},
                                                 {"feature_map.1", {2, 4, 4, 16}},
                                                 {"feature_map.2", {2, 2, 2, 32}},
                                                 {"feature_map.3", {2, 1, 1, 64}},
                                                 {"attention.0", {8, 1, 16, 16}},
                                                 {"attention.1", {8, 1, 16, 16}},
                                                 {"attention.2", {2, 2, 16, 16}},
                                                 {"attention.3", {2, 2, 4, 4}},
                                                 {"attention.4", {2, 4, 1, 1}}};
  CHECK(shapes_in(made.out) == expected);
  std::vector<std::string> reference = all;
  const std::string oracle = made.folder.path() / "oracle.safetensors";
  reference[4] = oracle;
  reference.insert(reference.end(), {"--backend", "reference"});
  CHECK(made.predict(reference).status == 0);
  for (const auto& [name, shape] : expected) {
    INFO(name);
    const std::vector<float> a = values_in(made.out, name), b = values_in(oracle, name);
    double largest = 0, error = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(double{b[i]}));
      error = std::max(error, std::abs(double{a[i]} - b[i]));
    }
    CHECK(error <= 1e-4 * largest);
  }
}

TEST_CASE("predict gives the same for a tensor in safetensors and npy and keeps the order of its inputs") {
  const Fixture made;
  const std::string x = made.input({2, 3, 32, 32});
  CHECK(made.predict({x, "-o", made.out}).status == 0);
  const std::vector<float> logits = values_in(made.out, "logits");
  const std::string both = made.folder.path() / "both.safetensors";
  const json::array results =
      results_of(made.predict({kImages / "rgb.png", made.npy_input({2, 3, 32, 32}), "-o", both, "--json"}));
  REQUIRE(results.size() == 3);
  CHECK(results[0].at("input") == json::value((kImages / "rgb.png").string()));
  CHECK_THAT(as_string(results[2].at("input"), "input"), Catch::EndsWith("x.npy[1]"));
  const std::vector<float> all = values_in(both, "logits");
  REQUIRE(all.size() == 15);
  for (size_t i = 0; i < logits.size(); ++i) CHECK(all[i + 5] == Approx(logits[i]).margin(1e-5));
}

TEST_CASE("predict of a model without a head wants a file for its embedding") {
  const Fixture made;
  const std::string headless = made.folder.path() / "headless";
  write_model(headless, {.num_classes = 0, .in_chans = 1});
  const std::string x = made.input({1, 1, 32, 32});
  CHECK(run_swinzoo({"predict", headless, x}).status == 2);
  CHECK(run_swinzoo({"predict", headless, x, "-o", made.out}).status == 0);
  CHECK(shapes_in(made.out) == std::map<std::string, Shape>{{"embedding", {1, 64}}});
}

TEST_CASE("predict names what is wrong with its input") {
  const Fixture made;
  const auto status_of = [](const Result& result, const std::string& said) {
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Contains(said));
    return result.status;
  };
  CHECK(status_of(made.predict({}), "input") == 2);
  CHECK(status_of(made.predict({"/no/such.jpg"}), "/no/such.jpg") == 3);
  CHECK(status_of(made.predict({"/no/such.npy"}), "/no/such.npy") == 3);
  CHECK(status_of(made.predict({std::string(300, 'n')}), "nnn") == 3);
  const fs::path bad = made.folder.path() / "bad.jpg";
  write_file(bad, read_text(kImages / "baseline_420.jpg").substr(0, 1000));
  CHECK(status_of(made.predict({bad}), "bad.jpg") == 5);
  write_file(bad, "");
  CHECK(status_of(made.predict({bad}), "bad.jpg") == 5);
  write_file(made.folder.path() / "bad.npy", "\x93NUMPY");
  CHECK(status_of(made.predict({made.folder.path() / "bad.npy"}), "bad.npy") == 5);
  fs::create_directories(made.folder.path() / "empty");
  CHECK(status_of(made.predict({made.folder.path() / "empty"}), "no images") == 3);

  CHECK(status_of(made.predict({made.input({1, 3, 32, 32}, DType::kF32, "y")}), "no tensor 'x'") == 3);
  CHECK(status_of(made.predict({made.input({1, 3, 32, 33})}), "[1, 3, 32, 33]") == 2);
  CHECK(status_of(made.predict({made.input({})}), "[]") == 2);
  CHECK(status_of(made.predict({made.input({0, 3, 32, 32})}), "[0, 3, 32, 32]") == 2);
  {
    const std::vector<std::byte> bytes(3 * 32 * 32);
    const TensorView x{DType::kU8, {1, 3, 32, 32}, bytes};
    SafetensorsWriter integers(made.folder.path() / "i.safetensors", {{"x", x.dtype, x.shape}}, {});
    integers.write(x);
    integers.commit();
  }
  CHECK(status_of(made.predict({made.folder.path() / "i.safetensors"}), "i.safetensors") == 7);
  CHECK(status_of(made.predict({made.input({1, 3, 32, 32}), "--outputs", "logit"}), "no output 'logit'") ==
        2);
  CHECK(status_of(made.predict({made.input({1, 3, 32, 32}), "--topk", "0"}), "--topk") == 2);
  CHECK(status_of(made.predict({made.input({1, 3, 32, 32}), "--outputs", "embedding"}), "-o") == 2);
}

TEST_CASE("predict runs a video model on clips of any size") {
  const Fixture made;
  const std::string video = SWINZOO_TEST_DATA "/golden/video_swin_mini_odd";
  const auto predict = [&](const std::string& input) {
    return run_swinzoo({"predict", video, input, "--outputs", "logits,features,attention", "-o", made.out});
  };
  CHECK(predict(made.input({2, 3, 5, 20, 20})).status == 0);
  const auto shapes = shapes_in(made.out);
  CHECK(shapes.at("logits") == Shape{2, 5});
  CHECK(shapes.at("features") == Shape{2, 32, 3, 1, 1});
  CHECK(shapes.at("attention.0") == Shape{4, 1, 50, 50});
  CHECK(predict(made.input({1, 3, 5, 20, 16})).status == 0);
  CHECK(shapes_in(made.out).at("attention.0") == Shape{2, 1, 40, 40});

  const auto status_of = [](const Result& result, const std::string& said) {
    CHECK(result.out.empty());
    CHECK_THAT(result.err, Catch::StartsWith("swinzoo: error: ") && Contains(said));
    return result.status;
  };
  CHECK(status_of(predict(made.input({1, 3, 0, 20, 20})), "frames is 0") == 5);
  CHECK(status_of(predict(made.input({1, 3, 20, 20})), "[1, 3, 20, 20]") == 2);
  CHECK(status_of(predict(made.input({1, 1, 5, 20, 20})), "[1, 1, 5, 20, 20]") == 2);
  CHECK(status_of(predict(kImages / "rgb.png"), "takes clips") == 7);
  CHECK(run_swinzoo({"bench", video, "--iterations", "1", "--warmup", "0"}).status == 0);
  CHECK(status_of(run_swinzoo({"eval", video, "--data", SWINZOO_TEST_DATA "/imagenet_mini"}), "clips") == 7);
}

TEST_CASE("predict on half precision input equals that on the same values in float32") {
  const Fixture made;
  const std::string half = made.folder.path() / "half.safetensors";
  CHECK(made.predict({made.input({1, 3, 32, 32}), "-o", made.out}).status == 0);
  CHECK(made.predict({made.input({1, 3, 32, 32}, DType::kF16), "-o", half}).status == 0);
  CHECK(values_in(half, "logits") == values_in(made.out, "logits"));
}

TEST_CASE("predict writes the attention of the blocks that are asked for") {
  const Fixture made;
  const std::string x = made.input({2, 3, 32, 32});
  CHECK(made.predict({x, "--outputs", "attention", "-o", made.out}).status == 0);
  const std::vector<float> third = values_in(made.out, "attention.3");
  CHECK(made.predict({x, "--attention-blocks", "0,3", "-o", made.out}).status == 0);
  CHECK(shapes_in(made.out) ==
        std::map<std::string, Shape>{{"attention.0", {8, 1, 16, 16}}, {"attention.3", {2, 2, 4, 4}}});
  CHECK(values_in(made.out, "attention.3") == third);
  CHECK(
      made.predict({x, "--outputs", "logits,attention", "--attention-blocks", "3", "-o", made.out}).status ==
      0);
  CHECK(shapes_in(made.out) ==
        std::map<std::string, Shape>{{"logits", {2, 5}}, {"attention.3", {2, 2, 4, 4}}});
  const Result none = made.predict({x, "--attention-blocks", "0,5", "-o", made.out});
  CHECK(none.status == 2);
  CHECK_THAT(none.err, Contains("attention.5"));
}

TEST_CASE("predict ends in 6 where there is no room for its outputs") {
  const Fixture made;
  // A limit on the size of files, in blocks of 512 or 1024 bytes, stands for a disk that is full.
  Process process({"/bin/sh", "-c", "ulimit -f 8; exec \"$0\" \"$@\"", SWINZOO_BINARY, "predict", made.model,
                   made.input({8, 3, 32, 32}), "--outputs", "attention", "-o", made.out},
                  {});
  CHECK(process.wait() == 6);
  CHECK_THAT(process.err(), Contains("out.safetensors") && Contains("File too large"));
  CHECK_FALSE(fs::exists(made.out));
  for (const auto& entry : fs::directory_iterator(made.folder.path())) {
    CHECK(entry.path().extension() != ".tmp");
  }
}

TEST_CASE("predict leaves no output file when an input fails") {
  const Fixture made;
  const Result result = made.predict({made.input({1, 3, 32, 32}), "/no/such.jpg", "-o", made.out});
  CHECK(result.status == 3);
  CHECK_FALSE(fs::exists(made.out));
}
