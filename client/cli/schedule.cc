// `drover schedule create`, `list`, `pause`, `resume`, `run` and `delete`.
#include "master/records/schedule.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/cli/task_flags.h"
#include "client/cli/task_text.h"
#include "client/cli/time_text.h"
#include "client/internal/convert.h"
#include "master/records/task_id.h"

namespace drover::cli {
namespace {

// Of --dry-run.
constexpr int kTimesShown = 5;

const char* MissedName(client::MissedRuns missed) {
  switch (missed) {
    case client::MissedRuns::kOne:
      return "one";
    case client::MissedRuns::kSkip:
      return "skip";
    case client::MissedRuns::kAll:
      return "all";
  }
  return "one";
}

Item ScheduleItem(const client::Schedule& s) {
  const std::string every = s.every.count() == 0 ? "" : process::FormatDuration(s.every);
  Item item;
  item.id = s.name;
  item.json = {{"name", s.name},
               {"cron", TextOrNull(s.cron)},
               {"time_zone", TextOrNull(s.time_zone)},
               {"every", TextOrNull(every)},
               {"missed", MissedName(s.missed)},
               {"no_overlap", s.no_overlap},
               {"queue", s.queue},
               {"command", s.argv},
               {"paused", s.paused},
               {"created_at", TimeOrNull(s.created_at_ms)},
               {"next_at", TimeOrNull(s.next_at_ms)},
               {"last_at", TimeOrNull(s.last_at_ms)},
               {"last_task", TextOrNull(s.last_task)},
               {"fired", s.fired},
               {"note", s.note}};
  item.cells = {s.name,
                s.cron.empty() ? absl::StrCat("every ", every) : s.cron,
                s.time_zone,
                s.paused            ? "paused"
                : s.next_at_ms == 0 ? "never"
                                    : Rfc3339(s.next_at_ms),
                s.last_at_ms == 0 ? "" : Rfc3339(s.last_at_ms),
                s.last_task,
                absl::StrCat(s.fired),
                s.note};
  return item;
}

int ListSchedules(const App& app) {
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto schedules = (*tasks)->ListSchedules();
  if (!schedules.ok()) return app.output.Fail(schedules.status());
  std::vector<Item> items;
  for (const client::Schedule& s : *schedules) items.push_back(ScheduleItem(s));
  app.output.List({"NAME", "WHEN", "ZONE", "NEXT", "LAST", "LAST-TASK", "FIRED", "NOTE"}, items);
  return kOk;
}

struct ScheduleFlags {
  std::string name;
  std::string cron;
  std::string time_zone;
  base::Duration every{0};
  std::string missed = "one";
  bool no_overlap = false;
  bool replace = false;
  bool dry_run = false;
  TaskFlags task;
};

// The next times by this host's clock.
int ShowTimes(const App& app, const task::v1::ScheduleSpec& spec) {
  std::int64_t at =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto table = records::TimetableOf(spec, at);
  if (!table.ok()) return app.output.Fail(table.status());
  std::vector<Item> items;
  for (int i = 0; i < kTimesShown; ++i) {
    const std::optional<std::int64_t> next = table->Next(at);
    if (!next.has_value()) break;
    at = *next;
    Item item;
    item.id = Rfc3339(at);
    item.json = {{"at", item.id}};
    item.cells = {item.id};
    items.push_back(std::move(item));
  }
  app.output.List({"WOULD RUN"}, items);
  return kOk;
}

int CreateSchedule(const App& app, const ScheduleFlags& flags) {
  if (const auto wrong = WrongName(flags.name)) return app.Usage(*wrong);
  if (flags.cron.empty() == (flags.every.count() == 0)) return app.Usage("a schedule has either --cron or --every");
  auto task = flags.task.Spec();
  if (!task.ok()) return app.output.Fail(task.status());
  client::ScheduleSpec spec;
  spec.name = flags.name;
  spec.cron = flags.cron;
  spec.time_zone = flags.time_zone;
  spec.every = std::chrono::ceil<std::chrono::milliseconds>(flags.every);
  spec.missed = flags.missed == "skip"  ? client::MissedRuns::kSkip
                : flags.missed == "all" ? client::MissedRuns::kAll
                                        : client::MissedRuns::kOne;
  spec.no_overlap = flags.no_overlap;
  spec.task = *std::move(task);
  // Judged here first, so that what is wrong is said whoever can be reached. Only the masters have to know the time zone.
  task::v1::ScheduleSpec message = client::ToScheduleSpec(spec);
  records::Normalise(&message);
  const absl::Status fine = records::CheckSchedule(message);
  if (!fine.ok() && !(absl::IsFailedPrecondition(fine) && !flags.dry_run)) return app.output.Fail(fine);
  if (flags.dry_run) return ShowTimes(app, message);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  const absl::Status set = (*tasks)->SetSchedule(spec, flags.replace);
  if (absl::IsAlreadyExists(set)) {
    return app.output.Fail(kRefused, absl::AlreadyExistsError(absl::StrCat("there is another schedule ", flags.name,
                                                                           ": give --replace, or another name")));
  }
  return set.ok() ? static_cast<int>(kOk) : app.output.Fail(set);
}

int RunSchedule(const App& app, const ScheduleFlags& flags) {
  if (const auto wrong = WrongName(flags.name)) return app.Usage(*wrong);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  auto result = (*tasks)->RunSchedule(flags.name);
  if (!result.ok()) return app.output.Fail(result.status());
  if (result->outcome != client::SubmitOutcome::kAccepted) {
    return app.output.Fail(kRefused,
                           absl::ResourceExhaustedError(absl::StrCat("task ", result->id, " was refused: ", result->sentence)));
  }
  app.output.Line(result->id, IdItem(result->id));
  return kOk;
}

// What is done with a schedule and answers nothing.
int DoWithSchedule(const App& app, const ScheduleFlags& flags, absl::Status (*what)(client::TaskClient&, const std::string&)) {
  if (const auto wrong = WrongName(flags.name)) return app.Usage(*wrong);
  auto tasks = app.Tasks();
  if (!tasks.ok()) return app.output.Fail(tasks.status());
  if (absl::Status s = what(**tasks, flags.name); !s.ok()) return app.output.Fail(s);
  return kOk;
}

}  // namespace

void AddScheduleCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& schedule = root->Command("schedule", "Tasks that are submitted again and again");
  commands->push_back({&schedule.Command("list", "Lists the schedules, and when each fires next"), ListSchedules});

