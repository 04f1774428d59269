// Which of a repository's files are fetched (hub.h has the rule).
#pragma once

#include <set>
#include <string>
#include <vector>

namespace swinzoo::zoo {

// The weights to take of what a repository has; empty if there are none. `where` is what a message starts
// with. Throws kUnsupported where there are several and none to prefer.
std::string choose_weights(const std::set<std::string>& names, const std::string& where);

// The configs, then the weights, or the index of their shards.
std::vector<std::string> choose_files(const std::set<std::string>& names, const std::string& weights);

bool is_shard_index(const std::string& weights);

// What the shards of an index are called as far as its own name tells: model-*.safetensors.
std::vector<std::string> likely_shards(const std::set<std::string>& names, const std::string& index);

// The names that match any of `include` (all, where that is empty) and none of `exclude` (glob.h; "folder/"
// is all in it). Throws kNotFound if there is none.
std::vector<std::string> choose_by_globs(const std::set<std::string>& names,
                                         const std::vector<std::string>& include,
                                         const std::vector<std::string>& exclude, const std::string& where);

}  // namespace swinzoo::zoo
