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

// Reads open no session: they write nothing, and work where nothing can be written. The nodes are asked until one answers.
template <typename Read>
auto ReadCore(const App& app, const Read& read) {
  constexpr base::Duration kPause = std::chrono::milliseconds(100);
  const auto give_up = std::chrono::steady_clock::now() + app.globals.request_timeout;
  coord::Reader reader(app.globals.coord, app.credentials);
  while (true) {
    auto result = read(reader, give_up - std::chrono::steady_clock::now());
    if (result.ok() || coord::RefusalOf(result.status()).has_value() || !absl::IsUnavailable(result.status())) return result;
    if (std::chrono::steady_clock::now() + kPause >= give_up) {
      result = app.Silent(result.status());
      return result;
    }
    client::SystemWaiter().Wait(kPause, {});
  }
}

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_CORE_H_
