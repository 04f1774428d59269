#include "formats/object_graph.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <string_view>
#include <vector>

#include "formats/error.h"
#include "tensorflow.pb.h"

namespace swinzoo {
namespace {

// swin_large's is about 0.3 MB. Parsed, a graph takes up to 70 times its size.
constexpr size_t kLargestGraph = size_t{4} << 20;

// Nested or shared names could spell out far more than the graph holds.
constexpr size_t kMostPathBytes = size_t{64} << 20;

// What Keras keeps beside the attributes; "layer-N" repeats "layer_with_weights-N".
constexpr std::array<std::string_view, 8> kSkippedChildren = {"variables",
                                                              "trainable_variables",
                                                              "regularization_losses",
                                                              "keras_api",
                                                              "signatures",
                                                              "__call__",
                                                              "call_and_return_all_conditional_losses",
                                                              "_default_save_signature"};
constexpr std::string_view kLayerAlias = "layer-";

// The attribute that is the variable itself rather than a part of it.
constexpr std::string_view kVariableValue = "VARIABLE_VALUE";

bool is_skipped(const std::string& name) {
  return name.starts_with(kLayerAlias) ||
         std::find(kSkippedChildren.begin(), kSkippedChildren.end(), name) != kSkippedChildren.end();
}

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

class Walk {
 public:
  explicit Walk(const tensorflow::TrackableObjectGraph& graph)
      : graph_(graph), reached_(static_cast<size_t>(graph.nodes_size())) {}

  std::map<std::string, std::string> run() {
    reach(0, "");
    while (!waiting_.empty()) {
      const Node node = std::move(waiting_.front());
      waiting_.pop_front();
      enter(node);
    }
    return std::move(paths_);
  }

 private:
  struct Node {
    int id;
    std::string path;
  };

  bool was_reached(int id) const {
    if (id < 0 || id >= graph_.nodes_size()) {
      fail(ErrorCode::kCorrupt, "the object graph points to node {}, but has {} nodes", id,
           graph_.nodes_size());
    }
    return reached_[static_cast<size_t>(id)];
  }

  void reach(int id, std::string path) {
    reached_[static_cast<size_t>(id)] = true;
    count(path);
    waiting_.push_back({id, std::move(path)});
  }

  void enter(const Node& node) {
    const auto& object = graph_.nodes(node.id);
    for (const auto& attribute : object.attributes()) {
      if (paths_.contains(attribute.checkpoint_key())) continue;
      name(attribute.checkpoint_key(),
           attribute.name() == kVariableValue ? node.path : join(node.path, attribute.name()));
    }
    std::vector<std::pair<std::string_view, int>> children;
    for (const auto& child : object.children()) {
      if (!is_skipped(child.local_name())) children.emplace_back(child.local_name(), child.node_id());
    }
    std::sort(children.begin(), children.end());
    for (const auto& [local_name, id] : children) {
      if (!was_reached(id)) reach(id, join(node.path, std::string(local_name)));
    }
  }

  void name(const std::string& key, std::string path) {
    count(path);
    if (!taken_.insert(path).second) {
      fail(ErrorCode::kCorrupt, "the object graph gives two tensors the path '{:.200}'", path);
    }
    paths_.emplace(key, std::move(path));
  }

  void count(const std::string& path) {
    path_bytes_ += path.size();
    if (path_bytes_ > kMostPathBytes) {
      fail(ErrorCode::kCorrupt, "the object graph spells out more than {} bytes of paths", kMostPathBytes);
    }
  }

  const tensorflow::TrackableObjectGraph& graph_;
  std::vector<bool> reached_;
  std::deque<Node> waiting_;
  std::map<std::string, std::string> paths_;
  std::set<std::string> taken_;
  size_t path_bytes_ = 0;
};

}  // namespace

std::map<std::string, std::string> object_paths(std::span<const std::byte> graph) {
  if (graph.size() > kLargestGraph) {
    fail(ErrorCode::kUnsupported, "the object graph has {} bytes; at most {} are read", graph.size(),
         kLargestGraph);
  }
  tensorflow::TrackableObjectGraph parsed;
  if (!parsed.ParseFromArray(graph.data(), static_cast<int>(graph.size())) || parsed.nodes_size() == 0) {
    fail(ErrorCode::kCorrupt, "the object graph of {} bytes is damaged", graph.size());
  }
  return Walk(parsed).run();
}

}  // namespace swinzoo
