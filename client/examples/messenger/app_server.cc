#include "client/examples/messenger/app_server.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::examples::messenger {
namespace {

// A server that stands still shall not keep others waiting for as long as their clients wait.
constexpr base::Duration kForward = std::chrono::seconds(1);

// Somebody else has the user by now: the client shall ask again.
absl::Status Moved(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) ? absl::UnavailableError(status.message()) : status;
}

}  // namespace

// ---- on the session's loop ----

AppServer::AppServer(coord::Session* session, const std::string& name, const std::string& address)
    : session_(session),
      name_(name),
      registration_(session->loop(), session, {.path = kServices, .service = kService}, {.id = name, .address = address}, this),
      others_(session, kServices, kService, nullptr),
      shards_(session->loop(), session, {.path = kShards, .name = name, .shards = kShardCount}, this) {}

Route AppServer::RouteOf(const std::string& user) const {
  Route route{.shard = shards_.ShardOf(user)};
  if (const auto mine = shards_.owned().find(route.shard); mine != shards_.owned().end()) {
    route.server = name_;
    route.token = mine->second.token.value;
  } else {
    route.server = shards_.OwnerOf(route.shard);
  }
  for (const recipes::ServiceInstance& instance : others_.instances()) {
    if (instance.id == route.server) route.address = instance.address;
  }
  return route;
}

void AppServer::OnRegistered(coord::Zxid incarnation) {
  std::cerr << name_ << " is registered, incarnation " << incarnation << "\n";
}

void AppServer::OnNameTaken(const coord::Node&) {
  std::cerr << "another server has the name " << name_ << "; waiting for it to go\n";
}

// With the session, or somebody deleted the node.
void AppServer::OnLost(const absl::Status& why) {
  std::cerr << name_ << " is not registered any more: " << why.message() << "\n";
  if (session_->state() != coord::SessionState::kExpired) registration_.Rejoin(session_);
}

void AppServer::OnAcquired(std::uint32_t shard, const recipes::LockGrant& grant) {
  std::cerr << name_ << " has shard " << shard << ", token " << grant.token << "\n";
}

// All that there is of a shard is in the store already. What is under way for it is stored, or refused once the next owner has
// come.
void AppServer::OnRevoked(std::uint32_t shard) {
  std::cerr << name_ << " gives shard " << shard << " back\n";
  shards_.Release(shard);
}

void AppServer::OnLost(std::uint32_t shard, const absl::Status& why) {
  std::cerr << name_ << " has lost shard " << shard << ": " << why.message() << "\n";
}

void AppServer::OnShardsEnded(const absl::Status& why) {
  std::cerr << name_ << " takes no part in the shards any more: " << why.message() << "\n";
}

// ---- in the threads that answer ----

class FrontDesk::Shift {
 public:
  Shift(std::shared_ptr<coord::BlockingClient> core, AppServer* server) : core_(std::move(core)), server_(server) {}

  // Asks on the loop, where the server lives and ends. UNAVAILABLE: it has ended.
  absl::StatusOr<Route> RouteOf(const std::string& user) {
    absl::StatusOr<Route> route = absl::UnavailableError("this server's session with the core has just ended");
    core_->OnLoop([&](coord::Session&) {
      if (server_ != nullptr) route = server_->RouteOf(user);
    });
    return route;
  }
  // On the loop.
  void End() { server_ = nullptr; }

 private:
  const std::shared_ptr<coord::BlockingClient> core_;
  AppServer* server_;  // the loop's
};

std::unique_ptr<Participant> FrontDesk::Open(std::shared_ptr<coord::BlockingClient> core, coord::Session& session,
                                             const std::string& address) {
  // The AppServer, and at its end the word that it is over.
  class Present final : public Participant {
   public:
    Present(FrontDesk* desk, std::shared_ptr<coord::BlockingClient> client, coord::Session* on, const std::string& at)
        : desk_(desk), server_(on, desk->name_, at), shift_(std::make_shared<Shift>(std::move(client), &server_)) {
      desk_->SetShift(shift_);
    }
    ~Present() override {
      desk_->SetShift(nullptr);
      shift_->End();
    }

   private:
    FrontDesk* const desk_;
    AppServer server_;
    const std::shared_ptr<Shift> shift_;
  };
  return std::make_unique<Present>(this, std::move(core), &session, address);
}