  process::OptionSet& create =
      schedule.Command("create", "Submits a task at the times of a timetable: the task NAME.TIME, TIME like 20260131T120000Z");
  auto flags = std::make_shared<ScheduleFlags>();
  create.Argument("NAME", &flags->name, "The schedule");
  create.Text(
      "--cron", &flags->cron,
      "When, as crontab(5) has it: minute, hour, day of the month, month, day of the week, like '30 2 * * mon-fri'; or @hourly, "
      "@daily, @weekly, @monthly, @yearly");
  create.Text("--time-zone", &flags->time_zone, "By whose clocks, like Europe/Berlin; without it UTC");
  create.Time("--every", &flags->every, "Or how often, from now on; 1s or more");
  create.Choice("--missed", &flags->missed, {"one", "skip", "all"},
                "Of the times at which no master could submit it, the last one is made up for, or none, or all (the last 100)");
  create.Flag("--no-overlap", &flags->no_overlap, "Leave out a time at which the task of the time before has not ended");
  create.Flag("--replace", &flags->replace, "Also if there is another schedule of this name");
  create.Flag("--dry-run", &flags->dry_run, "Only looks whether it will do, and shows its next times");
  flags->task.AddTo(&create, {.of_schedule = true});
  commands->push_back({&create, [flags](const App& app) { return CreateSchedule(app, *flags); }});

  struct Named {
    const char* command;
    const char* summary;
    std::function<int(const App&, const ScheduleFlags&)> run;
  };
  const auto doing = [](absl::Status (*what)(client::TaskClient&, const std::string&)) {
    return [what](const App& app, const ScheduleFlags& f) { return DoWithSchedule(app, f, what); };
  };
  for (const Named& named :
       {Named{"pause", "Submits nothing until it is resumed",
              doing([](client::TaskClient&tasks, const std::string&name) { return tasks.PauseSchedule(name, true); })},
        Named{"resume", "Goes on; times that passed meanwhile are not made up for",
              doing([](client::TaskClient&tasks, const std::string&name) { return tasks.PauseSchedule(name, false); })},
        Named{"run", "Submits its task now, besides, and prints its id", RunSchedule},
        Named{"delete", "Forgets it; the tasks that it has submitted stay",
              doing([](client::TaskClient&tasks, const std::string&name) { return tasks.DeleteSchedule(name); })}}) {
    process::OptionSet& command = schedule.Command(named.command, named.summary);
    auto named_flags = std::make_shared<ScheduleFlags>();
    command.Argument("NAME", &named_flags->name, "The schedule");
    commands->push_back({&command, [named_flags, run = named.run](const App& app) { return run(app, *named_flags); }});
  }
}

}  // namespace drover::cli
