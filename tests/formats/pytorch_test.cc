#include "formats/pytorch.h"

#include "formats/mapped_file.h"
#include "formats/pickle.h"
#include "tests/formats/bad_files.h"

using namespace swinzoo;
using namespace std::string_literals;
using Catch::Matchers::Contains;

namespace {

// Pieces of pickles.
const std::string kStart = "\x80\x02", kOrderedDict = "ccollections\nOrderedDict\n)R";

std::string text(const std::string& value) {
  const auto length = static_cast<uint32_t>(value.size());
  return "X" + std::string(reinterpret_cast<const char*>(&length), 4) + value;
}

std::string number(int64_t value) {
  return "\x8a\x08" + std::string(reinterpret_cast<const char*>(&value), 8);
}

std::string tuple(const std::vector<int64_t>& values) {
  std::string items = "(";
  for (const int64_t value : values) items += number(value);
  return items + "t";
}

std::string storage(const std::string& type, const std::string& key, int64_t elements) {
  return "(" + text("storage") + "ctorch\n" + type + "\n" + text(key) + text("cpu") + number(elements) + "tQ";
}

std::string tensor(const std::string& storage, int64_t offset, const std::vector<int64_t>& shape,
                   const std::vector<int64_t>& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + tuple(shape) + tuple(strides) +
         "\x89}tR";
}

std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string pickle = "}(";
  for (const auto& [key, value] : items) pickle += text(key) + value;
  return pickle + "u";
}

const std::string kFourFloats("\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 16);  // 0, 1, 2, 3

// A checkpoint in the zip layout with one storage, "0".
std::string pth(const std::string& object, const std::string& data = kFourFloats) {
  return ZipMaker()
      .add(ZipMaker::stored("a/data.pkl", kStart + object + "."))
      .add(ZipMaker::stored("a/data/0", data))
      .finish();
}

Refusal refusal(const std::string& object) {
  OneFile file("made.pth");
  return refusal_of(file.write(pth(object)));
}

// What is wrong with one tensor of four floats.
Refusal refusal_of_tensor(int64_t offset, const std::vector<int64_t>& shape,
                          const std::vector<int64_t>& strides) {
  return refusal(dict({{"w", tensor(storage("FloatStorage", "0", 4), offset, shape, strides)}}));
}

const std::string kWeight = tensor(storage("FloatStorage", "0", 4), 0, {4}, {1});

}  // namespace

TEST_CASE("PyTorch checkpoints of both layouts hold what torch saved") {
  for (const char* name :
       {"plain.pth", "legacy.pth", "protocol5.pth", "legacy_protocol4.pth", "deflated.pth"}) {
    check_same_tensors(made_file(name), made_file("plain.safetensors"));
  }
  const auto zip = open_checkpoint(made_file("plain.pth")), legacy = open_checkpoint(made_file("legacy.pth"));
  CHECK(zip->format() == "pytorch");
  CHECK(zip->metadata().at("layout") == "zip");
  CHECK(legacy->metadata().at("layout") == "legacy");
  CHECK(zip->tensors()[0].name == "dense");
  CHECK(zip->metadata().count("unwrapped") == 0);
}

TEST_CASE("dense tensors of a zip checkpoint are views of the file") {
  const auto checkpoint = open_checkpoint(made_file("plain.pth"));
  Tensor scratch;
  checkpoint->read(0, scratch);
  CHECK(scratch.bytes().empty());
}

TEST_CASE("a training checkpoint is unwrapped and says what it leaves out") {
  check_same_tensors(made_file("training.pth"), made_file("training.safetensors"));
  const auto metadata = open_checkpoint(made_file("training.pth"))->metadata();
  CHECK(metadata.at("unwrapped") == "model");
  CHECK(metadata.at("left_out") ==
        "optimizer, lr_scheduler, max_accuracy, args, history, epoch, big, config");
  CHECK_THAT(metadata.at("closed_globals"),
             Contains("yacs.config.CfgNode") && Contains("argparse.Namespace"));
}

