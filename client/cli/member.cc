// `drover worker list`, `drain`, `undrain`; `drover master list`.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/time_text.h"
#include "master/records/amount.h"
#include "master/records/record_limits.h"
#include "master/records/time_bounds.h"

namespace drover::cli {
namespace {

int ListWorkers(const App& app) {
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto workers = (*tasks)->ListWorkers();
  if (!workers.ok()) return app.output.Fail(workers.status());
  std::vector<Item> items;
  for (const client::Worker& w : *workers) {
    Item item;
    item.id = w.id;
    item.json = {
        {"id", w.id},       {"address", w.address},        {"slots", w.slots}, {"running", w.running}, {"labels", Json::object()},
        {"state", w.state}, {"resources", Json::object()}, {"drain", nullptr}};
    if (w.drained_since_ms != 0) {
      item.json["drain"] = {{"reason", w.drain_reason}, {"since", Rfc3339(w.drained_since_ms)}, {"deadline", nullptr}};
      if (w.drain_deadline_ms != 0) item.json["drain"]["deadline"] = Rfc3339(w.drain_deadline_ms);
    }
    for (const auto& [key, value] : w.labels) item.json["labels"][key] = value;
    std::vector<std::string> resources;
    for (const auto& [name, amount] : w.resources) {
      const auto found = w.resources_taken.find(name);
      const std::int64_t taken = found == w.resources_taken.end() ? 0 : found->second;
      item.json["resources"][name] = {{"total", static_cast<double>(amount) / 1000}, {"taken", static_cast<double>(taken) / 1000}};
      resources.push_back(absl::StrCat(name, "=", records::AmountText(taken), "/", records::AmountText(amount)));
    }
    item.cells = {w.id,
                  w.address,
                  absl::StrCat(w.slots),
                  absl::StrCat(w.running),
                  w.state,
                  absl::StrJoin(w.labels, ",", absl::PairFormatter("=")),
                  absl::StrJoin(resources, ",")};
    items.push_back(std::move(item));
  }
  app.output.List({"ID", "ADDRESS", "SLOTS", "RUNNING", "STATE", "LABELS", "RESOURCES"}, items);
  return kOk;
}

struct DrainFlags {
  std::string worker;
  base::Duration deadline{0};
  std::string reason;
  bool wait = false;
  base::Duration wait_timeout{0};
};

// Asks until nothing runs on it: what runs ends by itself, and there is nobody to be told by.
int AwaitIdle(const App& app, client::TaskClient& tasks, const DrainFlags& flags) {
  constexpr auto kPause = std::chrono::milliseconds(250);
  const auto give_up = std::chrono::steady_clock::now() + flags.wait_timeout;
  while (true) {
    const auto workers = tasks.ListWorkers();
    if (!workers.ok()) return app.output.Fail(workers.status());
    const auto found = std::find_if(workers->begin(), workers->end(), [&](const auto& w) { return w.id == flags.worker; });
    if (found == workers->end() || found->drained_since_ms == 0) {
      return app.output.Fail(kRefused,
                             absl::FailedPreconditionError(absl::StrCat("worker ", flags.worker, " is not drained any more")));
    }
    if (found->running == 0) return kOk;
    if (flags.wait_timeout.count() > 0 && std::chrono::steady_clock::now() >= give_up) {
      return app.output.Fail(
          kTimedOut, absl::DeadlineExceededError(absl::StrCat(found->running, " tasks run on worker ", flags.worker, " still")));
    }
    std::this_thread::sleep_for(kPause);
  }
}

int Drain(const App& app, const process::OptionSet& options, const DrainFlags& flags) {
  if (flags.wait_timeout.count() > 0 && !flags.wait) return app.Usage("worker drain: --wait-timeout needs --wait");
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  std::optional<std::chrono::milliseconds> patience;
  if (options.given("--deadline")) patience = std::chrono::ceil<std::chrono::milliseconds>(flags.deadline);
  if (absl::Status s = (*tasks)->DrainWorker(flags.worker, patience, flags.reason); !s.ok()) return app.output.Fail(s);
  return flags.wait ? AwaitIdle(app, **tasks, flags) : static_cast<int>(kOk);
}

int Undrain(const App& app, const DrainFlags& flags) {
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  if (absl::Status s = (*tasks)->UndrainWorker(flags.worker); !s.ok()) return app.output.Fail(s);
  return kOk;
}

int ListMasters(const App& app) {
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto masters = (*tasks)->ListMasters();
  if (!masters.ok()) return app.output.Fail(masters.status());
  std::vector<Item> items;
  for (const client::Master& m : *masters) {
    Item item;
    item.id = m.id;
    item.json = {{"id", m.id}, {"address", m.address}, {"leader", m.leader}, {"epoch", m.epoch}};
    item.cells = {m.id, m.address, m.leader ? "yes" : "no", absl::StrCat(m.epoch)};
    items.push_back(std::move(item));
  }
  app.output.List({"ID", "ADDRESS", "LEADER", "EPOCH"}, items);
  return kOk;
}

}  // namespace

void AddMemberCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& worker = root->Command("worker", "The processes that run tasks");
  commands->push_back({&worker.Command("list", "Lists the workers"), ListWorkers});
  process::OptionSet& drain =
      worker.Command("drain", "Gives a worker nothing new, also after a restart, until it is undrained; what runs may end");
  auto flags = std::make_shared<DrainFlags>();
  drain.Argument("ID", &flags->worker, "The worker");
  drain.Time("--deadline", &flags->deadline, "What still runs after this long is stopped, and run elsewhere; 0 is at once", {},
             std::chrono::milliseconds(records::kDelayMaxMs));
  drain.Text("--reason", &flags->reason, absl::StrCat("Why, for people; at most ", records::kCancelReasonBytesMax, " bytes"));
  drain.Flag("--wait", &flags->wait, "Wait until nothing runs there");
  drain.Time("--wait-timeout", &flags->wait_timeout, "Wait no longer than this");
  commands->push_back({&drain, [flags, &drain](const App& app) { return Drain(app, drain, *flags); }});
  process::OptionSet& undrain = worker.Command("undrain", "Gives a drained worker tasks again");
  auto undrain_flags = std::make_shared<DrainFlags>();
  undrain.Argument("ID", &undrain_flags->worker, "The worker");
  commands->push_back({&undrain, [undrain_flags](const App& app) { return Undrain(app, *undrain_flags); }});
  process::OptionSet& master = root->Command("master", "The processes that decide");
  commands->push_back({&master.Command("list", "Lists the masters"), ListMasters});
}

}  // namespace drover::cli
