// `drover worker list`, `drover master list`.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "master/records/requirement.h"

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
        {"id", w.id},       {"address", w.address},       {"slots", w.slots}, {"running", w.running}, {"labels", Json::object()},
        {"state", w.state}, {"resources", Json::object()}};
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
  process::OptionSet& master = root->Command("master", "The processes that decide");
  commands->push_back({&master.Command("list", "Lists the masters"), ListMasters});
}

}  // namespace drover::cli