TEST_CASE("prefixes that most names carry are stripped") {
  check_same_tensors(made_file("video.pth"), made_file("video.safetensors"));
  CHECK(open_checkpoint(made_file("video.pth"))->metadata().at("stripped_prefixes") == "backbone.");
  check_same_tensors(made_file("ema.pth"), made_file("ema.safetensors"));
  const auto ema = open_checkpoint(made_file("ema.pth"))->metadata();
  CHECK(ema.at("unwrapped") == "state_dict_ema.model");
  CHECK(ema.at("stripped_prefixes") == "module.");
  CHECK(ema.at("left_out") == "state_dict");

  OneFile file("made.pth");
  const auto few =
      open_checkpoint(file.write(pth(dict({{"module.a", kWeight}, {"b", kWeight}, {"c", kWeight}}))));
  CHECK(few->find("module.a") == 0);
  CHECK_THAT(refusal(dict({{"module.a", kWeight}, {"a", kWeight}})).message,
             Contains("tensor a: stands twice"));
}

TEST_CASE("a pickle that calls something is refused by name and runs nothing") {
  for (const char* name : {"evil.pth", "evil_beside.pth", "evil_legacy.pth"}) {
    const Refusal refusal = refusal_of(made_file(name));
    CHECK(refusal.code == ErrorCode::kUnsupported);
    CHECK_THAT(refusal.message, Contains("posix.system") && Contains(name));
    CHECK_FALSE(std::filesystem::exists("pwned"));
  }
  CHECK_THAT(refusal_of(made_file("unknown.pth")).message, Contains("unknown_package.Unknown"));
  CHECK_THAT(refusal("cos\nsystem\n" + text("true") + "\x85R").message, Contains("os.system"));
  CHECK_THAT(refusal(text("builtins") + text("eval") + "\x93").message, Contains("builtins.eval"));
  CHECK_THAT(refusal(text("torch") + text("load\n") + "\x93").message, Contains("torch.load"));
}

TEST_CASE("a closed global is refused by name where a weight depends on it") {
  CHECK_THAT(refusal_of(made_file("config_within.pth")).message,
             Contains("entry config") && Contains("yacs.config.CfgNode"));
  CHECK_THAT(refusal("cyacs.config\nCfgNode\n)\x81").message, Contains("yacs.config.CfgNode"));
  CHECK_THAT(refusal(dict({{"model", "cyacs.config\nCfgNode\n)\x81"}})).message,
             Contains("yacs.config.CfgNode"));
}

TEST_CASE("damaged PyTorch files are refused or read and nothing else") {
  for (const char* name : {"plain.pth", "legacy.pth", "protocol5.pth", "legacy_protocol4.pth", "deflated.pth",
                           "training.pth", "video.pth"}) {
    check_truncations(made_file(name));
    check_flips(made_file(name), 1000);
  }
}

TEST_CASE("files that hold no state dict say what they hold") {
  CHECK_THAT(refusal("K\1").message, Contains("holds no state dict but a number"));
  CHECK_THAT(refusal("]").message, Contains("but a list"));
  CHECK_THAT(refusal("}").message, Contains("holds no tensors"));
  CHECK_THAT(refusal(dict({{"model", "}"}})).message, Contains("holds no tensors"));
  CHECK_THAT(refusal(kWeight).message, Contains("torch._utils._rebuild_tensor_v2"));
  CHECK_THAT(refusal("}(K\1" + kWeight + "u").message, Contains("a key is a number"));
  CHECK_THAT(refusal(dict({{"a", kWeight}, {"a", kWeight}})).message, Contains("key a: stands twice"));
  // A dictionary that is its own model.
  CHECK_THAT(refusal("}q\0("s + text("model") + "h\0u"s).message, Contains("holds no tensors"));
}

