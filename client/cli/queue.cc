// `drover queue list`, `set`, `pause`, `resume` and `delete`.
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

const char* PlacementName(client::Placement placement) {
  return placement == client::Placement::kPack ? "pack" : "spread";
}

Json SettingsJson(const client::QueueSettings& s) {
  return {{"weight", s.weight},          {"running_max", s.running_max},
          {"rate", s.starts_per_second}, {"burst", s.burst},
          {"paused", s.paused},          {"placement", PlacementName(s.placement)},
          {"waiting_max", s.waiting_max}};
}

// 0 is no limit.
std::string LimitText(double limit) {
  return limit == 0 ? "-" : absl::StrCat(limit);
}

int List(const App& app) {
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto queues = (*tasks)->ListQueues();
  if (!queues.ok()) return app.output.Fail(queues.status());
  std::vector<Item> items;
  for (const client::Queue& q : *queues) {
    Item item;
    item.id = q.name;
    item.json = {{"name", q.name}, {"waiting", q.waiting}, {"delayed", q.delayed}, {"running", q.running}, {"settings", nullptr}};
    if (q.has_settings) item.json["settings"] = SettingsJson(q.settings);
    const client::QueueSettings& s = q.settings;
    item.cells = {q.name,
                  absl::StrCat(q.waiting),
                  absl::StrCat(q.delayed),
                  absl::StrCat(q.running),
                  s.paused ? "yes" : "no",
                  absl::StrCat(s.weight),
                  LimitText(s.running_max),
                  LimitText(s.starts_per_second),
                  LimitText(s.waiting_max),
                  PlacementName(s.placement)};
    items.push_back(std::move(item));
  }
  app.output.List({"NAME", "WAITING", "DELAYED", "RUNNING", "PAUSED", "WEIGHT", "RUNNING-MAX", "RATE", "WAITING-MAX", "PLACEMENT"},
                  items);
  return kOk;
}

struct QueueFlags {
  std::string name;
  std::uint32_t weight = 1;
  std::uint32_t running_max = 0;
  double rate = 0;
  std::uint32_t burst = 1;
  std::uint32_t waiting_max = 0;
  std::string placement = "spread";
};

int Change(const App& app, const std::string& name, const client::QueueChange& change) {
  if (const auto wrong = WrongName(name)) return app.Usage(*wrong);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto settings = (*tasks)->SetQueue(name, change);
  if (!settings.ok()) return app.output.Fail(settings.status());
  if (app.output.format() == Format::kTable) return kOk;
  Item item;
  item.id = name;
  item.json = SettingsJson(*settings);
  item.json["name"] = name;
  app.output.One({}, item);
  return kOk;
}

int Set(const App& app, const process::OptionSet& options, const QueueFlags& flags) {
  client::QueueChange change;
  if (options.given("--weight")) change.weight = flags.weight;
  if (options.given("--running-max")) change.running_max = flags.running_max;
  if (options.given("--rate")) change.starts_per_second = flags.rate;
  if (options.given("--burst")) change.burst = flags.burst;
  if (options.given("--waiting-max")) change.waiting_max = flags.waiting_max;
  if (options.given("--placement")) {
    change.placement = flags.placement == "pack" ? client::Placement::kPack : client::Placement::kSpread;
  }
  return Change(app, flags.name, change);
}

int Delete(const App& app, const QueueFlags& flags) {
  if (const auto wrong = WrongName(flags.name)) return app.Usage(*wrong);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  if (absl::Status s = (*tasks)->DeleteQueue(flags.name); !s.ok()) return app.output.Fail(s);
  return kOk;
}

absl::Status ParseRate(const std::string& text, double* rate) {
  if (absl::SimpleAtod(text, rate) && (*rate == 0 || (*rate >= records::kQueueRateMin && *rate <= records::kQueueRateMax))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no number of starts per second: ", records::kQueueRateMin,
                                                 " to ", records::kQueueRateMax, ", or 0"));
}

}  // namespace

void AddQueueCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& queue = root->Command("queue", "What holds for the tasks of a queue");
  commands->push_back({&queue.Command("list", "Lists the queues that have tasks or settings"), List});

  process::OptionSet& set = queue.Command("set", "Sets what holds for a queue; what is not given stays");
  auto flags = std::make_shared<QueueFlags>();
  set.Argument("NAME", &flags->name, "The queue");
  set.Number("--weight", &flags->weight, "Its share of the slots that other queues want, too", 1, records::kQueueWeightMax);
  set.Number("--running-max", &flags->running_max, "At most so many of its tasks run; 0 is no limit", 0, records::kQueueRunningMax);
  set.Custom(
      "--rate", [flags](const std::string& text) { return ParseRate(text, &flags->rate); },
      "At most so many of its tasks start in a second; 0 is no limit");
  set.Number("--burst", &flags->burst, "So many may start at once after a pause", 1, records::kQueueBurstMax);
  set.Number("--waiting-max", &flags->waiting_max, "At most so many of its tasks wait; more are refused for now; 0 is no limit", 0,
             records::kQueueWaitingMax);
  set.Choice("--placement", &flags->placement, {"spread", "pack"},
             "On which worker that has room: the least loaded one, or the fullest");
  commands->push_back({&set, [flags, &set](const App& app) { return Set(app, set, *flags); }});

  struct Named {
    const char* command;
    const char* summary;
    std::function<int(const App&, const QueueFlags&)> run;
  };
  const auto paused = [](bool to) {
    return [to](const App& app, const QueueFlags& f) {
      client::QueueChange change;
      change.paused = to;
      return Change(app, f.name, change);
    };
  };
  for (const Named& named : {Named{"pause", "Starts no more of a queue's tasks; those that run, run on", paused(true)},
                             Named{"resume", "Starts its tasks again", paused(false)},
                             Named{"delete", "Forgets a queue's settings; its tasks stay", Delete}}) {
    process::OptionSet& command = queue.Command(named.command, named.summary);
    auto named_flags = std::make_shared<QueueFlags>();
    command.Argument("NAME", &named_flags->name, "The queue");
    commands->push_back({&command, [named_flags, run = named.run](const App& app) { return run(app, *named_flags); }});
  }
}

}  // namespace drover::cli
