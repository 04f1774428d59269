// What a SavedModel's saved_model.pb says beside the graph.
//
//   SavedModel    meta_graphs=2
//   MetaGraphDef  meta_info_def=1, graph_def=2, signature_def=5
//
// graph_def comes before signature_def and holds hundreds of megabytes where masks are constants (video
// models); fields are stepped over by their length, so that of a mapped file those pages are never read.
#pragma once

#include <map>
#include <string>

namespace google::protobuf::io {
class ZeroCopyInputStream;
}

namespace swinzoo {

// Of the graph tagged "serve" (the last one so tagged), as far as it says so:
//   signature.input_shape, signature.output_shape   of "serving_default", where it has one of them:
//                                                   "[-1, 224, 224, 3]", -1 being any extent
//   tensorflow_version                              "2.15.1"
// Throws kCorrupt if the message is damaged, kUnsupported if a part of it that is read is larger than 4 MiB.
std::map<std::string, std::string> read_meta_graphs(google::protobuf::io::ZeroCopyInputStream& stream);

}  // namespace swinzoo
