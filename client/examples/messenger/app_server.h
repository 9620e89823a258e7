// An application server of the messenger: has some of the users, keeps their logs, and hands on what is others'.
#ifndef DROVER_CLIENT_EXAMPLES_MESSENGER_APP_SERVER_H_
#define DROVER_CLIENT_EXAMPLES_MESSENGER_APP_SERVER_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/examples/program/participant.h"
#include "client/examples/rpc/rpc.h"
#include "client/examples/store/fenced_store.h"
#include "drover/coord/blocking.h"
#include "drover/coord/session.h"
#include "drover/recipes/membership.h"
#include "drover/recipes/service.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples::messenger {

inline constexpr char kServices[] = "/messenger/services";  // ServiceRegistration's
inline constexpr char kService[] = "app";
inline constexpr char kShards[] = "/messenger/shards";  // ShardMap's
inline constexpr std::uint32_t kShardCount = 16;

// Where a user is.
struct Route {
  std::uint32_t shard = 0;
  std::string server;                  // empty: nobody has the shard at the moment
  std::string address;                 // of the server; empty: it is not registered
  std::optional<std::uint64_t> token;  // the server is this one, and this its token
};

// One session's part in it: an instance of the service, and an owner of shards. On the session's loop.
class AppServer final : public Participant, private recipes::MemberObserver, private recipes::ShardObserver {
 public:
  AppServer(coord::Session* session, const std::string& name, const std::string& address);

  [[nodiscard]] Route RouteOf(const std::string& user) const;

 private:
  void OnRegistered(coord::Zxid incarnation) override;
  void OnNameTaken(const coord::Node& holder) override;
  void OnLost(const absl::Status& why) override;
  void OnAcquired(std::uint32_t shard, const recipes::LockGrant& grant) override;
  void OnRevoked(std::uint32_t shard) override;
  void OnLost(std::uint32_t shard, const absl::Status& why) override;
  void OnShardsEnded(const absl::Status& why) override;

  coord::Session* const session_;
  const std::string name_;
  recipes::ServiceRegistration registration_;
  recipes::ServiceDirectory others_;
  recipes::ShardMap shards_;
};

// Answers calls, in threads of the server's, with what the present session's AppServer knows.
//   "send ID FROM TO TEXT", "read USER", "where USER"     from clients: any server takes them, and asks those who have the users
//   "keep USER ID MESSAGE", "list USER"                   from servers: UNAVAILABLE if the user is not here
class FrontDesk {
 public:
  FrontDesk(std::string name, FencedStore* store) : name_(std::move(name)), store_(store) {}

  [[nodiscard]] absl::StatusOr<Lines> Answer(const std::string& method, const std::vector<std::string>& arguments);

  // Makes the AppServer of one session, which is asked from now on, as long as it lives.
  [[nodiscard]] std::unique_ptr<Participant> Open(std::shared_ptr<coord::BlockingClient> core, coord::Session& session,
                                                  const std::string& address);

 private:
  class Shift;  // an AppServer, and the way to it

  void SetShift(std::shared_ptr<Shift> shift);
  [[nodiscard]] absl::StatusOr<Route> RouteOf(const std::string& user);
  absl::StatusOr<Lines> Keep(const std::string& user, const std::string& id, const std::string& message, bool forward);
  absl::StatusOr<Lines> List(const std::string& user, bool forward);

  const std::string name_;
  FencedStore* const store_;
  std::mutex mu_;
  std::shared_ptr<Shift> shift_;  // guarded by mu_; null: there is no session
};

}  // namespace drover::examples::messenger

#endif  // DROVER_CLIENT_EXAMPLES_MESSENGER_APP_SERVER_H_
