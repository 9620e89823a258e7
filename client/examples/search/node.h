// A node of the search cluster: registers, loads the replicas that the metadata gives it, and follows the schema of each.
//
// Threads: all on the session's loop.
#ifndef DROVER_CLIENT_EXAMPLES_SEARCH_NODE_H_
#define DROVER_CLIENT_EXAMPLES_SEARCH_NODE_H_

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/examples/search/metadata.h"
#include "drover/coord/session.h"
#include "drover/coord/status.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/membership.h"
#include "drover/recipes/value.h"

namespace drover::examples::search {

// The schema of one config: told of every change, in the order in which all are told.
class Schema final : private recipes::ConfigListener {
 public:
  Schema(coord::Session* session, const std::string& config)
      : config_(config), value_(session, absl::StrCat(kConfigs, "/", config), this) {}

 private:
  void OnValue(const std::optional<coord::Node>& value) override {
    const absl::StatusOr<Config> now = ParseConfig(value ? value->data : "");
    if (!now.ok()) return;
    std::cout << "config " << config_ << " edit " << now->edits;
    if (!now->fields.empty()) std::cout << " " << now->fields.back().name << ":" << now->fields.back().type;
    std::cout << std::endl;
  }

  const std::string config_;
  recipes::ConfigValue value_;
};

class Node final : private recipes::MemberObserver, private coord::SubtreeCache::Listener {
 public:
  Node(coord::Session* session, std::string name)
      : session_(session),
        name_(std::move(name)),
        member_(session->loop(), session, {.path = kLiveNodes, .name = name_}, this),
        collections_(session, {.path = kCollections}, this) {}

  // Why this process must end: its session is over.
  [[nodiscard]] const absl::Status& trouble() const { return trouble_; }

 private:
  // A collection some replicas of which are here.
  struct Mine {
    Mine(coord::Session* session, const std::string& path) : document(session, path) {}
    recipes::AtomicValue document;
    bool editing = false;
  };

  void OnRegistered(base::Zxid incarnation) override {
    incarnation_ = incarnation;
    std::cerr << name_ << " is live, incarnation " << incarnation << "\n";
    Look();
  }
  void OnNameTaken(const coord::Node& /*holder*/) override {
    std::cerr << "another node has the name " << name_ << "; waiting for it to go\n";
  }
  void OnLost(const absl::Status& why) override {
    incarnation_.reset();
    trouble_ = why;
  }
  void OnCacheChanged(const coord::Event* /*event*/) override { Look(); }
  void OnCacheEnded(const absl::Status& why) override { trouble_ = why; }

  // What of the metadata is this node's.
  void Look() {
    if (!incarnation_ || !collections_.synced()) return;
    for (const auto& [path, node] : collections_.nodes()) {
      const absl::StatusOr<Collection> collection = ParseCollection(node.data);
      if (!collection.ok()) continue;  // the parent of all, or nothing that this program wrote
      for (const Replica& replica : collection->replicas) {
        if (replica.node != name_) continue;
        std::unique_ptr<Schema>& schema = schemas_[collection->config];
        if (schema == nullptr) schema = std::make_unique<Schema>(session_, collection->config);
        // A real node would first get the shard's index from where it is kept.
        if (replica.loaded_by < incarnation_->value) SayLoaded(path);
      }
    }
  }

  // Other nodes edit the same document for their replicas at the same time, and people too.
  void SayLoaded(const std::string& path) {
    Mine& mine = mine_.try_emplace(path, session_, path).first->second;
    if (std::exchange(mine.editing, true)) return;
    mine.document.Update([name = name_, as = incarnation_->value](const Document& now) { return MarkLoaded(now, name, as); },
                         [&mine, path](const absl::StatusOr<recipes::UpdateResult>& done) {
                           mine.editing = false;
                           if (!done.ok() || !done->changed) return;
                           std::cout << "loaded " << path << " edit " << ParseCollection(*done->after)->edits << std::endl;
                         });
  }

  coord::Session* const session_;
  const std::string name_;
  std::optional<base::Zxid> incarnation_;
  std::map<std::string, Mine> mine_;  // by path
  std::map<std::string, std::unique_ptr<Schema>> schemas_;
  absl::Status trouble_;
  recipes::Member member_;
  coord::SubtreeCache collections_;
};

}  // namespace drover::examples::search

#endif  // DROVER_CLIENT_EXAMPLES_SEARCH_NODE_H_