void FrontDesk::SetShift(std::shared_ptr<Shift> shift) {
  const std::lock_guard<std::mutex> lock(mu_);
  shift_ = std::move(shift);
}

absl::StatusOr<Route> FrontDesk::RouteOf(const std::string& user) {
  if (!IsName(user)) return absl::InvalidArgumentError(absl::StrCat("'", user, "' can be no name of a user"));
  std::shared_ptr<Shift> shift;
  {
    const std::lock_guard<std::mutex> lock(mu_);
    shift = shift_;
  }
  if (shift == nullptr) return absl::UnavailableError("this server has no session with the core at the moment");
  return shift->RouteOf(user);
}

absl::StatusOr<Lines> FrontDesk::Keep(const std::string& user, const std::string& id, const std::string& message, bool forward) {
  const absl::StatusOr<Route> route = RouteOf(user);
  if (!route.ok()) return route.status();
  if (route->token) {
    const absl::StatusOr<bool> kept = store_->Append(user, {.token = *route->token, .who = name_}, id, message);
    return kept.ok() ? absl::StatusOr<Lines>(Lines()) : Moved(kept.status());
  }
  if (forward && !route->address.empty()) return Call(route->address, "keep", {user, id, message}, kForward);
  return absl::UnavailableError(absl::StrCat(user, " is not at ", name_));
}

absl::StatusOr<Lines> FrontDesk::List(const std::string& user, bool forward) {
  const absl::StatusOr<Route> route = RouteOf(user);
  if (!route.ok()) return route.status();
  if (route->token) {
    const absl::StatusOr<std::vector<Record>> records = store_->Read(user, {.token = *route->token, .who = name_});
    if (!records.ok()) return Moved(records.status());
    Lines messages;
    for (const Record& record : *records) messages.push_back(record.data);
    return messages;
  }
  if (forward && !route->address.empty()) return Call(route->address, "list", {user}, kForward);
  return absl::UnavailableError(absl::StrCat(user, " is not at ", name_));
}

absl::StatusOr<Lines> FrontDesk::Answer(const std::string& method, const std::vector<std::string>& arguments) {
  if (method == "send" && arguments.size() == 4) {
    const std::string& from = arguments[1];
    const std::string& to = arguments[2];
    if (!IsName(from)) return absl::InvalidArgumentError(absl::StrCat("'", from, "' can be no name of a user"));
    // Into the logs of both, who may be at two servers. If only the first is reached, the client sends again, by the same id.
    const std::string message = absl::StrCat(from, " to ", to, ": ", arguments[3]);
    const absl::StatusOr<Lines> received = Keep(to, arguments[0], message, /*forward=*/true);
    return received.ok() ? Keep(from, arguments[0], message, /*forward=*/true) : received;
  }
  if (method == "keep" && arguments.size() == 3) return Keep(arguments[0], arguments[1], arguments[2], /*forward=*/false);
  if (method == "read" && arguments.size() == 1) return List(arguments[0], /*forward=*/true);
  if (method == "list" && arguments.size() == 1) return List(arguments[0], /*forward=*/false);
  if (method == "where" && arguments.size() == 1) {
    const absl::StatusOr<Route> route = RouteOf(arguments[0]);
    if (!route.ok()) return route.status();
    if (route->server.empty()) return absl::UnavailableError(absl::StrCat("nobody has ", arguments[0], " at the moment"));
    return Lines{absl::StrCat(route->shard), route->server, route->address.empty() ? "-" : route->address};
  }
  return absl::InvalidArgumentError("send, read and where are what is served");
}

}  // namespace drover::examples::messenger
