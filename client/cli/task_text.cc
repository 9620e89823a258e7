#include "client/cli/task_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/time_text.h"
#include "master/records/codec.h"

namespace drover::cli {
namespace {

std::string Text(absl::string_view view) {
  return std::string(view);
}

// A program that was ended by a signal has no exit code.
template <typename T>
Json ExitCodeOrNull(const T& t) {
  return t.exit_code < 0 || t.signal != 0 ? Json(nullptr) : Json(t.exit_code);
}
template <typename T>
Json SignalOrNull(const T& t) {
  return t.signal == 0 ? Json(nullptr) : Json(t.signal);
}

Json AttemptJson(const client::Attempt& a) {
  return Json{{"fence", a.fence},
              {"worker", TextOrNull(a.worker)},
              {"state", Text(client::StateName(a.state))},
              {"exit_code", ExitCodeOrNull(a)},
              {"signal", SignalOrNull(a)},
              {"reason", Text(client::ReasonName(a.reason))},
              {"assigned_at", TimeOrNull(a.assigned_at_ms)},
              {"started_at", TimeOrNull(a.started_at_ms)},
              {"finished_at", TimeOrNull(a.finished_at_ms)}};
}

template <typename T>
std::string Took(const T& t) {
  if (t.started_at_ms == 0 || t.finished_at_ms == 0 || t.finished_at_ms < t.started_at_ms) return "";
  return ShortDuration(t.finished_at_ms - t.started_at_ms);
}

template <typename T>
std::string Exit(const T& t) {
  if (t.signal != 0) return absl::StrCat("signal ", t.signal);
  return t.exit_code < 0 ? "" : absl::StrCat(t.exit_code);
}

std::string TimeText(std::int64_t ms) {
  return ms == 0 ? "" : Rfc3339(ms);
}

const char* ConditionName(client::Dependency::Condition condition) {
  switch (condition) {
    case client::Dependency::Condition::kSuccess:
      return "success";
    case client::Dependency::Condition::kFailure:
      return "failure";
    case client::Dependency::Condition::kEnd:
      return "end";
  }
  return "end";
}

// "a, b:failure", as --after takes them.
std::string DependenciesText(const client::Task& t) {
  return absl::StrJoin(t.dependencies, ", ", [](std::string* out, const client::Dependency& d) {
    absl::StrAppend(out, d.task);
    if (d.condition != client::Dependency::Condition::kSuccess) absl::StrAppend(out, ":", ConditionName(d.condition));
  });
}

Json DependenciesJson(const client::Task& t) {
  Json dependencies = Json::array();
  for (const client::Dependency& d : t.dependencies) {
    dependencies.push_back({{"task", d.task}, {"condition", ConditionName(d.condition)}});
  }
  return dependencies;
}

// "500 of 1000 ended: 499 SUCCEEDED, 1 FAILED (3); 8 under way, 492 not handed out", or nothing.
std::string ArrayText(const client::Task& t) {
  if (!t.array.has_value()) return "";
  const client::ArrayProgress& a = *t.array;
  std::vector<std::string> ends, open;
  if (a.succeeded > 0) ends.push_back(absl::StrCat(a.succeeded, " SUCCEEDED"));
  if (a.failed > 0) ends.push_back(absl::StrCat(a.failed, " FAILED"));
  if (a.cancelled > 0) ends.push_back(absl::StrCat(a.cancelled, " CANCELLED"));
  if (a.lost > 0) ends.push_back(absl::StrCat(a.lost, " LOST"));
  if (a.under_way > 0) open.push_back(absl::StrCat(a.under_way, " under way"));
  if (a.waiting > 0) open.push_back(absl::StrCat(a.waiting, " not handed out"));
  std::string text = absl::StrCat(a.succeeded + a.failed + a.cancelled + a.lost, " of ", a.elements, " ended");
  if (!ends.empty()) absl::StrAppend(&text, ": ", absl::StrJoin(ends, ", "));
  if (!open.empty()) absl::StrAppend(&text, "; ", absl::StrJoin(open, ", "));
  return text;
}

// "40% of the files"
std::string ProgressText(const client::Task& t) {
  if (!t.progress.has_value()) return "";
  const std::string percent = t.progress->percent.has_value() ? absl::StrCat(*t.progress->percent, "%") : "";
  return absl::StrCat(percent, percent.empty() || t.progress->text.empty() ? "" : " ", t.progress->text);
}

Json ProgressJson(const client::Task& t) {
  if (!t.progress.has_value()) return nullptr;
  const client::TaskProgress& p = *t.progress;
  return Json{{"percent", p.percent.has_value() ? Json(*p.percent) : Json(nullptr)}, {"text", p.text}, {"at", TimeOrNull(p.at_ms)}};
}

// One that is no text, or too large to ride in the record, is read by `drover result`.
Json ResultJson(const client::Task& t) {
  if (!t.result.has_value() || records::Clip(*t.result, t.result->size()) != *t.result) return nullptr;
  return *t.result;
}

Json ArrayJson(const client::Task& t) {
  if (!t.array.has_value()) return nullptr;
  const client::ArrayProgress& a = *t.array;
  return Json{{"array", a.array},         {"elements", a.elements},   {"waiting", a.waiting},
              {"under_way", a.under_way}, {"succeeded", a.succeeded}, {"failed", a.failed},
              {"cancelled", a.cancelled}, {"lost", a.lost},           {"unsuccessful", a.unsuccessful}};
}

struct Column {
  const char* name;
  std::string (*text)(const client::Task&);
};
constexpr Column kColumns[] = {
    {"ID", [](const client::Task& t) { return t.id; }},
    {"NAME", [](const client::Task& t) { return t.name; }},
    {"QUEUE", [](const client::Task& t) { return t.queue; }},
    {"PRIORITY", [](const client::Task& t) { return absl::StrCat(t.priority); }},
    {"STATE", [](const client::Task& t) { return Text(client::StateName(t.state)); }},
    {"REASON", [](const client::Task& t) { return t.reason == client::Reason::kNone ? "" : Text(client::ReasonName(t.reason)); }},
    {"WHY", [](const client::Task& t) { return t.sentence; }},
    {"ATTEMPT", [](const client::Task& t) { return t.attempt == 0 ? "" : absl::StrCat(t.attempt); }},
    {"WORKER", [](const client::Task& t) { return t.worker; }},
    {"EXIT", [](const client::Task& t) { return Exit(t); }},
    {"TOOK", [](const client::Task& t) { return Took(t); }},
    {"SUBMITTED", [](const client::Task& t) { return TimeText(t.submitted_at_ms); }},
    {"STARTED", [](const client::Task& t) { return TimeText(t.started_at_ms); }},
    {"FINISHED", [](const client::Task& t) { return TimeText(t.finished_at_ms); }},
    {"NOT-BEFORE", [](const client::Task& t) { return TimeText(t.not_before_ms); }},
    {"AFTER", DependenciesText},
    {"ARRAY", ArrayText},
    {"PROGRESS", ProgressText},
    {"WAITS-FOR", [](const client::Task& t) { return absl::StrJoin(t.waits_for, ", "); }},
};

}  // namespace

Json TimeOrNull(std::int64_t ms) {
  return ms == 0 ? Json(nullptr) : Json(Rfc3339(ms));
}
Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json TaskJson(const client::Task& t) {
  Json attempts = Json::array();
  for (const client::Attempt& a : t.attempts) attempts.push_back(AttemptJson(a));
  return Json{{"id", t.id},
              {"name", t.name},
              {"queue", t.queue},
              {"priority", t.priority},
              {"state", Text(client::StateName(t.state))},
              {"attempt", t.attempt},
              {"fence", t.fence},
              {"worker", TextOrNull(t.worker)},
              {"exit_code", ExitCodeOrNull(t)},
              {"signal", SignalOrNull(t)},
              {"reason", Text(client::ReasonName(t.reason))},
              {"sentence", t.sentence},
              {"submitted_at", TimeOrNull(t.submitted_at_ms)},
              {"started_at", TimeOrNull(t.started_at_ms)},
              {"finished_at", TimeOrNull(t.finished_at_ms)},
              {"not_before", TimeOrNull(t.not_before_ms)},
              {"dependencies", DependenciesJson(t)},
              {"waits_for", t.waits_for},
              {"reruns", t.reruns},
              {"array", ArrayJson(t)},
              {"progress", ProgressJson(t)},
              {"result_bytes", t.result_bytes},
              {"result", ResultJson(t)},
              {"attempts", std::move(attempts)}};
}

Item IdItem(const std::string& id) {
  Item item;
  item.id = id;
  item.json = {{"id", id}};
  return item;
}

const std::vector<std::string>& TaskHeader() {
  static const std::vector<std::string> kHeader = {"ID", "NAME", "STATE", "ATTEMPT", "WORKER", "EXIT", "TOOK", "SUBMITTED"};
  return kHeader;
}

std::vector<std::string> TaskColumns() {
  std::vector<std::string> names;
  for (const Column& column : kColumns) names.emplace_back(column.name);
  return names;
}

Item TaskRow(const client::Task& t, const std::vector<std::string>& columns) {
  Item item;
  item.id = t.id;
  item.json = TaskJson(t);
  for (const std::string& name : columns) {
    for (const Column& column : kColumns) {
      if (name == column.name) item.cells.push_back(column.text(t));
    }
  }
  return item;
}

absl::Status ParseColumns(const std::string& text, std::vector<std::string>* columns) {
  columns->clear();
  const std::vector<std::string> known = TaskColumns();
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    std::string name = absl::AsciiStrToUpper(part);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is no column; there are ", absl::StrJoin(known, ", ")));
    }
    columns->push_back(std::move(name));
  }
  return absl::OkStatus();
}

