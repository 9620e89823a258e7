// How the commands of `drover tree` reach the core.
#ifndef DROVER_CLIENT_CLI_TREE_CORE_H_
#define DROVER_CLIENT_CLI_TREE_CORE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/cli/app.h"
#include "client/cli/interruption.h"
#include "client/cli/tree_session.h"
#include "client/internal/waiter.h"
#include "drover/coord/reader.h"
#include "drover/coord/status.h"

namespace drover::cli {

// With a session of its own, or that of the shell.
[[nodiscard]] int WithCore(const App& app, const std::function<int(const App&, coord::BlockingClient&)>& use);

// A refusal says what is wrong, not with which node.
[[nodiscard]] absl::Status At(const std::string& path, const absl::Status& status);

// Ctrl-C while a command runs: its own, or that of the shell. Made before any other thread of the command.
class CommandInterruption {
 public:
  explicit CommandInterruption(const App& app)
      : session_(app.session), own_(app.session == nullptr ? std::make_unique<Interruption>() : nullptr) {}
  [[nodiscard]] bool asked() const { return own_ != nullptr ? own_->asked() : session_->interrupted(); }

 private:
  TreeSession* const session_;
  const std::unique_ptr<Interruption> own_;
};

// The reads of a session, called as those of a Reader are; the session's own time-out bounds them.
class SessionReads {
 public:
  explicit SessionReads(coord::BlockingClient* core) : core_(core) {}

  auto Get(const std::string& path, base::Duration /*left*/) { return core_->Get(path); }
  auto Exists(const std::string& path, base::Duration /*left*/) { return core_->Exists(path); }
  auto Children(const std::string& path, base::Duration /*left*/) { return core_->Children(path); }
  auto List(const std::string& path, const std::string& after, std::uint32_t limit, bool with_data, base::Duration /*left*/) {
    return core_->ListFrom(path, after, limit, with_data);
  }
  auto CountDescendants(const std::string& path, base::Duration /*left*/) { return core_->CountDescendants(path); }
  auto Ephemerals(coord::SessionId session, const std::string& path, base::Duration /*left*/) {
    return core_->Ephemerals(session, path);
  }
  auto GetAcl(const std::string& path, base::Duration /*left*/) { return core_->GetAcl(path); }
  auto Quotas(const std::string& path, base::Duration /*left*/) { return core_->Quotas(path); }
  auto WhoAmI(base::Duration /*left*/) { return core_->WhoAmI(); }
  auto Sessions(base::Duration /*left*/) { return core_->Sessions(); }

 private:
  coord::BlockingClient* const core_;
};

// The reads of a command. They open no session: they write nothing, and work where nothing can be written; but in a shell they are
// its session's.
class CoreReads {
 public:
  explicit CoreReads(const App& app) : app_(app), reader_(app.globals.coord, app.credentials) {}

  // `read(core, left)`; the nodes are asked until one answers, for --request-timeout at most.
  template <typename Read>
  auto Ask(const Read& read) -> decltype(read(std::declval<coord::Reader&>(), base::Duration())) {
    if (app_.session != nullptr) {
      absl::StatusOr<coord::BlockingClient*> core = app_.session->Core();
      if (!core.ok()) return app_.Explained(core.status());
      SessionReads reads(*core);
      return read(reads, app_.globals.request_timeout);
    }
    constexpr base::Duration kPause = std::chrono::milliseconds(100);
    const auto give_up = std::chrono::steady_clock::now() + app_.globals.request_timeout;
    while (true) {
      auto result = read(reader_, give_up - std::chrono::steady_clock::now());
      if (result.ok() || coord::RefusalOf(result.status()).has_value() || !absl::IsUnavailable(result.status())) return result;
      if (std::chrono::steady_clock::now() + kPause >= give_up) {
        result = app_.Silent(result.status());
        return result;
      }
      client::SystemWaiter().Wait(kPause, {});
    }
  }

 private:
  const App& app_;
  coord::Reader reader_;
};

// A single read.
template <typename Read>
auto ReadCore(const App& app, const Read& read) {
  return CoreReads(app).Ask(read);
}

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_CORE_H_
