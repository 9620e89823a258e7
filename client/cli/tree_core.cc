#include "client/cli/tree_core.h"

#include "absl/strings/str_cat.h"

namespace drover::cli {

int WithCore(const App& app, const std::function<int(const App&, coord::BlockingClient&)>& use) {
  if (app.session != nullptr) {
    const absl::StatusOr<coord::BlockingClient*> core = app.session->Core();
    if (!core.ok()) return app.output.Fail(app.Explained(core.status()));
    return use(app, **core);
  }
  auto core = app.Core();
  if (!core.ok()) return app.output.Fail(core.status());
  return use(app, **core);
}

absl::Status At(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path.empty() ? "\"\"" : path, ": ", status.message()));
}

}  // namespace drover::cli
