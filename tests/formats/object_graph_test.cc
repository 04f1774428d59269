#include "formats/object_graph.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/error_code.h"
#include "tests/formats/tensorflow_files.h"

using namespace swinzoo;

namespace {

using Paths = std::map<std::string, std::string>;

Paths paths_of(const std::string& graph) { return object_paths(std::as_bytes(std::span(graph))); }
Paths paths_of(const std::vector<MadeNode>& nodes) { return paths_of(make_graph(nodes)); }

const std::pair<std::string, std::string> kVariable = {"VARIABLE_VALUE", "key"};

}  // namespace

TEST_CASE("keys get the attribute path that leads to them") {
  CHECK(paths_of({{{{"layers", 1}}, {}}, {{{"0", 2}}, {}}, {{}, {kVariable, {"table", "key2"}}}}) ==
        Paths{{"key", "layers/0"}, {"key2", "layers/0/table"}});
  CHECK(paths_of(std::vector<MadeNode>{{{}, {}}}).empty());
}

TEST_CASE("of several paths the shortest is taken, then the first by its parts") {
  const MadeNode variable = {{}, {kVariable}};
  CHECK(paths_of({{{{"a", 1}, {"z", 2}}, {}}, {{{"b", 2}}, {}}, variable}) == Paths{{"key", "z"}});
  // However the children are ordered.
  CHECK(paths_of({{{{"b", 1}, {"a", 1}}, {}}, variable}) == Paths{{"key", "a"}});
  CHECK(paths_of({{{{"a", 1}, {"b", 1}}, {}}, variable}) == Paths{{"key", "a"}});
  CHECK(paths_of({{{{"q", 1}, {"p", 2}}, {}}, {{{"a", 3}}, {}}, {{{"b", 3}}, {}}, variable}) ==
        Paths{{"key", "p/b"}});
}

TEST_CASE("what Keras keeps beside the attributes is not entered") {
  const MadeNode variable = {{}, {kVariable}};
  for (const char* name :
       {"variables", "trainable_variables", "regularization_losses", "keras_api", "signatures", "__call__",
        "call_and_return_all_conditional_losses", "_default_save_signature", "layer-3"}) {
    INFO(name);
    CHECK(paths_of({{{{name, 1}}, {}}, variable}).empty());
  }
  CHECK(paths_of({{{{"layer-0", 1}, {"layer_with_weights-0", 1}}, {}}, variable}) ==
        Paths{{"key", "layer_with_weights-0"}});
}

TEST_CASE("cycles in an object graph end") {
  CHECK(paths_of({{{{"self", 0}, {"a", 1}}, {}}, {{{"back", 0}, {"b", 2}}, {}}, {{{"a", 1}}, {kVariable}}}) ==
        Paths{{"key", "a/b"}});
}

TEST_CASE("graphs that contradict themselves are refused") {
  const auto code = [](const std::vector<MadeNode>& nodes) { return code_of([&] { paths_of(nodes); }); };
  CHECK(code({{{{"a", 1}}, {}}}) == ErrorCode::kCorrupt);
  CHECK(code({{{{"a", -1}}, {}}}) == ErrorCode::kCorrupt);
  // Two tensors of one path: by two children of one name, and by a name with a slash.
  const MadeNode other = {{}, {{"VARIABLE_VALUE", "key2"}}};
  CHECK(code({{{{"a", 1}, {"a", 2}}, {}}, {{}, {kVariable}}, other}) == ErrorCode::kCorrupt);
  CHECK(code({{{{"a", 1}, {"a/b", 3}}, {}}, {{{"b", 2}}, {}}, {{}, {kVariable}}, other}) ==
        ErrorCode::kCorrupt);
  CHECK(code_of([] { paths_of(std::string()); }) == ErrorCode::kCorrupt);
  CHECK(code_of([] { paths_of(std::string(5 << 20, '\0')); }) == ErrorCode::kUnsupported);
}

TEST_CASE("graphs whose paths would fill the memory are refused") {
  // A chain: its paths have n * n / 2 parts.
  std::vector<MadeNode> chain;
  for (int i = 1; i <= 20'000; ++i) chain.push_back({{{"a", i}}, {}});
  chain.push_back({{}, {kVariable}});
  CHECK(code_of([&] { paths_of(chain); }) == ErrorCode::kCorrupt);
  // One long name above many nodes.
  std::vector<MadeNode> fan = {{{{std::string(1 << 20, 'n'), 1}}, {}}, {}};
  for (int i = 2; i < 200; ++i) {
    fan[1].children.emplace_back(std::to_string(i), i);
    fan.push_back({{}, {}});
  }
  CHECK(code_of([&] { paths_of(fan); }) == ErrorCode::kCorrupt);
}

TEST_CASE("deeply nested protobuf groups are refused") {
  // Field 15, wire type 3: groups of a field that nobody knows.
  CHECK(code_of([] { paths_of(std::string(100'000, '\x7b')); }) == ErrorCode::kCorrupt);
  std::string nested;
  for (int i = 0; i < 300; ++i) nested = proto_bytes(1, nested);
  const auto code = code_of([&] { paths_of(nested); });
  CHECK((!code || code == ErrorCode::kCorrupt));
}

TEST_CASE("damaged object graphs give an error or other paths, nothing else") {
  const std::string graph =
      make_graph({{{{"a", 1}, {"b", 2}}, {}}, {{{"c", 2}}, {}}, {{{"up", 0}}, {kVariable}}});
  std::mt19937 random(5);
  const auto check = [](const std::string& damaged) {
    const auto code = code_of([&] { paths_of(damaged); });
    CHECK((!code || code == ErrorCode::kCorrupt));
  };
  for (size_t length = 0; length < graph.size(); ++length) check(graph.substr(0, length));
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = graph;
    for (int flips = 0; flips < 3; ++flips) damaged[random() % graph.size()] = static_cast<char>(random());
    check(damaged);
  }
}
