// What the cluster knows of itself: two kinds of documents in the tree, and how each may be edited. Nothing here talks to the core.
//
// An edit is a function from the document that is there to the next one, so that it can be done again when somebody else was
// faster. Each counts `edits` up: who sees number 7 knows that exactly seven edits have made what it sees.
#ifndef DROVER_CLIENT_EXAMPLES_SEARCH_METADATA_H_
#define DROVER_CLIENT_EXAMPLES_SEARCH_METADATA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace drover::examples::search {

inline constexpr char kLiveNodes[] = "/search/live_nodes";
inline constexpr char kCollections[] = "/search/collections";
inline constexpr char kConfigs[] = "/search/configs";

struct Field {
  std::string name;
  std::string type;
  std::uint64_t edit = 0;  // which one added it
};

// The schema that collections use.
struct Config {
  std::uint64_t edits = 0;
  std::vector<Field> fields;
};

struct Replica {
  std::uint32_t shard = 0;
  std::string node;
  std::uint64_t loaded_by = 0;  // the incarnation of the node that has loaded it; 0: none has
};

struct Collection {
  std::uint64_t edits = 0;
  std::string config;
  std::uint32_t shards = 0;
  std::vector<Replica> replicas;
};

[[nodiscard]] std::string Encode(const Config& config);
[[nodiscard]] std::string Encode(const Collection& collection);
// DATA_LOSS: it is none.
[[nodiscard]] absl::StatusOr<Config> ParseConfig(const std::string& text);
[[nodiscard]] absl::StatusOr<Collection> ParseCollection(const std::string& text);

// Edits. `now`: the document, nothing if there is none.
using Document = std::optional<std::string>;
[[nodiscard]] absl::StatusOr<std::string> AddField(const Document& now, const std::string& name, const std::string& type);
// All replicas of `node` are loaded by this incarnation of it. Nothing: they are, or a later one was faster.
[[nodiscard]] std::optional<std::string> MarkLoaded(const Document& now, const std::string& node, std::uint64_t incarnation);

// A new collection, spread over `nodes`.
[[nodiscard]] absl::StatusOr<Collection> Spread(const std::string& config, std::uint32_t shards, std::uint32_t replicas,
                                                const std::vector<std::string>& nodes);

}  // namespace drover::examples::search

#endif  // DROVER_CLIENT_EXAMPLES_SEARCH_METADATA_H_
