// `drover check`.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/internal/store_access.h"
#include "client/internal/waiter.h"
#include "master/check/pool_check.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

using master::check::Finding;
using master::check::PoolReport;

struct CheckFlags {
  base::Duration wait{0};
  bool objects = false;
};

// Objects that are missing, as findings; what is not there because its task was retired meanwhile is none.
absl::Status CheckObjects(const App& app, const records::PoolPaths& paths, const std::vector<coord::Node>& nodes,
                          coord::BlockingClient& core, PoolReport* report) {
  const std::unique_ptr<client::Directory> directory = client::NewTreeDirectory(app.globals.coord, app.globals.pool);
  client::StoreAccess store(directory.get());
  const auto needed = master::check::ObjectsOf(paths, nodes);
  if (needed.empty()) return absl::OkStatus();
  if (!store.Reachable(client::Clock::now() + std::chrono::duration_cast<client::Clock::duration>(app.globals.request_timeout))) {
    return absl::FailedPreconditionError(
        "the pool's object store cannot be reached from here: check without --objects, or where it can");
  }
  for (const master::check::NeededObject& object : needed) {
    const auto data = store.Get(object.key);
    std::string sentence;
    if (!data.ok()) {
      sentence = absl::StrCat("object ", object.key, ": ", std::string(data.status().message()));
    } else if (object.size != 0 && data->size() != object.size) {
      sentence = absl::StrCat("object ", object.key, " has ", data->size(), " bytes, not ", object.size);
    } else {
      continue;
    }
    const auto still = core.Exists(object.task_path);
    if (!still.ok()) return still.status();
    if (still->stat.has_value()) report->findings.push_back({Finding::Kind::kBroken, object.task_path, sentence});
  }
  return absl::OkStatus();
}

int Show(const App& app, const PoolReport& report) {
  std::size_t broken = 0;
  Json findings = Json::array();
  for (const Finding& finding : report.findings) {
    const bool pending = finding.kind == Finding::Kind::kPending;
    broken += pending ? 0 : 1;
    const std::string kind = pending ? "PENDING" : "BROKEN";
    findings.push_back({{"kind", kind}, {"path", finding.path}, {"sentence", finding.sentence}});
    if (app.output.format() == Format::kTable) app.output.Raw(absl::StrCat(kind, " ", finding.path, ": ", finding.sentence, "\n"));
  }
  const master::check::PoolSummary& s = report.summary;
  if (app.output.format() == Format::kTable) {
    app.output.Raw(absl::StrCat(
        s.tasks, " tasks (", s.finished, " ended), ", s.assignments, " assignments, ", s.workers, " workers: ",
        report.findings.empty() ? "all is well" : absl::StrCat(broken, " broken, ", report.findings.size() - broken, " pending"),
        "\n"));
  } else {
    Item item;
    item.id = app.globals.pool;
    item.json = {{"pool", app.globals.pool},     {"tasks", s.tasks},     {"finished", s.finished},
                 {"assignments", s.assignments}, {"workers", s.workers}, {"findings", std::move(findings)}};
    app.output.One({}, item);
  }
  return report.findings.empty() ? kOk : kRefused;
}

int Check(const App& app, const CheckFlags& flags) {
  if (!records::IsName(app.globals.pool)) return app.Usage(absl::StrCat("--pool: ", records::kNameRule));
  auto core = app.Core();
  if (!core.ok()) return app.output.Fail(core.status());
  const records::PoolPaths paths(app.globals.pool);
  const auto give_up = std::chrono::steady_clock::now() + flags.wait;
  constexpr auto kPause = std::chrono::milliseconds(250);
  while (true) {
    auto nodes = (**core).ListAtOneState(paths.root());
    if (!nodes.ok()) return app.output.Fail(app.Explained(nodes.status()));
    if (nodes->empty()) return app.output.Fail(absl::NotFoundError(absl::StrCat("there is no pool ", app.globals.pool)));
    PoolReport report = master::check::CheckPool(paths, *nodes);
    if (flags.objects) {
      if (absl::Status s = CheckObjects(app, paths, *nodes, **core, &report); !s.ok()) return app.output.Fail(s);
    }
    const bool broken = std::any_of(report.findings.begin(), report.findings.end(),
                                    [](const Finding& finding) { return finding.kind == Finding::Kind::kBroken; });
    const bool settled = report.findings.empty() || broken;
    if (settled || std::chrono::steady_clock::now() + kPause >= give_up) return Show(app, report);
    client::SystemWaiter().Wait(kPause, {});
  }
}

}  // namespace

void AddCheckCommand(process::OptionSet* root, Commands* commands) {
  process::OptionSet& check = root->Command(
      "check",
      "Verifies what the tree says of a pool's tasks, assignments and workers; exit code 8 if something is not as it should be");
  auto flags = std::make_shared<CheckFlags>();
  check.Time("--wait", &flags->wait, "Look again for this long while something is only pending: what a master has still to see to");
  check.Flag("--objects", &flags->objects, "Also read every object that a task refers to");
  commands->push_back({&check, [flags](const App& app) { return Check(app, *flags); }});
}

}  // namespace drover::cli
