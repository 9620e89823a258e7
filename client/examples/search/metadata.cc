#include "client/examples/search/metadata.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace drover::examples::search {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Field, name, type, edit)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Config, edits, fields)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Replica, shard, node, loaded_by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Collection, edits, config, shards, replicas)

namespace {

template <typename T>
absl::StatusOr<T> Parse(const std::string& text, const char* what) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception& e) {
    return absl::DataLossError(absl::StrCat("not a ", what, ": ", e.what()));
  }
}

}  // namespace

std::string Encode(const Config& config) {
  return nlohmann::json(config).dump();
}
std::string Encode(const Collection& collection) {
  return nlohmann::json(collection).dump();
}
absl::StatusOr<Config> ParseConfig(const std::string& text) {
  return Parse<Config>(text, "config");
}
absl::StatusOr<Collection> ParseCollection(const std::string& text) {
  return Parse<Collection>(text, "collection");
}

absl::StatusOr<std::string> AddField(const Document& now, const std::string& name, const std::string& type) {
  if (!now) return absl::NotFoundError("there is no such config: create a collection that uses it");
  absl::StatusOr<Config> config = ParseConfig(*now);
  if (!config.ok()) return config.status();
  for (const Field& field : config->fields) {
    if (field.name == name) {
      return absl::AlreadyExistsError(absl::StrCat("there is a field ", name, ":", field.type, " already, by edit ", field.edit));
    }
  }
  config->fields.push_back({name, type, ++config->edits});
  return Encode(*config);
}

std::optional<std::string> MarkLoaded(const Document& now, const std::string& node, std::uint64_t incarnation) {
  absl::StatusOr<Collection> collection = ParseCollection(now.value_or(""));
  if (!collection.ok()) return std::nullopt;
  bool changed = false;
  for (Replica& replica : collection->replicas) {
    if (replica.node != node || replica.loaded_by >= incarnation) continue;
    replica.loaded_by = incarnation;
    changed = true;
  }
  if (!changed) return std::nullopt;
  ++collection->edits;
  return Encode(*collection);
}

absl::StatusOr<Collection> Spread(const std::string& config, std::uint32_t shards, std::uint32_t replicas,
                                  const std::vector<std::string>& nodes) {
  if (replicas > nodes.size()) {
    return absl::FailedPreconditionError(
        absl::StrCat(replicas, " replicas of a shard need as many live nodes; there are ", nodes.size()));
  }
  Collection collection{.edits = 1, .config = config, .shards = shards};
  std::size_t next = 0;
  for (std::uint32_t shard = 1; shard <= shards; ++shard) {
    for (std::uint32_t i = 0; i < replicas; ++i) collection.replicas.push_back({shard, nodes[next++ % nodes.size()], 0});
  }
  return collection;
}

}  // namespace drover::examples::search