TEST_CASE("tensors that leave their storage are refused") {
  CHECK(refusal_of_tensor(0, {4}, {1}).message.empty());
  CHECK(refusal_of_tensor(3, {}, {}).message.empty());
  CHECK(refusal_of_tensor(99, {0, int64_t{1} << 62, 8}, {1, 1, 1}).message.empty());
  CHECK(refusal_of_tensor(0, {2, 4}, {0, 1}).message.empty());
  constexpr int64_t kHuge = int64_t{1} << 62;
  for (const auto& [offset, shape, strides] :
       std::vector<std::tuple<int64_t, std::vector<int64_t>, std::vector<int64_t>>>{
           {0, {5}, {1}},
           {1, {4}, {1}},
           {4, {}, {}},
           {0, {2, 2}, {3, 2}},
           {kHuge, {4}, {1}},
           {std::numeric_limits<int64_t>::max(), {4}, {1}},
           {0, {4}, {kHuge}},
           {0, {3, 3}, {kHuge, kHuge}},
           {0, {kHuge, 4}, {0, 1}},
           {0, {-4}, {1}},
           {0, {4}, {-1}},
           {-1, {4}, {1}},
           {0, {4}, {}},
           {0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1)},
       }) {
    INFO(offset << " " << to_string(shape) << " " << to_string(strides));
    CHECK(refusal_of_tensor(offset, shape, strides).code == ErrorCode::kCorrupt);
  }
  CHECK(refusal_of_tensor(0, {int64_t{1} << 40, 4}, {0, 1}).code == ErrorCode::kUnsupported);
}

TEST_CASE("many tensors do not multiply what a small file holds") {
  std::vector<std::pair<std::string, std::string>> repeating, slices;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "w" + std::to_string(i);
    repeating.emplace_back(name, tensor(storage("FloatStorage", "0", 4), 0, {1 << 20, 4}, {0, 1}));
    slices.emplace_back(name, tensor(storage("FloatStorage", "0", 1 << 24), 0, {1}, {1}));
  }
  CHECK_THAT(refusal(dict(repeating)).message, Contains("tensor w4: repeats 4 elements"));

  OneFile file("made.pth");
  const std::string archive = ZipMaker()
                                  .add(ZipMaker::stored("a/data.pkl", kStart + dict(slices) + "."))
                                  .add(ZipMaker::deflated("a/data/0", std::string(64 << 20, '\0')))
                                  .finish();
  const Refusal refused = refusal_of(file.write(archive));
  CHECK(refused.code == ErrorCode::kUnsupported);
  CHECK_THAT(refused.message, Contains("tensor w16: is a part of compressed storage 0"));
}

TEST_CASE("storages that are missing, of two kinds or of another size are refused") {
  const auto with = [](const std::string& id) { return refusal(dict({{"w", tensor(id, 0, {1}, {1})}})); };
  CHECK_THAT(with(storage("FloatStorage", "1", 4)).message, Contains("storage 1: is missing"));
  CHECK_THAT(with(storage("FloatStorage", "0", 5)).message, Contains("16 bytes are not 5 of F32"));
  CHECK_THAT(with(storage("FloatStorage", "0", -1)).message, Contains("is no count"));
  CHECK_THAT(with(storage("ComplexFloatStorage", "0", 2)).message, Contains("torch.ComplexFloatStorage"));
  CHECK_THAT(with("NQ").message, Contains("a tensor without a storage"));
  CHECK_THAT(with("]").message, Contains("a tensor without a storage"));
  CHECK_THAT(
      refusal(dict({{"a", kWeight}, {"b", tensor(storage("IntStorage", "0", 4), 0, {4}, {1})}})).message,
      Contains("elsewhere"));
  CHECK(refusal(dict({{"w", "ctorch._utils\n_rebuild_tensor_v2\n)R"}})).code == ErrorCode::kCorrupt);
  CHECK(refusal(dict({{"w", "ctorch._utils\n_rebuild_parameter\n)R"}})).code == ErrorCode::kCorrupt);
}

