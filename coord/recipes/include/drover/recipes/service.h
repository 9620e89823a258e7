// Service discovery: instances of a service register, clients resolve its name to them and pick one.
//
//   recipes::ServiceRegistration here(loop, session, {.path = "/services", .service = "search"},
//                                     {.id = "s1", .address = "10.0.0.7:9000", .tags = {{"zone", "a"}}}, &observer);
//   here.SetHealthy(false, done);                             // stays registered, is not picked
//   recipes::ServiceDirectory search(session, "/services", "search", nullptr);
//   std::optional<recipes::ServiceInstance> one = search.PickFor("user-42");
//
// Guarantees
//   An instance is an ephemeral node (membership.h), with what it says of itself as JSON, so any language can read it. It is there
//   as long as its process's session lives; names are unique. A directory is kept by a watch: resolving asks nobody, and is as late
//   as the watch. So whoever picks must be ready for an instance that has just gone, and picks again.
//
// Failure
//   Of a registration: as Member. Link lost: the directory shows what it last knew, which is better than nothing. Session expired:
//   OnDirectoryEnded, and the same; make another with the new session. An entry that is no JSON of this kind is left out.
//
// Threads: all on the session's loop. Destroy before the session.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SERVICE_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SERVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "drover/coord/session.h"
#include "drover/recipes/membership.h"

namespace drover::recipes {

struct ServiceInstance {
  std::string id;
  std::string address;
  std::map<std::string, std::string> tags;
  std::uint32_t weight = 1;  // of 0 it is never picked
  bool healthy = true;       // as it says itself
  base::Zxid incarnation;    // of its registration; a directory's

  friend bool operator==(const ServiceInstance&, const ServiceInstance&) = default;
};

struct ServiceOptions {
  std::string path;  // of all services; made if missing
  std::string service;
};

class ServiceRegistration {
 public:
  // Registers at once. `loop` is the session's; `observer` must outlive it.
  ServiceRegistration(base::Loop* loop, coord::Session* session, const ServiceOptions& options, ServiceInstance instance,
                      MemberObserver* observer);
  ~ServiceRegistration();
  ServiceRegistration(const ServiceRegistration&) = delete;
  ServiceRegistration& operator=(const ServiceRegistration&) = delete;

  void SetHealthy(bool healthy, coord::DoneCallback done);
  void SetWeight(std::uint32_t weight, coord::DoneCallback done);
  // As Member's: after OnLost; and to go for good.
  void Rejoin(coord::Session* session);
  void Leave(coord::DoneCallback done);

 private:
  void Publish(coord::DoneCallback done);

  ServiceInstance instance_;
  const std::unique_ptr<Member> member_;
};

class ServiceDirectoryObserver {
 public:
  // Somebody has come, gone, or said something else of itself. Once it is complete for the first time, too.
  virtual void OnInstances(const std::vector<ServiceInstance>& instances) = 0;
  virtual void OnDirectoryEnded(const absl::Status& /*why*/) {}

 protected:
  ~ServiceDirectoryObserver() = default;
};

class ServiceDirectory {
 public:
  // `observer` may be null.
  ServiceDirectory(coord::Session* session, const std::string& path, const std::string& service,
                   ServiceDirectoryObserver* observer);
  ~ServiceDirectory();
  ServiceDirectory(const ServiceDirectory&) = delete;
  ServiceDirectory& operator=(const ServiceDirectory&) = delete;

  // By id. Empty before synced().
  [[nodiscard]] const std::vector<ServiceInstance>& instances() const;
  [[nodiscard]] bool synced() const;

  // One that is healthy, by weight: `random` is any number, the same one picks the same instance. Nothing: there is none.
  [[nodiscard]] std::optional<ServiceInstance> Pick(std::uint64_t random) const;
  // The next one after the last, each as often as its weight says.
  [[nodiscard]] std::optional<ServiceInstance> PickNext();
  // The one that a key belongs to, the same for all who see the same instances; when one goes, only its keys move (rendezvous
  // hashing).
  [[nodiscard]] std::optional<ServiceInstance> PickFor(absl::string_view key) const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// What an instance's node holds. Nothing: it is none.
[[nodiscard]] std::string EncodeInstance(const ServiceInstance& instance);
[[nodiscard]] std::optional<ServiceInstance> DecodeInstance(const std::string& id, absl::string_view data);

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_SERVICE_H_
