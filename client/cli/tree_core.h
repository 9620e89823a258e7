// How the commands of `drover tree` reach the core.
#ifndef DROVER_CLIENT_CLI_TREE_CORE_H_
#define DROVER_CLIENT_CLI_TREE_CORE_H_

#include <chrono>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "client/cli/app.h"
#include "client/internal/waiter.h"
#include "drover/coord/reader.h"
#include "drover/coord/status.h"

namespace drover::cli {

// With a session of its own.
[[nodiscard]] int WithCore(const App& app, const std::function<int(const App&, coord::BlockingClient&)>& use);

// A refusal says what is wrong, not with which node.
[[nodiscard]] absl::Status At(const std::string& path, const absl::Status& status);

// Reads open no session: they write nothing, and work where nothing can be written. One for all reads of a command.
class CoreReads {
 public:
  explicit CoreReads(const App& app) : app_(app), reader_(app.globals.coord, app.credentials) {}

  // `read(core, left)`; the nodes are asked until one answers, for --request-timeout at most.
  template <typename Read>
  auto Ask(const Read& read) {
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
