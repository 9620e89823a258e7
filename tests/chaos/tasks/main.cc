// drover-chaos-tasks: a whole pool under random faults for as long as one likes; what became of the tasks is judged. See
// ../README.md.
//
// Exit codes: 0 nothing was wrong; 1 something was; 2 usage.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/process/options.h"
#include "drover/client/task_client.h"
#include "tests/chaos/tasks/blows.h"
#include "tests/chaos/tasks/customers.h"
#include "tests/chaos/tasks/field.h"
#include "tests/chaos/tasks/judge.h"
#include "tests/support/await.h"

namespace drover::chaos::tasks {
namespace {

constexpr int kUsage = 2;
const std::vector<std::pair<std::string, std::chrono::milliseconds>> kSchedules = {{"often", std::chrono::seconds(1)},
                                                                                   {"seldom", std::chrono::seconds(7)}};

struct Flags {
  base::Duration duration = std::chrono::minutes(1);
  int customers = 6;
  std::uint64_t seed = 0;  // 0: one at random
};

// Begins and ends what is planned when its time has come.
void CarryOut(Field* field, const std::vector<Hit>& plan) {
  struct Turn {
    std::chrono::milliseconds at;
    bool begins;
    const Hit* hit;
  };
  std::vector<Turn> turns;
  for (const Hit& hit : plan) {
    turns.push_back({hit.at, true, &hit});
    turns.push_back({hit.at + hit.duration, false, &hit});
  }
  std::stable_sort(turns.begin(), turns.end(),
                   [](const Turn& a, const Turn& b) { return std::pair(a.at, a.begins) < std::pair(b.at, b.begins); });
  const auto start = std::chrono::steady_clock::now();
  for (const Turn& turn : turns) {
    std::this_thread::sleep_until(start + turn.at);
    field->CheckRunning();
    if (turn.begins) {
      std::cout << "  " << *turn.hit << std::endl;
      field->Begin(*turn.hit);
    } else {
      field->End(*turn.hit);
    }
  }
}

void Append(std::vector<std::string>* to, std::vector<std::string> more) {
  to->insert(to->end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// All of one run; what was wrong.
std::vector<std::string> Run(const Flags& flags) {
  PlanOptions plan_options;
  plan_options.seed = flags.seed;
  plan_options.length = std::chrono::duration_cast<std::chrono::milliseconds>(flags.duration);
  const std::vector<Hit> plan = PlanHits(plan_options);
  Field field(plan_options);
  const std::string witness = field.cluster().path("witness");
  std::vector<std::string> faults;

  auto client = client::TaskClient::Create({.coord = field.coords(), .request_timeout = std::chrono::minutes(5)});
  if (!client.ok()) return {client.status().ToString()};
  for (const auto& [name, every] : kSchedules) {
    client::ScheduleSpec spec;
    spec.name = name;
    spec.every = every;
    spec.missed = client::MissedRuns::kAll;
    spec.task.argv = Witnessed(witness, "true");
    spec.task.at_most_once = true;
    if (const absl::Status set = (*client)->SetSchedule(spec, false); !set.ok()) return {set.ToString()};
  }
  auto customers = std::make_unique<Customers>(
      CustomersOptions{.coords = field.coords(), .customers = flags.customers, .seed = flags.seed, .witness = witness});
  CarryOut(&field, plan);
  std::cout << "  all has healed; " << customers->ordered() << " tasks are ordered" << std::endl;
  const auto healed = std::chrono::steady_clock::now();
  customers->Finish();
  for (const auto& [name, every] : kSchedules) {
    if (const absl::Status paused = (*client)->PauseSchedule(name, true); !paused.ok()) faults.push_back(paused.ToString());
  }
  const testing::CommandResult check = field.cluster().Drover({"check", "--objects", "--wait", "60s"});
  if (check.exit_code != 0) faults.push_back(absl::StrCat("drover check: ", check.out, check.err));
  const auto well = std::chrono::steady_clock::now() - healed;
  std::cout << "  all had ended, and the tree was well, " << std::chrono::duration_cast<std::chrono::milliseconds>(well).count()
            << " ms later" << std::endl;
  if (!testing::Await([&field] { return field.Programs().empty(); })) {
    for (const pid_t pid : field.Programs()) faults.push_back(absl::StrCat("process ", pid, " is left over"));
  }

  Append(&faults, customers->faults());
  const std::vector<Begin> begins = ReadWitness(testing::ReadFile(witness), &faults);
  Append(&faults, Judge(customers->stories(), begins));
  const auto schedules = (*client)->ListSchedules();
  if (!schedules.ok()) faults.push_back(schedules.status().ToString());
  std::uint64_t fired = 0;
  for (const client::Schedule& schedule : schedules.ok() ? *schedules : std::vector<client::Schedule>()) {
    Append(&faults, JudgeSchedule(schedule, begins));
    fired += schedule.fired;
  }
  std::size_t lost = 0, again = 0;
  for (const Story& story : customers->stories()) {
    lost += story.last.state == client::State::kLost ? 1 : 0;
    again += story.last.attempt > 1 ? 1 : 0;
  }
  std::cout << plan.size() << " blows, " << customers->stories().size() << " tasks of customers and " << fired << " of schedules, "
            << begins.size() << " attempts begun, " << again << " tasks with more than one, " << lost << " LOST (at most once)"
            << std::endl;
  return faults;
}

int Main(const std::vector<std::string>& args) {
  Flags flags;
  process::OptionSet options("drover-chaos-tasks", "A whole pool under random faults; what became of the tasks is judged.");
  options.Time("--duration", &flags.duration, "How long the faults last");
  options.Number("--customers", &flags.customers, "Customers that order tasks, 40 at a time", 1, 100);
  options.Number("--seed", &flags.seed, "Of the faults and orders; 0: at random");
  bool done = false;
  const absl::Status parsed = options.ParseFrom(
      args, [](const std::string&) { return std::nullopt; }, std::cout, &done);
  if (!parsed.ok()) {
    std::cerr << "drover-chaos-tasks: " << std::string(parsed.message()) << " (see drover-chaos-tasks --help)" << std::endl;
    return kUsage;
  }
  if (done) return EXIT_SUCCESS;
  while (flags.seed == 0) flags.seed = std::random_device()();
  std::cout << "seed " << flags.seed << std::endl;
  const std::vector<std::string> faults = Run(flags);
  for (const std::string& fault : faults) std::cout << "  FAULT: " << fault << std::endl;
  std::cout << faults.size() << " faults" << std::endl;
  return faults.empty() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace drover::chaos::tasks

int main(int argc, char** argv) {
  try {
    return drover::chaos::tasks::Main(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cout << "  FAULT: " << error.what() << std::endl;
    return EXIT_FAILURE;
  }
}
