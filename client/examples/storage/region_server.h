// A region server of the storage cluster: serves the regions that the master has given it, each from memory and its log.
#ifndef DROVER_CLIENT_EXAMPLES_STORAGE_REGION_SERVER_H_
#define DROVER_CLIENT_EXAMPLES_STORAGE_REGION_SERVER_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "client/examples/program/participant.h"
#include "client/examples/rpc/rpc.h"
#include "client/examples/store/fenced_store.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/recipes/membership.h"

namespace drover::examples::storage {

// The regions that this server has, by the names of their logs. Threads: any.
//
// A region is opened when it is first asked for: its log is read, by its token, and from then on the server before is refused by
// the store. What is known in memory is told only after the store has said that the token is still the newest.
class Regions {
 public:
  Regions(std::string name, FencedStore* store) : name_(std::move(name)), store_(store) {}

  // From now on these, and their tokens.
  void Replace(std::map<std::string, std::uint64_t> tokens);

  // "put REGION ID KEY VALUE", "get REGION KEY", "scan REGION" (keys and values in turn). UNAVAILABLE: the region is not here, or
  // not any more; ask the core again. NOT_FOUND: the key.
  [[nodiscard]] absl::StatusOr<Lines> Answer(const std::string& method, const std::vector<std::string>& arguments);

 private:
  struct Region {
    std::uint64_t token = 0;
    std::optional<std::map<std::string, std::string>> rows;  // nothing: not opened yet
  };
  absl::Status Open(const std::string& log, Region* region);

  const std::string name_;
  FencedStore* const store_;
  std::mutex mu_;
  std::map<std::string, Region> regions_;
};

// One session's part in it. On the session's loop.
class RegionServer final : public Participant, private recipes::MemberObserver, private coord::SubtreeCache::Listener {
 public:
  RegionServer(coord::Session* session, const std::string& name, const std::string& address, Regions* regions);
  ~RegionServer() override;

 private:
  void OnRegistered(coord::Zxid incarnation) override;
  void OnNameTaken(const coord::Node& holder) override;
  void OnLost(const absl::Status& why) override;
  void OnCacheChanged(const coord::Event* event) override;

  coord::Session* const session_;
  const std::string name_;
  Regions* const regions_;
  coord::SubtreeCache tables_;
  recipes::Member member_;
};

}  // namespace drover::examples::storage

#endif  // DROVER_CLIENT_EXAMPLES_STORAGE_REGION_SERVER_H_