TEST_CASE("zip checkpoints without a pickle, with two, or big-endian are refused") {
  OneFile file("made.pth");
  const auto pickle = ZipMaker::stored("a/data.pkl", kStart + dict({{"w", kWeight}}) + ".");
  const auto data = ZipMaker::stored("a/data/0", kFourFloats);
  CHECK_THAT(refusal_of(file.write(ZipMaker().add(data).finish())).message, Contains("no data.pkl"));
  auto other = pickle;
  other.name = "b/data.pkl";
  CHECK_THAT(refusal_of(file.write(ZipMaker().add(pickle).add(other).add(data).finish())).message,
             Contains("a/data.pkl and b/data.pkl"));
  const auto big = ZipMaker().add(pickle).add(data).add(ZipMaker::stored("a/byteorder", "big")).finish();
  CHECK(refusal_of(file.write(big)).code == ErrorCode::kUnsupported);
}

TEST_CASE("pickles are bounded: deep nesting, long stacks, far memo places, opcodes without operands") {
  const auto repeated = [](const std::string& piece, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += piece;
    return all;
  };
  // A list within a list, 300,000 deep, beside the weights: nothing recurses.
  const std::string deep = repeated("]", 300'000) + repeated("a", 299'999);
  CHECK(refusal(dict({{"w", kWeight}, {"deep", deep}})).message.empty());
  CHECK(refusal(dict({{"w", kWeight}, {"deep", "K\1" + repeated("\x85", 300'000)}})).message.empty());
  CHECK_THAT(refusal(repeated("]", 2'000'000)).message, Contains("too large"));
  CHECK_THAT(refusal(repeated("(", 2'000'000)).message, Contains("too large"));
  CHECK_THAT(refusal("N" + repeated("2", 2'000'000)).message, Contains("too large"));
  CHECK_THAT(refusal("Nr\xff\xff\xff\xff").message, Contains("too large"));
  CHECK_THAT(refusal("j\xff\xff\xff\xff").message, Contains("memo"));
  for (const std::string& piece : {"a"s,
                                   "u"s,
                                   "t"s,
                                   "e"s,
                                   "R"s,
                                   "\x81"s,
                                   "\x92"s,
                                   "b"s,
                                   "Q"s,
                                   "0"s,
                                   "1"s,
                                   "2"s,
                                   "\x93"s,
                                   "\x85"s,
                                   "\x87"s,
                                   "(u"s,
                                   "Nu"s,
                                   "N(NNNu"s,
                                   "}(Nu"s,
                                   "NNR"s,
                                   "NNa"s,
                                   "NN\x93"s,
                                   "q\0"s,
                                   "h\0"s,
                                   "NN"s,
                                   "(N"s,
                                   "X\xff\xff\xff\xff"s,
                                   "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "\x95\xff\xff\xff\xff\xff\xff\xff\xff"s,
                                   "c"s,
                                   "cos"s,
                                   ""s}) {
    INFO(piece);
    CHECK(refusal(piece).code == ErrorCode::kCorrupt);
  }
  CHECK(refusal("I1\n").code == ErrorCode::kUnsupported);  // protocol 0
  CHECK(refusal("\x80\x06N").code == ErrorCode::kUnsupported);
  CHECK(refusal("c" + std::string(100'000, 'x') + "\nx\n").message.size() < 1000);
}

TEST_CASE("numbers of a pickle are as Python wrote them") {
  const std::string bytes =
      "\x80\x02(K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\0\x8a\1\xff\x8a\2\xff\0G\x3f\xf8\0\0\0\0\0\0\x88t."s;
  const Pickle pickle(std::as_bytes(std::span(bytes)), [](std::string_view) { return false; });
  const auto& items = pickle[pickle.top()].items;
  REQUIRE(items.size() == 8);
  const std::vector<int64_t> expected = {255, 65535, -1, 0, -1, 255};
  for (size_t i = 0; i < expected.size(); ++i) CHECK(pickle[items[i]].integer == expected[i]);
  CHECK(pickle[items[6]].real == 1.5);
  CHECK(pickle[items[7]].kind == PickleValue::Kind::kBool);
  CHECK(pickle.size() == bytes.size());
}