const std::vector<std::string>& TaskNames() {
  static const std::vector<std::string> kNames = {"id",        "name",        "queue",    "priority",       "state",    "reason",
                                                  "why",       "waits until", "after",    "waits for",      "worker",   "exit code",
                                                  "submitted", "started",     "finished", "took",           "attempts", "progress",
                                                  "result",    "array",       "elements", "without success"};
  return kNames;
}

Item TaskLines(const client::Task& t) {
  Item item;
  item.id = t.id;
  item.json = TaskJson(t);
  const std::string attempts = absl::StrJoin(t.attempts, "; ", [](std::string* out, const client::Attempt& a) {
    absl::StrAppend(out, client::StateName(a.state), " on ", a.worker, a.fence == 0 ? "" : absl::StrCat(" fence ", a.fence));
    if (a.reason != client::Reason::kNone) absl::StrAppend(out, " (", client::ReasonName(a.reason), ")");
  });
  item.cells = {t.id,
                t.name,
                t.queue,
                absl::StrCat(t.priority),
                Text(client::StateName(t.state)),
                t.reason == client::Reason::kNone ? "" : Text(client::ReasonName(t.reason)),
                t.sentence,
                TimeText(t.not_before_ms),
                DependenciesText(t),
                absl::StrJoin(t.waits_for, ", "),
                t.worker,
                Exit(t),
                TimeText(t.submitted_at_ms),
                TimeText(t.started_at_ms),
                TimeText(t.finished_at_ms),
                Took(t),
                t.attempt == 0 ? "" : absl::StrCat(t.attempt, ": ", attempts),
                ProgressText(t),
                t.result_bytes == 0 ? "" : absl::StrCat(t.result_bytes, " bytes: drover result ", t.id),
                t.array.has_value() ? t.array->array : "",
                ArrayText(t),
                t.array.has_value() ? absl::StrJoin(t.array->unsuccessful, ",") : ""};
  return item;
}

std::string EndText(const client::Task& t) {
  std::string text = Text(client::StateName(t.state));
  if (t.reason != client::Reason::kNone) absl::StrAppend(&text, " (", client::ReasonName(t.reason), ")");
  if (!t.sentence.empty()) absl::StrAppend(&text, ": ", t.sentence);
  return text;
}

std::string ConflictAdvice(const std::string& id) {
  return absl::StrCat("; choose another --id, or see drover status ", id);
}

absl::Status EndError(const client::Task& t) {
  const auto code = t.state == client::State::kCancelled ? absl::StatusCode::kCancelled : absl::StatusCode::kAborted;
  return absl::Status(code, absl::StrCat("task ", t.id, " ", EndText(t)));
}

}  // namespace drover::cli
