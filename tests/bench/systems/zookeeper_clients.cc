#include "tests/bench/systems/zookeeper_clients.h"

#include <zookeeper/zookeeper.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/bench/latch.h"

namespace drover::bench {
namespace {

constexpr int kSessionTimeoutMs = 6'000;  // as Drover's sessions
constexpr std::chrono::seconds kConnectLimit{20};

absl::Status Judge(int rc, const char* what) {
  if (rc == ZOK) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("zookeeper: ", what, ": ", zerror(rc)));
}

// A request under way, from the call to its completion. A linearizable get has two parts; the get's completion comes second.
struct Pending {
  Clients::Done done;
  std::atomic<int> sync_rc{ZOK};
};
using Shared = std::shared_ptr<Pending>;

// What the C client carries for us and hands back once.
const void* ToContext(Shared pending) {
  return new Shared(std::move(pending));
}
Shared FromContext(const void* context) {
  const std::unique_ptr<const Shared> owned(static_cast<const Shared*>(context));
  return *owned;
}

void OnCreated(int rc, const char* /*path*/, const void* context) {
  FromContext(context)->done(rc == ZNODEEXISTS ? absl::OkStatus() : Judge(rc, "create"));
}
void OnSet(int rc, const struct Stat* /*stat*/, const void* context) {
  FromContext(context)->done(Judge(rc, "set"));
}
void OnSynced(int rc, const char* /*path*/, const void* context) {
  FromContext(context)->sync_rc = rc;
}
void OnGot(int rc, const char* /*value*/, int /*size*/, const struct Stat* /*stat*/, const void* context) {
  const Shared pending = FromContext(context);
  pending->done(pending->sync_rc == ZOK ? Judge(rc, "get") : Judge(pending->sync_rc, "sync"));
}

// The client refused the call: no completion comes.
void Refuse(int rc, const char* what, const void* context) {
  FromContext(context)->done(Judge(rc, what));
}

class ZooKeeperClients final : public Clients {
 public:
  ~ZooKeeperClients() override {
    for (const std::unique_ptr<Handle>& handle : handles_) {
      for (zhandle_t* zk : handle->expired) zookeeper_close(zk);
      zookeeper_close(handle->zk);
    }
  }

  absl::Status Connect(const std::vector<std::string>& addresses, int count, int first) {
    zoo_set_debug_level(static_cast<ZooLogLevel>(0));  // it would tell of every attempt to connect
    zoo_deterministic_conn_order(1);
    for (int i = 0; i < count; ++i) {
      const auto begin = static_cast<std::size_t>(first + i);
      std::vector<std::string> hosts;
      for (std::size_t k = 0; k < addresses.size(); ++k) hosts.push_back(addresses[(begin + k) % addresses.size()]);
      auto handle = std::make_unique<Handle>();
      handle->hosts = absl::StrJoin(hosts, ",");
      if (!Open(handle.get())) return absl::UnavailableError("zookeeper: no handle could be made");
      handles_.push_back(std::move(handle));
    }
    for (const std::unique_ptr<Handle>& handle : handles_) {
      if (!handle->connected.WaitFor(kConnectLimit)) return absl::UnavailableError("zookeeper: a client was not connected in time");
    }
    return absl::OkStatus();
  }

  int count() const override { return static_cast<int>(handles_.size()); }
  // The C client may be called from any thread, and completes on a thread of its own for each handle.
  void Run(int /*client*/, absl::AnyInvocable<void()> task) override { task(); }

  void Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) override {
    zhandle_t* const zk = Alive(handles_[static_cast<std::size_t>(client)].get());
    const auto size = static_cast<int>(value.size());
    auto pending = std::make_shared<Pending>();
    pending->done = std::move(done);
    const void* const context = ToContext(pending);
    int rc = ZOK;
    switch (operation) {
      case Operation::kCreate:
        rc = zoo_acreate(zk, key.c_str(), value.data(), size, &ZOO_OPEN_ACL_UNSAFE, 0, OnCreated, context);
        break;
      case Operation::kSet:
        rc = zoo_aset(zk, key.c_str(), value.data(), size, -1, OnSet, context);
        break;
      case Operation::kGet: {
        const void* const sync_context = ToContext(pending);
        rc = zoo_async(zk, key.c_str(), OnSynced, sync_context);
        if (rc != ZOK) {
          static_cast<void>(FromContext(sync_context));
          break;
        }
        rc = zoo_aget(zk, key.c_str(), 0, OnGot, context);
        break;
      }
      case Operation::kLocalGet:
        rc = zoo_aget(zk, key.c_str(), 0, OnGot, context);
        break;
    }
    if (rc != ZOK) Refuse(rc, "call", context);
  }

 private:
  struct Handle {
    std::string hosts;  // the first to try first
    zhandle_t* zk = nullptr;
    std::vector<zhandle_t*> expired;
    Latch connected{1};
  };

  static bool Open(Handle* handle) {
    handle->zk = zookeeper_init(handle->hosts.c_str(), OnState, kSessionTimeoutMs, nullptr, handle, 0);
    return handle->zk != nullptr;
  }

  // A session that has expired never comes back; a program would open another. The old handle cannot be closed here: this may be
  // its own thread.
  zhandle_t* Alive(Handle* handle) {
    if (zoo_state(handle->zk) == ZOO_EXPIRED_SESSION_STATE) {
      zhandle_t* const old = handle->zk;
      if (Open(handle)) {
        handle->expired.push_back(old);
      } else {
        handle->zk = old;
      }
    }
    return handle->zk;
  }

  static void OnState(zhandle_t* /*zk*/, int type, int state, const char* /*path*/, void* context) {
    if (type == ZOO_SESSION_EVENT && state == ZOO_CONNECTED_STATE) static_cast<Handle*>(context)->connected.CountDown();
  }

  std::vector<std::unique_ptr<Handle>> handles_;
};

}  // namespace

absl::Status CheckZooKeeperClient() {
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Clients>> ConnectZooKeeper(const std::vector<std::string>& addresses, int count, int first) {
  auto clients = std::make_unique<ZooKeeperClients>();
  if (const absl::Status status = clients->Connect(addresses, count, first); !status.ok()) return status;
  return std::unique_ptr<Clients>(std::move(clients));
}

}  // namespace drover::bench
