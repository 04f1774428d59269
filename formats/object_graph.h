// TrackableObjectGraph: how a TensorFlow checkpoint's keys hang together as attributes of objects.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace swinzoo {

// The attribute path of each checkpoint key that the root reaches, such as
// "swin_layers/0/blocks/0/attn/qkv/kernel": elements of lists are "0", "1", .... Of several paths to a tensor
// it is the shortest, and among those the first by the bytes of its parts; children that only repeat what
// stands elsewhere (Keras' "variables", "layer-N", ...) are not entered.
//
// `graph` is the serialised message. Throws kCorrupt if it can't be parsed, points to nodes that are not
// there, gives two tensors one path or has more than 64 MiB of paths; kUnsupported if it is larger than 4
// MiB.
std::map<std::string, std::string> object_paths(std::span<const std::byte> graph);

}  // namespace swinzoo
